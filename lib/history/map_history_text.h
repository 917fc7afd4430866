/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history of memory maps as text: one fact a line, readable by people. Pure. */
#ifndef S2DISK_HISTORY_MAP_HISTORY_TEXT_H
#define S2DISK_HISTORY_MAP_HISTORY_TEXT_H

#include "base/why.h"
#include "history/map_history.h"

#include <stddef.h>

/* Longer files are not histories. */
#define MAP_HISTORY_LIMIT (1u << 20)

/* The caller frees *ret_text. 0 or -ENOMEM. */
int map_history_encode(const struct map_history *history, char **ret_text, size_t *ret_length);

/* Reads untrusted text. A line that is damaged or unknown is skipped and counted in *ret_skipped;
 * a map with a damaged region is dropped as a whole: half a map would be a wrong one. What exceeds
 * the limits is dropped. 0; -EBADMSG: not a history; -ENOTSUP: a newer form; -ENOMEM. The caller
 * frees *ret with map_history_free. */
int map_history_parse(const char *text, struct map_history *ret, size_t *ret_skipped,
		      struct why *w);

#endif
