/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_run.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "swapfile_stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32

/* What a program said last, for the message about its failure. */
#define TAIL_SIZE 300

const char *swapfile_run_text(const char *command, char *buffer, size_t size)
{
	text_copy(buffer, size, command);
	for (char *c = buffer; *c; c++)
		if (*c == '\n')
			*c = ' ';
	return buffer;
}

static int split(char *command, char **arguments)
{
	size_t count = 0;

	for (char *at = command; at; count++) {
		if (count + 1 == ARGUMENTS_MAX)
			return -E2BIG;
		arguments[count] = strsep(&at, "\n");
	}
	arguments[count] = NULL;
	return 0;
}

/* In the child. A plain environment: these programs run as root. */
static void become(const char *root, char **arguments, int out)
{
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char locale[] = "LC_ALL=C.UTF-8", frontend[] = "DEBIAN_FRONTEND=noninteractive";
	char *environment[] = { path, locale, frontend, NULL };
	char *program;
	int null = open("/dev/null", O_RDWR);

	stop_reset();
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(out, STDERR_FILENO) < 0 || asprintf(&program, "%s%s", root, arguments[0]) < 0)
		_exit(126);
	execve(program, arguments, environment);
	fprintf(stderr, "%s: %s\n", program, strerror(errno));
	fflush(stderr);
	_exit(127);
}

/* Reads until it is closed; keeps the end of it, as one printable line. */
static int read_tail(int fd, const char *name, char *tail)
{
	char buffer[4096];
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer) - 1)) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n < 0)
			continue;
		buffer[n] = '\0';
		text_make_printable(buffer);
		log_debug("%s: %s", name, buffer);
		for (ssize_t i = 0; i < n && buffer[i]; i++) {
			if (used == TAIL_SIZE - 1)
				memmove(tail, tail + 1, --used);
			tail[used++] = buffer[i] == '\n' ? ' ' : buffer[i];
		}
	}
	tail[used] = '\0';
	return 0;
}

static int wait_for(pid_t child, const char *name, char *tail, struct why *w)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return why(w, -EIO, "%s was killed by signal %d", name, WTERMSIG(status));
	text_make_printable(tail);
	return why(w, -EIO, "%s failed with status %d: %s", name, WEXITSTATUS(status),
		   text_trim(tail));
}

int swapfile_run(const struct swapfile_system *system, const char *command, struct why *w)
{
	_cleanup_free_ char *copy = strdup(command);
	char *arguments[ARGUMENTS_MAX], tail[TAIL_SIZE] = "";
	int out[2], r, waited;
	pid_t child;

	if (!copy || split(copy, arguments) < 0)
		return -ENOMEM;
	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0)
		become(system->root, arguments, out[1]);
	r = child < 0 ? -errno : 0;
	close(out[1]);
	if (r == 0)
		r = read_tail(out[0], arguments[0], tail);
	close(out[0]);
	waited = child < 0 ? 0 : wait_for(child, arguments[0], tail, w);
	return r < 0 ? r : waited;
}
