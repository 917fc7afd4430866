/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the restored system logs; the kernel's messages are read. */
#include "s2disk/aftermath/aftermath.h"
#include "fixtures/check_main.h"
#include "kernel/messages/kernel_log.h"
#include "fixtures/machine/made_root.h"
#include "s2disk/power_off.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

START_TEST(test_describe)
{
	char text[200];

	aftermath_describe(text, sizeof(text), 200u << 20, 100u << 20, 2000000);
	ck_assert_str_eq(text,
			 "200 MiB of memory as 100 MiB (2.00:1), written in 2.0 s (100 MiB/s)");
	/* Implausible numbers in a hand-over page. */
	aftermath_describe(text, sizeof(text), UINT64_MAX, 0, 0);
	ck_assert_ptr_nonnull(strstr(text, "written in 0.0 s"));
}
END_TEST

/* The records that are none are skipped. */
START_TEST(test_kernel_log_next)
{
	unsigned int level = 99;
	char text[64];
	int fd;

	made_put("/dev/kmsg", "4,1,2,-\nx,1;text\n4,1234,5678,-;a warning\n SUBSYSTEM=x\n"
			      "30,1,2,-;from user space\n4,1,2,-;a;b\n4;no comma\n");
	fd = kernel_log_open(made_root, false);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(kernel_log_next(fd, text, sizeof(text), &level), 1);
	ck_assert_str_eq(text, "a warning");
	ck_assert_uint_eq(level, 4);
	/* The facility is in the higher bits. */
	ck_assert_int_eq(kernel_log_next(fd, text, sizeof(text), &level), 1);
	ck_assert_str_eq(text, "from user space");
	ck_assert_uint_eq(level, 6);
	ck_assert_int_eq(kernel_log_next(fd, text, 3, &level), 1);
	ck_assert_str_eq(text, "a;");
	ck_assert_int_eq(kernel_log_next(fd, text, sizeof(text), &level), 0);
	close(fd);
}
END_TEST

START_TEST(test_kernel_log_read)
{
	char *log = NULL;

	ck_assert_int_eq(kernel_log_read(made_root, 1000, &log), -ENOENT);
	made_put("/dev/kmsg", "6,1,2,-;ACPI: DSDT 0x1FFE2182 002B5E\n");
	ck_assert_int_eq(kernel_log_read(made_root, 1000, &log), 0);
	ck_assert_str_eq(log, "ACPI: DSDT 0x1FFE2182 002B5E\n");
	free(log);
	/* Bounded. */
	ck_assert_int_eq(kernel_log_read(made_root, 10, &log), 0);
	ck_assert_str_eq(log, "");
	free(log);
}
END_TEST

START_TEST(test_method)
{
	made_put("/sys/power/disk", "[platform] shutdown reboot suspend test_resume\n");
	ck_assert_int_eq(power_off_method(METHOD_PLATFORM, made_root), METHOD_PLATFORM);
	made_put("/sys/power/disk", "[shutdown] reboot suspend test_resume\n");
	ck_assert_int_eq(power_off_method(METHOD_PLATFORM, made_root), METHOD_SHUTDOWN);
	ck_assert_int_eq(power_off_method(METHOD_REBOOT, made_root), METHOD_REBOOT);
	ck_assert_int_eq(power_off_method(METHOD_SUSPEND, "/nonexistent"), METHOD_SUSPEND);
	ck_assert_int_eq(power_off_method(METHOD_PLATFORM, "/nonexistent"), METHOD_SHUTDOWN);
}
END_TEST

/* As a page has them: raw, one boot that restored the image. */
START_TEST(test_boots)
{
	static const unsigned char boots[] = { 1, 0,   0, 0, 20, 0, 0, 0, /* form, raw, size */
					       1, 1,   1, 7, 9,	 0, 0, 1, /* when, memory */
					       1, 'm', 0, 0, 1,	 1,	  /* names, entries */
					       0, 127, 2, 0 };
	static struct handover handover;
	struct memory_map map = { 0 };
	struct boots_seen seen;

	aftermath_take_boots(&handover, &seen);
	ck_assert_uint_eq(seen.items.count, 0);
	memcpy(handover.boots, boots, sizeof(boots));
	handover.boots_length = sizeof(boots);
	handover.boots[4] = sizeof(boots) - 8;
	aftermath_take_boots(&handover, &seen);
	ck_assert_uint_eq(seen.items.count, 1);
	ck_assert_int_eq(seen.items.items[0].outcome, BOOT_RESUMED);
	ck_assert_uint_eq(seen.items.items[0].memory.time, 7);
	ck_assert_str_eq(seen.items.items[0].memory.machine, "m");
	aftermath_take_map(&seen, &map);
	ck_assert_uint_eq(map.entries.count, 1);
	ck_assert_uint_eq(map.entries.items[0].end, 127);
	memory_map_free(&map);
	/* One that refused it is not the one that restored it. */
	seen.items.items[0].outcome = BOOT_REFUSED;
	aftermath_take_map(&seen, &map);
	ck_assert_uint_eq(map.entries.count, 0);
	boots_seen_free(&seen);
	/* Damaged, or newer: the rest of the hand-over counts. */
	handover.boots_length--;
	aftermath_take_boots(&handover, &seen);
	ck_assert_uint_eq(seen.items.count, 0);
	handover.boots[0] = 2;
	aftermath_take_boots(&handover, &seen);
	ck_assert_uint_eq(seen.items.count, 0);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "aftermath");

	tcase_add_checked_fixture(tcase, made_root_create, made_root_remove);
	tcase_add_test(tcase, test_describe);
	tcase_add_test(tcase, test_boots);
	tcase_add_test(tcase, test_kernel_log_next);
	tcase_add_test(tcase, test_kernel_log_read);
	tcase_add_test(tcase, test_method);
}
