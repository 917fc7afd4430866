/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A made-up system below a folder in /tmp, for tests of s2disk-swapfile. */
#ifndef TESTS_MADE_TREE_H
#define TESTS_MADE_TREE_H

#include "made_root.h"
#include "swapfile_system.h"

#include <stdbool.h>

extern struct swapfile_system made_system; /* swap and programs are pretended */
extern char made_log[8192];		   /* what was run and switched, a line each */
extern const char *made_fail;		   /* what shall fail: a line of that log begins with it */
extern bool made_active;

/* Also the root; take it away with made_root_remove(). */
void made_create(void);
/* A program of the system. */
void made_program(const char *path);
/* Asserts the file's text; NULL: that it is not there. */
void made_check(const char *path, const char *text);
/* Names, modes and content of everything but the state; free. */
char *made_look(void);

#endif
