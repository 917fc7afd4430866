/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history of memory maps as text, one fact a line, readable by people: doc/history.md has the
 * form. Pure. */
#ifndef S2DISK_HISTORY_MAP_HISTORY_TEXT_H
#define S2DISK_HISTORY_MAP_HISTORY_TEXT_H

#include "base/why.h"
#include "history/maps/map_history.h"

#include <stddef.h>

/* The first line, with the number of the form. */
#define MAP_HISTORY_TITLE "s2disk history of memory maps "
#define MAP_HISTORY_FORM 1

/* Longer files are not histories. */
#define MAP_HISTORY_LIMIT (1u << 20)

/* A longer line is damaged. */
#define MAP_HISTORY_LINE_MAX 1024

/* The text of a history, at most MAP_HISTORY_LIMIT bytes: a map that would exceed this is left
 * out (tens of thousands of regions). The caller frees *ret_text. 0 or -ENOMEM. */
int map_history_encode(const struct map_history *history, char **ret_text, size_t *ret_length);

/* Reads untrusted text. Each line that is damaged or unknown is skipped; so is a map, a setup or a
 * place of the TPM event log that is not complete, since half a map would be a wrong one. They are
 * counted in *ret_skipped. What exceeds the limits is dropped, and a map that occurs twice is one.
 * Counts that contradict each other are corrected. 0; -EBADMSG: not a history; -ENOTSUP: a newer
 * form; -ENOMEM. The caller frees *ret with map_history_free. */
int map_history_parse(const char *text, struct map_history *ret, size_t *ret_skipped,
		      struct why *w);

#endif
