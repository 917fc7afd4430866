#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# s2disk-systemd on a made-up system: off, on, what is not its own.
set -u

program=$PWD/initramfs/systemd/s2disk-systemd
from=$(sed -n 's/^from=//p' "$program")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
failed=0

# expect CODE TEXT ARGUMENT...: exit code and a part of what is printed.
expect() {
	code=$1 text=$2
	shift 2
	found=0
	said=$(sh "$program" "$@" 2>&1) || found=$?
	if [ "$found" != "$code" ]; then
		echo "$*: exit $found instead of $code: $said" >&2
		failed=1
	fi
	case $said in
	*"$text"*) ;;
	*)
		echo "$*: no '$text' in: $said" >&2
		failed=1
		;;
	esac
}

same() { # WHAT: as before?
	if [ "$(cd "$root" && find . | sort)" != "$before" ]; then
		echo "$1: files are not as before" >&2
		failed=1
	fi
}

if [ "$from" = no ]; then
	echo "test_s2disk_systemd: SKIP: configured without systemd"
	exit 77
fi
expect 1 "is missing" --root="$root" on
expect 3 "systemd-hibernate: the kernel" --root="$root" status
for unit in systemd-hibernate systemd-hybrid-sleep systemd-suspend-then-hibernate; do
	mkdir -p "$root$from/$unit.service.d"
	echo "[Service]" >"$root$from/$unit.service.d/50-s2disk.conf"
done
echo "[Service]" >"$root$from/s2disk-keep-free.service"
mkdir -p "$root/etc/systemd/system/systemd-hibernate.service.d"
touch "$root/etc/systemd/system/systemd-hibernate.service.d/mine.conf"
before=$(cd "$root" && find . | sort)
# The configuration below the directory: what its own resume says.
bin=$(mktemp -d)
trap 'rm -rf "$root" "$bin"' EXIT
# shellcheck disable=SC2016 # for the script
printf '#!/bin/sh\n[ "$1" = "%s" ] && [ "${2##*/} $3" = "resume --plain-allowed" ] || exit 125
exit "$(cat "%s/code")"\n' "$root" "$bin" >"$bin/chroot"
chmod +x "$bin/chroot"
PATH=$bin:$PATH
echo 0 >"$bin/code"

expect 0 "systemd-hybrid-sleep: s2disk" --root="$root" status
expect 0 "s2disk-keep-free: on" --root="$root" status
expect 0 "systemd-suspend-then-hibernate: s2disk, as before" --root="$root" on
expect 0 "s2disk-keep-free: on, as before" --root="$root" on
same "on when it is on"
expect 0 "systemd-hybrid-sleep: the kernel" --root="$root" off
case $said in
*before*) echo "off says that it was so before: $said" >&2 && failed=1 ;;
*encrypt*) echo "off warns without need: $said" >&2 && failed=1 ;;
esac
echo 1 >"$bin/code"
expect 0 "the next boot will not resume it" --root="$root" off
echo 2 >"$bin/code"
# Nor does the service run that keeps memory free for images.
if [ "$(readlink "$root/etc/systemd/system/s2disk-keep-free.service")" != /dev/null ]; then
	echo "off leaves the service that keeps memory free" >&2
	failed=1
fi
expect 3 "s2disk-keep-free: off" --root="$root" status
expect 0 "s2disk-keep-free: off, as before" --root="$root" off
expect 3 "systemd-suspend-then-hibernate: the kernel" --root="$root" status
expect 0 "systemd-hibernate: the kernel, as before" --root="$root" off
expect 3 "the kernel" --root="$root" status
# One of them only.
rm "$root/etc/systemd/system/systemd-hibernate.service.d/50-s2disk.conf"
expect 3 "systemd-hibernate: s2disk" --root="$root" status
expect 0 "systemd-hybrid-sleep: the kernel, as before" --root="$root" off
case $said in
*"systemd-hibernate: the kernel"?"systemd-hybrid-sleep"*) ;;
*) echo "off does not say what changed: $said" >&2 && failed=1 ;;
esac
expect 0 "s2disk-keep-free: on" on --root="$root"
expect 0 "systemd-hibernate: s2disk" --root="$root" on
expect 0 "systemd-hibernate: s2disk" --root="$root" status
same "off and on"

# The user's own file of that name is left alone.
echo "[Service]" >"$root/etc/systemd/system/systemd-hibernate.service.d/50-s2disk.conf"
expect 0 "systemd-hibernate: as $root/etc/systemd/system/" --root="$root" on
expect 3 "systemd-hybrid-sleep: s2disk" --root="$root" status
expect 1 "is not a link to /dev/null" --root="$root" off
if [ ! -s "$root/etc/systemd/system/systemd-hibernate.service.d/50-s2disk.conf" ]; then
	echo "a file of the user's is gone" >&2
	failed=1
fi
rm "$root/etc/systemd/system/systemd-hibernate.service.d/50-s2disk.conf"
same "off that was refused"
echo "[Service]" >"$root/etc/systemd/system/s2disk-keep-free.service"
expect 1 "s2disk-keep-free.service is not a link to /dev/null" --root="$root" off
expect 0 "s2disk-keep-free: on, as before" --root="$root" on
rm "$root/etc/systemd/system/s2disk-keep-free.service"
same "off that was refused for the service"
# Without it, as where s2disk was installed without this service.
rm "$root$from/s2disk-keep-free.service"
expect 0 "s2disk-keep-free: off" --root="$root" status
echo "[Service]" >"$root$from/s2disk-keep-free.service"

# Its unit: early, and after whatever mounts /var.
unit=${srcdir:-$(dirname "$0")/../../..}/initramfs/systemd/s2disk-keep-free.service.in
for line in DefaultDependencies=no RequiresMountsFor=/var/lib/s2disk \
	"After=systemd-remount-fs.service zfs-mount.service"; do
	grep -qx "$line" "$unit" || {
		echo "$unit: no $line" >&2
		failed=1
	}
done

expect 0 "Usage: s2disk-systemd" --help
expect 0 "s2disk-systemd " --version
expect 2 "unknown argument 'maybe'" maybe
expect 2 "one command only" on off
expect 2 "on, off or status" --root="$root"
exit $failed
