#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's maintainer scripts on a made-up system: what they remove, and what not.
set -u

scripts=${srcdir:-$(dirname "$0")/../../..}/debian
DPKG_ROOT=$(mktemp -d)
export DPKG_ROOT
bin=$(mktemp -d)
trap 'rm -rf "$DPKG_ROOT" "$bin"' EXIT
units=$DPKG_ROOT/etc/systemd/system
drop_ins=$DPKG_ROOT/etc/suspend.conf.d
state=$DPKG_ROOT/var/lib/s2disk
failed=0

# A dpkg that knows uswsusp in the state $uswsusp, or does not know it.
uswsusp=
cat >"$bin/dpkg-query" <<'END'
#!/bin/sh
[ "$*" = '-W -f ${db:Status-Status} uswsusp' ] && [ -n "$uswsusp" ] || exit 1
printf %s "$uswsusp"
END
chmod +x "$bin/dpkg-query"
PATH=$bin:$PATH
export PATH uswsusp

# expect TEXT SCRIPT ARGUMENT...: it ends well and says that; "" is nothing.
expect() {
	text=$1 script=$2
	shift 2
	if ! said=$(sh -e "$scripts/s2disk.$script" "$@" 2>&1); then
		echo "$script $* failed: $said" >&2
		failed=1
	fi
	case $text/$said in
	/ | ?*/*"$text"*) ;;
	*)
		echo "$script $*: not '$text' but: $said" >&2
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
ln -s /dev/null "$units/s2disk-keep-free.service"
touch "$units/systemd-hybrid-sleep.service.d/50-s2disk.conf"
mkdir "$state/more"
touch "$state/last" "$state/last.new" "$state/more/record"
expect "" prerm upgrade
expect "" postrm upgrade
expect "" prerm remove
mkdir "$drop_ins"
touch "$drop_ins/90-swapfile.conf"
expect "s2disk-swapfile disable" prerm remove
rm -r "$drop_ins"
expect "" postrm remove
if [ ! -L "$units/systemd-hibernate.service.d/50-s2disk.conf" ] || [ ! -e "$state/last" ]; then
	echo "removing deleted a file of the user's" >&2
	failed=1
fi
expect "" postrm purge
left ./etc/systemd/system/systemd-hybrid-sleep.service.d/50-s2disk.conf
[ ! -e "$units/systemd-hibernate.service.d" ] || failed=1
[ ! -e "$state" ] || failed=1
rm -r "${units%/systemd/system}"

# uswsusp, removed and not purged: its configuration is kept under our own name.
etc=$DPKG_ROOT/etc
configured() { # TEXT UMASK: a new uswsusp.conf
	rm -rf "$etc"
	mkdir "$etc"
	(umask "$2" && echo "$1" >"$etc/uswsusp.conf")
}
configured "resume device = /dev/sda2" 077
uswsusp=config-files
expect "" postinst triggered
expect "" postinst configure 0.1.0-1
left ./etc/uswsusp.conf
expect "copied to /etc/suspend.conf" postinst configure ""
left ./etc/suspend.conf ./etc/uswsusp.conf
if [ "$(sed 1d "$etc/suspend.conf")" != "resume device = /dev/sda2" ] ||
	[ "$(stat -c %a "$etc/suspend.conf")" != 600 ]; then
	echo "suspend.conf is no copy" >&2
	failed=1
fi
expect "" postinst configure
expect "" postrm remove
left ./etc/suspend.conf ./etc/uswsusp.conf
rm "$etc/uswsusp.conf"
expect "" postrm purge
left ""
# The user's own stays, whichever it is.
configured "resume device = /dev/sda2" 022
echo "resume device = /dev/sda3" >"$etc/suspend.conf"
expect "" postinst configure
expect "" postrm purge
left ./etc/suspend.conf ./etc/uswsusp.conf
[ "$(cat "$etc/suspend.conf")" = "resume device = /dev/sda3" ] || failed=1
# It will not be deleted if dpkg does not know uswsusp.
for uswsusp in "" installed; do
	configured "resume device = /dev/sda2" 022
	expect "" postinst configure
	left ./etc/uswsusp.conf
done
# With a directory of either name, a copy would change what is read.
uswsusp=config-files
for name in uswsusp suspend; do
	configured "resume device = /dev/sda2" 022
	mkdir "$etc/$name.conf.d"
	touch "$etc/$name.conf.d/a.conf"
	expect "move it to /etc/suspend.conf" postinst configure
	[ ! -e "$etc/suspend.conf" ] || failed=1
done
exit $failed
