/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image_size.h"

#include "swap/device_stack.h"

#include <errno.h>

static bool on_crypt(const char *root, dev_t dev)
{
	struct device_stack stack;

	/* A device that sysfs does not know is not on device-mapper. */
	return device_stack_read(root, dev, &stack, NULL) == 0 &&
	       device_stack_has(&stack, LAYER_CRYPT);
}

struct image_size image_size_first(const struct settings *settings, bool sealed, const char *root,
				   dev_t dev, uint64_t memory)
{
	struct image_size size = {
		.asked = settings->image_size_set,
		.bytes = settings->image_size,
	};

	if (!size.asked && (sealed || on_crypt(root, dev))) {
		size.asked = true;
		size.bytes = memory;
	}
	return size;
}

bool image_size_next(struct image_size *size, int done, int r, uint64_t raw, uint64_t stored)
{
	if (size->asked && size->bytes == 0)
		return false;
	/* What could be stored, less a tenth as reserve; once. */
	size->bytes = r == -ENOSPC && done == 1 && stored ? raw / 10 * 9 : 0;
	size->asked = true;
	return true;
}
