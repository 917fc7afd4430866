/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of configuration files as pure functions from text to text, and the
 * way back. All results belong to the caller (free); NULL: no memory.
 */
#ifndef S2DISK_SWAPFILE_TEXT_H
#define S2DISK_SWAPFILE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whole lines that differ: bytes of the old and of the new text. */
struct text_hunk {
	size_t old_start, old_length;
	size_t new_start, new_length;
};

/* What was changed: one hunk for each run of changed lines where the number of
 * lines is the same, else one for all between the first and the last. At most
 * max are stored; returns how many there are. */
size_t text_hunks(const char *old, const char *new, struct text_hunk *hunks, size_t max);

/* Takes back a change (old to new) in a text that may have been edited since:
 * each hunk's new lines, wherever they stand now, become the old ones. NULL in
 * *ret where the lines are not there any more (-ENOENT); -ENOMEM. */
int text_take_back(const char *old, const char *new, const char *current, char **ret);

/* The text with a block of lines at its end, between marks that say whose they
 * are; a block that stands there already is replaced in its place. body: whole
 * lines. */
char *text_put_block(const char *text, const char *body);

/* The text without that block, whatever it has become; NULL also where there is
 * none. */
char *text_drop_block(const char *text);

/* Is that block, with exactly that body, there? */
bool text_has_block(const char *text, const char *body);

/* A kernel command line (one or several lines of a file) with other values of
 * resume= and resume_offset=; all that stand there are taken out, arguments
 * (such as "resume=UUID=... resume_offset=1") come behind the last line that
 * has something on it. Untouched where they are the only ones already. */
char *text_put_arguments(const char *text, const char *arguments);

/* The same in each line that begins with one of the keywords ("options",
 * "append"; case does not count). each: every such line gets them; else only
 * the last, and where there is none, one is added. arguments NULL: they are only
 * taken out. */
char *text_put_keyword_arguments(const char *text, const char *keyword, bool each,
				 const char *arguments);

/* Does fstab switch this file on as swap (an entry without noauto)? is_it says
 * whether a path of fstab is the file meant. */
bool text_fstab_has_swap(const char *text, bool (*is_it)(const void *context, const char *path),
			 const void *context);

/* A path as fstab has it: blanks as \040. */
char *text_fstab_escape(const char *path);

#endif
