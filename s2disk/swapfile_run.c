/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_run.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "swapfile_stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32
#define OUTPUT_LIMIT (4u << 20)

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
static void become(const char *root, char **arguments, int out, int err)
{
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char locale[] = "LC_ALL=C.UTF-8", frontend[] = "DEBIAN_FRONTEND=noninteractive";
	char *environment[] = { path, locale, frontend, NULL };
	char *program;
	int null = open("/dev/null", O_RDWR);

	stop_reset();
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(err, STDERR_FILENO) < 0 || asprintf(&program, "%s%s", root, arguments[0]) < 0)
		_exit(126);
	execve(program, arguments, environment);
	fprintf(stderr, "%s: %s\n", program, strerror(errno));
	fflush(stderr);
	_exit(127);
}

struct output {
	char *text;
	size_t used;
};

static int take_output(struct output *output, int fd)
{
	char buffer[4096], *more;
	ssize_t n = read(fd, buffer, sizeof(buffer));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -errno;
	if (n == 0)
		return 0;
	if (output->used + (size_t)n > OUTPUT_LIMIT)
		return 1; /* read on, so that it does not wait for us */
	more = realloc(output->text, output->used + (size_t)n + 1);
	if (!more)
		return -ENOMEM;
	output->text = more;
	memcpy(more + output->used, buffer, (size_t)n);
	output->used += (size_t)n;
	more[output->used] = '\0';
	return 1;
}

/* Reads both until both are closed. */
static int take_all(struct output *outputs, int *fds)
{
	int r = 0;

	while (fds[0] >= 0 || fds[1] >= 0) {
		struct pollfd polls[2] = { { .fd = fds[0], .events = POLLIN },
					   { .fd = fds[1], .events = POLLIN } };

		if (poll(polls, 2, -1) < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < 2; i++) {
			if (fds[i] < 0 || !polls[i].revents)
				continue;
			r = take_output(&outputs[i], fds[i]);
			if (r <= 0) {
				close(fds[i]);
				fds[i] = -1;
			}
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* The last lines, as one sentence. */
static const char *tail_of(const struct output *output, char *buffer)
{
	const char *from = output->text ? output->text : "";
	size_t length = strlen(from);

	if (length >= TAIL_SIZE)
		from += length - TAIL_SIZE + 1;
	text_copy(buffer, TAIL_SIZE, from);
	text_make_printable(buffer);
	for (char *c = buffer; *c; c++)
		if (*c == '\n')
			*c = ' ';
	return text_trim(buffer);
}

static int wait_for(pid_t child, const char *name, const struct output *said, struct why *w)
{
	char tail[TAIL_SIZE];
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return why(w, -EIO, "%s was killed by signal %d", name, WTERMSIG(status));
	return why(w, -EIO, "%s failed with status %d: %s", name, WEXITSTATUS(status),
		   tail_of(said, tail));
}

int swapfile_run(const struct swapfile_system *system, const char *command, char **ret_output,
		 struct why *w)
{
	_cleanup_free_ char *copy = strdup(command);
	char *arguments[ARGUMENTS_MAX];
	struct output outputs[2] = { { 0 } };
	int out[2], err[2], fds[2], r, waited;
	pid_t child;

	if (!copy || split(copy, arguments) < 0)
		return -ENOMEM;
	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(err, O_CLOEXEC) < 0) {
		r = -errno;
		close(out[0]);
		close(out[1]);
		return r;
	}
	child = fork();
	if (child == 0)
		become(system->root, arguments, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	fds[0] = out[0];
	fds[1] = err[0];
	r = child < 0 ? -errno : take_all(outputs, fds);
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	waited = child < 0 ? 0 : wait_for(child, arguments[0], &outputs[1], w);
	if (r == 0)
		r = waited;
	if (r == 0 && outputs[1].used)
		log_debug("%s: %s", arguments[0], outputs[1].text);
	free(outputs[1].text);
	if (r == 0 && ret_output) {
		*ret_output = outputs[0].text ? outputs[0].text : strdup("");
		return *ret_output ? 0 : -ENOMEM;
	}
	free(outputs[0].text);
	return r;
}
