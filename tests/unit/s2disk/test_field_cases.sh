#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# s2disk --check --root on systems that people reported (tests/data/field-cases/README).
set -u

program=$PWD/s2disk/s2disk
data=$(cd "${srcdir:-$(dirname "$0")/../../..}" && pwd)/tests/data/field-cases
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

complain()
{
	echo "$name: $*" >&2
	sed 's/^/	/' "$work/out" >&2
	failed=1
}

# prepare CASE ROOT [INITRAMFS]: that system, with its initramfs in its place.
prepare()
{
	name=$1/$2
	rm -rf "$work/root"
	cp -R "$data/$1/$2" "$work/root"
	chmod -R u+w "$work/root"
	[ $# -lt 3 ] || install -D -m 600 "$data/$1/initramfs.cpio" "$work/root/$3"
}

# check CODE OPTION...: how the checks end.
check()
{
	code=$1
	shift
	"$program" --check --root="$work/root" "$@" </dev/null >"$work/out" 2>&1
	ended=$?
	[ "$ended" -eq "$code" ] || complain "ended with $ended, not $code"
}

# reports LEVEL ID WORDS: a check has these.
reports()
{
	grep -q "^$1  *$2 .*$3" "$work/out" || complain "no $1 $2 with '$3'"
}

not_reported()
{
	if grep -q "^$1  *$2 " "$work/out"; then
		complain "$1 $2"
	fi
}

# What zram holds must be saved, and what goes there stays in memory.
prepare 01-zram-counted-as-room root
check 3
reports failed swap-size 'held by zram'
reports warning zram '/dev/zram0 first'

# At the next boot the device has another key.
prepare 04-random-key-swap-partition root boot/efi/EFI/Pop_OS-1111/initrd.img
check 3
reports failed swap-device 'key is random'

# Nothing in its initramfs opens the mapping, and it is not below root.
prepare 05-luks-swap-unlocked-late root boot/initramfs-6.1.img
check 3
reports failed way-back swap

# What a boot loader's configuration says is no reason for a refusal.
for root in root-two-blanks root-tab root-saved root-windows; do
	prepare 06-loader-conf $root boot/initramfs-linux.img
	check 0
	not_reported failed way-back
done
prepare 07-grub-default-is-windows root boot/initrd.img-6.1.0-40-amd64
check 0
not_reported failed way-back

# That boot had no initramfs.
prepare 08-ubuntu-cloud-boots-without-initrd root boot/initrd.img-6.5.13
check 3
reports failed way-back initramfs

prepare 11-hibernatemode-shutdown root
check 3
reports ok method 'shutdown, as HibernateMode='

prepare 16-keymap-not-in-initramfs root boot/initramfs-linux.img
check 0
reports warning keyboard 'layout of this system is fr'

prepare 22-ntfs-and-esp-shared-with-windows root
check 3
reports warning shared-mounts \
	'mounted for writing: /boot/efi (vfat), /mnt/data (ntfs3), /mnt/games (fuseblk)'

# No resume=, and nothing in the image that boots names a place.
prepare 23-limine-uki-empty-resume root
check 3
reports failed way-back .

# With an offset that is empty, or of another file, there is no area.
prepare 23-limine-uki-empty-resume root
cp "$data/23-limine-uki-empty-resume/cmdline-4974" "$work/root/proc/cmdline"
check 3
reports failed swap-area 'resume_offset='
cp "$data/23-limine-uki-empty-resume/cmdline-11437" "$work/root/proc/cmdline"
check 3
reports failed swap-area 'not active'

prepare 32-swap-on-lvm-thin root
check 3
reports failed swap-device 'thin'

exit "$failed"
