/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/program.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#define ARGUMENTS_MAX 8
#define SWAPS_MAX 64

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

/* A plain environment: these programs run as root. Their output is shown, except with --quiet. */
int swapfile_run(const char *root, const char *command, const char *operand, struct why *w)
{
	static const char *const environment[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", NULL
	};
	_cleanup_free_ char *copy = strdup(command), *program = NULL;
	const char *arguments[ARGUMENTS_MAX] = { NULL };
	_cleanup_close_ int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	char path[64], *at = copy;
	size_t count = 0;
	int r;

	for (; at && count < ARGUMENTS_MAX - 2; count++)
		arguments[count] = strsep(&at, " ");
	arguments[count] = operand;
	if (!copy || at || !swapfile_has_program(root, arguments[0], path, sizeof(path)) ||
	    asprintf(&program, "%s%s", root, path) < 0)
		return why(w, -ENOENT, "%s cannot be run", command);
	r = program_run(program, arguments, environment,
			log_level() > LOG_LEVEL_WARNING ? STDERR_FILENO : null);
	if (r > 0)
		return why(w, -EIO, "%s failed with status %d", command, r);
	return r < 0 ? why(w, -EIO, "%s: %s", command, strerror(-r)) : 0;
}

/* A path as it is, a tag as the device it leads to. */
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
	/* No SA_RESTART: long system calls are to be interrupted. */
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
