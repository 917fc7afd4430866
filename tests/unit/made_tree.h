/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A made-up system below a directory in /tmp, for tests of s2disk-swapfile, linked with
 * MADE_TREE_WRAPS: then swap and programs are pretended, but for mkswap. */
#ifndef TESTS_MADE_TREE_H
#define TESTS_MADE_TREE_H

#include "made_root.h"
#include "preflight.h"

#include <stdbool.h>

extern char made_log[8192];   /* what was run, activated and deactivated, a line each */
extern const char *made_fail; /* what shall fail: a line of that log begins with it */
extern int made_stop_after;   /* Ctrl-C after this many lines of it; 0: none */
extern bool made_active;
extern enum check_level made_way_back; /* what the pre-flight says */

/* Also the root; take it away with made_root_remove(). */
void made_create(void);
/* A program of the system. */
void made_program(const char *path);
/* Asserts the file's text; NULL: that it is not there. */
void made_check(const char *path, const char *text);
/* Names, modes and content of everything; free. */
char *made_look(void);

#endif
