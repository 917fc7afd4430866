#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# If only encrypted images may be resumed: removes what dracut's own module has
# prepared to hand the device to the kernel; dracut sources this.
# shellcheck disable=SC2154 # hookdir is dracut's
rm -f /etc/udev/rules.d/99-resume.rules /var/lib/dracut/hooks/pre-mount/10-resume.sh \
	"$hookdir/pre-mount/10-resume.sh"
