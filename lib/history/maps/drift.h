/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page frames that drift: RAM at this boot, and something else at another boot that the history
 * knows of. An image that has no page there survives the next move. Pure.
 */
#ifndef S2DISK_HISTORY_DRIFT_H
#define S2DISK_HISTORY_DRIFT_H

#include "history/maps/map_history.h"
#include "platform/memory/frames.h"
#include "platform/memory/maps_met.h"

/* On each side of a TPM event log, pages; and the most for the log with both: it slides by up to
 * 6 pages with the same boot files. */
#define DRIFT_LOG_MARGIN 8
#define DRIFT_LOG_MAX 32

enum drift_cause {
	DRIFT_MAP, /* the firmware or boot loader had a region there */
	DRIFT_LOG, /* surroundings of the TPM event log */
};

/* Neighbouring frames with the same cause, without their margin. */
struct drift_place {
	struct frame_range frames;
	uint64_t boots; /* at which a frame of it was not RAM */
	uint64_t last;	/* the last of these, seconds since 1970 */
	enum drift_cause cause;
};

struct drift {
	uint64_t boots;			    /* of the setup, this one included */
	LIST_OF(struct drift_place) places; /* the likeliest first */
	struct frame_list keep;		    /* to be kept free, margins included; all RAM now */
	uint64_t beyond;		    /* frames of places that exceed the limit */
};

/* Chooses. page_size in bytes; margin in pages on each side of a place; limit in pages: places
 * are taken whole, likeliest first, while they fit. lost: frames that were offlined in this boot
 * (NULL: none); they count against the limit, in the choice or not. Maps of which a table lay
 * elsewhere (no image can resume there) do not count. setup NULL: no history; then only the
 * surroundings of the log. The caller frees *ret with drift_free. 0 or -ENOMEM. */
int drift_choose(const struct history_setup *setup, const struct boot_memory *now,
		 uint64_t page_size, uint64_t margin, uint64_t limit, const struct frame_list *lost,
		 struct drift *ret);
void drift_free(struct drift *drift);

/* In how many boots of the setup was one of these frames not RAM, or part of the TPM event log with
 * the boot files of this boot or of the one counted last? */
uint64_t drift_boots_taking(const struct history_setup *setup, const struct boot_memory *now,
			    uint64_t page_size, const struct frame_list *frames);

/* Frames that are wholly RAM in now and not in then. The caller frees ret->items. 0 or -ENOMEM. */
int drift_lost_frames(const struct memory_map *now, const struct memory_map *then,
		      uint64_t page_size, struct frame_list *ret);

/* Did a table that must not move lie elsewhere at boots with this map? */
bool drift_tables_moved(const struct history_map *map, const struct boot_memory *now);

/* The maps of the history as an image carries them (platform/memory/maps_met.h). The caller frees
 * *ret with maps_met_free. 0 or -ENOMEM. */
int drift_maps_met(const struct history_setup *setup, const struct boot_memory *now,
		   uint64_t page_size, struct maps_met *ret);

/* A boot as maps_met_odds() wants it. 0 or a negative errno. */
int drift_met_now(const struct boot_memory *now, uint64_t page_size, struct met_now *ret);

/* Of the sets of boot files that the history knows, but for those of this boot: how many are
 * there? *ret_moved: with how many of them did the TPM event log never lie where it does now? */
size_t drift_other_files(const struct history_setup *setup, const struct boot_memory *now,
			 size_t *ret_moved);

/* The boot loader of the boots at which one of these frames was not RAM, if it is one, and another
 * than the one of all boots with this boot's map (*ret_own); else NULL, and *ret_own is untouched.
 * Points into setup. */
const char *drift_other_loader(const struct history_setup *setup, const struct boot_memory *now,
			       uint64_t page_size, const struct frame_list *frames,
			       const char **ret_own);

#endif
