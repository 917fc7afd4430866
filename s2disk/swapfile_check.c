/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Can this machine hibernate into the area, and resume from it? */
#include "base/cleanup.h"
#include "preflight_checks.h"
#include "swap/device_stack.h"
#include "swapfile_commands.h"
#include "swapfile_enable.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct swapfile_check {
	const struct swapfile *swapfile;
	struct settings settings;
	struct preflight list;
	/* So that preflight_add can be used: only its list is filled in. */
	struct preflight_context context;
	struct swapfile_place place;
};

/* The area that is meant: as named, as enabled, as the configuration says. */
static const char *find_path(const struct swapfile *s, const struct settings *settings,
			     const struct plan *enabled)
{
	if (s->path)
		return s->path;
	if (enabled)
		return enabled->path;
	return settings->swap_on_demand[0] ? settings->swap_on_demand : NULL;
}

static void add_file(struct swapfile_check *check)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	bool known = stack && device_stack_read(check->swapfile->system.root, check->place.area.dev,
						stack, NULL) == 0;
	char text[256];

	preflight_add(&check->context, "file", CHECK_OK,
		      "the place of %s is known: page %" PRIu64 " of %s%s%s%s", check->place.path,
		      check->place.area.offset, check->place.area.device, known ? " (" : "",
		      known ? device_stack_text(stack, text, sizeof(text)) : "", known ? ")" : "");
}

static void check_active(struct swapfile_check *check)
{
	const struct swapfile_system *system = &check->swapfile->system;
	const char *path = check->place.path, *named = check->settings.swap_on_demand;
	/* Only a file that the configuration names is switched on by s2disk itself. */
	bool on_demand = named[0] && system_same_file(system, named, path);
	struct check *added;

	if (system->is_active(path)) {
		preflight_add(&check->context, "active", CHECK_OK, "%s is on%s", path,
			      on_demand ? ", though it is for hibernating only" : "");
	} else if (on_demand) {
		preflight_add(&check->context, "active", CHECK_OK,
			      "%s is off; s2disk switches it on for hibernating", path);
	} else {
		added = preflight_add(&check->context, "active", CHECK_FAILED,
				      "%s is not active as swap", path);
		preflight_advise(added, "s2disk-swapfile enable %s", path);
	}
}

/* Is what s2disk will use still where the area is? */
static void check_configuration(struct swapfile_check *check)
{
	const struct settings *settings = &check->settings;
	struct check *added;

	if (enable_is_named(settings, check->place.path, &check->place.area)) {
		preflight_add(&check->context, "configuration", CHECK_OK,
			      "the configuration names the place of %s", check->place.path);
		return;
	}
	if (!settings->resume_device[0])
		added = preflight_add(&check->context, "configuration", CHECK_WARNING,
				      "the configuration of s2disk names no resume device; the "
				      "kernel command line decides");
	else
		added = preflight_add(
			&check->context, "configuration", CHECK_FAILED,
			"the configuration has \"resume device = %s\" and \"resume offset = "
			"%" PRIu64 "\", but %s is at %s, page %" PRIu64
			" (a file system moves files at times: f2fs, defragmentation)",
			settings->resume_device, settings->resume_offset, check->place.path,
			check->place.device, check->place.area.offset);
	if (settings->resume_device[0] && !strstr(settings->resume_device_by, ENABLE_DROP_IN) &&
	    enable_has_drop_in(&check->swapfile->system))
		preflight_advise(added, "take it out of %s, which has the last word",
				 settings->resume_device_by);
	else
		preflight_advise(added, "s2disk-swapfile enable %s", check->place.path);
}

