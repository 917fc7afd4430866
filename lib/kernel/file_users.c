/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/file_users.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/look.h"
#include "base/text.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Maps of a process with 65530 mappings, the kernel's default limit, fit. */
#define MAPS_LIMIT (16UL * 1024 * 1024)
#define NAMED_MAX 4

static void cleanup_closedir(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

#define _cleanup_closedir_ __attribute__((cleanup(cleanup_closedir)))

/* Not noted (base/look.h): directories of /proc are too large for a report, and of no use there. */
static DIR *open_directory(const char *root, const char *path)
{
	char full[PATH_MAX];

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return NULL;
	return opendir(full);
}

/* text begins with name, and that is all of it: "NAME" or "NAME (deleted)". */
static bool is_name(const char *text, const char *name, char end)
{
	static const char deleted[] = " (deleted)";

	if (!text_starts(text, name))
		return false;
	text += strlen(name);
	if (text_starts(text, deleted))
		text += sizeof(deleted) - 1;
	return *text == end || *text == '\0';
}

static bool has_mapped(const char *root, const char *pid, const char *name)
{
	_cleanup_free_ char *maps = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	if (io_read_file(root, path, MAPS_LIMIT, &maps, NULL) < 0)
		return false;
	/* The name is the last field, and the first with a slash. */
	for (const char *line = maps; *line; line += *line == '\n') {
		size_t length = strcspn(line, "/\n");

		if (line[length] == '/' && is_name(line + length, name, '\n')) {
			look_note(root, path, LOOK_NAME);
			return true;
		}
		line = strchrnul(line, '\n');
	}
	return false;
}

static void note_link(const char *root, const char *directory, const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) < (int)sizeof(path))
		look_note(root, path, LOOK_NAME);
}

static bool has_open(const char *root, const char *pid, const char *name)
{
	_cleanup_closedir_ DIR *directory = NULL;
	const struct dirent *entry;
	char path[64], target[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	directory = open_directory(root, path);
	while (directory && (entry = readdir(directory))) {
		ssize_t n = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);

		if (n < 0)
			continue;
		target[n] = '\0';
		if (is_name(target, name, '\0')) {
			note_link(root, path, entry->d_name);
			return true;
		}
	}
	return false;
}

static void append_process(const char *root, const char *pid, char *who, size_t size)
{
	char path[64], name[64];
	size_t used = strlen(who);

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	if (io_read_text(root, path, name, sizeof(name)) < 0)
		text_copy(name, sizeof(name), "?");
	snprintf(who + used, size - used, "%s%s (process %s)", used ? ", " : "", text_trim(name),
		 pid);
}

size_t file_users_find(const char *root, const char *name, char *who, size_t size)
{
	_cleanup_closedir_ DIR *processes = open_directory(root, "/proc");
	const struct dirent *entry;
	size_t count = 0, used;

	who[0] = '\0';
	while (processes && (entry = readdir(processes))) {
		const char *pid = entry->d_name;

		if (!isdigit((unsigned char)pid[0]) || strlen(pid) > 20)
			continue;
		if (!has_open(root, pid, name) && !has_mapped(root, pid, name))
			continue;
		if (count++ < NAMED_MAX)
			append_process(root, pid, who, size);
	}
	used = strlen(who);
	if (count > NAMED_MAX)
		snprintf(who + used, size - used, " and %zu more", count - NAMED_MAX);
	return count;
}
