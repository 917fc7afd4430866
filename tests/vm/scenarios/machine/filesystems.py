# SPDX-License-Identifier: GPL-2.0-or-later
"""File systems that are mounted while the session sleeps."""

from testbed import disks, guest
from testbed.scenario import Scenario


class Changed(Scenario):
    """ext4 in use while hibernating: as it was it resumes; mounted in between,
    the image is discarded at once, and no file is harmed"""
    name = "fs-changed-ext4"
    memory = 320
    file_system = "ext4"
    guest = """
first_boot() {
    mkdir -p /mnt
    marked mount mount -t $MODULES /dev/vdb /mnt || return
    swap_on $SWAP
    hold main 32 16
    # Written to until all is frozen.
    while :; do date >>/mnt/log; dd if=/dev/urandom of=/mnt/noise bs=64k count=8; done \\
        2>/dev/null &
    writer=$!
    usleep 500000
    hibernate
    kill $writer
    marked umount sh -c 'sync && umount /mnt'
}
later_boot() {
    mkdir -p /mnt
    swap_is_fine $SWAP
    marked mount mount -t $MODULES /dev/vdb /mnt || return
    if [ -n "$OTHER" ]; then
        echo other >/mnt/other
    else
        mark other "$(cat /mnt/other)"
        mark lines "$(wc -l </mnt/log)"
    fi
    marked umount umount /mnt
}
"""

    @property
    def modules(self):
        return self.file_system

    def make_disks(self):
        super().make_disks()
        self.data = self.add_disk(disks.Disk(self.path("data.img"), 320))
        self.data.make_file_system(self.file_system)

    def run(self):
        self.hibernate()
        self.save_disk()
        disks.copy(self.data.path, self.path("data.kept"))
        self.resume()
        self.need(self.machine.mark("umount") == "0",
                  "the file system is in order")
        self.need(not self.find_message("file system"), "nothing is logged of it")

        self.restore_disk()
        disks.copy(self.path("data.kept"), self.data.path)
        self.boot(run_resume=False, other=1)
        self.off()
        self.need_signature(disks.OURS)

        self.boot()
        self.off()
        self.need_message(r"/dev/vdb \(/mnt\) was mounted or checked since")
        self.need_message("image discarded")
        self.need_boot_continues()
        self.need_signature(disks.SWAP)
        self.need(self.machine.mark("other") == "other" and
                  int(self.machine.mark("lines")) > 0,
                  "what both systems wrote is there")


class OnLoop(Changed):
    """a file system in a file on another: no device to be read while all is
    stopped, since the kernel's loop threads are stopped too"""
    # ext4's own thread after a mount (ext4lazyinit) is kept away: the kernel
    # stops those of loop devices first, and if that thread is just waiting for
    # them, gives up after 20 seconds. No hibernation could help that.
    name = "fs-on-loop"
    group = "slow"
    guest = """
first_boot() {
    mkdir -p /mnt /tmp/inner
    marked mount mount -t ext4 /dev/vdb /mnt || return
    truncate -s 20M /mnt/image
    mke2fs -F /mnt/image >/dev/null 2>&1
    losetup /dev/loop0 /mnt/image
    marked inner mount -t ext4 -o noinit_itable,no_prefetch_block_bitmaps \\
        /dev/loop0 /tmp/inner
    swap_on $SWAP
    hold main 32 16
    hibernate
    marked umount sh -c 'umount /tmp/inner && losetup -d /dev/loop0 && umount /mnt'
}
"""

    @property
    def modules(self):
        return "ext4 loop"

    def run(self):
        before = self.hibernate()
        self.need(before.mark("inner") == "0", "it was mounted")
        self.resume()
        self.need(self.machine.mark("umount") == "0",
                  "the file systems are in order")


class ChangedXfs(Changed):
    """the same with xfs"""
    name = "fs-changed-xfs"
    group = "slow"
    file_system = "xfs"


class ChangedBtrfs(Changed):
    """the same with btrfs"""
    name = "fs-changed-btrfs"
    group = "slow"
    file_system = "btrfs"


class ChangedF2fs(Changed):
    """the same with f2fs"""
    name = "fs-changed-f2fs"
    group = "slow"
    file_system = "f2fs"