/* Would enabling it once more change anything: fstab, crypttab, the configuration? */
static void check_set_up(struct swapfile_check *check, const struct plan *enabled)
{
	char offset[24];
	const struct enable enable = {
		.path = check->place.path,
		.device = check->place.device,
		.offset = check->place.area.file ? offset : NULL,
		.dev = check->place.area.dev,
		.hibernate_only = check->settings.swap_on_demand[0],
	};
	struct initramfs_site initramfs;
	struct plan plan = { 0 };
	struct why w = { "" };
	struct check *added;
	int r = plan_open(&plan, "enable", enable.path);

	/* A power cut, for instance. */
	if (enabled && enabled->unfinished) {
		added = preflight_add(&check->context, "set-up", CHECK_FAILED,
				      "enabling %s, or disabling it, was cut off in the middle",
				      enabled->path);
		preflight_advise(added, "s2disk-swapfile enable %s, or s2disk-swapfile disable",
				 enabled->path);
		plan_close(&plan);
		return;
	}
	snprintf(offset, sizeof(offset), "%" PRIu64, check->place.area.offset);
	if (r == 0)
		r = enable_plan(&plan, &check->swapfile->system, &enable, &initramfs, &w);
	if (r < 0) {
		preflight_add(&check->context, "set-up", CHECK_WARNING, "%s", why_text(&w, r));
	} else if (plan_changes_files(&plan)) {
		added = preflight_add(&check->context, "set-up", CHECK_WARNING,
				      "the system is not set up for %s as enabling it would",
				      enable.path);
		preflight_advise(added, "s2disk-swapfile enable %s", enable.path);
	} else {
		preflight_add(&check->context, "set-up", CHECK_OK, "the system is set up for %s",
			      enable.path);
	}
	plan_close(&plan);
}

/* The checks of s2disk itself: memory, kernel, size, the way back. */
static void add_preflight(struct swapfile_check *check)
{
	const struct preflight_target target = { .area = &check->place.area };
	_cleanup_free_ struct preflight *more = calloc(1, sizeof(*more));

	if (!more) {
		preflight_add(&check->context, "memory", CHECK_FAILED,
			      "there is no memory to look further; close some programs");
		return;
	}
	preflight_run(&check->settings, &target, check->swapfile->system.root, more);
	for (size_t i = 0; i < more->count; i++)
		*preflight_place(&check->list, more->checks[i].id, more->checks[i].level) =
			more->checks[i];
	check->list.left_out += more->left_out;
}

static enum outcome tell(struct swapfile *s, const struct swapfile_check *check)
{
	report_value(&s->report, "path", check->place.path);
	if (s->report.use_json)
		preflight_json_checks(&check->list, &s->report.json);
	else
		preflight_print(&check->list, stdout);
	return preflight_worst(&check->list) == CHECK_FAILED ? OUTCOME_REFUSED : OUTCOME_DONE;
}

static enum outcome check_path(struct swapfile *s, struct swapfile_check *check,
			       const struct plan *enabled, struct why *w)
{
	struct swapfile other = *s;
	struct check *added;
	struct why reason = { "" };

	other.path = find_path(s, &check->settings, enabled);
	if (!other.path)
		return command_refused(
			why(w, -EINVAL,
			    "no swap area is enabled; say which (s2disk-swapfile check PATH), or "
			    "make one (s2disk-swapfile create --enable /swapfile)"),
			w);
	check->swapfile = &other;
	check->context.preflight = &check->list;
	other.dry_run = true; /* nothing is switched on to look */
	if (swapfile_find(&other, false, &check->place, &reason) == OUTCOME_DONE) {
		add_file(check);
		check_active(check);
		check_configuration(check);
		check_set_up(check, enabled);
		add_preflight(check);
	} else {
		added = preflight_add(&check->context, "file", CHECK_FAILED, "%s", reason.text);
		preflight_advise(added, "make one that can be resumed from: s2disk-swapfile create "
					"--enable PATH");
	}
	return tell(s, check);
}

enum outcome swapfile_do_check(struct swapfile *s, struct why *w)
{
	_cleanup_free_ struct swapfile_check *check = calloc(1, sizeof(*check));
	struct plan *enabled = NULL;
	struct state state = { 0 };
	enum outcome outcome = OUTCOME_DONE;
	int r = check ? 0 : -ENOMEM;

	if (r == 0) {
		settings_defaults(&check->settings);
		r = settings_load(&check->settings, s->system.root, NULL, NULL, w);
	}
	if (r == 0)
		r = state_load(&s->system, &state, w);
	if (r == 0)
		r = command_find_enabled(s, &state, &enabled, w);
	if (r == 0)
		outcome = check_path(s, check, enabled, w);
	state_free(&state);
	return r < 0 ? command_failed(r, w) : outcome;
}
