/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What s2disk-swapfile changes in the system's files is marked: a block of lines, or a whole file
 * of this program. The marks have all that is needed to restore a file byte for byte; there is no
 * other record.
 */
#ifndef S2DISK_SWAPFILE_MARKS_H
#define S2DISK_SWAPFILE_MARKS_H

#include "base/why.h"

#include <stdbool.h>

/* A file that may have marks. Texts are NULL where there is no file. */
struct edit {
	const char *path; /* below the root */
	char *text;	  /* as it is */
	char *body;	  /* … the lines in it that are marked, "" for none */
	char *rest;	  /* … and without the marks */
	char *mark;	  /* the lines that are to be marked; NULL: none */
	char *want;	  /* as it is to be */
};

/* Reads it; it is to be without marks then. edit_free() in any case. -EINVAL if it is not text, if
 * a mark is missing, or if there are other lines between the marks: edits must not be lost. */
int edit_read(const char *root, const char *path, struct edit *ret, struct why *w);

/* Takes ownership of the lines that are to be marked in it; own: they are the whole file. -EEXIST
 * if a foreign file has that name; -ENOMEM, also without lines. */
int edit_mark(struct edit *edit, bool own, char *lines, struct why *w);

/* Would writing it change what is marked? */
bool edit_differs(const struct edit *edit);

/* Writes or deletes it, if it differs, by renaming a new file over it, following links, with owner,
 * mode and attributes of the old one; its directory is made if need be, and deleted when it is
 * empty. Also deletes what an interrupted run left beside it. -EIO. */
int edit_write(const char *root, const struct edit *edit, struct why *w);

void edit_free(struct edit *edit);

#endif
