/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of configuration files as pure functions from text to text, and the
 * way back. All results belong to the caller (free); NULL: no memory.
 */
#ifndef S2DISK_SWAPFILE_TEXT_H
#define S2DISK_SWAPFILE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The first line of a file that is this program's as a whole. */
#define TEXT_OWN "# Written by s2disk-swapfile; \"s2disk-swapfile disable\" takes it away.\n"

/* Whole lines that differ, from the first to the last: bytes of the old and of
 * the new text. */
struct text_hunk {
	size_t start; /* in both */
	size_t old_length, new_length;
};

struct text_hunk text_changed(const char *old, const char *new);

/* Takes back a change (old to new) in a text that was edited since: the new lines,
 * wherever they stand now, become the old ones. NULL also where they are not there
 * any more. */
char *text_take_back(const char *old, const char *new, const char *current);

/* The text with a block of lines at its end, between marks that say whose they
 * are; a block that stands there already is replaced in its place. body: whole
 * lines. */
char *text_put_block(const char *text, const char *body);

/* The text without that block, whatever it has become; NULL also where there is
 * none. */
char *text_drop_block(const char *text);

/* The first word of the first line of that block as fstab has it, octal escapes
 * undone. NULL also where there is none. */
char *text_block_word(const char *text);

/* Does fstab switch this area on as swap (an entry without noauto)? is_it says
 * whether what an entry names is the one meant. */
bool text_fstab_has_swap(const char *text, bool (*is_it)(const void *context, const char *name),
			 const void *context);

/* Is it one of the options, as fstab and crypttab have them (a,b)? */
bool text_has_option(const char *options, const char *wanted);

/* A path as fstab has it: blanks as \040. */
char *text_fstab_escape(const char *path);

#endif
