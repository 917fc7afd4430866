# SPDX-License-Identifier: GPL-2.0-or-later
"""s2disk-swapfile: makes a swap file, sets the system up, and takes it all back."""

from testbed import disks, guest
from testbed.scenario import Scenario

# A system with a boot loader and an initramfs, as far as the program sees it.
SYSTEM = r"""
SWAP=/mnt/swapfile
make_system() {
    mkdir -p /etc/default/grub.d /boot/grub /etc/systemd /var/lib /usr/sbin
    printf 'GRUB_CMDLINE_LINUX="quiet"\nGRUB_TIMEOUT=5\n' >/etc/default/grub
    # The last line without an end: that is to come back too.
    printf 'UUID=1234 / ext4 defaults 0 1\n/dev/sr0 /media auto noauto 0 0' \
        >/etc/fstab
    cat >/usr/sbin/update-grub <<'END'
#!/bin/sh
. /etc/default/grub
for file in /etc/default/grub.d/*.cfg; do
    if [ -e "$file" ]; then . "$file"; fi
done
echo "linux /vmlinuz $GRUB_CMDLINE_LINUX" >/boot/grub/grub.cfg
END
    printf '#!/bin/sh\necho "$*" >>/tmp/initramfs-runs\n' \
        >/usr/sbin/update-initramfs
    chmod +x /usr/sbin/update-grub /usr/sbin/update-initramfs
    update-grub
}
# Names, modes and content of all that could be changed.
look() {
    find /etc /boot /var /mnt/only -exec ls -ldn {} + 2>/dev/null |
        awk '{ print $1, $3, $4, $9 }'
    find /etc /boot /var /mnt/only -type f -exec md5sum {} + 2>/dev/null
}
is_on() { awk -v name="$1" '$1 == name { print "on" }' /proc/swaps; }
open_device() { :; }
first_boot() {
    open_device
    mkdir -p /mnt
    mount_it || mark fail mount
    make_system
    look >/tmp/before
    marked create s2disk-swapfile create $SIZE $SWAP || return
    marked dry-run s2disk-swapfile enable --dry-run $ONLY $SWAP
    look >/tmp/dry
    marked enable s2disk-swapfile enable $ONLY $SWAP || return
    mark told "$(s2disk-swapfile offset $SWAP)"
    mark place "$(other_offset)"
    mark grub "$(cat /boot/grub/grub.cfg)"
    mark on-enabled "$(is_on $SWAP)"
    marked again s2disk-swapfile enable $ONLY $SWAP
    hold main 64 32
    hibernate $HOW
    sleep 1
    # What s2disk keeps for --last; the tool has nothing to do with it.
    rm /var/lib/s2disk/last || mark fail "nothing was kept for s2disk --last"
    mark on-resumed "$(is_on $SWAP)"
    s2disk-swapfile check --json >/tmp/check
    mark check "$?" "$(grep -A1 '"id": "file"' /tmp/check | tail -1)"
    marked disable s2disk-swapfile disable
    mark on-disabled "$(is_on $SWAP)"
    marked remove s2disk-swapfile remove
    look >/tmp/after
    if cmp -s /tmp/before /tmp/after; then mark system same; else
        mark system "$(diff /tmp/before /tmp/after | head -n 5)"; fi
    [ -e $SWAP ] && mark file-left yes
    mark initramfs-runs "$(grep -c . /tmp/initramfs-runs)"
    marked umount umount /mnt
}
before_resume() { [ "$BOOT" = 1 ] || open_device; }
later_boot() { :; }
"""


class SwapFileTool(Scenario):
    file_system = None
    disk_mib = 900
    size = "--size=300M"
    only = ""
    how = ""                # arguments of s2disk
    config = ""
    wait_for = "/dev/vda"
    tools = ()              # of the host, for the guest
    # What other code says about the place of the file: a number of pages.
    other = "first_extent $SWAP"
    mount = "mount -t %s /dev/vda /mnt"
    open_device = ":"
    limit = 400

    @property
    def modules(self):
        return self.file_system

    @property
    def guest(self):
        return (SYSTEM + "SIZE='%s'\nONLY='%s'\nHOW='%s'\nmount_it() { %s; }\n"
                "other_offset() { %s; }\nopen_device() {\n%s\n}\n" %
                (self.size, self.only, self.how,
                 self.mount.replace("%s", self.file_system), self.other,
                 self.open_device))

    def boot_files(self, number, **options):
        files = super().boot_files(number, **options)
        archive = {}
        for name in self.tools:
            program = guest._tool(name)
            archive["/usr/bin/" + name] = program
            for library in guest._libraries(program):
                archive[library] = library
        for place, source in archive.items():
            with open(source, "rb") as stream:
                files[place] = stream.read()
        return files

    def make_disks(self):
        self.disk = self.add_disk(disks.Disk(self.path("fs.img"),
                                             self.disk_mib))
        self.swap = self.disk
        self.disk.make_file_system(self.file_system)

    def area_on_disk(self, told):
        """Byte of self.swap where the area is; None: cannot be told here."""
        return told * disks.PAGE

    def run(self):
        before = self.boot()
        self.off()
        self.need(before.mark("create") == "0", "create ended with 0")
        self.need(before.mark("enable") == "0", "enable ended with 0")
        self.need(before.mark("again") == "0", "enabling again is fine")
        self.need(before.mark("s2disk") is None, "s2disk did not return")
        told = before.mark("told")
        self.figure(told)
        words = dict(word.split("=", 1) for word in told.split())
        self.need(words["resume_offset"] == before.mark("place"),
                  "offset %s is what others say: %s" %
                  (words["resume_offset"], before.mark("place")))
        self.need(before.mark("grub") == "linux /vmlinuz quiet " + told,
                  "GRUB was told: %s" % before.mark("grub"))
        self.need(before.mark("on-enabled") == ("" if self.only else "on"),
                  "swap after enable: " + before.mark("on-enabled"))
        area = self.area_on_disk(int(words["resume_offset"]))
        if area is not None:
            found = disks.signature_at(self.swap, area)
            self.need(found == disks.OURS, "signature at byte %d: %s" %
                      (area, found))
        machine = self.boot(cmdline=told)
        self.off()
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_content(before)
        self.need(machine.mark("on-resumed") == ("" if self.only else "on"),
                  "swap after the resume: " + machine.mark("on-resumed"))
        self.need('"ok"' in machine.mark("check"),
                  "check: " + machine.mark("check"))
        for what in ("disable", "remove", "umount"):
            self.need(machine.mark(what) == "0", what + " ended with 0")
        self.need(machine.mark("on-disabled") == "", "swap is off")
        self.need(machine.mark("file-left") is None, "the file is gone")
        self.need(machine.mark("system") == "same",
                  "the system's files are as before: " +
                  machine.mark("system"))
        self.need(machine.mark("initramfs-runs") == "2",
                  "the initramfs was made anew twice")


