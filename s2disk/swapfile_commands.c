/* SPDX-License-Identifier: GPL-2.0-or-later */
/* create, offset, enable, disable, remove. */
#include "swapfile.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "swapfile_create.h"
#include "swapfile_enable.h"
#include "swapfile_size.h"
#include "swapfile_state.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static enum outcome failed(int r)
{
	return r < 0 ? OUTCOME_FAILED : OUTCOME_DONE;
}

/* A full disk or a file that cannot be is something else than a broken one. */
static enum outcome refused(int r)
{
	return r == -EINVAL || r == -EOPNOTSUPP || r == -ENOSPC || r == -EEXIST ? OUTCOME_REFUSED
										: failed(r);
}

static int need_root(struct why *w)
{
	return geteuid() == 0 ? 0 : why(w, -EPERM, "only root can do this");
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* On f2fs the kernel may move a file when it is switched on; after that it
 * stays where it is. */
static int settle(const struct swapfile *s, const char *path, struct why *w)
{
	int r;

	if (s->dry_run || s->system.is_active(path))
		return 0;
	r = s->system.swap_on(path, -1);
	if (r == 0)
		r = s->system.swap_off(path);
	return r < 0 ? why(w, r, "%s cannot be switched on: %s", path, strerror(-r)) : 0;
}

enum outcome swapfile_find(const struct swapfile *s, struct swapfile_place *ret, struct why *w)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	_cleanup_free_ char *real = realpath(s->path, NULL);
	struct site site;
	int r;

	if (!stack)
		return OUTCOME_FAILED;
	if (!real)
		return failed(
			why(w, -errno, "%s: %s%s", s->path, strerror(errno),
			    errno == ENOENT ? "; make it first: s2disk-swapfile create" : ""));
	r = site_examine(&s->system, real, &site, w);
	if (r == 0 && site.magic == F2FS_SUPER_MAGIC)
		r = settle(s, site.path, w);
	if (r == 0)
		r = swap_area_resolve(site.path, 0, true, &ret->area, w);
	if (r == 0 && !ret->area.file)
		r = why(w, -EINVAL, "%s is a device, not a swap file", site.path);
	if (r == 0)
		r = site_check_device(&s->system, ret->area.dev, stack, w);
	if (r == 0)
		r = site_resume_name(&s->system, ret->area.dev, ret->area.device, ret->device,
				     sizeof(ret->device), w);
	if (r == 0)
		text_copy(ret->path, sizeof(ret->path), site.path);
	return refused(r);
}

enum outcome swapfile_do_offset(struct swapfile *s, bool uswsusp, struct why *w)
{
	struct swapfile_place place = { 0 };
	enum outcome outcome = swapfile_find(s, &place, w);

	if (outcome != OUTCOME_DONE)
		return outcome;
	if (uswsusp) {
		printf("resume offset = %" PRIu64 "\n", place.area.offset);
		return OUTCOME_DONE;
	}
	report_value(&s->report, "path", place.path);
	report_value(&s->report, "device", place.area.device);
	report_value(&s->report, "resume", place.device);
	report_number(&s->report, "offset", place.area.offset);
	report_line(&s->report, "resume=%s resume_offset=%" PRIu64, place.device,
		    place.area.offset);
	return OUTCOME_DONE;
}

static int read_meminfo(const struct swapfile *s, struct meminfo *ret, struct why *w)
{
	_cleanup_free_ char *text = NULL;
	int r = system_read(&s->system, "/proc/meminfo", &text);

	if (r == 0)
		r = text ? meminfo_parse(text, ret) : -ENOENT;
	return r < 0 ? why(w, r, "/proc/meminfo cannot be used: %s", strerror(-r)) : 0;
}

static int choose_size(struct swapfile *s, const struct site *site, struct why *w)
{
	struct swapfile_size size;
	struct meminfo meminfo;
	int r;

	if (s->size)
		return swapfile_size_check(s->size, page_size(), site->free, site->total, w);
	r = read_meminfo(s, &meminfo, w);
	if (r == 0)
		r = swapfile_size_auto(&meminfo, site->free, site->total, &size, w);
	if (r < 0)
		return r;
	s->size = size.bytes;
	report_value(&s->report, "size-reason", size.text);
	report_line(&s->report, "%s", size.text);
	return 0;
}

/* "create --subvolume /swap/file": /swap becomes a subvolume, for which there
 * must be nothing yet. *ret_folder: what to make; NULL for nothing. */
static int plan_subvolume(const struct swapfile *s, char **ret_folder, struct why *w)
{
	char *slash;

	*ret_folder = NULL;
	if (!s->subvolume)
		return 0;
	*ret_folder = strdup(s->path);
	if (!*ret_folder)
		return -ENOMEM;
	slash = strrchr(*ret_folder, '/');
	if (!slash || slash == *ret_folder)
		return why(w, -EINVAL,
			   "%s: with --subvolume a path is wanted whose folder becomes the "
			   "subvolume, /swap/swapfile for example",
			   s->path);
	*slash = '\0';
	if (exists(*ret_folder))
		return why(w, -EEXIST, "%s exists already, so it cannot become a subvolume",
			   *ret_folder);
	return 0;
}

