/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "release/release_child.h"

#include "base/cleanup.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TURN_MSEC 100
#define TURNS (1000 / TURN_MSEC) /* a second */
#define END_SECONDS 2		 /* for a child that was killed */

/* What comes through the pipe. */
struct result {
	int r;
	struct why w;
};

static void close_from(unsigned int first, unsigned int last)
{
	if (first <= last)
		syscall(SYS_close_range, first, last, 0);
}

/* Of the parent's descriptors, one may be the snapshot device or the lock, which the child would
 * hold as long as it hangs, and one a pipe whose reader waits for its end. keep stays. */
static void let_go(int keep)
{
	unsigned int kept = (unsigned int)keep;
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fd != keep && (null < 0 || dup2(null, fd) < 0))
			close(fd);
	if (kept > 0)
		close_from(STDERR_FILENO + 1, kept - 1);
	close_from(kept > STDERR_FILENO ? kept + 1 : STDERR_FILENO + 1, ~0U);
}

/* The signals are the parent's: one would end a step half-way. */
__attribute__((noreturn)) static void be_child(int (*work)(void *context, struct why *w),
					       void *context, int out, bool dies, pid_t parent)
{
	struct result result = { .r = -EINTR };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	if (dies)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	let_go(out);
	if (!dies || getppid() == parent)
		result.r = work(context, &result.w);
	_exit(io_write_full(out, &result, sizeof(result)) < 0);
}

/* Has the child ended, or written its result, within a turn? */
static bool has_ended(int in)
{
	struct pollfd end = { .fd = in, .events = POLLIN };

	return poll(&end, 1, TURN_MSEC) > 0;
}

/* 0: it has ended. */
static int wait_for(int in, const struct child_limits *limits)
{
	for (unsigned int i = 0; i < limits->seconds * TURNS; i++) {
		if (has_ended(in))
			return 0;
		if (limits->stop && limits->stop(limits->context))
			return -ECANCELED;
	}
	return -ETIMEDOUT;
}

static int end(pid_t child, int in, int reason)
{
	kill(child, SIGKILL);
	for (int i = 0; i < END_SECONDS * TURNS; i++)
		if (has_ended(in))
			return reason;
	return -EINPROGRESS;
}

static int read_result(int in, struct why *w)
{
	struct result result;
	ssize_t n;

	do
		n = read(in, &result, sizeof(result));
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(result))
		return why(w, -EINTR, "its process was ended");
	if (w)
		*w = result.w;
	return result.r;
}

int release_child_run(int (*work)(void *context, struct why *w), void *context,
		      const struct child_limits *limits, struct why *w)
{
	_cleanup_close_ int in = -1, out = -1;
	pid_t parent = getpid(), child;
	int ends[2], r;

	if (limits->left)
		*limits->left = 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	in = ends[0];
	out = ends[1];
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0)
		be_child(work, context, out, limits->kill, parent);
	close(steal_fd(&out));
	r = wait_for(in, limits);
	if (r < 0)
		r = limits->kill ? end(child, in, r) : -EINPROGRESS;
	/* Whose child is left becomes init's, with all that it waits for. */
	if (r == -EINPROGRESS && limits->left)
		*limits->left = child;
	if (r == -EINPROGRESS)
		return r;
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return r < 0 ? r : read_result(in, w);
}

bool release_child_runs(pid_t child)
{
	return child > 0 && waitpid(child, NULL, WNOHANG) == 0;
}
