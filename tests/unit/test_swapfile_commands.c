/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of s2disk-swapfile as a user gives them, on real file systems. */
#include "swapfile.h"

#include "base/bytes.h"
#include "made_disk.h"
#include "made_told.h"
#include "made_tree.h"
#include "swapfile_state.h"
#include "swapfile_stop.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MIB (1ULL << 20)

/* create --enable: one command, and one that takes it all back. */
START_TEST(all_in_one)
{
	char path[128], *before, *after;
	struct swapfile s = made_command(path, sizeof(path), "file");
	struct why w = { "" };
	struct stat st;

	if (!made_mount("mke2fs -q -F -t ext4 -b 4096", "300M"))
		return;
	made_put("/etc/fstab", "x\n");
	before = made_look();
	s.size = 50 * MIB;
	s.enable = true;
	ck_assert_msg(swapfile_do_create(&s, &w) == OUTCOME_DONE, "%s", w.text);
	ck_assert(made_active);
	s.path = NULL;
	ck_assert_msg(swapfile_do_remove(&s, &w) == OUTCOME_DONE, "%s", w.text);
	after = made_look();
	ck_assert_str_eq(after, before);
	free(after);

	/* When enabling fails, the file goes too. */
	made_fail = "swapon";
	s = made_command(path, sizeof(path), "file");
	s.size = 50 * MIB;
	s.enable = true;
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_FAILED);
	ck_assert_ptr_nonnull(strstr(w.text, "cannot be switched on"));
	ck_assert_int_lt(stat(path, &st), 0);
	after = made_look();
	ck_assert_str_eq(after, before);
	free(after);
	free(before);
}
END_TEST

/* A file of 32 MiB. */
static void made_file(const char *name, char *path, size_t size)
{
	struct swapfile s = made_command(path, size, name);
	struct why w = { "" };

	s.size = 32 * MIB;
	ck_assert_msg(swapfile_do_create(&s, &w) == OUTCOME_DONE, "%s", w.text);
}

static bool mounted(void)
{
	return made_mount("mke2fs -q -F -t ext4 -b 4096", "300M");
}

static struct swapfile command_for(const char *path)
{
	return (struct swapfile){ .system = made_system,
				  .path = path,
				  .report = { .quiet = true } };
}

/* All that would be done is told beforehand, and nothing of it is done. */
START_TEST(foretells_all)
{
	char path[128], text[8192], *before, *after;
	struct swapfile s = made_command(path, sizeof(path), "a file");
	struct why w = { "" };
	struct stat st;

	if (!mounted())
		return;
	made_put("/etc/fstab", "x\n");
	before = made_look();
	s.size = 32 * MIB;
	s.enable = s.dry_run = s.report.dry_run = true;
	s.report.quiet = false;
	tell_to_file();
	ck_assert_msg(swapfile_do_create(&s, &w) == OUTCOME_DONE, "%s", w.text);
	told(text, sizeof(text));
	check_told(text, "would make /");
	check_told(text, "would write /etc/suspend.conf.d/90-swapfile.conf");
	check_told(text, "+ resume device = DEVICE");
	check_told(text, "+ resume offset = OFFSET");
	check_told(text, "a\\040file none swap defaults 0 0");
	check_told(text, "would switch on /");
	check_told(text, "would run /usr/sbin/update-initramfs");
	ck_assert_int_lt(stat(path, &st), 0);
	ck_assert_str_eq(made_log, "");
	after = made_look();
	ck_assert_str_eq(after, before);
	free(before);
	free(after);
}
END_TEST

/* Whether it is to be enabled or not, a dry run says the same of making it: also
 * where the device under the file cannot be read. */
