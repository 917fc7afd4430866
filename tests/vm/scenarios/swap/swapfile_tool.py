# SPDX-License-Identifier: GPL-2.0-or-later
"""s2disk-swapfile: makes a swap file, sets the system up, and takes it all back."""

import base64

from testbed import arch, disks, guest
from testbed.scenario import Scenario

# A system with an initramfs, and a boot loader that the program must not touch, as
# far as it sees them.
SYSTEM = r"""
SWAP=/mnt/swapfile
make_system() {
    mkdir -p /etc/default /boot/grub /etc/systemd /var/lib /usr/sbin
    printf 'GRUB_CMDLINE_LINUX="quiet"\nGRUB_TIMEOUT=5\n' >/etc/default/grub
    echo "linux /vmlinuz quiet" >/boot/grub/grub.cfg
    CRYPTTAB
    # The last line without an end: that is to come back too.
    printf 'UUID=1234 / ext4 defaults 0 1\n/dev/sr0 /media auto noauto 0 0' \
        >/etc/fstab
    # What s2disk looks for in it; the boots of this test have another one.
    cat >/usr/sbin/update-initramfs <<'END'
#!/bin/sh
echo "$*" >>/tmp/initramfs-runs
rm -rf /tmp/initramfs
mkdir -p /tmp/initramfs/usr/lib/uswsusp /tmp/initramfs/scripts/local-premount \
    /tmp/initramfs/cryptroot /tmp/initramfs/etc/suspend.conf.d
cd /tmp/initramfs
cp /usr/lib/uswsusp/resume usr/lib/uswsusp
touch scripts/local-premount/s2disk
cp /etc/suspend.conf.d/* etc/suspend.conf.d 2>/dev/null
cp /etc/crypttab cryptroot 2>/dev/null
find . | cpio -o -H newc | gzip >/boot/initrd.img
END
    chmod +x /usr/sbin/update-initramfs
    mkdir -p /etc/initramfs-tools/hooks
    touch /etc/initramfs-tools/hooks/s2disk
}
# Names, modes and content of all that could be changed.
look() {
    find /etc /boot /var /mnt/only ! -name initrd.img -exec ls -ldn {} + 2>/dev/null |
        awk '{ print $1, $3, $4, $9 }' | sort
    find /etc /boot /var /mnt/only -type f ! -name initrd.img -exec md5sum {} + 2>/dev/null |
        sort
}
is_on() { awk -v name="$1" '$1 == name { print "on" }' /proc/swaps; }
open_device() { :; }
make_area() { marked create s2disk-swapfile create $SIZE $SWAP; }
remove_area() { marked remove s2disk-swapfile remove $SWAP; }
leave() { marked umount umount /mnt; }
first_boot() {
    open_device
    mkdir -p /mnt
    mount_it || mark fail mount
    make_system
    look >/tmp/before
    boot=$(find /boot/grub /etc/default -type f -exec md5sum {} + | md5sum)
    make_area || return
    marked dry-run s2disk-swapfile enable --dry-run $ONLY $SWAP
    look >/tmp/dry
    marked enable s2disk-swapfile enable $ONLY $SWAP || return
    mark arguments "$(s2disk-swapfile offset $SWAP)"
    mark place "$(other_offset)"
    [ "$boot" = "$(find /boot/grub /etc/default -type f -exec md5sum {} + | md5sum)" ] &&
        mark boot-loader untouched
    mark drop-in "$(base64 /etc/suspend.conf.d/90-swapfile.conf | tr -d '\n')"
    mark kernel "$(cat /sys/power/resume) $(cat /sys/power/resume_offset)"
    mark on-enabled "$(is_on $SWAP)"
    marked again s2disk-swapfile enable $ONLY $SWAP
    hold main 64 32
    hibernate $HOW
    sleep 1
    # What s2disk keeps for --last and for later boots; the tool has nothing to do with it.
    rm /var/lib/s2disk/last || mark fail "nothing was kept for s2disk --last"
    rm /var/lib/s2disk/maps || mark fail "the memory map was not noted"
    rmdir /var/lib/s2disk
    mark on-resumed "$(is_on $SWAP)"
    s2disk-swapfile check --json >/tmp/check
    mark check "$?" "$(grep -A1 '"id": "swap-area"' /tmp/check | tail -1)"
    marked disable s2disk-swapfile disable
    mark on-disabled "$(is_on $SWAP)"
    remove_area
    look >/tmp/after
    if cmp -s /tmp/before /tmp/after; then mark system same; else
        mark system "$(diff /tmp/before /tmp/after | grep '^[-+<>]' | head -n 5)"; fi
    [ -f $SWAP ] && mark file-left yes
    mark initramfs-runs "$(grep -c . /tmp/initramfs-runs)"
    leave
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
    drop_in = None          # that the initramfs has
    # What other code says about the place of the file: a number of pages.
    other = "first_extent $SWAP"
    mount = "mount -t %s /dev/vda /mnt"
    open_device = ":"
    crypttab = ":"          # makes one, before anything is looked at
    limit = 400

    @property
    def modules(self):
        return self.file_system

    @property
    def guest(self):
        return (SYSTEM.replace("CRYPTTAB", self.crypttab) + "SIZE='%s'\nONLY='%s'\nHOW='%s'\nmount_it() { %s\n}\n"
                "other_offset() { %s; }\nopen_device() {\n%s\n}\n" %
                (self.size, self.only, self.how,
                 self.mount.replace("%s", self.file_system), self.other,
                 self.open_device))

    def boot_files(self, number, **options):
        files = super().boot_files(number, **options)
        archive = {}
        for name in self.tools:
            program = arch.ALL["amd64"].tool(name)
            archive["/usr/bin/" + name] = program
            archive.update(arch.ALL["amd64"].libraries(program))
        for place, source in archive.items():
            with open(source, "rb") as stream:
                files[place] = stream.read()
        if self.drop_in:
            files["/etc/suspend.conf.d/90-swapfile.conf"] = self.drop_in
        return files

    def make_disks(self):
        self.disk = self.add_disk(disks.Disk(self.path("fs.img"),
                                             self.disk_mib))
        self.swap = self.disk
        self.disk.make_file_system(self.file_system)

    def area_on_disk(self, pages):
        """Byte of self.swap where the area is; None: unknown here."""
        return pages * disks.PAGE

    def run(self):
        before = self.boot()
        self.off()
        self.need(before.mark("create") == "0", "create ended with 0")
        self.need(before.mark("enable") == "0", "enable ended with 0")
        self.need(before.mark("again") == "0", "enabling again is fine")
        self.need(before.mark("s2disk") is None, "s2disk did not return")
        arguments = before.mark("arguments")
        self.figure(arguments)
        words = dict(word.split("=", 1) for word in arguments.split())
        offset = words.get("resume_offset", "0")
        self.need(offset == before.mark("place"),
                  "offset %s is what others say: %s" %
                  (offset, before.mark("place")))
        self.need(before.mark("boot-loader") == "untouched",
                  "the boot loader's files are as before")
        kernel = before.mark("kernel").split()
        self.need(kernel[0] != "0:0" and
                  kernel[1] == words.get("resume_offset", "0"),
                  "the running kernel knows the place: %s" % kernel)
        self.need(before.mark("on-enabled") == ("" if self.only else "on"),
                  "swap after enable: " + before.mark("on-enabled"))
        area = self.area_on_disk(int(offset))
        if area is not None:
            found = disks.signature_at(self.swap, area)
            self.need(found == disks.OURS, "signature at byte %d: %s" %
                      (area, found))
        # Nothing on the command line: the drop-in in the initramfs names the place.
        self.drop_in = base64.b64decode(before.mark("drop-in"))
        machine = self.boot()
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
                  "the initramfs was regenerated twice")


class ToolExt4(SwapFileTool):
    """made, enabled, used, removed: ext4, automatic size"""
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
    """swap for hibernating only: inactive before and after"""
    name = "tool-hibernate-only"
    file_system = "ext4"
    only = "--hibernate-only"


class ToolBtrfs(SwapFileTool):
    """the same on btrfs, compared with btrfs-progs"""
    name = "tool-btrfs"
    file_system = "btrfs"
    size = "--no-subvolume --size=300M"
    tools = ("btrfs", "chattr")
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
        guest._run(arch.ALL["amd64"].tool("mkfs.btrfs"), "-q", "-f", "-d", "single",
                   "-m", "raid1", first.path, self.swap.path)


class ToolBtrfsSubvolume(ToolBtrfs):
    """btrfs, in a subvolume of its own; s2disk -r finds the place itself"""
    name = "tool-btrfs-subvolume"
    group = "slow"
    how = "-r /mnt/swap/swapfile"
    size = "--size=300M"
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

    def area_on_disk(self, pages):
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

    crypttab = "echo 'secret /dev/vda none luks,initramfs' >/etc/crypttab"


class ToolPartition(SwapFileTool):
    """a swap partition: enabled, used, disabled"""
    name = "tool-partition"
    group = "slow"
    file_system = ""
    other = "echo 0"
    modules = ""
    mount = """SWAP=/dev/vda
make_area() { mkswap $SWAP >/dev/null; mark create 0; }
remove_area() { refuse=$(s2disk-swapfile remove $SWAP 2>&1); mark remove $(($? - 3)); }
leave() { mark umount 0; }
"""

    def make_disks(self):
        self.swap = self.add_disk(disks.Disk(self.path("swap.img"), 400))


class ToolPartitionLuks(ToolPartition):
    """a swap area in LUKS of its own, beside the root file system"""
    name = "tool-partition-luks"
    memory = 512
    tools = ("cryptsetup",)
    modules = "dm_crypt xts algif_skcipher"
    crypttab = "echo 'secret /dev/vda none luks,swap,initramfs' >/etc/crypttab"
    mount = ToolPartition.mount.replace("/dev/vda", "/dev/mapper/secret")
    open_device = """
    mkdir -p /run/cryptsetup
    export DM_DISABLE_UDEV=1
    printf key >/tmp/key
    if [ "$BOOT" = 1 ]; then
        cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
            /dev/vda /tmp/key
    fi
    cryptsetup open --key-file /tmp/key /dev/vda secret || mark fail open"""

    def area_on_disk(self, pages):
        return None
