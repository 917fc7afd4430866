# SPDX-License-Identifier: GPL-2.0-or-later
"""EFI firmware, and a memory map of our own."""

from testbed import disks, firmware, moved
from testbed.scenario import Scenario


class Efi(firmware.Ovmf, Scenario):
    """EFI firmware (OVMF): resumes with nothing to correct"""
    name = "efi"
    group = "quick"
    memory = 512

    # Linux keeps a page of boot services memory, at another place each time.
    same = "hibernated: (no differences|1 difference: 1 harmless)"

    def run(self):
        self.hibernate()
        self.resume()
        self.figure(self.need_message(self.same))


class Efi61(Efi):
    """EFI firmware (OVMF), Linux 6.1"""
    name = "efi-6.1"
    group = "slow"
    kernel = "6.1"


class EfiMaxProcessors(firmware.Ovmf, Scenario):
    """room for more processors: the DSDT changed, refused"""
    name = "efi-maxcpus"
    group = "slow"
    memory = 512
    cpus = "2,maxcpus=4"
    config = Scenario.config + "mismatch action = discard\n"

    def run(self):
        self.hibernate()
        self.cpus = 2
        self.boot()
        self.off()
        self.need_boot_continues()
        self.need_message("fatal: .*DSDT")
        self.need_signature(disks.SWAP)


class EfiMoved(firmware.Ovmf, moved.MovedMap):
    """an EFI runtime region moved: refused"""
    name = "efi-moved"
    memory = 512
    kernel = "6.12"
    # The flash: reading variables does not need it, so that the kernel boots.
    guest = moved.MovedMap.guest + """
map_more() {
    [ "$EFI" = moved ] || return
    cp -r /sys/firmware/efi/runtime-map /tmp/efi
    for entry in /tmp/efi/*; do
        [ "$(cat "$entry/type")" = 0xb ] || continue
        mark efi-moved "$(cat "$entry/phys_addr")"
        printf '0x%x\\n' $(($(cat "$entry/phys_addr") - 0x800000)) \\
            >"$entry/phys_addr"
    done
    mount --bind /tmp/efi /sys/firmware/efi/runtime-map
}
"""

    def run(self):
        before = self.hibernate(map="0x10000000+0x1000", efi="same")
        self.boot(map="0x10000000+0x1000", efi="moved")
        self.reboots()
        self.need(self.machine.mark("efi-moved"), "a region was moved")
        self.need_message("fatal: The EFI .* at 0xffc00000 is gone")
        self.need_kept(1)
        self.machine = before
        self.resume(map="0x10000000+0x1000", efi="same")
        self.need_message(Efi.same)


class SameMap(moved.MovedMap):
    """a memory map made by kexec, the same in both boots"""
    name = "map-same"
    group = "slow"
    memory = 512

    def run(self):
        self.hibernate(map="0x10000000+0x1000")
        self.resume(map="0x10000000+0x1000")
        self.need_message("hibernated: no differences")
