# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest: an initramfs of busybox, modules, our programs and memhold.

The base is built once a run and kernel; what a scenario adds (modules, its script,
its suspend.conf) is a second, small archive appended to it.
"""

import lzma
import os
import re
import shutil
import subprocess
import tempfile

from . import arch, cpio, debian

GUEST_DIR = os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "guest")

# Loaded at every boot.
BOOT_MODULES = ("virtio_pci", "virtio_blk")
# Loaded by scenarios that ask for them, and only in their initramfs: most of
# all modules' 20 MB would be unpacked, saved and loaded for nothing.
OTHER_MODULES = ("ext4", "xfs", "btrfs", "f2fs", "dm_crypt", "nvme",
                 "dm_snapshot", "dm_thin_pool",
                 "virtio_mem", "virtio_balloon", "loop", "dm_mod", "xts",
                 "algif_skcipher", "overlay", "zram", "9pnet_virtio", "9p",
                 "pm_notifier_error_inject", "sd_mod", "virtio_scsi", "e1000e", "pci_stub", "virtio_rng",
                 "efivarfs")

# Where our programs lie in the build tree and in the guest.
PROGRAMS = {
    "s2disk/s2disk": "/usr/sbin/s2disk",
    "tools/inspect/s2disk-inspect": "/usr/sbin/s2disk-inspect",
    "tools/swapfile/s2disk-swapfile": "/usr/sbin/s2disk-swapfile",
    "tools/keygen/s2disk-keygen": "/usr/sbin/s2disk-keygen",
    "tools/sleep/s2disk-sleep": "/usr/libexec/tools/sleep/s2disk-sleep",
    "resume/resume": "/usr/lib/uswsusp/resume",
}
# Tools of the host that busybox lacks or does worse, as /usr/bin/NAME.
HOST_TOOLS = ("mkswap", "swaplabel", "blkid", "filefrag", "kexec")


def _run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True)


class Builder:
    """Builds the base archives into a work directory."""

    def __init__(self, build_dir, work_dir, arm64_dir=None, packages=None):
        self.build_dir = build_dir
        self.arm64_dir = arm64_dir
        self.work_dir = work_dir
        self.debian = debian.Debian(build_dir, work_dir, packages)
        self._programs = {}
        self._bases = {}
        self._modules = {}

    def base(self, kernel):
        """Path of the base archive for a kernel."""
        if kernel.release not in self._bases:
            path = os.path.join(self.work_dir, "base-%s.cpio" % kernel.release)
            with open(path, "wb") as stream:
                stream.write(self._base_archive(kernel).bytes())
            self._bases[kernel.release] = path
        return self._bases[kernel.release]

    def modules(self, kernel, names):
        """Files with modules for a kernel, in the order of loading, beside those
        of the base: for the files of a boot."""
        wanted = (kernel.release, tuple(sorted(set(names))))
        if wanted not in self._modules:
            self._modules[wanted] = self._module_files(kernel, wanted[1])
        return self._modules[wanted]

    def added_size(self):
        """Bytes that resume, its libraries and s2disk add to an initramfs."""
        sizes = {}
        archive = cpio.Archive()
        native = arch.ALL["amd64"]
        for name in ("resume/resume", "s2disk/s2disk"):
            program = os.path.join(self.build_dir, name)
            sizes[name] = len(self._stripped(native, program))
            for place, library in native.libraries(program):
                if place not in archive:
                    archive.directory(place)
                    sizes[os.path.basename(place)] = len(
                        self._stripped(native, library))
        return sizes

    def _base_archive(self, kernel):
        machine = arch.of(kernel)
        archive = cpio.Archive()
        for directory in ("dev", "proc", "sys", "tmp", "mnt", "etc", "run",
                       "root", "var", "var/lib"):
            archive.directory(directory)
        archive.device("/dev/console", 5, 1)
        archive.copy("/init", os.path.join(GUEST_DIR, "init"), 0o755)
        archive.copy("/lib.sh", os.path.join(GUEST_DIR, "lib.sh"))
        archive.copy("/bin/memhold", self.memhold(machine), 0o755)
        self._add_busybox(archive, machine)
        self._add_our_programs(archive, machine)
        for name in HOST_TOOLS:
            self._add_program(archive, machine, machine.tool(name), "/usr/bin/" + name)
        for place, data in self._module_files(kernel, BOOT_MODULES).items():
            archive.file(place, data)
        archive.file("/lib/modules/boot.list",
                     "".join(name + "\n" for name in BOOT_MODULES))
        return archive

    def _add_our_programs(self, archive, machine):
        build_dir = self.build_dir if machine.name == "amd64" else self.arm64_dir
        if not have_programs(build_dir):
            raise RuntimeError("no programs for %s in %s" % (machine.name, build_dir))
        for name, place in PROGRAMS.items():
            self._add_program(archive, machine, os.path.join(build_dir, name), place)

    @staticmethod
    def _add_busybox(archive, machine):
        archive.copy("/bin/busybox", machine.tool("busybox"), 0o755)
        # This machine's is of the same Debian, and can be run.
        for applet in _run("/bin/busybox", "--list").stdout.split():
            if applet != "busybox":
                archive.link("/bin/" + applet, "busybox")

    def _stripped(self, machine, path):
        with tempfile.NamedTemporaryFile(dir=self.work_dir) as copy:
            _run(machine.strip, "-o", copy.name, path)
            with open(copy.name, "rb") as stream:
                return stream.read()

    def _add_program(self, archive, machine, program, place):
        archive.file(place, self._stripped(machine, program), 0o755)
        for where, library in machine.libraries(program):
            if where not in archive:
                archive.file(where, self._stripped(machine, library), 0o755)

    def memhold(self, machine=arch.ALL["amd64"]):
        return self.program("memhold", machine)

    def program(self, name, machine):
        """Path of a program made of guest/NAME.c."""
        if (name, machine.name) not in self._programs:
            path = os.path.join(self.work_dir, name + "-" + machine.name)
            _run(machine.compiler, "-O2", "-Wall", "-Wextra", *machine.compiler_options(),
                 "-static", "-o", path, os.path.join(GUEST_DIR, name + ".c"))
            self._programs[name, machine.name] = path
        return self._programs[name, machine.name]

    def _module_files(self, kernel, names):
        """The modules and, for each, the files to insmod in their order."""
        unknown = set(names).difference(BOOT_MODULES, OTHER_MODULES)
        if unknown:
            raise RuntimeError("no module is named " + ", ".join(unknown))
        files = {}
        needs = {}
        by_name = {}
        with open(os.path.join(kernel.modules, "modules.dep")) as stream:
            for line in stream:
                path, _, rest = line.partition(":")
                needs[path] = rest.split()
                name = os.path.basename(path).split(".")[0].replace("-", "_")
                by_name[name] = path
        soft = self._soft_dependencies(kernel)
        alias = self._crypto_aliases(kernel)
        with open(os.path.join(kernel.modules, "modules.builtin")) as stream:
            builtin = {os.path.basename(line.strip()).split(".")[0]
                       .replace("-", "_") for line in stream}

        def order(name, seen):
            # crc64_rocksoft is a module, and an algorithm of another one.
            if name.replace("-", "_") not in by_name:
                name = alias.get(name, name)
            name = name.replace("-", "_")
            if name in seen or name not in by_name:
                return []
            seen.add(name)
            paths = []
            for before in soft.get(name, ()):
                paths += order(before, seen)
            # modules.dep lists what a module needs from near to far.
            for path in reversed(needs[by_name[name]]):
                # Their own soft dependencies come along.
                paths += order(os.path.basename(path).split(".")[0], seen)
            return paths + [by_name[name]]

        for name in names:
            if name not in by_name and name not in builtin:
                raise RuntimeError("kernel %s has no module %s" %
                                   (kernel.release, name))
            lines = []
            for path in order(name, set()):
                place = "/lib/modules/" + re.sub(
                    r"\.(xz|zst)$", "", os.path.basename(path))
                lines.append(place)
                if place not in files:
                    files[place] = self._module(os.path.join(kernel.modules, path))
            files["/lib/modules/%s.order" % name] = "".join(
                line + "\n" for line in lines)
        return files

    @staticmethod
    def _module(path):
        # Unpacked here: doing it in the guest would cost every boot seconds.
        if path.endswith(".xz"):
            with lzma.open(path) as stream:
                return stream.read()
        with open(path, "rb") as stream:
            return stream.read()

    @staticmethod
    def _soft_dependencies(kernel):
        soft = {}
        path = os.path.join(kernel.modules, "modules.softdep")
        if os.path.exists(path):
            with open(path) as stream:
                for line in stream:
                    match = re.match(r"softdep (\S+) pre: (.*)", line)
                    if match:
                        soft.setdefault(match.group(1).replace("-", "_"), []
                                        ).extend(match.group(2)
                                                 .split(" post:")[0].split())
        return soft

    @staticmethod
    def _crypto_aliases(kernel):
        """Soft dependencies name algorithms; the portable module is taken."""
        alias = {}
        with open(os.path.join(kernel.modules, "modules.alias")) as stream:
            for line in stream:
                match = re.match(r"alias crypto-(\S+) (\S+_generic)$", line)
                if match:
                    alias["crypto-" + match.group(1)] = match.group(2)
                    alias.setdefault(match.group(1), match.group(2))
        return alias


def have_programs(build_dir):
    return build_dir and all(os.path.exists(os.path.join(build_dir, name))
                             for name in PROGRAMS)


def tool_files(*names):
    """Programs of the host and their libraries, for the files of a boot."""
    files = {}
    for name in names:
        program = arch.ALL["amd64"].tool(name)
        for place, source in ([("/usr/bin/" + name, program)] +
                              arch.ALL["amd64"].libraries(program)):
            with open(source, "rb") as stream:
                files[place] = stream.read()
    return files


def combine(base, files, path):
    """Writes the base archive and the files of one boot after it to path."""
    extra = cpio.Archive()
    for name, data in files.items():
        program = data[:4] == b"\x7fELF"
        extra.file(name, data, 0o755 if program else 0o644)
    shutil.copyfile(base, path)
    with open(path, "ab") as stream:
        stream.write(extra.bytes())
