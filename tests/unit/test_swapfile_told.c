/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-swapfile on real file systems: what it tells the user and the kernel. */
#include "base/bytes.h"
#include "made_disk.h"
#include "made_told.h"
#include "made_tree.h"
#include "swapfile.h"
#include "swapfile_state.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MIB (1ULL << 20)

/* A file of 32 MiB. */
static void made_file(const char *name, char *path, size_t size)
{
	struct swapfile s = made_command(path, size, name);
	struct why w = { "" };

	s.size = 32 * MIB;
	ck_assert_msg(swapfile_do_create(&s, &w) == OUTCOME_DONE, "%s", w.text);
}

static bool mounted(void)
{
	return made_mount("mke2fs -q -F -t ext4 -b 4096", "300M");
}

static struct swapfile command_for(const char *path)
{
	return (struct swapfile){ .system = made_system,
				  .path = path,
				  .report = { .quiet = true } };
}

/* Nobody but root may read it; it is not damaged. */
START_TEST(state_of_root)
{
	struct why w = { "" };
	struct state state;

	if (!made_root_user())
		return;
	made_put_mode(SWAPFILE_STATE, "s2disk-swapfile state 1\n", 0600);
	ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(state_load(&made_system, &state, &w), -EACCES);
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_str_eq(w.text, SWAPFILE_STATE " can be read by root only");
}
END_TEST

/* The running kernel is told of the place, so that logind needs no reboot; it is not where
 * that would undo noresume, nor where there is no plain swap. */
START_TEST(tells_the_kernel)
{
	char path[128], *text = NULL;
	struct why w = { "" };
	struct swapfile s;

	if (!mounted())
		return;
	made_file("file", path, sizeof(path));
	made_put("/proc/cmdline", "quiet noresume\n");
	made_put("/sys/power/resume", "0:0\n");
	made_put("/sys/power/resume_offset", "0\n");
	s = command_for(path);
	ck_assert_msg(swapfile_do_enable(&s, &w) == OUTCOME_DONE, "%s", w.text);
	made_check("/sys/power/resume", "0:0\n");
	made_put("/proc/cmdline", "quiet\n");
	ck_assert_int_eq(swapfile_do_enable(&s, &w), OUTCOME_DONE);
	ck_assert_int_eq(system_read(&made_system, "/sys/power/resume", &text), 0);
	ck_assert_str_ne(text, "0:0\n");
	free(text);
	ck_assert_int_eq(system_read(&made_system, "/sys/power/resume_offset", &text), 0);
	ck_assert_str_ne(text, "0\n");
	free(text);
}
END_TEST

/* What enable says, as JSON. */
static const char *enable_says(const char *path)
{
	static char text[8192];
	struct swapfile s = command_for(path);
	struct why w = { "" };

	s.report = (struct report){ .use_json = true };
	tell_to_file();
	report_begin(&s.report, "enable");
	ck_assert_msg(swapfile_do_enable(&s, &w) == OUTCOME_DONE, "%s", w.text);
	report_end(&s.report, "done", NULL);
	told(text, sizeof(text));
	return text;
}

/* The place that the kernel knew comes back, unless it is none any more. */
START_TEST(kernel_as_before)
{
	char path[128], other[128], number[32], offset[32], ours[32];
	struct why w = { "" };
	struct swap_area area;
	struct swapfile s;

	if (!mounted())
		return;
	made_file("file", path, sizeof(path));
	made_file("other", other, sizeof(other));
	ck_assert_int_eq(swap_area_resolve(path, 0, true, &area, &w), 0);
	snprintf(ours, sizeof(ours), "%u\n", (unsigned int)area.offset);
	ck_assert_int_eq(swap_area_resolve(other, 0, true, &area, &w), 0);
	snprintf(number, sizeof(number), "%u:%u\n", major(area.dev), minor(area.dev));
	snprintf(offset, sizeof(offset), "%u\n", (unsigned int)area.offset);
	made_put("/proc/sys/kernel/random/boot_id", "one\n");
	made_put("/sys/power/resume", number);
	made_put("/sys/power/resume_offset", offset);
	check_told(enable_says(path), "\"do\": \"tell the kernel of\"");
	s = command_for(NULL);
	made_fail = "run"; /* it is before the initramfs is made anew */
	ck_assert_int_eq(swapfile_do_disable(&s, &w), OUTCOME_FAILED);
	made_fail = NULL;
	made_check("/sys/power/resume_offset", offset);
	made_check("/sys/power/resume", number);
	ck_assert_int_eq(swapfile_do_disable(&s, &w), OUTCOME_DONE);

	/* Another boot has other numbers. */
	enable_says(path);
	made_put("/proc/sys/kernel/random/boot_id", "two\n");
	ck_assert_int_eq(swapfile_do_disable(&s, &w), OUTCOME_DONE);
	made_check("/sys/power/resume_offset", ours);
	made_put("/sys/power/resume_offset", offset);
	/* No swap there any more. */
	enable_says(path);
	ck_assert(made_run("dd if=/dev/zero of=mount/other bs=4096 count=1 conv=notrunc,fsync"));
	ck_assert_int_eq(swapfile_do_disable(&s, &w), OUTCOME_DONE);
	made_check("/sys/power/resume_offset", ours);
	made_put("/sys/power/resume_offset", "0\n");
	made_put("/sys/power/resume", "0:0\n");
	enable_says(path);
	ck_assert_int_eq(swapfile_do_disable(&s, &w), OUTCOME_DONE);
	made_check("/sys/power/resume_offset", ours);
}
END_TEST

