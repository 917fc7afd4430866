/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of the history below a made-up root. */
#ifndef TESTS_MAP_HISTORY_FILE_FIXTURE_H
#define TESTS_MAP_HISTORY_FILE_FIXTURE_H

#include "fixtures/machine/made_root.h"
#include "history/maps/map_history_file.h"
#include "map_history_fixture.h"

#include <check.h>
#include <stdio.h>
#include <sys/stat.h>

#define PART MAP_HISTORY_PATH ".s2disk-new"

static inline const char *full(const char *path)
{
	static char text[256];

	snprintf(text, sizeof(text), "%s%s", made_root, path);
	return text;
}

static struct map_history got;

static inline int add(const char *boot_id, struct why *w)
{
	const struct boot_memory boot = history_boot();

	map_history_free(&got);
	return map_history_add(made_root, &boot, boot_id, &got, w);
}

/* Boots in what was read or counted; of one setup at most. */
static inline uint64_t boots(void)
{
	ck_assert_uint_le(got.setups.count, 1);
	return got.setups.count ? history_boots(got.setups.items) : 0;
}

/* Boots in the file, which is sound. */
static inline uint64_t boots_in_file(void)
{
	struct why w = { 0 };

	map_history_free(&got);
	ck_assert_msg(map_history_read(made_root, &got, &w) == 0, "%s", w.text);
	ck_assert_str_eq(w.text, "");
	return boots();
}

static inline bool exists(const char *path)
{
	struct stat st;

	return lstat(full(path), &st) == 0;
}

#endif
