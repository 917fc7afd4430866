/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 8
#define SWAPS_MAX 64

/* What a program said last, for the message about its failure. */
#define TAIL_SIZE 300

static volatile sig_atomic_t asked;

bool swapfile_has_program(const char *root, const char *name, char *buffer, size_t size)
{
	static const char *const directories[] = {
		"/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"
	};
	char full[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		snprintf(buffer, size, "%s/%s", directories[i], name);
		snprintf(full, sizeof(full), "%s%s", root, buffer);
		if (access(full, X_OK) == 0)
			return true;
	}
	return false;
}

/* In the child. A plain environment: these programs run as root. */
static void become(const char *program, char **arguments, int out)
{
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char locale[] = "LC_ALL=C.UTF-8", frontend[] = "DEBIAN_FRONTEND=noninteractive";
	char *environment[] = { path, locale, frontend, NULL };
	int null = open("/dev/null", O_RDWR);

	signal(SIGPIPE, SIG_DFL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(out, STDERR_FILENO) < 0)
		_exit(126);
	execve(program, arguments, environment);
	dprintf(STDERR_FILENO, "%s: %s\n", program, strerror(errno));
	_exit(127);
}

/* Reads until it is closed; keeps the end of it, as one line. */
static void read_tail(int fd, const char *name, char *tail)
{
	char buffer[4096];
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer) - 1)) > 0 || (n < 0 && errno == EINTR)) {
		buffer[n < 0 ? 0 : n] = '\0';
		text_make_printable(buffer);
		log_debug("%s: %s", name, buffer);
		for (const char *c = buffer; *c; c++) {
			if (used == TAIL_SIZE - 1)
				memmove(tail, tail + 1, --used);
			tail[used++] = *c == '\n' ? ' ' : *c;
		}
	}
	tail[used] = '\0';
}

static int wait_for(pid_t child, const char *name, char *tail, struct why *w)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFSIGNALED(status))
		return why(w, -EIO, "%s was killed by signal %d", name, WTERMSIG(status));
	return WEXITSTATUS(status) == 0 ? 0
					: why(w, -EIO, "%s failed with status %d: %s", name,
					      WEXITSTATUS(status), text_trim(tail));
}

int swapfile_run(const char *root, const char *command, const char *operand, struct why *w)
{
	_cleanup_free_ char *copy = strdup(command), *program = NULL;
	char *arguments[ARGUMENTS_MAX] = { NULL }, tail[TAIL_SIZE] = "", path[64], *at = copy;
	size_t count = 0;
	int out[2];
	pid_t child;

	for (; at && count < ARGUMENTS_MAX - 2; count++)
		arguments[count] = strsep(&at, " ");
	arguments[count] = (char *)operand;
	if (!copy || at || !swapfile_has_program(root, arguments[0], path, sizeof(path)) ||
	    asprintf(&program, "%s%s", root, path) < 0)
		return why(w, -ENOENT, "%s cannot be run", command);
	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0)
		become(program, arguments, out[1]);
	close(out[1]);
	if (child > 0)
		read_tail(out[0], arguments[0], tail);
	close(out[0]);
	return child < 0 ? -EAGAIN : wait_for(child, arguments[0], tail, w);
}

/* A path as it is, a tag as what it leads to. */
static const char *find_path(const char *path, struct swap_area *area)
{
	return path[0] != '/' && swap_area_resolve(path, 0, false, area, NULL) == 0 ? area->device
										    : path;
}

int swapfile_activate(const char *path, struct why *w)
{
	struct swap_area area;

	if (swapon(find_path(path, &area), 0) == 0)
		return 0;
	return why(w, -EIO, "%s cannot be activated (swapon): %s; dmesg may say more", path,
		   strerror(errno));
}

int swapfile_deactivate(const char *path, struct why *w)
{
	struct swap_area area;

	/* EINVAL: it is not active (swapoff(2)). */
	if (swapoff(find_path(path, &area)) == 0 || errno == EINVAL || errno == ENOENT)
		return 0;
	return why(w, -EIO, "%s cannot be deactivated (swapoff): %s%s", path, strerror(errno),
		   errno == ENOMEM ? "; what is in it does not fit into memory, end some programs"
				   : "");
}

bool swapfile_is_active(const struct swap_area *area)
{
	struct swap_entry entries[SWAPS_MAX], entry;
	int count = swaps_read("", entries, SWAPS_MAX);

	return count > 0 &&
	       swap_area_find_entry(area, entries, (size_t)(count < SWAPS_MAX ? count : SWAPS_MAX),
				    &entry);
}

static void take_signal(int number)
{
	(void)number;
	asked = 1;
}

void swapfile_stop_begin(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	/* No SA_RESTART: a long system call is left. */
	const struct sigaction action = { .sa_handler = take_signal };

	asked = 0;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaction(numbers[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int swapfile_stopped(struct why *w)
{
	return asked ? why(w, -EINTR, "interrupted; what was done is undone") : 0;
}