class ToolExt4(SwapFileTool):
    """made, enabled, used, taken back: ext4, automatic size"""
    name = "tool-ext4"
    group = "quick"
    file_system = "ext4"
    size = ""


class ToolXfs(SwapFileTool):
    """the same on xfs"""
    name = "tool-xfs"
    group = "slow"
    file_system = "xfs"


class ToolOnly(SwapFileTool):
    """swap for hibernating only: off before and after"""
    name = "tool-hibernate-only"
    file_system = "ext4"
    only = "--hibernate-only"


class ToolBtrfs(SwapFileTool):
    """the same on btrfs, compared with btrfs-progs"""
    name = "tool-btrfs"
    file_system = "btrfs"
    size = "--no-subvolume --size=300M"
    tools = ("btrfs",)
    other = "btrfs inspect-internal map-swapfile -r $SWAP"


class ToolBtrfsTwo(ToolBtrfs):
    """btrfs on two devices: the file is on the second"""
    name = "tool-btrfs-two"
    group = "slow"
    wait_for = "/dev/vdb"
    mount = "btrfs device scan /dev/vda /dev/vdb >/dev/null; " \
        "mount -t btrfs /dev/vda /mnt"

    def make_disks(self):
        first = self.add_disk(disks.Disk(self.path("one.img"), 300))
        self.swap = self.add_disk(disks.Disk(self.path("two.img"), 1200))
        guest._run(guest._tool("mkfs.btrfs"), "-q", "-f", "-d", "single",
                   "-m", "raid1", first.path, self.swap.path)


class ToolBtrfsSubvolume(ToolBtrfs):
    """btrfs, in a subvolume of its own; s2disk -r finds the place itself"""
    name = "tool-btrfs-subvolume"
    group = "slow"
    how = "-r /mnt/swap/swapfile"
    size = "--subvolume --size=300M"
    mount = "mount -t btrfs /dev/vda /mnt; SWAP=/mnt/swap/swapfile"


class ToolF2fs(SwapFileTool):
    """f2fs: pinned, whole sections"""
    name = "tool-f2fs"
    file_system = "f2fs"


class ToolLvm(SwapFileTool):
    """ext4 on LVM"""
    name = "tool-lvm"
    group = "slow"
    file_system = "ext4"
    # Busybox has mke2fs of its own, which knows ext2 only.
    tools = ("lvm", "mke2fs")
    mount = "mount -t ext4 /dev/vg/lv /mnt"
    open_device = """
    export LVM_SUPPRESS_FD_WARNINGS=1
    mkdir -p /run/lock/lvm /etc/lvm
    echo 'activation { udev_sync = 0 udev_rules = 0 monitoring = 0 }
devices { obtain_device_list_from_udev = 0 external_device_info_source = "none" use_devicesfile = 0 }
global { event_activation = 0 } backup { backup = 0 archive = 0 }' >/etc/lvm/lvm.conf
    if [ "$BOOT" = 1 ]; then
        lvm pvcreate -q -y /dev/vda
        lvm vgcreate -q vg /dev/vda >/dev/null 2>&1
        lvm lvcreate -q -y -W n -L 40M -n before vg >/dev/null 2>&1
        lvm lvcreate -q -y -W n -L 800M -n lv vg >/dev/null 2>&1
        /usr/bin/mke2fs -q -F -t ext4 -b 4096 /dev/vg/lv
    else
        lvm vgchange -q -ay
    fi"""

    @property
    def modules(self):
        return "dm_mod ext4"

    def make_disks(self):
        self.disk = self.add_disk(disks.Disk(self.path("fs.img"),
                                             self.disk_mib))
        self.swap = self.disk

    def area_on_disk(self, told):
        return None


class ToolLuks(ToolLvm):
    """ext4 on LUKS"""
    name = "tool-luks"
    memory = 512
    tools = ("cryptsetup", "mke2fs")
    mount = "mount -t ext4 /dev/mapper/secret /mnt"
    open_device = """
    mkdir -p /run/cryptsetup
    export DM_DISABLE_UDEV=1
    printf key >/tmp/key
    if [ "$BOOT" = 1 ]; then
        cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
            /dev/vda /tmp/key
    fi
    cryptsetup open --key-file /tmp/key /dev/vda secret || mark fail open
    if [ "$BOOT" = 1 ]; then /usr/bin/mke2fs -q -F -t ext4 -b 4096 /dev/mapper/secret; fi"""

    @property
    def modules(self):
        return "dm_crypt xts algif_skcipher ext4"
