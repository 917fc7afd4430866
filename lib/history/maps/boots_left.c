/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/maps/boots_left.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/run_directory.h"
#include "history/maps/map_history_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "seen"
#define FILE_PATH RUN_DIRECTORY "/" NAME

/* Bytes; more than all boots of a list take (boots_seen_encode()). */
#define LEFT_MAX (65u << 10)

/* -ENXIO: not a file. */
static int read_file(int fd, struct boots_seen *ret, struct why *w)
{
	_cleanup_free_ unsigned char *bytes = NULL;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return why(w, -errno, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return why(w, -ENXIO, "it is not a regular file");
	if (st.st_size > LEFT_MAX)
		return why(w, -EBADMSG, "it is too long");
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	r = io_pread_full(fd, bytes, (size_t)st.st_size, 0);
	return r < 0 ? why(w, r, "%s", strerror(-r))
		     : boots_seen_decode(bytes, (size_t)st.st_size, ret, w);
}

static int open_file(const char *root)
{
	return io_open_below(root, FILE_PATH, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
}

/* What another program puts there must not be lost between reading and writing, or deleting. A
 * descriptor, or a negative errno with w. */
static int lock(const char *root, struct why *w)
{
	struct why reason = { 0 };
	int fd = run_directory_lock(root, NAME ".lock", &reason);

	return fd < 0 ? why(w, fd, FILE_PATH " cannot be written: %s", why_text(&reason, fd)) : fd;
}

/* Of an earlier call at this boot. What is damaged is forgotten. */
static int read_earlier(const char *root, struct boots_seen *ret)
{
	_cleanup_close_ int fd = open_file(root);
	int r = fd < 0 ? fd : read_file(fd, ret, NULL);

	return r == -ENOMEM ? r : 0;
}

static int add_all(struct boots_seen *to, const struct boots_seen *seen)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < seen->items.count; i++) {
		const struct boot_seen *boot = &seen->items.items[i];

		for (uint32_t n = 0; r == 0 && n < boot->boots; n++)
			r = boots_seen_add(to, &boot->memory, boot->outcome);
	}
	return r;
}

int boots_left_put(const char *root, const struct boots_seen *seen, struct why *w)
{
	_cleanup_free_ unsigned char *bytes = NULL;
	_cleanup_close_ int held = -1;
	struct boots_seen all = { 0 };
	size_t length = 0;
	int r;

	if (seen->items.count == 0)
		return 0;
	held = lock(root, w);
	if (held < 0)
		return held;
	bytes = malloc(LEFT_MAX);
	r = bytes ? read_earlier(root, &all) : -ENOMEM;
	if (r == 0)
		r = add_all(&all, seen);
	if (r == 0)
		r = boots_seen_encode(&all, bytes, LEFT_MAX, &length);
	boots_seen_free(&all);
	if (r == 0)
		r = run_directory_put(root, NAME, bytes, length);
	return r < 0 ? why(w, r, FILE_PATH " cannot be written: %s", strerror(-r)) : 0;
}

static void forget(const char *root)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s" FILE_PATH, root) < (int)sizeof(path))
		unlink(path);
}

static bool is_there(const char *root)
{
	_cleanup_close_ int fd = open_file(root);

	return fd != -ENOENT && fd != -ENOTDIR;
}

static int count_file(const char *root, struct why *w)
{
	struct boots_seen seen = { 0 };
	_cleanup_close_ int fd = open_file(root);
	int r;

	/* Another program has counted them meanwhile. */
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return why(w, fd, FILE_PATH ": %s", strerror(-fd));
	r = read_file(fd, &seen, w);
	if (r < 0)
		why_prefix(w, r, FILE_PATH);
	if (r == 0)
		r = map_history_add_seen(root, &seen, w);
	else if (r == -EBADMSG || r == -ENOTSUP)
		r = 0;
	boots_seen_free(&seen);
	if (r == 0)
		forget(root);
	return r;
}

int boots_left_count(const char *root, struct why *w)
{
	_cleanup_close_ int held = -1;
	struct why reason = { 0 };

	if (io_only_looks() || !is_there(root))
		return 0;
	held = lock(root, &reason);
	/* Another program counts them. */
	if (held == -ENOLCK)
		return 0;
	return held < 0 ? why(w, held, "%s", reason.text) : count_file(root, w);
}

int boots_left_add(const char *root, struct map_history *history)
{
	struct boots_seen seen = { 0 };
	int r = read_earlier(root, &seen);

	if (r == 0)
		r = boots_seen_count(&seen, history);
	boots_seen_free(&seen);
	return r;
}
