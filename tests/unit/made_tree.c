/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "made_tree.h"

#include "base/io.h"
#include "swapfile_run.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char made_root[64];
char made_log[8192];
const char *made_fail;
const char *made_output;
bool made_active;

static int note(const char *what, const char *argument)
{
	char line[1024];

	snprintf(line, sizeof(line), "%s%s", what, argument);
	strncat(made_log, line, sizeof(made_log) - strlen(made_log) - 2);
	strcat(made_log, "\n");
	return made_fail && strncmp(line, made_fail, strlen(made_fail)) == 0 ? -EIO : 0;
}

static int pretend_run(const struct swapfile_system *system, const char *command, char **ret_output,
		       struct why *w)
{
	char text[1024];
	int r = note("run ", swapfile_run_text(command, text, sizeof(text)));

	(void)system;
	if (r < 0)
		return why(w, r, "it failed");
	if (ret_output)
		*ret_output = strdup(made_output ? made_output : "");
	return 0;
}

static int pretend_on(const char *path, int priority)
{
	int r = note("swapon ", path);

	(void)priority;
	if (r == 0)
		made_active = true;
	return r;
}

static int pretend_off(const char *path)
{
	int r = note("swapoff ", path);

	if (r == 0)
		made_active = false;
	return r;
}

static bool pretend_active(const char *path)
{
	(void)path;
	return made_active;
}

struct swapfile_system made_system = {
	.root = made_root,
	.run = pretend_run,
	.swap_on = pretend_on,
	.swap_off = pretend_off,
	.is_active = pretend_active,
};

void made_create(void)
{
	strcpy(made_root, "/tmp/test_swapfile.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(made_root));
	made_put("/var/lib/x", "");
	made_put("/var/lib/x", NULL);
	made_log[0] = '\0';
	made_fail = NULL;
	made_output = NULL;
	made_active = false;
}

void made_remove(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", made_root);
	ck_assert_int_eq(system(command), 0);
}

static void make_folders(char *path)
{
	for (char *c = path + strlen(made_root) + 1; *c; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		mkdir(path, 0755);
		*c = '/';
	}
}

void made_put(const char *path, const char *text)
{
	char full[512];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", made_root, path);
	if (!text) {
		unlink(full);
		return;
	}
	make_folders(full);
	file = fopen(full, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

void made_link(const char *path, const char *target)
{
	char full[512];

	snprintf(full, sizeof(full), "%s%s", made_root, path);
	make_folders(full);
	ck_assert_int_eq(symlink(target, full), 0);
}

void made_program(const char *path)
{
	char full[512];

	made_put(path, "#!/bin/sh\n");
	snprintf(full, sizeof(full), "%s%s", made_root, path);
	ck_assert_int_eq(chmod(full, 0755), 0);
}

void made_check(const char *path, const char *text)
{
	char *found = NULL;

	ck_assert_int_eq(system_read(&made_system, path, &found), 0);
	if (text)
		ck_assert_str_eq(found ? found : "(no file)", text);
	else
		ck_assert_ptr_null(found);
	free(found);
}

char *made_look(void)
{
	char command[256], *text = calloc(1, 1 << 20);
	FILE *pipe;

	ck_assert_ptr_nonnull(text);
	snprintf(command, sizeof(command),
		 "cd %s && find . -exec stat -c '%%n %%A %%u %%N' {} + | sort; "
		 "find . -type f | sort | xargs -r md5sum",
		 made_root);
	pipe = popen(command, "r");
	ck_assert_ptr_nonnull(pipe);
	ck_assert_uint_lt(fread(text, 1, 1 << 20, pipe), 1 << 20);
	pclose(pipe);
	return text;
}
