/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What will be released before the snapshot, and what cannot be. */
#include "preflight/preflight_private.h"

#include "release/nvidia.h"
#include "release/release_text.h"

/* How much of a check's text is for the list. */
#define LIST_SIZE 300

static void add_released(struct preflight_context *context)
{
	const struct release_plan *plan = context->target->release;
	char list[LIST_SIZE];
	struct check *check;

	if (release_text(plan, RELEASE_ALL_LASTING, list, sizeof(list)) > 0) {
		check = preflight_add(context, "release", CHECK_WARNING,
				      "gone until the next boot, since it cannot be given back: %s",
				      list);
		preflight_advise(check, "see \"release virtio-mem\" in suspend.conf(5)");
	}
	if (release_text(plan, RELEASE_ALL_PASSING, list, sizeof(list)) > 0)
		preflight_add(context, "release", CHECK_OK,
			      "released before the snapshot, and given back after it: %s", list);
	if (nvidia_preserves(context->root))
		preflight_add(context, "release", CHECK_OK,
			      "suspended before the snapshot, and resumed after it: the driver "
			      "nvidia, which preserves video memory");
}

/* No failure: it may not be plugged in at present. */
static void add_absent(struct preflight_context *context)
{
	struct check *check;

	if (!context->target->release->absent[0])
		return;
	check = preflight_add(context, "release", CHECK_OK,
			      "\"release devices\" (%s) names what this machine does not have now: "
			      "%s",
			      context->settings->release.devices_by,
			      context->target->release->absent);
	preflight_advise(check, "check how it is written");
}

/* What is not needed stays as it would without the plan, for the forecast to judge. */
static void add_blocked(struct preflight_context *context)
{
	const struct release_plan *plan = context->target->release;
	char list[LIST_SIZE];
	struct check *check;

	if (release_text(plan, RELEASE_ALL_WAITING, list, sizeof(list)) > 0) {
		check = preflight_add(context, "release", CHECK_FAILED, RELEASE_WAITING_TEXT ": %s",
				      list);
		preflight_advise(check, RELEASE_WAITING_ADVICE);
	}
	if (release_text(plan, RELEASE_ALL_REFUSING, list, sizeof(list)) > 0) {
		check = preflight_add(context, "release", CHECK_FAILED,
				      "must be released to hibernate, and cannot be: %s", list);
		preflight_advise(check, "end what uses it, or unbind or remove it by hand");
	}
	if (release_text(plan, RELEASE_ALL_STAYING, list, sizeof(list)) > 0) {
		check = preflight_add(context, "release", CHECK_WARNING,
				      "not released before the snapshot: %s", list);
		preflight_advise(check, "see \"release devices\" in suspend.conf(5)");
	}
	if (plan->cut) {
		check = preflight_add(
			context, "release", CHECK_WARNING,
			"more than %d steps would be needed; what is beyond them is not "
			"released",
			RELEASE_MAX);
		preflight_advise(check, "name less in \"release devices\", or offline added memory "
					"by hand");
	}
}

void check_release(struct preflight_context *context)
{
	if (!context->target->release)
		return;
	add_absent(context);
	add_released(context);
	add_blocked(context);
}
