/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A made-up system whose boot left a record, for the tests of the way back. */
#ifndef TESTS_WAY_BACK_FIXTURE_H
#define TESTS_WAY_BACK_FIXTURE_H

#include "boot/initramfs.h"
#include "history/boot_record.h"
#include "made_initramfs.h"
#include "made_root.h"
#include "preflight.h"
#include "preflight_checks.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define BEGAN 1700000000 /* when this boot began */
#define KEY "0123456789abcdef0123456789abcdef"
#define AROUND "-P \"way back = warn\""

static struct settings settings;
static struct swap_area area;
static const char *area_uuid; /* what its first page has; NULL: unknown */
static struct boot_run run;   /* that the record has */
static struct boot_run more_runs[2];
static size_t more_count;
static bool keys_left_out;
static bool no_record;
static struct preflight result;

/* /dev/vda2 and UUID=2 are one device, /dev/vda1 and UUID=1 another. */
static inline int pretend_resolve(const char *spec, uint64_t offset, bool allow_file,
				  struct swap_area *ret, struct why *w)
{
	char last = spec[strlen(spec) - 1];

	ck_assert(!allow_file); /* an initramfs has mounted nothing */
	if (last != '1' && last != '2')
		return why(w, -ENODEV, "%s: no such device", spec);
	*ret = (struct swap_area){ .dev = makedev(254, last == '1' ? 1 : 2), .offset = offset };
	return 0;
}

static const struct preflight_system made_system = { .resolve = pretend_resolve };

static inline void set_time(const char *path, long seconds)
{
	struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };
	char full[256];

	snprintf(full, sizeof(full), "%s%s", made_root, path);
	ck_assert_int_eq(utimensat(AT_FDCWD, full, times, 0), 0);
}

static inline void put_file(const char *path, const char *text, long seconds)
{
	made_put(path, text);
	set_time(path, seconds);
}

static inline void make(void)
{
	made_root_create();
	settings_defaults(&settings);
	area = (struct swap_area){ .dev = makedev(254, 2) };
	strcpy(area.name, "/dev/vda2");
	strcpy(area.device, "/dev/vda2");
	area_uuid = NULL;
	run = (struct boot_run){ .by = NAMED_BY_KERNEL,
				 .named = "UUID=2",
				 .form = INITRAMFS_RESUME_MARK,
				 .has_number = true,
				 .major = 254,
				 .minor = 2,
				 .found = FOUND_SWAP,
				 .fate = FATE_NONE };
	more_count = 0;
	no_record = keys_left_out = false;
	made_put("/proc/stat", "cpu 1 2\nbtime 1700000000\nprocesses 5\n");
	made_put("/proc/cmdline", "ro root=UUID=1 resume=UUID=2\n");
}

/* The area is the LUKS mapping "swap" on a partition. */
static inline void encrypt_area(void)
{
	made_put("/sys/dev/block/254:2/dm/name", "swap\n");
	made_put("/sys/dev/block/254:2/dm/uuid",
		 "CRYPT-LUKS2-bd6056f3000040008000000000000002-swap\n");
	made_put("/sys/dev/block/254:2/uevent", "DEVNAME=dm-1\n");
	made_put("/sys/dev/block/254:2/slaves/sda2/dev", "8:2\n");
	made_put("/sys/dev/block/8:2/uevent", "DEVNAME=sda2\n");
	made_put("/sys/dev/block/8:2/partition", "2\n");
	made_put("/sys/dev/block/254:1/uevent", "DEVNAME=vda1\n");
}

static inline void put_record(void)
{
	struct boot_record *record = calloc(1, sizeof(*record));
	size_t length;
	char *text;

	ck_assert_ptr_nonnull(record);
	boot_record_append(record, &run);
	record->keys_left_out = keys_left_out;
	for (size_t i = 0; i < more_count; i++)
		boot_record_append(record, &more_runs[i]);
	ck_assert_int_eq(boot_record_encode(record, &text, &length), 0);
	made_put("/run/s2disk/boot", text);
	free(text);
	free(record);
}

static inline void look(void)
{
	const struct preflight_target target = { .area = &area };
	struct preflight_context context = { .system = &made_system,
					     .settings = &settings,
					     .target = &target,
					     .root = made_root,
					     .preflight = &result };

	if (!no_record)
		put_record();
	if (area_uuid)
		snprintf(context.area_uuid, sizeof(context.area_uuid), "%s", area_uuid);
	result.count = 0;
	check_way_back(&context);
}

static inline void expect_at(size_t at, enum check_level level, const char *text,
			     const char *advice)
{
	const struct check *check = &result.checks[at];

	look();
	ck_assert_msg(result.count == at + 1, "%zu: %s", result.count, check->text);
	ck_assert_str_eq(check->id, "way-back");
	ck_assert_msg(check->level == level, "level %d: %s", (int)check->level, check->text);
	ck_assert_msg(strstr(check->text, text) != NULL, "text: %s", check->text);
	ck_assert_msg(strstr(check->advice, advice) != NULL, "advice: %s", check->advice);
	ck_assert(level == CHECK_OK || check->advice[0]);
	ck_assert_uint_lt(strlen(check->text), sizeof(check->text) - 1);
	ck_assert_uint_lt(strlen(check->advice), sizeof(check->advice) - 1);
}

static inline void expect(enum check_level level, const char *text, const char *advice)
{
	expect_at(0, level, text, advice);
}

/* All is well, and there is a warning beside it. */
static inline void expect_second(const char *text, const char *advice)
{
	expect_at(1, CHECK_WARNING, text, advice);
	ck_assert_int_eq(result.checks[0].level, CHECK_OK);
}

#endif
