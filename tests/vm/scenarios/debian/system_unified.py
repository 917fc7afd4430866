# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole Debian systems that systemd-boot starts by a unified kernel image."""

import os

from testbed import debian, disks, firmware, unified
from testbed.full import SWAP_UUID, FullGuest


class Unified(firmware.Ovmf, FullGuest):
    """EFI, systemd-boot, a unified image: resumes, its way back is proven"""
    name = "debian-unified"
    group = "slow"
    limit = 900
    fstab = ("/dev/vda / ext4 defaults 0 1\n"
             "LABEL=%s /efi vfat umask=0077 0 2\n"
             "UUID=%s none swap sw 0 0\n" % (unified.LABEL, SWAP_UUID))
    # The first boot only lets the firmware write its variables.
    guest = """
first_boot() { way first; }
later_boot() {
    hold main 96 32
    sleep_by hibernate
    way after
    cp /efi/%s /efi/EFI/Linux/newer.efi
    way newer
}
way() { mark "way-$1" "$(s2disk --check | grep -A1 ' way-back ' | tr '\\n' ' ')"; }
""" % unified.IMAGE

    @classmethod
    def make_system(cls, builder, root, directory):
        with open(root + "/etc/fstab", "w") as stream:
            stream.write(cls.fstab)
        os.mkdir(root + "/efi")
        cls.run_setup(root)
        unified.make_boot_disk(root, os.path.join(directory, "boot.img"),
                               "%s console=ttyS0 %s" % (cls.options, cls.base_cmdline))
        cls.make_root_disk(root, os.path.join(directory, "root.img"))

    def read_linux(self):
        """The firmware finds it by itself."""
        return debian.Kernel(None, None, "")

    def need_way(self, when, words):
        found = self.machine.mark("way-" + when)
        self.need(found.startswith("ok") and words in found,
                  "the way back is proven: " + found)

    def run(self):
        proven = "the initramfs that booted this system looks for it"
        self.boot()
        self.off(self.one_boot)
        self.need_way("first", proven)
        self.hibernate()
        self.resume()
        self.need_way("after", proven)
        self.need_way("newer", "changed since this boot: "
                      "/efi/EFI/Linux/newer.efi looks for it")
        self.need_signature(disks.SWAP)