START_TEST(foretells_the_same)
{
	char path[128], number[32], text[2][8192];
	struct stat st;
	enum outcome outcome[2];
	struct why w[2] = { { "" }, { "" } };

	ck_assert_int_eq(stat(made_root, &st), 0);
	snprintf(number, sizeof(number), "%u:%u", major(st.st_dev), minor(st.st_dev));
	made_device(number, "sda2", "partition", "2\n");
	snprintf(path, sizeof(path), "%s/file", made_root);
	for (int enable = 0; enable < 2; enable++) {
		struct swapfile s = { .system = made_system, .path = path };

		s.size = 32 * MIB;
		s.dry_run = s.report.dry_run = true;
		s.enable = enable;
		tell_to_file();
		outcome[enable] = swapfile_do_create(&s, &w[enable]);
		told(text[enable], sizeof(text[enable]));
	}
	ck_assert_int_eq(outcome[0], outcome[1]);
	ck_assert_str_eq(w[0].text, w[1].text);
	ck_assert(strncmp(text[0], text[1], strlen(text[0])) == 0);
	ck_assert((outcome[0] == OUTCOME_DONE) == (strstr(text[0], "would make /") != NULL));
}
END_TEST

/* Another file takes over: the former is disabled first. */
START_TEST(gives_way)
{
	char first[128], second[128], text[8192], *before, *after;
	struct why w = { "" };
	struct swapfile s;

	if (!mounted())
		return;
	made_file("first", first, sizeof(first));
	made_file("second", second, sizeof(second));
	made_put("/etc/fstab", "x\n");
	s = command_for(first);
	ck_assert_msg(swapfile_do_enable(&s, &w) == OUTCOME_DONE, "%s", w.text);
	before = made_look();
	s = command_for(second);
	made_fail = "swapoff";
	ck_assert_int_eq(swapfile_do_enable(&s, &w), OUTCOME_FAILED);
	after = made_look();
	ck_assert(strncmp(after, before, strlen(before) - 70) == 0); /* but for the state */
	made_fail = "swapon";
	ck_assert_int_eq(swapfile_do_enable(&s, &w), OUTCOME_FAILED);
	made_check("/etc/fstab", "x\n");
	made_fail = NULL;
	s = command_for(first);
	ck_assert_int_eq(swapfile_do_enable(&s, &w), OUTCOME_DONE);
	s = command_for(second);
	s.report.quiet = false;
	tell_to_file();
	ck_assert_int_eq(swapfile_do_enable(&s, &w), OUTCOME_DONE);
	told(text, sizeof(text));
	check_told(text, "first is enabled already, and is disabled first");
	s = command_for(NULL);
	ck_assert_int_eq(swapfile_do_disable(&s, &w), OUTCOME_DONE);
	made_check("/etc/fstab", "x\n");
	/* Two of them: which one? */
	ck_assert_int_eq(swapfile_do_remove(&s, &w), OUTCOME_REFUSED);
	check_told(w.text, "there are several swap files");
	free(before);
	free(after);
}
END_TEST

/* The state is lost: what is marked is undone, and enabling again begins with that. */
START_TEST(lost_state)
{
	char path[128];
	struct why w = { "" };
	struct swapfile s;
	struct stat st;

	if (!mounted())
		return;
	made_file("file", path, sizeof(path));
	made_put("/etc/fstab", "x\n");
	s = command_for(path);
	ck_assert_msg(swapfile_do_enable(&s, &w) == OUTCOME_DONE, "%s", w.text);
	made_put(SWAPFILE_STATE, NULL);
	ck_assert_msg(swapfile_do_enable(&s, &w) == OUTCOME_DONE, "%s", w.text);
	check_told(made_log, "swapoff");
	made_put(SWAPFILE_STATE, NULL);
	ck_assert_int_eq(swapfile_do_disable(&s, &w), OUTCOME_DONE);
	made_check("/etc/fstab", "x\n");
	made_check("/etc/suspend.conf.d/90-swapfile.conf", NULL);
	ck_assert(!made_active);
	ck_assert_int_eq(swapfile_do_remove(&s, &w), OUTCOME_REFUSED);
	check_told(w.text, "what it wrote down is lost; delete it yourself");

	/* remove takes back what is marked; whose the file is, nothing says any more. */
	ck_assert_int_eq(swapfile_do_enable(&s, &w), OUTCOME_DONE);
	made_put(SWAPFILE_STATE, NULL);
	s.path = _i ? path : NULL;
	ck_assert_int_eq(swapfile_do_remove(&s, &w), OUTCOME_FAILED);
	check_told(w.text, "it is disabled, but whether s2disk-swapfile made the file is lost");
	made_check("/etc/fstab", "x\n");
	made_check("/etc/suspend.conf.d/90-swapfile.conf", NULL);
	ck_assert_int_eq(stat(path, &st), 0);
	s.path = NULL;
	w.text[0] = '\0';
	ck_assert_int_eq(swapfile_do_remove(&s, &w), OUTCOME_REFUSED);
	ck_assert_str_eq(w.text, "no swap file is known that s2disk-swapfile made");
}
END_TEST

