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

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "aftermath");

	tcase_add_checked_fixture(tcase, made_root_create, made_root_remove);
	tcase_add_test(tcase, test_describe);
	tcase_add_test(tcase, test_kernel_log_next);
	tcase_add_test(tcase, test_kernel_log_read);
	tcase_add_test(tcase, test_method);
}
