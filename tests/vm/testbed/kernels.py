# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernels by name: found with apt, unpacked once, kept in a cache.

A name is SERIES[-FLAVOUR][-arm64[-16k]]: 6.12, stable, backports, sid-cloud, 6.12-rt-arm64,
backports-arm64-16k (pages of 16 KiB).
"""

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
BACKPORTS = MAIN % "trixie-backports"
# Where Debian has a series, whatever Debian this is.
SERIES = {
    "6.1": MAIN % "bookworm" + SECURITY % "bookworm-security",
    "6.12": SECURITY % "bookworm-security",
    "stable": MAIN % "trixie" + SECURITY % "trixie-security",
    "backports": BACKPORTS,
    "sid": MAIN % "sid",
    "newest": BACKPORTS + MAIN % "sid",
}
NAME = re.compile(r"(\d+\.\d+|%s)(?:-(rt|cloud))?(?:-(arm64))?(?:(?<=-arm64)-(16k))?" %
                  "|".join(name for name in SERIES if name.isalpha()))
# Before the names had packages of their own, all was in one; since Linux 6.19 or so
# the image is an empty package that needs these.
PARTS = re.compile(r"<?(linux-(?:base|binary|modules)-\d[^\s>]*)>?$")


class Name:
    """The parts of a kernel's name; ValueError where it is none."""

    def __init__(self, text):
        match = NAME.fullmatch(text)
        if not match:
            raise ValueError("no kernel is named '%s': SERIES[-rt|-cloud][-arm64[-16k]], "
                             "SERIES a version as 6.12, or %s" %
                             (text, ", ".join(name for name in SERIES
                                              if name.isalpha())))
        self.text = text
        self.series, self.flavour, arch, self.pages = match.groups()
        self.arch = arch or "amd64"
        # Of others, backports has the last build of each series.
        self.sources = SERIES.get(self.series, BACKPORTS)

    def version(self, package):
        """The version of an image package that this names, as numbers; None
        where it names another."""
        series = (re.escape(self.series) + r"\." if self.series[0].isdigit()
                  else r"\d+\.\d+\.")
        match = re.fullmatch(r"linux-image-(%s[^-]*(?:-\d+)?)-%s%s%s" % (
            series, self.flavour + "-" if self.flavour else "", self.arch,
            "-" + self.pages if self.pages else ""), package)
        return match and [int(part) for part in re.findall(r"\d+", match.group(1))]

    def choose(self, packages):
        """The image packages that this names, the newest first."""
        return sorted(filter(self.version, packages), key=self.version,
                      reverse=True)

    def cached(self):
        """The directory in the cache that has this kernel, whatever lies beside it;
        None: it is to be fetched. Without a link, which only its fetching makes, only a
        version says whose a directory is: any could be the newest of sid."""
        directory = cache_dir()
        try:
            found = [os.readlink(os.path.join(directory, "kernel-" + self.text))]
        except OSError:
            found = []
        if self.series[0].isdigit():
            found += self.choose(os.listdir(directory))
        for target in found:
            if self.version(target) and os.path.isdir(os.path.join(directory, target)):
                return target
        return None


class Kernel:
    """An unpacked kernel package."""

    def __init__(self, name, root):
        self.name = name
        self.arch = Name(name).arch
        self.page = 16384 if Name(name).pages else 4096
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


def make(final, fill):
    """A directory of the cache: there whole, or not at all, though runs that share
    the cache make it at once. fill(PART) makes one."""
    if os.path.isdir(final):
        return
    part = "%s.%d.part" % (final, os.getpid())
    shutil.rmtree(part, ignore_errors=True)
    try:
        fill(part)
        os.rename(part, final)
    except OSError:
        if not os.path.isdir(final):    # as another run was faster
            raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


class Apt:
    """An apt of its own, for these sources and this architecture: the system,
    which may be another Debian, stays as it is."""

    def __init__(self, label, sources, arch):
        directory = os.path.join(cache_dir(), "apt-" + label)
        for name in ("lists/partial", "archives/partial"):
            os.makedirs(os.path.join(directory, name), exist_ok=True)
        listed = os.path.join(directory, "sources.list")
        with open(listed, "w") as stream:
            stream.write(sources)
        self.options = [
            "-oDir::State::Lists=" + os.path.join(directory, "lists"),
            # Nothing is installed there, so each package is "not installed".
            "-oDir::State::status=/dev/null",
            "-oDir::Cache=" + directory, "-oDir::Etc::SourceList=" + listed,
            "-oDir::Etc::SourceParts=/dev/null",
            "-oAPT::Architecture=" + arch, "-oAPT::Architectures=" + arch,
            # What moves is signed with a date that passes.
            "-oAcquire::Check-Valid-Until=false",
            # As root apt would drop to _apt, which cannot write there.
            "-oAPT::Sandbox::User=root"]
        subprocess.run(["apt-get"] + self.options + ["update", "-qq"],
                       check=True, stdout=subprocess.DEVNULL)

    def _cache(self, *arguments):
        return subprocess.run(["apt-cache"] + self.options + list(arguments),
                              capture_output=True, text=True).stdout

    def names(self, prefix):
        """All packages whose name begins so."""
        return self._cache("pkgnames", prefix).split()

    def needs(self, package):
        """The packages that one depends on, as apt shows them: in <> where
        the sources have none of that name."""
        return re.findall(r"^\s*Depends: (\S+)$", self._cache("depends", package),
                          re.M)

    def parts(self, package):
        """What an image package consists of: itself, and those with its files.
        None where one of them is in no source any more."""
        found = [name for name in self.needs(package) if PARTS.match(name)]
        # Only the newest builds have linux-base-VERSION, without files of use here.
        found = [name for name in found if not name.startswith("<linux-base-")]
        if any(name.startswith("<") for name in found):
            return None
        return [package] + found

    def unpack(self, packages, root):
        """The files of these packages."""
        with tempfile.TemporaryDirectory(dir=cache_dir()) as download:
            subprocess.run(["apt-get"] + self.options + ["download", "-q"] +
                           packages, cwd=download, check=True,
                           stdout=subprocess.DEVNULL)
            for deb in glob.glob(os.path.join(download, "*.deb")):
                subprocess.run(["dpkg", "-x", deb, root], check=True)


def apt_for(name):
    """The apt that has the kernel of this name."""
    parsed = Name(name)
    return Apt(name, parsed.sources, parsed.arch)


def _fetch(name):
    """Unpacks the newest kernel of a name; its directory in the cache."""
    apt = apt_for(name)
    for package in Name(name).choose(apt.names("linux-image-")):
        parts = apt.parts(package)
        if parts:
            break
    else:
        raise RuntimeError("Debian has no kernel named %s any more" % name)
    make(os.path.join(cache_dir(), package), lambda part: apt.unpack(parts, part))
    return package


def get(name):
    """The kernel of a name, fetched if the cache has none.

    A cached kernel is used as it is: a run is to depend on the network as
    little as possible. Empty the cache to get a newer build.
    """
    target = Name(name).cached()
    if not target:
        target = _fetch(name)
        link = os.path.join(cache_dir(), "kernel-" + name)
        new = "%s.%d" % (link, os.getpid())
        os.symlink(target, new)
        os.rename(new, link)
    return Kernel(name, os.path.join(cache_dir(), target))
