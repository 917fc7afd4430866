# SPDX-License-Identifier: GPL-2.0-or-later
"""Swap areas besides the one with the image, with pages of the session."""

import time
import uuid

from testbed import disks
from testbed.scenario import Scenario


class OtherDisk(disks.SwapDisk):
    """A second disk with a swap partition."""

    disk_id = disks.DISK_ID + 2

    def format_again(self):
        """mkswap without -U."""
        self.uuid = str(uuid.uuid4())
        self.format_swap()


class OtherArea(Scenario):
    """a second swap area is in use: as it was it resumes, with what was swapped
    out there; formatted again in between, the image is discarded at once"""
    name = "swap-other"
    group = "slow"
    memory = 512
    other = "/dev/vdb1"
    # Nothing has to be swapped out for the snapshot, or it would go to that area, too.
    config = Scenario.config + "image size = 400M\n"
    guest = """
first_boot() {
    marked other-on busybox swapon $OTHER || return
    hold other 64 0 swapped
    memhold ask other pageout >/dev/null
    swap_on $SWAP
    hold main 48 16
    mark other-used "$(awk '$1 == "'$OTHER'" { print $4 }' /proc/swaps)"
    hibernate
}
"""

    def make_disks(self):
        super().make_disks()
        self.second = self.add_disk(
            OtherDisk(self.path("second.img"), 200, label="second"))

    def boot(self, **options):
        return super().boot(other=self.other, **options)

    def hibernate_with_other(self):
        before = self.hibernate()
        used = int(before.mark("other-used"))
        self.need(used > 48 * 1024, "the second area was used: %d KiB" % used)
        return before

    def run(self):
        self.hibernate_with_other()
        self.save_disk()
        self.second.keep = self.path("second.kept")
        disks.copy(self.second.path, self.second.keep)
        self.resume()
        self.need(not self.find_message("swap area"), "nothing is logged of it")

        self.restore_disk()
        disks.copy(self.second.keep, self.second.path)
        self.second.format_again()
        self.boot()
        self.off()
        self.need_message("fatal: The swap area /dev/vdb1, with .* was formatted since")
        self.need_message("image discarded")
        self.need_boot_continues()
        self.need_signature(disks.SWAP)


class OtherGone(OtherArea):
    """the disk with the second area is gone: the image is refused and kept, until the
    machine powers off; it comes back, and the session with it"""
    name = "swap-other-gone"
    group = "slow"
    guest = OtherArea.guest + """
before_resume() {
    [ -z "$HIDE" ] && return
    basename "$(readlink /sys/block/vdb/device)" >/sys/bus/virtio/drivers/virtio_blk/unbind
    [ -e /sys/block/vdb ] || mark hidden
}
"""

    def without(self):
        machine = self.boot(hide=1)
        machine.wait_mark("hidden")
        return machine

    def run(self):
        before = self.hibernate_with_other()
        for number in (1, 2):
            self.without()
            self.reboots()
            self.need_message("fatal: The swap area /dev/vdb1, with .* is missing")
            self.need_kept(number)
        machine = self.without()
        machine.wait_for(r"session cannot be resumed.*o: .*\] ")
        time.sleep(0.5)
        machine.type("o")
        self.off()
        self.need_message("kept and the machine powers off")
        self.need_kept(2)
        self.boot()
        self.off()
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_content(before)


class OtherLate(OtherArea):
    """a second area whose driver the initramfs does not have was formatted again: the
    restored system cuts it off, so no program reads foreign data; the rest
    of the session lives"""
    name = "swap-other-late"
    group = "slow"
    other = "/dev/sda1"
    modules = "virtio_scsi sd_mod"
    allow = ("I/O error", "attempt to access beyond end of device",
             "Read-error on swap-device")
    guest = OtherArea.guest.replace("    hibernate\n", """
    holds=" main"       # the other one is to die
    hibernate
    memhold ask other check >/tmp/answer 2>&1
    mark other-answer "$(head -c 200 /tmp/answer)"
    mark last "$(s2disk --last | grep -A1 'SHUT DOWN' | tail -1)"
""")

    def make_disks(self):
        Scenario.make_disks(self)
        self.second = OtherDisk(self.path("second.img"), 200, label="second")
        self.extra = (
            "-blockdev", "driver=file,filename=%s,node-name=scsi" % self.second.path,
            "-device", "virtio-scsi-pci,id=bus", "-device",
            "scsi-hd,bus=bus.0,drive=scsi,serial=testbed-scsi")

    def run(self):
        before = self.hibernate_with_other()
        self.second.format_again()
        self.boot(modules="")
        self.off()
        self.need_content(before)
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_message("ANOTHER SYSTEM CHANGED the swap area /dev/sda1 .* It was cut off")
        answer = self.machine.mark("other-answer") or ""
        self.need("hold-memory ok" not in answer, "no memory was there: " + answer)
        self.need("cut off" in (self.machine.mark("last") or ""),
                  "s2disk --last says so")
        self.need_signature(disks.SWAP)


class OtherUnused(OtherArea):
    """a second area has nothing in use: it is inactive while the session sleeps, so
    another system may format it, and active again after, with its priority"""
    name = "swap-other-unused"
    group = "slow"
    memory = 448
    guest = """
first_boot() {
    swap_on $SWAP
    marked other-on busybox swapon $OTHER || return
    hold main 48 16
    other before
    hibernate
    other after
    marked swapoff swapoff $SWAP
    hold more 16 0 swapped
    other again
    check_holds
}
other() { mark "other-$1" "$(awk '$1 == "'$OTHER'" { print $4, $5 }' /proc/swaps)"; }
"""

    def run(self):
        before = self.hibernate()
        self.need(before.mark("other-before") == "0 -3", "it is on")
        self.second.format_again()
        self.resume()
        self.need(not self.find_message("swap area"), "nothing is logged of it")
        self.need(self.machine.mark("other-after") == "0 -3",
                  "it is on again, in its place")
        used = int((self.machine.mark("other-again") or "0").split()[0])
        self.need(used > 12 * 1024, "it is used again: %d KiB" % used)
