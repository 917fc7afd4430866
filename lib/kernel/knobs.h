/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of the running kernel that a hibernation changes for a while: the
 * console's log level and /sys/power/image_size. Saved and put back.
 */
#ifndef S2DISK_KERNEL_KNOBS_H
#define S2DISK_KERNEL_KNOBS_H

#include <stdbool.h>
#include <stdint.h>

struct knobs {
	const char *root;
	bool printk_saved;
	char printk[64];
	bool image_size_saved;
	char image_size[32];
};

/* Remembers both. What cannot be read is not put back later. root is "" or a
 * test's tree and must outlive the struct. */
void knobs_save(struct knobs *knobs, const char *root);

/* Sets the console's log level (0 to 15). 0 or a negative errno. */
int knobs_set_console_loglevel(struct knobs *knobs, int level);

/* The value of /sys/power/image_size when it was saved, bytes; false when
 * unknown. */
bool knobs_image_size(const struct knobs *knobs, uint64_t *ret);

/* Puts both back; max_loglevel above -1 limits the console's level. Safe to
 * call twice. The first error is returned, the rest is done all the same. */
int knobs_restore(struct knobs *knobs, int max_loglevel);

#endif
