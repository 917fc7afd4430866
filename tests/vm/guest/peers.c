/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peers: what the kernel's selftests try around a suspend.
 *
 *   peers step                    single-steps a child on each processor
 *   peers alarms SECONDS FILE     starts a process that sets a timer of each clock, and
 *                                 appends a line to FILE whenever one expires: the
 *                                 clock and for how many seconds the machine was off
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct {
	clockid_t id;
	const char *name;
} clocks[] = {
	{ CLOCK_BOOTTIME_ALARM, "boottime-alarm" },
	{ CLOCK_REALTIME_ALARM, "realtime-alarm" },
	{ CLOCK_MONOTONIC, "monotonic" },
};

enum { CLOCKS = sizeof(clocks) / sizeof(clocks[0]) };

static void die(const char *what)
{
	fprintf(stderr, "peers: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void traced(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0 ||
	    ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(2);
	raise(SIGSTOP);
	for (;;)
		sched_yield();
}

static int stopped_by(pid_t child, int signal)
{
	int status;

	return waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
	       WSTOPSIG(status) == signal;
}

/* One instruction, then a trap: without the trap, waitpid() would not return. */
static int step_on(int cpu)
{
	pid_t child = fork();
	int good;

	if (child < 0)
		die("fork");
	if (child == 0)
		traced(cpu);
	alarm(20);
	good = stopped_by(child, SIGSTOP) && ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 &&
	       stopped_by(child, SIGTRAP);
	alarm(0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return good;
}

static int step(void)
{
	int last = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;

	for (int cpu = 0; cpu <= last; cpu++) {
		if (!step_on(cpu)) {
			printf("no trap on processor %d\n", cpu);
			return 1;
		}
	}
	printf("trapped on processors 0 to %d\n", last);
	return 0;
}

/* Grows only while the machine is off: the one clock stands still then. */
static double off(void)
{
	struct timespec real, running;

	clock_gettime(CLOCK_BOOTTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &running);
	return (double)(real.tv_sec - running.tv_sec) +
	       (double)(real.tv_nsec - running.tv_nsec) / 1e9;
}

static int alarms(int seconds, const char *file)
{
	const struct itimerspec when = { .it_value.tv_sec = seconds };
	sigset_t set;
	double before = off();

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* Timers are not inherited. */
	if (fork())
		return 0;
	setsid();
	for (int i = 0; i < CLOCKS; i++) {
		struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
					  .sigev_signo = SIGRTMIN,
					  .sigev_value.sival_int = i };
		timer_t timer;

		if (timer_create(clocks[i].id, &event, &timer) < 0 ||
		    timer_settime(timer, 0, &when, NULL) < 0)
			die(clocks[i].name);
	}
	for (;;) {
		siginfo_t info;
		FILE *out;

		if (sigwaitinfo(&set, &info) < 0)
			continue;
		out = fopen(file, "a");
		if (!out)
			die(file);
		fprintf(out, "%s %.0f\n", clocks[info.si_value.sival_int].name, off() - before);
		fclose(out);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "step"))
		return step();
	if (argc == 4 && !strcmp(argv[1], "alarms"))
		return alarms(atoi(argv[2]), argv[3]);
	fprintf(stderr, "usage: peers step|alarms SECONDS FILE\n");
	return 2;
}
