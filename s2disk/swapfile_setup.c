/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enable, disable. */
#include "swapfile_commands.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "kernel/kernel_cmdline.h"
#include "kernel/kernel_resume.h"
#include "swap/area_name.h"
#include "swapfile_enable.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

int command_read_kind(const struct swap_area *area, enum swap_signature_kind *ret, struct why *w)
{
	_cleanup_free_ unsigned char *page = aligned_alloc(page_size(), page_size());
	_cleanup_close_ int fd = page ? swap_area_open(area, O_RDONLY, w) : -ENOMEM;
	int r = fd < 0 ? fd : io_pread_full(fd, page, page_size(), swap_area_start(area));

	if (r == 0)
		*ret = swap_signature_kind(page, page_size());
	return r < 0 ? why_prefix(w, r, "%s cannot be read", area->device) : 0;
}

/* So that logind offers to hibernate at once. Writing the device makes the kernel look
 * for an image of its own (resume_store() of kernel/power/hibernate.c): it must find plain
 * swap. It would also undo noresume. */
static void name_to_kernel(const struct swapfile *s, const struct swap_area *area)
{
	enum swap_signature_kind kind = SWAP_IS_NOTHING;
	struct kernel_cmdline cmdline = { 0 };
	int r;

	kernel_cmdline_read(s->system.root, &cmdline);
	if (cmdline.noresume || command_read_kind(area, &kind, NULL) < 0 || kind != SWAP_IS_SWAP)
		return;
	r = kernel_resume_name(s->system.root, area->dev, area->offset);
	if (r < 0)
		log_debug("the kernel was not told of the place: %s", strerror(-r));
}

static void tell_after_enable(struct swapfile *s, const struct enable *enable,
			      const struct initramfs_site *initramfs)
{
	char arguments[400];

	enable_arguments(enable, arguments, sizeof(arguments));
	report_value(&s->report, "arguments", arguments);
	initramfs_warn(&s->system, initramfs, arguments);
	if (text_starts(enable->device, "/dev/") && !text_starts(enable->device, "/dev/mapper/") &&
	    !text_starts(enable->device, "/dev/disk/"))
		log_warning("the device has neither a UUID nor another name that holds, and may "
			    "be called otherwise at the next boot; give its file system a UUID, "
			    "then enable it again");
	if (!s->dry_run)
		report_line(&s->report, "Done. This system can hibernate now, without a reboot; "
					"'s2disk-swapfile check' tells whether all is well.");
}

/* Would carrying it out change anything? */
static bool does_something(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind != STEP_RUN || plan->steps[i].text[TEXT_DO])
			return true;
	return false;
}

int command_find_enabled(const struct swapfile *s, struct state *state, struct plan **ret,
			 struct why *w)
{
	struct plan plan;
	int r;

	*ret = state_find(state, "enable", NULL);
	if (*ret)
		return 0;
	r = plan_open(&plan, "enable", "what is marked");
	if (r == 0)
		r = enable_plan_marked(&plan, &s->system, w);
	if (r == 0 && plan_changes_files(&plan)) {
		log_warning("%s is lost; going by the marks in the files", SWAPFILE_STATE);
		*ret = state_add(state, &plan);
		r = *ret ? 0 : -ENOMEM;
	}
	plan_close(&plan);
	return r;
}

static int plan_enable(const struct swapfile *s, const struct enable *enable, struct plan *ret,
		       struct initramfs_site *ret_initramfs, struct why *w)
{
	int r = plan_open(ret, "enable", enable->path);

	return r < 0 ? r : enable_plan(ret, &s->system, enable, ret_initramfs, w);
}

/* What is enabled already makes room. *ret_same: it is the same, and whole. */
static int make_room(struct swapfile *s, struct state *state, const struct plan *plan,
		     bool *ret_same, struct why *w)
{
	struct plan *old;
	int r = command_find_enabled(s, state, &old, w);

	*ret_same = r == 0 && old && !does_something(plan) && !old->unfinished &&
		    strcmp(old->path, plan->path) == 0;
	if (r < 0 || !old || *ret_same)
		return r;
	report_line(&s->report, "%s is enabled already, and is disabled first", old->path);
	return command_undo(s, state, old, w);
}

