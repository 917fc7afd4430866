# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole Debian systems that s2disk-swapfile sets up, and takes it back."""

import subprocess

from testbed import disks
from testbed.full import FullGuest

LUKS_UUID = "5d15c0de-0000-4000-8000-0000000002a5"


class SwapFile(FullGuest):
    """s2disk-swapfile create --enable, then systemctl hibernate: ext4"""
    name = "debian-swapfile"
    group = "slow"
    limit = 1200
    making = 700            # the guest regenerates its initramfs, emulated
    setup = "true"
    fstab = ("/dev/vda / ext4 defaults 0 1\n"
             "LABEL=boot /boot ext2 defaults 0 2\n")
    root_mib = 1600
    swap_file = "/swapfile"
    guest = """
digest() { find /etc /boot -type f ! -name 'initrd.img*' -exec md5sum {} + |
    sort | md5sum; }
first_boot() {
    %(before)s
    can before
    digest >/var/tmp/digest
    marked enable s2disk-swapfile %(enable)s %(swap_file)s
    mark arguments "$(s2disk-swapfile offset %(swap_file)s)"
    can after
    %(then)s
}
later_boot() { can later; hibernate_and_tell; }
can() { mark "can-$1" "$(busctl --json=short call org.freedesktop.login1 \\
    /org/freedesktop/login1 org.freedesktop.login1.Manager CanHibernate)"; }
hibernate_and_tell() {
    hold main 96 32
    sleep_by hibernate
    s2disk-swapfile check --json | tr -d '\\n' >check.json
    marked disable s2disk-swapfile disable
    mark swaps "$(tail -n +2 /proc/swaps)"
    [ ! -f %(swap_file)s ] || marked remove s2disk-swapfile remove %(swap_file)s
    digest | cmp -s - /var/tmp/digest && mark files "as before"
    [ -f %(swap_file)s ] && mark file-left yes
}
"""
    enable = "create --size=500M --enable"
    before = ":"
    then = "hibernate_and_tell"

    def make_disks(self):
        super().make_disks()
        # No other swap.
        self.disks.remove(self.swap)

    def boot_files(self, number, **options):
        files = super().boot_files(number, **options)
        for name in ("enable", "before", "then", "swap_file"):
            files["/scenario.sh"] = files["/scenario.sh"].replace(
                "%%(%s)s" % name, getattr(self, name))
        return files

    def need_enabled(self, machine, can):
        self.need(machine.mark("enable") == "0", "enable ended with 0")
        self.need("yes" not in machine.mark("can-before"),
                  "logind could not hibernate: " + machine.mark("can-before"))
        self.need("yes" in can, "logind can hibernate: " + can)

    def place(self, machine):
        """Byte of the root disk where the area is."""
        words = dict(word.split("=", 1) for word in
                     machine.mark("arguments").split())
        return int(words["resume_offset"]) * disks.PAGE

    def run(self):
        first = self.boot()
        self.off(self.making)
        self.need_enabled(first, first.mark("can-after"))
        self.need_image(first)
        self.boot()
        self.off(self.making)
        self.need_session_resumed(first)
        self.need_undone()

    def run_with_reboot(self):
        """One boot enables it, the next one hibernates, the third one resumes."""
        first = self.boot()
        self.off(self.making)
        second = self.boot()
        self.off(self.making)
        self.need_enabled(first, second.mark("can-later"))
        self.boot()
        self.off(self.making)
        self.need_session_resumed(second)

    def need_undone(self):
        self.need(self.machine.mark("disable") == "0", "disable ended with 0")
        self.need(self.machine.mark("swaps") == "", "no swap is left: " +
                  self.machine.mark("swaps"))
        self.need(self.machine.mark("remove") in ("0", None) and
                  self.machine.mark("file-left") is None, "the file is gone")
        self.need(self.machine.mark("files") == "as before",
                  "every file of /etc and /boot is as before")

    def need_image(self, first):
        found = disks.signature_at(self.root_disk, self.place(first))
        self.need(found == disks.OURS, "signature in the file: " + found)


