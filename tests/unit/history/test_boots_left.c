/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left to the system of boots that refused an image, and counted there. */
#include "history/maps/boots_left.h"

#include "base/bytes.h"
#include "base/io.h"
#include "base/run_directory.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "fixtures/machine/recorded_boot.h"
#include "history/maps/map_history_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEFT RUN_DIRECTORY "/seen"

static struct boots_seen seen;
static struct map_history history;
static struct why w;

static void begin(void)
{
	seen = (struct boots_seen){ 0 };
	history = (struct map_history){ 0 };
	w = (struct why){ 0 };
	made_root_create();
	made_directory("/run");
	made_directory("/var");
	made_directory("/var/lib");
}

static void end(void)
{
	boots_seen_free(&seen);
	map_history_free(&history);
	made_root_remove();
}

/* These take the place of those before. */
static void see(unsigned int place, unsigned int times)
{
	char map[120];
	struct boot_memory boot;

	boots_seen_free(&seen);
	snprintf(map, sizeof(map), "0x0 0x%x System RAM\n0x%x 0x%x Reserved\n",
		 0x100000 * place - 1, 0x100000 * place, 0x100000 * place + 0xfff);
	made_boot(map, 100 + place, &boot);
	for (unsigned int i = 0; i < times; i++)
		ck_assert_int_eq(boots_seen_add(&seen, &boot, BOOT_REFUSED), 0);
	boot_memory_free(&boot);
}

static bool is_left(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s" LEFT, made_root);
	return access(path, F_OK) == 0;
}

/* Refusals that the history knows of; and of how many maps. */
static uint64_t refusals(size_t maps)
{
	uint64_t refused = 0;

	map_history_free(&history);
	ck_assert_int_eq(map_history_read(made_root, &history, &w), 0);
	ck_assert_uint_eq(history.setups.count, maps > 0);
	for (size_t i = 0; i < maps; i++)
		refused += history.setups.items[0].maps.items[i].refused;
	ck_assert_uint_eq(maps, maps ? history.setups.items[0].maps.count : 0);
	return refused;
}

/* Two discards at one boot; each boot is counted once. */
START_TEST(are_counted)
{
	char path[PATH_MAX];
	struct stat st;

	see(1, 2);
	ck_assert_int_eq(boots_left_put(made_root, &seen, &w), 0);
	see(2, 1);
	ck_assert_int_eq(boots_left_put(made_root, &seen, &w), 0);
	snprintf(path, sizeof(path), "%s" LEFT, made_root);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(boots_left_count(made_root, &w), 0);
	ck_assert_uint_eq(refusals(2), 3);
	ck_assert(!is_left());
	ck_assert_int_eq(boots_left_count(made_root, &w), 0);
	ck_assert_uint_eq(refusals(2), 3);
	ck_assert_str_eq(w.text, "");
}
END_TEST

/* Most boots. */
START_TEST(none)
{
	ck_assert_int_eq(boots_left_put(made_root, &seen, &w), 0);
	ck_assert_int_eq(boots_left_count(made_root, &w), 0);
	made_shell("test ! -e run/s2disk && test ! -e var/lib/s2disk");
}
END_TEST

/* All of a list. */
START_TEST(many)
{

	for (unsigned int i = 1; i <= BOOTS_SEEN_MAX; i++) {
		see(i, 1);
		ck_assert_int_eq(boots_left_put(made_root, &seen, &w), 0);
	}
	ck_assert_int_eq(boots_left_count(made_root, &w), 0);
	ck_assert_uint_eq(refusals(BOOTS_SEEN_MAX), BOOTS_SEEN_MAX);
}
END_TEST

/* The next program tries again. */
START_TEST(history_cannot_be_written)
{
	see(1, 2);
	ck_assert_int_eq(boots_left_put(made_root, &seen, &w), 0);
	made_directory(MAP_HISTORY_PATH);
	ck_assert_int_lt(boots_left_count(made_root, &w), 0);
	ck_assert_ptr_nonnull(strstr(w.text, MAP_HISTORY_PATH));
	ck_assert(is_left());
	made_shell("rmdir var/lib/s2disk/maps");
	ck_assert_int_eq(boots_left_count(made_root, &w), 0);
	ck_assert_uint_eq(refusals(1), 2);
}
END_TEST

