/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is released, in /run/s2disk/released: each entry is there before its step is made. So what
 * an s2disk that was killed has not given back can be given back by the next one. /run is in
 * memory, so it is in the image, too. A blank in a name is written as \040.
 */
#ifndef S2DISK_RELEASE_JOURNAL_H
#define S2DISK_RELEASE_JOURNAL_H

#include "release/release_plan.h"

#define RELEASE_JOURNAL "/run/s2disk/released"

/* Appends an entry; begins the file with this boot's id. 0 or a negative errno. */
int release_journal_add(const char *root, const struct release_entry *entry);

/* What an earlier run has left, in its order, all taken. -ENOENT: nothing, or it is of another
 * boot; -ENOMEM. Lines that cannot be understood are passed over. */
int release_journal_read(const char *root, struct release_plan *ret);

/* Writes the file again with what of it is still taken or left in the plan, or is not in the plan;
 * deletes it where there is nothing. If it cannot be written, it stays. */
void release_journal_keep(const char *root, const struct release_plan *plan);

#endif
