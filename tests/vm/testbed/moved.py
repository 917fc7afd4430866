# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios whose firmware memory map is changed at will, by kexec."""

import os
import re
import shutil

from . import disks, guest, image, scenario

PAGE = 4096


class MovedMap(scenario.Scenario):
    """Each boot gets the map that `boot(map="…")` describes: what is painted
    over the firmware's, as words START+SIZE (reserved) or START+SIZE:TYPE."""
    modules = "ext4"
    limit = 400
    stage = """
before_resume() {
    if ! second_stage; then
        [ -n "$MAP" ] || return
        map_copy
        for word in $MAP; do
            piece=${word%%:*}
            type=Reserved
            [ "$piece" = "$word" ] || type=$(echo "${word#*:}" | tr _ ' ')
            map_paint "${piece%+*}" "${piece#*+}" "$type"
        done
        map_more
        map_boot
    fi
    for entry in /sys/firmware/memmap/*; do
        mark map "$(cat "$entry/start" "$entry/end" "$entry/type" |
            tr '\\n' ' ')"
    done
}
"""
    guest = stage + scenario.Scenario.guest

    def boot(self, **options):
        # The second stage boots from a disk what the first was given by QEMU.
        if len(self.disks) == 1:
            self.add_disk(disks.Disk(self.path("stage2.img"), 128))
        directory = self.path("stage2")
        os.makedirs(directory, exist_ok=True)
        shutil.copyfile(self.linux.vmlinuz, os.path.join(directory, "vmlinuz"))
        files = self.boot_files(self.boots + 1, **options)
        self.write_initrd(files, os.path.join(directory, "initrd"), **options)
        self.disks[1].fill_ext4(directory)
        self.changed = bool(options.get("map"))
        return super().boot(**options)

    def off(self, timeout=150):
        super().off(timeout)
        if self.changed:
            self.need(self.machine.mark("kexec") is not None,
                      "the map was changed")

    def ram(self, machine=None):
        """RAM as the guest's kernel saw it: (first, end) page frames."""
        found = []
        for value in (machine or self.machine).marks("map"):
            start, end, kind = re.match(r"(\S+) (\S+) (.*?) *$",
                                        value).groups()
            if kind == "System RAM":
                found.append((-(-int(start, 16) // PAGE),
                              (int(end, 16) + 1) // PAGE))
        self.need(found, "the guest printed its memory map")
        return sorted(found)

    def program_page(self, machine, ram, width=1, avoid=()):
        """The first of `width` frames that the image on the disk holds, and that were a
        program's when the guest called program_pages; far from those to avoid. None:
        all of them were swapped out before the snapshot."""
        frames = Frames(self.swap, ram)
        found = [int(frame) for frame in machine.marks("program-page")
                 if frames.holds(int(frame), width) == width and
                 all(abs(int(frame) - other) > 64 for other in avoid)]
        return found[len(found) // 2] if found else None


class KnownMaps(MovedMap):
    """The same over a life: each boot keeps what maps it met on a disk, and the region
    takes one of a few places. A place is where the image has pages of a program when
    the firmware first takes it."""
    width = 2               # pages of a place
    stage = MovedMap.stage + """
know_maps() {
    mkdir -p /var/lib/s2disk
    mount -t ext4 /dev/vdc /var/lib/s2disk || mark fail "no disk for the history"
}
"""

    def make_disks(self):
        super().make_disks()
        self.add_disk(disks.Disk(self.path("stage2.img"), 128))
        history = self.add_disk(disks.Disk(self.path("history.img"), 16))
        empty = self.path("empty")
        os.makedirs(empty)
        history.fill_ext4(empty)
        # The first map has its region where no image of this size has pages.
        self.taken = {0: 0x10000000 // PAGE}

    def place(self, number, before):
        """Where the region lies in map `number`, and whether it lay there before; `before`
        made the image. As long as that has no page for a new map, the first one's."""
        if number in self.taken:
            return self.taken[number], True
        place = self.program_page(before, self.ram(before), self.width,
                                  self.taken.values())
        if place is None:
            return self.taken[0], True
        self.taken[number] = place
        return place, False


class Frames:
    """Which page frames an image holds: to find a place for a test."""

    def __init__(self, swap, ram):
        self.ranges = image.Image(swap).page_ranges()
        self.ram = ram

    def holds(self, first, count=1):
        """How many of these frames are in the image."""
        return sum(max(0, min(first + count, start + length) -
                       max(first, start))
                   for start, length in self.ranges)

    # Low memory is special, and needed to start a kernel.
    LOWEST = (64 << 20) // PAGE

    # Around a page in the middle of such a gap there is a whole free pageblock.
    WIDE = 2 * 512

    def free(self, count=1, offlined=()):
        """Frames of RAM, none of them in the image, in the middle of a gap; the
        first one's number. The gap is the lowest of those that have a whole
        pageblock around it, since near the top of a zone, or in small pieces, the
        verdict trusts no frame; without one, the largest. Offlined frames are in no
        image, and yet no free memory: the kernel has small pieces around them."""
        gaps = []
        for begin, end in self.ram:
            at = max(begin, self.LOWEST)
            for start, length in sorted(self.ranges + [(frame, 1) for frame in offlined]
                                        + [(end, 0)]):
                if at < end and min(start, end) > at:
                    gaps.append((at, min(start, end) - at))
                at = max(at, start + length)
        wide = [gap for gap in gaps if gap[1] >= count + self.WIDE]
        at, length = (min(wide) if wide else
                      max(gaps, key=lambda gap: gap[1], default=(0, 0)))
        if length < count + 2:
            raise scenario.Failure("no %d free frames in a row" % count)
        return at + (length - count) // 2

    def used(self, count=1):
        """Frames of RAM that are all in the image."""
        for start, length in self.ranges:
            at = max(start, self.LOWEST)
            if start + length - at >= count and any(
                    begin <= at and at + count <= end
                    for begin, end in self.ram):
                return at
        raise scenario.Failure("no %d used frames in a row" % count)


def area(first, count=1, kind=None):
    """Frames as a word of a map."""
    return "0x%x+0x%x%s" % (first * PAGE, count * PAGE,
                            ":" + kind.replace(" ", "_") if kind else "")
