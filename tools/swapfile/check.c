/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Can this machine hibernate into the area, and resume from it? */
#include "base/cleanup.h"
#include "preflight/preflight.h"
#include "swap/device_stack.h"
#include "swapfile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct swapfile_check {
	struct swapfile swapfile; /* for looking only */
	struct settings settings;
	struct preflight list, machine;
	/* For preflight_add(): only its list is filled in. */
	struct preflight_context context;
	struct swapfile_place place;
};

static void add_file(struct swapfile_check *check)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	bool known = stack && device_stack_read(check->swapfile.root, check->place.area.dev, stack,
						NULL) == 0;
	char text[256];

	preflight_add(&check->context, "file", CHECK_OK,
		      "the place of %s is known: page %s of %s%s%s%s", check->place.path,
		      check->place.offset, check->place.area.device, known ? " (" : "",
		      known ? device_stack_text(stack, text, sizeof(text)) : "", known ? ")" : "");
}

static void check_active(struct swapfile_check *check)
{
	const char *path = check->place.path;
	/* s2disk itself activates only a file that the configuration names. */
	bool active = swapfile_is_active(&check->place.area);
	bool on_demand = strcmp(check->settings.swap_on_demand, path) == 0;

	if (active || on_demand)
		preflight_add(&check->context, "active", CHECK_OK, "%s is %s%s", path,
			      active ? "active" : "inactive; s2disk activates it for hibernating",
			      active && on_demand
				      ? ", though the configuration has it for hibernation only"
				      : "");
	else
		preflight_advise(preflight_add(&check->context, "active", CHECK_FAILED,
					       "%s is not active as swap", path),
				 "s2disk-swapfile enable %s", path);
}

/* Do the settings name that area? */
static bool is_named(const struct settings *settings, const struct swapfile_place *place)
{
	uint64_t offset = settings->resume_offset_set ? settings->resume_offset : 0;
	struct swap_area named;

	return strcmp(settings->resume_device, place->path) == 0 ||
	       (offset == place->area.offset &&
		swap_area_resolve(settings->resume_device, offset, false, &named, NULL) == 0 &&
		named.dev == place->area.dev);
}

/* Does the place that s2disk will use still match the area? */
static void check_configuration(struct swapfile_check *check)
{
	const struct settings *settings = &check->settings;
	const struct swapfile_place *place = &check->place;
	struct check *added;

	if (!settings->resume_device[0]) {
		added = preflight_add(&check->context, "configuration", CHECK_WARNING,
				      "the configuration of s2disk names no resume device; the "
				      "kernel command line decides");
		preflight_advise(added, "s2disk-swapfile enable %s", place->path);
	} else if (is_named(settings, place)) {
		preflight_add(&check->context, "configuration", CHECK_OK,
			      "the configuration names the place of %s", place->path);
	} else {
		added = preflight_add(
			&check->context, "configuration", CHECK_FAILED,
			"the configuration has \"resume device = %s\" and \"resume offset = "
			"%" PRIu64
			"\" (%s), but %s is at %s, page %s (a file system moves files at "
			"times: f2fs, defragmentation)",
			settings->resume_device, settings->resume_offset,
			settings->resume_device_by, place->path, place->device, place->offset);
		preflight_advise(added,
				 strstr(settings->resume_device_by, ".conf.d/") &&
						 !strstr(settings->resume_device_by,
							 SWAPFILE_DROP_IN)
					 ? "remove it there, then s2disk-swapfile enable %s"
					 : "s2disk-swapfile enable %s",
				 place->path);
	}
}

static void check_set_up(struct swapfile_check *check)
{
	const char *path = check->place.path;
	struct why w = { "" };
	int r;

	check->swapfile.hibernate_only = check->settings.swap_on_demand[0];
	r = swapfile_is_set_up(&check->swapfile, &check->place, &w);
	if (r < 0)
		preflight_add(&check->context, "set-up", CHECK_WARNING, "%s", why_text(&w, r));
	else if (r == 0)
		preflight_advise(
			preflight_add(&check->context, "set-up", CHECK_WARNING,
				      "the system is not set up for %s as enabling it would", path),
			"s2disk-swapfile enable %s", path);
	else
		preflight_add(&check->context, "set-up", CHECK_OK, "the system is set up for %s",
			      path);
}

/* The checks of s2disk itself: memory, kernel, size, the way back. */
static void add_preflight(struct swapfile_check *check)
{
	const struct preflight_target target = { .area = &check->place.area };
	const struct preflight *more = &check->machine;

	preflight_run(&check->settings, &target, check->swapfile.root, &check->machine);
	for (size_t i = 0; i < more->count; i++)
		*preflight_place(&check->list, more->checks[i].id, more->checks[i].level) =
			more->checks[i];
	check->list.left_out += more->left_out;
}

static int report(struct swapfile *s, const struct swapfile_check *check)
{
	swapfile_value(s, "path", check->place.path);
	if (s->use_json)
		preflight_json_checks(&check->list, &s->json);
	else
		preflight_print(&check->list, stdout);
	return preflight_worst(&check->list) == CHECK_FAILED;
}

int swapfile_do_check(struct swapfile *s, struct why *w)
{
	_cleanup_free_ struct swapfile_check *check = calloc(1, sizeof(*check));
	_cleanup_free_ char *marked = swapfile_marked_area(s->root);
	struct why reason = { "" };
	int r = check ? 0 : -ENOMEM;

	if (r == 0) {
		settings_defaults(&check->settings);
		r = settings_load(&check->settings, s->root, NULL, NULL, w);
	}
	if (r < 0)
		return r;
	/* The area is the one named, else the one enabled, else the one configured. */
	check->swapfile = (struct swapfile){ .root = s->root, .path = s->path, .dry_run = true };
	if (!s->path)
		check->swapfile.path = marked ? marked : check->settings.swap_on_demand;
	if (!check->swapfile.path[0])
		return why(w, -EINVAL,
			   "no swap area is enabled; name one (s2disk-swapfile check PATH), or "
			   "create one (s2disk-swapfile create --enable /swapfile)");
	check->context.preflight = &check->list;
	if (swapfile_find(&check->swapfile, false, &check->place, &reason) == 0) {
		add_file(check);
		check_active(check);
		check_configuration(check);
		check_set_up(check);
		add_preflight(check);
	} else {
		preflight_advise(preflight_add(&check->context, "file", CHECK_FAILED, "%s",
					       reason.text),
				 "create one that can be resumed from: s2disk-swapfile create "
				 "--enable PATH");
	}
	return report(s, check);
}
