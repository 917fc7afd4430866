/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The restored system takes pages out of use; the kernel's messages are read. */
#include "aftermath.h"
#include "base/cleanup.h"
#include "kernel/boot_log.h"
#include "kernel/kernel_log.h"
#include "made_root.h"
#include "switch_off.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How many of the writes about the second range the kernel refuses from now on. */
static int refuse;
static unsigned int asked;
static struct offlined_pages offlined;

int __real_io_write_text(const char *root, const char *path, const char *text);
int __wrap_io_write_text(const char *root, const char *path, const char *text);

int __wrap_io_write_text(const char *root, const char *path, const char *text)
{
	asked++;
	if (strncmp(text, "0x8000", 6) == 0 && refuse > 0) {
		refuse--;
		return -EIO;
	}
	return __real_io_write_text(root, path, text);
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

	made_put("/sys/devices/system/memory/soft_offline_page", "");
	ck_assert_uint_eq(aftermath_quarantine(&handover, made_root, 4096, &offlined), 4);
	/* A plain file keeps the last write at its beginning. */
	snprintf(full, sizeof(full), "%s/sys/devices/system/memory/soft_offline_page", made_root);
	file = fopen(full, "r");
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
	ck_assert_str_eq(text, "0x80002000\n");
}
END_TEST

/* The kernel says yes to a page that it poisoned itself, and still uses. */
START_TEST(test_quarantine_own)
{
	struct handover handover = two_ranges();
	const unsigned char poisoned[8] = { 0, 0, 8 };
	char path[256];
	int fd;

	made_put("/sys/devices/system/memory/soft_offline_page", "");
	made_put("/proc/kpageflags", "");
	snprintf(path, sizeof(path), "%s/proc/kpageflags", made_root);
	fd = open(path, O_WRONLY);
	ck_assert_int_eq(ftruncate(fd, 0x80003 * 8), 0);
	ck_assert_int_eq(pwrite(fd, poisoned, 8, 0x80001 * 8), 8);
	close(fd);
	refuse = 1; /* and got in the second pass */
	ck_assert_uint_eq(aftermath_quarantine(&handover, made_root, 4096, &offlined), 4);
	ck_assert_uint_eq(offlined.count, 3);
	ck_assert_uint_eq(offlined.frames[0], 0x7e38b);
	ck_assert_uint_eq(offlined.frames[1], 0x80002);
	ck_assert_uint_eq(offlined.frames[2], 0x80000);
	/* What cannot be known is not noted. */
	unlink(path);
	offlined.count = 0;
	ck_assert_uint_eq(aftermath_quarantine(&handover, made_root, 4096, &offlined), 4);
	ck_assert_uint_eq(offlined.count, 0);
}
END_TEST

/* A page that the kernel refuses is asked for again; those it gave are not. */
START_TEST(test_quarantine_again)
{
	static const struct {
		int refuse;
		unsigned int taken, asked;
	} cases[] = {
		{ 1, 4, 4 + 1 },
		{ 3, 4, 4 + 3 },
		{ 3 + 2, 4, 4 + 3 + 2 },
		/* The third time one page of three is refused, and left. */
		{ 3 + 3 + 1, 3, 4 + 3 + 3 },
		{ 100, 1, 4 + 3 + 3 },
	};
	struct handover handover = two_ranges();

	made_put("/sys/devices/system/memory/soft_offline_page", "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		refuse = cases[i].refuse;
		asked = 0;
		ck_assert_uint_eq(aftermath_quarantine(&handover, made_root, 4096, &offlined),
				  cases[i].taken);
		ck_assert_uint_eq(asked, cases[i].asked);
	}
}
END_TEST

/* As many as there can be, from a page that claims more. */
START_TEST(test_quarantine_most)
{
	struct handover handover = {
		.quarantine_count = 2,
		.quarantine = { { 0x100000, HANDOVER_PAGES_MAX - 1 }, { 0x80000, 5 } },
	};

	made_put("/sys/devices/system/memory/soft_offline_page", "");
	ck_assert_uint_eq(aftermath_quarantine(&handover, made_root, 4096, &offlined),
			  HANDOVER_PAGES_MAX);
}
END_TEST

START_TEST(test_quarantine_not_possible)
{
	struct handover handover = two_ranges();

	ck_assert_uint_eq(aftermath_quarantine(&handover, made_root, 4096, &offlined), 0);
	handover.quarantine_count = 0;
	asked = 0;
	ck_assert_uint_eq(aftermath_quarantine(&handover, made_root, 4096, &offlined), 0);
	ck_assert_uint_eq(asked, 0);
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

START_TEST(test_boot_log)
{
	char *log = NULL, full[128];
	struct stat st;

	ck_assert_int_eq(boot_log_read(made_root, &log), -ENOENT);
	/* No /run: nothing to keep it in. */
	made_put("/dev/kmsg", "6,1,2,-;ACPI: DSDT 0x1FFE2182 002B5E\n");
	ck_assert_int_eq(boot_log_save(made_root), -ENOENT);
	snprintf(full, sizeof(full), "%s/run", made_root);
	ck_assert_int_eq(mkdir(full, 0700), 0);
	ck_assert_int_eq(boot_log_save(made_root), 0);
	snprintf(full, sizeof(full), "%s/run/s2disk/boot.log", made_root);
	ck_assert_int_eq(stat(full, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);

	/* Days later the kernel has forgotten; a second boot script changes nothing. */
	made_put("/dev/kmsg", "6,9,9,-;something else\n");
	ck_assert_int_eq(boot_log_save(made_root), 0);
	ck_assert_int_eq(boot_log_read(made_root, &log), 0);
	ck_assert_str_eq(log, "ACPI: DSDT 0x1FFE2182 002B5E\n");
	free(log);
}
END_TEST

START_TEST(test_method)
{
	made_put("/sys/power/disk", "[platform] shutdown reboot suspend test_resume\n");
	ck_assert_int_eq(switch_off_method(METHOD_PLATFORM, made_root), METHOD_PLATFORM);
	made_put("/sys/power/disk", "[shutdown] reboot suspend test_resume\n");
	ck_assert_int_eq(switch_off_method(METHOD_PLATFORM, made_root), METHOD_SHUTDOWN);
	ck_assert_int_eq(switch_off_method(METHOD_REBOOT, made_root), METHOD_REBOOT);
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

	tcase_add_checked_fixture(tcase, made_root_create, made_root_remove);
	tcase_add_test(tcase, test_quarantine_own);
	tcase_add_test(tcase, test_quarantine);
	tcase_add_test(tcase, test_quarantine_again);
	tcase_add_test(tcase, test_quarantine_most);
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
