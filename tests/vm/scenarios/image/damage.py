# SPDX-License-Identifier: GPL-2.0-or-later
"""Images that are broken, forged or not where they should be."""

import os
import re
import struct

from testbed import disks, image
from testbed.scenario import Scenario


class Damaged(Scenario):
    """Base: an image is broken; it is refused, and where two boots say so, the
    boot continues."""
    memory = 320
    guest = "first_boot() { swap_on $SWAP; hold main 48 24; hibernate; }"
    message = None          # what the console must name
    again = True            # one boot more: there is a record to count in

    def damage(self):
        raise NotImplementedError

    def run(self):
        self.hibernate()
        self.damage()
        if self.again:
            machine = self.boot()
            self.reboots()
            self.need_place_named(machine)
            self.need_message("if the next boot finds it damaged")
            self.need_kept(0)
            self.need(image.Record(self.swap).damages() == 1, "counted")
        machine = self.boot()
        self.off()
        self.need_boot_continues()
        self.need_signature(disks.SWAP)
        self.need_place_named(machine)

    def need_place_named(self, machine):
        lines = [line for line in machine.console.split("\n")
                 if re.search("resume: .*(%s)" % self.message, line, re.I)]
        self.need(lines, "the console names the place: %s" % self.message)
        self.trace("message: " + lines[0].strip())


class FlipRecord(Damaged):
    """a byte flipped in the signature page's record"""
    name = "flip-record"
    again = False
    message = "signature|record"

    def damage(self):
        self.swap.flip(image.Image(self.swap).record_at + 20)


class FlipHeader(Damaged):
    """a byte flipped in the header"""
    name = "flip-header"
    group = "slow"
    message = "header"

    def damage(self):
        self.swap.flip(image.Image(self.swap).header_at + 72)


class FlipExtents(Damaged):
    """a byte flipped in the extents"""
    name = "flip-extents"
    group = "slow"
    message = "extent"

    def damage(self):
        self.swap.flip(image.Image(self.swap).first_chunk_at() + 64 + 2)


class FlipSections(Damaged):
    """a byte flipped in the sections"""
    name = "flip-sections"
    group = "slow"
    message = "section|table|range"

    def damage(self):
        self.swap.flip(image.Image(self.swap).sections_page_at(0) + 100)


class FlipBlock(Damaged):
    """a byte flipped in a block"""
    name = "flip-block"
    message = r"block \d+"
    group = "quick"

    def damage(self):
        found = image.Image(self.swap)
        middle = found.body_map().pages // 2
        self.swap.flip(found.body_page_at(middle) + 5)


class FlipLastBlock(Damaged):
    """a byte flipped in the last block"""
    name = "flip-last-block"
    group = "slow"
    message = r"block \d+"

    def damage(self):
        found = image.Image(self.swap)
        self.swap.flip(found.body_page_at(found.body_map().pages - 1))


class Kept(Damaged):
    """Base: another boot may be able to take it (the device ends before what is
    said to be on it, a newer writer): it is kept, and the machine is off."""
    limit = 500

    def run(self):
        self.hibernate()
        self.damage()
        for number in (1, 2):
            machine = self.boot()
            self.reboots()
            self.need_place_named(machine)
            self.need_kept(number)
        machine = self.boot()
        # It asks first, and waits a minute for an answer.
        self.off(timeout=250)
        self.need(not machine.rebooted, "the machine is off")
        self.need(machine.mark("resume") is None, "the boot did not continue")
        self.need_message("kept and the machine powers off")
        self.need_kept(2)


class ForgedHeaderPlace(Kept):
    """a record that points beyond the device, its checksum right"""
    name = "forged-record"
    group = "slow"
    message = "device has only"

    def damage(self):
        image.Image(self.swap).change_record(32, struct.pack("<Q", 1 << 50))


class ForgedBlockSize(Damaged):
    """a header with a block size of 0, all digests right"""
    name = "forged-block-size"
    group = "slow"
    message = "block size|header"

    def damage(self):
        image.Image(self.swap).change_header(56, struct.pack("<I", 0))


class ForgedSizes(Kept):
    """a header of an endless image, all digests right"""
    name = "forged-sizes"
    group = "slow"
    message = "size|header|blocks|stream"

    def damage(self):
        image.Image(self.swap).change_header(64, struct.pack(
            "<QQ", 1 << 60, (1 << 60) >> 18))


