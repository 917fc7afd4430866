/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/kernel_settings.h"

#include "base/io.h"
#include "base/text.h"
#include "base/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRINTK "/proc/sys/kernel/printk"
#define IMAGE_SIZE "/sys/power/image_size"
#define MODE "/sys/power/disk"
#define SWAPPINESS "/proc/sys/vm/swappiness"
#define SWAPPINESS_ON "60\n" /* the kernel's default */
#define ZSWAP_SHRINKER "/sys/module/zswap/parameters/shrinker_enabled"
#define MODE_SUSPEND "suspend"
#define AMDGPU "/sys/module/amdgpu"

/* The words of /sys/power/disk, "[platform] shutdown reboot suspend": copies the selected
 * one to saved->mode, if "suspend" is offered and not selected. */
static void save_mode(struct kernel_settings *saved)
{
	char text[128], *rest = text, *word;
	bool offered = false;

	if (io_read_text(saved->root, MODE, text, sizeof(text)) <= 0)
		return;
	while ((word = strsep(&rest, " \t\n"))) {
		size_t length = strlen(word);

		offered = offered || strcmp(word, MODE_SUSPEND) == 0;
		if (length > 2 && length - 2 < sizeof(saved->mode) && word[0] == '[' &&
		    word[length - 1] == ']') {
			memcpy(saved->mode, word + 1, length - 2);
			saved->mode[length - 2] = '\0';
		}
	}
	if (!offered)
		saved->mode[0] = '\0';
}

void kernel_settings_save(struct kernel_settings *saved, const char *root)
{
	char shrinks[8];

	*saved = (struct kernel_settings){ .root = root };
	saved->printk_saved = io_read_text(root, PRINTK, saved->printk, sizeof(saved->printk)) > 0;
	saved->image_size_saved =
		io_read_text(root, IMAGE_SIZE, saved->image_size, sizeof(saved->image_size)) > 0;
	if (io_read_text(root, SWAPPINESS, saved->swappiness, sizeof(saved->swappiness)) <= 0)
		saved->swappiness[0] = '\0';
	saved->zswap_shrinks = io_read_text(root, ZSWAP_SHRINKER, shrinks, sizeof(shrinks)) > 0 &&
			       shrinks[0] == 'Y';
	if (tree_exists(root, AMDGPU))
		save_mode(saved);
}

int kernel_settings_wake_display(struct kernel_settings *saved)
{
	int r;

	if (!saved->mode[0])
		return 0;
	r = io_write_text(saved->root, MODE, MODE_SUSPEND "\n");
	saved->mode_changed = saved->mode_changed || r == 0;
	return r;
}

int kernel_settings_set_console_loglevel(struct kernel_settings *saved, int level)
{
	char text[16];

	if (level < 0 || level > 15)
		return -EINVAL;
	snprintf(text, sizeof(text), "%d\n", level);
	return io_write_text(saved->root, PRINTK, text);
}

int kernel_settings_restore_display(struct kernel_settings *saved)
{
	if (!saved->mode_changed)
		return 0;
	saved->mode_changed = false;
	return io_write_text(saved->root, MODE, saved->mode);
}

int kernel_settings_set_swapping(struct kernel_settings *saved, enum swapping swapping)
{
	const char *text = saved->swappiness;
	int r = 0, result = 0;

	if (swapping == SWAPPING_ON && atoi(saved->swappiness) > 0)
		swapping = SWAPPING_OWN;
	if (swapping == saved->swapping)
		return 0;
	if (swapping != SWAPPING_OWN) {
		text = swapping == SWAPPING_ON ? SWAPPINESS_ON : "0\n";
		/* To be restored also if only a part of it can be set. */
		saved->swapping = swapping;
	}
	if (saved->swappiness[0])
		result = io_write_text(saved->root, SWAPPINESS, text);
	if (saved->zswap_shrinks)
		r = io_write_text(saved->root, ZSWAP_SHRINKER,
				  swapping == SWAPPING_OFF ? "N\n" : "Y\n");
	result = result < 0 ? result : r;
	if (result == 0)
		saved->swapping = swapping;
	return result;
}

int kernel_settings_restore(struct kernel_settings *saved, int max_loglevel)
{
	int result = 0, r;

	if (saved->printk_saved) {
		if (max_loglevel >= 0 && atoi(saved->printk) > max_loglevel)
			result = kernel_settings_set_console_loglevel(saved, max_loglevel);
		else
			result = io_write_text(saved->root, PRINTK, saved->printk);
		saved->printk_saved = false;
	}
	if (saved->image_size_saved) {
		r = io_write_text(saved->root, IMAGE_SIZE, saved->image_size);
		if (result == 0)
			result = r;
		saved->image_size_saved = false;
	}
	r = kernel_settings_set_swapping(saved, SWAPPING_OWN);
	if (result == 0)
		result = r;
	r = kernel_settings_restore_display(saved);
	return result < 0 ? result : r;
}
