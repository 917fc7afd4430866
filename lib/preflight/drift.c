/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the firmware took at other boots of what is RAM now: is it kept free? */
#include "base/io.h"
#include "base/memory.h"
#include "boot/boot_files.h"
#include "history/boot_record_file.h"
#include "history/maps/drift.h"
#include "history/maps/kept_free.h"
#include "history/maps/map_history_file.h"
#include "platform/memory/offlined.h"
#include "platform/memory/offlined_own.h"
#include "preflight/way_back_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID "drift"

struct looking {
	struct preflight_context *context;
	const struct platform *platform;
	uint64_t page_size;
	struct map_history history;
	const struct history_setup *setup;
	struct boot_memory boot;
	struct drift drift;
	struct kept_free note; /* of this boot; zeroed: there is none */
};

static uint64_t boots_taking(const struct looking *looking, const struct frame_list *frames)
{
	return drift_boots_taking(looking->setup, &looking->boot, looking->page_size, frames);
}

/* Why nothing is kept free; NULL: it is. Of a recorded machine it is unknown which flags it has. */
static const char *obstacle(const struct looking *looking)
{
	uint32_t offlining = looking->platform->ram.pages.offlining;

	if (offlining == OFFLINING_ABSENT || offlining == OFFLINING_DISABLED)
		return "this kernel cannot offline pages";
	if (!io_only_looks() && !offlined_are_shown(looking->context->root))
		return "this kernel does not show which pages are offlined "
		       "(CONFIG_PROC_PAGE_MONITOR)";
	return NULL;
}

static const char *memmap_advice(const struct frame_list *frames, uint64_t page_size, char *text,
				 size_t size)
{
	const struct kept_free note = { .held = *frames, .places = *frames };

	return kept_free_advice(&note, page_size, text, size);
}

static void add_not_possible(const struct looking *looking, const char *reason)
{
	const struct frame_list *keep = &looking->drift.keep;
	uint64_t boots = boots_taking(looking, keep);
	char list[160], advice[400];
	struct check *check;

	kept_free_list(keep, looking->page_size, list, sizeof(list));
	check = preflight_add(looking->context, ID, boots > 0 ? CHECK_WARNING : CHECK_OK,
			      "%s, so these are not kept free: %s; at %" PRIu64 " of %" PRIu64
			      " boots the firmware had a region there, and a boot that has it "
			      "cannot resume what uses them",
			      reason, list, boots, looking->drift.boots);
	if (boots > 0)
		preflight_advise(check, "%s",
				 memmap_advice(keep, looking->page_size, advice, sizeof(advice)));
}

/* Larger than "drift limit". */
static void add_beyond(const struct looking *looking)
{
	char size[24];

	preflight_advise(
		preflight_add(looking->context, ID, CHECK_WARNING,
			      "the firmware took more than \"drift limit\" lets be kept free: "
			      "%s more; a boot that takes it again cannot resume what uses it",
			      text_size(looking->drift.beyond * looking->page_size, size,
					sizeof(size))),
		"set \"drift limit\" higher than %u MiB, or leave it where the memory is missed; "
		"what was offlined for an earlier choice counts until the next boot; if the "
		"firmware's settings were changed since, delete " MAP_HISTORY_PATH,
		looking->context->settings->drift_mib);
}

/* What was offlined, and an image would have anyway. Of a recorded machine that is unknown. */
static int find_in_image(const struct looking *looking, struct frame_list *ret, struct why *w)
{
	_cleanup_frames_ struct frame_list left_out = { 0 };
	const struct frame_list *kept = &looking->note.kept;
	int r = kept->count == 0 ? 0 : offlined_among(looking->context->root, kept, &left_out, w);

	if (r == -ENOMEM || (r < 0 && io_only_looks()))
		return r;
	return frames_select(kept, &left_out, false, ret);
}

static bool add_in_image(const struct looking *looking)
{
	_cleanup_frames_ struct frame_list frames = { 0 };
	char list[100];
	struct why w = { .text = "not offlined by s2disk, or no longer" };
	struct check *check;
	uint64_t boots;

	if (find_in_image(looking, &frames, &w) < 0 || frames.count == 0)
		return false;
	boots = boots_taking(looking, &frames);
	kept_free_list(&frames, looking->page_size, list, sizeof(list));
	check = preflight_add(looking->context, ID, boots > 0 ? CHECK_WARNING : CHECK_OK,
			      "the next image will have these anyway: %s (%s); at %" PRIu64
			      " of %" PRIu64 " boots the firmware had a region there, and a boot "
			      "that has it cannot resume what uses them",
			      list, w.text, boots, looking->drift.boots);
	if (boots > 0)
		preflight_advise(check,
				 "reboot before you hibernate; they are offlined again then");
	return true;
}

static void add_kept(const struct looking *looking)
{
	const struct frame_list *keep = &looking->drift.keep;
	bool kept = looking->note.kept.count > 0;
	uint64_t boots = boots_taking(looking, keep);
	char list[200];

	kept_free_list(kept ? &looking->note.kept : keep, looking->page_size, list, sizeof(list));
	if (boots > 0)
		preflight_add(looking->context, ID, CHECK_OK,
			      "at %" PRIu64 " of %" PRIu64
			      " boots the firmware took memory that is free now; %s kept free: %s",
			      boots, looking->drift.boots, kept ? "it is" : "it will be", list);
	else
		preflight_add(
			looking->context, ID, CHECK_OK,
			"the TPM event log moves with kernel and initramfs; around it %s kept "
			"free: %s",
			kept ? "is" : "will be", list);
}

