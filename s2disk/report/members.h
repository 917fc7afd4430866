/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was looked into of archives (initramfs), for a report: in the place of each an
 * archive (cpio, "newc") with the same names, and the content of those few files of
 * which it matters.
 */
#ifndef S2DISK_REPORT_MEMBERS_H
#define S2DISK_REPORT_MEMBERS_H

#include "base/look.h"

#include <stddef.h>

struct report_members;

struct report_members *report_members_begin(void);
void report_members_free(struct report_members *members);

/* A file of the archive of that name. A secret's content is replaced
 * (report_hide.h), passwords are. 0 or a negative errno. */
int report_members_add(struct report_members *members, const char *archive,
		       const struct look_member *member, const unsigned char salt[32]);

/* The whole archive, which the caller frees; NULL: it was not looked into. */
char *report_members_get(struct report_members *members, const char *archive, size_t *ret_size);

#endif
