/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sleep_slice.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Slices in slices; systemd makes two of them for a user. */
#define DEPTH_MAX 16

/* A thawed process leaves that state once it runs: checked every 20 ms, for two seconds. */
#define CHECKS 100
#define CHECK_NSEC 20000000

/* Called for each cgroup. */
typedef void visit_fn(int directory, const char *path, void *context);

static void thaw_one(int directory, const char *path, void *context)
{
	_cleanup_close_ int fd =
		openat(directory, "cgroup.freeze", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	int r = fd < 0 ? -errno : io_write_full(fd, "0", 1);

	(void)context;
	/* It may be gone by now. */
	if (r < 0 && r != -ENOENT && r != -ENODEV)
		log_warning("%s/cgroup.freeze: %s", path, strerror(-r));
}

static bool read_at(int directory, const char *name, char *text, size_t size)
{
	_cleanup_close_ int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);

	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

/* Unknown counts as frozen: a cgroup that is being removed is gone at the next check. */
static bool is_frozen(int directory)
{
	char text[256];

	if (read_at(directory, "cgroup.events", text, sizeof(text)))
		return strstr(text, "frozen 1");
	return !read_at(directory, "cgroup.freeze", text, sizeof(text)) || text[0] != '0';
}

struct frozen {
	size_t count;
	char first[PATH_MAX];
};

static void find_frozen(int directory, const char *path, void *context)
{
	struct frozen *frozen = context;

	if (is_frozen(directory) && frozen->count++ == 0)
		text_copy(frozen->first, sizeof(frozen->first), path);
}

static bool is_unit(const char *name)
{
	return text_ends(name, ".slice") || text_ends(name, ".service") ||
	       text_ends(name, ".scope");
}

/* Takes the descriptor. path names it, in PATH_MAX bytes. */
static void visit_all(int directory, char *path, unsigned int depth, visit_fn *visit, void *context)
{
	size_t length = strlen(path);
	const struct dirent *entry;
	DIR *entries;

	visit(directory, path, context);
	entries = depth < DEPTH_MAX && text_ends(path, ".slice") ? fdopendir(directory) : NULL;
	if (!entries) {
		close(directory);
		return;
	}
	while ((entry = readdir(entries))) {
		int fd = is_unit(entry->d_name) && length + strlen(entry->d_name) + 2 <= PATH_MAX
				 ? openat(dirfd(entries), entry->d_name,
					  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
				 : -1;

		if (fd < 0)
			continue;
		snprintf(path + length, PATH_MAX - length, "/%s", entry->d_name);
		visit_all(fd, path, depth + 1, visit, context);
		path[length] = '\0';
	}
	closedir(entries);
}

static int visit_slice(const char *root, const char *path, visit_fn *visit, void *context)
{
	char place[PATH_MAX];
	int fd = io_open_below(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

	if (fd < 0)
		return fd;
	text_copy(place, sizeof(place), path);
	visit_all(fd, place, 0, visit, context);
	return 0;
}

int sleep_slice_thaw(const char *root, const char *path)
{
	const struct timespec pause = { .tv_nsec = CHECK_NSEC };
	struct frozen frozen;
	int r = visit_slice(root, path, thaw_one, NULL);

	if (r < 0)
		return r;
	for (int i = 0; i < CHECKS; i++) {
		frozen.count = 0;
		r = visit_slice(root, path, find_frozen, &frozen);
		if (r < 0 || frozen.count == 0)
			return r;
		nanosleep(&pause, NULL);
	}
	log_error("%s is still frozen, with %zu more", frozen.first, frozen.count - 1);
	return -EBUSY;
}
