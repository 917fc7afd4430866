/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File systems: was one written to while the session slept? */
#include "platform/verdict_internal.h"

#include <string.h>

/* "/dev/vda2 (/home)" */
static void name_words(const struct filesystem *filesystem, char *text, size_t size)
{
	if (*filesystem->place)
		judge_say(text, size, "%s (%s)", filesystem->device, filesystem->place);
	else
		judge_say(text, size, "%s", filesystem->device);
}

static void report_changed(struct judge *judge, const struct filesystem *then,
			   const struct filesystem *now)
{
	struct finding *finding = judge_add(judge, ABOUT_FILE_SYSTEM, VERDICT_FATAL);
	char name[240];

	judge->verdict->hopeless = true;
	name_words(then, name, sizeof(name));
	filesystem_words(then, finding->then, sizeof(finding->then));
	filesystem_words(now, finding->now, sizeof(finding->now));
	SAY(finding->text,
	    "The file system on %s was mounted or checked since (%s; then: %s). The saved session "
	    "knows it as it was, would write it so, and destroy it.",
	    name, finding->now, finding->then);
	SAY(finding->advice, "Nothing can be done for the session; the files are as they were left "
			     "by whoever mounted them.");
}

static void report_unseen(struct judge *judge, const struct filesystem *then)
{
	struct finding *finding = judge_add(judge, ABOUT_FILE_SYSTEM, VERDICT_HARMLESS);
	char name[240];

	name_words(then, name, sizeof(name));
	filesystem_words(then, finding->then, sizeof(finding->then));
	SAY(finding->text,
	    "The file system on %s cannot be seen from here, so neither can whether somebody "
	    "changed it.",
	    name);
}

/* Copies and snapshots of volumes have the UUID too: one that is as it was will
 * be the one. True when none was changed. */
static bool judge_one(struct judge *judge, const struct filesystem *then)
{
	const struct filesystems *now = &judge->now->filesystems;
	const struct filesystem *changed = NULL;

	for (size_t i = 0; i < now->items.count; i++) {
		const struct filesystem *item = &now->items.items[i];

		if (!filesystem_same(item, then))
			continue;
		if (memcmp(item->stamp, then->stamp, sizeof(then->stamp)) == 0)
			return true;
		if (!changed || strcmp(item->device, then->device) == 0)
			changed = item;
	}
	if (changed)
		report_changed(judge, then, changed);
	else
		report_unseen(judge, then);
	return false;
}

void judge_filesystems(struct judge *judge)
{
	const struct filesystems *then = &judge->then->filesystems;
	bool same = then->items.count > 0;

	/* A platform that was saved to a file, or one that hibernates just now. */
	if (!then->items.known || !judge->now->filesystems.items.known)
		return;
	for (size_t i = 0; i < then->items.count; i++)
		if (!judge_one(judge, &then->items.items[i]))
			same = false;
	if (same)
		judge_same(judge, ABOUT_FILE_SYSTEM,
			   "All file systems are as they were when it hibernated.");
}
