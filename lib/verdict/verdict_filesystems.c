/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File systems: was one written to while the machine was hibernated? */
#include "verdict/verdict_private.h"

#include "base/bytes.h"
#include "base/text.h"

#include <string.h>

/* "/dev/vda2 (/home)" */
static void name_words(const struct filesystem *filesystem, char *text, size_t size)
{
	if (*filesystem->place)
		judge_say(text, size, "%s (%s)", filesystem->device, filesystem->place);
	else
		judge_say(text, size, "%s", filesystem->device);
}

/* A finding on one that changed; name: receives the name of the old one. */
static struct finding *add_changed(struct judge *judge, enum verdict_class class,
				   const struct filesystem *then, const struct filesystem *now,
				   char name[240])
{
	struct finding *finding = judge_add(judge, ABOUT_FILE_SYSTEM, class);

	name_words(then, name, 240);
	filesystem_words(then, finding->then, sizeof(finding->then));
	filesystem_words(now, finding->now, sizeof(finding->now));
	return finding;
}

static void report_changed(struct judge *judge, const struct filesystem *then,
			   const struct filesystem *now)
{
	char name[240];
	struct finding *finding = add_changed(judge, VERDICT_FATAL, then, now, name);

	judge->verdict->hopeless = true;
	SAY(finding->text,
	    "The file system on %s was mounted or checked since (%s; then: %s). The saved session "
	    "has its old state in memory; writing that would destroy it.",
	    name, finding->now, finding->then);
	SAY(finding->advice, "The session is lost; the files are as the other system left them.");
}

static bool has_gate(const struct judge *judge)
{
	return judge->then->hibernation.last_gate != 0;
}

/* Firmware and boot loaders write to FAT during every boot, and what was mounted read-only has
 * nothing to write back, so the image is not discarded for that. The restored system cuts the file
 * system off. */
static void report_written(struct judge *judge, const struct filesystem *then,
			   const struct filesystem *now)
{
	bool gate = has_gate(judge);
	char name[240];
	struct finding *finding = add_changed(judge, VERDICT_RISKY, then, now, name);

	/* With a gate tolerant accepts it. */
	finding->mendable = gate;
	SAY(finding->text,
	    "The file system on %s was written to since, by another system%s (%s; then: %s).", name,
	    strcmp(then->type, "fat") == 0 ? " or by a boot loader"
					   : "; here it was mounted read-only",
	    finding->now, finding->then);
	SAY(finding->advice, "%s",
	    gate ? "With platform policy = tolerant the session resumes without it: the restored "
		   "system cuts it off before anything is written to it."
		 : "The saved session would write its old state: discard the image.");
}

/* Its device has no identity, so this may be a copy. */
static void report_maybe_changed(struct judge *judge, const struct filesystem *then,
				 const struct filesystem *now)
{
	char name[240];
	struct finding *finding = add_changed(judge, VERDICT_RISKY, then, now, name);

	finding->mendable = true;
	SAY(finding->text,
	    "%s has the UUID of the file system on %s, but differs (%s; then: %s): it was mounted "
	    "or checked since, or this is a copy.",
	    now->device, name, finding->now, finding->then);
	SAY(finding->advice, "If it is a copy, unplug it. If it is the file system itself, the "
			     "session must not be resumed: discard the image.");
}

/* The restored system compares it before writing to it, and shuts it down if it was changed. Images
 * of older s2disk versions have no such gate. */
static void report_unseen(struct judge *judge, const struct filesystem *then)
{
	bool gate = judge->then->hibernation.last_gate != 0;
	struct finding *finding =
		judge_add(judge, ABOUT_FILE_SYSTEM, gate ? VERDICT_HARMLESS : VERDICT_RISKY);
	char name[240];

	name_words(then, name, sizeof(name));
	filesystem_words(then, finding->then, sizeof(finding->then));
	finding->mendable = !gate;
	SAY(finding->text,
	    "The file system on %s is not visible here, so whether it was changed is unknown%s.",
	    name, gate ? "; the restored system checks before it writes" : "");
	if (!gate)
		SAY(finding->advice,
		    "Connect it, or make sure that no other system has mounted it.");
}

static void report_unstamped(struct judge *judge, const struct filesystem *then)
{
	static const char *const reasons[] = {
		[FILESYSTEM_ELSEWHERE] = "it is on no disk of this machine",
		[FILESYSTEM_BLOCKED] = "its device could not be read while the system was frozen",
		[FILESYSTEM_UNREADABLE] = "its device could not be read",
		[FILESYSTEM_UNKNOWN] = "it has no known field that every mount changes",
	};
	struct finding *finding = judge_add(judge, ABOUT_FILE_SYSTEM, VERDICT_HARMLESS);
	char name[240];

	name_words(then, name, sizeof(name));
	SAY(finding->text, "Whether %s (%s) was changed is unknown: %s.", name, then->type,
	    then->unstamped < ARRAY_SIZE(reasons) && reasons[then->unstamped]
		    ? reasons[then->unstamped]
		    : "it has no stamp");
}

/* Was it mounted read-only, is it cut off before a remount could change that (a whole disk, or an
 * array of some, may not be: device_cut()), and can a session do without it? */
static bool has_nothing_to_write(const struct judge *judge, const struct filesystem *then)
{
	return then->read_only && has_gate(judge) && !text_starts(then->identity, "disk ") &&
	       !text_starts(then->identity, "MD-") && strcmp(then->place, "/") != 0 &&
	       strcmp(then->place, "/usr") != 0;
}

/* Copies and snapshots have the same UUID. One on another device is such a copy and is ignored; of
 * several candidates, an unchanged one is the right one. True if it is unchanged. */
static bool judge_one(struct judge *judge, const struct filesystem *then)
{
	const struct filesystems *now = &judge->now->filesystems;
	const struct filesystem *changed = NULL;

	for (size_t i = 0; i < now->items.count; i++) {
		const struct filesystem *item = &now->items.items[i];

		if (!filesystem_same(item, then) || !filesystem_on_same_device(then, item))
			continue;
		if (filesystem_unchanged(then, item))
			return true;
		if (!changed || strcmp(item->device, then->device) == 0)
			changed = item;
	}
	if (!changed)
		report_unseen(judge, then);
	else if (*then->identity &&
		 (strcmp(then->type, "fat") == 0 || has_nothing_to_write(judge, then)))
		report_written(judge, then, changed);
	else if (*then->identity)
		report_changed(judge, then, changed);
	else
		report_maybe_changed(judge, then, changed);
	return false;
}

void judge_filesystems(struct judge *judge)
{
	const struct filesystems *then = &judge->then->filesystems;
	size_t same = 0, unstamped = 0;

	/* A platform saved to a file, or this machine while it hibernates. */
	if (!then->items.known || !judge->now->filesystems.items.known)
		return;
	for (size_t i = 0; i < then->items.count; i++) {
		if (then->items.items[i].unstamped != FILESYSTEM_STAMPED) {
			report_unstamped(judge, &then->items.items[i]);
			unstamped++;
		} else if (judge_one(judge, &then->items.items[i])) {
			same++;
		}
	}
	if (same > 0 && same + unstamped == then->items.count)
		judge_same(judge, ABOUT_FILE_SYSTEM,
			   unstamped ? "All file systems that can be compared are unchanged."
				     : "All file systems are unchanged.");
}
