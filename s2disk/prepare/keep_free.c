/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep_free.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/tree.h"
#include "crypto/crypto.h"
#include "history/boot_record_file.h"
#include "history/maps/boots_left.h"
#include "history/maps/map_history_file.h"
#include "keep_free_offline.h"
#include "platform/memory/offlined.h"
#include "platform/memory/offlined_own.h"
#include "s2disk/lock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void keep_free_end(struct keep_free *keep)
{
	map_history_free(&keep->history);
	boot_memory_free(&keep->boot);
	drift_free(&keep->drift);
	kept_free_free(&keep->note);
	*keep = (struct keep_free){ 0 };
}

int keep_free_capture(const char *root, const char *kernel_log, struct platform *ret, struct why *w)
{
	struct platform platform = { 0 };
	int r = memory_map_capture(root, &platform.map);

	if (r < 0)
		return why_prefix(w, r, "/sys/firmware/memmap");
	r = e820_capture_boot_params(root, &platform.map);
	if (r == 0)
		r = acpi_capture(root, kernel_log, &platform.acpi);
	if (r == 0)
		r = kernel_capture(root, kernel_log, &platform.kernel);
	if (r < 0) {
		platform_free(&platform);
		return why(w, r, "cannot describe this machine: %s", strerror(-r));
	}
	dmi_capture(root, &platform.dmi);
	*ret = platform;
	return 0;
}

/* What the kernel holds beyond what an earlier run of this boot has noted. */
static bool holds_more(const struct kept_free *note, const struct kept_free *before)
{
	struct frame_list more = { 0 };
	bool ret = frames_select(&note->held, &before->held, false, &more) < 0 || more.count > 0;

	free(more.items);
	return ret;
}

/* Of reserved huge pages only the checks speak. */
static void report(const struct keep_free *keep, const struct kept_free *before)
{
	const struct kept_free *note = &keep->note;
	uint64_t size = page_size();
	char text[600], advice[500];

	if (holds_more(note, before))
		log_warning("%s; %s", kept_free_problem(note, size, text, sizeof(text)),
			    kept_free_advice(note, size, advice, sizeof(advice)));
	if (note->late)
		log_notice("keeping pages free took too long and was stopped; the rest follows "
			   "before the next hibernation");
}

static uint64_t boots_taking(const struct keep_free *keep, const struct frame_list *frames)
{
	return drift_boots_taking(map_history_setup(&keep->history, &keep->boot), &keep->boot,
				  page_size(), frames);
}

static int select_into(struct frame_list *frames, const struct frame_list *places)
{
	struct frame_list selected = { 0 };
	int r = frames_select(frames, places, true, &selected);

	if (r < 0)
		return r;
	free(frames->items);
	*frames = selected;
	return 0;
}

/* What surrounds the TPM event log was taken at no boot yet: held, it is no loss that is known. */
static int weigh(struct keep_free *keep)
{
	struct kept_free *note = &keep->note;
	size_t kept = 0;
	int r;

	for (size_t i = 0; i < note->places.count; i++) {
		const struct frame_list place = { &note->places.items[i], 1 };

		if (boots_taking(keep, &place) > 0)
			note->places.items[kept++] = note->places.items[i];
	}
	note->places.count = kept;
	note->boots = keep->drift.boots;
	note->lost_boots = boots_taking(keep, &note->places);
	r = select_into(&note->held, &note->places);
	return r < 0 ? r : select_into(&note->huge, &note->places);
}

static void offline_and_note(const char *root, struct keep_free *keep, const struct ram *ram)
{
	struct kept_free before = { 0 };
	struct why w = { 0 };
	int r = keep_free_offline(root, &keep->drift, ram, KEEP_FREE_USEC, &keep->note);

	if (r == 0)
		r = weigh(keep);
	if (r < 0) {
		log_warning("pages that drift are not kept free: %s", strerror(-r));
		return;
	}
	if (kept_free_read(root, &before) < 0)
		before = (struct kept_free){ 0 };
	report(keep, &before);
	kept_free_free(&before);
	r = kept_free_write(root, &keep->note, &w);
	if (r < 0)
		log_warning("%s", why_text(&w, r));
}

/* By lockdown, nohibernate, … (disk_show(), kernel/power/hibernate.c): no image will be made. */
static bool hibernation_disabled(const char *root)
{
	char modes[64];

	return tree_text(root, modes, sizeof(modes), "/sys/power/disk") &&
	       strcmp(modes, "[disabled]") == 0;
}

/* The image of a kernel that cannot offline pages, or does not show which are, has them; only the
 * checks speak of that. */
static int offline(const char *root, struct keep_free *keep, const struct ram *known)
{
	struct ram ram = { 0 };
	int r = 0;

	if (!known->pages.page_size)
		r = ram_capture(root, &ram);
	if (r < 0)
		return r;
	if (ram.pages.page_size)
		known = &ram;
	if (known->pages.offlining == OFFLINING_POSSIBLE && offlined_are_shown(root))
		offline_and_note(root, keep, known);
	ram_free(&ram);
	return 0;
}

