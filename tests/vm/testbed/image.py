# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds its way in an image on a disk, to break it at a chosen place.

Written from doc/image-format.md, not from the programs' code: when the two
disagree, a scenario fails.
"""

import collections
import hashlib
import struct
import zlib

PAGE = 4096
RECORD_AT = PAGE - 512
# offset: of the device, in bytes
Extent = collections.namedtuple("Extent", "offset pages")
Map = collections.namedtuple("Map", "first chunks pages digest")


class NoImage(Exception):
    pass


def _leb128(data):
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0


class Record:
    """The signature record of an image in a swap area, whatever became of the
    rest. Device offsets are from the device's start, so `base` is where the
    guest's device (the partition) starts on the disk."""

    def __init__(self, disk, base=None, area=None):
        self.disk = disk
        self.base = disk.area if base is None else base
        self.record_at = (self.base if area is None else area) + RECORD_AT
        self.record = disk.read(self.record_at, 512)
        if self.record[:8] != b"s2diskSG":
            raise NoImage("no signature record")
        if struct.unpack_from("<I", self.record, 488)[0] != self._crc():
            raise NoImage("the record's checksum is wrong")

    def _crc(self):
        return zlib.crc32(self.record[:488] + self.record[492:])

    def attempts(self):
        return struct.unpack_from("<I", self.record, 44)[0]

    def refusals(self):
        """For the memory map, and for other reasons."""
        return (struct.unpack_from("<I", self.record, 88)[0] +
                struct.unpack_from("<I", self.record, 100)[0])

    def vetoes(self):
        return struct.unpack_from("<I", self.record, 92)[0]

    def damages(self):
        return struct.unpack_from("<I", self.record, 96)[0]


class Image(Record):
    """The whole image in a swap area."""

    def __init__(self, disk, base=None, area=None):
        super().__init__(disk, base, area)
        self.header_at = self.base + struct.unpack_from("<Q", self.record,
                                                        32)[0]
        self.header = disk.read(self.header_at, PAGE)
        if hashlib.sha256(self.header).digest() != self.record[56:88]:
            raise NoImage("the header's digest is wrong")
        (self.block_size, _, self.stream_size, self.blocks, self.image_pages,
         self.metadata_pages, hand_over, self.write_time,
         self.sections_size) = struct.unpack_from("<IIQQQQQQQ", self.header,
                                                  56)
        self.hand_over_at = self.base + hand_over

    def _map(self, offset):
        return Map(*struct.unpack_from("<QQQ32s", self.header, offset))

    def body_map(self):
        return self._map(152)

    def sections_map(self):
        return self._map(208)

    def _extents(self, stream):
        found = []
        digest = hashlib.sha256()
        at = stream.first
        for _ in range(stream.chunks):
            chunk = self.disk.read(self.base + at, PAGE)
            digest.update(chunk)
            if chunk[:8] != b"s2diskEX":
                raise NoImage("no extent chunk at %d" % at)
            count, = struct.unpack_from("<I", chunk, 8)
            at, = struct.unpack_from("<Q", chunk, 16)
            for index in range(count):
                found.append(Extent(*struct.unpack_from("<QQ", chunk,
                                                        64 + 16 * index)))
        if digest.digest() != stream.digest:
            raise NoImage("the digest of the extent chunks is wrong")
        if sum(extent.pages for extent in found) != stream.pages:
            raise NoImage("the extents do not add up")
        return found

    def extents(self):
        """The extents of the body."""
        return self._extents(self.body_map())

    @staticmethod
    def _place(extents, page):
        for extent in extents:
            if page < extent.pages:
                return extent.offset + page * PAGE
            page -= extent.pages
        raise IndexError("no such page")

    def body_page_at(self, page):
        """Where on the disk a page of the body lies."""
        return self.base + self._place(self.extents(), page)

    def sections_page_at(self, page):
        return self.base + self._place(self._extents(self.sections_map()),
                                       page)

    def first_chunk_at(self):
        return self.base + self.body_map().first

    def section(self, wanted):
        """The content of a section."""
        data = b"".join(self.disk.read(self.base + extent.offset,
                                       extent.pages * PAGE)
                        for extent in self._extents(self.sections_map()))
        data = data[:self.sections_size]
        if hashlib.sha256(data).digest() != self.header[120:152]:
            raise NoImage("the digest of the sections is wrong")
        at = 0
        while at < len(data):
            kind, _, length = struct.unpack_from("<IIQ", data, at)
            if kind == wanted:
                return data[at + 16:at + 16 + length]
            at += 16 + (length + 7) // 8 * 8
        raise NoImage("no section %d" % wanted)

    def page_ranges(self):
        """Which page frames the image holds: (first, count), ascending."""
        data = self.section(2)
        pages, count, _, flags = struct.unpack_from("<QQQI", data)
        numbers = _leb128(data[32:])
        if flags & 1:
            raise NoImage("the ranges are coarse")
        found = []
        end = 0
        for _ in range(count):
            first = end + next(numbers)
            length = next(numbers) + 1
            found.append((first, length))
            end = first + length
        if sum(length for _, length in found) != pages:
            raise NoImage("the ranges do not add up")
        return found

    def change_record(self, offset, data):
        """Changes a field of the record and makes its checksum right."""
        record = bytearray(self.record)
        record[offset:offset + len(data)] = data
        self.record = bytes(record)
        struct.pack_into("<I", record, 488, self._crc())
        self.record = bytes(record)
        self.disk.write(self.record_at, self.record)

    def change_header(self, offset, data):
        """Changes a field of the header and makes all digests right."""
        header = bytearray(self.header)
        header[offset:offset + len(data)] = data
        self.header = bytes(header)
        self.disk.write(self.header_at, self.header)
        self.change_record(56, hashlib.sha256(self.header).digest())
