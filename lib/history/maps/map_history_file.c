/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/maps/map_history_file.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/look.h"
#include "base/replace.h"
#include "base/run_directory.h"
#include "base/text.h"
#include "history/maps/map_history_text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DIRECTORY "/var/lib/s2disk"
#define LOCK_NAME "maps.lock"

/* A line must not end early: what follows a zero byte counts. */
static void replace_zeros(char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] == '\0')
			text[i] = '?';
}

/* Opening never waits, whatever is in its place. */
static int read_regular(const char *root, char **ret_text)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	struct stat st;
	int r;

	look_note(root, MAP_HISTORY_PATH, LOOK_READ);
	fd = io_open_below(root, MAP_HISTORY_PATH, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENXIO;
	if (st.st_size > MAP_HISTORY_LIMIT)
		return -EBADMSG;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	r = io_pread_full(fd, text, (size_t)st.st_size, 0);
	if (r < 0)
		return r;
	replace_zeros(text, (size_t)st.st_size);
	text[st.st_size] = '\0';
	*ret_text = steal_pointer(&text);
	return 0;
}

static const char *words_for(int error)
{
	switch (error) {
	case -ENXIO:
		return "it is not a regular file";
	case -EBADMSG:
		return "it is too long for a history of memory maps";
	case -ENOLINK:
		return "it is a link that leads nowhere";
	default:
		return strerror(-error);
	}
}

int map_history_read(const char *root, struct map_history *ret, struct why *w)
{
	_cleanup_free_ char *text = NULL;
	size_t skipped = 0;
	int r = read_regular(root, &text);

	if (r == -ENOENT) {
		*ret = (struct map_history){ 0 };
		return 0;
	}
	if (r < 0)
		return why(w, r, MAP_HISTORY_PATH ": %s", words_for(r));
	r = map_history_parse(text, ret, &skipped, w);
	if (r < 0)
		return why_prefix(w, r, MAP_HISTORY_PATH);
	if (skipped > 0)
		why(w, 0, MAP_HISTORY_PATH " is damaged: %zu line%s skipped", skipped,
		    skipped == 1 ? " was" : "s were");
	return 0;
}

/* Early in a boot there may be no /var/lib yet: -ENOENT. */
static int make_directory(const char *root, struct why *w)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s" DIRECTORY, root) >= (int)sizeof(path))
		return why(w, -ENAMETOOLONG, DIRECTORY ": %s", strerror(ENAMETOOLONG));
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return why(w, -errno, DIRECTORY ": %s", strerror(errno));
	return 0;
}

static int write_history(const char *root, const struct map_history *history, struct why *w)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t length;
	int r = map_history_encode(history, &text, &length);

	if (r < 0)
		return r;
	r = make_directory(root, w);
	if (r < 0)
		return r;
	if (snprintf(path, sizeof(path), "%s" MAP_HISTORY_PATH, root) >= (int)sizeof(path))
		r = -ENAMETOOLONG;
	else
		r = replace_file(path, text, 0600);
	return r < 0 ? why(w, r, MAP_HISTORY_PATH " cannot be written: %s", words_for(r)) : 0;
}

/* Reads; what is not a history does not count. Another error is kept in *ret_problem: then the
 * history is empty, and the file must stay. 0 or -ENOMEM. */
static int read_or_begin(const char *root, struct map_history *ret, int *ret_problem, struct why *w)
{
	int r = map_history_read(root, ret, w);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		*ret = (struct map_history){ 0 };
	if (r == -EBADMSG)
		r = 0;
	*ret_problem = r;
	return 0;
}

/* What is added to a history. */
struct addition {
	const struct boot_memory *boot; /* this boot, with boot_id; NULL: seen */
	const char *boot_id;
	const struct boots_seen *seen;
};

static bool is_empty(const struct addition *addition)
{
	return addition->boot ? addition->boot->map.entries.count == 0
			      : addition->seen->items.count == 0;
}

/* 1: counted, 0: it was before; -ENOMEM. */
static int count(struct map_history *history, const struct addition *addition)
{
	char id[sizeof(history->boot_id)] = "";
	int r;

	if (is_empty(addition))
		return 0;
	if (!addition->boot) {
		r = boots_seen_count(addition->seen, history);
		return r < 0 ? r : 1;
	}
	text_copy(id, sizeof(id), addition->boot_id);
	if (!id[0] || strcmp(id, history->boot_id) == 0)
		return 0;
	r = map_history_count(history, addition->boot, BOOT_STARTED);
	if (r < 0)
		return r;
	memcpy(history->boot_id, id, sizeof(id));
	return 1;
}

static int add(const char *root, const struct addition *addition, struct map_history *ret,
	       struct why *w)
{
	struct map_history history = { 0 };
	struct why of_lock = { 0 };
	_cleanup_close_ int held = -EROFS; /* another system's tree is only looked at */
	int problem = 0, counted, r;

	/* Not by the directory of the history itself: any user can read that, and so could lock it,
	 * and nothing would be remembered. */
	if (!is_empty(addition) && !io_only_looks())
		held = run_directory_lock(root, LOCK_NAME, &of_lock);
	r = read_or_begin(root, &history, &problem, w);
	if (r < 0)
		return r;
	counted = count(&history, addition);
	if (counted < 0) {
		map_history_free(&history);
		return counted;
	}
	if (counted > 0 && problem == 0) {
		problem = held;
		if (held >= 0)
			problem = write_history(root, &history, w);
		else
			why(w, problem, "%s", why_text(&of_lock, problem));
	}
	if (problem == -ENOMEM || !ret)
		map_history_free(&history);
	else
		*ret = history;
	return problem;
}

int map_history_add(const char *root, const struct boot_memory *boot, const char *boot_id,
		    struct map_history *ret, struct why *w)
{
	const struct addition addition = { .boot = boot, .boot_id = boot_id };

	return add(root, &addition, ret, w);
}

int map_history_add_seen(const char *root, const struct boots_seen *seen, struct why *w)
{
	const struct addition addition = { .seen = seen };

	return add(root, &addition, NULL, w);
}
