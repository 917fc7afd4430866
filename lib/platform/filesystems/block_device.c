/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/filesystems/block_device.h"

#include "base/bytes.h"
#include "base/text.h"
#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define STACK_DEPTH 8

void block_device_path(const char *name, char *path, size_t size)
{
	snprintf(path, size, "/dev/%s", name);
	for (char *c = path; *c; c++)
		if (*c == '!')
			*c = '/';
}

int block_device_open(const char *root, const char *device)
{
	char full[PATH_MAX];
	struct stat st;
	int fd;

	if (snprintf(full, sizeof(full), "%s%s", root, device) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	if (stat(full, &st) < 0)
		return -errno;
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return -ENOTBLK;
	fd = open(full, O_RDONLY | O_DIRECT | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == EINVAL) /* a file on a file system without O_DIRECT */
		fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

bool block_device_name(const char *root, int fd, const char *device, char *name, size_t size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	if (S_ISBLK(st.st_mode))
		return tree_link(root, name, size, "/sys/dev/block/%u:%u", major(st.st_rdev),
				 minor(st.st_rdev));
	return text_copy(name, size, device + strlen("/dev/"));
}

bool block_device_worth_a_look(const char *name)
{
	return !block_device_is_memory(name) && !text_starts(name, "fd") &&
	       !text_starts(name, "sr") && !text_starts(name, "mtd");
}

bool block_device_is_memory(const char *name)
{
	return text_starts(name, "zram") || text_starts(name, "ram");
}

/* The content of a device's link in sysfs. */
static bool read_place(const char *root, const char *name, char target[PATH_MAX])
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "/sys/class/block/%s", name) < (int)sizeof(path) &&
	       tree_target(root, path, target);
}

bool block_device_whole(const char *root, const char *name, char *disk, size_t size)
{
	char target[PATH_MAX];
	char *last;

	if (!read_place(root, name, target))
		return false;
	last = strrchr(target, '/');
	if (!last)
		return false;
	*last = '\0';
	last = strrchr(target, '/');
	return text_copy(disk, size, last ? last + 1 : target);
}

/* A disk over iSCSI needs a program to log in again after the sleep, for which a read
 * waits two minutes or for ever (replacement_timeout). */
static bool is_iscsi(const char *root, const char *name)
{
	char target[PATH_MAX];

	return read_place(root, name, target) && strstr(target, "/session") != NULL;
}

/* The program that suspended it (dmsetup suspend, cryptsetup luksSuspend) has to resume it. */
static bool is_suspended(const char *root, const char *name)
{
	uint64_t suspended;

	return tree_u64(root, &suspended, "/sys/class/block/%s/dm/suspended", name) &&
	       suspended != 0;
}

static bool answers_frozen(const char *root, const char *name, unsigned int depth)
{
	static const char *const others[] = { "loop", "zloop", "nbd",	"rbd",
					      "drbd", "ublk",  "etherd" };
	_cleanup_names_ struct tree_names slaves = { 0 };
	char path[300];

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (text_starts(name, others[i]))
			return false;
	if (is_iscsi(root, name) || is_suspended(root, name))
		return false;
	snprintf(path, sizeof(path), "/sys/class/block/%s/slaves", name);
	if (tree_list(root, path, &slaves) < 0)
		return true;
	if (slaves.count > 0 && depth == STACK_DEPTH)
		return false;
	for (size_t i = 0; i < slaves.count; i++)
		if (!answers_frozen(root, slaves.items[i], depth + 1))
			return false;
	return true;
}

bool block_device_answers_frozen(const char *root, const char *name)
{
	return answers_frozen(root, name, 0);
}
