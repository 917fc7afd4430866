/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot/boot_settle, on a made-up kernel. With an argument it does it to the tree of
 * that name, for test_boot_loader.sh. */
#include "boot/boot_settle.h"
#include "made_root.h"

#include <check.h>
#include <errno.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
	bool real;
	int sync_error, freeze_error, thaw_error;
	unsigned int thaws_that_fail;
	char order[64]; /* s, f, t */
	unsigned int frozen, signals;
} kernel;

int __wrap_syncfs(int fd);
int __wrap_ioctl(int fd, unsigned long request, ...);

static int answer(int error)
{
	errno = error;
	return error ? -1 : 0;
}

int __wrap_syncfs(int fd)
{
	if (kernel.real)
		return (int)syscall(SYS_syncfs, fd);
	ck_assert_uint_eq(kernel.frozen, 0);
	strcat(kernel.order, "s");
	return answer(kernel.sync_error);
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	if (kernel.real)
		return (int)syscall(SYS_ioctl, fd, request, 0);
	/* Whatever comes now comes later. */
	raise(SIGTERM);
	ck_assert_uint_eq(kernel.signals, 0);
	if (request == FIFREEZE) {
		strcat(kernel.order, "f");
		kernel.frozen += kernel.freeze_error == 0;
		return answer(kernel.freeze_error);
	}
	ck_assert_uint_eq(request, FITHAW);
	strcat(kernel.order, "t");
	if (kernel.thaws_that_fail > 0) {
		kernel.thaws_that_fail--;
		return answer(kernel.thaw_error);
	}
	kernel.frozen = 0;
	return 0;
}

static void count_signal(int number)
{
	(void)number;
	kernel.signals++;
}

static void begin(void)
{
	memset(&kernel, 0, sizeof(kernel));
	made_root_create();
	made_folder("/boot");
	signal(SIGTERM, count_signal);
}

static int settle(struct why *w)
{
	kernel.order[0] = '\0';
	w->text[0] = '\0';
	return boot_settle(made_root, w);
}

START_TEST(freezes_and_thaws)
{
	struct why w;

	ck_assert_int_eq(settle(&w), 0);
	ck_assert_str_eq(kernel.order, "sft");
	ck_assert_uint_eq(kernel.frozen, 0);
	/* It came through afterwards. */
	ck_assert_uint_eq(kernel.signals, 1);
}
END_TEST

static const struct {
	int error, result;
} freezes[] = {
	{ EOPNOTSUPP, 0 },		 /* vfat: synced, and that was it */
	{ ENOTTY, 0 },	   { EBUSY, 0 }, /* frozen by somebody, who will thaw it */
	{ EPERM, -EPERM }, { EIO, -EIO },
};

START_TEST(cannot_freeze)
{
	struct why w;

	kernel.freeze_error = freezes[_i].error;
	ck_assert_int_eq(settle(&w), freezes[_i].result);
	ck_assert_str_eq(kernel.order, "sf");
	ck_assert_int_eq(w.text[0] != '\0', freezes[_i].result != 0);
}
END_TEST

/* Nothing is left frozen if there is a way. */
START_TEST(thaw_fails)
{
	struct why w;

	kernel.thaw_error = EIO;
	kernel.thaws_that_fail = 3;
	ck_assert_int_eq(settle(&w), 0);
	ck_assert_str_eq(kernel.order, "sftttt");
	ck_assert_uint_eq(kernel.frozen, 0);
	kernel.signals = 0;
	kernel.thaws_that_fail = 99;
	ck_assert_int_eq(settle(&w), -EIO);
	ck_assert_ptr_nonnull(strstr(w.text, "fsfreeze -u"));
	kernel.frozen = kernel.signals = 0;
	kernel.thaw_error = EINVAL; /* thawed by somebody else */
	ck_assert_int_eq(settle(&w), 0);
}
END_TEST

START_TEST(nothing_to_settle)
{
	struct why w;

	kernel.sync_error = EIO;
	ck_assert_int_eq(settle(&w), -EIO);
	ck_assert_str_eq(kernel.order, "s");
	made_root_remove();
	made_root_create();
	ck_assert_int_eq(settle(&w), 0);
	made_put("/boot", "a file");
	ck_assert_int_eq(settle(&w), 0);
	ck_assert_str_eq(kernel.order, "");
}
END_TEST

static int settle_really(const char *root)
{
	struct why w = { 0 };
	int r;

	kernel.real = true;
	r = boot_settle(root, &w);
	if (r < 0)
		fprintf(stderr, "%s\n", why_text(&w, r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	Suite *suite = suite_create("boot_settle");
	TCase *tcase = tcase_create("boot_settle");
	SRunner *runner;
	int failed;

	if (argc == 2)
		return settle_really(argv[1]);
	runner = srunner_create(suite);
	tcase_add_checked_fixture(tcase, begin, made_root_remove);
	tcase_add_test(tcase, freezes_and_thaws);
	tcase_add_loop_test(tcase, cannot_freeze, 0, (int)(sizeof(freezes) / sizeof(freezes[0])));
	tcase_add_test(tcase, thaw_fails);
	tcase_add_test(tcase, nothing_to_settle);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
