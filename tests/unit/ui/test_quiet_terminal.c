/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A terminal that asks for a passphrase, and signals: whatever ends or suspends the
 * asker, echo is restored. Everything is decided by what processes do next, nothing by
 * timing.
 */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "ui/passphrase.h"
#include "ui/quiet_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static const int ends[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2 };
static const int stops[] = { SIGTSTP, SIGTTIN, SIGTTOU };

/* How the asker, whose terminal is standard input, handles signals. */
enum manner { AS_EVER, OWN_HANDLER, NOHUP };

static struct {
	int master;
	struct termios before;
	int seen[2]; /* a pipe: what the asker's own handler saw */
} terminal;

static tcflag_t flags_now(void)
{
	struct termios now;

	return tcgetattr(STDIN_FILENO, &now) == 0 ? now.c_lflag : 0;
}

static bool as_before(const struct termios *before)
{
	struct termios now;

	return tcgetattr(STDIN_FILENO, &now) == 0 && now.c_lflag == before->c_lflag &&
	       now.c_iflag == before->c_iflag && now.c_oflag == before->c_oflag &&
	       memcmp(now.c_cc, before->c_cc, sizeof(now.c_cc)) == 0;
}

static void own_handler(int number)
{
	char saw = flags_now() & ECHO ? 'e' : 'q';

	(void)number;
	if (write(terminal.seen[1], &saw, 1) != 1)
		_exit(9);
}

static void answer_signals(enum manner manner)
{
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		signal(ends[i], manner == OWN_HANDLER ? own_handler : SIG_DFL);
	for (size_t i = 0; i < ARRAY_SIZE(stops); i++)
		signal(stops[i], SIG_DFL);
	if (manner == NOHUP)
		signal(SIGHUP, SIG_IGN);
}

/* In a group of its own, in the foreground. Exit code 0: the answer came, and signals are
 * handled as before. */
static void be_asker(enum manner manner)
{
	const struct passphrase_places places = {
		.input = STDIN_FILENO,
		.output = -1,
		.systemd_directory = "/nonexistent",
		.systemd_program = "/nonexistent",
		.plymouth_program = "/nonexistent",
		.console = "/nonexistent",
	};
	char answer[PASSPHRASE_SIZE];
	struct sigaction left;
	size_t length;
	struct why w;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTTOU, SIG_IGN);
	if (setpgid(0, 0) < 0 || tcsetpgrp(STDIN_FILENO, getpid()) < 0)
		_exit(5);
	answer_signals(manner);
	if (passphrase_ask(&places, "What", 0, answer, &length, &w) != 0)
		_exit(6);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (sigaction(ends[i], NULL, &left) < 0 ||
		    left.sa_handler != (manner == OWN_HANDLER		       ? own_handler
					: manner == NOHUP && ends[i] == SIGHUP ? SIG_IGN
									       : SIG_DFL))
			_exit(7);
	_exit(strcmp(answer, "key") != 0);
}

/* Until it waits for the answer. */
static pid_t start_asker(enum manner manner)
{
	pid_t asker = fork();
	char seen[64] = "";
	size_t used = 0;

	if (asker == 0)
		be_asker(manner);
	while (asker > 0 && !strstr(seen, ": ") && used < sizeof(seen) - 1) {
		ssize_t n = read(terminal.master, seen + used, sizeof(seen) - 1 - used);

		if (n <= 0)
			_exit(90);
		used += (size_t)n;
	}
	if (asker < 0 || flags_now() & (ECHO | ICANON | ISIG))
		_exit(91);
	return asker;
}

/* Answers, which is right only once echo is off. */
static int answer(pid_t asker)
{
	int status;

	while (flags_now() & ECHO)
		usleep(1000);
	if (write(terminal.master, "key\r", 4) != 4 || waitpid(asker, &status, 0) != asker)
		return 80;
	if (!WIFEXITED(status))
		return 81;
	if (WEXITSTATUS(status))
		return 82 + WEXITSTATUS(status);
	return as_before(&terminal.before) ? 0 : 89;
}

static int ended_by(int number)
{
	pid_t asker = start_asker(AS_EVER);
	int status;

	kill(asker, number);
	if (waitpid(asker, &status, 0) != asker)
		return 1;
	if (!WIFSIGNALED(status) || WTERMSIG(status) != number)
		return 2;
	return as_before(&terminal.before) ? 0 : 3;
}