/* No initramfs of ours: nothing is made. */
START_TEST(not_ours_to_make)
{
	char path[128];
	struct swapfile s = made_command(path, sizeof(path), "file");
	struct why w = { "" };
	struct stat st;

	if (!mounted())
		return;
	made_put("/usr/sbin/update-initramfs", NULL);
	s.size = 32 * MIB;
	s.enable = true;
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_REFUSED);
	check_told(w.text, "make the file without --enable");
	ck_assert_int_lt(stat(path, &st), 0);
	s.enable = false;
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_DONE);
	made_put("/run/ostree-booted", "");
	ck_assert_int_eq(swapfile_do_enable(&s, &w), OUTCOME_REFUSED);
	check_told(w.text, "rpm-ostree kargs --append=resume=UUID=");
	made_check("/etc/suspend.conf.d/90-swapfile.conf", NULL);
}
END_TEST

/* The power failed while the file was made. */
START_TEST(half_made)
{
	char path[128];
	struct why w = { "" };
	struct state state;
	struct swapfile s;
	char *text;

	if (!mounted())
		return;
	made_file("file", path, sizeof(path));
	s = command_for(path);
	s.size = 32 * MIB;
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_REFUSED);
	check_told(w.text, "exists already");
	ck_assert_int_eq(state_load(&made_system, &state, &w), 0);
	state_find(&state, "create", path)->unfinished = true;
	text = state_encode(&state);
	made_put(SWAPFILE_STATE, text);
	state_free(&state);
	free(text);
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_REFUSED);
	check_told(w.text, "half made");
	ck_assert_int_eq(swapfile_do_remove(&s, &w), OUTCOME_DONE);
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_DONE);
}
END_TEST

/* Deleted by hand, or by a power cut before it was there, and made again: what
 * is written down of the former does not stand in the way. */
START_TEST(made_again)
{
	char path[128], other[128];
	struct why w = { "" };
	struct swapfile s;
	struct stat st;

	if (!mounted())
		return;
	made_put("/etc/fstab", "x\n");
	made_file("file", path, sizeof(path));
	ck_assert_int_eq(unlink(path), 0);
	made_file("file", path, sizeof(path));
	/* When enabling fails, what this run made goes. */
	ck_assert_int_eq(unlink(path), 0);
	made_fail = "swapon";
	s = made_command(path, sizeof(path), "file");
	s.size = 32 * MIB;
	s.enable = true;
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_FAILED);
	ck_assert_int_lt(stat(path, &st), 0);
	made_fail = NULL;
	made_file("file", path, sizeof(path));
	made_file("other", other, sizeof(other));
	s = command_for(path);
	ck_assert_msg(swapfile_do_remove(&s, &w) == OUTCOME_DONE, "%s", w.text);
	ck_assert_int_lt(stat(path, &st), 0);
	ck_assert_int_eq(swapfile_do_remove(&s, &w), OUTCOME_REFUSED);
	check_told(w.text, "was not made by");
	s.path = NULL;
	ck_assert_msg(swapfile_do_remove(&s, &w) == OUTCOME_DONE, "%s", w.text);
	ck_assert_int_lt(stat(other, &st), 0);
	made_check(SWAPFILE_STATE, NULL);
}
END_TEST

/* The power failed while the last program ran: all files are as they shall be,
 * and enabling again must not take that for the whole. */
START_TEST(ends_what_was_cut_off)
{
	char path[128], *text;
	struct why w = { "" };
	struct state state;
	struct swapfile s;

	if (!mounted())
		return;
	made_file("file", path, sizeof(path));
	s = command_for(path);
	s.hibernate_only = true;
	ck_assert_msg(swapfile_do_enable(&s, &w) == OUTCOME_DONE, "%s", w.text);
	ck_assert_int_eq(state_load(&made_system, &state, &w), 0);
	ck_assert(!state_find(&state, "enable", NULL)->unfinished);
	state_find(&state, "enable", NULL)->unfinished = true;
	text = state_encode(&state);
	check_told(text, "=unfinished\n");
	made_put(SWAPFILE_STATE, text);
	state_free(&state);
	free(text);

	made_log[0] = '\0';
	ck_assert_msg(swapfile_do_enable(&s, &w) == OUTCOME_DONE, "%s", w.text);
	check_told(made_log, "run /usr/sbin/update-initramfs -u -k all");
	made_log[0] = '\0';
	ck_assert_int_eq(swapfile_do_enable(&s, &w), OUTCOME_DONE);
	ck_assert_str_eq(made_log, "");
}
END_TEST

