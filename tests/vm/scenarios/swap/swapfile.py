# SPDX-License-Identifier: GPL-2.0-or-later
"""Swap files."""

from testbed import disks
from testbed.scenario import Scenario


class SwapFile(Scenario):
    file_system = None
    make = ""               # guest commands that make /mnt/swapfile
    config = ""
    wait_for = "/dev/vda"
    disk_mib = 700

    @property
    def modules(self):
        return self.file_system

    @property
    def guest(self):
        return """
SWAP=/mnt/swapfile
first_boot() {
    mkdir -p /mnt
    marked mount mount -t %s /dev/vda /mnt || return
    %s
    chmod 600 $SWAP
    mkswap $SWAP >/dev/null
    mark extents "$(filefrag $SWAP)"
    mark offset "$(first_extent $SWAP)"
    swap_on $SWAP
    hold main 64 32
    # This boot did not know where it is; the next one does.
    hibernate -r $SWAP -P "way back = warn"
    # The file system was mounted all the time: it must still be sound.
    marked file-after sh -c 'echo x >/mnt/after && sync && rm /mnt/after'
    marked umount sh -c 'swapoff /mnt/swapfile && umount /mnt'
}
later_boot() { :; }
""" % (self.file_system, self.make)

    def make_disks(self):
        self.swap = self.add_disk(disks.Disk(self.path("fs.img"),
                                             self.disk_mib))
        self.swap.make_file_system(self.file_system)

    def run(self):
        before = self.boot()
        self.off()
        self.need(before.mark("s2disk") is None, "s2disk did not return")
        offset = int(before.mark("offset"))
        self.figure(before.mark("extents"))
        area = offset * disks.PAGE
        found = disks.signature_at(self.swap, area)
        self.need(found == disks.OURS, "signature at page %d of the disk: %s"
                  % (offset, found))
        machine = self.boot(cmdline="resume=/dev/vda resume_offset=%d" %
                            offset)
        self.off()
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_content(before)
        found = disks.signature_at(self.swap, area)
        self.need(found == disks.SWAP, "signature afterwards: " + found)
        self.need(machine.mark("file-after") == "0" and
                  machine.mark("umount") == "0",
                  "the file system is in order")


class Ext4(SwapFile):
    """swap file on ext4"""
    name = "swapfile-ext4"
    group = "quick core"
    architectures = ("amd64", "arm64")
    file_system = "ext4"
    make = "fallocate -l 400M $SWAP"


class Ext4Pieces(SwapFile):
    """swap file on ext4 in many pieces"""
    name = "swapfile-pieces"
    file_system = "ext4"
    # Holes of 1 MiB between files of 1 MiB; the swap file fills the holes.
    make = """
    i=0
    while [ $i -lt 600 ]; do
        fallocate -l 1M /mnt/f$i || break
        i=$((i + 1))
    done
    sync
    while [ $i -gt 0 ]; do
        rm -f /mnt/f$i
        i=$((i - 2))
    done
    sync
    fallocate -l 280M $SWAP"""


class Xfs(SwapFile):
    """swap file on xfs"""
    name = "swapfile-xfs"
    group = "slow"
    file_system = "xfs"
    make = "dd if=/dev/zero of=$SWAP bs=1M count=400 2>/dev/null"


class XfsUnwritten(SwapFile):
    """swap file on xfs made by fallocate: its extents are unwritten"""
    name = "swapfile-xfs-falloc"
    group = "slow"
    file_system = "xfs"
    make = "fallocate -l 400M $SWAP"
