/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/knobs.h"

#include "base/io.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRINTK "/proc/sys/kernel/printk"
#define IMAGE_SIZE "/sys/power/image_size"

void knobs_save(struct knobs *knobs, const char *root)
{
	*knobs = (struct knobs){ .root = root };
	knobs->printk_saved = io_read_text(root, PRINTK, knobs->printk, sizeof(knobs->printk)) > 0;
	knobs->image_size_saved =
		io_read_text(root, IMAGE_SIZE, knobs->image_size, sizeof(knobs->image_size)) > 0;
}

int knobs_set_console_loglevel(struct knobs *knobs, int level)
{
	char text[16];

	if (level < 0 || level > 15)
		return -EINVAL;
	snprintf(text, sizeof(text), "%d\n", level);
	return io_write_text(knobs->root, PRINTK, text);
}

bool knobs_image_size(const struct knobs *knobs, uint64_t *ret)
{
	char copy[sizeof(knobs->image_size)];

	if (!knobs->image_size_saved)
		return false;
	memcpy(copy, knobs->image_size, sizeof(copy));
	return text_parse_u64(text_trim(copy), ret) == 0;
}

int knobs_restore(struct knobs *knobs, int max_loglevel)
{
	int result = 0, r;

	if (knobs->printk_saved) {
		if (max_loglevel >= 0 && atoi(knobs->printk) > max_loglevel)
			result = knobs_set_console_loglevel(knobs, max_loglevel);
		else
			result = io_write_text(knobs->root, PRINTK, knobs->printk);
		knobs->printk_saved = false;
	}
	if (knobs->image_size_saved) {
		r = io_write_text(knobs->root, IMAGE_SIZE, knobs->image_size);
		if (result == 0)
			result = r;
		knobs->image_size_saved = false;
	}
	return result;
}
