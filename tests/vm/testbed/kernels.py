# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernels: fetched with apt-get, unpacked once, kept in a cache."""

import glob
import os
import re
import shutil
import subprocess
import tempfile

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
MAIN = "deb [signed-by=%s] http://deb.debian.org/debian %%s main\n" % KEYRING
SECURITY = ("deb [signed-by=%s] http://deb.debian.org/debian-security %%s main\n" %
            KEYRING)
# A series' meta package, and where Debian has it, whatever Debian this is.
# "newest" is the newest that Debian 13 offers.
SERIES = {
    "6.1": ("linux-image-amd64", MAIN % "bookworm" +
            SECURITY % "bookworm-security"),
    "6.12": ("linux-image-6.12-amd64", SECURITY % "bookworm-security"),
    "newest": ("linux-image-amd64", MAIN % "trixie-backports"),
}


class Kernel:
    """An unpacked kernel package."""

    def __init__(self, series, root):
        self.series = series
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


class Apt:
    """An apt of its own for the sources of a series: the system, which may be
    another Debian, stays as it is."""

    def __init__(self, series):
        self.meta, sources = SERIES[series]
        directory = os.path.join(cache_dir(), "apt-" + series)
        for name in ("lists/partial", "archives/partial"):
            os.makedirs(os.path.join(directory, name), exist_ok=True)
        listed = os.path.join(directory, "sources.list")
        with open(listed, "w") as stream:
            stream.write(sources)
        self.options = [
            "-oDir::State::Lists=" + os.path.join(directory, "lists"),
            "-oDir::Cache=" + directory, "-oDir::Etc::SourceList=" + listed,
            "-oDir::Etc::SourceParts=/dev/null",
            "-oAcquire::Check-Valid-Until=false",
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

    def kernel(self):
        """The package of today's build that the meta package names."""
        for package in self.needs(self.meta):
            if re.match(r"linux-image-\d", package):
                return package
        return None

    def unpack(self, packages, root):
        """The files of these packages."""
        with tempfile.TemporaryDirectory(dir=cache_dir()) as download:
            subprocess.run(["apt-get"] + self.options + ["download", "-q"] +
                           packages, cwd=download, check=True,
                           stdout=subprocess.DEVNULL)
            for deb in glob.glob(os.path.join(download, "*.deb")):
                subprocess.run(["dpkg", "-x", deb, root], check=True)


def _cached(series):
    name = "newest-" if series == "newest" else "linux-image-%s." % series
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
        return Kernel(series, root)
    apt = Apt(series)
    package = apt.kernel()
    if not package:
        raise RuntimeError("Debian has no kernel of the %s series any more" %
                           series)
    # From Linux 7 on kernel and modules are packages of their own.
    parts = [name for name in apt.needs(package)
             if re.match(r"linux-(base|binary|modules)-\d", name)]
    final = os.path.join(cache_dir(), ("newest-" if series == "newest" else "")
                         + package)
    part = final + ".part"
    shutil.rmtree(part, ignore_errors=True)
    apt.unpack([package] + parts, part)
    os.rename(part, final)
    return Kernel(series, final)
