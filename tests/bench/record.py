# SPDX-License-Identifier: GPL-2.0-or-later
"""Records the output of a real kernel's /dev/snapshot: a guest is filled with
this machine's libraries, programs, documents and headers and with made-up
data of a browser, hibernates, and its image is unpacked again."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "vm"))

from testbed import disks, runner       # noqa: E402
from testbed.scenario import Scenario   # noqa: E402

MIB = 1 << 20
PAGE = 4096

# What the guest reads: (directory of the host, MiB, goes to tmpfs). What goes
# there is anonymous memory to the kernel; the rest fills the page cache.
CONTENT = (
    ("/usr/lib/x86_64-linux-gnu", 260, False),
    ("/usr/bin", 120, True),
    ("/usr/share/doc", 40, False),
    ("/usr/share", 160, False),
    ("/usr/include", 50, True),
    ("/usr/lib/python3", 60, True),
)
BROWSER_MIB = 120


def copy_some(source, target, mib):
    """Files of a directory, in the order of their names, up to this many MiB."""
    left = mib * MIB
    for directory, directories, names in os.walk(source):
        directories.sort()
        for name in sorted(names):
            path = os.path.join(directory, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            size = os.path.getsize(path)
            if size > left or not os.access(path, os.R_OK):
                continue
            place = os.path.join(target, os.path.relpath(path, source))
            os.makedirs(os.path.dirname(place), exist_ok=True)
            shutil.copyfile(path, place)
            left -= size
            if left < 64 << 10:
                return


def make_browser(target, mib):
    """Like a browser's profile and caches: a database of visits, scripts,
    compressed pictures and answers, a heap full of pointers."""
    rng = random.Random(2026)
    words = ["w%x" % rng.getrandbits(24) for _ in range(4000)]
    os.makedirs(target)
    base = sqlite3.connect(os.path.join(target, "places.sqlite"))
    base.execute("create table visits(id integer primary key, url text, "
                 "title text, at integer)")
    base.executemany(
        "insert into visits(url, title, at) values(?, ?, ?)",
        (("https://%s.example/%s/%s?id=%d" % (
            rng.choice(words), rng.choice(words), rng.choice(words), i),
          " ".join(rng.choices(words, k=8)), 1700000000 + 37 * i)
         for i in range(mib * 1200)))
    base.commit()
    base.close()
    for number in range(mib // 4):
        script = "\n".join(
            "function %s(%s, %s) { return %s.%s(%d); }" % tuple(
                rng.choices(words, k=5) + [rng.getrandbits(20)])
            for _ in range(8000))
        with open(os.path.join(target, "s%d.js" % number), "w") as stream:
            stream.write(script)
        # Data that came compressed over the network stays so in the cache.
        with open(os.path.join(target, "c%d" % number), "wb") as stream:
            stream.write(zlib.compress(script.encode(), 6))
            stream.write(rng.randbytes(MIB))
        heap = b"".join(
            (0x7f0000000000 + 16 * rng.getrandbits(24)).to_bytes(8, "little")
            + rng.getrandbits(16).to_bytes(8, "little")
            for _ in range(64 << 10))
        with open(os.path.join(target, "heap%d" % number), "wb") as stream:
            stream.write(heap)


class WholeDisk(disks.SwapDisk):
    """A swap area that is a whole disk, so offsets in an image are those in
    the file."""

    def _partition(self, disk_size):
        self.area = 0


class Record(Scenario):
    """a stream of a real kernel's snapshot"""
    name = "record"
    memory = 2560
    swap_mib = 2048
    limit = 600
    modules = "ext4"
    wait_for = "/dev/vda"
    config = "resume device = /dev/vda\nimage size = 1300000000\n"
    guest = """
SWAP=/dev/vda
first_boot() {
    swap_on $SWAP
    mount -t ext4 -o ro /dev/vdb /mnt || mark fail "no data"
    cp -r /mnt/memory /tmp/memory
    find /mnt/cache -type f -exec cat {} + >/dev/null
    hold main 24 8
    mark filled "$(grep -E '^(Cached|Shmem|AnonPages)' /proc/meminfo |
        tr -s ' \\n' ' ')"
    hibernate
}
"""
    target = None       # the file that the stream goes to

    def make_disks(self):
        self.swap = self.add_disk(WholeDisk(self.path("swap.img"),
                                            self.swap_mib))
        directory = self.path("data")
        for number, (source, mib, memory) in enumerate(CONTENT):
            place = os.path.join(directory, "memory" if memory else "cache",
                                 str(number))
            os.makedirs(place)
            copy_some(source, place, mib)
        make_browser(os.path.join(directory, "memory", "browser"), BROWSER_MIB)
        data = self.add_disk(disks.Disk(self.path("data.img"), 1200))
        data.fill_ext4(directory)
        shutil.rmtree(directory)

    def run(self):
        machine = self.hibernate()
        self.figure("the guest had " + (machine.mark("filled") or "?"))
        inspect = os.path.join(self.builder.build_dir, "tools", "inspect",
                               "s2disk-inspect")
        done = subprocess.run([inspect, "--export=" + self.target + ".part",
                               self.swap.path], capture_output=True, text=True)
        self.need(done.returncode == 0,
                  "the image was unpacked " + done.stderr.strip())
        os.rename(self.target + ".part", self.target)
        self.figure("recorded %d MiB" %
                    (os.path.getsize(self.target) // MIB))


def record(build, logs, target, kernel="6.12"):
    """Makes the file `target`; True when it did."""
    Record.target = target
    bench = runner.Runner(build, logs, kernel, False)
    try:
        bench.prepare([Record])
        bench.run([Record], 1)
    finally:
        bench.close()
    return bench.failed == 0


if __name__ == "__main__":
    sys.exit(0 if record(os.path.abspath(sys.argv[1]),
                         os.path.abspath(sys.argv[2]),
                         os.path.abspath(sys.argv[3])) else 1)
