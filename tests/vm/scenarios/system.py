# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole Debian systems: systemctl, logind, initramfs generators, the package."""

import os
import re
import statistics
import subprocess

from testbed import disks
from testbed.full import FullGuest


class Partition(FullGuest):
    """systemctl hibernate as installed: swap partition, initramfs-tools"""
    name = "debian-partition"

    def run(self):
        super().run()
        self.need_swap_recorded()
        story = self.machine.marks("journal")
        self.need(any("resumed" in line for line in story),
                  "the journal tells the story: %s" % story)
        for word, number in (("start", 1), ("stop", 1)):
            self.need(self.machine.mark("sleep-" + word) == str(number),
                      "journal entries with the id of sleep's %s: %s" %
                      (word, self.machine.mark("sleep-" + word)))


class Trixie(Partition):
    """systemctl hibernate with Debian 13: systemd 257, initramfs-tools"""
    name = "debian-13"
    group = "slow"
    suite = "trixie"
    kernel = "6.12"


class SwapFile(FullGuest):
    """s2disk-swapfile create --enable, then systemctl hibernate: ext4"""
    name = "debian-swapfile"
    group = "slow"
    limit = 1200
    making = 700            # the guest makes its initramfs anew, emulated
    setup = "true"
    fstab = ("/dev/vda / ext4 defaults 0 1\n"
             "LABEL=boot /boot ext2 defaults 0 2\n")
    root_mib = 1600
    swap_file = "/swapfile"
    guest = """
digest() { find /etc /boot -type f ! -name 'initrd.img*' -exec md5sum {} + |
    sort | md5sum; }
first_boot() {
    can before
    digest >/var/tmp/digest
    marked create s2disk-swapfile create --size=500M --enable %(file)s
    mark told "$(s2disk-swapfile offset %(file)s)"
    can after
    %(then)s
}
later_boot() { can later; hibernate_and_tell; }
can() { mark "can-$1" "$(busctl --json=short call org.freedesktop.login1 \\
    /org/freedesktop/login1 org.freedesktop.login1.Manager CanHibernate)"; }
hibernate_and_tell() {
    hold main 96 32
    sleep_by hibernate
    s2disk-swapfile check --json | tr -d '\\n' >check.json
    marked disable s2disk-swapfile disable
    mark swaps "$(tail -n +2 /proc/swaps)"
    marked remove s2disk-swapfile remove %(file)s
    digest | cmp -s - /var/tmp/digest && mark files "as before"
    [ -e %(file)s ] && mark file-left yes
}
"""
    then = "hibernate_and_tell"

    def make_disks(self):
        super().make_disks()
        # No other swap.
        self.disks.remove(self.swap)

    def boot_files(self, number, **options):
        files = super().boot_files(number, **options)
        for name, value in (("then", self.then), ("file", self.swap_file)):
            files["/scenario.sh"] = files["/scenario.sh"].replace(
                "%%(%s)s" % name, value)
        return files

    def need_enabled(self, machine, can):
        self.need(machine.mark("create") == "0", "create ended with 0")
        self.need("yes" not in machine.mark("can-before"),
                  "logind could not hibernate: " + machine.mark("can-before"))
        self.need("yes" in can, "logind can hibernate: " + can)

    def place(self, machine):
        """Byte of the root disk where the area is."""
        words = dict(word.split("=", 1) for word in
                     machine.mark("told").split())
        return int(words["resume_offset"]) * disks.PAGE

    def run(self):
        first = self.boot()
        self.off(self.making)
        self.need_enabled(first, first.mark("can-after"))
        self.need_image(first)
        self.boot()
        self.off(self.making)
        self.need_back(first)
        self.need(self.machine.mark("disable") == "0", "disable ended with 0")
        self.need(self.machine.mark("swaps") == "", "no swap is left: " +
                  self.machine.mark("swaps"))
        self.need(self.machine.mark("remove") == "0" and
                  self.machine.mark("file-left") is None, "the file is gone")
        self.need(self.machine.mark("files") == "as before",
                  "every file of /etc and /boot is as before")

    def need_image(self, first):
        found = disks.signature_at(self.root_disk, self.place(first))
        self.need(found == disks.OURS, "signature in the file: " + found)


class SwapFileBtrfs(SwapFile):
    """the same on btrfs, in a subvolume of its own, with a reboot in between"""
    name = "debian-swapfile-btrfs"
    group = "slow"
    limit = 1500
    fstab = ("/dev/vda / btrfs defaults 0 0\n"
             "LABEL=boot /boot ext2 defaults 0 2\n")
    swap_file = "/hiber/swapfile"
    options = FullGuest.options + " rootfstype=btrfs"
    then = ":"

    @classmethod
    def make_root_disk(cls, root, path):
        disk = disks.Disk(path, cls.root_mib)
        subprocess.run(["/usr/sbin/mkfs.btrfs", "-q", "-f", "--rootdir", root,
                        disk.path], check=True, stdout=subprocess.DEVNULL)

    def run(self):
        first = self.boot()
        self.off(self.making)
        second = self.boot()
        self.off(self.making)
        # systemd 252 cannot tell places on btrfs, only compare with the kernel's.
        self.need_enabled(first, second.mark("can-later"))
        self.boot()
        self.off(self.making)
        self.need_back(second)
        self.need(self.machine.mark("disable") == "0", "disable ended with 0")
        self.need(self.machine.mark("swaps") == "", "no swap is left: " +
                  self.machine.mark("swaps"))


class WithoutPackage(FullGuest):
    setup = FullGuest.setup + "\napt-get -qy remove s2disk s2disk-initramfs"


class BootTime(FullGuest):
    """figures: a boot with nothing to resume, with the package and without"""
    name = "debian-boot-time"
    group = "slow"
    limit = 1500
    rounds = 6
    # The kernel panics as soon as the initramfs hands over, and tells when.
    cmdline = "init=/bin/false"
    allow = FullGuest.allow + ("Kernel panic - not syncing: Attempted to kill init",)

    def put_system(self, cls):
        for source, disk in zip(cls.system(self.builder),
                                (self.root_disk, self.boot_disk)):
            os.unlink(disk.path)
            disks.copy(source, disk.path)

    def run(self):
        """In turns, since other things run on this machine; the fastest
        counts. Seconds until the initramfs is done."""
        times = {FullGuest: [], WithoutPackage: []}
        for _ in range(self.rounds):
            for cls, found in times.items():
                self.put_system(cls)
                machine = self.boot()
                self.off()
                done = re.search(r"\[ *([0-9.]+)\] Kernel panic - not syncing: "
                                 "Attempted to kill init", machine.console)
                self.need(done is not None, "the initramfs handed over")
                found.append(float(done.group(1)))
        best = [min(found) for found in times.values()]
        middle = [statistics.median(found) for found in times.values()]
        self.figure("initramfs done after %.2f s, without the package %.2f s "
                    "(fastest of %d; medians %.2f and %.2f; all: %s)" %
                    (*best, self.rounds, *middle, list(times.values())))
