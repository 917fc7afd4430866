# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel modules of ours, built against Debian's headers for a kernel."""

import glob
import os
import re
import shutil
import subprocess
import tempfile

from . import kernels
from .guest import GUEST_DIR


def _packages(release):
    """The headers of that very build, and what they are made of."""
    package = "linux-headers-" + release
    done = subprocess.run(["apt-cache", "depends", package],
                          capture_output=True, text=True)
    more = re.findall(r"^\s*Depends: (linux-(?:headers-\S+-common|kbuild-\S+))$",
                      done.stdout, re.M)
    if len(more) != 2:
        raise RuntimeError("apt knows no %s: empty %s for a newer kernel" %
                           (package, kernels.cache_dir()))
    return [package] + more


def _headers(release):
    """The folder to build in, fetched if the cache has none."""
    final = os.path.join(kernels.cache_dir(), "headers-" + release)
    folder = os.path.join("usr", "src", "linux-headers-" + release)
    if not os.path.isdir(final):
        part = final + ".part"
        shutil.rmtree(part, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=kernels.cache_dir()) as download:
            subprocess.run(["apt-get", "download", "-q",
                            "-o", "APT::Sandbox::User=root"] +
                           _packages(release), cwd=download, check=True,
                           stdout=subprocess.DEVNULL)
            for deb in glob.glob(os.path.join(download, "*.deb")):
                subprocess.run(["dpkg", "-x", deb, part], check=True)
        # They are meant to lie in /usr/src.
        makefile = os.path.join(part, folder, "Makefile")
        with open(makefile) as stream:
            text = stream.read()
        with open(makefile, "w") as stream:
            stream.write(text.replace("include /usr/src/",
                                      "include %s/usr/src/" % final))
        os.rename(part, final)
    return os.path.join(final, folder)


def build(kernel, name, work_dir):
    """The bytes of NAME.ko, from guest/NAME.c."""
    folder = os.path.join(work_dir, "module-" + name)
    os.makedirs(folder)
    shutil.copy(os.path.join(GUEST_DIR, name + ".c"), folder)
    with open(os.path.join(folder, "Makefile"), "w") as stream:
        stream.write("obj-m := %s.o\n" % name)
    # Without BTF, for which the headers have a kernel image.
    done = subprocess.run(["make", "-C", _headers(kernel.release),
                           "M=" + folder, "CONFIG_DEBUG_INFO_BTF_MODULES=",
                           "modules"], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError("%s.ko cannot be built:\n%s" %
                           (name, done.stdout + done.stderr))
    with open(os.path.join(folder, name + ".ko"), "rb") as stream:
        return stream.read()
