/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pre-flight: the area, its first page, its size, and what is advised. */
#include "fixtures/check_main.h"
#include "fixtures/machine/preflight_fixture.h"

START_TEST(swap_file_is_well)
{
	use_swap_file();
	ck_assert_int_eq(run(), CHECK_OK);
	expect("swap-area", CHECK_OK, "/swapfile is active (/dev/vda1, page 3)", "");
	expect("swap-size", CHECK_OK, "1024 MiB are free in /swapfile", "");
	expect("mounted-device", CHECK_OK, "/dev/vda1", "");
}
END_TEST

START_TEST(no_area)
{
	const struct preflight_target silent = { 0 };
	const struct preflight_target failed = { .area_problem = "UUID=77: no such device" };

	tree("no-swap");
	ck_assert_int_eq(run_for(&silent), CHECK_FAILED);
	expect_only("swap-area", CHECK_FAILED, "no swap area was found", "s2disk-swapfile create");
	ck_assert_ptr_null(find("swap-size"));
	ck_assert_int_eq(run_for(&failed), CHECK_FAILED);
	expect_only("swap-area", CHECK_FAILED, "UUID=77: no such device", "s2disk-swapfile create");
}
END_TEST

START_TEST(area_not_active)
{
	tree("no-swap");
	machine.active = -ENODEV;
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("swap-area", CHECK_FAILED, "not active", "swapon /dev/vda2");
	ck_assert_ptr_null(find("swap-size"));
	/* Where the kernel cannot be asked, the list decides. */
	machine.snapshot = -EBUSY;
	run();
	expect("swap-area", CHECK_FAILED, "not active", "swapon /dev/vda2");
}
END_TEST

/* swapon and mkswap are for swap: resume= may name the root file system's device. */
START_TEST(area_not_active_is_no_swap)
{
	tree("no-swap");
	machine.active = -ENODEV;
	machine.signature = "";
	strcpy(machine.area.name, "UUID=the-root-file-system");
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("swap-area", CHECK_FAILED, "not active", "name a swap partition, or the path");
	ck_assert_ptr_null(strstr(find("swap-area")->advice, "swapon /"));
	ck_assert_ptr_null(strstr(find("swap-area")->advice, "swapon UUID"));
	ck_assert_ptr_null(strstr(find("swap-area")->advice, "mkswap"));
	/* Nor where it cannot be read. */
	machine.read = -EIO;
	run();
	ck_assert_ptr_null(strstr(find("swap-area")->advice, "swapon /"));
	/* Another area is active. */
	tree("busy-swap");
	strcpy(machine.area.name, "UUID=another");
	run();
	expect("swap-area", CHECK_FAILED, "not active",
	       "name the active swap area, /dev/vda2, with -r");
}
END_TEST

START_TEST(area_not_active_holds_an_image)
{
	tree("no-swap");
	machine.active = -ENODEV;
	machine.signature = "ULSUSPEND";
	machine.header = true;
	run();
	expect("swap-area", CHECK_FAILED, "not active",
	       "it holds an image (see s2disk-inspect); to discard it: run \"swapoff "
	       "/dev/vda2; " MKSWAP "/dev/vda2\", and swapon it");
}
END_TEST

START_TEST(area_not_active_by_offset)
{
	machine.active = -ENODEV;
	machine.area.file = true;
	machine.area.offset = 5;
	strcpy(machine.area.name, "UUID=the-root-file-system");
	strcpy(machine.area.device, "/dev/vda1");
	run();
	expect("swap-area", CHECK_FAILED, "not active", "beginning of a swap file");
	ck_assert_ptr_null(strstr(find("swap-area")->advice, "swapon UUID"));
}
END_TEST

/* swapoff still runs: the list has it, and the kernel does not take it. */
START_TEST(area_being_switched_off)
{
	machine.active = -ENODEV;
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect("swap-area", CHECK_FAILED, "/dev/vda2 is being deactivated",
	       "then swapon /dev/vda2");
}
END_TEST

START_TEST(area_active_elsewhere)
{
	use_swap_file();
	machine.active = -ENODEV;
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect("swap-area", CHECK_FAILED, "no swap at page 3 of /dev/vda1", "resume_offset=");
}
END_TEST

START_TEST(kernel_knows_better_than_the_list)
{
	/* A swap file that was given as a device and an offset. */
	use_swap_file();
	machine.area.file = false;
	strcpy(machine.area.name, "/dev/vda1");
	machine.avail = 77 * MIB;
	ck_assert_int_eq(run(), CHECK_WARNING);
	expect_only("swap-size", CHECK_WARNING, "77 MiB are free in /dev/vda1", "larger");
	expect("mounted-device", CHECK_OK, "/dev/vda1", "");
}
END_TEST

START_TEST(area_on_zram)
{
	tree("zram");
	strcpy(machine.area.name, "/dev/zram0");
	strcpy(machine.area.device, "/dev/zram0");
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("swap-area", CHECK_FAILED, "/dev/zram0 cannot hold an image",
		    "s2disk-swapfile create");
}
END_TEST

static const struct {
	const char *signature, *text, *advice;
} signatures[] = {
	{ "", "no swap signature at page 0 of /dev/vda2", "if they are right, " },
	{ "S1SUSPEND", "holds a hibernation image", "the image is stale: " },
	{ "ULSUSPEND", "holds a hibernation image", "the image is stale: " },
};

