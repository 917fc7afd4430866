/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small reads of /proc and /sys below a root directory. What is absent reads as false, or
 * as empty text: few of these files exist on every machine.
 */
#ifndef S2DISK_BASE_TREE_H
#define S2DISK_BASE_TREE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first line of a file, trimmed and printable. */
bool tree_text(const char *root, char *text, size_t size, const char *path, ...)
	__attribute__((format(printf, 4, 5)));

/* A decimal or 0x number. */
bool tree_u64(const char *root, uint64_t *ret, const char *path, ...)
	__attribute__((format(printf, 3, 4)));

/* A hexadecimal number without 0x, as some files of the memory subsystem hold. */
bool tree_hex(const char *root, uint64_t *ret, const char *path, ...)
	__attribute__((format(printf, 3, 4)));

/* The last component of a symbolic link's target. */
bool tree_link(const char *root, char *text, size_t size, const char *path, ...)
	__attribute__((format(printf, 4, 5)));

/* All of the target; "" and false without one. */
bool tree_target(const char *root, const char *path, char target[PATH_MAX]);

/* Where a path leads when all links are followed, below root: "/sys/devices/…" for a link of sysfs.
 * NULL if nowhere. Free it. */
char *tree_path(const char *root, const char *path);

bool tree_exists(const char *root, const char *path);

/* Names in a directory, except those that begin with a dot, in version order (2 before 10). */
struct tree_names {
	char **items;
	size_t count;
};

/* 0, -ENOENT and the like, -ENOMEM. */
int tree_list(const char *root, const char *path, struct tree_names *ret);

/* The same for the names that end so ("" for all), in the order of strcmp(3), whatever the
 * locale: drop-ins, hooks. */
int tree_list_ending(const char *root, const char *path, const char *ending,
		     struct tree_names *ret);
void tree_names_free(struct tree_names *names);

#define _cleanup_names_ __attribute__((cleanup(tree_names_free)))

#endif
