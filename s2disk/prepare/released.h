/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Releases before the snapshot what cannot be carried through a hibernation, and gives it back
 * after it (lib/release): after the resume, a failure, and a cancel.
 */
#ifndef S2DISK_RELEASED_H
#define S2DISK_RELEASED_H

#include "base/why.h"
#include "config/settings.h"
#include "release/release_plan.h"
#include "s2disk/prepare/platform_section.h"

#include <stdbool.h>

/* Gives back what an s2disk of this boot that was killed has left released. */
void released_recover(const char *root);

/* "release wait": waits until virtio-mem has nothing plugged, since the host has asked for it. */
void released_wait(const struct settings *settings, const char *root);

/* Plans, and changes platform, which was captured below root, into what it will be when all of
 * it is released. 0 or -ENOMEM. */
int released_plan(const struct settings *settings, const char *root, struct platform *platform,
		  struct release_plan *ret);

/* Plans again, since more may be in use by now, releases all of that, and captures the machine:
 * what is released is not described in the image, so it is not compared. From here on signals are
 * held back (abort_watch_begin). Does nothing where nothing was to be released. -EBUSY: what is
 * needed cannot go, or a child that looked at a device waits for it, and does not freeze. settings
 * must live as long as the plan. After a failure nothing is released any more. */
int released_begin(struct release_plan *plan, const struct settings *settings,
		   struct platform_section *section, const char *root, struct why *w);

/* Gives all of it back. resumed: the machine has been off; map: that of the boot that restored this
 * system, NULL or empty where it is not known. */
void released_end(struct release_plan *plan, const struct memory_map *map, const char *root,
		  bool resumed);

#endif
