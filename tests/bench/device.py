# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices to measure on: memory as a file, as a loop device, throttled."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import uuid

BLKIO = "/sys/fs/cgroup/blkio/blkio.throttle.write_bps_device"


def on_tmpfs(path):
    done = subprocess.run(["stat", "-f", "-c", "%T", path],
                          capture_output=True, text=True)
    return done.stdout.strip() == "tmpfs"


def memory_directory(stack):
    """A directory on tmpfs that is gone when the stack ends."""
    base = "/dev/shm" if on_tmpfs("/dev/shm") else None
    directory = tempfile.mkdtemp(prefix="s2disk-bench-", dir=base)
    stack.callback(shutil.rmtree, directory, ignore_errors=True)
    return directory


class Memory:
    """A file whose pages are populated before the clock runs. It represents a
    disk that costs the processors as little as possible: a copy."""

    def __init__(self, directory, size):
        self.path = os.path.join(directory, "disk")
        self.size = size

    def __enter__(self):
        with open(self.path, "wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, self.size)
        return self

    def __exit__(self, *_):
        os.unlink(self.path)


class Loop:
    def __init__(self, path):
        self.path = path
        with open("/sys/block/%s/dev" % os.path.basename(path)) as stream:
            self.number = stream.read().strip()

    def make_swap(self):
        """A swap area on it; its UUID, or None without mkswap."""
        mkswap = shutil.which("mkswap", path="/usr/sbin:/sbin:/usr/bin")
        name = str(uuid.uuid4())
        if not mkswap or subprocess.run([mkswap, "-U", name, self.path],
                                        capture_output=True).returncode:
            return None
        return name

    @contextlib.contextmanager
    def throttled(self, rate):
        """At most this many bytes per second; yields False if that is impossible
        (no root, no cgroup of version 1 for block devices)."""
        try:
            with open(BLKIO, "w") as stream:
                stream.write("%s %d" % (self.number, rate))
        except OSError:
            yield False
            return
        try:
            yield True
        finally:
            with open(BLKIO, "w") as stream:
                stream.write("%s 0" % self.number)


@contextlib.contextmanager
def loop(path):
    """A loop device on the file, or None if there can be none."""
    losetup = shutil.which("losetup", path="/usr/sbin:/sbin:/usr/bin")
    done = losetup and subprocess.run([losetup, "-f", "--show", path],
                                      capture_output=True, text=True)
    if not done or done.returncode:
        yield None
        return
    name = done.stdout.strip()
    try:
        yield Loop(name)
    finally:
        subprocess.run([losetup, "-d", name], check=False)
