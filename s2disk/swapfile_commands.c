/* SPDX-License-Identifier: GPL-2.0-or-later */
/* create, offset, remove, and what the commands share. */
#include "swapfile_commands.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "swap/area_name.h"
#include "swapfile_create.h"
#include "swapfile_enable.h"
#include "swapfile_kernel.h"
#include "swapfile_size.h"
#include "swapfile_state.h"
#include "swapfile_subvolume.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum outcome command_failed(int r, struct why *w)
{
	if (r < 0 && !w->text[0])
		why(w, r, "%s", strerror(-r));
	return r < 0 ? OUTCOME_FAILED : OUTCOME_DONE;
}

enum outcome command_refused(int r, struct why *w)
{
	enum outcome outcome = command_failed(r, w);

	return r == -EINVAL || r == -EOPNOTSUPP || r == -ENOSPC || r == -EEXIST ? OUTCOME_REFUSED
										: outcome;
}

int command_need_root(const struct swapfile *s, struct why *w)
{
	return s->dry_run || geteuid() == 0 ? 0 : why(w, -EPERM, "only root can do this");
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
	r = s->system.swap_on(path);
	if (r == 0)
		r = s->system.swap_off(path);
	return r < 0 ? why(w, r, "%s cannot be switched on: %s", path, strerror(-r)) : 0;
}

/* What keeps the file from being resumed from ends this, or with `tolerant` goes
 * to ret->objection. */
static int object(struct swapfile_place *ret, bool tolerant, int r, struct why *w)
{
	if (r != -EINVAL || !tolerant)
		return r;
	text_copy(ret->objection, sizeof(ret->objection), w->text);
	w->text[0] = '\0';
	return 0;
}

static int find_file(const struct swapfile *s, const char *real, bool tolerant,
		     struct swapfile_place *ret, struct why *w)
{
	struct site site = { 0 };
	int r = object(ret, tolerant, site_examine(&s->system, real, &site, w), w);

	if (r == 0 && !text_copy(ret->path, sizeof(ret->path), real))
		r = -ENAMETOOLONG;
	if (r == 0 && site.magic == F2FS_SUPER_MAGIC)
		r = settle(s, ret->path, w);
	return r == 0 ? swap_area_resolve(ret->path, 0, true, &ret->area, w) : r;
}

/* name: what the user calls it. */
static int check_kind(const char *name, bool tolerant, struct swapfile_place *ret, struct why *w)
{
	enum swap_signature_kind kind = SWAP_IS_NOTHING;
	int r = swapfile_read_kind(&ret->area, &kind, w);

	if (r < 0 || kind == SWAP_IS_SWAP)
		return r;
	return object(ret, tolerant,
		      why(w, -EINVAL,
			  kind == SWAP_IS_NOTHING ? "%s is not a swap area; name one, or make "
						    "a swap file (s2disk-swapfile create)"
						  : "%s holds a hibernation image; resume it, "
						    "or boot once without resuming it",
			  name),
		      w);
}

enum outcome swapfile_find(const struct swapfile *s, bool tolerant, struct swapfile_place *ret,
			   struct why *w)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	_cleanup_free_ char *real = realpath(s->path, NULL);
	struct stat st;
	bool device =
		real ? stat(real, &st) == 0 && S_ISBLK(st.st_mode) : strchr(s->path, '=') != NULL;
	int r = stack ? 0 : -ENOMEM;

	if (r == 0 && !real && !device)
		r = why(w, -errno, "%s: %s%s", s->path, strerror(errno),
			errno == ENOENT ? "; make it first: s2disk-swapfile create" : "");
	if (r < 0)
		return command_failed(r, w);
	r = device ? swap_area_resolve(s->path, 0, false, &ret->area, w)
		   : find_file(s, real, tolerant, ret, w);
	if (r == 0)
		r = check_kind(device ? ret->area.device : ret->path, tolerant, ret, w);
	if (r == 0)
		r = object(ret, tolerant, site_check_device(&s->system, ret->area.dev, stack, w),
			   w);
	if (r == 0)
		r = area_name(s->system.root, ret->area.dev, ret->area.device, ret->device,
			      sizeof(ret->device), w);
	if (r == 0 && device)
		text_copy(ret->path, sizeof(ret->path), ret->device);
	return command_refused(r, w);
}

enum outcome swapfile_do_offset(struct swapfile *s, struct why *w)
{
	struct swapfile_place place = { 0 };
	enum outcome outcome = swapfile_find(s, true, &place, w);