/* Where no boot will look, nobody is told that one can hibernate. */
START_TEST(no_boot_looks)
{
	char path[128], text[8192];
	struct why w = { "" };
	struct swapfile s;

	if (!mounted())
		return;
	made_file("file", path, sizeof(path));
	made_put("/etc/initramfs-tools/hooks/s2disk", NULL);
	made_put("/sys/power/resume", "0:0\n");
	made_put("/sys/power/resume_offset", "0\n");
	check_told(enable_says(path), "\"warning\": \"s2disk's hook is not installed");
	made_check("/sys/power/resume", "0:0\n");
	made_put("/etc/initramfs-tools/hooks/s2disk", "");
	check_told(enable_says(path), "\"warning\": null");

	s = command_for(path);
	s.report.quiet = false;
	tell_to_file();
	ck_assert_int_eq(swapfile_do_enable(&s, &w), OUTCOME_DONE);
	told(text, sizeof(text));
	check_told(text, "This system can hibernate now");
	made_put("/etc/initramfs-tools/hooks/s2disk", NULL);
	tell_to_file();
	ck_assert_int_eq(swapfile_do_enable(&s, &w), OUTCOME_DONE);
	told(text, sizeof(text));
	check_untold(text, "This system can hibernate now");
}
END_TEST

/* What names another place is told with what to take out. */
START_TEST(named_otherwise)
{
	char path[128];
	const char *text;

	if (!mounted())
		return;
	made_file("file", path, sizeof(path));
	made_put("/proc/cmdline", "quiet resume=UUID=0-0 resume_offset=7 ro\n");
	made_put("/etc/suspend.conf.d/99-local.conf", "resume device = /dev/x\n");
	text = enable_says(path);
	check_told(text, "out of the boot loader's configuration: resume=UUID=0-0 resume_offset=7");
	check_told(text, "\\\"resume device = /dev/x\\\" (");
	check_told(text, "/etc/suspend.conf.d/99-local.conf:1)");
	made_put("/proc/cmdline", "quiet\n");
	made_put("/etc/suspend.conf.d/99-local.conf", "threads = y\n");
	check_told(enable_says(path), "\"warning\": null");
}
END_TEST

/* A session waits in it. */
START_TEST(holds_an_image)
{
	char path[128];
	struct why w = { "" };
	struct swapfile s;
	struct stat st;

	if (!mounted())
		return;
	made_file("file", path, sizeof(path));
	ck_assert(made_run("printf 'S1SUSPEND\\0' | "
			   "dd of=mount/file bs=1 seek=$(($(getconf PAGE_SIZE) - 10)) "
			   "conv=notrunc,fsync"));
	s = command_for(path);
	ck_assert_int_eq(swapfile_do_enable(&s, &w), OUTCOME_REFUSED);
	check_told(w.text, "holds a hibernation image; resume it");
	ck_assert_int_eq(swapfile_do_remove(&s, &w), OUTCOME_REFUSED);
	check_told(w.text, "holds a hibernation image, which would be lost");
	ck_assert_int_eq(stat(path, &st), 0);
}
END_TEST

#define TOLD_STATE(file)                                               \
	"s2disk-swapfile state 1\nplan\t=enable\t=/\x1b[2J\t-\t-\t-\n" \
	"run\t-\t-\t-\t-\t=/usr/sbin/update-initramfs\n"               \
	"run\t=/gone\t-\t-\t-\t=/usr/sbin/update-grub\n" file "swap\t=/\x1b[2J\t-\t-\t-\t-\n"

static const struct {
	const char *state, *told, *would, *log;
} undone[] = {
	{ TOLD_STATE(""), "switch off /?[2J\n", "would switch off /?[2J\n", "" },
	{ TOLD_STATE("file\t=/etc/x\t=b\t=a\t-\t-\n"),
	  "switch off /?[2J\nwrite /etc/x\n    - a\n    + b\nrun /usr/sbin/update-initramfs\n",
	  "would switch off /?[2J\nwould write /etc/x\n    - a\n    + b\n"
	  "would run /usr/sbin/update-initramfs\n",
	  "run /usr/sbin/update-initramfs\n" },
};

/* Nothing is told that is not done, and nothing reaches the terminal but text. */
START_TEST(tells_what_is_done)
{
	char text[8192];
	struct why w = { "" };
	struct swapfile s = command_for(NULL);

	made_put(SWAPFILE_STATE, undone[_i].state);
	made_put("/etc/x", "a");
	s.report.quiet = false;
	for (int dry = 1; dry >= 0; dry--) {
		ck_assert_str_eq(made_log, "");
		s.dry_run = s.report.dry_run = dry;
		tell_to_file();
		ck_assert_msg(swapfile_do_disable(&s, &w) == OUTCOME_DONE, "%s", w.text);
		told(text, sizeof(text));
		ck_assert_str_eq(text, dry ? undone[_i].would : undone[_i].told);
	}
	ck_assert_str_eq(made_log, undone[_i].log);
	made_check("/etc/x", _i ? "b" : "a");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("swapfile_told");
	TCase *tcase = tcase_create("swapfile_told");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, made_disk_create, made_disk_remove);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, state_of_root);
	tcase_add_test(tcase, tells_the_kernel);
	tcase_add_test(tcase, kernel_as_before);
	tcase_add_test(tcase, no_boot_looks);
	tcase_add_test(tcase, named_otherwise);
	tcase_add_test(tcase, holds_an_image);
	tcase_add_loop_test(tcase, tells_what_is_done, 0, (int)ARRAY_SIZE(undone));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
