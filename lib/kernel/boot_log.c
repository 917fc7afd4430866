/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/boot_log.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "kernel/kernel_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER "/run/s2disk"
#define FILE_NAME FOLDER "/boot.log"
#define LINE_MAX_SIZE 1024

/* Tables are told as "ACPI: DSDT 0x…", within the first second or so: the log
 * of a boot with many devices need not be read to its end. */
#define RECORDS_MAX 4000
#define LOG_LIMIT (4u << 20)

/* All that lib/platform and the pre-flight look for in a log. */
static bool wanted(const char *line)
{
	static const char *const words[] = { "heap free:", "Hypervisor detected: ", "Host Build ",
					     "Memory Encryption Features active:" };

	if (text_starts(line, "ACPI: "))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

static int save_lines(int log, FILE *file)
{
	char line[LINE_MAX_SIZE];
	unsigned int level;
	int r = 0;

	for (int i = 0; i < RECORDS_MAX; i++) {
		r = kernel_log_next(log, line, sizeof(line), &level);
		if (r <= 0)
			break;
		if (wanted(line) && fprintf(file, "%s\n", line) < 0)
			return -EIO;
	}
	return r < 0 ? r : 0;
}

int boot_log_save(const char *root)
{
	_cleanup_close_ int log = -1, fd = -1;
	_cleanup_fclose_ FILE *file = NULL;
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s" FOLDER, root);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), "%s" FILE_NAME, root);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	log = kernel_log_open(root, false);
	if (log < 0)
		return log;
	file = fdopen(fd, "w");
	if (!file)
		return -errno;
	steal_fd(&fd);
	r = save_lines(log, file);
	return fflush(file) == EOF && r == 0 ? -errno : r;
}

int boot_log_read(const char *root, char **ret)
{
	size_t length = 0;
	char *saved;

	if (io_read_file(root, FILE_NAME, LOG_LIMIT, &saved, &length) == 0) {
		if (length > 0) {
			*ret = saved;
			return 0;
		}
		free(saved);
	}
	return kernel_log_read(root, LOG_LIMIT, ret);
}
