# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole Debian systems whose initramfs is dracut's."""

from testbed.full import FullGuest

from . import system_luks, system_swapfile


class Dracut(FullGuest):
    """swap partition, dracut with systemd in the initramfs"""
    name = "debian-dracut"
    group = "slow"
    generator = "dracut"
    # What dracut would find out by itself on a machine.
    setup = "true"
    options = FullGuest.options + " resume=UUID=" + FullGuest.swap_uuid

    def run(self):
        super().run()
        self.need_swap_recorded()


class Plain(Dracut):
    """the same with dracut, no systemd in the initramfs"""
    name = "debian-dracut-plain"
    group = "slow"
    setup = ("echo 'omit_dracutmodules+=\" systemd systemd-initrd "
             "dracut-systemd \"' >/etc/dracut.conf.d/plain.conf")


class Trixie(Dracut):
    """the same with Debian 13's dracut, systemd 257 in the initramfs"""
    name = "debian-13-dracut"
    group = "slow"
    suite = "trixie"
    kernel = "6.12"


class SwapFile(system_swapfile.SwapFile):
    """s2disk-swapfile create --enable, then systemctl hibernate: ext4, dracut"""
    name = "debian-dracut-swapfile"
    group = "slow"
    limit = 2400
    making = 1100           # dracut is slower at it
    generator = "dracut"


class SwapFileBtrfs(system_swapfile.SwapFileBtrfs):
    """the same on btrfs, in a subvolume of its own, with a reboot in between"""
    name = "debian-dracut-swapfile-btrfs"
    group = "slow"
    limit = 2700
    making = SwapFile.making
    generator = "dracut"


class Luks(system_luks.Luks):
    """dracut, LUKS with root and swap on LVM inside: the passphrase is typed once"""
    name = "debian-dracut-luks"
    group = "slow"
    generator = "dracut"
    setup = system_luks.Luks.crypttab
    # What dracut would find out by itself on a machine.
    options = ("root=/dev/mapper/debian-root ro rd.luks.name=%s=secret "
               "rd.lvm.lv=debian/root rd.lvm.lv=debian/swap "
               "resume=/dev/mapper/debian-swap" % system_luks.Luks.luks_uuid)
    prompt = "Please enter passphrase for disk"


class LuksSealed(Luks, system_luks.LuksSealed):
    """the same, the image sealed with a key pair: asked for the disk, then for it"""
    name = "debian-dracut-luks-sealed"
    group = "slow"
    setup = Luks.setup + system_luks.LuksSealed.sealed