/* Within the limit is what this kernel lost in all, however often the choice has changed. */
static int choose(const char *root, const struct settings *settings, struct keep_free *keep)
{
	uint64_t limit = ((uint64_t)settings->drift_mib << 20) / page_size();
	_cleanup_frames_ struct frame_list own = { 0 };
	int r = offlined_own_read(root, &own);

	return r < 0 ? r
		     : drift_choose(map_history_setup(&keep->history, &keep->boot), &keep->boot,
				    page_size(), settings->drift_margin, limit, &own, &keep->drift);
}

/* Some systems never write to the file system that the history is on, and early in a boot there may
 * be none. */
static int report_damage(int r, const struct why *reason, struct why *w)
{
	if (r < 0 && r != -EROFS && r != -ENOENT)
		return why(w, r, "%s", why_text(reason, r));
	if (r == 0 && reason->text[0])
		log_warning("%s", reason->text);
	return 0;
}

static int remember(const char *root, struct keep_free *keep, struct why *w)
{
	struct why of_left = { 0 }, reason = { 0 };
	char boot_id[40] = "";
	int uncounted, left, r;

	/* Before this boot, as they were. */
	uncounted = boots_left_count(root, &of_left);
	left = report_damage(uncounted, &of_left, w);
	tree_text(root, boot_id, sizeof(boot_id), "/proc/sys/kernel/random/boot_id");
	r = map_history_add(root, &keep->boot, boot_id, &keep->history, &reason);
	r = report_damage(r, &reason, w);
	if (uncounted < 0 && boots_left_add(root, &keep->history) < 0)
		return -ENOMEM;
	return r < 0 ? r : left;
}

int keep_free(const char *root, const struct settings *settings, const struct platform *platform,
	      const char *kernel_log, struct keep_free *ret, struct why *w)
{
	int r, remembered;

	*ret = (struct keep_free){ 0 };
	if (!settings->drift || !platform->map.entries.known)
		return 0;
	r = boot_memory_of(root, platform, kernel_log, (uint64_t)time(NULL), &ret->boot);
	if (r < 0)
		return why(w, r, "%s", strerror(-r));
	remembered = remember(root, ret, w);
	r = choose(root, settings, ret);
	if (r == 0 && ret->drift.keep.count > 0 && !hibernation_disabled(root))
		r = offline(root, ret, &platform->ram);
	return r < 0 ? why(w, r, "%s", strerror(-r)) : remembered;
}

int keep_free_resumed(const char *root, const struct settings *settings,
		      const struct platform *platform, const struct boots_seen *seen, struct why *w)
{
	_cleanup_free_ char *kernel_log = NULL;
	struct why reason = { 0 };
	struct keep_free keep;
	int r;

	if (!settings->drift || !platform->map.entries.known || seen->items.count == 0)
		return 0;
	r = map_history_add_seen(root, seen, &reason);
	r = r < 0 ? boots_left_put(root, seen, w) : report_damage(r, &reason, w);
	if (r < 0)
		return r;
	if (boot_record_log(root, &kernel_log) < 0)
		kernel_log = NULL;
	r = keep_free(root, settings, platform, kernel_log, &keep, w);
	keep_free_end(&keep);
	return r;
}

/* Without it, the next boot knows no odds. */
static void take_along(const struct keep_free *keep, struct platform *platform)
{
	const struct history_setup *setup = map_history_setup(&keep->history, &keep->boot);
	struct maps_met met;

	if (drift_maps_met(setup, &keep->boot, page_size(), &met) < 0)
		return;
	maps_met_free(&platform->met);
	platform->met = met;
}

void keep_free_before(const char *root, const struct settings *settings, struct platform *platform)
{
	_cleanup_free_ char *kernel_log = NULL;
	struct keep_free keep = { 0 };
	struct why w = { 0 };
	int r;

	if (!settings->drift)
		return;
	if (boot_record_log(root, &kernel_log) < 0)
		kernel_log = NULL;
	r = keep_free(root, settings, platform, kernel_log, &keep, &w);
	if (r < 0)
		log_warning("this boot's memory map is not remembered: %s", why_text(&w, r));
	take_along(&keep, platform);
	keep_free_end(&keep);
}

static int capture_and_keep(const char *root, const struct settings *settings, struct why *w)
{
	_cleanup_free_ char *kernel_log = NULL;
	struct platform platform = { 0 };
	struct keep_free keep = { 0 };
	int r = crypto_init(w);

	if (r < 0)
		return r;
	if (boot_record_log(root, &kernel_log) < 0)
		kernel_log = NULL;
	r = keep_free_capture(root, kernel_log, &platform, w);
	if (r == 0)
		r = keep_free(root, settings, &platform, kernel_log, &keep, w);
	keep_free_end(&keep);
	platform_free(&platform);
	return r;
}

int keep_free_at_boot(const char *root, const struct settings *settings, struct why *w)
{
	int r, lock;

	if (!settings->drift)
		return 0;
	r = hibernate_lock_take(root, &lock, w);
	/* What hibernates has done it, or is about to. But nothing that hibernates from now on is
	 * to be kept from it: it may keep free the same pages at the same time. */
	if (r < 0)
		return 0;
	hibernate_lock_give(&lock);
	return capture_and_keep(root, settings, w);
}
