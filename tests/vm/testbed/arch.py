# SPDX-License-Identifier: GPL-2.0-or-later
"""What differs between the machines: QEMU's options, and where the guest's
programs and their libraries come from."""

import os
import re
import shutil
import subprocess

from . import sysroot

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def _out(*command):
    return subprocess.run(command, check=True, capture_output=True,
                          text=True).stdout


class Amd64:
    """The programs of the machine that this runs on."""
    name = "amd64"
    emulator = ("qemu-system-x86_64", "-machine", "q35",
                # S3 and S4 are off by default.
                "-global", "ICH9-LPC.disable_s3=0",
                "-global", "ICH9-LPC.disable_s4=0")
    cpu = None
    # At its start the kernel counts timer interrupts while it waits for some
    # milliseconds, and panics if there were none: on a busy host QEMU is late. Later,
    # Linux 7.3.4 can wait for itself in the watchdog of the TSC (README).
    cmdline = "console=ttyS0 no_timer_check tsc=nowatchdog"
    more_memory = 0
    compiler = os.environ.get("CC", "cc")
    strip = "strip"

    @staticmethod
    def compiler_options():
        return ()

    @staticmethod
    def tool(name):
        path = shutil.which(name, path=PATH)
        if not path:
            raise RuntimeError("%s is not installed" % name)
        return path

    @staticmethod
    def libraries(program):
        """The shared libraries of a program: (place in the guest, file)."""
        done = subprocess.run(["ldd", program], capture_output=True, text=True)
        if done.returncode:     # a static program
            return []
        missing = re.findall(r"(\S+) => not found", done.stdout)
        if missing:
            raise RuntimeError("%s needs %s" % (program, ", ".join(missing)))
        return [(path, path) for path in
                re.findall(r"(/\S+) \(0x", done.stdout)]


class Arm64:
    """Debian's programs for arm64, unpacked beside the kernels."""
    name = "arm64"
    emulator = ("qemu-system-aarch64", "-machine", "virt")
    cpu = "cortex-a72"
    cmdline = "console=ttyAMA0"
    # MiB, for a larger kernel: where that has to reclaim memory before the snapshot,
    # emulated processors spin for each other's locks, for a minute on a busy host.
    more_memory = 256
    compiler = "aarch64-linux-gnu-gcc"
    strip = "aarch64-linux-gnu-strip"
    loader = "/lib/ld-linux-aarch64.so.1"
    directories = ("/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu")

    @property
    def root(self):
        return sysroot.get("arm64")

    def compiler_options(self):
        return ("--sysroot=" + self.root,)

    def tool(self, name):
        for directory in PATH.split(":"):
            path = self.root + directory + "/" + name
            if os.path.isfile(path):
                return path
        raise RuntimeError("no package of %s has %s" % (self.root, name))

    def _library(self, name):
        for directory in self.directories:
            path = self.root + directory + "/" + name
            if os.path.exists(path):
                return directory + "/" + name, os.path.realpath(path)
        raise RuntimeError("no package of %s has %s" % (self.root, name))

    def libraries(self, program):
        found, todo = {}, [program]
        while todo:
            text = _out("readelf", "-d", "-W", todo.pop())
            for name in re.findall(r"\(NEEDED\).*\[(\S+)\]", text):
                if name == os.path.basename(self.loader) or name in found:
                    continue
                found[name] = self._library(name)
                todo.append(found[name][1])
        loader = [(self.loader, os.path.realpath(self.root + self.loader))]
        return list(found.values()) + (loader if found else [])


class Arm64LargePages(Arm64):
    """A processor that has pages of 16 KiB, too; the Cortex-A72 has not."""
    cpu = "cortex-a76"


ALL = {"amd64": Amd64(), "arm64": Arm64()}
LARGE_PAGES = Arm64LargePages()


def of(kernel):
    """That of a kernel; whole systems name none: this machine's."""
    if getattr(kernel, "page", 4096) > 4096:
        return LARGE_PAGES
    return ALL[getattr(kernel, "arch", "amd64")]