class AppearsLate(Scenario):
    """a disk that is not there yet when resume looks, and that another system has
    used meanwhile: the restored system finds it out before it writes, shuts the file
    system down, and changes no byte of the disk; the rest of the session lives"""
    name = "fs-appears-late"
    memory = 320
    file_system = "ext4"
    device = "/dev/vdb1"
    kernel_name = None      # as it is printed, where that is another
    guest = """
hide() {
    [ -z "$HIDE" ] && return
    basename "$(readlink /sys/block/vdb/device)" >/sys/bus/virtio/drivers/virtio_blk/unbind
    [ -e /sys/block/vdb ] || mark hidden
}
before_resume() { hide; }
open_it() { :; }
first_boot() {
    mkdir -p /mnt
    open_it
    marked mount mount -t $TYPE $DEVICE /mnt || return
    swap_on $SWAP
    hold main 32 16
    # Written to until all is frozen, so that there is something to write after it.
    while :; do date >>/mnt/log; sync /mnt/log
                dd if=/dev/urandom of=/mnt/noise bs=64k count=8; done 2>/dev/null &
    writer=$!
    usleep 500000
    hibernate
    marked write sh -c 'echo mine >/mnt/mine && sync /mnt/mine'
    kill $writer
    # Longer than the kernel leaves anything dirty in memory.
    echo 100 >/proc/sys/vm/dirty_writeback_centisecs
    echo 100 >/proc/sys/vm/dirty_expire_centisecs
    sleep 4
    marked session sh -c 'echo lives >/tmp/session && cat /tmp/session'
    s2disk --last | while read -r line; do mark last "$line"; done
    umount /mnt
    sync
}
later_boot() {
    mkdir -p /mnt
    open_it
    marked mount mount -t $TYPE $DEVICE /mnt || return
    echo other >/mnt/other
    sync
    dd if=/dev/urandom of=/mnt/noise bs=64k count=16 2>/dev/null
    # Not unmounted: its journal is needed by the next mount.
    mark "done"
    poweroff -f
}
"""

    @property
    def modules(self):
        return self.file_system

    def make_disks(self):
        super().make_disks()
        self.data = self.add_disk(disks.PartitionedDisk(
            self.path("data.img"), 320))
        self.data.make_file_system(self.file_system)

    def boot(self, **options):
        return super().boot(device=self.device, type=self.file_system, **options)

    def change_from_another_system(self):
        """Another system boots, writes to it, and is cut off."""
        self.boot(run_resume=False, other=1)
        self.off()
        self.need_signature(disks.OURS)

    def boot_unseen(self):
        """The boot that resumes, in whose initramfs the disk is not to be seen."""
        self.boot(hide=1)
        self.machine.wait_mark("hidden")

    def run(self):
        before = self.hibernate()
        self.change_from_another_system()
        disks.copy(self.data.path, self.path("data.other"))
        self.boot_unseen()
        self.off()
        self.need_content(before)
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_message("ANOTHER SYSTEM CHANGED the file system on " +
                          (self.kernel_name or self.device))
        self.need(self.machine.mark("write") != "0", "no file can be written")
        self.need(self.machine.mark("session") == "0", "the session lives")
        self.need(any("SHUT DOWN" in line
                      for line in self.machine.marks("last")),
                  "s2disk --last says so")
        self.need_signature(disks.SWAP)
        self.need(disks.same(self.data.path, self.path("data.other")),
                  "no byte of the disk was changed")


class ReadOnly(AppearsLate):
    """mounted read-only here, written to by another system: refused and kept; with the
    policy that accepts it the session lives without it, and no byte of it is changed"""
    name = "fs-read-only"
    group = "slow"
    guest = """
first_boot() {
    mkdir -p /mnt
    marked mount mount -t $TYPE -o ro $DEVICE /mnt || return
    swap_on $SWAP
    hold main 32 16
    hibernate
    marked write sh -c 'mount -o remount,rw /mnt && echo mine >/mnt/mine && sync /mnt/mine'
    sleep 2
    umount /mnt
    sync
}
later_boot() {""" + AppearsLate.guest.split("later_boot() {")[1].replace("    open_it\n", "")

    def run(self):
        before = self.hibernate()
        self.change_from_another_system()
        disks.copy(self.data.path, self.path("data.other"))
        self.boot()
        self.reboots()
        self.need_message(r"risky: .* /dev/vdb1 \(/mnt\) was written to since, by another system; "
                          "here it was mounted read-only")
        self.need_kept(1)
        self.config += "platform policy = tolerant\n"
        self.machine = before
        self.resume()
        self.need_message("ANOTHER SYSTEM CHANGED the file system on /dev/vdb1")
        self.need(self.machine.mark("write") != "0", "no file can be written")
        self.need(disks.same(self.data.path, self.path("data.other")),
                  "no byte of the disk was changed")


class UnlockedLate(AppearsLate):
    """the same with LUKS, which is opened only after resume has looked; the
    restored system gets an error target in its place"""
    name = "fs-unlocked-late"
    group = "slow"
    memory = 512
    device = "/dev/mapper/secret"
    kernel_name = "/dev/dm-0"
    tools = ("cryptsetup", "mke2fs")
    guest = AppearsLate.guest + """
open_it() {
    mkdir -p /run/cryptsetup
    export DM_DISABLE_UDEV=1
    printf key >/tmp/key
    if [ "$BOOT" = 1 ]; then
        cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \\
            /dev/vdb /tmp/key
    fi
    cryptsetup open --key-file /tmp/key /dev/vdb secret || mark fail open
    [ "$BOOT" != 1 ] || /usr/bin/mke2fs -q -F -t ext4 -b 4096 /dev/mapper/secret
}
"""

    @property
    def modules(self):
        return "dm_crypt xts algif_skcipher ext4"

    def make_disks(self):
        Scenario.make_disks(self)
        self.data = self.add_disk(disks.Disk(self.path("data.img"), 320))

    def boot_files(self, number, **options):
        files = super().boot_files(number, **options)
        files.update(guest.tool_files(*self.tools))
        return files

    def boot_unseen(self):
        self.boot()


class ScsiLate(AppearsLate):
    """the same on a whole SCSI disk, whose driver the initramfs does not have"""
    name = "fs-scsi-late"
    group = "slow"
    device = "/dev/sda"

    @property
    def modules(self):
        return "virtio_scsi sd_mod ext4"

    def make_disks(self):
        Scenario.make_disks(self)
        self.data = disks.Disk(self.path("data.img"), 320)
        self.data.make_file_system("ext4")
        self.extra = (
            "-blockdev", "driver=file,filename=%s,node-name=scsi" % self.data.path,
            "-device", "virtio-scsi-pci,id=bus", "-device",
            "scsi-hd,bus=bus.0,drive=scsi,serial=testbed-scsi")

    def boot_unseen(self):
        self.boot(modules="ext4")
