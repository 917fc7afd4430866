/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a report: what was read below a root directory (base/look.h), as a tree in which the
 * same reads give the same, except for secrets.
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

/* true: records what is read from now on; false: stops recording. */
void report_tree_watch(struct report_tree *tree, bool watch);

/* Writes all of it into an archive, up to 1 MiB of each file and 64 MiB in all. notes gets a
 * line for each file that is left out or truncated. 0 or -ENOMEM. */
int report_tree_write(struct report_tree *tree, FILE *out, FILE *notes);

#endif
