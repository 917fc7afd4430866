/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/kernel_settings.h"

#include "base/io.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PRINTK "/proc/sys/kernel/printk"
#define IMAGE_SIZE "/sys/power/image_size"
#define MODE "/sys/power/disk"
#define MODE_SUSPEND "suspend"
#define AMDGPU "/sys/module/amdgpu"

static bool has_amdgpu(const char *root)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s" AMDGPU, root) < (int)sizeof(path) &&
	       access(path, F_OK) == 0;
}

/* The words of /sys/power/disk, "[platform] shutdown reboot suspend": the chosen
 * one to knobs->mode, where "suspend" is offered and another is chosen. */
static void save_mode(struct knobs *knobs)
{
	char text[128], *rest = text, *word;
	bool offered = false;

	if (io_read_text(knobs->root, MODE, text, sizeof(text)) <= 0)
		return;
	while ((word = strsep(&rest, " \t\n"))) {
		size_t length = strlen(word);

		offered = offered || strcmp(word, MODE_SUSPEND) == 0;
		if (length > 2 && length - 2 < sizeof(knobs->mode) && word[0] == '[' &&
		    word[length - 1] == ']') {
			memcpy(knobs->mode, word + 1, length - 2);
			knobs->mode[length - 2] = '\0';
		}
	}
	if (!offered)
		knobs->mode[0] = '\0';
}

void knobs_save(struct knobs *knobs, const char *root)
{
	*knobs = (struct knobs){ .root = root };
	knobs->printk_saved = io_read_text(root, PRINTK, knobs->printk, sizeof(knobs->printk)) > 0;
	knobs->image_size_saved =
		io_read_text(root, IMAGE_SIZE, knobs->image_size, sizeof(knobs->image_size)) > 0;
	if (has_amdgpu(root))
		save_mode(knobs);
}

int knobs_wake_display(struct knobs *knobs)
{
	int r;

	if (!knobs->mode[0])
		return 0;
	r = io_write_text(knobs->root, MODE, MODE_SUSPEND "\n");
	knobs->mode_changed = knobs->mode_changed || r == 0;
	return r;
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

int knobs_restore_display(struct knobs *knobs)
{
	if (!knobs->mode_changed)
		return 0;
	knobs->mode_changed = false;
	return io_write_text(knobs->root, MODE, knobs->mode);
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
	r = knobs_restore_display(knobs);
	return result < 0 ? result : r;
}
