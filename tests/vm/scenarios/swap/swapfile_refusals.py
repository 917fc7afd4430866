# SPDX-License-Identifier: GPL-2.0-or-later
"""s2disk-swapfile refuses what could not be resumed from, and says why."""

from testbed import disks
from .swapfile_tool import SwapFileTool

# refuse NAME WORDS COMMAND…: marks the exit code, and what was output instead
# of the words.
GUEST = r"""
refuse() {
    name=$1
    words=$2
    shift 2
    output=$("$@" 2>&1)
    code=$?
    case $output in
    *"$words"*) mark "refused-$name" "$code" ;;
    *) mark "refused-$name" "$code, and printed: $(echo "$output" | tr '\n' ' ')" ;;
    esac
}
create() { refuse "$1" "$2" s2disk-swapfile create --size=32M "$3"; }
enable() { refuse "$1" "$2" s2disk-swapfile enable "$3"; }
mount_ext4() {
    /usr/bin/mke2fs -q -F -t ext4 -b "${3:-4096}" "$1"
    mkdir -p "$2"
    mount -t ext4 "$1" "$2" || mark fail "mount $2"
}
in_memory() {
    mkdir -p /mnt/tmpfs /mnt/l /mnt/overlay
    mount -t tmpfs none /mnt/tmpfs
    create tmpfs "it is on tmpfs, whose files have no fixed place" /mnt/tmpfs/file
    create initramfs "whose files have no fixed place" /file
    echo 100M >/sys/block/zram0/disksize
    mount_ext4 /dev/zram0 /mnt/zram
    create zram "which is memory" /mnt/zram/file
    umount /mnt/zram
}
not_local() {
    mkdir -p /mnt/9p
    mount -t 9p -o trans=virtio,version=9p2000.L host /mnt/9p || mark fail 9p
    create network "it is on 9p, whose files have no fixed place" /mnt/9p/file
    umount /mnt/9p
}
on_others() {
    mkdir -p /disk/lower /disk/upper /disk/work
    mount -t overlay none /mnt/overlay \
        -o lowerdir=/disk/lower,upperdir=/disk/upper,workdir=/disk/work
    create overlay "it is on overlay, whose files have no fixed place" /mnt/overlay/file
    umount /mnt/overlay
    truncate -s 100M /disk/image
    losetup /dev/loop0 /disk/image
    mount_ext4 /dev/loop0 /mnt/loop
    create loop "use a swap file on the file system that holds" /mnt/loop/file
    umount /mnt/loop
    losetup -d /dev/loop0
    rm -r /disk/image /disk/lower /disk/upper /disk/work
}
random_key() {
    mkdir -p /run/cryptsetup
    export DM_DISABLE_UDEV=1
    head -c 64 /dev/urandom >/tmp/key
    cryptsetup open --type plain --cipher aes-xts-plain64 --key-size 256 \
        --key-file /tmp/key /dev/vdb temp || mark fail cryptsetup
    mount_ext4 /dev/mapper/temp /mnt/crypt
    echo 'temp /dev/vdb /dev/urandom plain,cipher=aes-xts-plain64' >/etc/crypttab
    create random-key "whose key is random at every boot" /mnt/crypt/file
    rm /etc/crypttab
    create no-header "without a LUKS header" /mnt/crypt/file
    umount /mnt/crypt
    mkswap /dev/mapper/temp >/dev/null
    enable no-header-swap "without a LUKS header" /dev/mapper/temp
    cryptsetup close temp
}
# Without names by LVM, only the kernel's table says what these are.
on_changing() {
    head -c 4k /dev/zero | dd of=/dev/vdc bs=4k conv=notrunc 2>/dev/null
    size=$(blockdev --getsz /dev/vdb)
    dmsetup create origin --table "0 $size snapshot-origin /dev/vdb" ||
        mark fail origin
    mount_ext4 /dev/mapper/origin /mnt/changing
    create origin "(snapshot-origin), which updates" /mnt/changing/file
    umount /mnt/changing
    dmsetup remove origin
    dmsetup create pool --table "0 $size thin-pool /dev/vdc /dev/vdb 128 0" ||
        mark fail pool
    dmsetup message /dev/mapper/pool 0 "create_thin 0" || mark fail thin
    dmsetup create thin --table "0 65536 thin /dev/mapper/pool 0" ||
        mark fail thin
    mount_ext4 /dev/mapper/thin /mnt/changing
    create thin "(thin), which updates" /mnt/changing/file
    umount /mnt/changing
    dmsetup remove thin
    dmsetup remove pool
}
protected() {
    mkdir -p /run/systemd/system /home
    mount --bind /disk /home
    create home "ProtectHome" /home/file
    umount /home
    rmdir /run/systemd/system /run/systemd
}
on_ext4() {
    enable not-swap "is not a swap area" /dev/vda
    refuse full "free some space" s2disk-swapfile create --size=1G /disk/file
    truncate -s 50M /disk/hole
    mkswap /disk/hole >/dev/null
    enable hole "has a hole at byte 4096" /disk/hole
    dd if=/dev/zero of=/disk/hole bs=1M count=20 conv=notrunc 2>/dev/null
    mkswap /disk/hole >/dev/null
    enable half-hole "has a hole at byte 20971520" /disk/hole
    dd if=/dev/zero of=/disk/plain bs=1M count=20 2>/dev/null
    enable plain "not a swap file" /disk/plain
    create exists "exists already" /disk/plain
    rm /disk/hole /disk/plain
    s2disk-swapfile create -q --size=32M /disk/file
    swapon /disk/file
    create in-use "exists already" /disk/file
    refuse remove-in-use "is in use as swap" s2disk-swapfile remove /disk/file
    swapoff /disk/file
    s2disk-swapfile remove -q /disk/file
    mount_ext4 /dev/vdb /mnt/small 1024
    # One block too many in front of it.
    dd if=/dev/zero of=/mnt/small/odd bs=1k count=1 2>/dev/null
    dd if=/dev/zero of=/mnt/small/file bs=1M count=20 2>/dev/null
    sync
    mkswap /mnt/small/file >/dev/null
    if [ $(($(filefrag -b1024 -v /mnt/small/file | awk '$1 == "0:" {
            sub("[.][.]", "", $4); print $4 }') % 4)) != 0 ]; then
        enable unaligned "multiple of the page size" /mnt/small/file
    else
        mark refused-unaligned "by chance it is aligned"
    fi
    umount /mnt/small
}
on_btrfs() {
    mkdir -p /mnt/btrfs
    mkfs.btrfs -q -f -d raid1 -m raid1 /dev/vdb /dev/vdc || mark fail mkfs
    mount -t btrfs /dev/vdb /mnt/btrfs || mark fail btrfs
    create mirrored "profile SINGLE" /mnt/btrfs/file
    umount /mnt/btrfs
    mkfs.btrfs -q -f /dev/vdb
    mount -t btrfs -o compress-force /dev/vdb /mnt/btrfs
    dd if=/dev/zero of=/mnt/btrfs/packed bs=1M count=20 2>/dev/null
    mkswap /mnt/btrfs/packed >/dev/null
    sync
    enable compressed "must have the attribute NOCOW" /mnt/btrfs/packed
    s2disk-swapfile create -q --size=32M --no-subvolume /mnt/btrfs/file ||
        mark fail create
    btrfs -q subvolume snapshot /mnt/btrfs /mnt/btrfs/snapshot
    sync
    enable snapshotted "snapshot" /mnt/btrfs/file
    s2disk-swapfile remove -q /mnt/btrfs/file
    umount /mnt/btrfs
}
first_boot() {
    mkdir -p /disk /etc /var/lib
    mount -t ext4 /dev/vda /disk
    look() { find /etc /var /disk | sort | md5sum; }
    before=$(look)
    in_memory
    not_local
    on_others
    random_key
    on_changing
    protected
    on_ext4
    on_btrfs
    [ "$before" = "$(look)" ] && mark left nothing
    umount /disk
}
"""

