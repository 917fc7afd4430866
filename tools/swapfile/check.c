/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Can this machine hibernate into the area, and resume from it? */
#include "base/cleanup.h"
#include "preflight/preflight.h"
#include "swapfile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Is all as enabling makes it, and does no other file name another place? */
static void check_set_up(struct swapfile *s, const struct settings *settings,
			 const struct swapfile_place *place, struct preflight_context *context)
{
	struct why w = { "" };
	int r;

	s->hibernate_only = settings->swap_on_demand[0];
	r = swapfile_is_set_up(s, place, &w);
	if (settings->resume_device[0] && !is_named(settings, place))
		preflight_advise(
			preflight_add(
				context, "set-up", CHECK_FAILED,
				"the configuration has \"resume device = %s\" and \"resume "
				"offset = %" PRIu64
				"\" (%s), but %s is at %s, page %s (a file system moves files "
				"at times: f2fs, defragmentation)",
				settings->resume_device, settings->resume_offset,
				settings->resume_device_by, place->path, place->device,
				place->offset),
			strstr(settings->resume_device_by, ".conf.d/") &&
					!strstr(settings->resume_device_by, SWAPFILE_DROP_IN)
				? "remove it there, then s2disk-swapfile enable %s"
				: "s2disk-swapfile enable %s",
			place->path);
	else if (r < 0)
		preflight_add(context, "set-up", CHECK_WARNING, "%s", why_text(&w, r));
	else if (r == 0)
		preflight_advise(preflight_add(context, "set-up", CHECK_WARNING,
					       "the system is not set up for %s as enabling it "
					       "would",
					       place->path),
				 "s2disk-swapfile enable %s", place->path);
	else
		preflight_add(context, "set-up", CHECK_OK, "the system is set up for %s",
			      place->path);
}

static void check(struct swapfile *s, const struct settings *settings, struct preflight *list)
{
	/* For preflight_add(): only its list is filled in. */
	struct preflight_context context = { .preflight = list };
	struct swapfile_place place = { 0 };
	const struct preflight_target target = { .area = &place.area };
	struct why w = { "" };

	if (swapfile_find(s, false, &place, &w) < 0) {
		preflight_advise(preflight_add(&context, "file", CHECK_FAILED, "%s", w.text),
				 "create one that can be resumed from: s2disk-swapfile create "
				 "--enable PATH");
		return;
	}
	preflight_run(settings, &target, s->root, list);
	check_set_up(s, settings, &place, &context);
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
