/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/kernel_cmdline: the words of a kernel command line. */
#include "fixtures/check_main.h"
#include "kernel/kernel_cmdline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *text;
	const char *resume;
	uint64_t offset;
	const char *bad_offset;
	bool noresume, nohibernate;
} lines[] = {
	{ "", "", 0, "", false, false },
	{ " \n", "", 0, "", false, false },
	{ "quiet", "", 0, "", false, false },
	{ "root=/dev/sda1 resume=/dev/sda2 quiet\n", "/dev/sda2", 0, "", false, false },
	{ "resume=UUID=1234-5678", "UUID=1234-5678", 0, "", false, false },
	{ "\tresume=/dev/a\nresume_offset=38912\r\n", "/dev/a", 38912, "", false, false },
	{ "resume-offset=0x10", "", 16, "", false, false },
	/* The last one wins, an empty one too. */
	{ "resume=/dev/a resume=/dev/b", "/dev/b", 0, "", false, false },
	{ "resume=/dev/a resume=", "", 0, "", false, false },
	{ "resume_offset=7x resume_offset=8", "", 8, "", false, false },
	{ "resume_offset=8 resume_offset=7x", "", 0, "7x", false, false },
	/* Old prefixes. */
	{ "resume=swap:/dev/sda2", "/dev/sda2", 0, "", false, false },
	{ "resume=file:/dev/sda2:0x100", "/dev/sda2:0x100", 0, "", false, false },
	{ "resume=swapper", "swapper", 0, "", false, false },
	/* Names that only look alike, and names without a value. */
	{ "xresume=/dev/a resumex=/dev/a resume resume_offset", "", 0, "", false, false },
	{ "nor noresumes nohibernated", "", 0, "", false, false },
	{ "=resume=/dev/a = ==", "", 0, "", false, false },
	/* Quotes. */
	{ "a=\"x resume=/dev/no\" resume=/dev/a", "/dev/a", 0, "", false, false },
	{ "\"a=x resume=/dev/no\" resume=/dev/a", "/dev/a", 0, "", false, false },
	{ "resume=\"LABEL=my swap\" quiet", "LABEL=my swap", 0, "", false, false },
	{ "\"resume=LABEL=my swap\" quiet", "LABEL=my swap", 0, "", false, false },
	{ "resume=LABEL=\"my swap\" quiet", "LABEL=\"my swap\"", 0, "", false, false },
	{ "resume=\"/dev/a", "/dev/a", 0, "", false, false },
	{ "resume=\"", "", 0, "", false, false },
	{ "resume=\"\"", "", 0, "", false, false },
	{ "\"", "", 0, "", false, false },
	{ "\"\" resume=/dev/a", "/dev/a", 0, "", false, false },
	/* Invalid offsets. */
	{ "resume_offset=", "", 0, "(empty)", false, false },
	{ "resume_offset=-1", "", 0, "-1", false, false },
	{ "resume_offset=12,13", "", 0, "12,13", false, false },
	{ "resume_offset=\033[2J", "", 0, "?[2J", false, false },
	{ "resume_offset=18446744073709551615", "", UINT64_MAX, "", false, false },
	{ "resume_offset=18446744073709551616", "", 0, "18446744073709551616", false, false },
	/* What forbids it. */
	{ "noresume", "", 0, "", true, false },
	{ "resume=/dev/a noresume", "/dev/a", 0, "", true, false },
	{ "noresume=0", "", 0, "", true, false },
	{ "nohibernate", "", 0, "", true, true },
	{ "hibernate=no", "", 0, "", true, true },
	{ "hibernate=noresume", "", 0, "", true, false },
	{ "hibernate=nocompress", "", 0, "", false, false },
	{ "hibernate=protect_image", "", 0, "", false, false },
	{ "hibernate", "", 0, "", false, false },
	/* What follows "--" is for init. */
	{ "resume=/dev/a -- noresume resume=/dev/b", "/dev/a", 0, "", false, false },
	{ "--x noresume", "", 0, "", true, false },
};

START_TEST(parses_a_line)
{
	struct kernel_cmdline cmdline;

	memset(&cmdline, 0xff, sizeof(cmdline));
	kernel_cmdline_parse(lines[_i].text, &cmdline);
	ck_assert_str_eq(cmdline.resume, lines[_i].resume);
	ck_assert_uint_eq(cmdline.resume_offset, lines[_i].offset);
	ck_assert_str_eq(cmdline.bad_offset, lines[_i].bad_offset);
	ck_assert_int_eq(cmdline.noresume, lines[_i].noresume);
	ck_assert_int_eq(cmdline.nohibernate, lines[_i].nohibernate);
}
END_TEST

START_TEST(cuts_what_is_too_long)
{
	char text[1024] = "resume=";
	struct kernel_cmdline cmdline;

	memset(text + strlen(text), 'x', 900);
	kernel_cmdline_parse(text, &cmdline);
	ck_assert_uint_eq(strlen(cmdline.resume), sizeof(cmdline.resume) - 1);

	/* A truncated number must not pass for another one. */
	memset(text, 0, sizeof(text));
	strcpy(text, "resume_offset=");
	memset(text + strlen(text), '0', 80);
	strcat(text, "5");
	kernel_cmdline_parse(text, &cmdline);
	ck_assert_uint_eq(cmdline.resume_offset, 0);
	ck_assert_uint_eq(strlen(cmdline.bad_offset), sizeof(cmdline.bad_offset) - 1);
}
END_TEST

START_TEST(reads_below_a_root)
{
	char root[] = "/tmp/test_kernel_cmdline.XXXXXX", path[128];
	struct kernel_cmdline cmdline = { .resume_offset = 42 };
	FILE *file;

	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(kernel_cmdline_read(root, &cmdline), -ENOENT);
	ck_assert_uint_eq(cmdline.resume_offset, 42);

	snprintf(path, sizeof(path), "%s/proc", root);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/proc/cmdline", root);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs("quiet resume=/dev/vda3 resume_offset=9\n", file);
	fclose(file);
	ck_assert_int_eq(kernel_cmdline_read(root, &cmdline), 0);
	ck_assert_str_eq(cmdline.resume, "/dev/vda3");
	ck_assert_uint_eq(cmdline.resume_offset, 9);

	unlink(path);
	snprintf(path, sizeof(path), "%s/proc", root);
	rmdir(path);
	rmdir(root);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "kernel_cmdline");

	tcase_add_loop_test(tcase, parses_a_line, 0, (int)(sizeof(lines) / sizeof(lines[0])));
	tcase_add_test(tcase, cuts_what_is_too_long);
	tcase_add_test(tcase, reads_below_a_root);
}
