#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Resumes, before any file system is mounted; dracut sources this, with systemd
# in the initramfs as without. What to do about an image is up to resume.
default=
[ -e /conf/conf.d/s2disk ] || default=$(getarg resume=)
/usr/lib/uswsusp/resume --default-device="$default"
