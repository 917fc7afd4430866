#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# s2disk --check --root: what is read is below the directory, nothing is written there.
set -u

program=$PWD/s2disk/s2disk
data=$(cd "${srcdir:-$(dirname "$0")/../../..}" && pwd)/tests/data/preflight
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
failed=0

complain()
{
	echo "$*" >&2
	sed 's/^/	/' "$work/out" >&2
	failed=1
}

# expect CODE OPTION...: how the checks end.
expect()
{
	code=$1
	shift
	"$program" --check --root="$work/root" "$@" </dev/null >"$work/out" 2>&1
	ended=$?
	[ "$ended" -eq "$code" ] || complain "--check $*: ended with $ended, not $code"
}

# reports LEVEL ID WORDS: a line of the last output has these.
reports()
{
	grep -q "^$1  *$2 .*$3" "$work/out" || complain "no $1 $2 with '$3'"
}

fresh()
{
	rm -rf "$work/root"
	cp -R "$data/good" "$work/root"
	chmod -R u+w "$work/root"
	echo '/dev/vda2 /dev/vda2 254:2 0 0' >"$work/root/area"
	printf 'UUID=22 254:2\nUUID=33 254:3\n' >"$work/root/devices"
}

fresh
(cd "$work/root" && find . -exec ls -ld {} +) >"$work/before"
expect 0 -P 'way back = ignore'
reports ok root 'running as root'
reports ok snapshot-device 'can be opened'
reports ok swap-area '/dev/vda2 is active'
grep -q "$work" "$work/out" && complain "its own path is printed"
(cd "$work/root" && find . -exec ls -ld {} +) >"$work/after"
cmp "$work/before" "$work/after" >&2 || complain "something was written"
chmod -R a-w "$work/root"
expect 0 -P 'way back = ignore' --json
grep -q '"result": "ok"' "$work/out" || complain "no JSON"

# Its configuration, and a name that leads to its area, or elsewhere, or nowhere.
fresh
mkdir -p "$work/root/etc"
printf 'way back = ignore\nresume device = UUID=22\n' >"$work/root/etc/suspend.conf"
expect 0
printf 'way back = ignore\nresume device = UUID=33\n' >"$work/root/etc/suspend.conf"
expect 3
reports failed swap-area 'UUID=33 is not active'
printf 'way back = ignore\nencrypt = y\nkey file = /etc/passwd\n' >"$work/root/etc/suspend.conf"
expect 3
reports failed encrypt '/etc/passwd'
printf 'nonsense = y\nway back = ignore\n' >"$work/root/etc/suspend.conf"
expect 0
reports warning settings ' /etc/suspend.conf:1: unknown key'

# A link there means that system.
fresh
mkdir -p "$work/root/etc"
echo 'way back = ignore' >"$work/root/etc/suspend.conf"
rm "$work/root/proc/meminfo"
ln -s /proc/meminfo "$work/root/proc/meminfo"
expect 0
reports warning memory '/proc/meminfo cannot be used'
rm "$work/root/proc/cmdline"
echo 'resume=UUID=33' >"$work/root/line"
ln -s /line "$work/root/proc/cmdline"
expect 3
reports failed swap-area 'UUID=33 is not active'

# Without the file there is no area; one that cannot be understood is none either.
fresh
rm "$work/root/area"
expect 3
reports failed swap-area 'no swap area'
for line in '/dev/vda2' '/dev/vda2 /dev/vda2 254 0 0' '/dev/vda2 /dev/vda2 254:2 0 7' \
	'/dev/vda2 /dev/vda2 254:2 18446744073709551615 1' ''; do
	echo "$line" >"$work/root/area"
	expect 2
	grep -q 'area: ' "$work/out" || complain "'$line': no reason"
done

# How it is powered off.
fresh
mkdir -p "$work/root/etc/systemd/sleep.conf.d"
printf '[Sleep]\nHibernateMode=shutdown\n' >"$work/root/etc/systemd/sleep.conf.d/hibernatemode.conf"
expect 0 -P 'way back = ignore'
reports ok method "shutdown, as HibernateMode= of systemd's sleep.conf says"
expect 0 -P 'way back = ignore' -m platform
reports ok method 'platform: '

# What a kernel answered, in a report.
fresh
printf '%s\n' '/swap\040file /dev/vda2 254:2 7 1' >"$work/root/area"
{
	echo 'euid 1000'
	echo 'open-read /dev/snapshot -16'
	echo 'open-write /dev/vda2 -1'
	echo 'active -19'
	echo 'entry -'
} >"$work/root/answers"
expect 3 -P 'way back = ignore'
reports failed root 'not running as root'
reports failed snapshot-device 'busy'
reports failed mounted-device 'the kernel does not permit writing to /dev/vda2'
reports failed swap-area '/swap file is not active'
head -c 4096 /dev/zero >"$work/root/area-page"
echo 'free 4096' >"$work/root/answers"
echo 'active 0' >>"$work/root/answers"
expect 3 -P 'way back = ignore'
reports failed swap-area 'there is no swap signature at page 7'
{
	echo 'no-area -126 UUID=5: is locked'
	echo 'no-platform there is no memory for it'
} >"$work/root/answers"
expect 3 -P 'way back = ignore'
reports failed swap-area 'UUID=5: is locked'
reports failed platform 'there is no memory for it'

# Its own path is left out; a longer name that begins alike is another's.
echo "no-area -126 $work/root/swap beside ${work}/rooted: is locked" >"$work/root/answers"
expect 3 -P 'way back = ignore'
reports failed swap-area "/swap beside ${work}/rooted: is locked"
grep -q "$work/root/" "$work/out" && complain "its own path is printed"

# A kernel that refuses.
fresh
cp "$data/lockdown-integrity/sys/kernel/security/lockdown" "$work/root/sys/kernel/security/"
expect 3
reports failed snapshot-device 'locked down'

rm -rf "$work/root"
expect 2
exit "$failed"
