/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system that is set up: its files below a root directory ("" for the real
 * one), and what no file can stand for, so that tests can put something else.
 */
#ifndef S2DISK_SWAPFILE_SYSTEM_H
#define S2DISK_SWAPFILE_SYSTEM_H

#include "base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct swapfile_system {
	const char *root;
	/* Runs a program of the system; arguments are separated by newlines. 0, or a
	 * negative errno with what it said last. */
	int (*run)(const struct swapfile_system *system, const char *command, struct why *w);
	/* Of a swap file's path, or a device as swap_area_resolve() takes it. */
	int (*swap_on)(const char *path);
	int (*swap_off)(const char *path);
	bool (*is_active)(const char *path);
};

/* The real one. */
extern const struct swapfile_system swapfile_real_system;

/* root and path in one; free. NULL: no memory. */
char *system_path(const struct swapfile_system *system, const char *path);

bool system_has(const struct swapfile_system *system, const char *path);

/* Do both paths lead to one file, through links of any kind? A path that leads
 * nowhere is the same as itself only. */
bool system_same_file(const struct swapfile_system *system, const char *path, const char *other);

/* The first of the usual folders that has this program, as a path without the
 * root, into buffer; NULL when none has it. */
const char *system_find_program(const struct swapfile_system *system, const char *name,
				char *buffer, size_t size);

/* The whole file; *ret is NULL where there is none (0). Files with zero bytes
 * are refused (-EINVAL). */
int system_read(const struct swapfile_system *system, const char *path, char **ret);

/* Writes a file anew in one step (another name, fsync, rename, fsync of the
 * folder), following links. Mode, owner and extended attributes are those of
 * the file that stood there; of a new file mode is taken. */
int system_write(const struct swapfile_system *system, const char *path, const char *text,
		 mode_t mode);

/* Takes away what a system_write() that was cut off has left beside the file. */
void system_tidy(const struct swapfile_system *system, const char *path);

int system_unlink(const struct swapfile_system *system, const char *path);

#endif
