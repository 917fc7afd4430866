/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of this machine's memory maps, and what of it matters for the next image. */
#ifndef S2DISK_INSPECT_HISTORY_H
#define S2DISK_INSPECT_HISTORY_H

#include "base/why.h"
#include "history/maps/drift.h"

#include <stdint.h>
#include <stdio.h>

struct history_view {
	struct map_history history;
	const struct history_setup *setup; /* of this machine; NULL: no boot was counted */
	const struct history_map *map;	   /* of this boot; NULL: not counted */
	struct boot_memory now;
	struct drift drift; /* every place, whatever the settings' limit */
	uint64_t page_size;
	struct frame_list own;	  /* frames that s2disk had offlined in this boot */
	struct frame_list others; /* that something else had */
	struct why damage;	  /* of the file; "": none */
	struct why unknown;	  /* why others are not known; "": they are */
};

/* Looks at the machine below root ("" for this one). 0, or a negative errno with w. */
int history_view_open(const char *root, struct history_view *ret, struct why *w);
void history_view_close(struct history_view *view);

/* The type of the region that takes the first frame of a place at another boot (enum
 * memory_type). */
uint32_t history_view_taker(const struct history_view *view, const struct drift_place *place);

/* Frames of a place in a list. */
uint64_t history_view_within(const struct frame_list *frames, const struct drift_place *place);

/* For people; in JSON. 0 or a negative errno. */
int history_print(const struct history_view *view, FILE *out);
int history_print_json(const struct history_view *view, FILE *out);

#endif
