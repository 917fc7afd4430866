/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "swap on demand": whatever happens, an area that s2disk activated is deactivated. swapon() and
 * swapoff() are made up here, and a child does what s2disk does, until signals end it. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "fixtures/said.h"
#include "base/program.h"
#include "s2disk/prepare/swap_on_demand.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#define AREA "/swapfile"

/* Seen by all processes. */
static struct machine {
	int on_error, off_error; /* of the calls, 0: they work */
	int off_interrupted;	 /* this many swapoff() are, before */
	int signal_while_on;	 /* arrives in the midst of swapon, 0: none */
	bool off_hangs;
	bool without_bus; /* of systemd */
	int on_calls, off_calls;
	bool off_alone; /* in a session of its own */
	bool is_on;
} * machine;

static int turns;	  /* waited */
static char called[1024]; /* the other program */

int __wrap_swapon(const char *path, int flags);
int __wrap_swapoff(const char *path);
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);

int __wrap_swapon(const char *path, int flags)
{
	ck_assert_str_eq(path, AREA);
	ck_assert_int_eq(flags, SWAP_FLAG_PREFER | 32767);
	machine->on_calls++;
	if (machine->on_error) {
		errno = machine->on_error;
		return -1;
	}
	machine->is_on = true;
	if (machine->signal_while_on)
		raise(machine->signal_while_on);
	return 0;
}

int __wrap_swapoff(const char *path)
{
	machine->off_alone = getsid(0) == getpid();
	machine->off_calls++;
	if (strcmp(path, AREA) != 0)
		abort();
	while (machine->off_hangs)
		usleep(1000);
	errno = machine->off_interrupted-- > 0 ? EINTR : machine->off_error;
	if (errno)
		return -1;
	machine->is_on = false;
	return 0;
}

/* Time does not pass here, but the other process comes to its end. */
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
	siginfo_t ended;

	(void)wanted;
	(void)left;
	turns++;
	if (!machine->off_hangs)
		waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT);
	return 0;
}

int __wrap_program_run(const char *program, const char *const *arguments,
		       const char *const *environment, int out);

int __wrap_program_run(const char *program, const char *const *arguments,
		       const char *const *environment, int out)
{
	ck_assert_str_eq(program, arguments[0]);
	ck_assert_ptr_null(environment);
	ck_assert_int_eq(out, -1);
	called[0] = '\0';
	for (size_t i = 0; arguments[i]; i++) {
		strcat(called, arguments[i]);
		strcat(called, arguments[i + 1] ? " " : "");
	}
	return machine->without_bus ? 127 : 0;
}

static struct settings settings;

