#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The scripts of the initramfs generators, with made-up generators around them:
# what is put in, what is waited for, how resume is called. Full guests
# (tests/vm) prove those of initramfs-tools and dracut; these are for the
# branches that no guest takes.
set -u

source=${srcdir:-$(dirname "$0")/../../..}/initramfs
build=initramfs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Some complain in a subshell, so a file says it.
complain() {
	echo "$*" >&2
	: >"$work/failed"
}

# is WHAT FOUND WANTED
is() {
	[ "$2" = "$3" ] || complain "$1: '$2' instead of '$3'"
}

# A resume that records how it was called and answers --print-device and
# --print-key-files.
cat >"$work/resume" <<END
#!/bin/sh
case "\$*" in
--print-default) cat "$work/default"; exit ;;
esac
echo "resume \$*" >>"$work/calls"
case "\$*" in
*--print-device) cat "$work/device" ;;
*--print-key-files) cat "$work/keys" ;;
*--plain-allowed*)
	[ ! -e "$work/sealed-only" ] || exit 1
	[ ! -e "$work/code" ] || exit "\$(cat "$work/code")"
	;;
*) [ ! -e "$work/fails" ] ;;
esac
END
chmod +x "$work/resume"

: >"$work/keys"
: >"$work/default"

# in_place SCRIPT: a copy that uses the made-up resume and files below $work.
in_place() {
	sed -e "s,/usr/lib/uswsusp/resume,$work/resume,g" \
		-e "s,/tmp/s2disk-wait,$work/wait,g" -e "s,/proc/uptime,$work/uptime,g" \
		-e "s,/run/systemd/ask-password,$work/asks,g" -e "s,/proc/\([[\$]\),$work/processes/\1,g" \
		-e "s,/conf/conf.d,$work/conf.d,g" -e "s,/scripts/,$work/scripts/,g" \
		-e "s,/run/s2disk,$work/run,g" \
		"$1" >"$work/script"
	: >"$work/calls"
	: >"$work/device"
}

for script in "$build/initramfs-tools/hooks/s2disk" \
	"$source/initramfs-tools/scripts/init-bottom/s2disk" \
	"$source/initramfs-tools/scripts/local-premount/s2disk"; do
	is "$script prereqs" "$(sh "$script" prereqs)" ""
	sh -n "$script" || complain "$script cannot be read"
done

# initramfs-tools
mkdir -p "$work/scripts/local-premount" "$work/conf.d"
: >"$work/scripts/functions"
# shellcheck disable=SC2016 # for the script
echo 'local_device_setup() { echo "wait $*" >>"$CALLS"; return 1; }' >"$work/scripts/local"
premount() { # RESUME-OF-INIT
	in_place "$source/initramfs-tools/scripts/local-premount/s2disk"
	echo "$2" >"$work/device"
	[ -n "$2" ] || : >"$work/device"
	CALLS=$work/calls resume=$1 sh "$work/script" || complain "the boot script failed"
	tr '\n' ';' <"$work/calls"
}
# resume always runs: it records what the boot looked at, even if that is nothing.
is "nothing named" "$(premount "" "")" \
	"resume --default-device= --print-device;resume --default-device=;"
is "named" "$(premount "" UUID=1)" "resume --default-device= --print-device;wait UUID=1 \
hibernation device false;resume --default-device=;"
echo "RESUME=UUID=2" >"$work/conf.d/resume"
is "noresume" "$(premount "" UUID=2)" "resume --default-device=UUID=2 --print-device;wait UUID=2 \
hibernation device false;resume --default-device=UUID=2;"
echo "RESUME=none" >"$work/conf.d/resume"
is "RESUME=none" "$(premount "" "")" \
	"resume --default-device= --print-device;resume --default-device=;"
printf '#!/bin/sh\n' >"$work/scripts/local-premount/resume"
chmod +x "$work/scripts/local-premount/resume"
is "waited for already" "$(premount UUID=2 UUID=2)" \
	"resume --default-device=UUID=2 --print-device;resume --default-device=UUID=2;"