static void add_nothing(const struct looking *looking)
{
	if (looking->drift.boots > 1)
		preflight_add(looking->context, ID, CHECK_OK,
			      "at none of %" PRIu64 " boots seen the firmware took memory that is "
			      "free now",
			      looking->drift.boots);
	else
		preflight_add(looking->context, ID, CHECK_OK,
			      "no other boot's memory map is known yet");
}

static void add_state(const struct looking *looking)
{
	const char *reason = obstacle(looking);
	char text[400], advice[400];

	if (looking->note.held.count + looking->note.huge.count > 0)
		preflight_advise(preflight_add(looking->context, ID, CHECK_WARNING, "%s",
					       kept_free_problem(&looking->note, looking->page_size,
								 text, sizeof(text))),
				 "%s",
				 kept_free_advice(&looking->note, looking->page_size, advice,
						  sizeof(advice)));
	else if (looking->drift.keep.count > 0 && add_in_image(looking))
		return;
	else if (looking->drift.keep.count > 0 && reason)
		add_not_possible(looking, reason);
	else if (looking->drift.beyond > 0)
		add_beyond(looking);
	else if (looking->drift.keep.count > 0)
		add_kept(looking);
	else
		add_nothing(looking);
}

/* GRUB, for one, allocates memory that the kernel then finds reserved elsewhere than with another
 * loader. */
static void add_loader(const struct looking *looking)
{
	const char *own,
		*other = drift_other_loader(looking->setup, &looking->boot, looking->page_size,
					    &looking->drift.keep, &own);

	if (other)
		preflight_add(
			looking->context, ID, CHECK_OK,
			"the boot loader may be a cause: the boots that took that memory were "
			"all started by %s, those with this boot's memory map by %s; if this "
			"system is always started in the same way, less may move",
			other, own);
}

static void add_changed_files(const struct looking *looking, const char *path)
{
	size_t moved, others = drift_other_files(looking->setup, &looking->boot, &moved);
	char odds[120] = "";

	if (others > 0)
		snprintf(odds, sizeof(odds), "; with %zu of %zu other%s seen it lay elsewhere",
			 moved, others, others == 1 ? "" : "s");
	preflight_advise(
		preflight_add(looking->context, ID, CHECK_WARNING,
			      "another kernel or initramfs was installed since this boot (%s): the "
			      "memory map will probably differ at the next boot, which then cannot "
			      "resume if memory in use is where the TPM event log goes%s",
			      path, odds),
		"reboot first");
}

/* Kernel and initramfs decide where the kernel's EFI stub puts the TPM event log. */
static void warn_of_changed_files(const struct looking *looking)
{
	const char *root = looking->context->root;
	struct boot_record *record = calloc(1, sizeof(*record));
	struct boot_files *files = calloc(1, sizeof(*files));
	time_t since;

	if (record && files && looking->boot.log_end > 0) {
		if (boot_record_read(root, record, NULL) < 0)
			*record = (struct boot_record){ 0 };
		since = way_changes_begin(root, record);
		boot_files_find(root, files);
		for (size_t i = 0; since > 0 && i < files->count; i++) {
			if (files->files[i].spare || files->files[i].changed < since)
				continue;
			add_changed_files(looking, files->files[i].path);
			break;
		}
		boot_record_free(record);
	}
	free(record);
	free(files);
}

static int look(struct looking *looking)
{
	const struct settings *settings = looking->context->settings;
	const char *root = looking->context->root;
	uint64_t limit = ((uint64_t)settings->drift_mib << 20) / looking->page_size;
	_cleanup_frames_ struct frame_list own = { 0 };
	char *kernel_log = NULL;
	int r;

	if (boot_record_log(root, &kernel_log) < 0)
		kernel_log = NULL;
	r = boot_memory_of(root, looking->platform, kernel_log, 0, &looking->boot);
	free(kernel_log);
	/* One that cannot be read is reported when it is written. */
	if (r == 0 && map_history_read(root, &looking->history, NULL) < 0)
		looking->history = (struct map_history){ 0 };
	looking->setup = map_history_setup(&looking->history, &looking->boot);
	if (r == 0)
		r = offlined_own_read(root, &own);
	if (r == 0)
		r = drift_choose(looking->setup, &looking->boot, looking->page_size,
				 settings->drift_margin, limit, &own, &looking->drift);
	if (r == 0 && kept_free_read(root, &looking->note) < 0)
		looking->note = (struct kept_free){ 0 };
	return r;
}

void check_drift(struct preflight_context *context)
{
	struct looking looking = { .context = context, .platform = context->target->platform };

	if (!looking.platform || !looking.platform->map.entries.known)
		return;
	if (!context->settings->drift) {
		preflight_add(context, ID, CHECK_OK, "not looked at (\"drift = n\")");
		return;
	}
	looking.page_size = page_size();
	if (look(&looking) == 0) {
		add_state(&looking);
		add_loader(&looking);
		warn_of_changed_files(&looking);
	}
	map_history_free(&looking.history);
	boot_memory_free(&looking.boot);
	drift_free(&looking.drift);
	kept_free_free(&looking.note);
}
