/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enable, disable. */
#include "swapfile_commands.h"

#include "base/log.h"
#include "base/text.h"
#include "swapfile_enable.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

/* Would carrying it out change nothing? */
static bool is_empty(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (!step_runs(&plan->steps[i]) || plan->steps[i].command)
			return false;
	return true;
}

static void tell_after_enable(struct swapfile *s, enum boot_loader loader, const char *arguments)
{
	report_steps_end(&s->report);
	report_value(&s->report, "boot-loader", boot_name(loader));
	report_value(&s->report, "arguments", arguments);
	if (loader == BOOT_NONE)
		log_warning("no boot loader that is known here was found; add this to the kernel "
			    "command line yourself: %s",
			    arguments);
	if (strstr(arguments, "resume=/dev/") && !strstr(arguments, "resume=/dev/mapper/") &&
	    !strstr(arguments, "resume=/dev/disk/"))
		log_warning("the device has neither a UUID nor another name that holds, and may "
			    "be called otherwise at the next boot; give its file system a UUID, "
			    "then enable it again");
	if (s->dry_run)
		return;
	report_line(&s->report, "Done. The kernel command line is new from the next boot on; "
				"'s2disk-swapfile check' then tells whether all is well.");
	if (s->hibernate_only && system_has(&s->system, "/run/systemd/system"))
		report_line(&s->report,
			    "Until then 'systemctl hibernate' may say that there is not "
			    "enough swap; s2disk itself works.");
}

/* The file is still where it was found, now that it is switched on? */
static int confirm_place(struct swapfile *s, struct state *state,
			 const struct swapfile_place *place, struct why *w)
{
	struct step_teller teller = report_steps_begin(&s->report);
	struct swap_area area;
	int r = swap_area_resolve(place->path, 0, true, &area, w);

	if (r == 0 && (area.offset != place->area.offset || area.dev != place->area.dev))
		r = why(w, -ESTALE, "%s was moved by its file system when it was switched on",
			place->path);
	if (r < 0)
		state_undo(&s->system, state, state_find(state, "enable", NULL), &teller, NULL);
	return r;
}

/* What was enabled before, to come back when the new cannot be. */
struct former {
	bool there; /* and undone */
	char path[256], device[256], offset[24];
	bool hibernate_only;
};

static void keep_former(const struct plan *old, struct former *ret)
{
	ret->there = text_copy(ret->path, sizeof(ret->path), old->path) &&
		     text_copy(ret->device, sizeof(ret->device), old->device ? old->device : "") &&
		     text_copy(ret->offset, sizeof(ret->offset), old->offset ? old->offset : "") &&
		     ret->device[0] && ret->offset[0];
	ret->hibernate_only = old->hibernate_only;
}

static void bring_back(struct swapfile *s, struct state *state, const struct former *former)
{
	struct step_teller teller = report_steps_begin(&s->report);
	const struct enable enable = {
		.path = former->path,
		.device = former->device,
		.offset = former->offset,
		.hibernate_only = former->hibernate_only,
	};
	enum boot_loader loader;
	struct why w = { "" };
	struct plan plan;
	int r = plan_open(&plan, "enable", former->path);

	if (r == 0)
		r = enable_plan(&plan, &s->system, &enable, &loader, &w);
	if (r == 0)
		r = state_do(&s->system, state, &plan, &teller, &w);
	plan_close(&plan);
	if (r < 0)
		log_warning("%s, which was enabled before, is not any more: %s", former->path,
			    why_text(&w, r));
}

static bool is_same(const struct plan *old, const struct plan *new)
{
	return is_empty(new) && !old->unfinished && strcmp(old->path, new->path) == 0 &&
	       strcmp(old->device ? old->device : "", new->device) == 0 &&
	       strcmp(old->offset ? old->offset : "", new->offset) == 0 &&
	       old->hibernate_only == new->hibernate_only;
}

/* What is enabled already makes room for the new. *ret_same: it is the same. */
static int give_way(struct swapfile *s, struct state *state, const struct enable *enable,
		    struct former *ret_former, bool *ret_same, struct why *w)
{
	struct plan *old = state_find(state, "enable", NULL), plan;
	enum boot_loader loader;
	int r;

	*ret_same = false;
	if (!old)
		return 0;
	r = plan_open(&plan, "enable", enable->path);
	if (r == 0)
		r = enable_plan(&plan, &s->system, enable, &loader, w);
	*ret_same = r == 0 && is_same(old, &plan);
	plan_close(&plan);
	if (r < 0 || *ret_same)
		return r;
	keep_former(old, ret_former);
	r = command_undo(s, state, old, w);
	/* Then it is half there, and stays written down. */
	ret_former->there &= r == 0 && !s->dry_run;
	return r;
}

