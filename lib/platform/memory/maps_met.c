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

bool maps_met_valid(const struct maps_met *met)
{
	uint64_t end = 0;

	if (!maps_valid(met) || met->frames.count > MAPS_MET_FRAMES_MAX)
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

void maps_met_odds(const struct maps_met *met, const struct frame_range *ranges, size_t count,
		   const unsigned char now[SHA256_SIZE], struct met_odds *ret)
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
		if (memcmp(map->digest, now, SHA256_SIZE) == 0)
			odds.same += boots;
	}
	*ret = odds;
}

uint32_t maps_met_worth(const struct met_odds *odds, uint32_t least)
{
	double miss = 1, once;
	uint32_t boots = 0;

	if (odds->boots < MAPS_MET_KNOWN_MIN || odds->fitting == 0)
		return least;
	/* The rule of succession, for few boots say little. This boot counts, too. */
	once = 1 - ((double)odds->fitting + 1) / ((double)odds->boots + 3);
	while (miss > MISS_ENOUGH && boots < MAPS_MET_WORTH_MAX) {
		miss *= once;
		boots++;
	}
	/* That many reboots would probably be in vain. */
	if (miss > MISS_ENOUGH)
		return least;
	return boots > least ? boots : least;
}
