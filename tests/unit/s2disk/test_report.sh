#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# s2disk --report: what is unpacked of it gives the same findings, and no secrets.
set -u

program=$PWD/s2disk/s2disk
data=$(cd "${srcdir:-$(dirname "$0")/../../..}" && pwd)/tests/data
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
failed=0

complain()
{
	echo "$name: $*" >&2
	failed=1
}

# same: of work/root, a report of it unpacked, and a report of that.
same()
{
	rm -rf "$work/copy" "$work/copy2"
	mkdir "$work/copy" "$work/copy2"
	"$program" --report="$work/tar" --root="$work/root" >"$work/out" 2>&1 ||
		complain "no report: $(cat "$work/out")"
	tar -xpf "$work/tar" -C "$work/copy" || complain "it cannot be unpacked"
	"$program" --check --root="$work/root" >"$work/first" 2>&1
	"$program" --check --root="$work/copy" >"$work/second" 2>&1
	diff "$work/first" "$work/second" >&2 || complain "other findings"
	"$program" --report=- --root="$work/copy" >"$work/tar2" || complain "no second one"
	tar -xpf "$work/tar2" -C "$work/copy2"
	"$program" --check --root="$work/copy2" >"$work/second" 2>&1
	diff "$work/first" "$work/second" >&2 || complain "other findings of the second"
}

take()
{
	name=$1
	rm -rf "$work/root"
	cp -R "$data/$1" "$work/root"
	chmod -R u+w "$work/root"
}

# hidden WORD: no file of the archive has it.
hidden()
{
	grep -rq -e "$1" "$work/copy" && complain "'$1' is in it"
}

kept()
{
	grep -q -e "$2" "$work/copy/$1" || complain "no '$2' in $1"
}

for tree in "$data"/preflight/*; do
	take "preflight/${tree##*/}"
	echo '/dev/vda2 /dev/vda2 254:2 0 0' >"$work/root/area"
	echo 'UUID=22 254:2' >"$work/root/devices"
	same
