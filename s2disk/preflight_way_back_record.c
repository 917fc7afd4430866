/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way back: what the boot record says of this boot. */
#include "preflight_way_back_private.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

static bool looked(const struct boot_run *run)
{
	return run->found != FOUND_UNKNOWN && run->found != FOUND_NOTHING_NAMED &&
	       run->found != FOUND_NOT_LOOKED;
}

/* Numbers of devices last as long as the boot, but what lies over a disk (multipath,
 * MD) may be put together later. */
static bool is_place(const struct way *way, const struct boot_run *run)
{
	const struct swap_area *area = way->context->target->area;
	const char *uuid = way->context->area_uuid;

	if (run->offset != area->offset)
		return false;
	return (run->has_number && area->dev == makedev(run->major, run->minor)) ||
	       (uuid[0] && strcmp(run->uuid, uuid) == 0);
}

/* The one that tells most: it looked at the place, or at another, or at nothing. */
const struct boot_run *way_best_run(const struct way *way)
{
	const struct boot_record *record = &way->record;
	const struct boot_run *best = NULL;
	int best_worth = -1;

	for (size_t i = record->run_count; i-- > 0;) {
		const struct boot_run *run = &record->runs[i];
		int worth = is_place(way, run) && looked(run) ? 2 : looked(run);

		if (worth > best_worth) {
			best = run;
			best_worth = worth;
		}
	}
	return best;
}

static const char *who(const struct boot_run *run)
{
	switch (run->by) {
	case NAMED_BY_FILE:
		return run->by_file;
	case NAMED_BY_ARGUMENT:
		return "an argument of resume";
	case NAMED_BY_KERNEL:
		return "resume= on the kernel command line";
	case NAMED_BY_DEFAULT:
		return "the initramfs' own choice";
	default:
		return "nobody knows who";
	}
}

/* What was found there, and it is of no use. False: it is. */
static bool judge_missing(const struct way *way, const struct boot_run *run, struct way_answer *ret)
{
	char name[128];

	switch (run->found) {
	case FOUND_NOTHING_NAMED:
		way_say(ret, WAY_BAD, "at this boot nothing told resume where an image could be");
		way_advise(ret,
			   "s2disk-swapfile enable %s does; or name it with \"resume device\" "
			   "in /etc/suspend.conf and run %s",
			   way->context->target->area->name, way->command);
		return true;
	case FOUND_NO_DEVICE:
		way_say(ret, WAY_BAD,
			"at this boot the initramfs looked for %s (%s), and it was not "
			"there in time",
			run->named, who(run));
		if (way_encrypted(way, name, sizeof(name)))
			way_advise(ret,
				   "it is unlocked too late: have the initramfs unlock %s "
				   "(/etc/crypttab, option initramfs or x-initrd.attach), run "
				   "%s",
				   name, way->command);
		else
			way_advise(ret,
				   "name it by its UUID, see to it that the initramfs has its "
				   "driver, run %s, and boot once",
				   way->command);
		return true;
	case FOUND_NOT_LOOKED:
		way_say(ret, WAY_BAD, "this boot went on without waiting for %s (%s)",
			run->named[0] ? run->named : "the device", who(run));
		way_advise(ret, "see to it that the device is there early; run %s and boot once",
			   way->command);
		return true;
	default:
		return false;
	}
}

static bool judge_content(const struct way *way, const struct boot_run *run, struct way_answer *ret)
{
	char name[128];

	switch (run->found) {
	case FOUND_SWAP:
	case FOUND_IMAGE:
	case FOUND_KERNEL_IMAGE:
		return false;
	case FOUND_NO_SWAP:
		way_say(ret, WAY_BAD, "at this boot %s was no swap when resume looked at it%s",
			run->named,
			way_encrypted(way, name, sizeof(name))
				? ": is its key another one at every boot?"
				: "");
		way_advise(ret,
			   "if it was made since, boot once; an encrypted area needs a key that "
			   "lasts");
		return true;
	default:
		way_say(ret, WAY_BAD, "at this boot resume could not use %s: %.160s", run->named,
			run->reason[0] ? run->reason : "the boot record does not say why");
		way_advise(ret, "mend that and boot once");
		return true;
	}
}