START_TEST(area_without_swap_signature)
{
	machine.signature = signatures[_i].signature;
	machine.header = true;
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("swap-area", CHECK_FAILED, signatures[_i].text, signatures[_i].advice);
	expect("swap-area", CHECK_FAILED, "",
	       "run \"swapoff /dev/vda2; " MKSWAP "/dev/vda2\", and swapon it");
	/* It may hold anything then. */
	machine.header = false;
	run();
	expect("swap-area", CHECK_FAILED, "", "blkid -p /dev/vda2");
	ck_assert_ptr_null(strstr(find("swap-area")->advice, "mkswap"));
	ck_assert_ptr_null(strstr(find("swap-area")->advice, "swapon"));
}
END_TEST

/* The device has a file system, which mkswap would destroy. */
START_TEST(file_without_swap_signature)
{
	const struct check *check;

	use_swap_file();
	machine.signature = signatures[_i].signature;
	run();
	expect("swap-area", CHECK_FAILED, "", "run \"swapoff /swapfile; mkswap /swapfile\"");
	machine.area.file_named = false;
	strcpy(machine.area.name, "/dev/vda1"); /* not listed */
	run();
	expect("swap-area", CHECK_FAILED, "", "mkswap with its path (never with /dev/vda1)");
	check = find("swap-area");
	ck_assert_ptr_null(strstr(check->advice, "mkswap /"));
	machine.header = true;
	run();
	expect("swap-area", CHECK_FAILED, "", MKSWAP "with its path (never with /dev/vda1)");
}
END_TEST

/* Only the place is named, but the kernel's list has the path. */
START_TEST(file_is_named_where_its_path_is_known)
{
	use_swap_file();
	machine.signature = "";
	machine.area.file_named = false;
	run();
	expect("swap-area", CHECK_FAILED, "", "run \"swapoff /swapfile; mkswap /swapfile\"");
}
END_TEST

START_TEST(area_cannot_be_read)
{
	machine.read = -EIO;
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("swap-area", CHECK_FAILED, "/dev/vda2: Input/output error", "dmesg");
}
END_TEST

START_TEST(swap_size)
{
	/* 298 MiB must be saved; 200, then 50 are free. */
	tree("busy-swap");
	ck_assert_int_eq(run(), CHECK_WARNING);
	expect_only("swap-size", CHECK_WARNING,
		    "200 MiB are free in /dev/vda2; at least 298 MiB must be saved", "larger");
	tree("full-swap");
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("swap-size", CHECK_FAILED, "75 MiB even compressed 4 to 1", "larger");
}
END_TEST

START_TEST(swap_size_without_compression)
{
	machine.settings.compress = false;
	ck_assert_int_eq(run(), CHECK_OK);
	tree("busy-swap");
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("swap-size", CHECK_FAILED, "298 MiB uncompressed", "compress = y");
}
END_TEST

START_TEST(device_of_a_swap_file)
{
	use_swap_file();
	machine.write = -EBUSY;
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("mounted-device", CHECK_FAILED, "CONFIG_BLK_DEV_WRITE_MOUNTED=n",
		    "bdev_allow_write_mounted=1");
	machine.write = -EPERM;
	run();
	expect_only("mounted-device", CHECK_FAILED, "CONFIG_BLK_DEV_WRITE_MOUNTED=n",
		    "bdev_allow_write_mounted=1");
	machine.write = -EROFS;
	run();
	expect_only("mounted-device", CHECK_FAILED, "Read-only file system", "read-only");
}
END_TEST

START_TEST(more_than_half_of_the_memory)
{
	tree("big-memory");
	ck_assert_int_eq(run(), CHECK_WARNING);
	expect_only("memory", CHECK_WARNING, "1948 of 2048 MiB are in use and at least 1698 MiB",
		    "close programs");
	expect("swap-size", CHECK_OK, "at least 1698 MiB must be saved, 674 MiB of it moved", "");
}
END_TEST

START_TEST(meminfo_that_cannot_be_read)
{
	tree("broken-meminfo");
	ck_assert_int_eq(run(), CHECK_WARNING);
	expect_only("memory", CHECK_WARNING, "/proc/meminfo", "/proc is mounted");
	ck_assert_ptr_null(find("swap-size"));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "swap");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, swap_file_is_well);
	tcase_add_test(tcase, no_area);
	tcase_add_test(tcase, area_not_active);
	tcase_add_test(tcase, area_not_active_is_no_swap);
	tcase_add_test(tcase, area_not_active_holds_an_image);
	tcase_add_test(tcase, area_not_active_by_offset);
	tcase_add_test(tcase, area_being_switched_off);
	tcase_add_test(tcase, area_active_elsewhere);
	tcase_add_test(tcase, kernel_knows_better_than_the_list);
	tcase_add_test(tcase, area_on_zram);
	tcase_add_loop_test(tcase, area_without_swap_signature, 0, COUNT(signatures));
	tcase_add_loop_test(tcase, file_without_swap_signature, 0, COUNT(signatures));
	tcase_add_test(tcase, file_is_named_where_its_path_is_known);
	tcase_add_test(tcase, area_cannot_be_read);
	tcase_add_test(tcase, swap_size);
	tcase_add_test(tcase, swap_size_without_compression);
	tcase_add_test(tcase, device_of_a_swap_file);
	tcase_add_test(tcase, more_than_half_of_the_memory);
	tcase_add_test(tcase, meminfo_that_cannot_be_read);
}
