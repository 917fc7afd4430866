/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Searches for them before a resume. */
#include "platform/filesystems/other_swaps.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "platform/filesystems/other_swaps_private.h"
#include "platform/filesystems/block_device.h"
#include "platform/hardware/device_drivers.h"
#include "base/tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TURN_MSEC 250

/* State of the search for one area. */
struct quest {
	const struct swap_use *then;
	struct swap_use *now;
	bool met;   /* as it was */
	bool below; /* the components of its device are there */
};

/* Of a long identity only the beginning was recorded (device_identity()). */
static bool is_rest(const char *then, const char *rest, const char *identity)
{
	return strlen(then) == DEVICE_IDENTITY_SIZE - 1 ? text_starts(identity, rest)
							: strcmp(rest, identity) == 0;
}

/* Can a device with this identity be a component of the device of then? "CRYPT-LUKS2-x on
 * partition y on disk z": a partition never appears later than its disk. */
static bool lies_below(const char *then, const char *identity)
{
	static const char on[] = " on ";
	const char *rest = then;

	while (!text_starts(rest, "partition") && !text_starts(rest, "disk")) {
		rest = strstr(rest, on);
		if (!rest)
			return false;
		rest += sizeof(on) - 1;
		if (is_rest(then, rest, identity))
			return true;
	}
	return false;
}

/* Is it known on which disk it must be? */
static bool names_disk(const char *identity)
{
	return text_starts(identity, "partition") || text_starts(identity, "disk") ||
	       strstr(identity, " on partition") || strstr(identity, " on disk");
}

/* A candidate device. If the recorded device had no identity, only an unchanged area
 * matches; if it had one, the area matches in any state. */
static void look_at(const char *root, const char *device, unsigned char *page, struct quest *quest)
{
	_cleanup_close_ int fd = block_device_open(root, device);
	struct swap_use found = *quest->then;
	int r = fd < 0 ? fd : other_swaps_read_header(fd, page, &found);

	/* It may come. */
	if (r == -ENOMEDIUM)
		return;
	quest->met = r == 1 && swap_same_header(quest->then, &found);
	if (!quest->met &&
	    (!*quest->then->identity || (r < 0 && quest->now->sight != SWAP_MISSING)))
		return;
	found.sight = r == 1 ? SWAP_SEEN : r == 0 ? SWAP_REPLACED : SWAP_UNREADABLE;
	text_copy(found.device, sizeof(found.device), device);
	*quest->now = found;
}

static int search(const char *root, struct quest *quests, size_t count, unsigned char *page)
{
	_cleanup_names_ struct tree_names names = { 0 };

	if (tree_list(root, "/sys/class/block", &names) == -ENOMEM)
		return -ENOMEM;
	for (size_t n = 0; n < names.count; n++) {
		char identity[DEVICE_IDENTITY_SIZE], path[300];

		if (!block_device_worth_a_look(names.items[n]))
			continue;
		device_identity(root, names.items[n], identity);
		block_device_path(names.items[n], path, sizeof(path));
		for (size_t i = 0; i < count; i++) {
			const char *then = quests[i].then->identity;

			if (*identity && lies_below(then, identity))
				quests[i].below = true;
			if (!quests[i].met && (!*then || strcmp(then, identity) == 0))
				look_at(root, path, page, &quests[i]);
		}
	}
	return 0;
}

/* It was not found: would it be visible, if it were there? */
static enum swap_sight absence(const char *root, const struct quest *quest)
{
	const struct swap_use *then = quest->then;

	if (quest->below || !device_drivers_here(root, then->drivers))
		return SWAP_HIDDEN;
	return then->stacked && !names_disk(then->identity) ? SWAP_HIDDEN : SWAP_MISSING;
}

static int look(const char *root, struct quest *quests, size_t count, unsigned char *page)
{
	int r = search(root, quests, count, page);

	for (size_t i = 0; i < count; i++)
		if (quests[i].now->sight == SWAP_MISSING)
			quests[i].now->sight = absence(root, &quests[i]);
	return r;
}

/* Nothing of the others is needed. */
static int take_wanted(const struct swaps *wanted, struct swaps *ret)
{
	int r = 0;

	for (size_t i = 0; i < wanted->items.count && r == 0; i++) {
		struct swap_use item = wanted->items.items[i];

		if (item.used == 0 || item.sight != SWAP_SEEN)
			continue;
		item.sight = SWAP_MISSING;
		item.device[0] = '\0';
		r = list_append(&ret->items, item);
	}
	return r;
}

int other_swaps_look(const char *root, const struct swaps *wanted, struct swaps *ret)
{
	_cleanup_free_ struct quest *quests = calloc(wanted->items.count + 1, sizeof(*quests));
	_cleanup_free_ unsigned char *page = aligned_alloc(page_size(), page_size());
	size_t count = 0;
	int r = -ENOMEM;

	*ret = (struct swaps){ 0 };
	if (quests && page)
		r = take_wanted(wanted, ret);
	for (size_t i = 0; i < wanted->items.count && r == 0; i++) {
		const struct swap_use *then = &wanted->items.items[i];

		if (then->used == 0 || then->sight != SWAP_SEEN)
			continue;
		quests[count] = (struct quest){ .then = then, .now = &ret->items.items[count] };
		count++;
	}
	if (r == 0 && count > 0)
		r = look(root, quests, count, page);
	if (r < 0)
		swaps_free(ret);
	else
		ret->items.known = wanted->items.known;
	return r;
}

static bool is_missing(const struct swaps *swaps)
{
	for (size_t i = 0; i < swaps->items.count; i++)
		if (swaps->items.items[i].sight == SWAP_MISSING)
			return true;
	return false;
}

int other_swaps_await(const char *root, const struct swaps *wanted, unsigned int msec,
		      struct swaps *ret)
{
	const struct timespec turn = { .tv_nsec = TURN_MSEC * 1000000 };
	int r = other_swaps_look(root, wanted, ret);

	for (unsigned int waited = 0; r == 0 && is_missing(ret) && waited < msec;
	     waited += TURN_MSEC) {
		nanosleep(&turn, NULL);
		swaps_free(ret);
		r = other_swaps_look(root, wanted, ret);
	}
	return r;
}
