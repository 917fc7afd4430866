/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Can an image be written to what lies under the area, and be found and read there? */
#include "preflight_checks.h"

#include "base/cleanup.h"
#include "swap/device_stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The reason ends with the way out: "…; use a partition". */
static void add_refusal(struct preflight_context *context, const struct why *reason)
{
	const char *way_out = strrchr(reason->text, ';');
	struct check *check;

	check = preflight_add(
		context, "swap-device", CHECK_FAILED, "%s: %.*s", context->target->area->name,
		(int)(way_out ? way_out - reason->text : (ptrdiff_t)strlen(reason->text)),
		reason->text);
	preflight_advise(check, "%s", way_out ? way_out + 2 : "use another area");
}

void check_swap_device(struct preflight_context *context)
{
	const struct swap_area *area = context->target->area;
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	struct why reason = { "" };
	struct check *check;
	char text[256];
	int r;

	/* Said already. */
	if (!area || context->refused_already)
		return;
	r = stack ? device_stack_read(context->root, area->dev, stack, &reason) : -ENOMEM;
	if (r == -ENODEV) {
		preflight_add(context, "swap-device", CHECK_OK,
			      "sysfs does not say what lies under %s, so that was not checked",
			      area->device);
	} else if (r < 0) {
		check = preflight_add(context, "swap-device", CHECK_WARNING,
				      "what lies under %s could not be checked: %s", area->device,
				      why_text(&reason, r));
		preflight_advise(check,
				 "see yourself with \"lsblk -s %s\": an image cannot lie on "
				 "thin pools, caches, snapshots, loop or network devices",
				 area->device);
	} else if (device_stack_check(context->root, stack, &reason) < 0) {
		add_refusal(context, &reason);
	} else {
		preflight_add(context, "swap-device", CHECK_OK, "an image can lie there: %s",
			      device_stack_text(stack, text, sizeof(text)));
	}
}
