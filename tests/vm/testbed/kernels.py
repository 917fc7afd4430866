# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernels: fetched with apt-get, unpacked once, kept in a cache."""

import glob
import os
import re
import shutil
import subprocess
import tempfile

# The first meta package of a series that apt knows is taken.
META_PACKAGES = {
    "6.12": ("linux-image-6.12-amd64",),
    "6.1": ("linux-image-6.1-amd64", "linux-image-amd64"),
}


class Kernel:
    """An unpacked kernel package."""

    def __init__(self, root):
        self.root = root
        self.vmlinuz = glob.glob(os.path.join(root, "boot", "vmlinuz-*"))[0]
        self.release = os.path.basename(self.vmlinuz)[len("vmlinuz-"):]
        lib = os.path.join(root, "lib", "modules", self.release)
        self.modules = lib if os.path.isdir(lib) else os.path.join(
            root, "usr", "lib", "modules", self.release)
        if not os.path.exists(os.path.join(self.modules, "modules.dep")):
            subprocess.run(["depmod", "-b", root, self.release], check=True)


def cache_dir():
    cache = os.environ.get("S2DISK_VM_CACHE")
    if not cache:
        cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or
                             os.path.expanduser("~/.cache"), "s2disk-vm")
    os.makedirs(cache, exist_ok=True)
    return cache


def _package_of(series):
    """The package of today's build that the series' meta package names."""
    for meta in META_PACKAGES[series]:
        done = subprocess.run(["apt-cache", "depends", meta],
                              capture_output=True, text=True)
        for line in done.stdout.splitlines():
            match = re.match(r"\s*Depends: (linux-image-(\d[^ ]*))$", line)
            if match and match.group(2).startswith(series + "."):
                return match.group(1)
    return None


def _cached(series):
    found = glob.glob(os.path.join(cache_dir(),
                                   "linux-image-%s.*" % series))
    found = [path for path in found if not path.endswith(".part")]
    return max(found, key=os.path.getmtime) if found else None


def get(series):
    """The kernel of a series, fetched if the cache has none.

    A cached kernel is used as it is: a run is to depend on the network as
    little as possible. Empty the cache to get a newer build.
    """
    root = _cached(series)
    if root:
        return Kernel(root)
    package = _package_of(series)
    if not package:
        raise RuntimeError("apt knows no kernel of the %s series; "
                           "try apt-get update" % series)
    final = os.path.join(cache_dir(), package)
    with tempfile.TemporaryDirectory(dir=cache_dir()) as download:
        # As root apt would drop to _apt, which cannot write here.
        subprocess.run(["apt-get", "download", "-q",
                        "-o", "APT::Sandbox::User=root", package],
                       cwd=download, check=True, stdout=subprocess.DEVNULL)
        deb = glob.glob(os.path.join(download, "*.deb"))[0]
        part = final + ".part"
        shutil.rmtree(part, ignore_errors=True)
        subprocess.run(["dpkg", "-x", deb, part], check=True)
        os.rename(part, final)
    return Kernel(final)
