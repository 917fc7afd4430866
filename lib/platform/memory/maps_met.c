/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/memory/maps_met.h"

#include "base/bytes.h"
#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST_ENTRY 20

/* The chance that an image that was kept has fitted at none of the boots. */
#define MISS_ENOUGH 0.05

void maps_met_free(struct maps_met *met)
{
	list_free(&met->maps);
	list_free(&met->frames);
	list_free(&met->logs);
}

static bool maps_valid(const struct maps_met *met)
{
	uint64_t boots = 0;
	unsigned int own = 0;

	if (met->maps.count > MAPS_MET_MAX)
		return false;
	for (size_t i = 0; i < met->maps.count; i++) {
		own += met->maps.items[i].own != 0;
		if (!checked_add(boots, met->maps.items[i].boots, &boots))
			return false;
	}
	return own <= 1;
}

static bool logs_valid(const struct maps_met *met)
{
	uint64_t boots = 0, end;
	unsigned int own = 0;

	if (met->logs.count > MAPS_MET_LOGS_MAX)
		return false;
	for (size_t i = 0; i < met->logs.count; i++) {
		const struct met_log *log = &met->logs.items[i];

		own += log->own != 0;
		if (log->count == 0 || !checked_add(log->first, log->count, &end) ||
		    !checked_add(boots, log->boots, &boots))
			return false;
	}
	return own <= 1;
}

bool maps_met_valid(const struct maps_met *met)
{
	uint64_t end = 0;

	if (!maps_valid(met) || !logs_valid(met) || met->frames.count > MAPS_MET_FRAMES_MAX)
		return false;
	for (size_t i = 0; i < met->frames.count; i++) {
		const struct met_frames *frames = &met->frames.items[i];
		bool next = i == 0 || frames->map > frames[-1].map;

		if (frames->map >= met->maps.count || frames->count == 0 ||
		    (!next && (frames->map < frames[-1].map || frames->first < end)) ||
		    !checked_add(frames->first, frames->count, &end))
			return false;
	}
	return true;
}

int memory_map_digest(const struct memory_map *map, unsigned char ret[SHA256_SIZE])
{
	_cleanup_free_ unsigned char *bytes = NULL;
	size_t count = map->table_count;

	if (count > map->entries.count)
		return -EINVAL;
	bytes = malloc(count * DIGEST_ENTRY + 1);
	if (!bytes)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		unsigned char *at = bytes + i * DIGEST_ENTRY;

		put_le64(at, map->entries.items[i].start);
		put_le64(at + 8, map->entries.items[i].end);
		put_le32(at + 16, map->entries.items[i].type);
	}
	return crypto_sha256(bytes, count * DIGEST_ENTRY, ret);
}

/* The frames of a map begin at *at, which is moved past them. */
static bool fits(const struct maps_met *met, size_t map, size_t *at,
		 const struct frame_range *ranges, size_t count)
{
	bool fits = !met->maps.items[map].tables_moved;

	for (; *at < met->frames.count && met->frames.items[*at].map == map; (*at)++) {
		const struct met_frames *frames = &met->frames.items[*at];

		if (fits && frames_within(ranges, count, frames->first,
					  frames->first + frames->count - 1) > 0)
			fits = false;
	}
	return fits;
}

static bool has_page(const struct frame_range *ranges, size_t count, uint64_t first,
		     uint64_t frames)
{
	return frames_within(ranges, count, first, first + frames - 1) > 0;
}

/* Other boot files have the log elsewhere, so only those that boot now say where it will be. */
static void weigh_logs(const struct maps_met *met, const struct frame_range *ranges, size_t count,
		       const struct met_now *now, struct met_odds *odds)
{
	odds->log = now->log.count > 0;
	odds->log_missed = odds->log && has_page(ranges, count, now->log.first, now->log.count);
	for (size_t i = 0; i < met->logs.count; i++) {
		const struct met_log *log = &met->logs.items[i];
		uint64_t boots = log->boots - (log->own && log->boots > 0);

		if (memcmp(log->files, now->files, SHA256_SIZE) != 0)
			continue;
		odds->log_boots += boots;
		if (!has_page(ranges, count, log->first, log->count))
			odds->log_fitting += boots;
	}
}

void maps_met_odds(const struct maps_met *met, const struct frame_range *ranges, size_t count,
		   const struct met_now *now, struct met_odds *ret)
{
	struct met_odds odds = { 0 };
	size_t at = 0;

	for (size_t i = 0; i < met->maps.count; i++) {
		const struct map_met *map = &met->maps.items[i];
		/* That the image fits the boot that made it says nothing. */
		uint64_t boots = map->boots - (map->own && map->boots > 0);

		odds.boots += boots;
		if (fits(met, i, &at, ranges, count))
			odds.fitting += boots;
		if (memcmp(map->digest, now->digest, SHA256_SIZE) == 0)
			odds.same += boots;
	}
	weigh_logs(met, ranges, count, now, &odds);
	*ret = odds;
}

/* Is what did not fit at this boot known well enough, and did it ever fit? */
static bool says_enough(const struct met_odds *odds)
{
	return odds->boots >= MAPS_MET_KNOWN_MIN && odds->fitting > 0 &&
	       (!odds->log_missed ||
		(odds->log_boots >= MAPS_MET_KNOWN_MIN && odds->log_fitting > 0));
}

/* The chance of another boot, by the rule of succession, for few boots say little. This boot
 * counts, too: against the log if that lies on pages of the image, else against the map, and for
 * the log. */
static double chance(const struct met_odds *odds)
{
	double map =
		((double)odds->fitting + 1) / ((double)odds->boots + (odds->log_missed ? 2 : 3));

	if (!odds->log)
		return map;
	return map * ((double)odds->log_fitting + (odds->log_missed ? 1 : 2)) /
	       ((double)odds->log_boots + 3);
}

uint32_t maps_met_worth(const struct met_odds *odds, uint32_t least)
{
	double miss = 1, once;
	uint32_t boots = 0;

	if (!says_enough(odds))
		return least;
	once = 1 - chance(odds);
	while (miss > MISS_ENOUGH && boots < MAPS_MET_WORTH_MAX) {
		miss *= once;
		boots++;
	}
	/* That many reboots would probably be in vain. */
	if (miss > MISS_ENOUGH)
		return least;
	return boots > least ? boots : least;
}
