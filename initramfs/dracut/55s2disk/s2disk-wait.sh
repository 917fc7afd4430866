#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2317 # dracut sources this, in a subshell, over and over
# Waits for the device to resume from: 0 once it is there, if there is none, or
# 30 seconds after everything else that the boot waits for, not counting the time
# while a passphrase is being asked for: the device may be encrypted.
default=
[ -e /conf/conf.d/s2disk ] || default=$(getarg resume=)
device=$(/usr/lib/uswsusp/resume --default-device="$default" --print-device)
[ -n "$device" ] || return 0
[ ! -b "$(label_uuid_to_dev "$device")" ] || return 0

read -r now _ </proc/uptime
now=${now%%.*}

# systemd's agents answer the questions in there; without systemd, dracut's crypt module
# and others run these, which read it from the terminal or through plymouth.
is_asked() {
	# A program that was killed leaves its question behind.
	for file in /run/systemd/ask-password/ask.*; do
		[ -e "$file" ] || continue
		while read -r line; do
			case $line in
			PID=*) [ ! -e "/proc/${line#PID=}/comm" ] || return 0 ;;
			esac
		done <"$file"
	done 2>/dev/null
	for file in /proc/[0-9]*/comm; do
		{ read -r name <"$file"; } 2>/dev/null || continue
		case $name in
		cryptsetup | plymouth | systemd-ask-pas | systemd-cryptse) return 0 ;;
		esac
	done
	return 1
}

# While dracut itself is asking, this is not called: no step counts for more than 5.
waited=0 last=$now
[ ! -e /tmp/s2disk-wait ] || read -r waited last </tmp/s2disk-wait
step=$((now - last))
[ $step -le 5 ] || step=5
waited=$((waited + step))
! is_asked || waited=0
echo "$waited $now" >/tmp/s2disk-wait
[ $waited -ge 30 ]
