/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fixtures/check_main.h"
#include "ui/abort_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static const struct {
	int number;
	const char *reason;
} stops[] = {
	{ SIGINT, "interrupted by SIGINT" },
	{ SIGQUIT, "interrupted by SIGQUIT" },
	{ SIGTERM, "interrupted by SIGTERM" },
	{ SIGHUP, "interrupted by SIGHUP" },
};

START_TEST(signal_asks)
{
	signal(stops[_i].number, SIG_DFL);
	abort_watch_begin();
	ck_assert_ptr_null(abort_requested());
	raise(stops[_i].number);
	ck_assert_pstr_eq(abort_requested(), stops[_i].reason);
	/* It stays until the next watch begins. */
	ck_assert_pstr_eq(abort_requested(), stops[_i].reason);
	abort_watch_end();
	abort_watch_begin();
	ck_assert_ptr_null(abort_requested());
	abort_watch_end();
}
END_TEST

START_TEST(first_signal_counts)
{
	abort_watch_begin();
	raise(SIGTERM);
	raise(SIGINT);
	ck_assert_pstr_eq(abort_requested(), "interrupted by SIGTERM");
	abort_watch_end();
}
END_TEST

START_TEST(begin_forgets_older_requests)
{
	abort_watch_begin();
	raise(SIGTERM);
	abort_watch_end();
	ck_assert_ptr_nonnull(abort_requested());
	abort_watch_begin();
	ck_assert_ptr_null(abort_requested());
	abort_watch_end();
}
END_TEST

static volatile sig_atomic_t own_handler_ran;

static void own_handler(int number)
{
	own_handler_ran = number;
}

START_TEST(end_restores_handlers)
{
	signal(SIGINT, own_handler);
	signal(SIGTSTP, own_handler);
	abort_watch_begin();
	raise(SIGINT);
	raise(SIGTSTP);
	ck_assert_int_eq(own_handler_ran, 0);
	abort_watch_end();
	raise(SIGINT);
	ck_assert_int_eq(own_handler_ran, SIGINT);
	raise(SIGTSTP);
	ck_assert_int_eq(own_handler_ran, SIGTSTP);
}
END_TEST

START_TEST(ignored_stays_ignored)
{
	signal(SIGHUP, SIG_IGN);
	abort_watch_begin();
	raise(SIGHUP);
	ck_assert_ptr_null(abort_requested());
	abort_watch_end();
}
END_TEST

/* SIGTERM is always for this process, whatever was inherited. */
START_TEST(ignored_sigterm_is_taken)
{
	signal(SIGTERM, SIG_IGN);
	abort_watch_begin();
	raise(SIGTERM);
	ck_assert_pstr_eq(abort_requested(), "interrupted by SIGTERM");
	abort_watch_end();
}
END_TEST

START_TEST(reader_that_is_gone_stops_nothing)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	close(fds[0]);
	abort_watch_begin();
	ck_assert_int_eq(write(fds[1], "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_ptr_null(abort_requested());
	abort_watch_end();
}
END_TEST

/* Each of these would stop the process if it were not ignored, and the test would time out. */
START_TEST(job_control_stops_nothing)
{
	abort_watch_begin();
	raise(SIGTSTP);
	raise(SIGTTIN);
	raise(SIGTTOU);
	ck_assert_ptr_null(abort_requested());
	abort_watch_end();
}
END_TEST

/*
 * On a terminal. Check's own process leads a group and cannot get a terminal,
 * so a child does, and its exit status says what it saw.
 */
struct terminal {
	int master;
	int slave;
};

static void terminal_open(struct terminal *terminal)
{
	terminal->master = posix_openpt(O_RDWR | O_NOCTTY);
	ck_assert_int_ge(terminal->master, 0);
	ck_assert_int_eq(grantpt(terminal->master), 0);
	ck_assert_int_eq(unlockpt(terminal->master), 0);
	terminal->slave = open(ptsname(terminal->master), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(terminal->slave, 0);
}

static tcflag_t local_flags(int fd)
{
	struct termios settings;

	return tcgetattr(fd, &settings) == 0 ? settings.c_lflag : 0;
}

/* Waits for a key and checks the effect. */
static const char *after_next_key(void)
{
	struct pollfd key = { .fd = STDIN_FILENO, .events = POLLIN };

	poll(&key, 1, -1);
	return abort_requested();
}

static int watch_keys(const struct terminal *terminal)
{
	tcflag_t before = local_flags(STDIN_FILENO);
	const char *reason;

	abort_watch_begin();
	if (local_flags(STDIN_FILENO) & (ICANON | ECHO))
		return 1;
	if (!(local_flags(STDIN_FILENO) & ISIG))
		return 2;
	/* Nothing was typed: this must not block. */
	if (abort_requested())
		return 3;
	if (write(terminal->master, "x", 1) != 1 || after_next_key())
		return 4;
	if (write(terminal->master, "\x7f", 1) != 1)
		return 5;
	reason = after_next_key();
	if (!reason || strcmp(reason, "interrupted by Backspace") != 0)
		return 6;
	abort_watch_end();
	abort_watch_begin();
	if (write(terminal->master, "\b", 1) != 1 || !after_next_key())
		return 7;
	abort_watch_end();
	return local_flags(STDIN_FILENO) == before ? 0 : 8;
}

/* A group that is not in the foreground must leave the terminal alone. */
static int watch_in_background(const struct terminal *terminal)
{
	tcflag_t before = local_flags(STDIN_FILENO);
	pid_t child = fork();
	int status;

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setpgid(0, 0) < 0)
			_exit(1);
		abort_watch_begin();
		if (local_flags(STDIN_FILENO) != before)
			_exit(2);
		if (write(terminal->master, "\x7f\n", 2) != 2 || abort_requested())
			_exit(3);
		abort_watch_end();
		_exit(0);
	}
	if (waitpid(child, &status, WUNTRACED) != child || !WIFEXITED(status))
		return 4;
	return WEXITSTATUS(status);
}

static int on_terminal(int (*body)(const struct terminal *terminal))
{
	struct terminal terminal;
	int status;
	pid_t child;

	terminal_open(&terminal);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		/* Check's time limit ends its own process only. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setsid() < 0 || ioctl(terminal.slave, TIOCSCTTY, 0) < 0 ||
		    dup2(terminal.slave, STDIN_FILENO) < 0)
			_exit(99);
		_exit(body(&terminal));
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(backspace_asks)
{
	ck_assert_int_eq(on_terminal(watch_keys), 0);
}
END_TEST

START_TEST(background_leaves_the_terminal_alone)
{
	ck_assert_int_eq(on_terminal(watch_in_background), 0);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "abort_watch");

	tcase_add_loop_test(tcase, signal_asks, 0, sizeof(stops) / sizeof(stops[0]));
	tcase_add_test(tcase, first_signal_counts);
	tcase_add_test(tcase, begin_forgets_older_requests);
	tcase_add_test(tcase, end_restores_handlers);
	tcase_add_test(tcase, ignored_stays_ignored);
	tcase_add_test(tcase, ignored_sigterm_is_taken);
	tcase_add_test(tcase, reader_that_is_gone_stops_nothing);
	tcase_add_test(tcase, job_control_stops_nothing);
	tcase_add_test(tcase, backspace_asks);
	tcase_add_test(tcase, background_leaves_the_terminal_alone);
}