is "another was waited for" "$(premount UUID=2 UUID=3)" "resume --default-device=UUID=2 \
--print-device;wait UUID=3 hibernation device false;resume --default-device=UUID=2;"
# Where root is not on a local disk, the former is not run.
bottom() {
	in_place "$source/initramfs-tools/scripts/init-bottom/s2disk"
	sh "$work/script" || complain "the last boot script failed"
	cat "$work/calls"
}
is "not run, and nothing chosen" "$(bottom)" "resume --default-device= --record-missed"
echo "RESUME=UUID=2" >"$work/conf.d/resume"
is "not run" "$(bottom)" "resume --default-device=UUID=2 --record-missed"
: >"$work/fails"
is "not run, and not recorded" "$(bottom)" "resume --default-device=UUID=2 --record-missed"
rm "$work/fails"
mkdir -p "$work/run"
: >"$work/run/boot"
# Its device may not have come, and the firmware's variable is stale now.
is "was run" "$(bottom)" "resume --default-device=UUID=2 --record-missed"
rm -r "$work/run"

# Where configure found systemd's units: on the host, whose own are no part of this.
units=$(sed -n 's/^from=//p' "$build/systemd/s2disk-systemd")
[ "$units" ] || complain "s2disk-systemd does not say where units are"

# built SCRIPT: a copy of one with configure's directories filled in.
built() {
	sed -e "s,$units/systemd,$work/units/systemd,g" \
		-e "s,[^ (=]*/resume --p,$work/resume --p,g" -e "s,/etc/,$work/etc/,g" \
		-e "s,/usr/lib/kernel,$work/kernel,g" -e "s,/usr/share/,$work/,g" \
		"$build/$1" >"$work/script"
}

# With encryption, the layout of the keyboard is put in.
layout() { # LINE OF suspend.conf
	mkdir -p "$work/etc"
	echo "$1" >"$work/etc/suspend.conf"
	built initramfs-tools/conf-hooks.d/s2disk
	sh -ec 'KEYMAP=; UMASK=; . "$1"; echo "$KEYMAP$UMASK"' - "$work/script"
}
is "no encryption" "$(layout "# encrypt = y")" ""
is "encrypt = n" "$(layout "encrypt = n")" ""
is "encrypt = y" "$(layout "encrypt = y")" y
is "Encrypt: yes" "$(layout '  Encrypt: "yes" # for travel')" y
echo "/etc/image.key" >"$work/keys"
is "a key file inside" "$(layout "encrypt = y")" y0077
mkdir -p "$work/initramfs-tools"
# shellcheck disable=SC2016 # for the script
echo 'manual_add_modules() { echo "$*" >>"${MODULES:-/dev/null}"; }; copy_exec() { :; }; copy_file() { echo "$*" >>"$CALLS"; return 1; }' \
	>"$work/initramfs-tools/hook-functions"
put_in() { # SHELL: what the hook puts in beside resume and configuration
	: >"$work/calls"
	"$@" || complain "$* failed"
	grep -v -e suspend.conf -e print-key-files -e plain-allowed "$work/calls" | tr '\n' ';'
}
# A directory in place of a file is skipped: a hook that fails keeps kernels
# from being installed.
mkdir -p "$work/etc/suspend.conf.d/old.conf"
echo "key file in initramfs = y" >"$work/test.conf"
echo "key file = $work/etc $work/script" >>"$work/test.conf"
is "directory as a key" "$(resume/resume -f "$work/test.conf" --print-key-files 2>&1)" "$work/script"
# shellcheck disable=SC2016 # for the script
echo 'manual_add_modules() { echo "$*" >>"${MODULES:-/dev/null}"; }; copy_exec() { :; }; copy_file() { [ -f "$2" ] || return 2; }' \
	>"$work/initramfs-tools/hook-functions"
