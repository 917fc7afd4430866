/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run of resume's that says all that one can say. */
#ifndef TESTS_BOOT_RECORD_FIXTURE_H
#define TESTS_BOOT_RECORD_FIXTURE_H

#include "history/boot_record.h"

#include <check.h>

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct boot_run full_run = {
	.time = 1700000000,
	.program = "1.2",
	.form = "s2disk images, form 1",
	.by = NAMED_BY_FILE,
	.by_file = "/etc/suspend.conf.d/50 swap.conf:3",
	.named = "UUID=5b1c",
	.offset = 38912,
	.noresume = true,
	.encrypt = true,
	.settings = "line 4: no number",
	.device = "/dev/vda1",
	.has_number = true,
	.major = 254,
	.minor = 1,
	.uuid = "0b49b817-382a-4440-a78a-a5cd6b7b5cc5",
	.found = FOUND_IMAGE,
	.fate = FATE_DISCARDED,
	.reason = "block 3 is damaged",
	.keys = { { "/etc/a key", DIGEST }, { "/etc/none", "" } },
	.key_count = 2,
};

static inline void check_run(const struct boot_run *run, const struct boot_run *wanted)
{
	ck_assert_uint_eq(run->time, wanted->time);
	ck_assert_str_eq(run->program, wanted->program);
	ck_assert_str_eq(run->form, wanted->form);
	ck_assert_int_eq(run->by, wanted->by);
	ck_assert_str_eq(run->by_file, wanted->by_file);
	ck_assert_str_eq(run->named, wanted->named);
	ck_assert_uint_eq(run->offset, wanted->offset);
	ck_assert_int_eq(run->noresume, wanted->noresume);
	ck_assert_int_eq(run->encrypt, wanted->encrypt);
	ck_assert_str_eq(run->settings, wanted->settings);
	ck_assert_str_eq(run->device, wanted->device);
	ck_assert_int_eq(run->has_number, wanted->has_number);
	ck_assert_uint_eq(run->major, wanted->major);
	ck_assert_uint_eq(run->minor, wanted->minor);
	ck_assert_str_eq(run->uuid, wanted->uuid);
	ck_assert_int_eq(run->found, wanted->found);
	ck_assert_int_eq(run->fate, wanted->fate);
	ck_assert_str_eq(run->reason, wanted->reason);
	ck_assert_uint_eq(run->key_count, wanted->key_count);
	for (size_t i = 0; i < run->key_count; i++) {
		ck_assert_str_eq(run->keys[i].path, wanted->keys[i].path);
		ck_assert_str_eq(run->keys[i].digest, wanted->keys[i].digest);
	}
}

#endif
