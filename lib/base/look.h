/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this program looks at in /proc, /sys, /etc and so on, for a report that has
 * exactly that in it: each function that reads below a root directory says so here.
 */
#ifndef S2DISK_BASE_LOOK_H
#define S2DISK_BASE_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum look {
	LOOK_READ,   /* what is in a file */
	LOOK_NAME,   /* whether it is there, what it is, where a link leads */
	LOOK_LIST,   /* the names in a directory */
	LOOK_SECRET, /* what is in a file, which is private */
};

/* A file of an archive that was looked into (an initramfs). content is NULL where only
 * its name mattered. */
struct look_member {
	const char *archive, *name;
	mode_t mode;
	const void *content;
	size_t size;
	bool secret;
};

struct look_watcher {
	/* path is the whole one, with the root that it lies below. */
	void (*look)(void *context, const char *path, enum look kind);
	void (*member)(void *context, const struct look_member *member);
	void *context;
};

/* From now on; NULL: no watcher. One at a time, for one thread. */
void look_watch(const struct look_watcher *watcher);
bool look_watched(void);

/* What was looked at: root/path. Does nothing without a watcher. */
void look_note(const char *root, const char *path, enum look kind);
void look_note_member(const struct look_member *member);

#endif
