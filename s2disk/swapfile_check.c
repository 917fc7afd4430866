/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Can this machine hibernate into the file, and resume from it? */
#include "swapfile_check.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "swapfile_commands.h"
#include "swapfile_enable.h"
#include "swapfile_site.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool names_the_place(const struct swapfile_check *check, const char *spec, uint64_t offset)
{
	struct swap_area area;

	return offset == check->place.area.offset &&
	       swap_area_resolve(spec, offset, false, &area, NULL) == 0 &&
	       area.dev == check->place.area.dev;
}

/* The file that is meant: as named, as enabled, as the configuration says. */
static const char *find_path(const struct swapfile *s, const struct settings *settings,
			     const struct state *state)
{
	const struct plan *plan = state_find(state, "enable", NULL);

	if (s->path)
		return s->path;
	if (plan)
		return plan->path;
	return settings->swap_on_demand[0] ? settings->swap_on_demand : NULL;
}

static void add_file(struct swapfile_check *check)
{
	bool known = check->stack.count > 0;
	char text[256];

	preflight_add(&check->context, "file", CHECK_OK,
		      "the place of %s is known: page %" PRIu64 " of %s%s%s%s", check->place.path,
		      check->place.area.offset, check->place.area.device, known ? " (" : "",
		      device_stack_text(&check->stack, text, sizeof(text)), known ? ")" : "");
}

/* Only a file that the configuration names is switched on by s2disk itself,
 * whatever else was set up once. */
static bool is_on_demand(const struct swapfile_check *check)
{
	const char *named = check->settings.swap_on_demand;

	return named[0] && system_same_file(&check->swapfile->system, named, check->place.path);
}

static void check_active(struct swapfile_check *check)
{
	bool active = check->swapfile->system.is_active(check->place.path);
	bool on_demand = is_on_demand(check);
	struct check *added;

	if (active) {
		preflight_add(&check->context, "active", CHECK_OK, "%s is on%s", check->place.path,
			      on_demand ? ", though it is for hibernating only" : "");
		return;
	}
	if (on_demand) {
		preflight_add(&check->context, "active", CHECK_OK,
			      "%s is off; s2disk switches it on for hibernating",
			      check->place.path);
		return;
	}
	added = preflight_add(&check->context, "active", CHECK_FAILED, "%s is not active as swap",
			      check->place.path);
	preflight_advise(added, "s2disk-swapfile enable %s", check->place.path);
}

/* Is what s2disk will use still where the file is? */
static void check_configuration(struct swapfile_check *check)
{
	const struct settings *settings = &check->settings;
	struct check *added;

	if (!settings->resume_device[0]) {
		added = preflight_add(&check->context, "configuration", CHECK_WARNING,
				      "the configuration of s2disk names no resume device; the "
				      "kernel command line decides");
		preflight_advise(added, "s2disk-swapfile enable %s", check->place.path);
		return;
	}
	if (names_the_place(check, settings->resume_device,
			    settings->resume_offset_set ? settings->resume_offset : 0) ||
	    strcmp(settings->resume_device, check->place.path) == 0) {
		preflight_add(&check->context, "configuration", CHECK_OK,
			      "the configuration names the place of %s", check->place.path);
		return;
	}
	added = preflight_add(&check->context, "configuration", CHECK_FAILED,
			      "the configuration has \"resume device = %s\" and \"resume offset = "
			      "%" PRIu64 "\", but %s is at %s, page %" PRIu64
			      " (a file system moves files at times: f2fs, defragmentation)",
			      settings->resume_device, settings->resume_offset, check->place.path,
			      check->place.device, check->place.area.offset);
	preflight_advise(added, "s2disk-swapfile enable %s", check->place.path);
}

/* The checks of s2disk itself: memory, kernel, size. */
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

static void run_checks(struct swapfile_check *check)
{
	char offset[24];
	const struct enable enable = { .device = check->place.device, .offset = offset };

	snprintf(offset, sizeof(offset), "%" PRIu64, check->place.area.offset);
	enable_arguments(&enable, check->arguments, sizeof(check->arguments));
	device_stack_read(check->swapfile->system.root, check->place.area.dev, &check->stack, NULL);
	add_file(check);
	check_active(check);
	check_configuration(check);
	check_boot_cmdline(check);
	check_boot_loader(check);
	check_early_device(check);
	add_preflight(check);
}

static enum outcome tell(struct swapfile *s, const struct swapfile_check *check)
{
	report_value(&s->report, "path", check->place.path);
	report_value(&s->report, "arguments", check->arguments);
	if (s->report.use_json)
		preflight_json_checks(&check->list, &s->report.json);
	else
		preflight_print(&check->list, stdout);
	return preflight_worst(&check->list) == CHECK_FAILED ? OUTCOME_REFUSED : OUTCOME_DONE;
}

/* A power cut, for instance. */
static void add_unfinished(struct swapfile_check *check, const struct plan *plan)
{
	struct check *added;

	if (!plan || !plan->unfinished)
		return;
	added = preflight_add(&check->context, "set-up", CHECK_FAILED,
			      "enabling %s, or disabling it, was cut off in the middle",
			      plan->path);
	preflight_advise(added, "s2disk-swapfile enable %s, or s2disk-swapfile disable",
			 plan->path);
}

static enum outcome check_path(struct swapfile *s, struct swapfile_check *check,
			       const struct state *state, struct why *w)
{
	const struct plan *plan = state_find(state, "enable", NULL);
	struct swapfile other = *s;
	enum outcome outcome;
	struct check *added;
	struct why reason = { "" };

	other.path = find_path(s, &check->settings, state);
	if (!other.path) {
		why(w, -ENOENT,
		    "no swap file is enabled; say which (s2disk-swapfile check PATH), or "
		    "make one (s2disk-swapfile create --enable /swapfile)");
		return OUTCOME_REFUSED;
	}
	check->swapfile = &other;
	check->context.preflight = &check->list;
	other.dry_run = true; /* nothing is switched on to look */
	outcome = swapfile_find(&other, false, &check->place, &reason);
	if (outcome == OUTCOME_DONE) {
		add_unfinished(check, plan);
		run_checks(check);
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
	struct state state = { 0 };
	enum outcome outcome;
	int r = check ? 0 : -ENOMEM;

	if (r == 0) {
		settings_defaults(&check->settings);
		r = settings_load(&check->settings, s->system.root, NULL, NULL, w);
	}
	if (r == 0)
		r = state_load(&s->system, &state, w);
	if (r < 0)
		return command_failed(r, w);
	outcome = check_path(s, check, &state, w);
	state_free(&state);
	return outcome;
}
