/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How resume sets the kernel's resume device. The made-up kernel behaves as the real one
 * (kernel/power/hibernate.c, swap.c): when its resume device is set it looks there at once,
 * clears its signature before it loads anything, and reports no failure. */
#include "base/bytes.h"
#include "base/log.h"
#include "base/memory.h"
#include "fixtures/check_main.h"
#include "kernel/kernel_cmdline.h"
#include "resume/place/firmware_place.h"
#include "resume/place/kernel_place.h"
#include "resume/restore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define OFFSET 3u /* of the area, in pages */

static struct {
	int disk;
	bool initramfs;
	const char *cmdline;
	dev_t other; /* what resume= is resolved to, 0: is not there */
	int error;   /* of setting it */
	bool cannot_hibernate;
	bool mounted;
	int restore, result; /* of restore(), and of kernel_place_tell() */
	unsigned int set, loads, restored, cleared;
} machine;

static struct swap_area area = { .name = "swap", .device = "/dev/vda2", .offset = OFFSET };

bool __wrap_boot_in_initramfs(const char *root);
int __wrap_kernel_cmdline_read(const char *root, struct kernel_cmdline *ret);
int __wrap_kernel_resume_name(const char *root, dev_t dev, uint64_t offset);
void __wrap_log_message(enum log_level level, const char *format, ...);
bool __wrap_mounted_any(const char *root);
int __wrap_swap_area_resolve(const char *spec, uint64_t offset, bool allow_file,
			     struct swap_area *ret, struct why *w);

bool __wrap_boot_in_initramfs(const char *root)
{
	ck_assert_str_eq(root, "");
	return machine.initramfs;
}

int __wrap_kernel_cmdline_read(const char *root, struct kernel_cmdline *ret)
{
	ck_assert_str_eq(root, "");
	kernel_cmdline_parse(machine.cmdline, ret);
	return 0;
}

static void signature_at(char *ret)
{
	off_t end = (off_t)((OFFSET + 1) * page_size());

	ck_assert_int_eq(pread(machine.disk, ret, 20, end - 20), 20);
}

static void sign(const char *signature)
{
	off_t end = (off_t)((OFFSET + 1) * page_size());

	ck_assert_int_eq(pwrite(machine.disk, "SWAPSPACE2", 10, end - 20), 10);
	ck_assert_int_eq(pwrite(machine.disk, signature, 10, end - 10), 10);
}

int __wrap_kernel_resume_name(const char *root, dev_t dev, uint64_t offset)
{
	char signatures[20];

	ck_assert_str_eq(root, "");
	ck_assert_uint_eq(dev, area.dev);
	ck_assert_uint_eq(offset, OFFSET);
	machine.set++;
	if (machine.error < 0 || machine.cannot_hibernate)
		return machine.error;
	signature_at(signatures);
	if (memcmp(signatures + 10, "S1SUSPEND\0", 10) != 0)
		return 0;
	sign("SWAPSPACE2");
	machine.loads++;
	return 0;
}

