# SPDX-License-Identifier: GPL-2.0-or-later
"""systemd-boot and a unified kernel image, on an EFI partition."""

import glob
import os
import shutil
import subprocess

from . import disks

EFI = "/usr/lib/systemd/boot/efi/"
IMAGE = "EFI/Linux/debian.efi"
LABEL = "ESP"
# Where the sections are in memory: after those of the stub, apart.
PLACES = {".osrel": 0x20000, ".cmdline": 0x30000, ".linux": 0x2000000,
          ".initrd": 0x4000000}


def make_image(root, cmdline, path):
    """Kernel, initramfs and command line of a tree in one EFI program, as
    systemd-stub(7) describes it."""
    words = path + ".cmdline"
    with open(words, "w") as stream:
        stream.write(cmdline)
    parts = {".osrel": root + "/usr/lib/os-release", ".cmdline": words,
             ".linux": glob.glob(root + "/boot/vmlinuz-*")[0],
             ".initrd": glob.glob(root + "/boot/initrd.img-*")[0]}
    command = ["objcopy"]
    for name, source in parts.items():
        command += ["--add-section", "%s=%s" % (name, source),
                    "--change-section-vma", "%s=%#x" % (name, PLACES[name])]
    subprocess.run(command + [root + EFI + "linuxx64.efi.stub", path],
                   check=True)
    os.unlink(words)


def make_boot_disk(root, path, cmdline, mib=160):
    """An EFI partition, which is all of the disk, that boots a tree by such
    an image; /boot of the tree is empty then."""
    image = path + ".efi"
    make_image(root, cmdline, image)
    disks.Disk(path, mib)
    for command in (
            ["mformat", "-F", "-v", LABEL, "::"],
            ["mmd", "::EFI", "::EFI/BOOT", "::EFI/Linux"],
            ["mcopy", root + EFI + "systemd-bootx64.efi",
             "::EFI/BOOT/BOOTX64.EFI"],
            ["mcopy", image, "::" + IMAGE]):
        subprocess.run([command[0], "-i", path] + command[1:], check=True)
    os.unlink(image)
    shutil.rmtree(root + "/boot")
    os.mkdir(root + "/boot")
