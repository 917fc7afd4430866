/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page frames that drift (history/maps/drift.h) are offlined early in each boot, and again before
 * each freeze, so that no image contains them: it then fits a boot whose firmware takes them.
 */
#ifndef S2DISK_KEEP_FREE_H
#define S2DISK_KEEP_FREE_H

#include "base/why.h"
#include "config/settings.h"
#include "history/maps/boots_seen.h"
#include "history/maps/drift.h"
#include "history/maps/kept_free.h"
#include "platform/platform.h"

/* Boots and hibernations wait no longer than this for it, microseconds. */
#define KEEP_FREE_USEC 5000000

struct keep_free {
	struct map_history history; /* with this boot; empty if none is kept */
	struct boot_memory boot;
	struct drift drift;
	struct kept_free note; /* what became of it */
};

/* Harmless on a zeroed struct, and leaves one. */
void keep_free_end(struct keep_free *keep);

/* What keep_free() looks at in a platform: less than platform_capture() does, and quicker. 0 or a
 * negative errno with w; *ret is to be freed with platform_free. */
int keep_free_capture(const char *root, const char *kernel_log, struct platform *ret,
		      struct why *w);

/* Counts this boot in the history, once, with those before it whose image was discarded
 * (history/maps/boots_left.h), and offlines what drifts and is not yet offlined: free
 * and movable pages. Logs what the kernel holds, once in each boot. With "drift = n", without a
 * memory map, where nothing drifts and while the kernel cannot hibernate, nothing is offlined,
 * noted or logged. kernel_log may be NULL. *ret, to be freed with keep_free_end, is filled also on
 * failure: what is known is kept free even if the history cannot be written. 0 or a negative errno
 * with w. */
int keep_free(const char *root, const struct settings *settings, const struct platform *platform,
	      const char *kernel_log, struct keep_free *ret, struct why *w);

/* In a restored system, which platform describes: counts the boots that found the image, which
 * were handed over, and keeps free what they teach, also where they cannot be counted yet
 * (history/maps/boots_left.h). Writes files, so call it after the thaw. 0 or a negative errno with
 * w. */
int keep_free_resumed(const char *root, const struct settings *settings,
		      const struct platform *platform, const struct boots_seen *seen,
		      struct why *w);

/* Before a freeze: keep_free(), of which failures are logged; they keep no machine from
 * hibernating. The history goes into platform->met, for the image. */
void keep_free_before(const char *root, const struct settings *settings, struct platform *platform);

/* "s2disk --keep-free": keep_free(), on as much of the machine as it needs, unless an s2disk
 * hibernates now. 0 or a negative errno with w. */
int keep_free_at_boot(const char *root, const struct settings *settings, struct why *w);

#endif
