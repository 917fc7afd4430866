#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2317 # dracut sources this, in a subshell, over and over
# Waits for the device to resume from: 0 when it is there, when there is none,
# or 30 seconds after all else that the boot waits for was there.
device=$(/usr/lib/uswsusp/resume --default-device="$(getarg resume=)" --print-device)
[ -n "$device" ] || return 0
[ ! -b "$(label_uuid_to_dev "$device")" ] || return 0

read -r now _ </proc/uptime
now=${now%%.*}
[ -e /tmp/s2disk-wait ] || echo "$now" >/tmp/s2disk-wait
read -r since </tmp/s2disk-wait
[ $((now - since)) -ge 30 ]
