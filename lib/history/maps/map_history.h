/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the firmware did with memory at the boots that were seen: its distinct memory maps, how
 * often and when last each was there, and where the TPM event log lay. Pure;
 * map_history_text.h has the form on disk, map_history_file.h the file.
 *
 * A history is one machine's: for each setup (machine, firmware version, amount of memory) the
 * maps are counted apart. Another firmware version begins anew, the old setup is kept a while.
 */
#ifndef S2DISK_HISTORY_MAP_HISTORY_H
#define S2DISK_HISTORY_MAP_HISTORY_H

#include "history/maps/boot_memory.h"
#include "platform/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More are dropped: of maps and logs the one that was seen least, of those the oldest; of boot
 * files those that were not booted for longest, with their places of the log. */
#define HISTORY_SETUPS_MAX 3
#define HISTORY_MAPS_MAX 24
#define HISTORY_LOGS_MAX 8 /* with the same boot files */
#define HISTORY_BOOT_FILES_MAX 4
#define HISTORY_LOGS_IN_ALL (HISTORY_LOGS_MAX * HISTORY_BOOT_FILES_MAX)

/* Setups are the same if their amounts of memory differ by less: a region that drifts changes the
 * amount of RAM, memory modules are larger. */
#define HISTORY_MEMORY_TOLERANCE (32u << 20)

/* No count is higher: none of their sums overflows. */
#define MAP_HISTORY_BOOTS_MAX (1u << 30)

struct history_map {
	struct memory_map map;
	LIST_OF(struct boot_table) tables;
	uint64_t boots;	      /* with this map, with what follows */
	uint64_t resumes;     /* of these, boots that restored an image */
	uint64_t refused;     /* of these, boots that refused an image and kept it */
	uint64_t first, last; /* seconds since 1970 */
	/* Of those boots whose loader is known; "": of none; HISTORY_LOADERS: they differ. */
	char loader[BOOT_LOADER_MAX];
};

#define HISTORY_LOADERS "*"

struct history_log {
	char boot_files[200];
	uint64_t start, end; /* bytes, inclusive */
	uint64_t boots;
	uint64_t last;
};

struct history_setup {
	char machine[200];
	char firmware[200];
	uint64_t memory;		  /* bytes */
	LIST_OF(struct history_map) maps; /* known is unused */
	LIST_OF(struct history_log) logs; /* those of the boot files counted last at the end */
};

struct map_history {
	char boot_id[40];		      /* the boot counted last: none is counted twice */
	LIST_OF(struct history_setup) setups; /* the one of this machine as it is now first */
};

/* Harmless on a zeroed struct. */
void history_map_free(struct history_map *map);
void history_setup_free(struct history_setup *setup);

/* The same; leaves a zeroed one. */
void map_history_free(struct map_history *history);

/* The setup that this boot belongs to; NULL if there is none yet. */
const struct history_setup *map_history_setup(const struct map_history *history,
					      const struct boot_memory *boot);

/* The map of that setup that is the boot's, tables included; NULL if it was never seen. Tables that
 * are unknown on one side do not count. */
const struct history_map *map_history_find(const struct history_setup *setup,
					   const struct boot_memory *boot);

enum boot_outcome {
	BOOT_STARTED, /* without an image, or it was discarded */
	BOOT_RESUMED, /* restored one */
	BOOT_REFUSED, /* refused one, and kept it */
};

/* Is there room for a place of the log with these boot files? *ret_new: they have none yet. */
bool history_log_fits(const struct history_setup *setup, const char *boot_files, bool *ret_new);

/* Notes that boots with this map had that loader ("": unknown). */
void history_map_add_loader(struct history_map *map, const char *loader);

/* Counts a boot. A new setup begins when machine, firmware or memory are others; what exceeds
 * the limits is dropped. A boot without a map is not counted. 0 or -ENOMEM; then the history is
 * usable, with or without it. */
int map_history_count(struct map_history *history, const struct boot_memory *boot,
		      enum boot_outcome outcome);

/* Boots of the setup in all. */
uint64_t history_boots(const struct history_setup *setup);

#endif
