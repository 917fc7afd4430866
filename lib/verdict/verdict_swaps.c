/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other swap areas than the image's: are the pages of processes still there? */
#include "verdict/verdict_private.h"

#include "base/bytes.h"
#include "base/text.h"

#include <string.h>

void swaps_free(struct swaps *swaps)
{
	list_free(&swaps->items);
}

bool swap_same_header(const struct swap_use *then, const struct swap_use *now)
{
	return memcmp(then->uuid, now->uuid, sizeof(then->uuid)) == 0 &&
	       then->last_page == now->last_page && then->bad_pages == now->bad_pages;
}

static void uuid_words(const struct swap_use *area, char *text, size_t size)
{
	char uuid[TEXT_UUID_SIZE];

	text_uuid(area->uuid, uuid);
	judge_say(text, size, "UUID %s, %llu pages", uuid, (unsigned long long)area->last_page);
}

/* "/dev/sdb2, which has 12 MiB of the session's memory" */
static void area_words(const struct swap_use *then, char *text, size_t size)
{
	char used[40];

	size_words(then->used, used, sizeof(used));
	judge_say(text, size, "%s, with %s of the session's memory", then->path, used);
}

static struct finding *add(struct judge *judge, enum verdict_class class,
			   const struct swap_use *then, char *name, size_t size)
{
	struct finding *finding = judge_add(judge, ABOUT_SWAP_AREA, class);

	area_words(then, name, size);
	uuid_words(then, finding->then, sizeof(finding->then));
	return finding;
}

static void report_changed(struct judge *judge, const struct swap_use *then,
			   const struct swap_use *now)
{
	char name[180];
	struct finding *finding = add(judge, VERDICT_FATAL, then, name, sizeof(name));

	judge->verdict->hopeless = true;
	if (now->sight == SWAP_SEEN)
		uuid_words(now, finding->now, sizeof(finding->now));
	SAY(finding->text,
	    "The swap area %s, %s. Programs would read data that they did not write.", name,
	    now->sight == SWAP_SEEN ? "was formatted since (mkswap)" : "is no longer a swap area");
	SAY(finding->advice, "The session is lost: the memory that was swapped out is gone.");
}

static void report_missing(struct judge *judge, const struct swap_use *then,
			   const struct swap_use *now)
{
	char name[180];
	struct finding *finding = add(judge, VERDICT_FATAL, then, name, sizeof(name));

	SAY(finding->text, "The swap area %s, %s. Programs that need it would be killed.", name,
	    now && now->sight == SWAP_UNREADABLE ? "cannot be read" : "is missing");
	finding->mendable = true;
	SAY(finding->advice, "Connect its disk again and reboot.");
}

static void report_hidden(struct judge *judge, const struct swap_use *then)
{
	char name[180];
	struct finding *finding = add(judge, VERDICT_HARMLESS, then, name, sizeof(name));

	SAY(finding->text,
	    "The swap area %s, is not visible here: it is unlocked or assembled later, or its "
	    "driver is not loaded. The restored system checks it before any program runs.",
	    name);
}

/* There was no header to record. */
static void report_unknown(struct judge *judge, const struct swap_use *then)
{
	char name[180];
	struct finding *finding = add(judge, VERDICT_HARMLESS, then, name, sizeof(name));

	finding->then[0] = '\0';
	SAY(finding->text, "Whether the swap area %s, was changed is unknown: %s.", name,
	    then->sight == SWAP_BLOCKED ? "its device could not be read while the system was frozen"
					: "its place on a disk could not be read");
}

static const struct swap_use *find(const struct swaps *now, const struct swap_use *then)
{
	for (size_t i = 0; i < now->items.count; i++) {
		const struct swap_use *item = &now->items.items[i];

		if (strcmp(item->path, then->path) == 0 && item->offset == then->offset &&
		    strcmp(item->identity, then->identity) == 0)
			return item;
	}
	return NULL;
}

/* True if it is there, unchanged. */
static bool judge_one(struct judge *judge, const struct swap_use *then)
{
	const struct swap_use *now = find(&judge->now->swaps, then);

	switch (now ? now->sight : SWAP_MISSING) {
	case SWAP_SEEN:
		if (swap_same_header(then, now))
			return true;
		report_changed(judge, then, now);
		break;
	case SWAP_REPLACED:
		report_changed(judge, then, now);
		break;
	case SWAP_HIDDEN:
		report_hidden(judge, then);
		break;
	default:
		report_missing(judge, then, now);
	}
	return false;
}

void judge_swaps(struct judge *judge)
{
	const struct swaps *then = &judge->then->swaps;
	size_t same = 0, others = 0;

	if (!then->items.known || !judge->now->swaps.items.known)
		return;
	for (size_t i = 0; i < then->items.count; i++) {
		const struct swap_use *item = &then->items.items[i];

		if (item->used == 0)
			continue;
		if (item->sight != SWAP_SEEN) {
			report_unknown(judge, item);
			others++;
		} else if (judge_one(judge, item)) {
			same++;
		} else {
			others++;
		}
	}
	if (same > 0 && others == 0)
		judge_same(judge, ABOUT_SWAP_AREA, "The other swap areas in use are unchanged.");
}
