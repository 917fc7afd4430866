#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's maintainer scripts on a made-up system: what they take away, and not.
set -u

scripts=${srcdir:-.}/debian
DPKG_ROOT=$(mktemp -d)
export DPKG_ROOT
trap 'rm -rf "$DPKG_ROOT"' EXIT
units=$DPKG_ROOT/etc/systemd/system
state=$DPKG_ROOT/var/lib/s2disk
failed=0

# expect TEXT SCRIPT ARGUMENT: it ends well and says that; "" is nothing.
expect() {
	if ! said=$(sh -e "$scripts/s2disk.$2" "$3" 2>&1); then
		echo "$2 $3 failed: $said" >&2
		failed=1
	fi
	case $1/$said in
	/ | ?*/*"$1"*) ;;
	*)
		echo "$2 $3: not '$1' but: $said" >&2
		failed=1
		;;
	esac
}

left() { # FILE...: these, and no others
	if [ "$(cd "$DPKG_ROOT" && find . -mindepth 1 ! -type d | sort)" != \
		"$(printf '%s\n' "$@")" ]; then
		echo "other files are left than $*:" >&2
		find "$DPKG_ROOT" >&2
		failed=1
	fi
}

expect "" postinst configure
expect "" prerm remove
expect "" postrm remove
expect "" postrm purge
left ""

mkdir -p "$units/systemd-hibernate.service.d" "$units/systemd-hybrid-sleep.service.d" "$state"
ln -s /dev/null "$units/systemd-hibernate.service.d/50-s2disk.conf"
touch "$units/systemd-hybrid-sleep.service.d/50-s2disk.conf"
touch "$state/last" "$state/last.new" "$state/swapfile.state"
expect "" prerm upgrade
expect "" postrm upgrade
expect "s2disk-swapfile disable" prerm remove
expect "" postrm remove
if [ ! -L "$units/systemd-hibernate.service.d/50-s2disk.conf" ] || [ ! -e "$state/last" ]; then
	echo "removing took away what is the user's" >&2
	failed=1
fi
expect "swapfile.state stays" postrm purge
left ./etc/systemd/system/systemd-hybrid-sleep.service.d/50-s2disk.conf \
	./var/lib/s2disk/swapfile.state
[ ! -e "$units/systemd-hibernate.service.d" ] || failed=1
rm "$state/swapfile.state"
expect "" postrm purge
[ ! -e "$state" ] || failed=1
exit $failed
