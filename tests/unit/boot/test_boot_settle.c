/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot/boot_settle, on a simulated kernel. With SETTLE_ROOT it works on that tree, for
 * test_boot_loader.sh. */
#include "boot/boot_settle.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define CHECKPOINT _IOW('f', 43, uint32_t)

static struct {
	bool real;
	int sync_error, freeze_error, thaw_error, checkpoint_error;
	long type;	 /* of the file system */
	long booted_ago; /* seconds; negative: everything is older than this boot */
	unsigned int thaws_that_fail;
	char order[64]; /* s, c, f, t */
	unsigned int frozen, signals;
} kernel;

int __wrap_syncfs(int fd);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __real_fstatfs(int fd, struct statfs *ret);
int __wrap_fstatfs(int fd, struct statfs *ret);

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

int __wrap_fstatfs(int fd, struct statfs *ret)
{
	int r = __real_fstatfs(fd, ret);

	if (!kernel.real)
		ret->f_type = kernel.type;
	/* Opening for reading triggers the automount. */
	if (!kernel.real && kernel.type == AUTOFS_SUPER_MAGIC)
		ck_assert(fcntl(fd, F_GETFL) & O_PATH);
	return r;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *argument;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (kernel.real)
		return (int)syscall(SYS_ioctl, fd, request, argument);
	if (request == CHECKPOINT) {
		strcat(kernel.order, "c");
		ck_assert_uint_eq(*(uint32_t *)argument, 0);
		return answer(kernel.checkpoint_error);
	}
	/* From here on everything comes later. */
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
	kernel.type = XFS_SUPER_MAGIC;
	made_root_create();
	made_directory("/boot");
	signal(SIGTERM, count_signal);
}

static bool left_frozen;

static int settle(struct why *w)
{
	char text[64];

	kernel.order[0] = '\0';
	w->text[0] = '\0';
	left_frozen = true;
	snprintf(text, sizeof(text), "cpu 1\nbtime %ld\n", (long)time(NULL) - kernel.booted_ago);
	made_put("/proc/stat", text);
	return boot_settle(made_root, &left_frozen, w);
}

START_TEST(freezes_and_thaws)
{
	struct why w;

	ck_assert_int_eq(settle(&w), 0);
	ck_assert_str_eq(kernel.order, "sft");
	ck_assert_uint_eq(kernel.frozen, 0);
	/* It succeeded after all. */
	ck_assert_uint_eq(kernel.signals, 1);
}
END_TEST

static const struct {
	int error, result;
} freezes[] = {
	{ EOPNOTSUPP, 0 },		 /* vfat: synced, which is enough */
	{ ENOTTY, 0 },	   { EBUSY, 0 }, /* frozen by another program, which will thaw it */
	{ EPERM, -EPERM }, { EIO, -EIO },
};

START_TEST(cannot_freeze)
{
	struct why w;

	kernel.freeze_error = freezes[_i].error;
	ck_assert_int_eq(settle(&w), freezes[_i].result);
	ck_assert_str_eq(kernel.order, "sf");
	ck_assert(!left_frozen);
	ck_assert_int_eq(w.text[0] != '\0', freezes[_i].result != 0);
}
END_TEST

/* Nothing stays frozen if it can be thawed. */
START_TEST(thaw_fails)
{
	struct why w;

	kernel.thaw_error = EIO;
	kernel.thaws_that_fail = 3;
	ck_assert_int_eq(settle(&w), 0);
	ck_assert_str_eq(kernel.order, "sftttt");
	ck_assert_uint_eq(kernel.frozen, 0);
	ck_assert(!left_frozen);
	kernel.signals = 0;
	kernel.thaws_that_fail = 99;
	ck_assert_int_eq(settle(&w), -EIO);
	ck_assert(left_frozen);
	ck_assert_ptr_nonnull(strstr(w.text, "fsfreeze -u"));
	kernel.frozen = kernel.signals = 0;
	kernel.thaw_error = EINVAL; /* thawed by another program */
	ck_assert_int_eq(settle(&w), 0);
	ck_assert(!left_frozen);
}
END_TEST

