/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/program.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void become(const char *program, const char *const *arguments,
		   const char *const *environment, int out)
{
	/* exec() does not modify the strings. */
	char *const *words = (char *const *)(uintptr_t)arguments;
	int null = out < 0 ? -1 : open("/dev/null", O_RDONLY);
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (out < 0 || (null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
			dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0)) {
		if (environment)
			execve(program, words, (char *const *)(uintptr_t)environment);
		else
			execvp(program, words);
	}
	log_error("%s cannot be run: %s", program, strerror(errno));
	_exit(127);
}

int program_run(const char *program, const char *const *arguments, const char *const *environment,
		int out)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		become(program, arguments, environment, out);
	if (pid < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}
