/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The restored system takes pages out of use; the kernel's messages are read. */
#include "aftermath.h"
#include "base/cleanup.h"
#include "kernel/boot_log.h"
#include "kernel/kernel_log.h"
#include "switch_off.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

static void make_root(void)
{
	char command[512];

	snprintf(root, sizeof(root), "/tmp/s2disk-aftermath-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(command, sizeof(command),
		 "mkdir -p %s/sys/devices/system/memory %s/sys/power %s/dev", root, root, root);
	ck_assert_int_eq(system(command), 0);
}

static void remove_root(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	ck_assert_int_eq(system(command), 0);
}

static void put_file(const char *path, const char *text)
{
	char full[256];
	_cleanup_fclose_ FILE *file = NULL;

	snprintf(full, sizeof(full), "%s%s", root, path);
	file = fopen(full, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
}

static struct handover two_ranges(void)
{
	return (struct handover){
		.quarantine_count = 2,
		.quarantine = { { 0x7e38b, 1 }, { 0x80000, 3 } },
	};
}

START_TEST(test_quarantine)
{
	struct handover handover = two_ranges();
	char full[256], text[256] = "";
	_cleanup_fclose_ FILE *file = NULL;

	put_file("/sys/devices/system/memory/soft_offline_page", "");
	ck_assert_uint_eq(aftermath_quarantine(&handover, root, 4096), 4);
	/* A plain file keeps the last write at its beginning. */
	snprintf(full, sizeof(full), "%s/sys/devices/system/memory/soft_offline_page", root);
	file = fopen(full, "r");
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
	ck_assert_str_eq(text, "0x80002000\n");
}
END_TEST

START_TEST(test_quarantine_not_possible)
{
	struct handover handover = two_ranges();

	ck_assert_uint_eq(aftermath_quarantine(&handover, root, 4096), 0);
	handover.quarantine_count = 0;
	ck_assert_uint_eq(aftermath_quarantine(&handover, root, 4096), 0);
}
END_TEST

START_TEST(test_describe)
{
	char text[200];

	aftermath_describe(text, sizeof(text), 200u << 20, 100u << 20, 2000000);
	ck_assert_str_eq(text,
			 "200 MiB of memory as 100 MiB (2.00:1), written in 2.0 s (100 MiB/s)");
	/* Numbers of a hand-over page nobody would believe. */
	aftermath_describe(text, sizeof(text), UINT64_MAX, 0, 0);
	ck_assert_ptr_nonnull(strstr(text, "written in 0.0 s"));
}
END_TEST

START_TEST(test_kernel_log_parse)
{
	char text[64];
	unsigned int level = 99;

	ck_assert_int_eq(kernel_log_parse("4,1234,5678,-;a warning\n SUBSYSTEM=x\n", text,
					  sizeof(text), &level),
			 0);
	ck_assert_str_eq(text, "a warning");
	ck_assert_uint_eq(level, 4);
	/* The facility is in the higher bits. */
	ck_assert_int_eq(kernel_log_parse("30,1,2,-;from user space", text, sizeof(text), &level),
			 0);
	ck_assert_uint_eq(level, 6);
	ck_assert_int_eq(kernel_log_parse("4,1,2,-;a;b", text, 3, &level), 0);
	ck_assert_str_eq(text, "a;");
	ck_assert_int_eq(kernel_log_parse("", text, sizeof(text), &level), -EBADMSG);
	ck_assert_int_eq(kernel_log_parse("4,1,2,-", text, sizeof(text), &level), -EBADMSG);
	ck_assert_int_eq(kernel_log_parse("x,1;text", text, sizeof(text), &level), -EBADMSG);
}
END_TEST

START_TEST(test_kernel_log_read)
{
	char *log = NULL;

	ck_assert_int_eq(kernel_log_read(root, 1000, &log), -ENOENT);
	put_file("/dev/kmsg", "6,1,2,-;ACPI: DSDT 0x1FFE2182 002B5E\n");
	ck_assert_int_eq(kernel_log_read(root, 1000, &log), 0);
	ck_assert_str_eq(log, "ACPI: DSDT 0x1FFE2182 002B5E\n");
	free(log);
	/* Bounded. */
	ck_assert_int_eq(kernel_log_read(root, 10, &log), 0);
	ck_assert_str_eq(log, "");
	free(log);
}
END_TEST

START_TEST(test_boot_log)
{
	char *log = NULL, full[128];
	struct stat st;

	ck_assert_int_eq(boot_log_read(root, &log), -ENOENT);
	/* No /run: nothing to keep it in. */
	put_file("/dev/kmsg", "6,1,2,-;ACPI: DSDT 0x1FFE2182 002B5E\n");
	ck_assert_int_eq(boot_log_save(root), -ENOENT);
	snprintf(full, sizeof(full), "%s/run", root);
	ck_assert_int_eq(mkdir(full, 0700), 0);
	ck_assert_int_eq(boot_log_save(root), 0);
	snprintf(full, sizeof(full), "%s/run/s2disk/boot.log", root);
	ck_assert_int_eq(stat(full, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);

	/* Days later the kernel has forgotten; a second boot script changes nothing. */
	put_file("/dev/kmsg", "6,9,9,-;something else\n");
	ck_assert_int_eq(boot_log_save(root), 0);
	ck_assert_int_eq(boot_log_read(root, &log), 0);
	ck_assert_str_eq(log, "ACPI: DSDT 0x1FFE2182 002B5E\n");
	free(log);
}
END_TEST

START_TEST(test_method)
{
	put_file("/sys/power/disk", "[platform] shutdown reboot suspend test_resume\n");
	ck_assert_int_eq(switch_off_method(METHOD_PLATFORM, root), METHOD_PLATFORM);
	put_file("/sys/power/disk", "[shutdown] reboot suspend test_resume\n");
	ck_assert_int_eq(switch_off_method(METHOD_PLATFORM, root), METHOD_SHUTDOWN);
	ck_assert_int_eq(switch_off_method(METHOD_REBOOT, root), METHOD_REBOOT);
	ck_assert_int_eq(switch_off_method(METHOD_SUSPEND, "/nonexistent"), METHOD_SUSPEND);
	ck_assert_int_eq(switch_off_method(METHOD_PLATFORM, "/nonexistent"), METHOD_SHUTDOWN);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("aftermath");
	TCase *tcase = tcase_create("aftermath");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, make_root, remove_root);
	tcase_add_test(tcase, test_quarantine);
	tcase_add_test(tcase, test_quarantine_not_possible);
	tcase_add_test(tcase, test_describe);
	tcase_add_test(tcase, test_kernel_log_parse);
	tcase_add_test(tcase, test_kernel_log_read);
	tcase_add_test(tcase, test_boot_log);
	tcase_add_test(tcase, test_method);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