static const struct {
	long type;
	int checkpoint, result;
	const char *order;
} kinds[] = {
	/* A scrub or a balance would delay the freeze, and so all writers, for hours. */
	{ BTRFS_SUPER_MAGIC, 0, 0, "s" },
	{ XFS_SUPER_MAGIC, 0, 0, "sft" },
	{ EXT4_SUPER_MAGIC, 0, 0, "sc" },
	{ EXT4_SUPER_MAGIC, ENODEV, 0, "sc" },	 /* no journal */
	{ EXT4_SUPER_MAGIC, ENOTTY, 0, "scft" }, /* before Linux 5.14 */
	{ EXT4_SUPER_MAGIC, EIO, -EIO, "sc" },
	/* An unused automount is not mounted for this. */
	{ AUTOFS_SUPER_MAGIC, 0, 0, "" },
};

START_TEST(by_kind)
{
	struct why w;

	kernel.type = kinds[_i].type;
	kernel.checkpoint_error = kinds[_i].checkpoint;
	ck_assert_int_eq(settle(&w), kinds[_i].result);
	ck_assert_str_eq(kernel.order, kinds[_i].order);
	ck_assert(!left_frozen);
}
END_TEST

/* Files cannot be made older, so this boot is made younger than they are, or not. */
START_TEST(nothing_changed)
{
	struct why w;

	made_put("/boot/grub/grub.cfg", "menu");
	kernel.booted_ago = -3600 - 600;
	ck_assert_int_eq(settle(&w), 0);
	ck_assert_str_eq(kernel.order, "s");
	kernel.type = EXT4_SUPER_MAGIC;
	ck_assert_int_eq(settle(&w), 0);
	ck_assert_str_eq(kernel.order, "s");
	/* By the clock a little older than the boot. */
	kernel.booted_ago = -3600 + 600;
	ck_assert_int_eq(settle(&w), 0);
	ck_assert_str_eq(kernel.order, "sc");
}
END_TEST

/* One file below is enough. */
START_TEST(one_file_changed)
{
	struct why w;
	char path[300];

	made_put("/boot/grub/i386-pc/a.mod", "module");
	made_put("/boot/grub/grubenv", "variables");
	/* The boot was a second ago, minus the hour's margin: everything made is older. */
	sleep(3);
	kernel.booted_ago = -3600 + 1;
	snprintf(path, sizeof(path), "%s/boot/grub/i386-pc/a.mod", made_root);
	ck_assert_int_eq(settle(&w), 0);
	ck_assert_str_eq(kernel.order, "s");
	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert_int_eq(settle(&w), 0);
	ck_assert_str_eq(kernel.order, "sft");
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

static void settle_really(const char *root)
{
	struct why w = { 0 };
	bool frozen;
	int r;

	kernel.real = true;
	r = boot_settle(root, &frozen, &w);
	if (r < 0)
		fprintf(stderr, "%s\n", why_text(&w, r));
	exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "boot_settle");
	const char *root = getenv("SETTLE_ROOT");

	if (root)
		settle_really(root);
	tcase_add_checked_fixture(tcase, begin, made_root_remove);
	tcase_add_test(tcase, freezes_and_thaws);
	tcase_add_loop_test(tcase, cannot_freeze, 0, (int)(sizeof(freezes) / sizeof(freezes[0])));
	tcase_add_test(tcase, thaw_fails);
	tcase_add_loop_test(tcase, by_kind, 0, (int)(sizeof(kinds) / sizeof(kinds[0])));
	tcase_add_test(tcase, nothing_changed);
	tcase_add_test(tcase, one_file_changed);
	tcase_add_test(tcase, nothing_to_settle);
}