static int set_up(struct swapfile *s, struct state *state, const struct swapfile_place *place,
		  const struct enable *enable, enum boot_loader *ret_loader, struct why *w)
{
	struct plan plan;
	int r = plan_open(&plan, "enable", enable->path);

	if (r == 0)
		r = enable_plan(&plan, &s->system, enable, ret_loader, w);
	if (r == 0)
		r = command_carry_out(s, state, &plan, w);
	plan_close(&plan);
	return r < 0 || s->dry_run ? r : confirm_place(s, state, place, w);
}

static enum outcome enable_with(struct swapfile *s, struct state *state,
				const struct swapfile_place *place, struct why *w)
{
	char arguments[400], offset[24];
	const struct enable enable = {
		.path = place->path,
		.device = place->device,
		.offset = offset,
		.hibernate_only = s->hibernate_only,
	};
	enum boot_loader loader = BOOT_NONE;
	struct former former = { 0 };
	bool same;
	int r;

	snprintf(offset, sizeof(offset), "%" PRIu64, place->area.offset);
	enable_arguments(&enable, arguments, sizeof(arguments));
	r = give_way(s, state, &enable, &former, &same, w);
	if (r == 0 && same) {
		report_line(&s->report, "%s is enabled already; there is nothing to do",
			    place->path);
		return OUTCOME_DONE;
	}
	if (r == 0)
		r = set_up(s, state, place, &enable, &loader, w);
	if (r == 0)
		tell_after_enable(s, loader, arguments);
	else if (former.there)
		bring_back(s, state, &former);
	return r == -EINVAL ? OUTCOME_REFUSED : command_failed(r, w);
}

enum outcome swapfile_do_enable(struct swapfile *s, struct why *w)
{
	struct swapfile_place place = { 0 };
	struct state state = { 0 };
	enum outcome outcome = command_failed(command_need_root(s, w), w);

	if (outcome == OUTCOME_DONE)
		outcome = swapfile_find(s, false, &place, w);
	if (outcome == OUTCOME_DONE)
		outcome = command_failed(state_load(&s->system, &state, w), w);
	if (outcome != OUTCOME_DONE)
		return outcome;
	outcome = enable_with(s, &state, &place, w);
	state_free(&state);
	return outcome;
}

/* The name of the device where a file would be: of the only one that its file
 * system has. */
int command_foretell_device(const struct swapfile *s, const struct site *site, char *buffer,
			    size_t size, struct why *w)
{
	struct swap_area area;
	char number[32];
	dev_t dev;
	int r = site_only_device(site, &dev, w);

	if (r == -EOPNOTSUPP) {
		text_copy(buffer, size, "DEVICE");
		return 0;
	}
	snprintf(number, sizeof(number), "%u:%u", major(dev), minor(dev));
	if (r == 0)
		r = swap_area_resolve(number, 0, false, &area, w);
	return r < 0 ? r : site_resume_name(&s->system, dev, area.device, buffer, size, w);
}

enum outcome command_foretell_enable(struct swapfile *s, const struct site *site, struct why *w)
{
	char device[256], arguments[400];
	const struct enable enable = {
		.path = site->path,
		.device = device,
		.offset = "OFFSET",
		.hibernate_only = s->hibernate_only,
	};
	enum boot_loader loader = BOOT_NONE;
	struct plan plan;
	int r = command_foretell_device(s, site, device, sizeof(device), w);

	if (r < 0)
		return command_failed(r, w);
	r = plan_open(&plan, "enable", site->path);
	if (r == 0)
		r = enable_plan(&plan, &s->system, &enable, &loader, w);
	if (r == 0) {
		report_plan(&s->report, &plan, false);
		report_line(&s->report, "where OFFSET is known when the file is there");
		tell_after_enable(s, loader,
				  enable_arguments(&enable, arguments, sizeof(arguments)));
	}
	plan_close(&plan);
	return r == -EINVAL ? OUTCOME_REFUSED : command_failed(r, w);
}

enum outcome swapfile_do_disable(struct swapfile *s, struct why *w)
{
	struct state state = { 0 };
	struct plan *plan;
	int r = command_need_root(s, w);

	if (r == 0)
		r = state_load(&s->system, &state, w);
	if (r < 0)
		return command_failed(r, w);
	plan = state_find(&state, "enable", NULL);
	if (plan)
		r = command_undo(s, &state, plan, w);
	else
		report_line(&s->report, "no swap file is enabled; there is nothing to do");
	state_free(&state);
	return command_failed(r, w);
}
