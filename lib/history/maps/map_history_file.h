/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of the history of memory maps: root/var/lib/s2disk/maps. Lost without harm. It has
 * physical addresses, which the kernel shows to root only: so it is readable by root only. */
#ifndef S2DISK_HISTORY_MAP_HISTORY_FILE_H
#define S2DISK_HISTORY_MAP_HISTORY_FILE_H

#include "base/why.h"
#include "history/maps/boots_seen.h"
#include "history/maps/map_history.h"

#define MAP_HISTORY_PATH "/var/lib/s2disk/maps"

/* No file is an empty history. 0, with a sentence in w if damaged lines were skipped; -EBADMSG: it
 * is not a history; -ENOTSUP: a newer s2disk wrote it; -ENXIO: not a file (it is never waited for a
 * FIFO); -ENOMEM; another negative errno. The caller frees *ret with map_history_free. */
int map_history_read(const char *root, struct map_history *ret, struct why *w);

/* Counts this boot in the file, once: nothing is done if boot_id is the one that was counted last,
 * or "" (unknown), nor without a map. Two programs at once wait for each other (a lock of
 * root/run/s2disk/maps.lock, 2 s at most). Replaced as a whole and durably, so that a power cut
 * loses this boot at most. What is not a history is replaced; a newer one, and what cannot be read,
 * stays.
 *
 * 0, with a sentence in w if something was damaged. -ENOENT: there is no root/var/lib (yet);
 * -EROFS: nothing is written there, or the program only looks; another negative errno if it could
 * not be written, with w; the file is then unchanged, unless only the directory's flush failed. ret
 * (may be NULL) gets the history with this boot, also then; but with -ENOMEM it is untouched. The
 * caller frees it with map_history_free. */
int map_history_add(const char *root, const struct boot_memory *boot, const char *boot_id,
		    struct map_history *ret, struct why *w);

/* The same for boots that a restored system learns of: they have no boot id. */
int map_history_add_seen(const char *root, const struct boots_seen *seen, struct why *w);

#endif
