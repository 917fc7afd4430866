# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes cpio archives of the kind the kernel unpacks as an initramfs."""

import os
import stat


class Archive:
    """Collects entries; parents of a path are made as needed."""

    def __init__(self):
        self._parts = []
        self._known = set()
        self._inode = 1

    def _add(self, path, mode, data=b"", rdev=(0, 0)):
        path = path.lstrip("/")
        if path in self._known:
            return
        parent = os.path.dirname(path)
        if parent:
            self.directory(parent)
        self._known.add(path)
        name = path.encode() + b"\0"
        fields = (self._inode, mode, 0, 0, 1, 0, len(data), 0, 0,
                  rdev[0], rdev[1], len(name), 0)
        self._inode += 1
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name
        self._parts += [head, b"\0" * (-len(head) % 4),
                        data, b"\0" * (-len(data) % 4)]

    def directory(self, path):
        self._add(path, stat.S_IFDIR | 0o755)

    def file(self, path, data, mode=0o644):
        if isinstance(data, str):
            data = data.encode()
        self._add(path, stat.S_IFREG | mode, data)

    def copy(self, path, source, mode=None):
        with open(source, "rb") as stream:
            self.file(path, stream.read(),
                      mode or stat.S_IMODE(os.stat(source).st_mode))

    def link(self, path, target):
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def device(self, path, major, minor):
        self._add(path, stat.S_IFCHR | 0o600, rdev=(major, minor))

    def __contains__(self, path):
        return path.lstrip("/") in self._known

    def bytes(self):
        end = Archive()
        end._add("TRAILER!!!", 0)
        data = b"".join(self._parts + end._parts)
        return data + b"\0" * (-len(data) % 512)