class SwapFileBtrfs(SwapFile):
    """the same on btrfs, in a subvolume of its own, with a reboot in between"""
    name = "debian-swapfile-btrfs"
    group = "slow"
    limit = 1500
    fstab = ("/dev/vda / btrfs defaults 0 0\n"
             "LABEL=boot /boot ext2 defaults 0 2\n")
    swap_file = "/hiber/swapfile"
    options = FullGuest.options + " rootfstype=btrfs"
    then = ":"

    @classmethod
    def make_root_disk(cls, root, path):
        disk = disks.Disk(path, cls.root_mib)
        subprocess.run(["/usr/sbin/mkfs.btrfs", "-q", "-f", "--rootdir", root,
                        disk.path], check=True, stdout=subprocess.DEVNULL)

    def run(self):
        # systemd 252 cannot find places on btrfs, only compare with the kernel's.
        self.run_with_reboot()
        self.need_undone()


class SwapFileOnly(SwapFile):
    """a file that is active for hibernating only, and slow to read back: the job ends
    meanwhile, and a unit of its own deactivates it"""
    name = "debian-swapfile-only"
    group = "slow"
    enable = "create --size=500M --enable --hibernate-only"
    # What was in use is in swap then.
    before = """
    mkdir -p /etc/suspend.conf.d
    echo 'image size = 0' >/etc/suspend.conf.d/test.conf
    """
    then = ":"
    guest = SwapFile.guest.replace("    sleep_by hibernate\n", """
    slow=/run/systemd/system/systemd-hibernate.service.d
    mkdir -p $slow
    printf '[Service]\\nIOReadIOPSMax=/dev/vda 50\\n' >$slow/slow.conf
    systemctl daemon-reload
    sleep_by hibernate
    mark scopes "$(journalctl -q -b -o cat _PID=1 | grep -c 'Started s2disk-swapoff-.*scope')"
    mark background "$(journalctl -q -b -o cat | grep -c 'swapfile is being deactivated in the back')"
    for i in $(seq 120); do [ "$(wc -l </proc/swaps)" = 1 ] && break; sleep 1; done
""")

    def run(self):
        # logind reads its drop-in when it starts.
        self.run_with_reboot()
        machine = self.machine
        self.need(machine.mark("jobs") is None, "no job is left: %s" % machine.mark("jobs"))
        self.need(machine.mark("scopes") == "1" and machine.mark("background") == "1",
                  "it was deactivated in a unit of its own: %s, %s" %
                  (machine.mark("scopes"), machine.mark("background")))
        self.need_undone()


class SwapFile13(SwapFile):
    """the same on ext4 with Debian 13"""
    name = "debian-13-swapfile"
    group = "slow"
    suite = "trixie"
    kernel = "6.12"


class SwapFileForky(SwapFile):
    """the same on ext4 with forky, the next Debian"""
    name = "debian-forky-swapfile"
    group = "slow"
    suite = "forky"
    kernel = "6.12"


class EnablePartition(SwapFile):
    """s2disk-swapfile enable of a partition, then systemctl hibernate"""
    name = "debian-enable-partition"
    group = "slow"
    enable = "enable"
    swap_file = "/dev/vdc1"
    make_disks = FullGuest.make_disks

    def need_image(self, first):
        self.need_signature(disks.OURS)


class EnableLuks(EnablePartition):
    """the same with a swap area in LUKS of its own, beside root"""
    name = "debian-enable-luks"
    group = "slow"
    limit = 2000
    making = 1100           # it is encrypted, emulated
    swap_file = "/dev/mapper/hidden"
    passphrase = "correct horse"
    prompt = "Please unlock disk hidden"
    before = """
    printf '%s' >/run/key
    cryptsetup luksFormat -q --type luks2 --uuid %s \\
        --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vdc1 /run/key
    cryptsetup open --key-file /run/key /dev/vdc1 hidden
    mkswap -q /dev/mapper/hidden
    echo 'hidden UUID=%s none luks,initramfs' >>/etc/crypttab
    rm /run/key
""" % (passphrase, LUKS_UUID, LUKS_UUID)

    def boot(self, **options):
        machine = super().boot(**options)
        if self.boots > 1:
            machine.wait_for(self.prompt, self.one_boot)
            machine.type(self.passphrase + "\n")
        return machine

    def need_image(self, first):
        """Only within LUKS."""
        self.need(self.swap.signature() == "", "no signature in plain")