void __wrap_log_message(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

bool __wrap_mounted_any(const char *root)
{
	ck_assert_str_eq(root, "");
	return machine.mounted;
}

void firmware_place_clear(const char *root, const struct settings *settings,
			  const struct swap_area *looked_at, bool mount)
{
	ck_assert_str_eq(root, "");
	ck_assert_ptr_nonnull(settings);
	ck_assert_ptr_eq(looked_at, &area);
	ck_assert(mount);
	ck_assert_uint_eq(machine.set, 0);
	machine.cleared++;
}

/* As the real one with an unwanted image. */
int restore(const struct settings *settings, const struct swap_area *looked_at,
	    const char *unwanted, struct boot_run *run, struct why *w)
{
	char signatures[20];

	(void)settings;
	(void)w;
	ck_assert_ptr_eq(looked_at, &area);
	ck_assert_ptr_nonnull(unwanted);
	machine.restored++;
	if (machine.restore < 0)
		return machine.restore;
	signature_at(signatures);
	run->found = FOUND_SWAP;
	run->fate = FATE_NONE;
	if (memcmp(signatures + 10, "S1SUSPEND\0", 10) != 0)
		return 0;
	sign("SWAPSPACE2");
	run->found = FOUND_KERNEL_IMAGE;
	run->fate = FATE_DISCARDED;
	snprintf(run->reason, sizeof(run->reason), "%s", unwanted);
	return 0;
}

int __wrap_swap_area_resolve(const char *spec, uint64_t offset, bool allow_file,
			     struct swap_area *ret, struct why *w)
{
	(void)w;
	ck_assert_str_eq(spec, "/dev/x");
	ck_assert(!allow_file);
	if (!machine.other)
		return -ENODEV;
	*ret = (struct swap_area){ .dev = machine.other, .offset = offset };
	return 0;
}

static void begin(void)
{
	char name[] = "/tmp/kernel-place-XXXXXX";

	memset(&machine, 0, sizeof(machine));
	machine.initramfs = true;
	machine.cmdline = "quiet";
	area.dev = makedev(254, 2);
	machine.disk = mkstemp(name);
	ck_assert_int_ge(machine.disk, 0);
	unlink(name);
	ck_assert_int_eq(ftruncate(machine.disk, (off_t)(8 * page_size())), 0);
	sign("SWAPSPACE2");
}

static void end(void)
{
	close(machine.disk);
}

static struct boot_run place(enum boot_found found, enum boot_fate fate, bool encrypt)
{
	struct settings settings = { .encrypt = encrypt };
	struct kernel_cmdline cmdline = { 0 };
	struct boot_run run = { .found = found, .fate = fate, .by = NAMED_BY_FILE };

	kernel_cmdline_parse(machine.cmdline, &cmdline);
	run.noresume = cmdline.noresume;
	machine.set = machine.loads = machine.restored = machine.cleared = 0;
	machine.result = kernel_place_tell(&settings, &area, &run, NULL);
	return run;
}

static const struct {
	enum boot_found found;
	enum boot_fate fate;
	unsigned int set;
} finds[] = {
	{ FOUND_SWAP, FATE_NONE, 1 },
	{ FOUND_IMAGE, FATE_DISCARDED, 1 },
	{ FOUND_KERNEL_IMAGE, FATE_DISCARDED, 1 },
	{ FOUND_IMAGE, FATE_STILL_THERE, 0 },
	{ FOUND_NO_SWAP, FATE_NONE, 0 },
	{ FOUND_OTHER_SWAP, FATE_NONE, 0 },
	{ FOUND_UNKNOWN, FATE_NONE, 0 },
};

START_TEST(plain_swap_only)
{
	for (int encrypt = 0; encrypt < 2; encrypt++) {
		struct boot_run run = place(finds[_i].found, finds[_i].fate, encrypt);

		ck_assert_uint_eq(machine.set, finds[_i].set);
		ck_assert_uint_eq(machine.loads, 0);
		ck_assert_int_eq(run.found, finds[_i].found);
		ck_assert_int_eq(run.fate, finds[_i].fate);
		ck_assert_str_eq(run.reason, "");
	}
	machine.initramfs = false;
	place(finds[_i].found, finds[_i].fate, true);
	ck_assert_uint_eq(machine.set, 0);
	machine.initramfs = true;
	machine.cmdline = "noresume";
	place(finds[_i].found, finds[_i].fate, true);
	ck_assert_uint_eq(machine.set, 0);
}
END_TEST

/* Setting it resumes: only in an initramfs. */
START_TEST(kernels_image)
{
	struct boot_run run;

	sign("S1SUSPEND\0");
	machine.initramfs = false;
	run = place(FOUND_KERNEL_IMAGE, FATE_STILL_THERE, false);
	ck_assert_uint_eq(machine.set + machine.restored, 0);
	ck_assert_int_eq(run.fate, FATE_STILL_THERE);

	machine.initramfs = true;
	run = place(FOUND_KERNEL_IMAGE, FATE_STILL_THERE, false);
	ck_assert_uint_eq(machine.set, 1);
	ck_assert_uint_eq(machine.loads, 1);
	ck_assert_uint_eq(machine.cleared, 1);
	ck_assert_int_eq(run.found, FOUND_KERNEL_IMAGE);
	ck_assert_int_eq(run.fate, FATE_DISCARDED);
	ck_assert_ptr_nonnull(strstr(run.reason, "could not resume"));
}
END_TEST

static void expect_discarded(const struct boot_run *run, const char *reason)
{
	char signatures[20];

	ck_assert_int_eq(run->found, FOUND_KERNEL_IMAGE);
	ck_assert_int_eq(run->fate, FATE_DISCARDED);
	ck_assert_msg(strstr(run->reason, reason) != NULL, "%s", run->reason);
	signature_at(signatures);
	ck_assert_int_eq(memcmp(signatures + 10, "SWAPSPACE2", 10), 0);
}

/* The boot continues: a later one must not find it. */
START_TEST(kernels_image_that_is_not_taken)
{
	struct boot_run run;

	sign("S1SUSPEND\0");
	machine.cannot_hibernate = true;
	run = place(FOUND_KERNEL_IMAGE, FATE_STILL_THERE, false);
	expect_discarded(&run, "the kernel did not accept it");
	sign("S1SUSPEND\0");
	machine.error = -EPERM;
	run = place(FOUND_KERNEL_IMAGE, FATE_STILL_THERE, false);
	expect_discarded(&run, "the kernel did not accept it: Operation not permitted");
	/* It cannot be discarded either. */
	sign("S1SUSPEND\0");
	machine.restore = -EIO;
	run = place(FOUND_KERNEL_IMAGE, FATE_STILL_THERE, false);
	ck_assert_int_eq(run.fate, FATE_STILL_THERE);
	ck_assert_int_eq(machine.result, -EIO);
}
END_TEST

/* A second run of the units, from the emergency shell. */
START_TEST(something_is_mounted)
{
	struct boot_run run;

	machine.mounted = true;
	place(FOUND_SWAP, FATE_NONE, false);
	ck_assert_uint_eq(machine.set, 0);
	place(FOUND_IMAGE, FATE_DISCARDED, true);
	ck_assert_uint_eq(machine.set, 0);
	sign("S1SUSPEND\0");
	run = place(FOUND_KERNEL_IMAGE, FATE_STILL_THERE, false);
	ck_assert_uint_eq(machine.set, 0);
	expect_discarded(&run, "file systems are mounted");
}
END_TEST

/* The generator's script names what resume= says, with whatever offset is set. */
START_TEST(another_on_the_command_line)
{
	machine.cmdline = "resume=/dev/x resume_offset=3";
	place(FOUND_SWAP, FATE_NONE, false); /* is not there */
	ck_assert_uint_eq(machine.set, 1);
	machine.other = area.dev;
	place(FOUND_SWAP, FATE_NONE, false);
	ck_assert_uint_eq(machine.set, 1);
	machine.other = makedev(8, 1);
	place(FOUND_SWAP, FATE_NONE, false);
	ck_assert_uint_eq(machine.set, 0);
	/* There is no such script then. */
	place(FOUND_SWAP, FATE_NONE, true);
	ck_assert_uint_eq(machine.set, 1);
	/* An image found here is handled whatever resume= names. */
	sign("S1SUSPEND\0");
	place(FOUND_KERNEL_IMAGE, FATE_STILL_THERE, false);
	ck_assert_uint_eq(machine.loads, 1);
	machine.cmdline = "resume=/dev/x";
	machine.other = area.dev;
	place(FOUND_SWAP, FATE_NONE, false);
	ck_assert_uint_eq(machine.set, 0);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "kernel_place");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_loop_test(tcase, plain_swap_only, 0, (int)ARRAY_SIZE(finds));
	tcase_add_test(tcase, kernels_image);
	tcase_add_test(tcase, kernels_image_that_is_not_taken);
	tcase_add_test(tcase, something_is_mounted);
	tcase_add_test(tcase, another_on_the_command_line);
}
