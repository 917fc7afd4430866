#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's packages for another architecture, unpacked in the cache: what our
programs are built against there, and what a guest is made of."""

import hashlib
import os
import re
import subprocess
import sys

if __name__ == "__main__":      # as tests/cross runs it
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from testbed import kernels     # noqa: E402

PACKAGES = ("libgcrypt20-dev", "liblz4-dev", "libblkid-dev", "check", "busybox-static",
            "util-linux", "e2fsprogs", "kexec-tools")
# Of all that these need, what has files to build with or to run.
WANTED = re.compile(r"(lib|linux-libc-dev$|uuid-dev$|zlib1g|%s)" %
                    "|".join(name + "$" for name in PACKAGES))


def _release():
    """That of this machine, as cross-compilers bring their libraries of it."""
    with open("/etc/os-release") as stream:
        match = re.search(r"^VERSION_CODENAME=(\w+)$", stream.read(), re.M)
    if not match:
        raise RuntimeError("/etc/os-release has no VERSION_CODENAME")
    return match.group(1)


def _all_of(apt):
    """The packages, and what they need, by apt's own words."""
    done = subprocess.run(["apt-get"] + apt.options +
                          ["-s", "--no-install-recommends", "install"] +
                          list(PACKAGES), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError("apt-get: " + done.stderr.strip())
    return [name for name in re.findall(r"^Inst (\S+?)(?::\S+)? ", done.stdout, re.M)
            if WANTED.match(name)]


def _unpack(arch, release, root):
    apt = kernels.Apt("root-" + arch, kernels.MAIN % release, arch)
    apt.unpack(_all_of(apt), root)
    if not os.path.exists(root + "/lib"):
        os.symlink("usr/lib", root + "/lib")        # as it is merged


def get(arch):
    """The directory of an architecture, made if the cache has none."""
    release = _release()
    # One of other packages is another.
    digest = hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:12]
    final = os.path.join(kernels.cache_dir(), "root-%s-%s-%s" % (release, arch, digest))
    kernels.make(final, lambda part: _unpack(arch, release, part))
    return final


if __name__ == "__main__":
    print(get(sys.argv[1]))
