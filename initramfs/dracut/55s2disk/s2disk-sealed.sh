#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Where only encrypted images may be resumed: takes away what dracut's own module has
# just prepared for handing the device to the kernel; dracut sources this.
# shellcheck disable=SC2154 # hookdir is dracut's
rm -f /etc/udev/rules.d/99-resume.rules /var/lib/dracut/hooks/pre-mount/10-resume.sh \
	"$hookdir/pre-mount/10-resume.sh"