static int examine_site(const struct swapfile *s, const char *subvolume, struct site *ret,
			struct why *w)
{
	int r;

	if (!subvolume)
		return site_examine(&s->system, s->path, ret, w);
	r = site_examine(&s->system, subvolume, ret, w);
	if (r == 0 && ret->magic != BTRFS_SUPER_MAGIC)
		r = why(w, -EINVAL, "%s is on %s, which has no subvolumes", subvolume, ret->kind);
	if (r == 0 &&
	    (size_t)snprintf(ret->path + strlen(ret->path), sizeof(ret->path) - strlen(ret->path),
			     "%s", strrchr(s->path, '/')) >= sizeof(ret->path))
		r = -ENAMETOOLONG;
	return r;
}

/* Makes or tells a plan. */
static int carry_out(struct swapfile *s, struct state *state, struct plan *plan, struct why *w)
{
	struct step_teller teller = report_steps_begin(&s->report);

	if (s->dry_run) {
		report_plan(&s->report, plan, false);
		return 0;
	}
	return state_do(&s->system, state, plan, &teller, w);
}

static int create_file(struct swapfile *s, struct state *state, const struct site *site,
		       const char *subvolume, struct why *w)
{
	struct create create = {
		.system = &s->system,
		.site = site,
		.size = s->size,
		.quiet = s->report.quiet || s->report.use_json,
	};
	struct plan plan;
	int r = plan_open(&plan, "create", site->path);

	if (r == 0 && subvolume)
		r = plan_add(&plan, STEP_SUBVOLUME, subvolume);
	if (r == 0)
		r = plan_add(&plan, STEP_MADE, site->path);
	plan.make = swapfile_create;
	plan.context = &create;
	if (r == 0)
		r = carry_out(s, state, &plan, w);
	plan_close(&plan);
	return r;
}

static enum outcome create_and_enable(struct swapfile *s, struct state *state, const char *path,
				      struct why *w)
{
	enum outcome outcome;
	struct plan *made;

	if (s->dry_run) {
		report_line(&s->report, "then enable it; its offset is known when it is there");
		return OUTCOME_DONE;
	}
	s->path = path;
	outcome = swapfile_do_enable(s, w);
	if (outcome == OUTCOME_DONE)
		return outcome;
	/* Nothing half-done. Enabling has its own state; read what it left. */
	state_free(state);
	if (state_load(&s->system, state, NULL) == 0) {
		struct step_teller teller = report_steps_begin(&s->report);

		made = state_find(state, "create", path);
		if (made)
			state_undo(&s->system, state, made, &teller, NULL);
	}
	return outcome;
}

enum outcome swapfile_do_create(struct swapfile *s, struct why *w)
{
	_cleanup_free_ char *subvolume = NULL;
	struct state state = { 0 };
	struct site site;
	enum outcome outcome;
	int r = s->dry_run ? 0 : need_root(w);

	if (r == 0)
		r = plan_subvolume(s, &subvolume, w);
	if (r == 0)
		r = examine_site(s, subvolume, &site, w);
	if (r == 0 && exists(site.path))
		r = why(w, -EEXIST, "%s exists already; take another name, or enable it as it is",
			site.path);
	if (r == 0)
		r = choose_size(s, &site, w);
	if (r < 0)
		return refused(r);
	report_value(&s->report, "path", site.path);
	report_number(&s->report, "size", s->size);
	r = state_load(&s->system, &state, w);
	if (r == 0)
		r = create_file(s, &state, &site, subvolume, w);
	outcome = refused(r);
	if (outcome == OUTCOME_DONE && s->enable)
		outcome = create_and_enable(s, &state, site.path, w);
	else if (outcome == OUTCOME_DONE && !s->dry_run)
		report_line(&s->report,
			    "%s is made; 's2disk-swapfile enable %s' sets the system up", site.path,
			    site.path);
	state_free(&state);
	return outcome;
}

/* Would carrying it out change nothing? */
static bool is_empty(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind != STEP_RUN || plan->steps[i].command)
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

/* What is enabled already makes room for the new. *ret_same: it is the same. */
static int give_way(struct swapfile *s, struct state *state, const struct enable *enable,
		    bool *ret_same, struct why *w)
{
	struct plan *old = state_find(state, "enable", NULL), plan;
	struct step_teller teller;
	enum boot_loader loader;
	char offset[24];
	int r;

	*ret_same = false;
	if (!old)
		return 0;
	r = plan_open(&plan, "enable", enable->path);
	if (r == 0)
		r = enable_plan(&plan, &s->system, enable, &loader, w);
	snprintf(offset, sizeof(offset), "%" PRIu64, enable->offset);
	*ret_same = r == 0 && is_empty(&plan) && strcmp(old->path, enable->path) == 0 &&
		    strcmp(old->device ? old->device : "", enable->device) == 0 &&
		    strcmp(old->offset ? old->offset : "", offset) == 0 &&
		    old->hibernate_only == enable->hibernate_only;
	plan_close(&plan);
	if (r < 0 || *ret_same)
		return r;
	teller = report_steps_begin(&s->report);
	if (s->dry_run) {
		report_plan(&s->report, old, true);
		return 0;
	}
	return state_undo(&s->system, state, old, &teller, w);
}

