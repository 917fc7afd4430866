/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An initramfs that is newer than the boot. */
#ifndef TESTS_CHANGED_FIXTURE_H
#define TESTS_CHANGED_FIXTURE_H

#include "fixtures/machine/way_back_fixture.h"

#define IMAGE "/boot/initrd.img-6.1"
#define NOT_RUN "not confirmed, resume did not run at this boot"
#define NONE IMAGE " runs no resume that can read images of this s2disk"

static inline void make_boot(void)
{
	make();
	made_directory("/boot");
}

static const char resume[] = "ELF " INITRAMFS_RESUME_MARK;

/* In pairs of name and text; what is asked for may follow. */
static inline void put_initramfs_at(const char *path, long seconds, const char *name,
				    const char *text, const char *name2, const char *text2)
{
	const char *const files[] = { "usr/lib/uswsusp/resume",
				      resume,
				      "scripts/local-premount/s2disk",
				      "#!/bin/sh",
				      name,
				      text,
				      name2,
				      text2,
				      NULL };
	char full[256];

	snprintf(full, sizeof(full), "%s%s", made_root, path);
	made_initramfs(full, "gzip -c", files);
	ck_assert_int_eq(chmod(full, 0600), 0);
	set_time(path, seconds);
}

static inline void put_initramfs(const char *name, const char *text, const char *name2,
				 const char *text2)
{
	put_initramfs_at(IMAGE, BEGAN + 1000, name, text, name2, text2);
}

static const char *const empty[] = { "bin/sh", "x", NULL };

static inline void put_files(const char *const *files)
{
	char full[256];

	snprintf(full, sizeof(full), "%s" IMAGE, made_root);
	made_initramfs(full, "gzip -c", files);
	set_time(IMAGE, BEGAN + 1000);
}

#endif
