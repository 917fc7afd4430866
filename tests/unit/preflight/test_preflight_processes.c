/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes are in the way, found below a made-up /proc. */
#include "fixtures/check_main.h"
#include "preflight/preflight.h"
#include "kernel/file_users.h"
#include "preflight/preflight_private.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[PATH_MAX];
static char who[200];

/* Links to files that are not there do not belong into a source tree, so this
 * one is made: process `pid` has `target` open. */
static void make_process(const char *pid, const char *comm, const char *target)
{
	char path[PATH_MAX + 64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/%s", root, pid);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/proc/%s/comm", root, pid);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fprintf(file, "%s\n", comm);
	fclose(file);
	snprintf(path, sizeof(path), "%s/proc/%s/fd", root, pid);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/proc/%s/fd/3", root, pid);
	ck_assert_int_eq(symlink(target, path), 0);
}

static void make_root(void)
{
	const char *tmp = getenv("TMPDIR");
	char path[PATH_MAX + 64];

	snprintf(root, sizeof(root), "%s/test_preflight.XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/proc", root);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static void remove_root(void)
{
	nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

START_TEST(open_files_are_found)
{
	make_process("21", "vault", "/secretmem (deleted)");
	make_process("23", "editor", "/secretmem.txt");
	make_process("24", "shell", "/home/me/secretmem");
	ck_assert_uint_eq(file_users_find(root, "/secretmem", who, sizeof(who)), 1);
	ck_assert_str_eq(who, "vault (process 21)");
}
END_TEST

START_TEST(none_is_found)
{
	make_process("23", "editor", "/dev/snapshot2");
	strcpy(who, "left over");
	ck_assert_uint_eq(file_users_find(root, "/dev/snapshot", who, sizeof(who)), 0);
	ck_assert_str_eq(who, "");
	ck_assert_uint_eq(file_users_find("/nowhere", "/dev/snapshot", who, sizeof(who)), 0);
}
END_TEST

START_TEST(many_users_are_counted)
{
	static const char *const pids[] = { "101", "102", "103", "104", "105", "106" };

	for (size_t i = 0; i < 6; i++)
		make_process(pids[i], "vault", "/secretmem (deleted)");
	ck_assert_uint_eq(file_users_find(root, "/secretmem", who, sizeof(who)), 6);
	ck_assert_ptr_nonnull(strstr(who, ") and 2 more"));
}
END_TEST

/* Whatever a process calls itself, the terminal gets no escape sequence. */
START_TEST(names_are_made_printable)
{
	struct check check = { 0 };

	make_process("21", "vault\033[2J", "/secretmem (deleted)");
	ck_assert(preflight_find_denial(root, NULL, &check));
	ck_assert_ptr_nonnull(strstr(check.text, "in use by vault?[2J (process 21)"));
	ck_assert_ptr_nonnull(strstr(check.advice, "secretmem.enable=0"));
}
END_TEST

static uid_t root_user(void)
{
	return 0;
}

static int always_busy(const char *path, int flags, mode_t kind)
{
	(void)path, (void)flags, (void)kind;
	return -EBUSY;
}

START_TEST(holder_of_the_snapshot_device_is_named)
{
	static const struct preflight_system system = { .euid = root_user,
							.entry_device = preflight_entry_device,
							.open_device = always_busy };
	const struct preflight_target target = { .area_problem = "none" };
	static struct preflight preflight;
	struct settings settings;

	settings_defaults(&settings);
	make_process("22", "s2disk", settings.snapshot_device);
	preflight_run_on(&system, &settings, &target, root, &preflight);
	ck_assert_str_eq(preflight.checks[1].id, "snapshot-device");
	ck_assert_int_eq(preflight.checks[1].level, CHECK_FAILED);
	ck_assert_ptr_nonnull(strstr(preflight.checks[1].text, "held by s2disk (process 22)"));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "preflight_processes");

	tcase_add_checked_fixture(tcase, make_root, remove_root);
	tcase_add_test(tcase, open_files_are_found);
	tcase_add_test(tcase, none_is_found);
	tcase_add_test(tcase, many_users_are_counted);
	tcase_add_test(tcase, names_are_made_printable);
	tcase_add_test(tcase, holder_of_the_snapshot_device_is_named);
}
