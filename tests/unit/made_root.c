/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "made_root.h"

#include <check.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

char made_root[64];

void made_root_create(void)
{
	strcpy(made_root, "/tmp/s2disk-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(made_root));
}

void made_root_remove(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", made_root);
	ck_assert_int_eq(system(command), 0);
}

/* The whole path, with the folders that it lies in. */
static void below(const char *path, char ret_full[PATH_MAX])
{
	snprintf(ret_full, PATH_MAX, "%s%s", made_root, path);
	for (char *c = ret_full + strlen(made_root) + 1; *c; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		mkdir(ret_full, 0755);
		*c = '/';
	}
}

void made_folder(const char *path)
{
	char full[PATH_MAX];

	below(path, full);
	ck_assert_int_eq(mkdir(full, 0755), 0);
}

void made_put_bytes(const char *path, const void *bytes, size_t length)
{
	char full[PATH_MAX];
	FILE *file;

	below(path, full);
	file = fopen(full, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
}

void made_put(const char *path, const char *text)
{
	char full[PATH_MAX];

	if (text) {
		made_put_bytes(path, text, strlen(text));
		return;
	}
	snprintf(full, sizeof(full), "%s%s", made_root, path);
	unlink(full);
}

void made_put_mode(const char *path, const char *text, mode_t mode)
{
	char full[PATH_MAX];

	made_put(path, text);
	snprintf(full, sizeof(full), "%s%s", made_root, path);
	ck_assert_int_eq(chmod(full, mode), 0);
}

void made_link(const char *path, const char *target)
{
	char full[PATH_MAX];

	below(path, full);
	ck_assert_int_eq(symlink(target, full), 0);
}

bool made_shell(const char *format, ...)
{
	char command[600];
	int used = snprintf(command, sizeof(command), "cd %s && PATH=$PATH:/sbin:/usr/sbin && ",
			    made_root);
	va_list args;
	int status;

	va_start(args, format);
	vsnprintf(command + used, sizeof(command) - (size_t)used, format, args);
	va_end(args);
	status = system(command);
	ck_assert_msg(status == 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127), "%s",
		      command);
	return status == 0;
}
