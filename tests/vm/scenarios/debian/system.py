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
    group = "slow"

    def run(self):
        super().run()
        self.need_swap_recorded()
        story = self.machine.marks("journal")
        self.need(any("resumed" in line for line in story),
                  "the journal has the entries: %s" % story)
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


class Forky(Partition):
    """systemctl hibernate with forky, the next Debian"""
    name = "debian-forky"
    group = "slow"
    suite = "forky"
    kernel = "6.12"


class WithoutPackage(FullGuest):
    setup = FullGuest.setup + "\napt-get -qy remove s2disk s2disk-initramfs"


class BootTime(FullGuest):
    """figures: a boot with nothing to resume, with the package and without"""
    name = "debian-boot-time"
    group = "slow"
    limit = 1500
    rounds = 6
    # The kernel panics as soon as the initramfs hands over, and prints when.
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
