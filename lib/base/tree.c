/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/tree.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/look.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((format(printf, 4, 0))) static bool read_line(const char *root, char *text,
							    size_t size, const char *path,
							    va_list args)
{
	char full[PATH_MAX], line[PATH_MAX];

	if (vsnprintf(full, sizeof(full), path, args) >= (int)sizeof(full))
		return false;
	if (io_read_text(root, full, line, sizeof(line)) < 0)
		return false;
	line[strcspn(line, "\n")] = '\0';
	text_copy(text, size, text_trim(line));
	text_make_line(text, ' ');
	return true;
}

bool tree_text(const char *root, char *text, size_t size, const char *path, ...)
{
	va_list args;
	bool there;

	va_start(args, path);
	there = read_line(root, text, size, path, args);
	va_end(args);
	return there;
}

bool tree_u64(const char *root, uint64_t *ret, const char *path, ...)
{
	char line[32];
	va_list args;
	bool there;

	va_start(args, path);
	there = read_line(root, line, sizeof(line), path, args);
	va_end(args);
	return there && text_parse_u64(line, ret) == 0;
}

bool tree_hex(const char *root, uint64_t *ret, const char *path, ...)
{
	char line[32] = "", number[40];
	va_list args;
	bool there;

	va_start(args, path);
	there = read_line(root, line, sizeof(line), path, args);
	va_end(args);
	snprintf(number, sizeof(number), "0x%s", line);
	return there && text_parse_u64(number, ret) == 0;
}

bool tree_target(const char *root, const char *path, char target[PATH_MAX])
{
	char full[PATH_MAX];
	ssize_t n = -1;

	look_note(root, path, LOOK_NAME);
	if (snprintf(full, sizeof(full), "%s%s", root, path) < (int)sizeof(full))
		n = readlink(full, target, PATH_MAX - 1);
	target[n < 0 ? 0 : n] = '\0';
	return n >= 0;
}

bool tree_link(const char *root, char *text, size_t size, const char *path, ...)
{
	char below[PATH_MAX], target[PATH_MAX];
	const char *name;
	va_list args;
	int length;

	va_start(args, path);
	length = vsnprintf(below, sizeof(below), path, args);
	va_end(args);
	if (length >= (int)sizeof(below) || !tree_target(root, below, target))
		return false;
	name = strrchr(target, '/');
	text_copy(text, size, name ? name + 1 : target);
	text_make_line(text, ' ');
	return true;
}

char *tree_path(const char *root, const char *path)
{
	_cleanup_free_ char *real = NULL, *above = NULL;
	char full[PATH_MAX];

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return NULL;
	look_note("", full, LOOK_NAME);
	real = realpath(full, NULL);
	above = realpath(root[0] ? root : "/", NULL);
	if (!real || !above)
		return NULL;
	/* Names of the directories above are not names of buses. */
	return strdup(strcmp(above, "/") != 0 && text_starts(real, above) ? real + strlen(above)
									  : real);
}

bool tree_exists(const char *root, const char *path)
{
	char full[PATH_MAX];

	look_note(root, path, LOOK_NAME);
	return snprintf(full, sizeof(full), "%s%s", root, path) < (int)sizeof(full) &&
	       access(full, F_OK) == 0;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int list(const char *root, const char *path, const char *ending,
		int (*compare)(const struct dirent **a, const struct dirent **b),
		struct tree_names *ret)
{
	_cleanup_close_ int fd = io_open_below(root, path, O_RDONLY | O_DIRECTORY);
	struct tree_names names = { 0 };
	struct dirent **entries;
	bool failed = false;
	int n;

	look_note(root, path, LOOK_LIST);
	if (fd < 0)
		return fd;
	n = scandirat(fd, ".", &entries, is_visible, compare);
	if (n < 0)
		return -errno;
	names.items = calloc((size_t)n + 1, sizeof(*names.items));
	for (int i = 0; i < n; i++) {
		bool wanted = names.items && text_ends(entries[i]->d_name, ending);
		char *name = wanted ? strdup(entries[i]->d_name) : NULL;

		if (name)
			names.items[names.count++] = name;
		else
			failed |= wanted;
		free(entries[i]);
	}
	free(entries);
	if (failed || !names.items) {
		tree_names_free(&names);
		return -ENOMEM;
	}
	*ret = names;
	return 0;
}

int tree_list(const char *root, const char *path, struct tree_names *ret)
{
	return list(root, path, "", versionsort, ret);
}

int tree_list_ending(const char *root, const char *path, const char *ending, struct tree_names *ret)
{
	return list(root, path, ending, compare_names, ret);
}

void tree_names_free(struct tree_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct tree_names){ 0 };
}
