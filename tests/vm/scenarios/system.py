# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole Debian systems: systemctl, logind, initramfs generators, the package."""

from testbed.full import FullGuest


class Partition(FullGuest):
    """systemctl hibernate as installed: swap partition, initramfs-tools"""
    name = "debian-partition"

    def run(self):
        super().run()
        story = self.machine.marks("journal")
        self.need(any("resumed" in line for line in story),
                  "the journal tells the story: %s" % story)
        for word, number in (("start", 1), ("stop", 1)):
            self.need(self.machine.mark("sleep-" + word) == str(number),
                      "journal entries with the id of sleep's %s: %s" %
                      (word, self.machine.mark("sleep-" + word)))


class Dracut(FullGuest):
    """the same with dracut, systemd in the initramfs"""
    name = "debian-dracut"
    group = "slow"
    generator = "dracut"
    # What dracut would find out by itself on a machine.
    setup = "true"
    options = FullGuest.options + " resume=UUID=" + FullGuest.swap_uuid
