/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk asks nvidia's driver to suspend, by its own program or its file. */
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "fixtures/said.h"

#include "base/bytes.h"
#include "base/io.h"
#include "base/log.h"
#include "base/program.h"
#include "s2disk/prepare/nvidia_asleep.h"
#include "ui/abort_watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROGRAM "/usr/bin/nvidia-sleep.sh"

int __wrap_io_write_text(const char *root, const char *path, const char *value);
int __wrap_program_run(const char *program, const char *const *arguments,
		       const char *const *environment, int out);
long __wrap_syscall(long number, ...);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);

#define DONE_SIZE 300

static char *done;  /* by this process and its children */
static bool *hangs; /* a child does */
static pid_t test;
static const char *failing; /* that word */
static int result;	    /* … with this one */

#define HANGS 1000 /* no exit status */

static int note(const char *how, const char *word)
{
	size_t used = strlen(done);

	snprintf(done + used, DONE_SIZE - used, "%s %s;", how, word);
	while (result == HANGS && failing && strcmp(word, failing) == 0 && getppid() == test) {
		*hangs = true;
		usleep(1000);
	}
	return failing && strcmp(word, failing) == 0 ? result : 0;
}

int __wrap_io_write_text(const char *root, const char *path, const char *value)
{
	ck_assert_str_eq(root, made_root);
	ck_assert_str_eq(path, "/proc/driver/nvidia/suspend");
	return note("file", value);
}

int __wrap_program_run(const char *program, const char *const *arguments,
		       const char *const *environment, int out)
{
	ck_assert_str_eq(program, PROGRAM);
	ck_assert_str_eq(arguments[0], PROGRAM);
	ck_assert_ptr_null(arguments[2]);
	ck_assert_ptr_null(environment);
	ck_assert_int_eq(out, -1);
	return note("program", arguments[1]);
}

/* The child's assertions need a descriptor of Check's. */
long __wrap_syscall(long number, ...)
{
	ck_assert_int_eq(number, SYS_close_range);
	return 0;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	return __real_poll(fds, count, *hangs ? 1 : timeout);
}

static void (*answered_before)(int);

static bool signals_are_held_back(void)
{
	struct sigaction now;

	sigaction(SIGTERM, NULL, &now);
	return now.sa_handler != answered_before;
}

static void setup(void)
{
	struct sigaction now;

	sigaction(SIGTERM, NULL, &now);
	answered_before = now.sa_handler;
	made_root_create();
	made_put("/proc/driver/nvidia/params", "Other: 0\nPreserveVideoMemoryAllocations: 1\n");
	done = mmap(NULL, DONE_SIZE + sizeof(*hangs), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(done, MAP_FAILED);
	hangs = (bool *)done + DONE_SIZE;
	test = getpid();
	said_begin(LOG_LEVEL_DEBUG, true);
	failing = NULL;
}

static void teardown(void)
{
	abort_watch_end();
	made_root_remove();
}

START_TEST(by_the_file)
{
	ck_assert(!signals_are_held_back());
	ck_assert_int_eq(nvidia_sleep(made_root, NULL), 1);
	ck_assert(signals_are_held_back());
	ck_assert_str_eq(done, "file hibernate;");
	ck_assert_str_eq(said, "<6>the driver nvidia is suspended\n");
	nvidia_wake(made_root);
	ck_assert_str_eq(done, "file hibernate;file resume;");
}
END_TEST

START_TEST(by_its_program)
{
	made_put(PROGRAM, "#!/bin/sh\n");
	ck_assert_int_eq(nvidia_sleep(made_root, NULL), 1);
	nvidia_wake(made_root);
	ck_assert_str_eq(done, "program hibernate;program resume;");
}
END_TEST

START_TEST(not_needed)
{
	/* nvidia-hibernate.service was first: it has to wake it, too. */
	made_put("/run/nvidia-sleep/Xorg.vt_number", "2\n");
	ck_assert_int_eq(nvidia_sleep(made_root, NULL), 0);
	made_put("/run/nvidia-sleep/Xorg.vt_number", NULL);
	made_put("/proc/driver/nvidia/params", "PreserveVideoMemoryAllocations: 0\n");
	ck_assert_int_eq(nvidia_sleep(made_root, NULL), 0);
	made_put("/proc/driver/nvidia/params", NULL);
	ck_assert_int_eq(nvidia_sleep(made_root, NULL), 0);
	ck_assert_str_eq(done, "");
	ck_assert_str_eq(said, "");
	ck_assert(!signals_are_held_back());
}
END_TEST

static const struct {
	bool program;
	int result;
	const char *done, *reason;
} failures[] = {
	{ false, -EIO, "file hibernate;file resume;", "Input/output error" },
	{ false, -ENOENT, "file hibernate;file resume;", "No such file or directory" },
	{ true, 1, "program hibernate;program resume;", "Input/output error" },
	{ true, -EINTR, "program hibernate;program resume;", "Interrupted system call" },
};

START_TEST(failing_to_sleep)
{
	char text[100];

	if (failures[_i].program)
		made_put(PROGRAM, "#!/bin/sh\n");
	failing = "hibernate";
	result = failures[_i].result;
	ck_assert_int_eq(nvidia_sleep(made_root, NULL), 0);
	ck_assert_str_eq(done, failures[_i].done);
	snprintf(text, sizeof(text), "<4>the driver nvidia does not suspend: %s\n",
		 failures[_i].reason);
	ck_assert_ptr_nonnull(strstr(said, text));
}
END_TEST

START_TEST(failing_to_wake)
{
	ck_assert_int_eq(nvidia_sleep(made_root, NULL), 1);
	failing = "resume";
	result = -EIO;
	nvidia_wake(made_root);
	ck_assert_ptr_nonnull(
		strstr(said, "<4>the driver nvidia does not resume: Input/output error; to try it "
			     "by hand: echo resume >/proc/driver/nvidia/suspend\n"));
}
END_TEST

/* The process that asked it does not freeze: nothing is tried. It is to resume when it is done. */
START_TEST(hangs_while_suspending)
{
	struct why w = { "" };

	failing = "hibernate";
	result = HANGS;
	ck_assert_int_eq(nvidia_sleep(made_root, &w), -EINPROGRESS);
	ck_assert_str_eq(w.text, "the driver nvidia has not suspended within 60 s; what asked it "
				 "does not freeze");
	ck_assert_str_eq(done, "file hibernate;file resume;");
}
END_TEST

/* The rest of what was released is still to be given back. */
START_TEST(hangs_in_the_kernel)
{
	failing = "resume";
	result = HANGS;
	nvidia_wake(made_root);
	ck_assert_str_eq(done, "file resume;");
	ck_assert_str_eq(said,
			 "<4>the driver nvidia does not resume: Operation now in progress; to "
			 "try it by hand: echo resume >/proc/driver/nvidia/suspend\n");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "nvidia_asleep");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, by_the_file);
	tcase_add_test(tcase, by_its_program);
	tcase_add_test(tcase, not_needed);
	tcase_add_loop_test(tcase, failing_to_sleep, 0, (int)ARRAY_SIZE(failures));
	tcase_add_test(tcase, failing_to_wake);
	tcase_add_test(tcase, hangs_while_suspending);
	tcase_add_test(tcase, hangs_in_the_kernel);
}