/* Whatever it looked at: it would not have resumed. */
static bool judge_settings(const struct way *way, const struct boot_run *run,
			   struct way_answer *ret)
{
	if (strcmp(run->form, INITRAMFS_RESUME_MARK) != 0) {
		way_say(ret, WAY_BAD,
			"the resume that ran at this boot (%s) does not know the images "
			"of this s2disk",
			run->program[0] ? run->program : "of an unknown version");
		way_advise(ret, "regenerate the initramfs: %s", way->command);
		return true;
	}
	if (run->noresume) {
		way_say(ret, WAY_BAD,
			"this boot had noresume (or the like) on its command line, with "
			"which an image is discarded");
		way_advise(ret, "take it out of the boot loader's configuration and boot once");
		return true;
	}
	if (way_refuses_plain(way, run->encrypt, "that ran at this boot", ret))
		return true;
	if (run->settings[0]) {
		way_say(ret, WAY_BAD,
			"at this boot the settings in the initramfs were wrong: %.200s",
			run->settings);
		way_advise(ret, "correct /etc/suspend.conf and run %s", way->command);
		return true;
	}
	return false;
}

/* NULL: that file opens the image at a boot like this. */
static const char *wrong_key(const struct way *way, const void *context, const char *path)
{
	const struct boot_run *run = context;

	for (size_t i = 0; i < run->key_count; i++) {
		if (strcmp(run->keys[i].path, path) != 0)
			continue;
		if (!run->keys[i].digest[0] && !text_starts(path, "/run/"))
			return "was not there when resume ran at this boot";
		return way_same_key(way, path, run->keys[i].digest)
			       ? NULL
			       : "is not the same as the one that resume had at this boot";
	}
	return "was not known to the resume of this boot";
}

static bool judge_keys(const struct way *way, const struct boot_run *run, struct way_answer *ret)
{
	/* It opened an image then, and had no room for digests in what it handed over. */
	return !(run->fate == FATE_RESTORED && run->key_count == 0) &&
	       !way_keys_fine(way, wrong_key, run, "", ret);
}

/* mkswap, a new partition table: the name may lead elsewhere by now, or nowhere. */
static bool judge_name(const struct way *way, const struct boot_run *run, struct way_answer *ret)
{
	const struct swap_area *area = way->context->target->area;
	struct swap_area found;
	struct why reason = { "" };
	int r;

	if (strcmp(run->named, area->device) == 0 || strcmp(run->named, run->device) == 0)
		return false;
	r = way->context->system->resolve(run->named, run->offset, false, &found, &reason);
	if (r == 0 && found.dev == area->dev)
		return false;
	if (r < 0)
		way_say(ret, WAY_BAD,
			"at this boot resume found the area as %s, which leads nowhere "
			"now: %.200s",
			run->named, why_text(&reason, r));
	else
		way_say(ret, WAY_BAD,
			"at this boot resume found the area as %s, which is another "
			"device now",
			run->named);
	way_advise(ret,
		   "give the area its UUID back (mkswap -U), or name it anew, run %s and boot "
		   "once",
		   way->command);
	return true;
}

static void judge_place(struct way *way, const struct boot_run *run, struct way_answer *ret)
{
	const struct swap_area *area = way->context->target->area;
	char page[48] = "";

	if (!is_place(way, run)) {
		way_say(ret, WAY_BAD,
			"at this boot resume looked at %s, page %" PRIu64 " (%s), but the "
			"image would go to %s, page %" PRIu64,
			run->named, run->offset, who(run), area->device, area->offset);
		way_advise(ret,
			   "s2disk-swapfile enable %s sets it up; or correct resume= or "
			   "\"resume device\" and run %s",
			   area->name, way->command);
		return;
	}
	if (judge_content(way, run, ret) || judge_name(way, run, ret) || judge_keys(way, run, ret))
		return;
	if (run->offset > 0)
		snprintf(page, sizeof(page), ", page %" PRIu64, run->offset);
	text_copy(way->named, sizeof(way->named), run->named);
	way_say(ret, WAY_GOOD, "the initramfs that booted this system looks for it: at %s%s (%s)",
		run->named, page, who(run));
}

void way_judge_record(struct way *way, struct way_answer *ret)
{
	const struct boot_run *run = way_best_run(way);

	if (!run) {
		way_say(ret, WAY_BAD, "the record of this boot has no run of resume in it");
		way_advise(ret, "regenerate the initramfs: %s", way->command);
	} else if (!judge_settings(way, run, ret) && !judge_missing(way, run, ret)) {
		judge_place(way, run, ret);
	}
}