/* Another program counts them: nothing is put there meanwhile, which it would delete. */
START_TEST(another_counts_them)
{
	int held;

	see(1, 2);
	ck_assert_int_eq(boots_left_put(made_root, &seen, &w), 0);
	held = run_directory_lock(made_root, "seen.lock", &w);
	ck_assert_int_ge(held, 0);
	if (_i == 0) {
		ck_assert_int_eq(boots_left_count(made_root, &w), 0);
		ck_assert_str_eq(w.text, "");
		ck_assert(is_left());
		ck_assert_uint_eq(refusals(0), 0);
	} else {
		ck_assert_int_eq(boots_left_put(made_root, &seen, &w), -ENOLCK);
		ck_assert_str_eq(w.text, LEFT " cannot be written: " LEFT
					      ".lock is held by another program");
	}
	close(held);
	ck_assert_int_eq(boots_left_count(made_root, &w), 0);
	ck_assert_uint_eq(refusals(1), 2);
}
END_TEST

/* It was deleted while this program waited for the lock. */
START_TEST(another_has_counted_them)
{
	int held;
	pid_t child;

	see(1, 2);
	ck_assert_int_eq(boots_left_put(made_root, &seen, &w), 0);
	held = run_directory_lock(made_root, "seen.lock", &w);
	ck_assert_int_ge(held, 0);
	child = fork();
	if (child == 0) {
		usleep(300000);
		made_shell("rm run/s2disk/seen");
		_exit(0);
	}
	close(held);
	ck_assert_int_eq(boots_left_count(made_root, &w), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_str_eq(w.text, "");
	ck_assert_uint_eq(refusals(0), 0);
}
END_TEST

static const struct {
	const char *bytes;
	size_t length;
	const char *words;
} damages[] = {
	{ "rubbish, and more", 17, LEFT ": what earlier boots saw is in a newer form" },
	{ "\1rubbish, and more", 18, LEFT ": what earlier boots saw is damaged" },
	{ "\1", 1, LEFT ": what earlier boots saw is damaged" },
	{ "", 0, "" },
};

/* It is said once; and does not keep others from being left. */
START_TEST(damaged)
{
	made_put_bytes(LEFT, damages[_i].bytes, damages[_i].length);
	ck_assert_int_eq(boots_left_count(made_root, &w), 0);
	ck_assert_str_eq(w.text, damages[_i].words);
	ck_assert(!is_left());
	made_put_bytes(LEFT, damages[_i].bytes, damages[_i].length);
	see(1, 2);
	ck_assert_int_eq(boots_left_put(made_root, &seen, &w), 0);
	w = (struct why){ 0 };
	ck_assert_int_eq(boots_left_count(made_root, &w), 0);
	ck_assert_uint_eq(refusals(1), 2);
}
END_TEST

/* It is not waited for. */
START_TEST(what_is_no_file)
{
	static char text[70000];

	made_shell("mkdir run/s2disk && mkfifo run/s2disk/seen");
	ck_assert_int_eq(boots_left_count(made_root, &w), -ENXIO);
	ck_assert_str_eq(w.text, LEFT ": it is not a regular file");
	memset(text, 'x', sizeof(text));
	made_put(LEFT, NULL);
	made_put_bytes(LEFT, text, sizeof(text));
	ck_assert_int_eq(boots_left_count(made_root, &w), 0);
	ck_assert_str_eq(w.text, LEFT ": it is too long");
	made_link(LEFT, "/dev/null");
	ck_assert_int_eq(boots_left_count(made_root, &w), -ELOOP);
	ck_assert_ptr_nonnull(strstr(w.text, LEFT ": "));
}
END_TEST

START_TEST(cannot_be_written)
{
	see(1, 1);
	made_put(RUN_DIRECTORY, "in the way");
	ck_assert_int_eq(boots_left_put(made_root, &seen, &w), -ENOTDIR);
	ck_assert_str_eq(w.text, LEFT " cannot be written: " RUN_DIRECTORY ": Not a directory");
}
END_TEST

/* A program that only looks leaves all as it is. */
START_TEST(only_looks)
{
	see(1, 1);
	ck_assert_int_eq(boots_left_put(made_root, &seen, &w), 0);
	io_set_only_looks(true);
	ck_assert_int_eq(boots_left_count(made_root, &w), 0);
	ck_assert(is_left());
}
END_TEST

const bool each_in_a_process = true;

void test_cases(Suite *suite)
{
	const TTest *const tests[] = {
		are_counted,
		none,
		many,
		history_cannot_be_written,
		another_has_counted_them,
		what_is_no_file,
		cannot_be_written,
		only_looks,
	};
	TCase *tcase = test_case(suite, "boots_left");

	tcase_add_checked_fixture(tcase, begin, end);
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(tcase, another_counts_them, 0, 2);
	tcase_add_loop_test(tcase, damaged, 0, (int)ARRAY_SIZE(damages));
}
