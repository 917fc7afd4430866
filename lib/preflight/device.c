/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Can an image be written to the devices below the area, and be found and read there? */
#include "preflight/preflight_private.h"

#include "base/cleanup.h"
#include "swap/device_stack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SWAPS_MAX 32 /* more than the kernel allows */

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

static void add_unknown(struct preflight_context *context, const char *reason)
{
	const char *device = context->target->area->device;
	struct check *check =
		preflight_add(context, "swap-device", CHECK_WARNING,
			      "the devices below %s could not be checked: %s", device, reason);

	preflight_advise(check,
			 "check with \"lsblk -s %s\": an image cannot be on thin pools, caches, "
			 "snapshots, loop or network devices",
			 device);
}

void check_swap_device(struct preflight_context *context)
{
	const struct swap_area *area = context->target->area;
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	struct why reason = { "" };
	char text[256];
	int r;

	/* Reported already. */
	if (!area || context->refused_already)
		return;
	r = stack ? device_stack_read(context->root, area->dev, stack, &reason) : -ENOMEM;
	if (r == -ENODEV && context->root[0]) {
		preflight_add(context, "swap-device", CHECK_OK,
			      "sysfs does not show the devices below %s; they were not checked",
			      area->device);
	} else if (r < 0) {
		add_unknown(context, why_text(&reason, r));
	} else if (device_stack_check(context->root, stack, &reason) < 0) {
		add_refusal(context, &reason);
	} else if (!device_stack_known(stack)) {
		add_unknown(context, "not all of them are visible");
	} else {
		preflight_add(context, "swap-device", CHECK_OK, "an image can be written there: %s",
			      device_stack_text(stack, text, sizeof(text)));
	}
}

/* The disk that this swap is lost with, if there is one. */
static const struct device_layer *find_wiped(const struct preflight_context *context,
					     const struct swap_entry *entry,
					     struct device_stack *stack)
{
	dev_t dev;

	if (!context->system->entry_device(context->root, entry, &dev) ||
	    device_stack_read(context->root, dev, stack, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < stack->count; i++)
		if (stack->layers[i].kind == LAYER_WIPED)
			return &stack->layers[i];
	return NULL;
}

/* Pages in other swap areas are not in the image and must still be there after the resume. An area
 * that is empty now counts too: the kernel swaps out to it to make room. */
void check_wiped_swap(struct preflight_context *context)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	struct swap_entry entries[SWAPS_MAX];
	int count = swaps_read(context->root, entries, SWAPS_MAX);
	const struct device_layer *wiped;
	struct check *check;

	for (int i = 0; stack && i < count && i < SWAPS_MAX; i++) {
		wiped = find_wiped(context, &entries[i], stack);
		if (!wiped)
			continue;
		check = preflight_add(context, "swap-wiped", CHECK_FAILED,
				      "the swap area %s is on %s (%s), which is empty after a "
				      "restart: memory that is swapped out to it is lost",
				      entries[i].path, wiped->name, wiped->detail);
		preflight_advise(
			check,
			"run swapoff %s, and keep it from being activated again (/etc/fstab, "
			"ResourceDisk.EnableSwap in /etc/waagent.conf, mounts and swap of "
			"cloud-init)",
			entries[i].path);
		return;
	}
}
