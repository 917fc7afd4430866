# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole Debian systems, encrypted as Debian's installer does it: LVM inside
LUKS, with root and swap in that."""

import os

from testbed import disks, guest, kernels
from testbed.full import FullGuest
from testbed.scenario import Scenario


class Luks(FullGuest):
    """LUKS with root and swap on LVM inside: the passphrase is typed once"""
    name = "debian-luks"
    group = "slow"
    limit = 1500
    one_boot = 500          # asks, and decrypts all, emulated
    luks_uuid = "5d15c0de-0000-4000-8000-0000000001a5"
    fstab = ("/dev/mapper/debian-root / ext4 defaults 0 1\n"
             "LABEL=boot /boot ext2 defaults 0 2\n"
             "/dev/mapper/debian-swap none swap sw 0 0\n")
    crypttab = ("echo 'secret UUID=%s none luks,initramfs' >/etc/crypttab\n" %
                luks_uuid)
    setup = (crypttab + "echo RESUME=/dev/mapper/debian-swap "
             ">/etc/initramfs-tools/conf.d/resume")
    options = "root=/dev/mapper/debian-root ro"
    modules = "dm_crypt xts algif_skcipher dm_mod"
    passphrase = "correct horse"
    prompt = "Please unlock disk secret"
    # The small guest's, which encrypts what the host has made in plain.
    encrypt = """
later_boot() {
    printf '%(passphrase)s' >/tmp/key
    export DM_DISABLE_UDEV=1 LVM_SUPPRESS_FD_WARNINGS=1
    mkdir -p /run/cryptsetup /run/lock/lvm /etc/lvm
    echo 'activation { udev_sync = 0 udev_rules = 0 monitoring = 0 }
devices { obtain_device_list_from_udev = 0 external_device_info_source = "none" use_devicesfile = 0 }
global { event_activation = 0 } backup { backup = 0 archive = 0 }' >/etc/lvm/lvm.conf
    marked format cryptsetup luksFormat -q --type luks2 --uuid %(uuid)s \\
        --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vda /tmp/key
    marked open cryptsetup open --key-file /tmp/key /dev/vda secret
    marked lvm sh -e >/tmp/lvm.out 2>&1 <<'END' || cat /tmp/lvm.out
    lvm pvcreate -q -y /dev/mapper/secret
    lvm vgcreate -q debian /dev/mapper/secret
    lvm lvcreate -q -y -W n -L %(swap)dM -n swap debian
    lvm lvcreate -q -y -W n -L %(root)dM -n root debian
END
    marked swap /usr/bin/mkswap -q /dev/mapper/debian-swap
    marked copy e2image -ra /dev/vdd /dev/mapper/debian-root
    sync
    lvm vgchange -q -an debian
    cryptsetup close secret
}
"""
    formatting = False

    def make_disks(self):
        super().make_disks()
        # Swap is inside; what the host made goes there too.
        self.disks.remove(self.swap)
        os.unlink(self.swap.path)
        self.plain = disks.Disk(self.path("plain.img"))
        os.rename(self.root_disk.path, self.plain.path)
        disks.Disk(self.root_disk.path, 16 + self.root_mib + self.swap_mib + 8)

    @classmethod
    def prepare(cls, builder, default_kernel):
        super().prepare(builder, default_kernel)
        builder.base(kernels.get(cls.kernel))

    def make_initrd(self, **options):
        if self.formatting:
            return Scenario.make_initrd(self, **options)
        return super().make_initrd(**options)

    def boot_files(self, number, **options):
        if not self.formatting:
            return super().boot_files(number, **options)
        files = Scenario.boot_files(self, number, config="", **options)
        for name in ("cryptsetup", "lvm", "e2image"):
            files.update(guest.tool_files(name))
        files["/scenario.sh"] = self.encrypt % {
            "passphrase": self.passphrase, "uuid": self.luks_uuid,
            "swap": self.swap_mib, "root": self.root_mib}
        return files

    def format(self):
        """In a small guest: not every host has a device mapper."""
        self.formatting = True
        self.boots = 99         # not one of the system's
        self.wait_for = "/dev/vdd"
        self.disks.append(self.plain)
        machine = Scenario.boot(self, run_resume=False)
        self.off()
        for what in ("format", "open", "lvm", "swap", "copy"):
            self.need(machine.mark(what) == "0", what + " ended with 0")
        self.disks.remove(self.plain)
        os.unlink(self.plain.path)
        self.boots = 0
        self.formatting = False

    def boot(self, **options):
        machine = super().boot(**options)
        machine.wait_for(self.prompt, self.one_boot)
        machine.type(self.passphrase + "\n")
        return machine

    def need_signature(self, wanted):
        """From outside nothing is to be seen, whatever is inside."""
        with open(self.root_disk.path, "rb") as stream:
            seen = any(word.encode() in data
                       for data in iter(lambda: stream.read(1 << 24), b"")
                       for word in (disks.SWAP, disks.OURS))
        self.need(not seen, "no signature is on the disk in plain")

    def run(self):
        self.format()
        self.hibernate()
        self.resume()
        asked = self.machine.console.count(self.prompt)
        self.need(asked == 1, "asked for the passphrase once: %d" % asked)


class LuksSealed(Luks):
    """the same, the image sealed with a key pair: asked for the disk, then for it"""
    name = "debian-luks-sealed"
    group = "slow"
    sealed = ("\nprintf 'encrypt = y\\nkey pair = /etc/s2disk/key-pair\\n'"
              " >/etc/suspend.conf")
    setup = Luks.setup + sealed
    passphrase = "battery staple"
    guest = """
first_boot() {
    marked keygen sh -c 'echo "%s" | s2disk-keygen'
    hold main 96 32
    sleep_by hibernate
    story
}
""" % passphrase
    asks = "Passphrase for the session on"

    def resume(self, **boot):
        before = self.machine
        self.need(before.mark("keygen") == "0", "s2disk-keygen ended with 0")
        self.need(self.asks not in before.console,
                  "nothing was asked to hibernate")
        machine = self.boot(**boot)
        machine.wait_for(self.asks, self.one_boot)
        machine.type(self.passphrase + "\n")
        self.off(self.one_boot)
        self.need_session_resumed(before)
        asked = machine.console.count(self.asks)
        self.need(asked == 1, "asked for the session's once: %d" % asked)
        self.need(any("encrypted" in line for line in machine.marks("journal")),
                  "the image was sealed")


class KeyFile(FullGuest):
    """an image sealed with a key file, which the hook puts into the initramfs"""
    name = "debian-key-file"
    group = "slow"
    setup = FullGuest.setup + """
umask 077
head -c 64 /dev/urandom >/etc/image.key
printf 'encrypt = y\\nkey file = /etc/image.key\\nkey file in initramfs = y\\n' \\
    >/etc/suspend.conf
umask 022"""
    guest = """
first_boot() {
    mark mode "$(stat -c %a /boot/initrd.img-*)"
    hold main 96 32
    sleep_by hibernate
    story
}
"""

    def run(self):
        super().run()
        machine = self.machine
        self.need("Passphrase" not in machine.console, "no passphrase was asked for")
        self.need(any("encrypted" in line for line in machine.marks("journal")),
                  "the image was sealed")

    def hibernate(self, **options):
        machine = super().hibernate(**options)
        self.need(machine.mark("mode") == "600",
                  "only root can read the initramfs: " + machine.mark("mode"))
        return machine
