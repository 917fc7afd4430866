/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The boot record's file: begun, added to, read, and left as it is. */
#include "base/bytes.h"
#include "boot_record_fixture.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "history/boot_record_file.h"
#include "platform/memory/memory_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct boot_record got;

static void make_boot(void)
{
	made_put("/run/x", "");
	made_put("/etc/initrd-release", "");
	made_put("/proc/sys/kernel/random/boot_id", "boot-1\n");
	made_put("/proc/sys/kernel/osrelease", "6.12.9\n");
	made_put("/proc/cmdline", "quiet resume=UUID=1\n");
	made_put("/dev/kmsg", "6,1,2,-;ACPI: DSDT 0x1FFE2182 002B5E\n");
	made_put("/sys/firmware/memmap/0/start", "0x0\n");
	made_put("/sys/firmware/memmap/0/end", "0x9fbff\n");
	made_put("/sys/firmware/memmap/0/type", "System RAM\n");
	made_put("/sys/firmware/memmap/1/start", "0x100000\n");
	made_put("/sys/firmware/memmap/1/end", "0x1fffff\n");
	made_put("/sys/firmware/memmap/1/type", "Unknown E820 type\n");
}

static void read_record(void)
{
	struct why w = { 0 };

	ck_assert_msg(boot_record_read(made_root, &got, &w) == 0, "%s", w.text);
}

START_TEST(is_written)
{
	struct memory_map map, machine;
	char path[128];
	struct stat st;

	make_boot();
	ck_assert_int_eq(boot_record_read(made_root, &got, NULL), -ENOENT);
	ck_assert_int_eq(boot_record_add(made_root, &full_run), 0);
	snprintf(path, sizeof(path), "%s/run/s2disk", made_root);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	snprintf(path, sizeof(path), "%s/run/s2disk/boot", made_root);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	snprintf(path, sizeof(path), "%s/run/s2disk/.boot.part", made_root);
	ck_assert_int_lt(access(path, F_OK), 0);
	read_record();
	ck_assert_str_eq(got.boot_id, "boot-1");
	ck_assert_str_eq(got.kernel, "6.12.9");
	ck_assert_str_eq(got.command_line, "quiet resume=UUID=1");
	ck_assert_str_eq(got.log, "ACPI: DSDT 0x1FFE2182 002B5E\n");
	ck_assert_uint_eq(got.run_count, 1);
	check_run(&got.runs[0], &full_run);
	/* The map is the one that is captured. */
	ck_assert_int_eq(memory_map_capture(made_root, &machine), 0);
	ck_assert_int_eq(memory_map_parse(got.map, &map), 0);
	ck_assert(memory_map_equal(&map, &machine));
	ck_assert_uint_eq(map.entries.items[1].unknown, 1);
	memory_map_free(&map);
	memory_map_free(&machine);
	boot_record_free(&got);
}
END_TEST

/* Again in this boot: the log of its beginning stays. In another boot: a new record. */
START_TEST(is_added_to)
{
	struct boot_run run = { .time = 5, .found = FOUND_SWAP };

	make_boot();
	ck_assert_int_eq(boot_record_add_first(made_root, &full_run), 0);
	made_put("/dev/kmsg", "6,1,2,-;ACPI: SSDT 0x2 1\n");
	ck_assert_int_eq(boot_record_add(made_root, &run), 0);
	ck_assert_int_eq(boot_record_add_first(made_root, &run), 0);
	read_record();
	ck_assert_uint_eq(got.run_count, 2);
	check_run(&got.runs[0], &full_run);
	ck_assert_uint_eq(got.runs[1].time, 5);
	ck_assert_str_eq(got.log, "ACPI: DSDT 0x1FFE2182 002B5E\n");
	boot_record_free(&got);

	made_put("/proc/sys/kernel/random/boot_id", "boot-2\n");
	ck_assert_int_eq(boot_record_read(made_root, &got, NULL), -ESTALE);
	ck_assert_int_eq(boot_record_add_first(made_root, &run), 0);
	read_record();
	ck_assert_str_eq(got.boot_id, "boot-2");
	ck_assert_uint_eq(got.run_count, 1);
	ck_assert_str_eq(got.log, "ACPI: SSDT 0x2 1\n");
	boot_record_free(&got);

	made_put("/run/s2disk/boot", "rubbish");
	ck_assert_int_eq(boot_record_read(made_root, &got, NULL), -EBADMSG);
	ck_assert_int_eq(boot_record_add(made_root, &run), 0);
	read_record();
	ck_assert_uint_eq(got.run_count, 1);
	boot_record_free(&got);
}
END_TEST

/* Nothing but resume's own run: no /proc, no map, no log. */
START_TEST(of_a_poor_initramfs)
{
	made_put("/run/x", "");
	made_put("/etc/initrd-release", "");
	ck_assert_int_eq(boot_record_add(made_root, &full_run), 0);
	read_record();
	ck_assert_str_eq(got.boot_id, "");
	ck_assert_ptr_null(got.map);
	ck_assert_ptr_null(got.log);
	ck_assert_uint_eq(got.run_count, 1);
	boot_record_free(&got);
}
END_TEST