done
for tree in "$data"/field-cases/*/root*; do
	take "field-cases/${tree#"$data"/field-cases/}"
	packed=${tree%/*}/initramfs.cpio
	for place in boot/initramfs-linux.img boot/initrd.img-6.5.13 boot/initramfs-6.1.img \
		boot/efi/EFI/Pop_OS-1111/initrd.img; do
		[ ! -e "$packed" ] || install -D -m 600 "$packed" "$work/root/$place"
	done
	same
done

# A whole machine: sysfs as it is, with links, and paths longer than a header's field.
take preflight/good
name=machine
part=0000:00:1c.0-a-long-name-as-bridges-have-them-behind-each-other
deep=sys/devices/pci0000:00/$part/$part/$part/$part/$part/host0/target0:0:0/0:0:0:0/block/sda
mkdir -p "$work/root/$deep/sda2" "$work/root/sys/dev/block" "$work/root/sys/firmware/memmap/0" \
	"$work/root/sys/firmware/acpi/tables" "$work/root/dev" "$work/root/etc/suspend.conf.d" \
	"$work/root/var/lib/s2disk" "$work/root/run/s2disk" "$work/root/proc/77/fd" \
	"$work/root/proc/88"
ln -s "../../../$deep/sda2" "$work/root/sys/dev/block/8:2"
ln -s "../../../$deep" "$work/root/sys/dev/block/8:0"
printf 'DEVNAME=sda\n' >"$work/root/$deep/uevent"
printf 'DEVNAME=sda2\n' >"$work/root/$deep/sda2/uevent"
echo 2 >"$work/root/$deep/sda2/partition"
echo 8:0 >"$work/root/$deep/dev"
echo 0x0 >"$work/root/sys/firmware/memmap/0/start"
echo 0x9ffff >"$work/root/sys/firmware/memmap/0/end"
echo 'System RAM' >"$work/root/sys/firmware/memmap/0/type"
printf 'MSDM%064dLICENCE-KEY' 0 >"$work/root/sys/firmware/acpi/tables/MSDM"
echo '/dev/sda2 /dev/sda2 8:2 0 0' >"$work/root/area"
echo 'Filename Type Size Used Priority
/dev/sda2 partition 8388608 0 -2' >"$work/root/proc/swaps"
printf '6,1,0,-;ACPI: DSDT 0x1\n SUBSYSTEM=acpi\n6,2,0,-;usb: Sesame phone\n6,3,0,-;ACPI: FACP 0x2\n' \
	>"$work/root/dev/kmsg"
echo 'encrypt = y
key file = /etc/key
passphrase = n
snapshot device = /dev/snapshot' >"$work/root/etc/suspend.conf"
echo 'nonsense = 1' >"$work/root/etc/suspend.conf.d/a.conf"
head -c 64 /dev/urandom | od -An -tx1 | tr -d ' \n' | sed 's/^/OPENSESAME/' >"$work/root/etc/key"
chmod 600 "$work/root/etc/key"
echo 'quiet rd.luks.key=/etc/luks.key netroot=iscsi:user:sesame1@10.0.0.1::3260 wifi.psk=sesame2 x=y
root.PASSWORD="sesame3" systemd.set_credential=a:sesame4 rd.iscsi.in.password=sesame5' \
	>"$work/root/proc/cmdline"
echo result=resumed >"$work/root/var/lib/s2disk/last"
echo '7f00 r-- /secretmem (deleted)
7f11 r-- /home/user/sesame6' >"$work/root/proc/77/maps"
echo '7f11 r-- /home/user/sesame7' >"$work/root/proc/88/maps"
digest=$(sha256sum <"$work/root/etc/key" | cut -d ' ' -f 1)
other=$(echo sesame9 | sha256sum | cut -d ' ' -f 1)
printf 'run 1\n key %s /etc/key\n key %s /etc/other\n image %s\n' "$digest" "$other" "$other" \
	>"$work/root/run/s2disk/boot"
echo vault >"$work/root/proc/77/comm"
echo sesame8 >"$work/root/etc/shadow"
same
hidden -i '[Ss]esame'
hidden OPENSESAME
hidden "key $digest"
hidden "key $other"
kept run/s2disk/boot " key $(sha256sum <"$work/copy/etc/key" | cut -d ' ' -f 1) /etc/key"
kept run/s2disk/boot " image $other"
hidden LICENCE-KEY
kept proc/cmdline 'rd.luks.key=/etc/luks.key netroot=iscsi:xxxx:xxxxxxx@10.0.0.1::3260'
kept dev/kmsg 'ACPI: FACP'
kept var/lib/s2disk/last 'result=resumed'
kept report 'replaced, secret: /etc/key'
kept etc/suspend.conf 'passphrase = n'
[ -e "$work/copy/proc/88" ] && complain "a process that is no matter"
[ -e "$work/copy/etc/shadow" ] && complain "what was not read is there"
grep -q 'sda2' "$work/second" || complain "the device is not there"
[ "$(wc -c <"$work/copy/etc/key")" = "$(wc -c <"$work/root/etc/key")" ] || complain "another length"
[ "$(stat -c %a "$work/copy/etc/key")" = 600 ] || complain "another mode"
tar -tf "$work/tar" | grep -qx "$deep/sda2/partition" || complain "a long name is not whole"

# A disk that no exclusive open gets is not released, which no file of the system says.
name=claimed
spare=${deep%/0:0:0:0/*}/0:0:1:0
mkdir -p "$work/root/$spare/block/sdb" "$work/root/sys/bus/scsi/devices" \
	"$work/root/sys/bus/scsi/drivers/sd" "$work/root/sys/class/block" "$work/root/proc/self"
ln -s "../../../../$spare" "$work/root/sys/bus/scsi/devices/0:0:1:0"
ln -s "/sys/bus/scsi/drivers/sd" "$work/root/$spare/driver"
ln -s "../../../$spare/block/sdb" "$work/root/sys/class/block/sdb"
echo 'release devices = scsi/0:0:1:0' >"$work/root/etc/suspend.conf.d/b.conf"
echo '36 1 0:5 / / rw - tmpfs none rw' >"$work/root/proc/self/mountinfo"
echo sdb >"$work/root/claimed"
same
grep -q 'its disk sdb is in use' "$work/second" || complain "it is released: $(cat "$work/second")"
rm "$work/root/claimed"
same
grep -q 'its disk sdb is in use' "$work/second" && complain "it is not released"
rm "$work/root/etc/suspend.conf.d/b.conf"

# Secret memory keeps the kernel from hibernating; the process is named.
echo 'no-area -2 nothing' >"$work/root/answers"
echo 'open-read /dev/snapshot -1' >>"$work/root/answers"
same
grep -q 'vault (process 77)' "$work/second" || complain "no process"
kept proc/77/maps secretmem
hidden sesame6

# An absolute link of the system leads to its own file.
mv "$work/root/etc/suspend.conf" "$work/root/var/conf"
ln -s /var/conf "$work/root/etc/suspend.conf"
same
[ "$(readlink "$work/copy/etc/suspend.conf")" = ../var/conf ] || complain "it leads elsewhere"

# A slip in the configuration, and a state that lies elsewhere.
echo 'passphrase = sesame10' >>"$work/root/var/conf"
mv "$work/root/var/lib/s2disk" "$work/root/var/state"
ln -s /var/state "$work/root/var/lib/s2disk"
printf 'run 1\n key %s /etc/other\n' "$other" >"$work/root/var/state/last"
rm -rf "$work/copy"
mkdir "$work/copy"
"$program" --report="$work/tar" --root="$work/root" >"$work/out" 2>&1 || complain "no report"
tar -xpf "$work/tar" -C "$work/copy" || complain "it cannot be unpacked"
kept var/conf 'passphrase = xxxxxxxx'
hidden -i '[Ss]esame'
hidden "key $other"

# Only files are opened: a pipe would block forever.
rm "$work/root/proc/cmdline"
mkfifo "$work/root/proc/cmdline"
timeout 20 "$program" --check --root="$work/root" >"$work/first" 2>&1
[ $? -ne 124 ] || complain "it waits for a pipe"
rm "$work/root/proc/cmdline"

# A unified image: its own command line, and what cannot be read, say the same in a report.
take preflight/good
name=unified
mark=$(grep -ao 's2disk images, form [0-9]*' "$program" | head -n 1)
echo '/dev/vda2 /dev/vda2 254:2 0 0' >"$work/root/area"
echo 'UUID=22 254:2' >"$work/root/devices"
mkdir -p "$work/root/boot/EFI/Linux" "$work/new/usr/lib/uswsusp" "$work/new/hooks"
echo "ELF $mark" >"$work/new/usr/lib/uswsusp/resume"
echo x >"$work/new/hooks/s2disk"
# le SIZE NUMBER: in this many bytes.
le()
{
	left=$1
	number=$2
	while [ "$left" -gt 0 ]; do
		# shellcheck disable=SC2059 # an escape
		printf "\\$(printf %03o $((number % 256)))"
		number=$((number / 256))
		left=$((left - 1))
	done
}
# unified COMMAND-LINE INITRAMFS: .cmdline, then .initrd.
unified()
{
	{
		printf MZ
		head -c 58 /dev/zero
		le 4 64
		printf 'PE\0\0'
		le 2 34404
		le 2 2
		head -c 16 /dev/zero
		printf .cmdline
		le 4 ${#1}
		le 4 0
		le 4 ${#1}
		le 4 168
		head -c 16 /dev/zero
		printf '.initrd\0'
		le 4 "$(wc -c <"$2")"
		le 4 0
		le 4 "$(wc -c <"$2")"
		le 4 $((168 + ${#1}))
		head -c 16 /dev/zero
		printf %s "$1"
		cat "$2"
	} >"$work/root/boot/EFI/Linux/arch.efi"
}
if command -v cpio >/dev/null; then
	(cd "$work/new" && find . | cpio -o -H newc --quiet) | gzip >"$work/initrd"
	unified 'ro resume=UUID=22' "$work/initrd"
	same
	grep -q 'arch.efi looks for it' "$work/second" || complain "not found: $(cat "$work/second")"
	unified 'ro resume=UUID=22 noresume' "$work/initrd"
	same
	grep -q '/boot/EFI/Linux/arch.efi has noresume' "$work/second" || complain "no noresume"
	(cd "$work/new" && echo hooks/s2disk | cpio -o -H newc --quiet) >"$work/initrd"
	for end in '' BZh '\037\213' garbage; do
		# shellcheck disable=SC2059 # with escapes
		printf "$end" >>"$work/initrd"
		unified 'ro resume=UUID=22' "$work/initrd"
		same
	done
	echo garbage >"$work/initrd"
	unified 'ro resume=UUID=22' "$work/initrd"
	same
fi

# Where it is written, and how.
umask 022
name=writing
"$program" --report="$work" --root="$work/root" 2>"$work/out" && complain "over a directory"
grep -q "$work exists" "$work/out" || complain "not said why: $(cat "$work/out")"
"$program" --report="$work/no/such" --root="$work/root" 2>"$work/out" && complain "nowhere"
echo old >"$work/tar"
chmod 644 "$work/tar"
"$program" --report="$work/tar" --root="$work/root" || complain "not over a file"
[ "$(stat -c %a "$work/tar")" = 600 ] || complain "others can read it"
[ "$(find "$work" -maxdepth 1 -name 'tar.*' | wc -l)" -eq 0 ] || complain "a rest of it"
if [ -e /dev/full ]; then
	"$program" --report=- --root="$work/root" >/dev/full 2>/dev/null && complain "onto a full disk"
fi
exit "$failed"
