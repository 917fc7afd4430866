/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/drop_ins.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDING ".conf"

static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

static int compare(const void *a, const void *b)
{
	char *const *left = a, *const *right = b;

	return strcmp(name_of(*left), name_of(*right));
}

static bool has_name(const struct tree_names *paths, const char *name)
{
	for (size_t i = 0; i < paths->count; i++)
		if (strcmp(name_of(paths->items[i]), name) == 0)
			return true;
	return false;
}

static int add(struct tree_names *paths, const char *directory, const char *name)
{
	size_t size = strlen(directory) + 1 + strlen(name) + 1;
	char **items, *path;

	if (has_name(paths, name))
		return 0;
	items = reallocarray(paths->items, paths->count + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	paths->items = items;
	path = malloc(size);
	if (!path)
		return -ENOMEM;
	snprintf(path, size, "%s/%s", directory, name);
	items[paths->count++] = path;
	return 0;
}

int drop_ins_add(const char *root, const char *directory, struct tree_names *paths)
{
	_cleanup_names_ struct tree_names names = { 0 };
	size_t before = paths->count;
	int r = tree_list_ending(root, directory, ENDING, &names);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	for (size_t i = 0; i < names.count && r == 0; i++)
		r = add(paths, directory, names.items[i]);
	if (r < 0) {
		while (paths->count > before)
			free(paths->items[--paths->count]);
		return r;
	}
	if (paths->count > before)
		qsort(paths->items, paths->count, sizeof(*paths->items), compare);
	return 0;
}

bool drop_in_path(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return text_starts(path, directory) && path[length] == '/' && path[length + 1] != '.' &&
	       !strchr(path + length + 1, '/') && text_ends(path + length + 1, ENDING);
}
