/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/log: where messages go, especially while a snapshot may become an image: then no
 * file changes, and a frozen reader is not waited for. */
#include "base/log.h"
#include "fixtures/check_main.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int file = -1;	/* stands for standard error */
static int kernel = -1; /* stands for /dev/kmsg; -1: it cannot be opened */

int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return strcmp(path, "/dev/kmsg") == 0 ? kernel : __real_open(path, flags, mode);
}

static void setup(void)
{
	unsetenv("JOURNAL_STREAM");
	file = memfd_create("stderr", MFD_CLOEXEC);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(dup2(file, STDERR_FILENO), STDERR_FILENO);
	log_open("program");
}

static const char *content(int fd)
{
	static char text[32768];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	return text;
}

START_TEST(levels)
{
	log_error("%d is wrong", 1);
	log_info("two");
	log_debug("three");
	ck_assert_str_eq(content(file), "program: 1 is wrong\nprogram: two\n");
	log_set_level(LOG_LEVEL_WARNING);
	log_notice("four");
	log_warning("five");
	ck_assert_str_eq(content(file), "program: 1 is wrong\nprogram: two\nprogram: five\n");
}
END_TEST

START_TEST(long_message)
{
	char text[2000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_error("%s", text);
	/* Cut, but one line. */
	ck_assert_uint_lt(strlen(content(file)), sizeof(text));
	ck_assert_ptr_eq(strchr(content(file), '\n'), strrchr(content(file), '\0') - 1);
}
END_TEST

START_TEST(journal)
{
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_open("program");
	log_warning("that");
	ck_assert_str_eq(content(file), "<4>that\n");
}
END_TEST

static unsigned int cleared;

static void clear_line(void)
{
	ck_assert_str_eq(content(file), "");
	cleared++;
}

START_TEST(progress_gives_way)
{
	log_set_before(clear_line);
	log_debug("not shown");
	ck_assert_uint_eq(cleared, 0);
	log_info("that");
	ck_assert_uint_eq(cleared, 1);
}
END_TEST

/* The console already has it. */
START_TEST(kernel_log)
{
	kernel = memfd_create("kmsg", MFD_CLOEXEC);
	log_to_kernel();
	log_error("an error");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("a detail");
	ck_assert_str_eq(content(kernel), "<6>program: an error\n<7>program: a detail\n");
	ck_assert_str_eq(content(file), "program: an error\nprogram: a detail\n");
}
END_TEST

START_TEST(no_kernel_log)
{
	log_to_kernel();
	log_error("an error");
	ck_assert_str_eq(content(file), "program: an error\n");
}
END_TEST

START_TEST(file_is_held)
{
	log_info("before");
	log_hold();
	log_info("one");
	log_error("two");
	ck_assert_str_eq(content(file), "program: before\n");
	log_release();
	ck_assert_str_eq(content(file), "program: before\nprogram: one\nprogram: two\n");
	log_info("after");
	log_release();
	ck_assert_str_eq(content(file),
			 "program: before\nprogram: one\nprogram: two\nprogram: after\n");
}
END_TEST

/* What does not fit is dropped, in whole lines; the first ones matter most. */
START_TEST(much_is_held)
{
	const char *text, *end;
	char last[32];

	log_hold();
	for (int i = 0; i < 5000; i++)
		log_info("line %04d", i);
	ck_assert_str_eq(content(file), "");
	log_release();
	text = content(file);
	end = text + strlen(text);
	ck_assert_ptr_eq(strstr(text, "program: line 0000\nprogram: line 0001\n"), text);
	ck_assert_uint_gt(strlen(text), 4000);
	snprintf(last, sizeof(last), "program: line %04d\n", (int)(strlen(text) / 19) - 1);
	ck_assert_str_eq(end - strlen(last), last);
}
END_TEST

/* A terminal, a pipe: a running reader gets it at once; a frozen one is not waited for. */
START_TEST(pipe_is_not_held)
{
	char text[256];
	int ends[2];
	ssize_t n;

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	log_hold();
	log_info("at once");
	n = read(ends[0], text, sizeof(text) - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_str_eq(text, "program: at once\n");
	for (int i = 0; i < 20000; i++) /* more than a pipe holds */
		log_info("never read");
	log_release();
}
END_TEST

START_TEST(no_standard_error)
{
	close(STDERR_FILENO);
	log_hold();
	log_error("into the void");
	log_release();
	log_error("into the void");
	ck_assert_str_eq(content(file), "");
}
END_TEST

const bool each_in_a_process = true;

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "log");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, levels);
	tcase_add_test(tcase, long_message);
	tcase_add_test(tcase, journal);
	tcase_add_test(tcase, progress_gives_way);
	tcase_add_test(tcase, kernel_log);
	tcase_add_test(tcase, no_kernel_log);
	tcase_add_test(tcase, file_is_held);
	tcase_add_test(tcase, much_is_held);
	tcase_add_test(tcase, pipe_is_not_held);
	tcase_add_test(tcase, no_standard_error);
}
