#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The boot goes on, with root mounted: an image that was missed is stale, and so is the
# firmware's variable that leads to it. dracut sources this.
default=
[ -e /conf/conf.d/s2disk ] || default=$(getarg resume=)
/usr/lib/uswsusp/resume --default-device="$default" --record-missed
