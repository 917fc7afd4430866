# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios in a whole Debian: systemd, its own initramfs, our package."""

import io
import os
import re
import tarfile
import time

from . import debian, disks, guest
from .scenario import Scenario

# Fixed, so that scenarios with the same system share its disks.
SWAP_UUID = "5d15c0de-0000-4000-8000-00000000005a"
# What a scenario leaves on the console when the system's programs fail.
BOOT_ERRORS = re.compile(r"^.*(Failed to start|Dependency failed|"
                         r"You are in emergency mode|Gave up waiting|"
                         r"ALERT!|Entering emergency).*$", re.M)


class FullGuest(Scenario):
    """Disks: vda the root file system, vdb /boot, vdc with a swap partition,
    and the last one carries the scenario's files."""
    kernel = "6.1"
    swap_uuid = SWAP_UUID
    memory = 512
    swap_mib = 700
    limit = 500
    one_boot = 200          # seconds, until it is off
    suite = "bookworm"
    generator = "initramfs-tools"
    # Without resume= on the command line: what Debian's installer writes.
    setup = "echo RESUME=UUID=%s >/etc/initramfs-tools/conf.d/resume" % SWAP_UUID
    fstab = ("/dev/vda / ext4 defaults 0 1\n"
             "LABEL=boot /boot ext2 defaults 0 2\n"
             "UUID=%s none swap sw 0 0\n" % SWAP_UUID)
    root_mib = 1200
    # What the boot loader gives the kernel; programs may change that.
    options = "root=/dev/vda ro"
    operation = "hibernate"
    base_cmdline = Scenario.base_cmdline + " systemd.show_status=0"
    guest = """
first_boot() {
    hold main 96 32
    sleep_by %(operation)s
    story
}
"""
    recorded = ()           # what the boot that hibernated found, of each run
    # The kernel's own message about a swap device with an image of ours.
    allow = ("PM: Image not found",)

    @classmethod
    def system(cls, builder):
        """Paths of the root and boot disks, which are not to be changed."""
        key = (cls.suite, cls.generator, cls.setup, cls.fstab, cls.options,
               cls.root_mib, cls.make_root_disk.__func__)
        return builder.debian.disks(
            key, lambda root, directory: cls.make_system(builder, root, directory))

    @classmethod
    def make_system(cls, builder, root, directory):
        """Turns a tree with the package into disks."""
        with open(root + "/etc/fstab", "w") as stream:
            stream.write(cls.fstab)
        cls.run_setup(root)
        debian.make_boot_disk(root, os.path.join(directory, "boot.img"),
                              cls.options)
        cls.make_root_disk(root, os.path.join(directory, "root.img"))

    @classmethod
    def run_setup(cls, root):
        debian.in_tree(root, cls.setup + "\n" + {
            "initramfs-tools": "update-initramfs -u -k all",
            "dracut": "dracut -q --force --no-hostonly /boot/initrd.img-* "
                      "$(ls /lib/modules)"}[cls.generator])

    @classmethod
    def make_root_disk(cls, root, path):
        disk = disks.Disk(path, cls.root_mib)
        disk.fill_ext4(root)

    def make_disks(self):
        root, boot = self.system(self.builder)
        # Making it, or waiting for another's, is no part of what has a limit.
        self.started = time.monotonic()
        for source, name in ((root, "root.img"), (boot, "boot.img")):
            disks.copy(source, self.path(name))
        self.root_disk = self.add_disk(disks.Disk(self.path("root.img")))
        self.boot_disk = self.add_disk(disks.Disk(self.path("boot.img")))
        self.swap = self.add_disk(disks.SwapDisk(
            self.path("swap.img"), self.swap_mib, identity=SWAP_UUID))
        self.files_disk = self.add_disk(disks.Disk(self.path("files.img"), 4))

    def make_initrd(self, **options):
        """The initramfs is the system's own; the files are put on their disk."""
        files = self.boot_files(self.boots, **options)
        with open(self.builder.memhold(), "rb") as stream:
            files["/memhold"] = stream.read()
        for name in ("lib.sh", "full-init"):
            with open(os.path.join(guest.GUEST_DIR, name), "rb") as stream:
                files["/" + name] = stream.read()
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, data in files.items():
                data = data.encode() if isinstance(data, str) else data
                info = tarfile.TarInfo(os.path.basename(name))
                info.size = len(data)
                info.mode = 0o755
                tar.addfile(info, io.BytesIO(data))
        self.files_disk.write(0, archive.getvalue())
        return self.linux.initrd

    def boot_files(self, number, **options):
        files = super().boot_files(number, config="", **options)
        files["/scenario.sh"] = self.guest.replace("%(operation)s",
                                                   self.operation)
        return files

    def system_name(self):
        """Debian, systemd and Linux, as the first boot said; None: it did not."""
        try:
            with open(os.path.join(self.log_dir, "boot1.log"), errors="replace") as stream:
                found = re.search(r"@@ system (\S+) (\S+)$", stream.read(), re.M)
        except OSError:
            return None
        return found and " ".join((self.suite, *found.groups()))

    def read_linux(self):
        """What the boot loader would start."""
        return debian.read_boot_disk(self.boot_disk.path, self.work_dir)

    def boot(self, cmdline=None, **options):
        self.linux = self.read_linux()
        cmdline = self.cmdline if cmdline is None else cmdline
        return super().boot(cmdline=self.linux.options + " " + cmdline,
                            **options)

    def need_no_kernel_errors(self):
        super().need_no_kernel_errors()
        for match in BOOT_ERRORS.finditer(self.machine.console):
            if not any(re.search(pattern, match.group(0))
                       for pattern in self.allow):
                self.need(False, "the boot has no trouble: " +
                          match.group(0).strip())

    def hibernate(self, signature=disks.OURS, **boot):
        machine = self.boot(**boot)
        self.off(self.one_boot)
        self.need(machine.mark("unit") is None,
                  "the unit did not come back before the machine was off")
        self.recorded = machine.marks("record-found")
        self.need_signature(signature)
        return machine

    def resume(self, **boot):
        before = self.machine
        machine = self.boot(**boot)
        self.off(self.one_boot)
        self.need_session_resumed(before)
        self.need_signature(disks.SWAP)
        return machine

    def need_swap_recorded(self):
        """The boot record says so; some initramfs run resume twice."""
        self.need(self.recorded and set(self.recorded) == {"swap"},
                  "found, as the boot record has it: %s" % (self.recorded,))

    def need_session_resumed(self, before):
        """The session continues, and systemd saw all of it."""
        machine = self.machine
        self.need(machine.mark("systemctl") == "0", "systemctl ended with 0")
        self.need_content(before)
        self.need_hooks([self.operation])
        self.need(machine.mark("unit") == "success 0",
                  "the unit ended well: %s" % machine.mark("unit"))

    def need_hooks(self, operations):
        """Both hooks ran before and after each, with their words."""
        wanted = []
        for operation in operations:
            verb, action = (operation if isinstance(operation, tuple)
                            else (operation, operation))
            for when in ("pre", "post"):
                line = "%s %s %s" % (when, verb, action)
                wanted += [line, line]
        found = self.machine.marks("hook")
        self.need(found == wanted, "hooks ran: %s" % found)