	if (outcome != OUTCOME_DONE)
		return outcome;
	/* What was asked for is known all the same. */
	if (place.objection[0])
		log_warning("it cannot be resumed from: %s", place.objection);
	if (s->uswsusp) {
		printf("resume offset = %" PRIu64 "\n", place.area.offset);
		return OUTCOME_DONE;
	}
	report_value(&s->report, "path", place.path);
	report_value(&s->report, "device", place.area.device);
	report_value(&s->report, "resume", place.device);
	report_number(&s->report, "offset", place.area.offset);
	report_value(&s->report, "objection", place.objection[0] ? place.objection : NULL);
	if (place.area.file)
		report_line(&s->report, "resume=%s resume_offset=%" PRIu64, place.device,
			    place.area.offset);
	else
		report_line(&s->report, "resume=%s", place.device);
	return OUTCOME_DONE;
}

static int choose_size(struct swapfile *s, const struct site *site, struct why *w)
{
	_cleanup_free_ char *text = NULL;
	struct swapfile_size size;
	struct meminfo meminfo;
	int r;

	if (s->size)
		return swapfile_size_check(s->size, page_size(), site->free, site->total, w);
	r = system_read(&s->system, "/proc/meminfo", &text);
	if (r == 0)
		r = text ? meminfo_parse(text, &meminfo) : -ENOENT;
	if (r < 0)
		return why(w, r, "/proc/meminfo cannot be used: %s", strerror(-r));
	meminfo.zram = zram_memory(s->system.root);
	r = swapfile_size_auto(&meminfo, site->free, site->total, &size, w);
	if (r < 0)
		return r;
	s->size = size.bytes;
	report_value(&s->report, "size-reason", size.text);
	report_line(&s->report, "%s", size.text);
	return 0;
}

static int examine_site(const struct swapfile *s, const char *subvolume, struct site *ret,
			struct why *w)
{
	int r;

	if (!subvolume)
		return site_examine(&s->system, s->path, ret, w);
	r = site_examine(&s->system, subvolume, ret, w);
	if (r == 0 &&
	    (size_t)snprintf(ret->path + strlen(ret->path), sizeof(ret->path) - strlen(ret->path),
			     "%s", strrchr(s->path, '/')) >= sizeof(ret->path))
		r = -ENAMETOOLONG;
	return r;
}

