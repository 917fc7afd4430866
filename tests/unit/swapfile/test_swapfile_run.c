/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that s2disk-swapfile runs: exit and output are reported; swap. */
#include "base/bytes.h"
#include "base/log.h"
#include "fixtures/check_main.h"
#include "fixtures/capture.h"
#include "tools/swapfile/swapfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct {
	const char *path; /* that was asked for */
	int error;
	int entries;
} kernel;

int __wrap_swapon(const char *path, int flags);
int __wrap_swapoff(const char *path);
int __wrap_swaps_read(const char *root, struct swap_entry *entries, size_t max);
bool __wrap_swap_area_find_entry(const struct swap_area *area, const struct swap_entry *entries,
				 size_t count, struct swap_entry *ret);

int __wrap_swapon(const char *path, int flags)
{
	ck_assert_int_eq(flags, 0);
	return __wrap_swapoff(path);
}

int __wrap_swapoff(const char *path)
{
	kernel.path = path;
	errno = kernel.error;
	return kernel.error ? -1 : 0;
}

int __wrap_swaps_read(const char *root, struct swap_entry *entries, size_t max)
{
	ck_assert_str_eq(root, "");
	ck_assert_uint_ge(max, 2);
	entries[1] = (struct swap_entry){ .path = "/dev/sda2" };
	return kernel.entries;
}

bool __wrap_swap_area_find_entry(const struct swap_area *area, const struct swap_entry *entries,
				 size_t count, struct swap_entry *ret)
{
	ck_assert_uint_le(count, 64);
	*ret = entries[1];
	return strcmp(area->device, entries[1].path) == 0;
}

static const struct {
	const char *command, *operand;
	int r;
	const char *words; /* of the sentence */
} cases[] = {
	{ "sh -c", "exit 0", 0, "" },
	{ "true", NULL, 0, "" },
	{ "sh -c", "exit 3", -EIO, "sh -c failed with status 3" },
	{ "sh -c", "kill -9 $$", -EIO, "sh -c: Interrupted" },
	{ "no-such-program", NULL, -ENOENT, "no-such-program cannot be run" },
	{ "sh -c a b c d e f g", NULL, -ENOENT, "cannot be run" },
	/* It inherits nothing of ours: a plain environment, no standard input. */
	{ "sh -c", "test -z \"$S2DISK_TEST_NOISE\" && test $LC_ALL = C.UTF-8", 0, "" },
	{ "sh -c", "test -z \"$(cat)\"", 0, "" },
	{ "test -e", "/tmp/a blank", -EIO, "status 1" },
};

START_TEST(ends)
{
	struct why w = { "" };
	int r;

	setenv("S2DISK_TEST_NOISE", "ours", 1);
	r = swapfile_run("", cases[_i].command, cases[_i].operand, &w);
	ck_assert_msg(r == cases[_i].r, "%s: %d, %s", cases[_i].command, r, w.text);
	if (r < 0)
		ck_assert_msg(strstr(w.text, cases[_i].words), "%s", w.text);
}
END_TEST

/* Its output is shown, but not on standard output. */
START_TEST(says)
{
	struct why w = { "" };
	char text[64];

	capture_begin();
	ck_assert_int_eq(swapfile_run("", "sh -c", "echo words; echo more >&2", &w), 0);
	log_set_level(LOG_LEVEL_DEBUG);
	ck_assert_int_eq(swapfile_run("", "sh -c", "echo words", &w), 0);
	capture_end(text, sizeof(text));
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(swap)
{
	struct why w = { "" };

	ck_assert_int_eq(swapfile_activate("/swapfile", &w), 0);
	ck_assert_str_eq(kernel.path, "/swapfile");
	ck_assert_int_eq(swapfile_deactivate("/swapfile", &w), 0);
	kernel.error = EBUSY;
	ck_assert_int_eq(swapfile_activate("/swapfile", &w), -EIO);
	ck_assert_ptr_nonnull(strstr(w.text, "/swapfile cannot be activated (swapon)"));
	kernel.error = ENOMEM;
	ck_assert_int_eq(swapfile_deactivate("/swapfile", &w), -EIO);
	ck_assert_ptr_nonnull(strstr(w.text, "end some programs"));
	/* It was not active. */
	kernel.error = EINVAL;
	ck_assert_int_eq(swapfile_deactivate("/swapfile", &w), 0);
}
END_TEST

START_TEST(active)
{
	struct swap_area area = { .device = "/dev/sda2" };

	kernel.entries = -EIO;
	ck_assert(!swapfile_is_active(&area));
	kernel.entries = 1000;
	ck_assert(swapfile_is_active(&area));
	strcpy(area.device, "/dev/sda3");
	ck_assert(!swapfile_is_active(&area));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "swapfile run");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, ends, 0, ARRAY_SIZE(cases));
	tcase_add_test(tcase, says);
	tcase_add_test(tcase, swap);
	tcase_add_test(tcase, active);
}
