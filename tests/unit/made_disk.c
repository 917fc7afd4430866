/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "made_disk.h"

#include "made_tree.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void made_device(const char *numbers, const char *name, const char *attribute, const char *value)
{
	char path[256], text[256];

	snprintf(path, sizeof(path), "/sys/dev/block/%s/uevent", numbers);
	snprintf(text, sizeof(text), "MAJOR=1\nDEVNAME=%s\nDEVTYPE=disk\n", name);
	made_put(path, text);
	if (!attribute)
		return;
	snprintf(path, sizeof(path), "/sys/dev/block/%s/%s", numbers, attribute);
	made_put(path, value);
}

static char folder[64];

bool made_run(const char *format, ...)
{
	char command[1024];
	size_t used = (size_t)snprintf(command, sizeof(command),
				       "exec 2>/dev/null >/dev/null; "
				       "PATH=/usr/sbin:/usr/bin:/sbin:/bin; cd %s || exit; ",
				       folder);
	va_list args;

	va_start(args, format);
	vsnprintf(command + used, sizeof(command) - used, format, args);
	va_end(args);
	return system(command) == 0;
}

void made_disk_create(void)
{
	made_create();
	made_program("/usr/sbin/update-initramfs");
	strcpy(folder, "/tmp/test_disk.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert(made_run("mkdir mount"));
}

void made_disk_remove(void)
{
	made_run("umount mount");
	made_run("cd / && rm -rf %s", folder);
	made_root_remove();
}

bool made_root_user(void)
{
	if (geteuid() == 0)
		return true;
	fprintf(stderr, "SKIP: needs root\n");
	return false;
}

/* Mounts a new file system; its loop device becomes a disk in the made-up
 * sysfs. */
bool made_mount(const char *make, const char *size)
{
	char path[128], text[16];
	struct stat st;
	FILE *pipe;

	if (!made_root_user())
		return false;
	if (!made_run("truncate -s %s image && %s image && mount -o loop image mount", size,
		      make)) {
		fprintf(stderr, "SKIP: no file system of \"%s\" can be made and mounted here\n",
			make);
		return false;
	}
	snprintf(path, sizeof(path), "losetup -nO MAJ:MIN -j %s/image | tr -d ' \\n'", folder);
	pipe = popen(path, "r");
	ck_assert_ptr_nonnull(pipe);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), pipe));
	pclose(pipe);
	made_device(text, "sda9", NULL, NULL);
	snprintf(path, sizeof(path), "%s/mount", folder);
	return stat(path, &st) == 0;
}

struct swapfile made_command(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/mount/%s", folder, name);
	return (struct swapfile){ .root = made_root, .path = path, .quiet = true };
}
