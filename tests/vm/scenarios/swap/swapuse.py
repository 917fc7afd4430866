# SPDX-License-Identifier: GPL-2.0-or-later
"""Swap that is in use, in pieces, or too small."""

from testbed import disks, guest, image
from testbed.scenario import Scenario


class HoldsData(Scenario):
    """swap already holds other data"""
    name = "swap-in-use"
    group = "quick"
    guest = """
first_boot() {
    swap_on $SWAP
    hold other 96 0 swapped
    hold main 48 16
    memhold ask other pageout >/dev/null
    hibernate
}
"""

    def run(self):
        before = self.hibernate()
        used = int(before.mark("swap-used-kib"))
        self.need(used > 64 * 1024, "data was in swap: %d KiB" % used)
        self.resume()


class SinglePages(Scenario):
    """swap is fragmented to single pages"""
    name = "swap-fragmented"
    group = "slow"
    memory = 300
    swap_mib = 600
    limit = 400
    # Nearly the whole area is filled in order, then every second page of it
    # is given back, and the rest is filled: what is left are single pages.
    guest = """
first_boot() {
    swap_on $SWAP
    hold comb 560 0 swapped
    memhold ask comb punch | while read -r line; do
        mark "comb.$line"
    done
    hold rest 32 0 swapped
    hold main 16 8
    hibernate
}
"""

    def run(self):
        before = self.hibernate()
        used = int(before.mark("swap-used-kib"))
        self.need(used > 250 * 1024, "half of swap is in use: %d KiB" % used)
        self.fragments()
        self.resume()

    def fragments(self):
        """Proves it by what the image says of itself."""
        extents = image.Image(self.swap).extents()
        single = sum(1 for extent in extents if extent.pages <= 2)
        self.figure("%d extents, %d of at most two pages" %
                    (len(extents), single))
        self.need(single > 1000 and single > len(extents) / 2,
                  "the image lies in single pages")


class TooSmall(Scenario):
    """swap is too small: tries smaller, fails, all is intact"""
    name = "swap-too-small"
    group = "quick"
    # Half of what is held does not compress: about 110 MiB must be stored,
    # which cannot be known before trying.
    memory = 512
    swap_mib = 81
    codes = (1,)
    guest = """
first_boot() {
    swap_on $SWAP
    hold main 128 64
    hibernate
    memory_state        # what the attempt took must be free again
    use_swap 24
    check_holds
}
"""

    def run(self):
        machine = self.boot()
        self.off()
        code = self.exit_code("s2disk")
        self.need(code in self.codes, "s2disk failed with %d" % code)
        self.need_content()
        self.need_swap_works()
        self.need_signature(disks.SWAP)
        free = [int(value) for value in machine.marks("mem-available-kib")]
        self.need(free[1] > free[0] - 16 * 1024,
                  "memory is free again: %d, %d KiB" % tuple(free))


class FarTooSmall(TooSmall):
    """swap is so small that the pre-flight check sees it"""
    name = "swap-far-too-small"
    group = "slow"
    memory = 320
    swap_mib = 49
    codes = (3,)
    guest = TooSmall.guest.replace("128 64", "120 40")


class NoSwap(Scenario):
    """no swap is active: s2disk says so"""
    name = "no-swap"
    guest = """
first_boot() {
    hold main 16 8
    memhold run check /usr/sbin/s2disk --check
    hibernate
}
"""

    def run(self):
        self.boot()
        self.off()
        self.need(self.exit_code("check") == 3, "--check ended with 3")
        code = self.exit_code("s2disk")
        self.need(code in (1, 3), "s2disk ended with %d" % code)
        self.need_content()


class CheckOnly(Scenario):
    """--check and --dry-run say yes and change nothing"""
    name = "check"
    guest = """
first_boot() {
    swap_on $SWAP
    hold main 16 8
    memhold run check /usr/sbin/s2disk --check
    memhold run json /usr/sbin/s2disk --check --json
    memhold run dry /usr/sbin/s2disk --dry-run
    memhold run usage /usr/sbin/s2disk --no-such-option
    counters
    check_holds
}
"""

    def run(self):
        self.boot()
        self.off()
        for key, code in (("check", 0), ("json", 0), ("dry", 0),
                          ("usage", 2)):
            found = self.exit_code(key)
            self.need(found == code, "%s ended with %d (%d)" %
                      (key, code, found))
        self.need_content()
        self.need_signature(disks.SWAP)


class OnCrypt(Scenario):
    """swap on dm-crypt, memory full: nothing is swapped out as devices stop"""
    name = "swap-on-crypt"
    memory = 320
    cycles = 2
    limit = 500
    config = "resume device = /dev/mapper/hidden\n"
    modules = "dm_crypt xts algif_skcipher"
    wait_for = "/dev/vda"
    guest = """
before_resume() {
    mkdir -p /run/cryptsetup
    export DM_DISABLE_UDEV=1
    cryptsetup open --type plain --cipher aes-xts-plain64 --key-size 256 \\
        --key-file /etc/swap.key /dev/vda hidden || mark fail cryptsetup
    [ "$BOOT" != 1 ] || mkswap /dev/mapper/hidden >/dev/null
}
first_boot() {
    swap_on /dev/mapper/hidden
    hold main 100 80
    for i in $(seq $CYCLES); do
        hold more$i 16 16
        if [ "$i" = "$CYCLES" ]; then
            echo "image size = 0" >>/etc/suspend.conf
        fi
        hibernate
    done
    mark swappiness "$(cat /proc/sys/vm/swappiness)"
}
"""

    def make_disks(self):
        self.swap = self.add_disk(disks.Disk(self.path("swap.img"), self.swap_mib))

    def boot_files(self, number, **options):
        files = super().boot_files(number, cycles=self.cycles, **options)
        files.update(guest.tool_files("cryptsetup"))
        files["/etc/crypttab"] = b"hidden /dev/vda /etc/swap.key plain\n"
        files["/etc/swap.key"] = bytes(range(32))
        return files

    def run(self):
        before = machine = self.boot()
        self.off()
        for _ in range(self.cycles):
            self.need("Making room" in machine.console, "room was made before the snapshot")
            machine = self.boot()
            self.off()
            self.need(machine.mark("resume") is None, "resume did not return")
            self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_content(before)
        self.need(machine.mark("swappiness") == "60", "the kernel swaps out as before")
