/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs and swap of the running system; output. */
#include "swapfile.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/program.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#define SWAPS_MAX 64

/* A plain environment: these programs run as root. Their output is shown, except with --quiet. */
int swapfile_run(const char *root, const char *command, const char *operand, struct why *w)
{
	/* Splits the command at its blanks. */
	const char *const arguments[] = { "sh", "-c", "exec $0 \"$@\"", command, operand, NULL };
	const char *environment[] = { NULL, "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
				      NULL };
	_cleanup_close_ int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	_cleanup_free_ char *path = NULL;
	int r = -ENOMEM;

	if (asprintf(&path,
		     "PATH=%1$s/usr/local/sbin:%1$s/usr/local/bin:%1$s/usr/sbin:%1$s/usr/bin:"
		     "%1$s/sbin:%1$s/bin",
		     root) < 0)
		path = NULL;
	environment[0] = path;
	if (path)
		r = program_run("/bin/sh", arguments, environment,
				log_level() > LOG_LEVEL_WARNING ? STDERR_FILENO : null);
	if (r == 127)
		return why(w, -ENOENT, "%s cannot be run", command);
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

void swapfile_line(const struct swapfile *s, const char *format, ...)
{
	_cleanup_free_ char *line = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&line, format, args) < 0)
		line = NULL;
	va_end(args);
	if (!line || s->quiet)
		return;
	text_make_printable(line);
	puts(line);
	fflush(stdout);
}

void swapfile_step(const struct swapfile *s, const char *verb, const char *what)
{
	swapfile_line(s, "%s%s %s", s->dry_run ? "would " : "", verb, what);
}