static int create_file(struct swapfile *s, struct state *state, const struct site *site,
		       const char *subvolume, struct why *w)
{
	struct create create = {
		.system = &s->system,
		.site = site,
		.size = s->size,
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
		r = state_do(&s->system, state, &plan, &s->report, w);
	plan_close(&plan);
	return r;
}

static enum outcome create_and_enable(struct swapfile *s, struct state *state,
				      const struct site *site, struct why *w)
{
	enum outcome outcome;
	struct plan *made;

	if (s->dry_run)
		return command_foretell_enable(s, site, w);
	s->path = site->path;
	outcome = swapfile_do_enable(s, w);
	if (outcome == OUTCOME_DONE)
		return outcome;
	/* Nothing half-done. Enabling has its own state; read what it left. */
	state_free(state);
	if (state_load(&s->system, state, NULL) == 0) {
		made = state_find(state, "create", site->path);
		if (made)
			state_undo(&s->system, state, made, &s->report, NULL);
	}
	return outcome;
}

/* What a run that was cut off has left is no swap file yet. */
static int refuse_existing(const struct swapfile *s, const char *path, struct why *w)
{
	struct state state = { 0 };
	const struct plan *made = NULL;
	bool half;

	if (geteuid() == 0 && state_load(&s->system, &state, NULL) == 0)
		made = state_find(&state, "create", path);
	half = made && made->unfinished;
	state_free(&state);
	if (half)
		return why(w, -EEXIST,
			   "%s was left half made by a run that was cut off; take it away: "
			   "s2disk-swapfile remove %s",
			   path, path);
	return why(w, -EEXIST, "%s exists already; take another name, or enable it as it is", path);
}

enum outcome swapfile_do_create(struct swapfile *s, struct why *w)
{
	_cleanup_free_ char *subvolume = NULL;
	struct initramfs_site initramfs;
	struct state state = { 0 };
	struct site site;
	enum outcome outcome;
	int r = command_need_root(s, w);

	if (r == 0)
		r = s->no_subvolume ? 0 : swapfile_subvolume_plan(s->path, &subvolume, w);
	if (r == 0)
		r = examine_site(s, subvolume, &site, w);
	if (r == 0 && exists(site.path))
		r = refuse_existing(s, site.path, w);
	/* What enabling would refuse; it is to say the exact place, too. */
	if (r == 0 && s->enable && initramfs_find(&s->system, "", NULL, &initramfs, NULL) < 0)
		r = why(w, -EINVAL,
			"this system's initramfs is not this program's to make: make the file "
			"without --enable, and 's2disk-swapfile enable %s' tells what to run",
			site.path);
	if (r == 0)
		r = choose_size(s, &site, w);
	if (r < 0)
		return command_refused(r, w);
	report_value(&s->report, "path", site.path);
	report_number(&s->report, "size", s->size);
	r = state_load(&s->system, &state, w);
	if (r == 0)
		r = create_file(s, &state, &site, subvolume, w);
	outcome = command_refused(r, w);
	if (outcome == OUTCOME_DONE && s->enable)
		outcome = create_and_enable(s, &state, &site, w);
	else if (outcome == OUTCOME_DONE && !s->dry_run)
		report_line(&s->report,
			    "%s is made; 's2disk-swapfile enable %s' sets the system up", site.path,
			    site.path);
	state_free(&state);
	return outcome;
}

/* The path that is meant, in *ret, free: the one named, or the only file that was made. */
static int find_made(const struct swapfile *s, const struct state *state, char **ret, struct why *w)
{
	_cleanup_free_ char *real = s->path ? realpath(s->path, NULL) : NULL;
	const char *path = real ? real : s->path;
	const struct plan *newest = state_find(state, "create", NULL);

	for (size_t i = 0; !path && i < state->count; i++)
		if (strcmp(state->plans[i].name, "create") == 0 &&
		    strcmp(state->plans[i].path, newest->path) != 0)
			return why(w, -EINVAL, "there are several swap files; say which");
	if (!path && newest)
		path = newest->path;
	*ret = path ? strdup(path) : NULL;
	return path && !*ret ? -ENOMEM : 0;
}

/* Deleting the file would delete a session. */
static int refuse_image(const char *path, struct why *w)
{
	enum swap_signature_kind kind;
	struct swap_area area;

	return swap_area_resolve(path, 0, true, &area, NULL) == 0 &&
			       swapfile_read_kind(&area, &kind, NULL) == 0 &&
			       kind != SWAP_IS_SWAP && kind != SWAP_IS_NOTHING
		       ? why(w, -EINVAL,
			     "%s holds a hibernation image, which would be lost; resume it, or "
			     "boot "
			     "once without resuming it",
			     path)
		       : 0;
}

/* The files of the set-up, if it is for that area, or any where none is known by name; then
 * the file, of which a state that was lost says nothing any more. */
static int remove_all(struct swapfile *s, struct state *state, const char *path, struct why *w)
{
	bool known = path && state_find(state, "create", path);
	struct plan *plan = NULL;
	int r = known ? refuse_image(path, w) : 0;

	if (r == 0 && (known || state->count == 0))
		r = command_find_enabled(s, state, &plan, w);
	if (plan && path && strcmp(plan->path, path) != 0)
		plan = NULL;
	if (r == 0 && !known && !plan)
		return why(w, -EINVAL,
			   path ? "%s was not made by s2disk-swapfile, or what it wrote down is "
				  "lost; delete it yourself, after 's2disk-swapfile disable'"
				: "no swap file is known that s2disk-swapfile made%s",
			   path ? path : "");
	if (r == 0 && plan)
		r = state_undo(&s->system, state, plan, &s->report, w);
	if (r == 0 && !known)
		return why(w, -ENODATA,
			   "it is disabled, but whether s2disk-swapfile made the file is lost with "
			   "its state: delete it yourself");
	while (r == 0 && (plan = state_find(state, "create", path))) {
		r = state_undo(&s->system, state, plan, &s->report, w);
		if (s->dry_run)
			break;
	}
	return r;
}

enum outcome swapfile_do_remove(struct swapfile *s, struct why *w)
{
	_cleanup_free_ char *path = NULL;
	struct state state = { 0 };
	int r = command_need_root(s, w);

	if (r == 0)
		r = state_load(&s->system, &state, w);
	if (r == 0)
		r = find_made(s, &state, &path, w);
	if (r == 0) {
		report_value(&s->report, "path", path);
		r = remove_all(s, &state, path, w);
	}
	state_free(&state);
	return r == -EINVAL ? OUTCOME_REFUSED : command_failed(r, w);
}
