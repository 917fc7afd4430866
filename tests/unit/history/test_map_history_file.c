/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of the history of memory maps: boots are counted once, by one program at a time; and
 * what is there instead of it. */
#include "base/bytes.h"
#include "base/io.h"
#include "fixtures/check_main.h"
#include "fixtures/held_lock.h"
#include "map_history_file_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOCK "/run/s2disk/maps.lock"

static void setup(void)
{
	made_root_create();
	made_put("/var/lib/x", "");
	made_directory("/run");
}

static void teardown(void)
{
	io_set_only_looks(false);
	map_history_free(&got);
	made_root_remove();
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(lstat(full(path), &st), 0);
	return st.st_mode;
}

START_TEST(begins)
{
	ck_assert_uint_eq(boots_in_file(), 0);
	ck_assert_int_eq(add("boot-1", NULL), 0);
	ck_assert_uint_eq(boots(), 1);
	ck_assert_uint_eq(boots_in_file(), 1);
	ck_assert_str_eq(got.boot_id, "boot-1");
	ck_assert_uint_eq(mode_of(MAP_HISTORY_PATH), S_IFREG | 0600);
	ck_assert_uint_eq(mode_of("/var/lib/s2disk"), S_IFDIR | 0755);
	ck_assert(!exists(PART));
}
END_TEST

START_TEST(counts_once)
{
	const struct boot_memory boot = history_boot();
	struct boot_memory no_map = history_boot();
	struct boots_seen seen = { 0 };

	ck_assert_int_eq(add("boot-1", NULL), 0);
	ck_assert_int_eq(add("boot-1", NULL), 0);
	ck_assert_uint_eq(boots(), 1);
	ck_assert_int_eq(add("boot-2", NULL), 0);
	ck_assert_uint_eq(boots(), 2);
	/* Those that the restored system learns of: the boot that was counted stays known. */
	ck_assert_int_eq(boots_seen_add(&seen, &boot, BOOT_REFUSED), 0);
	ck_assert_int_eq(boots_seen_add(&seen, &boot, BOOT_RESUMED), 0);
	ck_assert_int_eq(map_history_add_seen(made_root, &seen, NULL), 0);
	boots_seen_free(&seen);
	ck_assert_uint_eq(boots_in_file(), 4);
	ck_assert_int_eq(map_history_add_seen(made_root, &seen, NULL), 0);
	ck_assert_uint_eq(boots_in_file(), 4);
	ck_assert_int_eq(add("boot-2", NULL), 0);
	ck_assert_str_eq(got.boot_id, "boot-2");
	ck_assert_uint_eq(got.setups.items[0].maps.items[0].resumes, 1);
	ck_assert_uint_eq(got.setups.items[0].maps.items[0].refused, 1);
	/* The caller need not want it. */
	ck_assert_int_eq(map_history_add(made_root, &boot, "boot-2", NULL, NULL), 0);
	/* Which boot it is is not known; or there is no map. */
	ck_assert_int_eq(add("", NULL), 0);
	no_map.map.entries.count = 0;
	ck_assert_int_eq(map_history_add(made_root, &no_map, "boot-3", NULL, NULL), 0);
	ck_assert_uint_eq(boots_in_file(), 4);
	ck_assert_str_eq(got.boot_id, "boot-2");
}
END_TEST

/* Longer than any: not counted each time. */
START_TEST(long_boot_id)
{
	char id[100];

	memset(id, 'x', sizeof(id));
	id[sizeof(id) - 1] = '\0';
	ck_assert_int_eq(add(id, NULL), 0);
	ck_assert_int_eq(add(id, NULL), 0);
	ck_assert_uint_eq(boots_in_file(), 1);
}
END_TEST

/* A machine without a map gets no directory. */
START_TEST(nothing_to_count)
{
	struct boot_memory boot = history_boot();

	boot.map.entries.count = 0;
	ck_assert_int_eq(map_history_add(made_root, &boot, "boot-1", &got, NULL), 0);
	ck_assert_uint_eq(boots(), 0);
	ck_assert(!exists("/var/lib/s2disk"));
}
END_TEST

