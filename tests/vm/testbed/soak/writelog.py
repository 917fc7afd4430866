# SPDX-License-Identifier: GPL-2.0-or-later
"""What a power cut leaves on a disk with a cache: QEMU's log of writes
(dm-log-writes' format) applied to a copy of the disk as it was."""

import struct

MAGIC = 0x6a736677736872
FLUSH, FUA, DISCARD = 1, 2, 4


def entries(path):
    """(kind, offset, data) of each: "write" or "flush", in order."""
    with open(path, "rb") as stream:
        magic, version, count, sector = struct.unpack("<QQQI",
                                                      stream.read(28))
        if magic == 0:
            return          # nothing was written yet
        if magic != MAGIC or version != 1:
            raise ValueError("%s is no log of writes" % path)
        stream.seek(sector)
        for _ in range(count):
            head = stream.read(sector)
            where, sectors, flags = struct.unpack_from("<QQQ", head)
            if flags & FLUSH:
                yield "flush", 0, b""
            if flags & DISCARD or not sectors:
                continue
            yield "write", where * sector, stream.read(sectors * sector)
            if flags & FUA:
                yield "flush", 0, b""


def apply(log, image, dice):
    """Writes to an image what the log has: all up to the last flush, and of
    what came later a choice by `dice` (random.Random), sectors torn. Returns
    how many writes were lost or torn, and how many were not flushed."""
    found = list(entries(log))
    flushes = [index for index, entry in enumerate(found)
               if entry[0] == "flush"]
    safe = flushes[-1] if flushes else -1
    late = [entry for entry in found[safe + 1:] if entry[0] == "write"]
    lost = 0
    keep = dice.choice((0.0, 0.5, 0.9, 1.0))
    with open(image, "r+b") as stream:
        for kind, offset, data in found[:safe + 1]:
            if kind == "write":
                stream.seek(offset)
                stream.write(data)
        for _, offset, data in late:
            if dice.random() < keep:
                stream.seek(offset)
                stream.write(data)
                continue
            lost += 1
            if dice.random() < 0.5:
                continue
            for at in range(0, len(data), 512):
                if dice.random() < 0.5:
                    stream.seek(offset + at)
                    stream.write(data[at:at + 512])
    return lost, len(late)
