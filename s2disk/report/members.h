/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The archives (initramfs) that the checks read, for a report: each is replaced by an archive
 * (cpio, "newc") with the same names, and the content of the few files that matter.
 */
#ifndef S2DISK_REPORT_MEMBERS_H
#define S2DISK_REPORT_MEMBERS_H

#include "base/look.h"

#include <stddef.h>

struct report_members;

struct report_members *report_members_begin(void);
void report_members_free(struct report_members *members);

/* Adds a file of the archive of that name. Secrets and passwords in it are replaced (hide.h). 0
 * or a negative errno. */
int report_members_add(struct report_members *members, const char *archive,
		       const struct look_member *member, const unsigned char salt[32]);

/* The whole archive, which the caller frees; NULL: it was not read. */
char *report_members_get(struct report_members *members, const char *archive, size_t *ret_size);

#endif