mv "$work/keys" "$work/no-keys"
: >"$work/keys"
built initramfs-tools/hooks/s2disk
sh "$work/script" || complain "initramfs-tools: fails because of a directory"
mv "$work/no-keys" "$work/keys"
# shellcheck disable=SC2016 # for the script
echo 'manual_add_modules() { echo "$*" >>"${MODULES:-/dev/null}"; }; copy_exec() { :; }; copy_file() { echo "$*" >>"$CALLS"; return 1; }' \
	>"$work/initramfs-tools/hook-functions"
built initramfs-tools/hooks/s2disk
# The system's own script hands the device to the kernel, and runs before ours.
stock() { # : what is left of it
	DESTDIR=$work/initramfs
	mkdir -p "$DESTDIR/scripts/local-premount"
	: >"$DESTDIR/scripts/local-premount/resume"
	: >"$DESTDIR/scripts/local-premount/s2disk"
	built initramfs-tools/hooks/s2disk
	CALLS=$work/calls DESTDIR=$DESTDIR sh "$work/script" || complain "the hook failed"
	(cd "$DESTDIR/scripts/local-premount" && echo *)
}
is "initramfs-tools: any image" "$(MODULES=$work/modules stock)" "resume s2disk"
is "initramfs-tools: modules" "$(cat "$work/modules")" "lz4 efivarfs"
: >"$work/sealed-only"
is "initramfs-tools: encrypted ones only" "$(stock)" "s2disk"
rm "$work/sealed-only"
# One that cannot run says nothing of encryption.
echo 2 >"$work/code"
is "initramfs-tools: wrong configuration" "$(stock)" "s2disk"
echo 127 >"$work/code"
is "initramfs-tools: resume cannot run" "$(stock 2>"$work/warned")" "resume s2disk"
is "initramfs-tools: warns" "$(grep -c 'ended with 127' "$work/warned")" 1
rm "$work/code"
built initramfs-tools/hooks/s2disk
is "initramfs-tools: key" "$(CALLS=$work/calls put_in sh "$work/script")" "key /etc/image.key;"
built dracut/55s2disk/module-setup.sh
# shellcheck disable=SC2034 # for the script
dracutsysrootdir=
# shellcheck disable=SC2317 # called by the script
dracut_install() {
	moddir=$work
	export moddir
	inst_binary() { :; }
	inst_hook() {
		echo "$1 $2" >>"$work/stages"
		[ "$1" != cmdline ] || echo "$*" >>"$work/hooks"
	}
	inst_simple() { echo "simple $2"; }
	dracut_module_included() { case " ${modules-} " in *" $1 "*) return 0 ;; esac; return 1; }
	dracut_need_initqueue() { :; }
	dwarn() { echo "$*" >>"$work/dwarned"; }
	inst_multiple() { echo "$*" >>"$work/calls"; }
	instmods() { echo "${hostonly-unset}:$*" >"$work/modules"; }
	# shellcheck source=/dev/null
	. "$work/script"
	installkernel
	install
}
is "dracut: key" "$(put_in dracut_install)" "-o /etc/image.key;"
is "dracut: modules" "$(cat "$work/modules")" ":lz4 efivarfs"
# What is baked into an image of this machine only: the one area there is.
baked() { # HOSTONLY
	# shellcheck disable=SC2034 # called by the script
	hostonly=$1 initdir=$work/baked
	dracut_install >/dev/null
	[ ! -e "$work/baked/conf" ] || tr '\n' ';' <"$work/baked/conf/conf.d/s2disk"
	rm -rf "$work/baked"
}
is "dracut: no default" "$(baked 1)" ""
printf 'RESUME=UUID=8\nRESUME_OFFSET=38912\n' >"$work/default"
is "dracut: default" "$(baked 1)" "RESUME=UUID=8;RESUME_OFFSET=38912;"
is "dracut: default, any machine's" "$(baked "")" ""
is "dracut: default, named" "$(kernel_cmdline="rd.auto resume=UUID=1" baked 1)" ""
: >"$work/default"
# Pools are imported by units, with systemd: resume is one before these, and no hook.
stages() { # MODULES
	# shellcheck disable=SC2034 # called by the script
	modules=$1 initdir=$work/zfs systemdsystemunitdir=/units
	: >"$work/stages"
	dracut_install >/dev/null
	tr '\n' ';' <"$work/stages"
}
is "dracut: systemd" "$(stages systemd)" "initqueue/finished zz;pre-mount 09;pre-pivot 90;"
is "dracut: ZFS" "$(stages "zfs base")" "initqueue/finished zz;pre-mount 09;pre-pivot 90;"
is "dracut: no unit" "$(ls "$work/zfs" 2>/dev/null)" ""
is "dracut: ZFS and systemd" "$(stages "systemd zfs")" "initqueue/finished zz;pre-pivot 90;"
unit=$work/zfs/units/s2disk-resume.service
is "dracut: before pools" "$(grep -c -e '^Before=zfs-import-scan.service zfs-import-cache.service ' \
	-e '^Before=dracut-pre-mount.service ' "$unit")" 2
