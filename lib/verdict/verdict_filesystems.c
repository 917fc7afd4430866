/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File systems: was one written to while the session slept? */
#include "verdict/verdict_private.h"

#include "base/bytes.h"

#include <string.h>

/* "/dev/vda2 (/home)" */
static void name_words(const struct filesystem *filesystem, char *text, size_t size)
{
	if (*filesystem->place)
		judge_say(text, size, "%s (%s)", filesystem->device, filesystem->place);
	else
		judge_say(text, size, "%s", filesystem->device);
}

/* A finding on one that is another than then; name: of the one then. */
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
	    "knows it as it was, would write it so, and destroy it.",
	    name, finding->now, finding->then);
	SAY(finding->advice, "Nothing can be done for the session; the files are as they were left "
			     "by whoever mounted them.");
}

/* Firmware and boot loaders write there as well, on the way to this very comparison, so no
 * image is thrown away for it. The restored system cuts the file system off. */
static void report_maybe_boot(struct judge *judge, const struct filesystem *then,
			      const struct filesystem *now)
{
	bool gate = judge->then->hibernation.last_gate != 0;
	char name[240];
	struct finding *finding = add_changed(judge, VERDICT_RISKY, then, now, name);

	SAY(finding->text,
	    "The file system on %s was written to since, by another system or by a boot loader "
	    "(%s; then: %s).",
	    name, finding->now, finding->then);
	SAY(finding->advice, "%s",
	    gate ? "With platform policy = tolerant the session resumes without it: the restored "
		   "system cuts it off before it writes there."
		 : "The saved session would write it as it was: discard the image.");
}

/* Its device said nothing of itself, so this may as well be a copy. */
static void report_maybe_changed(struct judge *judge, const struct filesystem *then,
				 const struct filesystem *now)
{
	char name[240];
	struct finding *finding = add_changed(judge, VERDICT_RISKY, then, now, name);

	SAY(finding->text,
	    "%s has the UUID of the file system on %s, and is not as that was (%s; then: %s): it "
	    "was mounted or checked since, or this is a copy of it.",
	    now->device, name, finding->now, finding->then);
	SAY(finding->advice,
	    "If it is a copy, unplug it. If it is the file system itself, the saved session must "
	    "not be resumed: discard it.");
}

/* The restored system compares it before anything of it is written, and shuts it down
 * where it was changed. An image that was written before s2disk did that proves nothing. */
static void report_unseen(struct judge *judge, const struct filesystem *then)
{
	bool gate = judge->then->hibernation.last_gate != 0;
	struct finding *finding =
		judge_add(judge, ABOUT_FILE_SYSTEM, gate ? VERDICT_HARMLESS : VERDICT_RISKY);
	char name[240];

	name_words(then, name, sizeof(name));
	filesystem_words(then, finding->then, sizeof(finding->then));
	SAY(finding->text,
	    "The file system on %s cannot be seen from here, so neither can whether somebody "
	    "changed it%s.",
	    name, gate ? ": the restored system looks before it writes" : "");
	if (!gate)
		SAY(finding->advice, "Plug it in, or see to it that nothing else has mounted it.");
}

static void report_unstamped(struct judge *judge, const struct filesystem *then)
{
	static const char *const reasons[] = {
		[FILESYSTEM_ELSEWHERE] = "it is on no disk of this machine",
		[FILESYSTEM_BLOCKED] = "its device could not be read while all was frozen",
		[FILESYSTEM_UNREADABLE] = "its device could not be read",
		[FILESYSTEM_UNKNOWN] = "nothing of it is known that changes with each mount",
	};
	struct finding *finding = judge_add(judge, ABOUT_FILE_SYSTEM, VERDICT_HARMLESS);
	char name[240];

	name_words(then, name, sizeof(name));
	SAY(finding->text, "Whether %s (%s) was changed cannot be told: %s.", name, then->type,
	    then->unstamped < ARRAY_SIZE(reasons) && reasons[then->unstamped]
		    ? reasons[then->unstamped]
		    : "it has no stamp");
}

/* Copies and snapshots of volumes have the UUID too. What lies on another device than
 * then is one of these and says nothing; of several that may be it, one that is as it
 * was is it. True when it was found unchanged. */
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
	else if (*then->identity && strcmp(then->type, "fat") == 0)
		report_maybe_boot(judge, then, changed);
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

	/* A platform that was saved to a file, or one that hibernates just now. */
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
			   unstamped ? "All file systems that can be compared are as they were "
				       "when it hibernated."
				     : "All file systems are as they were when it hibernated.");
}