static void setup(void)
{
	machine = mmap(NULL, sizeof(*machine), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	ck_assert_ptr_ne(machine, MAP_FAILED);
	said_clear();
	memset(machine, 0, sizeof(*machine));
	settings_defaults(&settings);
	snprintf(settings.swap_on_demand, sizeof(settings.swap_on_demand), AREA);
	turns = 0;
	called[0] = '\0';
	unsetenv("INVOCATION_ID");
}

static void teardown(void)
{
	munmap(machine, sizeof(*machine));
}

/* The status of a child that does this, when its own children have ended, too. */
static int status_of(void (*body)(void))
{
	pid_t child;
	int status;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fflush(NULL);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		/* Check has handlers. */
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		body();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	while (wait(NULL) > 0)
		continue;
	return status;
}

START_TEST(not_wanted)
{
	struct why w = { "" };

	settings.swap_on_demand[0] = '\0';
	ck_assert_int_eq(swap_on_demand_begin(&settings, &w), 0);
	ck_assert_int_eq(machine->on_calls, 0);
}
END_TEST

/* It was active already, so signals have their usual effect. */
START_TEST(on_already)
{
	struct sigaction before, now;
	struct why w = { "" };

	machine->on_error = EBUSY;
	sigaction(SIGTERM, NULL, &before);
	ck_assert_int_eq(swap_on_demand_begin(&settings, &w), 0);
	sigaction(SIGTERM, NULL, &now);
	ck_assert_ptr_eq(now.sa_handler, before.sa_handler);
}
END_TEST

START_TEST(cannot_be_activated)
{
	struct why w = { "" };

	machine->on_error = ENOENT;
	ck_assert_int_eq(swap_on_demand_begin(&settings, &w), -ENOENT);
	ck_assert_str_eq(w.text, AREA " (\"swap on demand\") cannot be activated: "
				      "No such file or directory");
}
END_TEST

static void hibernate(void)
{
	struct why w = { "" };

	if (swap_on_demand_begin(&settings, &w) != 1)
		_exit(1);
	swap_on_demand_end(&settings);
}

START_TEST(on_and_off)
{
	machine->off_interrupted = 2;
	ck_assert_int_eq(status_of(hibernate), 0);
	ck_assert(!machine->is_on);
	ck_assert_int_eq(machine->off_calls, 3);
	ck_assert_str_eq(said, "");
}
END_TEST

static const struct {
	int error;
	const char *said;
} failures[] = {
	{ EINVAL, "" }, /* it was deactivated meanwhile */
	{ EPERM,
	  AREA " stays active as swap; it cannot be deactivated: Operation not permitted\n" },
	{ ENOMEM, AREA " stays active as swap; it cannot be deactivated: Cannot allocate memory; "
		       "its content does not fit into memory\n" },
};

START_TEST(cannot_be_deactivated)
{
	machine->off_error = failures[_i].error;
	ck_assert_int_eq(status_of(hibernate), 0);
	ck_assert_str_eq(said, failures[_i].said);
}
END_TEST

/* Reading it back takes long: s2disk ends, and it continues. */
static void hibernate_hanging(void)
{
	machine->off_hangs = true;
	hibernate();
	if (turns != 400 || called[0])
		_exit(2);
	machine->off_hangs = false;
}

/* As systemd starts it: what remains of it is no part of that unit then. */
static void hibernate_hanging_in_unit(void)
{
	const char *pid;
	int process;

	setenv("INVOCATION_ID", "0123456789abcdef0123456789abcdef", 1);
	machine->off_hangs = true;
	hibernate();
	pid = strstr(called, " PIDs au 1 ");
	if (turns != 40 || !pid ||
	    !strstr(called, " org.freedesktop.systemd1.Manager StartTransientUnit "
			    "ssa(sv)a(sa(sv)) s2disk-swapoff-") ||
	    !strstr(called, " KillSignal i 9 0"))
		_exit(2);
	/* It may not have begun yet: no time has passed. */
	while (machine->off_calls == 0)
		usleep(1000);
	process = atoi(pid + strlen(" PIDs au 1 "));
	if (process <= 1 || getsid(process) != process)
		_exit(3);
	machine->off_hangs = false;
}

START_TEST(goes_on_in_the_background)
{
	ck_assert_int_eq(status_of(hibernate_hanging), 0);
	ck_assert_str_eq(said, AREA " is being deactivated in the background\n");
	ck_assert(!machine->is_on);
}
END_TEST

START_TEST(leaves_the_unit)
{
	machine->without_bus = _i == 1;
	ck_assert_int_eq(status_of(hibernate_hanging_in_unit), 0);
	ck_assert_str_eq(said, AREA " is being deactivated in the background\n");
	ck_assert(!machine->is_on);
}
END_TEST

/* Nothing has to leave it. */
static void hibernate_in_unit(void)
{
	setenv("INVOCATION_ID", "0123456789abcdef0123456789abcdef", 1);
	hibernate();
	if (called[0])
		_exit(2);
}

START_TEST(ends_within_the_unit)
{
	ck_assert_int_eq(status_of(hibernate_in_unit), 0);
	ck_assert_str_eq(said, "");
	ck_assert(!machine->is_on);
}
END_TEST

static const int fatal[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
static int number;

static void ended_while_on(void)
{
	struct why w = { "" };

	if (swap_on_demand_begin(&settings, &w) != 1)
		_exit(1);
	raise(number);
}

static void check_ended(int status)
{
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == number, "status 0x%x, signal %d",
		      status, number);
	ck_assert(!machine->is_on);
	ck_assert_int_eq(machine->off_calls, 1);
	ck_assert(machine->off_alone);
}

START_TEST(signal_ends_it)
{
	number = fatal[_i];
	check_ended(status_of(ended_while_on));
}
END_TEST

/* It is active, but the program does not know it yet. */
START_TEST(signal_while_switching_on)
{
	number = machine->signal_while_on = fatal[_i];
	check_ended(status_of(hibernate));
}
END_TEST

/* nohup: ignored signals stay ignored. */
static void ended_if_not_ignored(void)
{
	signal(number, SIG_IGN);
	ended_while_on();
	if (!machine->is_on)
		_exit(1);
	swap_on_demand_end(&settings);
	raise(number);
}

START_TEST(ignored_stays_ignored)
{
	number = fatal[_i];
	ck_assert_int_eq(status_of(ended_if_not_ignored), 0);
	ck_assert(!machine->is_on);
}
END_TEST

static void ended_afterwards(void)
{
	hibernate();
	raise(number);
}

START_TEST(signal_afterwards)
{
	number = fatal[_i];
	check_ended(status_of(ended_afterwards));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "swap on demand");

	/* A shell ignores two of them for what it starts in the background. */
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++)
		signal(fatal[i], SIG_DFL);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, not_wanted);
	tcase_add_test(tcase, on_already);
	tcase_add_test(tcase, cannot_be_activated);
	tcase_add_test(tcase, on_and_off);
	tcase_add_loop_test(tcase, cannot_be_deactivated, 0, ARRAY_SIZE(failures));
	tcase_add_test(tcase, goes_on_in_the_background);
	tcase_add_loop_test(tcase, leaves_the_unit, 0, 2);
	tcase_add_test(tcase, ends_within_the_unit);
	tcase_add_loop_test(tcase, signal_ends_it, 0, ARRAY_SIZE(fatal));
	tcase_add_loop_test(tcase, signal_while_switching_on, 0, ARRAY_SIZE(fatal));
	tcase_add_loop_test(tcase, ignored_stays_ignored, 0, ARRAY_SIZE(fatal));
	tcase_add_loop_test(tcase, signal_afterwards, 0, ARRAY_SIZE(fatal));
}