START_TEST(cannot_be_written)
{
	char path[128];

	made_put("/etc/initrd-release", "");
	ck_assert_int_eq(boot_record_add(made_root, &full_run), -ENOENT);
	/* Nor through a link to another place. */
	made_put("/run/x", "");
	made_put("/elsewhere/x", "");
	snprintf(path, sizeof(path), "%s/elsewhere", made_root);
	made_link("/run/s2disk", path);
	ck_assert_int_lt(boot_record_add(made_root, &full_run), 0);
	made_put("/run/s2disk", NULL);
	made_put("/run/s2disk/boot/in-the-way", "");
	ck_assert_int_lt(boot_record_add(made_root, &full_run), 0);
	snprintf(path, sizeof(path), "%s/run/s2disk/.boot.part", made_root);
	ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

#define ROOTFS "1 1 0:2 / / rw - rootfs rootfs rw\n"

static const struct {
	const char *mounts;
	bool is;
} systems[] = {
	{ NULL, false },
	{ "", false },
	{ ROOTFS "2 1 0:3 / /proc rw - proc proc rw\n", true },
	{ ROOTFS "2 1 0:4 / / rw - tmpfs tmpfs rw\n", false }, /* systemd.volatile= */
	{ "2 1 0:4 / / rw - tmpfs tmpfs rw\n3 2 254:1 / /nix rw - ext4 /dev/vda1 rw\n", false },
	{ "2 1 254:1 / / rw - ext4 /dev/vda1 rw\n3 2 0:4 / /run rw - tmpfs tmpfs rw\n", false },
	{ ROOTFS "2 1 254:1 / / rw - ext4 /dev/vda1 rw\n", false },
	{ "2 1 0:4 / / rw - overlay overlay rw\n", false },
};

/* Run by hand in a running system, resume leaves the record unchanged. */
START_TEST(only_in_an_initramfs)
{
	make_boot();
	made_put("/etc/initrd-release", NULL);
	made_put("/proc/self/mountinfo", systems[_i].mounts ? systems[_i].mounts : "x");
	if (!systems[_i].mounts)
		made_put("/proc/self/mountinfo", NULL);
	ck_assert_int_eq(boot_in_initramfs(made_root), systems[_i].is);
	ck_assert_int_eq(boot_record_add(made_root, &full_run), 0);
	ck_assert_int_eq(boot_record_read(made_root, &got, NULL), systems[_i].is ? 0 : -ENOENT);
	if (systems[_i].is)
		boot_record_free(&got);
}
END_TEST

/* What the kernel has dropped after days, and what was not recorded. */
START_TEST(has_the_log)
{
	char *log = NULL;

	ck_assert_int_eq(boot_record_log(made_root, &log), -ENOENT);
	make_boot();
	ck_assert_int_eq(boot_record_add(made_root, &full_run), 0);
	made_put("/dev/kmsg", "6,9,9,-;something else\n");
	ck_assert_int_eq(boot_record_log(made_root, &log), 0);
	ck_assert_str_eq(log, "ACPI: DSDT 0x1FFE2182 002B5E\n");
	free(log);
	made_put("/run/s2disk/boot", "s2disk boot record 1\nboot-id boot-1\n");
	ck_assert_int_eq(boot_record_log(made_root, &log), 0);
	ck_assert_str_eq(log, "something else\n");
	free(log);
	/* Everything that is looked for in a log, and nothing else. */
	made_put("/run/s2disk/boot", NULL);
	made_put("/dev/kmsg", "6,1,2,-;Memory Encryption Features active: AMD SEV\n");
	ck_assert_int_eq(boot_record_add(made_root, &full_run), 0);
	made_put("/dev/kmsg", "");
	ck_assert_int_eq(boot_record_log(made_root, &log), 0);
	ck_assert_str_eq(log, "Memory Encryption Features active: AMD SEV\n");
	free(log);
}
END_TEST

/* A newer program's record stays, and a held lock does not delay the boot. */
START_TEST(leaves_what_is_not_its_own)
{
	static const struct boot_run swap = { .found = FOUND_SWAP };
	char directory[128];
	int fd;

	made_put("/etc/initrd-release", "");
	made_put("/run/s2disk/boot", "s2disk boot record 2\n");
	ck_assert_int_eq(boot_record_add(made_root, &swap), -ENOTSUP);
	ck_assert_int_eq(boot_record_add_first(made_root, &swap), -ENOTSUP);
	made_put("/run/s2disk/boot", NULL);
	snprintf(directory, sizeof(directory), "%s/run/s2disk", made_root);
	fd = open(directory, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert_int_eq(boot_record_add(made_root, &swap), -ENOLCK);
	close(fd);
	ck_assert_int_eq(boot_record_add(made_root, &swap), 0);
}
END_TEST

/* Two scripts of the initramfs at once: both are recorded. */
START_TEST(at_once)
{
	make_boot();
	for (int i = 0; i < 4; i++) {
		pid_t child = fork();

		ck_assert_int_ge(child, 0);
		if (child == 0)
			_exit(boot_record_add(made_root, &full_run) == 0 ? 0 : 1);
	}
	for (int i = 0; i < 4; i++) {
		int status;

		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	read_record();
	ck_assert_uint_eq(got.run_count, 4);
	boot_record_free(&got);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "boot_record_file");

	tcase_add_checked_fixture(tcase, made_root_create, made_root_remove);
	tcase_add_test(tcase, is_written);
	tcase_add_test(tcase, is_added_to);
	tcase_add_test(tcase, of_a_poor_initramfs);
	tcase_add_test(tcase, cannot_be_written);
	tcase_add_test(tcase, leaves_what_is_not_its_own);
	tcase_add_loop_test(tcase, only_in_an_initramfs, 0, (int)ARRAY_SIZE(systems));
	tcase_add_test(tcase, has_the_log);
	tcase_add_test(tcase, at_once);
}
