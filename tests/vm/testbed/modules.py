# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel modules of ours, built against Debian's headers for a kernel."""

import os
import re
import shutil
import subprocess

from . import kernels
from .guest import GUEST_DIR


def _packages(apt, release):
    """The headers of that very build, and what they are made of."""
    package = "linux-headers-" + release
    more = [name for name in apt.needs(package) if
            re.match(r"linux-(headers-\S+-common|kbuild-\S+)$", name)]
    if len(more) != 2:
        raise RuntimeError("apt knows no %s: empty %s for a newer kernel" %
                           (package, kernels.cache_dir()))
    return [package] + more


def _headers(kernel):
    """The directory to build in, fetched if the cache has none."""
    release = kernel.release
    final = os.path.join(kernels.cache_dir(), "headers-" + release)
    directory = os.path.join("usr", "src", "linux-headers-" + release)
    if not os.path.isdir(final):
        part = final + ".part"
        shutil.rmtree(part, ignore_errors=True)
        apt = kernels.apt_for(kernel.name)
        apt.unpack(_packages(apt, release), part)
        # They are meant to lie in /usr/src.
        makefile = os.path.join(part, directory, "Makefile")
        with open(makefile) as stream:
            text = stream.read()
        with open(makefile, "w") as stream:
            stream.write(text.replace("include /usr/src/",
                                      "include %s/usr/src/" % final))
        os.rename(part, final)
    return os.path.join(final, directory)


_built = {}


def build(kernel, name, work_dir):
    """The bytes of NAME.ko, from guest/NAME.c; made once for a kernel."""
    key = (kernel.release, name)
    if key not in _built:
        _built[key] = _make(kernel, name, os.path.join(
            work_dir, "module-%s-%s" % key))
    return _built[key]


def _make(kernel, name, directory):
    os.makedirs(directory)
    shutil.copy(os.path.join(GUEST_DIR, name + ".c"), directory)
    with open(os.path.join(directory, "Makefile"), "w") as stream:
        stream.write("obj-m := %s.o\n" % name)
    # Without BTF, for which the headers have no kernel image. The compiler that
    # they name is not in every Debian.
    compiler = [] if shutil.which("gcc-12") else ["CC=gcc"]
    done = subprocess.run(["make", "-C", _headers(kernel), "M=" + directory,
                           "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"] +
                          compiler, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError("%s.ko cannot be built:\n%s" %
                           (name, done.stdout + done.stderr))
    with open(os.path.join(directory, name + ".ko"), "rb") as stream:
        return stream.read()
