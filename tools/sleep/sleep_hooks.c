/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sleep_hooks.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* systemd is built for one of them; with a merged /usr they are the same. */
static const char *const directories[] = { "/usr/lib/systemd/system-sleep",
					   "/lib/systemd/system-sleep" };

#define HOOKS_MAX 256

/* Between SIGTERM and SIGKILL. */
#define LAST_SECONDS 5

struct hook {
	char path[PATH_MAX];
	pid_t pid; /* 0: it is not running */
};

struct run {
	struct hook *hooks;
	size_t count, running;
};

/* Leftovers of package managers and editors. */
static bool is_leftover(const char *name)
{
	static const char *const endings[] = { "~",	    ".bak",	 ".swp",      ".rpmnew",
					       ".rpmsave",  ".rpmorig",	 ".dpkg-old", ".dpkg-new",
					       ".dpkg-tmp", ".dpkg-dist" };

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (text_ends(name, endings[i]))
			return true;
	return false;
}

static void add_directory(struct run *run, const char *path)
{
	_cleanup_names_ struct tree_names names = { 0 };
	struct stat st;

	if (tree_list_ending("", path, "", &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		struct hook *hook = &run->hooks[run->count];

		if (run->count < HOOKS_MAX && !is_leftover(names.items[i]) &&
		    snprintf(hook->path, sizeof(hook->path), "%s/%s", path, names.items[i]) <
			    (int)sizeof(hook->path) &&
		    stat(hook->path, &st) == 0 && S_ISREG(st.st_mode) &&
		    access(hook->path, X_OK) == 0)
			run->count++;
	}
}

static void find_hooks(struct run *run, const char *root)
{
	struct stat st, before = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		char path[PATH_MAX / 2];

		if (snprintf(path, sizeof(path), "%s%s", root, directories[i]) >=
			    (int)sizeof(path) ||
		    stat(path, &st) < 0 || !S_ISDIR(st.st_mode) ||
		    (st.st_dev == before.st_dev && st.st_ino == before.st_ino))
			continue;
		add_directory(run, path);
		before = st;
	}
}

static void become_hook(const char *path, const char *when, const char *operation,
			const char *action)
{
	char *arguments[] = { strdup(path), strdup(when), strdup(operation), NULL };
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	/* A process group of its own, so all of its children can be ended, too. */
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	if (arguments[0] && arguments[1] && arguments[2] &&
	    setenv("SYSTEMD_SLEEP_ACTION", action, 1) == 0)
		execv(path, arguments);
	log_warning("%s cannot be run: %s", path, strerror(errno));
	_exit(127);
}

static void start_all(struct run *run, const char *when, const char *operation, const char *action)
{
	for (size_t i = 0; i < run->count; i++) {
		pid_t pid = fork();

		if (pid == 0)
			become_hook(run->hooks[i].path, when, operation, action);
		if (pid < 0) {
			log_warning("%s cannot be run: %s", run->hooks[i].path, strerror(errno));
			continue;
		}
		setpgid(pid, pid);
		run->hooks[i].pid = pid;
		run->running++;
	}
}

static void report_end(const struct hook *hook, int status)
{
	if (WIFSIGNALED(status))
		log_warning("%s was ended by signal %d", hook->path, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		log_warning("%s failed with exit status %d", hook->path, WEXITSTATUS(status));
}

static void collect(struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		struct hook *hook = &run->hooks[i];
		int status = 0;
		pid_t ended = hook->pid ? waitpid(hook->pid, &status, WNOHANG) : 0;

		if (ended == 0 || (ended < 0 && errno == EINTR))
			continue;
		if (ended > 0)
			report_end(hook, status);
		hook->pid = 0;
		run->running--;
	}
}

/* Waits until all have ended, or the time is up. */
static void wait_for_all(struct run *run, unsigned int seconds)
{
	uint64_t end = now_usec() + seconds * 1000000ull;
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	for (collect(run); run->running > 0; collect(run)) {
		uint64_t now = now_usec();
		struct timespec left;

		if (now >= end)
			return;
		left.tv_sec = (time_t)((end - now) / 1000000);
		left.tv_nsec = (long)((end - now) % 1000000 * 1000);
		sigtimedwait(&child, NULL, &left);
	}
}

static void send_all(const struct run *run, int number)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->hooks[i].pid)
			kill(-run->hooks[i].pid, number);
}

void sleep_hooks_run(const struct sleep_hooks *hooks, const char *when, const char *operation,
		     const char *action)
{
	_cleanup_free_ struct hook *list = calloc(HOOKS_MAX + 1, sizeof(*list));
	struct run run = { .hooks = list };

	if (!list) {
		log_warning("no memory to run what is in %s", directories[0]);
		return;
	}
	find_hooks(&run, hooks->root);
	start_all(&run, when, operation, action);
	wait_for_all(&run, hooks->seconds);
	if (run.running == 0)
		return;
	for (size_t i = 0; i < run.count; i++)
		if (run.hooks[i].pid)
			log_warning("%s has not ended within %u seconds and is terminated",
				    run.hooks[i].path, hooks->seconds);
	send_all(&run, SIGTERM);
	wait_for_all(&run, LAST_SECONDS);
	send_all(&run, SIGKILL);
	wait_for_all(&run, LAST_SECONDS);
}
