/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Can this machine hibernate into the area, and resume from it? */
#include "base/cleanup.h"
#include "config/target.h"
#include "history/boot_record_file.h"
#include "platform/platform.h"
#include "preflight/preflight.h"
#include "release/release_plan.h"
#include "swapfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Does the configuration name another place, so that s2disk would go there? */
static bool names_other(const struct settings *settings, const struct swapfile *s,
			const struct swap_area *area)
{
	struct swap_area named;

	return settings->resume_device[0] &&
	       (target_find(settings, s->root, true, &named, NULL) < 0 || named.dev != area->dev ||
		named.offset != area->offset);
}

/* Is all as enabling makes it? */
static void check_set_up(struct swapfile *s, const struct settings *settings,
			 const struct swapfile_place *place, struct preflight_context *context)
{
	struct edit edits[EDITS] = { 0 };
	struct why w = { "" };
	int r = swapfile_initramfs(s, place, &w) ? edits_read(s->root, edits, &w) : -EINVAL;

	s->hibernate_only = settings->swap_on_demand[0];
	if (r == 0)
		r = edits_want(s, place, edits, &w);
	if (names_other(settings, s, &place->area))
		preflight_advise(preflight_add(context, "set-up", CHECK_FAILED,
					       "the configuration has \"resume device = %s\" (%s), "
					       "but %s is at %s, page %s",
					       settings->resume_device, settings->resume_device_by,
					       place->path, place->device, place->offset),
				 "s2disk-swapfile enable %s; if another file names it, remove it "
				 "there first",
				 place->path);
	else if (r < 0)
		preflight_add(context, "set-up", CHECK_WARNING, "%s", why_text(&w, r));
	else if (edits_differ(edits))
		preflight_advise(preflight_add(context, "set-up", CHECK_WARNING,
					       "the system is not set up for %s as enabling it "
					       "would",
					       place->path),
				 "s2disk-swapfile enable %s", place->path);
	else
		preflight_add(context, "set-up", CHECK_OK, "the system is set up for %s",
			      place->path);
	edits_free(edits);
}

/* As it will be when all that is in the way is released. */
static int look_at_machine(const struct swapfile *s, const struct settings *settings,
			   struct platform *platform, struct release_plan *plan, struct why *w)
{
	_cleanup_free_ char *log = NULL;
	int r;

	/* Without the log less is known. */
	if (boot_record_log(s->root, &log) < 0)
		log = NULL;
	r = platform_capture(s->root, log, platform, w);
	if (r == 0)
		r = release_plan_make(s->root, platform, &settings->release, plan);
	if (r == 0)
		release_plan_apply(plan, platform);
	return r;
}

static void check(struct swapfile *s, const struct settings *settings, struct preflight *list)
{
	/* For preflight_add(): only its list is filled in. */
	struct preflight_context context = { .preflight = list };
	struct swapfile_place place = { 0 };
	struct platform platform = { 0 };
	struct release_plan plan = { 0 };
	struct preflight_target target = { .area = &place.area, .release = &plan };
	struct why w = { "" };
	int r;

	if (swapfile_find(s, &place, &w) < 0) {
		preflight_advise(preflight_add(&context, "file", CHECK_FAILED, "%s", w.text),
				 "create one that can be resumed from: s2disk-swapfile create "
				 "--enable PATH");
		return;
	}
	r = look_at_machine(s, settings, &platform, &plan, &w);
	if (r == 0)
		target.platform = &platform;
	else
		target.platform_problem = why_text(&w, r);
	preflight_run(settings, &target, s->root, list);
	check_set_up(s, settings, &place, &context);
	release_plan_free(&plan);
	platform_free(&platform);
}

int swapfile_do_check(struct swapfile *s, struct why *w)
{
	struct swapfile look = { .root = s->root, .path = s->path, .dry_run = true };
	_cleanup_free_ struct preflight *list = calloc(1, sizeof(*list));
	_cleanup_free_ char *marked = swapfile_marked_area(s->root);
	struct settings settings;
	int r;

	settings_defaults(&settings);
	r = list ? settings_load(&settings, s->root, NULL, NULL, w) : -ENOMEM;
	if (r < 0)
		return r;
	/* The area is the one named, else the one enabled, else the one configured. */
	if (!look.path)
		look.path = marked ? marked : settings.swap_on_demand;
	if (!look.path[0])
		return why(w, -EINVAL,
			   "no swap area is enabled; name one (s2disk-swapfile check PATH), or "
			   "create one (s2disk-swapfile create --enable /swapfile)");
	check(&look, &settings, list);
	if (!s->use_json)
		preflight_print(list, stdout);
	else if (preflight_print_json(list, stdout) < 0)
		return -EIO;
	return preflight_worst(list) == CHECK_FAILED;
}
