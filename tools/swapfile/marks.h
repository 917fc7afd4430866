/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What s2disk-swapfile changes in the system's files stands between marks, which say all
 * that is needed to take it out again, so that a file is byte for byte as before: a block
 * of lines, or a file that is ours as a whole. There is no other record. The paths are
 * below root.
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

/* body and was are taken over. -ENOMEM, also where body is NULL. */
int marks_add(struct mark_list *list, const char *path, bool own, char *body, char *was);
void marks_list_free(struct mark_list *list);

/* A file apart: what is marked in it, and what it is without. */
struct marks {
	bool found;	/* is anything marked? */
	char *body;	/* the marked lines, without the marks */
	char *rest;	/* the text without */
	bool made;	/* it was made for this: without a rest it goes */
	bool directory; /* … and so was its directory */
};

/* Pure. A block has one line of ours; many: several (boot loaders' files of former versions).
 * marks_free() after 0; -EBADMSG where a mark lacks its other half, -EUCLEAN where lines of
 * others are in a block, or the line in the place of another was edited: that is not to be
 * lost. */
int marks_split(const char *text, bool many, struct marks *ret);
void marks_free(struct marks *marks);

/* The same of a file; one that is not there is empty. -EINVAL for these, and for no text. */
int marks_read(const char *root, const char *path, struct marks *ret, struct why *w);

/* Writes one into its file, which has none yet but where each replaces a line. The file is
 * written anew and renamed, through links, with owner, mode and attributes of the old one.
 * -EIO where that fails, -EEXIST for a file of others in the place of one of ours. */
int marks_put(const char *root, const struct mark *mark, struct why *w);

/* Takes out of a file what was read of it, and away what a run that was cut off has left
 * beside it. -EIO. */
int marks_take(const char *root, const char *path, const struct marks *marks, struct why *w);

#endif
