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

char made_log[8192];
const char *made_fail;
bool made_active;

static int note(const char *what, const char *argument)
{
	char line[1024];

	snprintf(line, sizeof(line), "%s%s", what, argument);
	strncat(made_log, line, sizeof(made_log) - strlen(made_log) - 2);
	strcat(made_log, "\n");
	return made_fail && strncmp(line, made_fail, strlen(made_fail)) == 0 ? -EIO : 0;
}

static int pretend_run(const struct swapfile_system *system, const char *command, struct why *w)
{
	char text[1024];
	int r = note("run ", swapfile_run_text(command, text, sizeof(text)));

	(void)system;
	return r < 0 ? why(w, r, "it failed") : 0;
}

static int pretend_on(const char *path)
{
	int r = note("swapon ", path);

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
	made_root_create();
	made_folder("/var/lib");
	made_log[0] = '\0';
	made_fail = NULL;
	made_active = false;
}

void made_program(const char *path)
{
	made_put_mode(path, "#!/bin/sh\n", 0755);
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