static int stopped_by(int number)
{
	pid_t asker = start_asker(AS_EVER);
	int status;

	kill(asker, number);
	if (waitpid(asker, &status, WUNTRACED) != asker)
		return 1;
	if (!WIFSTOPPED(status) || WSTOPSIG(status) != number)
		return 2;
	if (!as_before(&terminal.before))
		return 3;
	kill(asker, SIGCONT);
	return answer(asker);
}

/* It returns, and the prompt continues. */
static int handled(int number)
{
	pid_t asker = start_asker(OWN_HANDLER);
	char saw;

	/* Twice: the second works like the first. */
	for (int i = 0; i < 2; i++) {
		kill(asker, number);
		if (read(terminal.seen[0], &saw, 1) != 1 || saw != 'e')
			return 1;
		while (flags_now() & ECHO)
			usleep(1000);
	}
	return answer(asker);
}

static int ignored(int number)
{
	pid_t asker = start_asker(NOHUP);

	kill(asker, number);
	return answer(asker);
}

/* Stopped by force, and the shell has the terminal again, with settings of its own. */
static int ended_in_background(int number)
{
	pid_t asker = start_asker(AS_EVER);
	struct termios other = terminal.before;
	int status;

	kill(asker, SIGSTOP);
	if (waitpid(asker, &status, WUNTRACED) != asker || !WIFSTOPPED(status))
		return 1;
	signal(SIGTTOU, SIG_IGN);
	other.c_lflag |= NOFLSH;
	other.c_lflag &= ~(tcflag_t)ICANON;
	if (tcsetpgrp(STDIN_FILENO, getpgrp()) < 0 || tcsetattr(STDIN_FILENO, TCSANOW, &other) < 0)
		return 2;
	kill(asker, number);
	kill(asker, SIGCONT);
	if (waitpid(asker, &status, 0) != asker || !WIFSIGNALED(status) ||
	    WTERMSIG(status) != number)
		return 3;
	return as_before(&other) ? 0 : 4;
}

/* Check's own process leads a group and cannot get a terminal, so a child does,
 * and its exit status says what it saw. */
static int on_terminal(int (*body)(int number), int number)
{
	int slave, status;
	pid_t child;

	ck_assert_int_eq(openpty(&terminal.master, &slave, NULL, NULL, NULL), 0);
	ck_assert_int_eq(tcgetattr(slave, &terminal.before), 0);
	ck_assert_int_eq(pipe(terminal.seen), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0 || dup2(slave, 0) < 0)
			_exit(99);
		_exit(body(number));
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(ends_with_echo)
{
	ck_assert_int_eq(on_terminal(ended_by, ends[_i]), 0);
}
END_TEST

START_TEST(stops_with_echo_and_goes_on)
{
	ck_assert_int_eq(on_terminal(stopped_by, stops[_i]), 0);
}
END_TEST

START_TEST(handlers_run_with_echo)
{
	ck_assert_int_eq(on_terminal(handled, ends[_i]), 0);
}
END_TEST

START_TEST(ignored_stays_ignored)
{
	ck_assert_int_eq(on_terminal(ignored, SIGHUP), 0);
}
END_TEST

START_TEST(background_leaves_the_terminal_alone)
{
	ck_assert_int_eq(on_terminal(ended_in_background, SIGTERM), 0);
}
END_TEST

START_TEST(no_terminal)
{
	struct sigaction before, after;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	sigaction(SIGTERM, NULL, &before);
	ck_assert(!quiet_terminal_begin(fds[0]));
	sigaction(SIGTERM, NULL, &after);
	ck_assert_ptr_eq(before.sa_handler, after.sa_handler);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "quiet_terminal");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, ends_with_echo, 0, ARRAY_SIZE(ends));
	tcase_add_loop_test(tcase, stops_with_echo_and_goes_on, 0, ARRAY_SIZE(stops));
	tcase_add_loop_test(tcase, handlers_run_with_echo, 0, ARRAY_SIZE(ends));
	tcase_add_test(tcase, ignored_stays_ignored);
	tcase_add_test(tcase, background_leaves_the_terminal_alone);
	tcase_add_test(tcase, no_terminal);
}
