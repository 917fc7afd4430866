/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What configuration files that a shell reads set: those of initramfs generators and GRUB. */
#ifndef S2DISK_SWAPFILE_SHELL_H
#define S2DISK_SWAPFILE_SHELL_H

#include "swapfile_system.h"

#include <stdbool.h>
#include <stddef.h>

/* Pure: takes over what the text sets a variable to (name=value, name+=value; a word, a
 * string, an array in which the words then have blanks between), without quotes and
 * comments. Nothing is expanded. Does not touch buffer where it does not. */
void shell_take(const char *text, const char *name, char *buffer, size_t size);

/* The same of files, as glob(7) patterns ended by NULL, in that order; "" for nothing. Returns
 * buffer. */
const char *shell_read(const struct swapfile_system *system, const char *const *patterns,
		       const char *name, char *buffer, size_t size);

/* Is it one of the words? */
bool shell_has_word(const char *words, const char *word);

#endif
