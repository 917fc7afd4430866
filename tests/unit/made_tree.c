/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "made_tree.h"

#include "base/io.h"
#include "preflight_checks.h"
#include "swapfile.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char made_log[8192];
const char *made_fail;
int made_stop_after;
bool made_active;
enum check_level made_way_back;
static int lines;

int __wrap_swapfile_run(const char *root, const char *command, const char *operand, struct why *w);
int __wrap_swapfile_activate(const char *path, struct why *w);
int __wrap_swapfile_deactivate(const char *path, struct why *w);
bool __wrap_swapfile_is_active(const struct swap_area *area);
int __wrap_swapfile_stopped(struct why *w);
void __wrap_check_swap_area(struct preflight_context *context);
void __wrap_check_way_back(struct preflight_context *context);

static int note(const char *what, const char *argument, struct why *w)
{
	char line[1024];

	lines++;
	snprintf(line, sizeof(line), "%s %s", what, argument);
	strncat(made_log, line, sizeof(made_log) - strlen(made_log) - 2);
	strcat(made_log, "\n");
	return made_fail && strncmp(line, made_fail, strlen(made_fail)) == 0
		       ? why(w, -EIO, "%s failed", line)
		       : 0;
}

int __wrap_swapfile_run(const char *root, const char *command, const char *operand, struct why *w)
{
	char line[512];

	ck_assert_str_eq(root, made_root);
	if (!operand)
		return note("run", command, w);
	snprintf(line, sizeof(line), "exec 2>&1 >/dev/null; PATH=/usr/sbin:/sbin:$PATH; %s '%s'",
		 command, operand);
	return made_fail && strcmp(made_fail, "mkswap") == 0 ? why(w, -EIO, "mkswap failed")
							     : -system(line);
}

int __wrap_swapfile_activate(const char *path, struct why *w)
{
	int r = note("swapon", path, w);

	made_active |= r == 0;
	return r;
}

int __wrap_swapfile_deactivate(const char *path, struct why *w)
{
	int r = note("swapoff", path, w);

	made_active &= r < 0;
	return r;
}

bool __wrap_swapfile_is_active(const struct swap_area *area)
{
	(void)area;
	return made_active;
}

int __wrap_swapfile_stopped(struct why *w)
{
	return made_stop_after && lines >= made_stop_after ? why(w, -EINTR, "interrupted") : 0;
}

void __wrap_check_swap_area(struct preflight_context *context)
{
	preflight_add(context, "swap-area", CHECK_FAILED, "not what is asked for");
}

void __wrap_check_way_back(struct preflight_context *context)
{
	/* By what is enabled. */
	ck_assert_str_ne(context->settings->resume_device, "");
	preflight_advise(preflight_add(context, "way-back", made_way_back,
				       "the way back as made up"),
			 "do this");
}

void made_create(void)
{
	made_root_create();
	made_folder("/var/lib");
	made_log[0] = '\0';
	made_fail = NULL;
	made_stop_after = lines = 0;
	made_active = false;
	made_way_back = CHECK_OK;
}

void made_program(const char *path)
{
	made_put_mode(path, "#!/bin/sh\n", 0755);
}

void made_check(const char *path, const char *text)
{
	char *found = NULL;
	size_t length;
	int r = io_read_file(made_root, path, 1u << 20, &found, &length);

	if (text)
		ck_assert_str_eq(r == 0 ? found : "(no file)", text);
	else
		ck_assert_int_eq(r, -ENOENT);
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
