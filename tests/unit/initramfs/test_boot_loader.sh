#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# GRUB's own reader sees on the disk what was changed right before the power went,
# once boot_settle() has been there. Needs root, a loop device, grub-fstest.
set -eu

skip() { echo "$1"; exit 77; }

[ "$(id -u)" = 0 ] || skip "root is needed"
for tool in grub-fstest losetup mkfs.xfs mkfs.ext4; do
	command -v "$tool" >/dev/null || skip "$tool is needed"
done
work=$(mktemp -d)
boot=$work/root/boot
end() { umount "$boot" 2>/dev/null || :; rm -rf "$work"; }
trap end EXIT
mkdir -p "$boot"

hash() { sha256sum | cut -d' ' -f1; }
read_by_grub() { grub-fstest "$work/$1" cat '(loop0)/initrd.img' | hash; }

for kind in xfs ext4; do
	rm -f "$work/disk"
	truncate -s 320M "$work/disk"
	"mkfs.$kind" -q "$work/disk"
	mount -o loop "$work/disk" "$boot" 2>/dev/null || skip "nothing can be mounted here"
	head -c 9000000 /dev/urandom >"$boot/initrd.img"
	umount "$boot"
	mount -o loop "$work/disk" "$boot"

	# What an update does, and then what the kernel does before it freezes.
	head -c 9000000 /dev/urandom >"$boot/initrd.img.new"
	mv "$boot/initrd.img.new" "$boot/initrd.img"
	sync
	cp "$work/disk" "$work/before"
	SETTLE_ROOT=$work/root ./tests/unit/boot/test_boot_settle
	# The power goes: no unmount.
	cp "$work/disk" "$work/after"
	echo more >"$boot/thawed" # would block forever
	new=$(hash <"$boot/initrd.img")
	umount "$boot"
	[ "$(read_by_grub before)" = "$new" ] || echo "$kind: after sync GRUB reads the old file"
	if [ "$(read_by_grub after)" != "$new" ]; then
		echo "$kind: GRUB does not see what was written last"
		exit 1
	fi
done