class UnknownFeature(Kept):
    """a feature that no reader knows: kept, and in the end the machine is off"""
    name = "unknown-feature"
    group = "slow"
    message = "feature"

    def damage(self):
        image.Image(self.swap).change_header(24, struct.pack("<Q", 1 << 40))


class Truncated(Kept):
    """the device is smaller than when the image was written: kept"""
    name = "truncated-device"
    group = "slow"
    message = "only .* now"

    def damage(self):
        self.swap.cut_to(24)


class OldUswsusp(Damaged):
    """an image of the old uswsusp is discarded with a clear line"""
    name = "uswsusp-image"
    message = "uswsusp|another|foreign|other program|record|magic"

    def run(self):
        # As uswsusp left it: place of the image, old and new signature.
        self.swap.write(self.swap.area + image.PAGE - 28,
                        struct.pack("<Q10s10s", 8192, b"SWAPSPACE2",
                                    b"ULSUSPEND\0"))
        machine = self.boot()
        self.off()
        self.need_boot_continues()
        self.need_place_named(machine)

    guest = "first_boot() { swap_is_fine $SWAP; }"


class KernelsOwn(Damaged):
    """encrypt = y, an image of the kernel's kind in the way: refused, kept"""
    name = "kernel-image-forged"
    message = "kernel's own, which is not encrypted"
    guest = "first_boot() { swap_is_fine $SWAP; }"

    def run(self):
        self.swap.write(self.swap.area + image.PAGE - 20,
                        b"SWAPSPACE2S1SUSPEND\0")
        self.config += "encrypt = y\n"
        machine = self.boot()
        # It asks first, and waits a minute for an answer.
        self.off(timeout=250)
        self.need(machine.mark("resume") is None, "the boot did not continue")
        self.need_message("kept and the machine powers off")
        self.need_signature(disks.KERNELS)
        self.need_place_named(machine)
        self.config += "mismatch action = discard\n"
        machine = self.boot()
        self.off()
        self.need_boot_continues()
        self.need_signature(disks.SWAP)
        self.need_place_named(machine)


class CopiedSignature(Damaged):
    """the signature page of an image on another disk"""
    name = "copied-signature"
    group = "slow"
    message = "header"

    def damage(self):
        page = self.swap.read(self.swap.area, image.PAGE)
        fresh = disks.SwapDisk(self.path("other.img"), self.swap_mib)
        fresh.write(fresh.area, page)
        self.disks[0] = self.swap = fresh


class ForeignDevices(Scenario):
    """devices that are no swap area: one clear line each, the boot continues"""
    name = "foreign-devices"
    config = ""
    guest = """
try() {
    key=$1
    shift
    mark "$key.begin"
    memhold run "$key" /usr/lib/uswsusp/resume "$@"
}
first_boot() {
    try empty /dev/vdb
    try garbage /dev/vdc
    try file-system /dev/vdd
    try whole-disk /dev/vda
    try missing /dev/vdz
    try no-uuid UUID=01234567-89ab-cdef-0123-456789abcdef
    try not-block /dev/zero
    try offset -o 100000000 /dev/vda1
    try bad-offset -o nonsense /dev/vda1
    swap_is_fine $SWAP
}
"""
    # 1: it cannot be read; 2: wrong usage
    codes = {"empty": 0, "garbage": 0, "file-system": 0, "whole-disk": 0,
             "missing": 1, "no-uuid": 1, "not-block": 1, "offset": 1,
             "bad-offset": 2}

    def make_disks(self):
        super().make_disks()
        self.add_disk(disks.Disk(self.path("empty.img"), 16))
        garbage = self.add_disk(disks.Disk(self.path("garbage.img"), 16))
        garbage.write(0, os.urandom(1 << 20))
        self.add_disk(disks.Disk(self.path("fs.img"), 64)
                      ).make_file_system("ext4")

    def run(self):
        machine = self.boot()
        self.off()
        for key, code in self.codes.items():
            ended = self.run_mark(key)
            self.need(ended["exit"] == code and not ended["signal"],
                      "%s: ended with %d (%d)" % (key, code, ended["exit"]))
            self.need(ended["ms"] < 5000, "%s: in %d ms" %
                      (key, ended["ms"]))
            output = machine.console.split("@@ %s.begin" % key)[1].split(
                "@@ " + key)[0].strip().split("\n")
            self.trace("%s: %s" % (key, " | ".join(
                line.strip() for line in output[:-1])))
        self.need_swap_works()
