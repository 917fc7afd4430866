/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image_size.h"

#include "base/bytes.h"
#include "base/tree.h"
#include "swap/device_stack.h"

#include <errno.h>

static bool on_crypt(const char *root, dev_t dev)
{
	struct device_stack stack;

	/* A device that sysfs does not know is not on device-mapper. */
	return device_stack_read(root, dev, &stack, NULL) == 0 &&
	       device_stack_has(&stack, LAYER_CRYPT);
}

uint64_t image_size_first(const struct settings *settings, bool sealed, const char *root, dev_t dev,
			  uint64_t memory)
{
	uint64_t size = settings->image_size;

	if (settings->image_size_set)
		return min_u64(size, memory);
	if (sealed || on_crypt(root, dev) || !tree_u64(root, &size, "/sys/power/image_size"))
		return memory;
	return min_u64(size, memory);
}

bool image_size_next(uint64_t *size, int done, int r, uint64_t raw, uint64_t stored)
{
	if (*size == 0)
		return false;
	/* What could be stored, less a tenth as reserve; once. */
	*size = r == -ENOSPC && done == 1 && stored ? raw / 10 * 9 : 0;
	return true;
}
