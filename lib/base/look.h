/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this program reads in /proc, /sys, /etc and so on, so that a report can contain
 * exactly that: every function that reads below a root directory reports it here.
 */
#ifndef S2DISK_BASE_LOOK_H
#define S2DISK_BASE_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum look {
	LOOK_READ,   /* the content of a file */
	LOOK_NAME,   /* whether it exists, its type, where a link leads */
	LOOK_LIST,   /* the names in a directory */
	LOOK_SECRET, /* the content of a file that is private */
};

/* A file of an archive that was read (an initramfs). content is NULL if only its name mattered. */
struct look_member {
	const char *archive, *name;
	mode_t mode;
	const void *content;
	size_t size;
	bool secret;
};

struct look_watcher {
	/* path is complete, including the root. */
	void (*look)(void *context, const char *path, enum look kind);
	void (*member)(void *context, const struct look_member *member);
	void *context;
};

/* Sets the watcher; NULL: none. One at a time, for one thread. */
void look_watch(const struct look_watcher *watcher);

/* Reports root/path to the watcher, if there is one. */
void look_note(const char *root, const char *path, enum look kind);
void look_note_member(const struct look_member *member);

#endif