/* None is lost. */
START_TEST(many_writers)
{
	enum { WRITERS = 6, EACH = 5 };

	for (int i = 0; i < WRITERS; i++) {
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (pid > 0)
			continue;
		for (int k = 0; k < EACH; k++) {
			char id[20];

			snprintf(id, sizeof(id), "boot-%d-%d", i, k);
			if (add(id, NULL) < 0)
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < WRITERS; i++) {
		int status;

		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_uint_eq(boots_in_file(), WRITERS * EACH);
}
END_TEST

START_TEST(waits)
{
	ck_assert_int_eq(add("boot-1", NULL), 0);
	held_lock_take(made_root, LOCK, 3);
	ck_assert_int_eq(add("boot-2", NULL), 0);
	ck_assert_uint_eq(held_pauses, 3);
	ck_assert_uint_eq(boots_in_file(), 2);
}
END_TEST

/* Two seconds; the boot is known to the caller anyway. */
START_TEST(waits_in_vain)
{
	struct why w = { 0 };

	ck_assert_int_eq(add("boot-1", NULL), 0);
	held_lock_take(made_root, LOCK, 0);
	ck_assert_int_eq(add("boot-2", &w), -ENOLCK);
	ck_assert_str_eq(w.text, LOCK " is held by another program");
	ck_assert_uint_eq(held_pauses, 40);
	ck_assert_uint_eq(boots(), 2);
	/* Where nothing has to be written, no harm is done. */
	ck_assert_int_eq(add("boot-1", NULL), 0);
	ck_assert_uint_eq(boots_in_file(), 1);
	held_lock_release();
}
END_TEST

/* Only root can hold the lock. The directory of the history can be opened by all. */
START_TEST(whose_lock)
{
	int fd;

	ck_assert_int_eq(add("boot-1", NULL), 0);
	ck_assert_uint_eq(mode_of(LOCK), S_IFREG | 0600);
	ck_assert_uint_eq(mode_of("/run/s2disk"), S_IFDIR | 0700);
	fd = open(full("/var/lib/s2disk"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert_int_eq(add("boot-2", NULL), 0);
	ck_assert_uint_eq(boots_in_file(), 2);
	close(fd);
}
END_TEST

START_TEST(no_lock)
{
	struct why w = { 0 };

	made_directory(LOCK);
	ck_assert_int_eq(add("boot-1", &w), -EISDIR);
	ck_assert_str_eq(w.text, LOCK ": Is a directory");
	ck_assert_uint_eq(boots(), 1);
	made_shell("rm -r run/s2disk && touch run/s2disk");
	ck_assert_int_eq(add("boot-1", &w), -ENOTDIR);
	ck_assert_str_eq(w.text, "/run/s2disk: Not a directory");
	made_shell("test ! -e var/lib/s2disk");
}
END_TEST

/* What is in the file, what is said, and how many boots there are with this one. */
static const struct {
	const char *text;
	const char *words;
	uint64_t boots;
} damages[] = {
	{ "", "it is not a history of memory maps", 1 },
	{ "rubbish\n", "it is not a history of memory maps", 1 },
	{ HISTORY_TEXT, NULL, 12 },
	{ HISTORY_HEAD HISTORY_SETUP HISTORY_OTHER_MAP "rubbish\n",
	  "is damaged: 1 line was skipped", 3 },
	{ HISTORY_HEAD HISTORY_SETUP HISTORY_OTHER_MAP "a\nb\n", "is damaged: 2 lines were skipped",
	  3 },
};

/* It is said once. */
START_TEST(damaged)
{
	struct why w = { 0 };

	made_put(MAP_HISTORY_PATH, damages[_i].text);
	ck_assert_int_eq(add("boot-1", &w), 0);
	if (damages[_i].words)
		ck_assert_ptr_nonnull(strstr(w.text, damages[_i].words));
	else
		ck_assert_str_eq(w.text, "");
	ck_assert_uint_eq(boots(), damages[_i].boots);
	ck_assert_uint_eq(boots_in_file(), damages[_i].boots);
}
END_TEST

START_TEST(zero_bytes)
{
	static const char text[] = HISTORY_HEAD "\0\n" HISTORY_SETUP HISTORY_MAP "\0";
	struct why w = { 0 };

	made_put_bytes(MAP_HISTORY_PATH, text, sizeof(text) - 1);
	ck_assert_int_eq(map_history_read(made_root, &got, &w), 0);
	ck_assert_ptr_nonnull(strstr(w.text, "2 lines were skipped"));
	ck_assert_uint_eq(boots(), 9);
}
END_TEST

START_TEST(too_long)
{
	struct why w = { 0 };

	made_put(MAP_HISTORY_PATH, HISTORY_TEXT);
	ck_assert_int_eq(truncate(full(MAP_HISTORY_PATH), MAP_HISTORY_LIMIT + 1), 0);
	ck_assert_int_eq(map_history_read(made_root, &got, &w), -EBADMSG);
	ck_assert_str_eq(w.text, MAP_HISTORY_PATH ": it is too long for a history of memory maps");
	ck_assert_int_eq(add("boot-1", NULL), 0);
	ck_assert_uint_eq(boots_in_file(), 1);
}
END_TEST

/* Nothing that a newer program knows is lost. */
START_TEST(newer)
{
	static const char text[] = "s2disk history of memory maps 2\nwhatever\n";
	char found[256];
	struct why w = { 0 };

	made_put(MAP_HISTORY_PATH, text);
	ck_assert_int_eq(add("boot-1", &w), -ENOTSUP);
	ck_assert_str_eq(w.text, MAP_HISTORY_PATH ": a newer s2disk wrote it (form 2)");
	ck_assert_uint_eq(boots(), 1);
	ck_assert_int_gt(io_read_text(made_root, MAP_HISTORY_PATH, found, sizeof(found)), 0);
	ck_assert_str_eq(found, text);
}
END_TEST

static void make_fifo(void)
{
	ck_assert_int_eq(mkfifo(full(MAP_HISTORY_PATH), 0600), 0);
}

static void make_directory(void)
{
	ck_assert_int_eq(mkdir(full(MAP_HISTORY_PATH), 0700), 0);
}

static void make_device(void)
{
	made_link(MAP_HISTORY_PATH, "/dev/zero");
}

static void make_dangling(void)
{
	made_link(MAP_HISTORY_PATH, "nowhere");
}

static void make_circle(void)
{
	made_link(MAP_HISTORY_PATH, "maps");
}

static void make_file(void)
{
	ck_assert_int_eq(rmdir(full("/var/lib/s2disk")), 0);
	made_put("/var/lib/s2disk", "");
}

static void make_nothing(void)
{
	ck_assert_int_eq(rmdir(full("/var/lib/s2disk")), 0);
	ck_assert_int_eq(unlink(full("/var/lib/x")), 0);
	ck_assert_int_eq(rmdir(full("/var/lib")), 0);
}

/* Nothing waits for a FIFO, and what is there stays. */
static const struct {
	void (*make)(void);
	const char *path; /* of what is there */
	int result;
	const char *words;
} places[] = {
	{ make_fifo, MAP_HISTORY_PATH, -ENXIO, ": it is not a regular file" },
	{ make_directory, MAP_HISTORY_PATH, -ENXIO, ": it is not a regular file" },
	{ make_device, MAP_HISTORY_PATH, -ENXIO, ": it is not a regular file" },
	{ make_dangling, MAP_HISTORY_PATH, -ENOLINK,
	  " cannot be written: it is a link that leads nowhere" },
	{ make_circle, MAP_HISTORY_PATH, -ELOOP, ": Too many levels of symbolic links" },
	{ make_file, "/var/lib/s2disk", -ENOTDIR, "/var/lib/s2disk" },
	{ make_nothing, "/var", -ENOENT, "/var/lib/s2disk: No such file or directory" },
};

START_TEST(something_else)
{
	struct why w = { 0 };
	mode_t before;

	made_directory("/var/lib/s2disk");
	places[_i].make();
	before = mode_of(places[_i].path);
	ck_assert_int_eq(add("boot-1", &w), places[_i].result);
	ck_assert_msg(strstr(w.text, places[_i].words), "%s", w.text);
	ck_assert_uint_eq(boots(), 1);
	ck_assert_uint_eq(mode_of(places[_i].path), before);
	ck_assert(!exists(PART));
}
END_TEST

/* An administrator put it elsewhere. */
START_TEST(through_a_link)
{
	made_put("/elsewhere/maps", HISTORY_TEXT);
	made_link(MAP_HISTORY_PATH, "../../../elsewhere/maps");
	ck_assert_int_eq(add("boot-1", NULL), 0);
	ck_assert_uint_eq(boots_in_file(), 12);
	ck_assert(S_ISLNK(mode_of(MAP_HISTORY_PATH)));
}
END_TEST

START_TEST(long_root)
{
	char root[PATH_MAX + 16];
	const struct boot_memory boot = history_boot();

	memset(root, '/', sizeof(root));
	root[sizeof(root) - 1] = '\0';
	ck_assert_int_eq(map_history_add(root, &boot, "1", NULL, NULL), -ENAMETOOLONG);
}
END_TEST

/* Of another system, which a report has. */
START_TEST(only_looked_at)
{
	made_put(MAP_HISTORY_PATH, HISTORY_TEXT);
	io_set_only_looks(true);
	ck_assert_int_eq(add("boot-1", NULL), -EROFS);
	ck_assert_uint_eq(boots(), 12);
	ck_assert_uint_eq(boots_in_file(), 11);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "file");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, begins);
	tcase_add_test(tcase, counts_once);
	tcase_add_test(tcase, long_boot_id);
	tcase_add_test(tcase, nothing_to_count);
	tcase_add_test(tcase, many_writers);
	tcase_add_test(tcase, waits);
	tcase_add_test(tcase, waits_in_vain);
	tcase_add_test(tcase, whose_lock);
	tcase_add_test(tcase, no_lock);
	tcase_add_loop_test(tcase, damaged, 0, (int)ARRAY_SIZE(damages));
	tcase_add_test(tcase, zero_bytes);
	tcase_add_test(tcase, too_long);
	tcase_add_test(tcase, newer);
	tcase_add_loop_test(tcase, something_else, 0, (int)ARRAY_SIZE(places));
	tcase_add_test(tcase, through_a_link);
	tcase_add_test(tcase, long_root);
	tcase_add_test(tcase, only_looked_at);
}