is "dracut: before pools, once" "$(grep -c -e '^RemainAfterExit=yes$' \
	-e '^ConditionPathIsMountPoint=!/sysroot$' "$unit")" 2
is "dracut: before pools, wanted" \
	"$(cd "${unit%/*}/initrd.target.wants" && readlink -f s2disk-resume.service)" "$unit"
rm -r "$work/zfs"
# Where only encrypted images may be resumed, neither dracut's own module nor systemd
# gets to hand the device to the kernel.
initdir=$work/initramfs
is "dracut: any image" "$(ls "$work/hooks" "$initdir/etc" 2>/dev/null)" ""
echo 127 >"$work/code"
put_in dracut_install >"$work/said"
is "dracut: resume cannot run" "$(ls "$work/hooks" 2>/dev/null)" ""
is "dracut: warns" "$(grep -c 'plain-allowed failed' "$work/dwarned")" 1
rm "$work/code"
# For another system it is that one's configuration.
# shellcheck disable=SC2034
dracutsysrootdir=$work/sysroot
: >"$work/sealed-only"
put_in dracut_install >"$work/said"
is "dracut: a system without configuration" "$(ls "$work/hooks" 2>/dev/null)" ""
mkdir -p "$work/sysroot$work/etc"
: >"$work/sysroot$work/etc/suspend.conf"
put_in dracut_install >"$work/said"
is "dracut: another system's" "$(grep -e '--plain-allowed -f' "$work/calls")" \
	"resume --plain-allowed -f $work/sysroot$work/etc/suspend.conf"
is "dracut: another system's, encrypted" "$(cat "$work/hooks")" \
	"cmdline 90 $work/s2disk-sealed.sh"
rm "$work/hooks" "$work/sealed-only"
# shellcheck disable=SC2034
dracutsysrootdir=
: >"$work/sealed-only"
put_in dracut_install >"$work/said"
is "dracut: encrypted ones only" "$(cat "$work/hooks")" "cmdline 90 $work/s2disk-sealed.sh"
for unit in systemd-hibernate-resume systemd-hibernate-resume@; do
	is "dracut: $unit" "$(readlink "$initdir$work/etc/systemd/system/$unit.service")" /dev/null
done
rm "$work/sealed-only"
mkdir -p "$work/rules.d" "$work/pre-mount"
: >"$work/rules.d/99-resume.rules"
: >"$work/rules.d/99-resume-link.rules"
: >"$work/pre-mount/10-resume.sh"
: >"$work/pre-mount/09-s2disk-resume.sh"
# Until dracut 101 the hooks are where $hookdir says.
mkdir -p "$work/lib/pre-mount"
: >"$work/lib/pre-mount/10-resume.sh"
sed -e "s,/etc/udev/,$work/,g" -e "s,/var/lib/dracut/hooks/,$work/,g" \
	"$source/dracut/55s2disk/s2disk-sealed.sh" >"$work/script"
hookdir=$work/lib sh "$work/script" || complain "dracut: taking it away failed"
is "dracut: what is left where dracut is older" "$(ls "$work/lib/pre-mount")" ""
is "dracut: what is left" "$(cd "$work" && echo rules.d/* pre-mount/*)" \
	"rules.d/99-resume-link.rules pre-mount/09-s2disk-resume.sh"
if command -v bash >/dev/null; then
	for name in s2disk sd-s2disk; do
		built "mkinitcpio/install/$name"
		# shellcheck disable=SC2016
		is "mkinitcpio: key in $name" "$(BUILDROOT=$work/root CALLS=$work/calls put_in bash -c \
			'add_module() { :; }; add_binary() { :; }; add_dir() { mkdir -p "$BUILDROOT$1"; }; add_file() { echo "$1" >>"$CALLS"; }; add_runscript() { :; }
			. "$1"; build' - "$work/script")" "/etc/image.key;"
	done
fi
: >"$work/keys"

# dracut
wait_for() { # DEVICE UPTIME: the exit code
	in_place "$source/dracut/55s2disk/s2disk-wait.sh"
	echo "$1" >"$work/device"
	[ -n "$1" ] || : >"$work/device"
	echo "$2.50 9.9" >"$work/uptime"
	(
		# shellcheck disable=SC2317
		getarg() { echo "of $1"; }
		# shellcheck disable=SC2317
		label_uuid_to_dev() { echo "$1"; }
		# shellcheck source=/dev/null
		. "$work/script"
	)
	echo $?
}
is "dracut: nothing named" "$(wait_for "" 10)" 0
is "dracut: asked with" "$(cat "$work/calls")" "resume --default-device=of resume= --print-device"
is "dracut: not there" "$(wait_for "$work/no" 10)" 1
for uptime in 15 20 25 30 35 39; do
	is "dracut: not there yet" "$(wait_for "$work/no" $uptime)" 1
done
is "dracut: given up" "$(wait_for "$work/no" 40)" 0
# While a passphrase is being asked for, by dracut as well, the time does not count.
rm "$work/wait"
mkdir -p "$work/asks" "$work/processes/1" "$work/processes/20"
echo systemd >"$work/processes/1/comm"
wait_on() { # UPTIME...
	for uptime; do
		wait_for "$work/no" "$uptime"
	done | tr -d '\n'
}
is "dracut: slow" "$(wait_on 10 100 200 300 400 500 600)" 1111110
rm "$work/wait"
printf '[Ask]\nPID=1\nSocket=%s\n' "$work/asks/sck.x2" >"$work/asks/ask.x1"
is "dracut: asked by systemd" "$(wait_on 10 20 30 40 50 60 70 80 90)" 111111111
# The program that asked was killed, or wrote no more than this.
printf '[Ask]\nPID=33\nSocket=%s\n' "$work/asks/sck.x2" >"$work/asks/ask.x1"
printf '[Ask]\nPID=' >"$work/asks/ask.x3"
: >"$work/asks/sck.x2"
is "dracut: and then no more" "$(wait_on 95 100 105 110 115 119 120)" 1111110
for name in cryptsetup plymouth systemd-ask-pas systemd-cryptse; do
	rm "$work/wait"
	echo "$name" >"$work/processes/20/comm"
	is "dracut: asked by $name" "$(wait_on 10 15 20 25 30 35 40 45)" 11111111
done
echo plymouthd >"$work/processes/20/comm"
is "dracut: not asked" "$(wait_on 50 55 60 65 70 75)" 111110
in_place "$source/dracut/55s2disk/s2disk-resume.sh"
(
	# shellcheck disable=SC2317
	getarg() { echo "of $1"; }
	# shellcheck source=/dev/null
	. "$work/script"
)
is "dracut: resumes" "$(cat "$work/calls")" "resume --default-device=of resume="
# The default of the image overrides what dracut chose.
mkdir -p "$work/conf.d"
: >"$work/conf.d/s2disk"
in_place "$source/dracut/55s2disk/s2disk-resume.sh"
# shellcheck source=/dev/null
(. "$work/script")
is "dracut: resumes from the default" "$(cat "$work/calls")" "resume --default-device="
wait_for "" 10 >"$work/said"
is "dracut: waits for the default" "$(cat "$work/calls")" "resume --default-device= --print-device"
in_place "$source/dracut/55s2disk/s2disk-record.sh"
# shellcheck source=/dev/null
(. "$work/script")
is "dracut: the boot goes on" "$(cat "$work/calls")" "resume --default-device= --record-missed"
rm "$work/conf.d/s2disk"

# dracut, which images have it: check() with 0, or with 255 without a request.
mkdir -p "$work/bare/etc/cmdline.d" "$work/bare/etc/default"
sed -e "s,[^ (]*/resume --p,$work/resume --p,g" -e "s,/etc/,$work/bare/etc/,g" \
	-e "s,/proc/swaps,$work/bare/swaps,g" \
	-e "s,/usr/lib/kernel,$work/bare,g" "$build/dracut/55s2disk/module-setup.sh" >"$work/bare/module"
# checked [VARIABLE=VALUE]...: what dracut has set beside these
checked() {
	bash -c 'require_binaries() { return "$missing"; }
		check_kernel_config() {
			[ "$*" = CONFIG_HIBERNATION_SNAPSHOT_DEV ] && return "$kernel_cannot"
		}
		missing=0 kernel_cannot=0 hostonly=yes mount_needs= kernel_cmdline= swap_devs=()
		dracutmodules= add_dracutmodules= force_add_dracutmodules=
		for setting in "${@:2}"; do eval "$setting"; done
		. "$1"; check' - "$work/bare/module" "$@"
	echo $?
}
# use_of WHAT FILE TEXT: for this machine only, it is in because of that file.
use_of() {
	mv "$work/bare/$2" "$work/bare/kept" 2>/dev/null
	echo "$3" >"$work/bare/$2"
	is "dracut: $1" "$(checked)" 0
	rm "$work/bare/$2"
	[ ! -e "$work/bare/kept" ] || mv "$work/bare/kept" "$work/bare/$2"
}
if command -v bash >/dev/null; then
	printf 'Filename\tType\tSize\tUsed\tPriority\n/dev/zram0 partition 8 0 100\n' \
		>"$work/bare/swaps"
	printf '# UUID=1 none swap sw 0 0\nUUID=2 / ext4 x-swap=n 0 1\n' >"$work/bare/etc/fstab"
	: >"$work/device"
	is "dracut: no swap but zram" "$(checked)" 255
	is "dracut: no swap, mounts named" "$(checked hostonly= mount_needs=1)" 255
	is "dracut: for all machines" "$(checked hostonly=)" 0
	is "dracut: for a kernel without hibernation" "$(checked hostonly= kernel_cannot=1)" 255
	is "dracut: no resume" "$(checked hostonly= missing=1)" 1
	is "dracut: swap that dracut found" "$(checked "swap_devs=(/dev/sda2)")" 0
	is "dracut: a place in dracut.conf" "$(checked "kernel_cmdline='quiet resume=UUID=1'")" 0
	use_of "active swap" swaps "Filename
/dev/sda2 partition 8 0 -2"
	use_of "swap in fstab" etc/fstab "UUID=1	none	swap"
	use_of "a configuration" etc/suspend.conf ""
	use_of "GRUB's arguments" etc/default/grub 'GRUB_CMDLINE_LINUX="resume=UUID=1"'
	use_of "arguments of dracut's" etc/cmdline.d/1.conf "quiet resume=UUID=1"
	echo UUID=1 >"$work/device"
	is "dracut: a place on the command line" "$(checked)" 0
	: >"$work/device"
	mv "$work/bare/swaps" "$work/bare/kept"
	is "dracut: swap cannot be seen" "$(checked)" 0
	mv "$work/bare/kept" "$work/bare/swaps"
	is "dracut: no swap, still" "$(checked)" 255
	for name in dracutmodules add_dracutmodules force_add_dracutmodules; do
		is "dracut: a crash dump's, $name" \
			"$(checked hostonly= "$name=' kdumpbase squash'")" 255
	done
	is "dracut: openSUSE's crash dump" "$(checked add_dracutmodules=kdump)" 255
	# The ordinary initramfs of a system that catches early crashes.
	is "dracut: earlykdump" "$(checked hostonly= add_dracutmodules=earlykdump)" 0
fi

# mkinitcpio
hook() { # RESUME-OF-INIT DEVICE
	in_place "$source/mkinitcpio/hooks/s2disk"
	echo "$2" >"$work/device"
	[ -n "$2" ] || : >"$work/device"
	(
		# shellcheck disable=SC2034
		resume=$1 noresume=
		# shellcheck disable=SC2317
		resolve_device() { echo "wait $*" >>"$work/calls"; }
		# shellcheck source=/dev/null
		. "$work/script"
		run_hook
	) || complain "mkinitcpio: run_hook failed"
	tr '\n' ';' <"$work/calls"
}
is "mkinitcpio: nothing named" "$(hook "" "")" \
	"resume --default-device= --print-device;resume --default-device=;"
is "mkinitcpio: named" "$(hook /dev/x UUID=5)" "resume --default-device=/dev/x \
--print-device;wait UUID=5;resume --default-device=/dev/x;"
# The system's own hook.
hook_early() { # : what is left of it
	in_place "$source/mkinitcpio/hooks/s2disk"
	mkdir -p "$work/hooks.d"
	: >"$work/hooks.d/resume"
	: >"$work/hooks.d/s2disk"
	sed -i "s, /hooks/, $work/hooks.d/,g" "$work/script"
	(
		# shellcheck source=/dev/null
		. "$work/script"
		run_earlyhook
	) || complain "mkinitcpio: run_earlyhook failed"
	(cd "$work/hooks.d" && echo *)
}
is "mkinitcpio: early, any image" "$(hook_early)" "resume s2disk"
: >"$work/sealed-only"
is "mkinitcpio: early, encrypted ones only" "$(hook_early)" "s2disk"
rm "$work/sealed-only"
# Where resume is not in the image, a condition without "-" keeps the kernel's image
# from being resumed.
for unit in systemd-hibernate-resume systemd-hibernate-resume@; do
	is "$unit" "$(sed -n 's/^\(ExecCondition=.*resume\).*/\1/p' \
		"$source/systemd/$unit.service.d/50-s2disk.conf" | tr '\n' ';')" \
		"ExecCondition=-/usr/lib/uswsusp/resume;"
	is "$unit: other conditions" "$(grep '^Exec' \
		"$source/systemd/$unit.service.d/50-s2disk.conf" | grep -vc 'ition=-')" 0
done
# The answer itself, whatever else is wrong in the configuration.
allowed() { # LINES
	printf '%b' "$1" >"$work/test.conf"
	resume/resume -f "$work/test.conf" --plain-allowed >/dev/null 2>&1
	echo $?
}
is "plain allowed" "$(allowed "")" 0
is "plain allowed: encrypt = n" "$(allowed "encrypt = n\n")" 0
is "plain allowed: encrypt = y" "$(allowed "encrypt = y\n")" 1
is "plain allowed: encrypt = y and nonsense" "$(allowed "encrypt = y\nmismatch action = x\n")" 1
is "plain allowed: encrypt = yse" "$(allowed "encrypt = yse\n")" 1
is "plain allowed: nonsense" "$(allowed "mismatch action = x\n")" 0
if command -v bash >/dev/null; then
	for name in s2disk sd-s2disk; do
		built "mkinitcpio/install/$name"
		# shellcheck disable=SC2016
		said=$(BUILDROOT=$work/root bash -c 'add_module() { echo "module $1"; }
			add_binary() { echo "binary $2"; }
			add_file() { :; }; add_dir() { mkdir -p "$BUILDROOT$1"; }
			add_runscript() { echo runscript; }; . "$1"; build; help >/dev/null' - \
			"$work/script" | tr '\n' ';')
		is "mkinitcpio: $name" "${said%runscript;}" "binary /usr/lib/uswsusp/resume;module lz4?;\
module efivarfs?;"
	done
	is "mkinitcpio: no default" "$(ls "$work/root/conf" 2>/dev/null)" ""
	printf 'RESUME=UUID=8\nRESUME_OFFSET=38912\n' >"$work/default"
	for name in s2disk sd-s2disk; do
		built "mkinitcpio/install/$name"
		rm -rf "$work/root"
		# shellcheck disable=SC2016
		BUILDROOT=$work/root bash -c 'add_module() { :; }; add_binary() { :; }; add_file() { :; }; add_runscript() { :; }
			add_dir() { mkdir -p "$BUILDROOT$1"; }
			. "$1"; build' - "$work/script"
		is "mkinitcpio: default, $name" "$(tr '\n' ';' <"$work/root/conf/conf.d/s2disk")" \
			"RESUME=UUID=8;RESUME_OFFSET=38912;"
	done
	: >"$work/default"
	# Also with noresume, which systemd's own unit is not run with; once, and before root.
	is "mkinitcpio: unit" "$(grep -e ^Cond -e ^After -e ^Remain -e ^Exec \
		"$work/root/usr/lib/systemd/system/s2disk-resume.service" | tr '\n' ';')" \
		"ConditionPathIsMountPoint=!/sysroot;ConditionKernelCommandLine=|!resume;\
ConditionKernelCommandLine=|noresume;After=cryptsetup.target;RemainAfterExit=yes;\
ExecStart=-/usr/lib/uswsusp/resume --wait=30;"
	is "mkinitcpio: unit, before systemd's" "$(grep -c '^Before=systemd-hibernate-resume.service ' \
		"$work/root/usr/lib/systemd/system/s2disk-resume.service")" 1
	: >"$work/default"
	is "mkinitcpio: unit, wanted" "$(readlink \
		"$work/root/usr/lib/systemd/system/initrd.target.wants/s2disk-resume.service")" \
		../s2disk-resume.service
	# The units' drop-ins, where they are installed.
	mkdir -p "$work/units/systemd-hibernate-resume.service.d"
	: >"$work/units/systemd-hibernate-resume.service.d/50-s2disk.conf"
	# systemd skips the rest of a unit after a failed condition. This one
	# is in no image without resume.
	for unit in systemd-hibernate-resume systemd-hibernate-resume@; do
		is "mkinitcpio: sealed only, $unit" "$(tr '\n' ';' \
			<"$work/root/usr/lib/systemd/system/$unit.service.d/60-s2disk-sealed.conf")" \
			"[Service];ExecCondition=$work/resume --plain-allowed;"
	done
	# With systemd, where no device is named or none came, resume is not run before.
	unit=$work/root/usr/lib/systemd/system/s2disk-record.service
	is "mkinitcpio: record" "$(grep -e ^Exec -e ^Cond -e ^After "$unit" | tr '\n' ';')" \
		"After=initrd-root-fs.target;\
ExecStart=-/usr/lib/uswsusp/resume --record-missed;"
	is "mkinitcpio: record, wanted" \
		"$(cd "${unit%/*}/initrd.target.wants" && readlink -f s2disk-record.service)" "$unit"
	# shellcheck disable=SC2016
	is "mkinitcpio: drop-in" "$(BUILDROOT=$work/root bash -c 'add_module() { :; }; add_binary() { :; }
		add_file() { echo "$1"; }; add_dir() { mkdir -p "$BUILDROOT$1"; }; . "$1"; build' - \
		"$work/script" | grep units)" \
		"$work/units/systemd-hibernate-resume.service.d/50-s2disk.conf"
fi
[ ! -e "$work/failed" ]
