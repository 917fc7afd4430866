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
    "newest": ("linux-image-amd64",),
}
# What is of another Debian than this system's comes through a private apt, so
# that the system stays as it is. "newest" is the newest that Debian 13 offers.
SOURCES = {
    "newest": "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
              " http://deb.debian.org/debian trixie-backports main\n",
}


class Kernel:
    """An unpacked kernel package."""

    def __init__(self, root):
        self.root = root
        found = glob.glob(os.path.join(root, "boot", "vmlinuz-*"))
        if found:
            self.vmlinuz = found[0]
            self.release = os.path.basename(found[0])[len("vmlinuz-"):]
        else:       # Linux 7 and later
            self.vmlinuz = glob.glob(os.path.join(
                root, "usr", "lib", "modules", "*", "vmlinuz"))[0]
            self.release = os.path.basename(os.path.dirname(self.vmlinuz))
        if not os.path.exists(os.path.join(root, "lib")):
            os.symlink("usr/lib", os.path.join(root, "lib"))  # as it is merged
        self.modules = os.path.join(root, "lib", "modules", self.release)
        if not os.path.exists(os.path.join(self.modules, "modules.dep")):
            subprocess.run(["depmod", "-b", root, self.release], check=True)


def cache_dir():
    cache = os.environ.get("S2DISK_VM_CACHE")
    if not cache:
        cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or
                             os.path.expanduser("~/.cache"), "s2disk-vm")
    os.makedirs(cache, exist_ok=True)
    return cache


class _Apt:
    """apt, with the sources that a series needs."""

    def __init__(self, series):
        self.options = []
        if series not in SOURCES:
            return
        folder = os.path.join(cache_dir(), "apt-" + series)
        for name in ("lists/partial", "archives/partial"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        sources = os.path.join(folder, "sources.list")
        with open(sources, "w") as stream:
            stream.write(SOURCES[series])
        self.options = [
            "-oDir::State::Lists=" + os.path.join(folder, "lists"),
            "-oDir::Cache=" + folder, "-oDir::Etc::SourceList=" + sources,
            "-oDir::Etc::SourceParts=/dev/null",
            # As root apt would drop to _apt, which cannot write there.
            "-oAPT::Sandbox::User=root"]
        subprocess.run(["apt-get"] + self.options + ["update", "-qq"],
                       check=True, stdout=subprocess.DEVNULL)

    def needs(self, package):
        """The packages that one depends on."""
        done = subprocess.run(["apt-cache"] + self.options +
                              ["depends", package],
                              capture_output=True, text=True)
        return re.findall(r"^\s*Depends: ([^\s<]+)$", done.stdout, re.M)

    def kernel(self, series):
        """The package of today's build that the series' meta package names."""
        for meta in META_PACKAGES[series]:
            for package in self.needs(meta):
                match = re.match(r"linux-image-(\d.*)$", package)
                if match and (series in SOURCES or
                              match.group(1).startswith(series + ".")):
                    return package
        return None

    def unpack(self, package, root):
        """That package's files, and those of its parts: from Linux 7 on kernel
        and modules are packages of their own."""
        parts = [name for name in self.needs(package)
                 if re.match(r"linux-(base|binary|modules)-\d", name)]
        with tempfile.TemporaryDirectory(dir=cache_dir()) as download:
            subprocess.run(["apt-get"] + self.options +
                           ["download", "-q", "-oAPT::Sandbox::User=root",
                            package] + parts,
                           cwd=download, check=True,
                           stdout=subprocess.DEVNULL)
            for deb in glob.glob(os.path.join(download, "*.deb")):
                subprocess.run(["dpkg", "-x", deb, root], check=True)


def _cached(series):
    name = series if series in SOURCES else "linux-image-%s." % series
    found = [path for path in glob.glob(os.path.join(cache_dir(), name + "*"))
             if not path.endswith(".part")]
    return max(found, key=os.path.getmtime) if found else None


def get(series):
    """The kernel of a series, fetched if the cache has none.

    A cached kernel is used as it is: a run is to depend on the network as
    little as possible. Empty the cache to get a newer build.
    """
    root = _cached(series)
    if root:
        return Kernel(root)
    apt = _Apt(series)
    package = apt.kernel(series)
    if not package:
        raise RuntimeError("apt knows no kernel of the %s series; "
                           "try apt-get update" % series)
    final = os.path.join(cache_dir(), "%s-%s" % (series, package)
                         if series in SOURCES else package)
    part = final + ".part"
    shutil.rmtree(part, ignore_errors=True)
    apt.unpack(package, part)
    os.rename(part, final)
    return Kernel(final)