/* offset tells the place also where the file is no good, and why it is not. */
START_TEST(offset_objects)
{
	char path[128], text[2048];
	struct why w = { "" };
	struct swapfile s;

	if (!mounted())
		return;
	made_file("file", path, sizeof(path));
	s = command_for(path);
	s.system.root = ""; /* where it is on a loop device */
	s.report = (struct report){ .use_json = true };
	tell_to_file();
	report_begin(&s.report, "offset");
	ck_assert_msg(swapfile_do_offset(&s, &w) == OUTCOME_DONE, "%s", w.text);
	report_end(&s.report, "done", NULL);
	told(text, sizeof(text));
	check_told(text, "\"objection\": \"it is on a loop device");
	check_told(text, "\"offset\": ");
	s.report = (struct report){ .quiet = true };
	tell_to_file();
	s.uswsusp = true;
	ck_assert_int_eq(swapfile_do_offset(&s, &w), OUTCOME_DONE);
	told(text, sizeof(text));
	ck_assert_int_eq(strncmp(text, "resume offset = ", 16), 0);
	ck_assert_int_eq(swapfile_do_enable(&s, &w), OUTCOME_REFUSED);
	check_told(w.text, "on a loop device");
}
END_TEST

/* Ctrl-C: nothing is left half done. */
START_TEST(stops)
{
	char path[128], *before, *after;
	struct why w = { "" };
	struct swapfile s;

	if (!mounted())
		return;
	made_file("file", path, sizeof(path));
	made_put("/etc/fstab", "x\n");
	before = made_look();
	s = command_for(path);
	stop_begin();
	ck_assert(!stop_asked());
	raise(SIGINT);
	ck_assert(stop_asked());
	ck_assert_int_eq(swapfile_do_enable(&s, &w), OUTCOME_FAILED);
	check_told(w.text, "interrupted");
	after = made_look();
	ck_assert_str_eq(after, before);
	/* Undoing is not stopped. */
	s.path = NULL;
	ck_assert_int_eq(swapfile_do_remove(&s, &w), OUTCOME_DONE);
	free(before);
	free(after);
}
END_TEST

START_TEST(one_at_a_time)
{
	struct why w = { "" };
	int first = -1, second = -1;

	/* No /run: nobody else can be there. */
	ck_assert_int_eq(state_lock(&made_system, &first, &w), 0);
	ck_assert_int_lt(first, 0);
	made_put("/run/x", "");
	ck_assert_int_eq(state_lock(&made_system, &first, &w), 0);
	ck_assert_int_ge(first, 0);
	/* A generator that outlives this program keeps others away. */
	ck_assert_int_eq(fcntl(first, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_eq(state_lock(&made_system, &second, &w), -EAGAIN);
	check_told(w.text, "another s2disk-swapfile");
	ck_assert_int_lt(second, 0);
	close(first);
	ck_assert_int_eq(state_lock(&made_system, &second, &w), 0);
	close(second);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("swapfile_commands");
	TCase *tcase = tcase_create("swapfile_commands");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, made_disk_create, made_disk_remove);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, all_in_one);
	tcase_add_test(tcase, foretells_all);
	tcase_add_test(tcase, foretells_the_same);
	tcase_add_test(tcase, gives_way);
	tcase_add_loop_test(tcase, lost_state, 0, 2);
	tcase_add_test(tcase, not_ours_to_make);
	tcase_add_test(tcase, half_made);
	tcase_add_test(tcase, made_again);
	tcase_add_test(tcase, ends_what_was_cut_off);
	tcase_add_test(tcase, offset_objects);
	tcase_add_test(tcase, stops);
	tcase_add_test(tcase, one_at_a_time);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