static enum outcome enable_with(struct swapfile *s, struct state *state,
				const struct swapfile_place *place, struct why *w)
{
	const struct enable enable = {
		.path = place->path,
		.device = place->device,
		.offset = place->area.offset,
		.hibernate_only = s->hibernate_only,
	};
	enum boot_loader loader = BOOT_NONE;
	char arguments[400];
	struct plan plan;
	bool same;
	int r = give_way(s, state, &enable, &same, w);

	enable_arguments(&enable, arguments, sizeof(arguments));
	if (r == 0 && same) {
		report_line(&s->report, "%s is enabled already; there is nothing to do",
			    place->path);
		return OUTCOME_DONE;
	}
	if (r == 0)
		r = plan_open(&plan, "enable", place->path);
	if (r < 0)
		return OUTCOME_FAILED;
	r = enable_plan(&plan, &s->system, &enable, &loader, w);
	if (r == -EINVAL) {
		plan_close(&plan);
		return OUTCOME_REFUSED;
	}
	if (r == 0)
		r = carry_out(s, state, &plan, w);
	plan_close(&plan);
	if (r == 0 && !s->dry_run)
		r = confirm_place(s, state, place, w);
	if (r == 0)
		tell_after_enable(s, loader, arguments);
	return failed(r);
}

enum outcome swapfile_do_enable(struct swapfile *s, struct why *w)
{
	struct swapfile_place place = { 0 };
	struct state state = { 0 };
	enum outcome outcome;

	if (!s->dry_run && need_root(w) < 0)
		return OUTCOME_FAILED;
	outcome = swapfile_find(s, &place, w);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (state_load(&s->system, &state, w) < 0)
		return OUTCOME_FAILED;
	outcome = enable_with(s, &state, &place, w);
	state_free(&state);
	return outcome;
}

static int undo_plan(struct swapfile *s, struct state *state, struct plan *plan, struct why *w)
{
	struct step_teller teller = report_steps_begin(&s->report);

	if (s->dry_run) {
		report_plan(&s->report, plan, true);
		return 0;
	}
	return state_undo(&s->system, state, plan, &teller, w);
}

enum outcome swapfile_do_disable(struct swapfile *s, struct why *w)
{
	struct state state = { 0 };
	struct plan *plan;
	int r = s->dry_run ? 0 : need_root(w);

	if (r == 0)
		r = state_load(&s->system, &state, w);
	if (r < 0)
		return OUTCOME_FAILED;
	plan = state_find(&state, "enable", NULL);
	if (plan)
		r = undo_plan(s, &state, plan, w);
	else
		report_line(&s->report, "no swap file is enabled; there is nothing to do");
	state_free(&state);
	return failed(r);
}

/* The plan that made the file: of that path, or the only one. */
static int find_made(const struct swapfile *s, struct state *state, struct plan **ret,
		     struct why *w)
{
	_cleanup_free_ char *real = s->path ? realpath(s->path, NULL) : NULL;
	struct plan *found = NULL;
	unsigned int count = 0;

	for (size_t i = 0; i < state->count; i++) {
		struct plan *plan = &state->plans[i];

		if (strcmp(plan->name, "create") != 0 ||
		    (s->path && strcmp(plan->path, real ? real : s->path) != 0))
			continue;
		found = plan;
		count++;
	}
	if (count > 1)
		return why(w, -EINVAL, "there are %u swap files; say which", count);
	if (!found)
		return why(w, -EINVAL,
			   "%s was not made by s2disk-swapfile; delete it yourself, after "
			   "'s2disk-swapfile disable'",
			   s->path ? s->path : "no swap file");
	*ret = found;
	return 0;
}

enum outcome swapfile_do_remove(struct swapfile *s, struct why *w)
{
	struct state state = { 0 };
	struct plan *made = NULL, *enabled;
	int r = s->dry_run ? 0 : need_root(w);

	if (r == 0)
		r = state_load(&s->system, &state, w);
	if (r < 0)
		return OUTCOME_FAILED;
	r = find_made(s, &state, &made, w);
	if (r < 0) {
		state_free(&state);
		return OUTCOME_REFUSED;
	}
	report_value(&s->report, "path", made->path);
	enabled = state_find(&state, "enable", made->path);
	if (enabled)
		r = undo_plan(s, &state, enabled, w);
	/* The plans moved up. */
	if (r == 0)
		r = find_made(s, &state, &made, w);
	if (r == 0)
		r = undo_plan(s, &state, made, w);
	state_free(&state);
	return failed(r);
}
