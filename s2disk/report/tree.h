/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a report: what was looked at below a root directory (base/look.h), as
 * a tree in which the same looks find the same, but for secrets.
 */
#ifndef S2DISK_REPORT_TREE_H
#define S2DISK_REPORT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct report_tree;

/* root: "" for this system. NULL without memory. */
struct report_tree *report_tree_begin(const char *root);
void report_tree_free(struct report_tree *tree);

/* From now on until the next call what is looked at is kept; false ends it. */
void report_tree_watch(struct report_tree *tree, bool watch);

/* Writes all of it into an archive, each file up to 1 MiB, 64 MiB in all. What is left
 * out or cut, and why, goes to notes, a line each. 0 or -ENOMEM. */
int report_tree_write(struct report_tree *tree, FILE *out, FILE *notes);

#endif