REFUSED = ("tmpfs", "initramfs", "zram", "network", "overlay", "loop",
           "random-key", "no-header", "no-header-swap", "not-swap", "origin", "thin", "home", "full", "hole", "half-hole", "plain",
           "exists", "in-use", "unaligned", "mirrored", "compressed",
           "snapshotted")


class ToolRefusals(SwapFileTool):
    """a file that could not be resumed from: refused, with the way out"""
    name = "tool-refusals"
    file_system = "ext4"
    wait_for = "/dev/vdc"
    modules = "ext4 btrfs overlay zram loop dm_crypt xts algif_skcipher " \
        "dm_snapshot dm_thin_pool " \
        "9pnet_virtio 9p"
    tools = ("btrfs", "chattr", "mkfs.btrfs", "cryptsetup", "dmsetup", "mke2fs")
    guest = GUEST

    def make_disks(self):
        self.disk = self.add_disk(disks.Disk(self.path("fs.img"), 200))
        self.disk.make_file_system("ext4")
        for name in ("b.img", "c.img"):
            self.add_disk(disks.Disk(self.path(name), 400))
        self.extra = ("-virtfs", "local,path=%s,mount_tag=host,"
                      "security_model=none,readonly=on" % self.work_dir)

    def run(self):
        machine = self.boot()
        self.off()
        for name in REFUSED:
            code = machine.mark("refused-" + name)
            self.need(code == "3", "%s is refused: %s" % (name, code))
        self.need(machine.mark("refused-remove-in-use") == "1",
                  "a file in use is not removed: %s" %
                  machine.mark("refused-remove-in-use"))
        self.need(machine.mark("fail") is None,
                  "everything could be tried: %s" % machine.mark("fail"))
        self.need(machine.mark("left") == "nothing", "nothing was left")
