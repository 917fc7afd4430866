/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "made_told.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int real_stdout = -1;
static FILE *kept;

void tell_to_file(void)
{
	fflush(stdout);
	kept = tmpfile();
	ck_assert_ptr_nonnull(kept);
	real_stdout = dup(STDOUT_FILENO);
	ck_assert_int_ge(real_stdout, 0);
	ck_assert_int_ge(dup2(fileno(kept), STDOUT_FILENO), 0);
}

void told(char *text, size_t size)
{
	fflush(stdout);
	ck_assert_int_ge(dup2(real_stdout, STDOUT_FILENO), 0);
	close(real_stdout);
	rewind(kept);
	text[fread(text, 1, size - 1, kept)] = '\0';
	fclose(kept);
}

void check_told(const char *text, const char *wanted)
{
	ck_assert_msg(strstr(text, wanted) != NULL, "no '%s' in:\n%s", wanted, text);
}

void check_untold(const char *text, const char *unwanted)
{
	ck_assert_msg(strstr(text, unwanted) == NULL, "'%s' in:\n%s", unwanted, text);
}
