/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What s2disk-swapfile changes in the system's files is between marks, which have all that is
 * needed to restore a file byte for byte: a block of lines, or a whole file of this program. There
 * is no other record. The paths are below root.
 */
#ifndef S2DISK_SWAPFILE_MARKS_H
#define S2DISK_SWAPFILE_MARKS_H

#include "base/why.h"

#include <stdbool.h>
#include <stddef.h>

/* What is to be marked. */
struct mark {
	const char *path;
	bool own;   /* a file as a whole; else a block */
	char *body; /* whole lines */
	char *was;  /* block: the line that it replaces, without its end; NULL: it is added */
};

struct mark_list {
	struct mark items[16];
	size_t count;
};

/* Takes ownership of body and was. -ENOMEM, also if body is NULL. */
int marks_add(struct mark_list *list, const char *path, bool own, char *body, char *was);
void marks_list_free(struct mark_list *list);

/* A split file: the marked lines, and the rest. */
struct marks {
	bool found;	/* is anything marked? */
	char *body;	/* the marked lines, without the marks */
	char *rest;	/* the text without */
	bool made;	/* it was made for this: deleted if there is no rest */
	bool directory; /* its directory was made for it, too */
};

void marks_free(struct marks *marks);

/* Those of a file; a missing file is empty. marks_free() after 0; -EINVAL if it is not text, if a
 * mark is missing, if there are foreign lines between marks, or the line that replaces another was
 * edited: edits must not be lost. */
int marks_read(const char *root, const char *path, struct marks *ret, struct why *w);

/* Writes one into its file, which must have none yet unless each replaces a line. Writes a new
 * file and renames it, following links, with owner, mode and attributes of the old one. -EIO if
 * that fails, -EEXIST if a foreign file has the name of ours. */
int marks_put(const char *root, const struct mark *mark, struct why *w);

/* Removes from a file the marks that were read, and deletes what an interrupted run left beside
 * it. -EIO. */
int marks_take(const char *root, const char *path, const struct marks *marks, struct why *w);

#endif
