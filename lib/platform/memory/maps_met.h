/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory maps that a machine has met at its boots, as an image carries them: how often each
 * was there, and which page frames are RAM in the map of the boot that hibernated but not in that
 * one. From this resume(8) can tell at how many of the boots the image would have fitted. The
 * places of the TPM event log are apart: they belong to boot files, and in the maps the log counts
 * as RAM.
 */
#ifndef S2DISK_PLATFORM_MAPS_MET_H
#define S2DISK_PLATFORM_MAPS_MET_H

#include "crypto/crypto.h"
#include "platform/list.h"
#include "platform/memory/frames.h"
#include "platform/memory/memory_map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAPS_MET_MAX 64
#define MAPS_MET_FRAMES_MAX 16384
#define MAPS_MET_LOGS_MAX 64

struct map_met {
	unsigned char digest[SHA256_SIZE]; /* memory_map_digest() */
	uint64_t boots;
	uint64_t last;	       /* seconds since 1970 */
	uint32_t tables_moved; /* tables that stay in use lay elsewhere: no image of this boot
				  resumes there */
	uint32_t own;	       /* the map of the boot that hibernated */
};

struct met_frames {
	uint32_t map;	/* index */
	uint64_t first; /* page frame */
	uint64_t count;
};

/* A place of the TPM event log. */
struct met_log {
	unsigned char files[SHA256_SIZE]; /* of the name of the boot files */
	uint64_t boots;
	uint64_t last;	/* seconds since 1970 */
	uint64_t first; /* page frame */
	uint64_t count;
	uint32_t own; /* of the boot that hibernated */
};

struct maps_met {
	LIST_OF(struct map_met) maps;
	LIST_OF(struct met_frames) frames; /* by map, then by frame */
	LIST_OF(struct met_log) logs;
};

/* The boot that is asked about. */
struct met_now {
	unsigned char digest[SHA256_SIZE]; /* memory_map_digest() */
	unsigned char files[SHA256_SIZE];  /* as in struct met_log */
	struct frame_range log;		   /* the TPM event log; count 0: it has no region */
};

void maps_met_free(struct maps_met *met);

/* Is this what the rest of the program relies on? Counts within bounds, one own map at most, the
 * boots add up, frames belong to a map and are ordered, and neither overlap nor wrap around; a log
 * has frames, and they do not wrap around. */
bool maps_met_valid(const struct maps_met *met);

/* SHA-256 of the entries of the kernel's table (not of what was hot-plugged), in its order: start,
 * end, type as 8, 8 and 4 bytes, little-endian. 0 or a negative errno. */
int memory_map_digest(const struct memory_map *map, unsigned char ret[SHA256_SIZE]);

struct met_odds {
	uint64_t boots;	  /* known, but for the one that hibernated; 0: nothing is known */
	uint64_t fitting; /* at which the image would have fitted */
	uint64_t same;	  /* with the very map of this boot; 0: never seen */
	/* The TPM event log, by the boots with the boot files of this one. */
	bool log;	      /* this boot has one */
	bool log_missed;      /* and the image has pages where it lies */
	uint64_t log_boots;   /* known, but for the one that hibernated */
	uint64_t log_fitting; /* at which the image had no page where it lay */
};

/* Pure; met must be valid. ranges: the page frames of the image. */
void maps_met_odds(const struct maps_met *met, const struct frame_range *ranges, size_t count,
		   const struct met_now *now, struct met_odds *ret);

/* For how many boots it is worthwhile to keep an image that fits at that part of the boots known,
 * and did not at this one: until it would have fitted at one of them with 95 %. A boot must have
 * both a map and a place of the log that fit; neither depends on the other. Never less than
 * least; least if that takes more than MAPS_MET_WORTH_MAX, or if of what did not fit too little is
 * known, or it never fitted. */
#define MAPS_MET_WORTH_MAX 20
#define MAPS_MET_KNOWN_MIN 3 /* boots; of fewer nothing follows */
uint32_t maps_met_worth(const struct met_odds *odds, uint32_t least);

#endif
