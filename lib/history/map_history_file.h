/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of the history of memory maps: root/var/lib/s2disk/maps. Lost without harm. */
#ifndef S2DISK_HISTORY_MAP_HISTORY_FILE_H
#define S2DISK_HISTORY_MAP_HISTORY_FILE_H

#include "base/why.h"
#include "history/map_history.h"

#define MAP_HISTORY_PATH "/var/lib/s2disk/maps"

/* No file is an empty history. A damaged one is read as far as it is sound, and said in the log.
 * 0; -ENOTSUP: a newer s2disk wrote it; -ENOMEM; another negative errno, with w. */
int map_history_read(const char *root, struct map_history *ret, struct why *w);

/* Counts a boot in the file, once: nothing is done if boot_id is the one that was counted last
 * (NULL: always counted, for a boot that the restored system learns of). Two programs at once wait
 * for each other (a lock, 2 s at most). Replaced as a whole and durably, so that a power cut loses
 * the newest boot at most; where it cannot be written the old one stays. ret (may be NULL) gets the
 * history with this boot, also where it could not be written. 0 or a negative errno with w. */
int map_history_add(const char *root, const struct boot_memory *boot, enum boot_outcome outcome,
		    const char *boot_id, struct map_history *ret, struct why *w);

#endif