static int enable_place(struct swapfile *s, struct state *state, const struct swapfile_place *place,
			const struct enable *enable, struct why *w)
{
	struct initramfs_site initramfs;
	struct plan plan;
	bool same;
	/* Twice: a refusal comes before anything is changed. */
	int r = plan_enable(s, enable, &plan, &initramfs, w);

	if (r == 0)
		r = make_room(s, state, &plan, &same, w);
	if (r == 0 && same) {
		report_line(&s->report, "%s is enabled already; there is nothing to do",
			    place->path);
	} else if (r == 0) {
		plan_close(&plan);
		r = plan_enable(s, enable, &plan, &initramfs, w);
		if (r == 0)
			r = command_carry_out(s, state, &plan, w);
		if (r == 0)
			tell_after_enable(s, enable, &initramfs);
	}
	plan_close(&plan);
	if (r == 0 && !s->dry_run)
		name_to_kernel(s, &place->area);
	return r;
}

enum outcome swapfile_do_enable(struct swapfile *s, struct why *w)
{
	struct swapfile_place place = { 0 };
	struct state state = { 0 };
	char offset[24];
	struct enable enable = {
		.path = place.path,
		.device = place.device,
		.hibernate_only = s->hibernate_only,
	};
	enum outcome outcome = command_failed(command_need_root(s, w), w);
	int r;

	if (outcome == OUTCOME_DONE)
		outcome = swapfile_find(s, false, &place, w);
	if (outcome == OUTCOME_DONE && s->hibernate_only && !place.area.file)
		outcome = command_refused(
			why(w, -EINVAL, "--hibernate-only is for swap files, and %s is a device",
			    s->path),
			w);
	if (outcome == OUTCOME_DONE)
		outcome = command_failed(state_load(&s->system, &state, w), w);
	if (outcome != OUTCOME_DONE)
		return outcome;
	snprintf(offset, sizeof(offset), "%" PRIu64, place.area.offset);
	enable.offset = place.area.file ? offset : NULL;
	enable.dev = place.area.dev;
	r = enable_place(s, &state, &place, &enable, w);
	state_free(&state);
	return r == -EINVAL ? OUTCOME_REFUSED : command_failed(r, w);
}

/* The name of the device where a file would be: of the only one that its file
 * system has. */
int command_foretell_device(const struct swapfile *s, const struct site *site, char *buffer,
			    size_t size, dev_t *ret_dev, struct why *w)
{
	struct swap_area area;
	char number[32];
	int r = site_only_device(site, ret_dev, w);

	if (r == -EOPNOTSUPP) {
		text_copy(buffer, size, "DEVICE");
		return 0;
	}
	snprintf(number, sizeof(number), "%u:%u", major(*ret_dev), minor(*ret_dev));
	if (r == 0)
		r = swap_area_resolve(number, 0, false, &area, w);
	return r < 0 ? r : area_name(s->system.root, *ret_dev, area.device, buffer, size, w);
}

enum outcome command_foretell_enable(struct swapfile *s, const struct site *site, struct why *w)
{
	struct initramfs_site initramfs;
	char device[256];
	struct enable enable = {
		.path = site->path,
		.device = device,
		.offset = "OFFSET",
		.hibernate_only = s->hibernate_only,
	};
	struct plan plan = { 0 };
	int r = command_foretell_device(s, site, device, sizeof(device), &enable.dev, w);

	if (r == 0)
		r = plan_enable(s, &enable, &plan, &initramfs, w);
	if (r == 0) {
		report_plan(&s->report, &plan, false);
		report_line(&s->report, "where OFFSET is known when the file is there");
		tell_after_enable(s, &enable, &initramfs);
	}
	plan_close(&plan);
	return r == -EINVAL ? OUTCOME_REFUSED : command_failed(r, w);
}

enum outcome swapfile_do_disable(struct swapfile *s, struct why *w)
{
	struct state state = { 0 };
	struct plan *plan = NULL;
	int r = command_need_root(s, w);

	if (r == 0)
		r = state_load(&s->system, &state, w);
	if (r == 0)
		r = command_find_enabled(s, &state, &plan, w);
	if (r == 0 && plan)
		r = command_undo(s, &state, plan, w);
	else if (r == 0)
		report_line(&s->report, "no swap area is enabled; there is nothing to do");
	state_free(&state);
	return command_failed(r, w);
}
