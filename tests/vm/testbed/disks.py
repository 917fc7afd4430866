# SPDX-License-Identifier: GPL-2.0-or-later
"""Disk images on the host: made, read, changed and judged without the guest."""

import os
import struct
import subprocess
import uuid

MIB = 1 << 20
PAGE = 4096
SIGNATURE_AT = 0xff6            # the last ten bytes of the area's first page
SIGNATURE_SIZE = 10
SWAP = "SWAPSPACE2"
OURS = "ULSUSPEND"
KERNELS = "S1SUSPEND"
PARTITION_AT = MIB
DISK_ID = 0x5d15c0de            # makes the PARTUUID 5d15c0de-01
LOG_SIZE = 8 << 30              # room for all that a boot may write


class Disk:
    """A raw, sparse image file; without a size, one that is there already."""

    def __init__(self, path, mib=None):
        self.path = path
        self.name = os.path.basename(path)
        self.faults = {}        # options of QEMU's blkdebug driver
        self.log = None         # file for QEMU's log of writes and flushes
        if mib is not None:
            with open(path, "wb") as stream:
                stream.truncate(mib * MIB)

    def read(self, offset, size):
        with open(self.path, "rb") as stream:
            stream.seek(offset)
            return stream.read(size)

    def write(self, offset, data):
        with open(self.path, "r+b") as stream:
            stream.seek(offset)
            stream.write(data)

    def flip(self, offset, mask=0x10):
        """Flips bits of the byte at offset; returns its old value."""
        old = self.read(offset, 1)[0]
        self.write(offset, bytes([old ^ mask]))
        return old

    def truncate(self, size):
        os.truncate(self.path, size)

    def log_writes(self, path):
        """From the next boot on, what is written is logged there too; None:
        no more."""
        self.log = path
        if path:
            with open(path, "wb") as stream:    # sparse; it never gets longer
                stream.truncate(LOG_SIZE)

    def size(self):
        return os.path.getsize(self.path)

    def make_file_system(self, kind):
        options = {"ext4": ["-q", "-F", "-b", "4096"], "xfs": ["-q", "-f"],
                   "btrfs": ["-q", "-f"], "f2fs": ["-q", "-f"]}[kind]
        env = dict(os.environ, PATH="/usr/sbin:/usr/bin:/sbin:/bin")
        subprocess.run(["mkfs." + kind] + options + [self.path], check=True,
                       env=env, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def fill_ext4(self, directory):
        """An ext4 with a copy of a directory of the host."""
        subprocess.run(["/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-b",
                        "4096", "-d", directory, self.path], check=True,
                       stdout=subprocess.DEVNULL)


class PartitionedDisk(Disk):
    """A disk with one partition, which is all of it."""

    kind = 0x83
    disk_id = DISK_ID + 1

    def __init__(self, path, mib):
        super().__init__(path, mib)
        self._partition(self.size())

    def _partition(self, disk_size):
        sectors = (disk_size - PARTITION_AT) // 512
        entry = struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", self.kind,
                            b"\xfe\xff\xff", PARTITION_AT // 512, sectors)
        self.write(440, struct.pack("<IH", self.disk_id, 0) + entry)
        self.write(510, b"\x55\xaa")

    def make_file_system(self, kind):
        """In the partition: made beside it, since not every mkfs takes an offset."""
        inner = Disk(self.path + ".part", (self.size() - PARTITION_AT) // MIB)
        inner.make_file_system(kind)
        subprocess.run(["dd", "if=" + inner.path, "of=" + self.path, "bs=1M",
                        "seek=1", "conv=notrunc,sparse", "status=none"],
                       check=True)
        os.unlink(inner.path)


class SwapDisk(PartitionedDisk):
    """A disk whose first partition is one swap area; the guest's /dev/vda1."""

    kind = 0x82
    disk_id = DISK_ID

    def __init__(self, path, mib, label="hiber", identity=None, page=PAGE):
        super().__init__(path, mib)
        self.area = PARTITION_AT
        self.page = page        # bytes, of the kernel that uses it
        self.uuid = identity or str(uuid.uuid4())
        self.label = label
        self.partuuid = "%08x-01" % DISK_ID
        self.format_swap()

    def format_swap(self):
        """What mkswap does."""
        page = bytearray(self.page)
        pages = (self.size() - PARTITION_AT) // self.page
        struct.pack_into("<III", page, 1024, 1, pages - 1, 0)
        page[1036:1052] = uuid.UUID(self.uuid).bytes
        page[1052:1068] = self.label.encode().ljust(16, b"\0")
        page[-SIGNATURE_SIZE:] = SWAP.encode()
        self.write(self.area, bytes(page))

    def cut_to(self, mib):
        """Makes disk and partition smaller, as a repartitioning would."""
        self.truncate(mib * MIB)
        self._partition(mib * MIB)

    def signature(self, area=None):
        start = self.area if area is None else area
        data = self.read(start + self.page - SIGNATURE_SIZE, SIGNATURE_SIZE)
        return data.rstrip(b"\0").decode("latin-1")


def same(one, other):
    """Has each byte of two image files the same value?"""
    return subprocess.run(["cmp", "-s", one, other]).returncode == 0


def copy(source, target):
    """Copies an image file and keeps its holes."""
    subprocess.run(["cp", "--sparse=always", source, target], check=True)


def signature_at(disk, area):
    """The signature of a swap area that begins at a byte of a disk."""
    data = disk.read(area + SIGNATURE_AT, PAGE - SIGNATURE_AT)
    return data.rstrip(b"\0").decode("latin-1")
