/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "No hibernation without a way back": what this boot did, on made-up systems. */
#include "boot/hibernate_location.h"
#include "boot/initramfs.h"
#include "config/image_keys.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/way_back_fixture.h"

#define BOOTED "the initramfs that booted this system "
#define OK_TEXT BOOTED "looks for it: at "

START_TEST(is_proven_by_this_boot)
{
	expect(CHECK_OK, OK_TEXT "UUID=2, page 0 (resume= on the kernel command line)", "");
	/* Files in /boot that are older than this boot are not even read. */
	put_file("/boot/initrd.img-6.1", "no cpio", BEGAN - 1000);
	expect(CHECK_OK, OK_TEXT, "");
	/* An image that was discarded, or the kernel's own: it was looked at there. */
	run.found = FOUND_IMAGE;
	run.fate = FATE_DISCARDED;
	expect(CHECK_OK, OK_TEXT, "");
	run.found = FOUND_KERNEL_IMAGE;
	run.offset = area.offset = 34816;
	expect(CHECK_OK, OK_TEXT "UUID=2, page 34816", "");
}
END_TEST

/* HibernateLocation: UTF-16 after four bytes of attributes. */
static void put_variable(const char *text)
{
	unsigned char raw[512] = { 7 };

	for (size_t i = 0; text[i]; i++)
		raw[4 + 2 * i] = (unsigned char)text[i];
	made_put_bytes(HIBERNATE_LOCATION_FILE, raw, 4 + 2 * strlen(text));
}

/* Then s2disk itself sees to it that the variable is written. */
START_TEST(depends_on_the_variable)
{
	expect(CHECK_OK, OK_TEXT, "");
	ck_assert_int_eq(result.without_variable, CHECK_OK);
	run.by = NAMED_BY_FIRMWARE;
	expect(CHECK_OK, OK_TEXT "UUID=2, page 0 (the firmware's variable HibernateLocation)", "");
	ck_assert_int_eq(result.without_variable, CHECK_FAILED);
	settings.way_back = WAY_BACK_WARN;
	expect(CHECK_OK, OK_TEXT, "");
	ck_assert_int_eq(result.without_variable, CHECK_WARNING);
	settings.way_back = WAY_BACK_REQUIRE;
	run.found = FOUND_NO_DEVICE;
	expect(CHECK_FAILED, "did not find UUID=2", "");
	ck_assert_int_eq(result.without_variable, CHECK_OK);
	run.found = FOUND_SWAP;
	/* Another system's image is there. */
	made_put("/etc/os-release", "ID=debian\n");
	put_variable("{\"uuid\":\"0f2a4c6e-1b3d-4f50-8a9b-c0d1e2f30415\",\"offset\":1,"
		     "\"osReleaseId\":\"x\"}");
	look();
	ck_assert_uint_eq(result.count, 2);
	ck_assert_int_eq(result.checks[0].level, CHECK_FAILED);
	ck_assert_ptr_nonnull(strstr(result.checks[0].text, "of another system (x, Linux "));
	ck_assert_ptr_nonnull(strstr(result.checks[0].advice, "resume device"));
	ck_assert_ptr_nonnull(strstr(result.checks[0].advice, AROUND));
	run.by = NAMED_BY_KERNEL;
	expect(CHECK_OK, OK_TEXT, "");
}
END_TEST

START_TEST(was_elsewhere)
{
	run.minor = 1;
	strcpy(run.named, "UUID=1");
	expect(CHECK_FAILED,
	       BOOTED "looks at UUID=1, page 0 (resume= on the kernel command line), but the image "
		      "would go to /dev/vda2, page 0",
	       AROUND);
	run.minor = 2;
	strcpy(run.named, "UUID=2");
	run.offset = 5;
	expect(CHECK_FAILED, "page 5 (resume=", "reboot once to confirm it");
	run.by = NAMED_BY_DEFAULT;
	expect(CHECK_FAILED, "page 5 (the initramfs' own", "command that regenerates");
	run.by = NAMED_BY_KERNEL;
	run.offset = 0;
	/* By another number, and still the same swap (multipath). */
	run.minor = 9;
	strcpy(run.uuid, "41424344-4546-4748-494a-4b4c4d4e4f50");
	strcpy(run.named, "/dev/vda2");
	area_uuid = run.uuid;
	expect(CHECK_OK, OK_TEXT, "");
	area_uuid = "41424344-0000-4748-494a-4b4c4d4e4f50";
	expect(CHECK_FAILED, "looks at /dev/vda2", "");
}
END_TEST

static const struct {
	enum boot_found found;
	const char *text, *advice;
} failures[] = {
	{ FOUND_NOTHING_NAMED, "does not know where an image is", "s2disk-swapfile enable" },
	{ FOUND_NO_DEVICE, "did not find UUID=2 (resume= ", "crypttab" },
	{ FOUND_NOT_LOOKED, "did not wait for UUID=2", "reboot once to confirm it" },
	{ FOUND_UNUSABLE, "could not use UUID=2 (resume= on the kernel command line): read error",
	  "correct it" },
	{ FOUND_OTHER_SWAP, "could not use UUID=2", "correct it" },
	{ FOUND_NO_SWAP, "found no swap on UUID=2", "a permanent key" },
	{ FOUND_UNKNOWN, "could not use UUID=2", "correct it" },
};

START_TEST(was_not_found)
{
	run.found = failures[_i].found;
	strcpy(run.reason, "read error");
	expect(CHECK_FAILED, failures[_i].text, failures[_i].advice);
	expect(CHECK_FAILED, failures[_i].text, AROUND);
	/* That it is another place is of more use. */
	if (run.found != FOUND_NOTHING_NAMED && run.found != FOUND_NO_DEVICE &&
	    run.found != FOUND_NOT_LOOKED) {
		run.minor = 1;
		expect(CHECK_FAILED, "looks at UUID=2, page 0", AROUND);
		run.minor = 2;
	}
	run.has_number = false;
	expect(CHECK_FAILED, failures[_i].text, failures[_i].advice);
	settings.way_back = WAY_BACK_WARN;
	expect(CHECK_WARNING, failures[_i].text, failures[_i].advice);
	ck_assert_ptr_null(strstr(result.checks[0].advice, AROUND));
}
END_TEST

START_TEST(would_not_have_resumed)
{
	run.noresume = true;
	expect(CHECK_FAILED, "has noresume",
	       "boot loader's configuration; reboot once to confirm it");
	run.noresume = false;
	strcpy(run.settings, "/etc/suspend.conf:1: no such setting");
	expect(CHECK_FAILED, "has wrong settings: /etc/suspend.conf:1", "correct");
	run.settings[0] = '\0';
	run.encrypt = true;
	expect(CHECK_FAILED, "accepts only encrypted images", AROUND);
	settings.encrypt = true;
	expect(CHECK_OK, OK_TEXT, "");
	run.encrypt = settings.encrypt = false;
	strcpy(run.form, "s2disk images, form 0");
	made_put_mode("/usr/bin/mkinitcpio", "", 0755);
	expect(CHECK_FAILED, "runs no resume that can read images of this", "mkinitcpio -P");
}
END_TEST

/* The most relevant run counts, not the last one. */
START_TEST(reads_every_run)
{
	struct boot_run nothing = run;

	nothing.found = FOUND_NOT_LOOKED;
	nothing.has_number = false;
	more_runs[0] = nothing;
	more_count = 1;
	expect(CHECK_OK, OK_TEXT, "");
	more_runs[1] = more_runs[0];
	more_runs[1].found = FOUND_SWAP;
	more_runs[1].has_number = true;
	more_runs[1].minor = 1;
	more_count = 2;
	expect(CHECK_OK, OK_TEXT, "");
}
END_TEST

/* mkswap since. */
START_TEST(sees_that_the_name_is_gone)
{
	strcpy(run.named, "UUID=7");
	expect(CHECK_FAILED, "looks for something that no longer exists: UUID=7: no such", AROUND);
	strcpy(run.named, "UUID=1");
	expect(CHECK_FAILED, "looks at UUID=1, page 0", "correct resume=");
	/* The very device. */
	strcpy(run.named, "/dev/mapper/x");
	strcpy(area.device, "/dev/mapper/x");
	expect(CHECK_OK, OK_TEXT, "");
}
END_TEST

START_TEST(compares_keys)
{
	settings.encrypt = true;
	strcpy(settings.key_file, "/etc/image.key");
	made_put("/etc/image.key", KEY);
	expect(CHECK_FAILED,
	       BOOTED
	       "does not have the same key file, and nothing else opens the image: /etc/image.key",
	       "\"key file in initramfs = y\"");
	run.key_count = 1;
	strcpy(run.keys[0].path, "/etc/image.key");
	expect(CHECK_FAILED, "does not have the same key file", AROUND);
	ck_assert_int_eq(image_keys_digest(made_root, "/etc/image.key", run.keys[0].digest, NULL),
			 0);
	expect(CHECK_OK, OK_TEXT, "");
	made_put("/etc/image.key", KEY "!");
	expect(CHECK_FAILED, "does not have the same key file", "");
	/* Of two, one is enough. */
	strcpy(settings.key_file, "/etc/image.key /run/key");
	strcpy(run.keys[1].path, "/run/key");
	run.key_count = 2;
	expect(CHECK_OK, OK_TEXT, "");
	/* The boot that restored an image had no room for digests. */
	run.key_count = 0;
	expect(CHECK_FAILED, "does not have the same key file", "");
	run.fate = FATE_RESTORED;
	run.found = FOUND_IMAGE;
	expect(CHECK_FAILED, "does not have the same key file", "");
	keys_left_out = true;
	expect(CHECK_OK, OK_TEXT, "");
	run.fate = FATE_NONE;
	expect(CHECK_FAILED, "does not have the same key file", "");
	/* A passphrase is asked for. */
	settings.passphrase_set = settings.passphrase = true;
	expect(CHECK_OK, OK_TEXT, "");
}
END_TEST

START_TEST(warns_of_readers_of_the_key)
{
	const char *files[] = { "etc/image.key", KEY, NULL };
	char full[256];

	settings.encrypt = true;
	strcpy(settings.key_file, "/etc/image.key");
	made_put("/etc/image.key", KEY);
	run.key_count = 1;
	strcpy(run.keys[0].path, "/etc/image.key");
	ck_assert_int_eq(image_keys_digest(made_root, "/etc/image.key", run.keys[0].digest, NULL),
			 0);
	made_directory("/boot");
	snprintf(full, sizeof(full), "%s/boot/initrd.img-6.1", made_root);
	made_initramfs(full, "gzip -c", files);
	ck_assert_int_eq(chmod(full, 0644), 0);
	set_time("/boot/initrd.img-6.1", BEGAN - 1000);
	set_time("/boot", BEGAN - 1000);
	expect_second("/boot/initrd.img-6.1 contains the key file", "run chmod 600 on it");
	ck_assert_int_eq(chmod(full, 0600), 0);
	expect(CHECK_OK, OK_TEXT, "");
	/* It is not in there. */
	files[0] = "etc/other.key";
	made_initramfs(full, "gzip -c", files);
	ck_assert_int_eq(chmod(full, 0644), 0);
	set_time("/boot/initrd.img-6.1", BEGAN - 1000);
	set_time("/boot", BEGAN - 1000);
	expect(CHECK_OK, OK_TEXT, "");
}
END_TEST

START_TEST(warns_of_names_that_change)
{
	strcpy(run.named, "/dev/vda2");
	made_directory("/sys/block/vda");
	expect(CHECK_OK, OK_TEXT, "");
	made_directory("/sys/block/vdb");
	expect_second("named /dev/vda2; with several disks", "UUID");
	strcpy(run.named, "/dev/nvme0n1p2");
	made_directory("/sys/block/nvme0n1");
	expect(CHECK_OK, OK_TEXT, "");
	made_directory("/sys/block/nvme0c1n1");
	expect(CHECK_OK, OK_TEXT, "");
	made_directory("/sys/block/nvme1n1");
	expect_second("named /dev/nvme0n1p2", "UUID");
	strcpy(run.named, "/dev/mmcblk0p2");
	made_directory("/sys/block/mmcblk0");
	made_directory("/sys/block/mmcblk0boot0");
	expect(CHECK_OK, OK_TEXT, "");
	made_directory("/sys/block/mmcblk1");
	expect_second("named /dev/mmcblk0p2", "UUID");
	strcpy(run.named, "UUID=2");
	expect(CHECK_OK, OK_TEXT, "");
}
END_TEST

START_TEST(warns_of_choices_for_once)
{
	put_file("/boot/initrd.img-6.1", "no cpio", BEGAN - 1000);
	made_put("/boot/grub/grubenv", "# GRUB Environment Block\nnext_entry=windows\n####");
	expect_second("GRUB will start windows once (next_entry): no image is resumed",
		      "unset next_entry");
}
END_TEST

/* An older initramfs is left, or none. */
START_TEST(sees_what_is_gone)
{
	static const char *const files[] = { "bin/sh", "x", NULL };
	char full[256];

	made_directory("/boot");
	expect_second("or another one would boot: no initramfs was found below /boot and /efi",
		      "mount");
	snprintf(full, sizeof(full), "%s/boot/initrd.img-6.1", made_root);
	made_initramfs(full, "gzip -c", files);
	set_time("/boot/initrd.img-6.1", BEGAN - 1000);
	expect_second("the initramfs that booted this system is gone, or another one would boot: "
		      "/boot/initrd.img-6.1 runs no resume",
		      "hook");
	/* Nothing went since. */
	set_time("/boot", BEGAN - 1000);
	expect(CHECK_OK, OK_TEXT, "");
	/* One that may have it. */
	set_time("/boot", BEGAN + 1000);
	put_file("/boot/initrd.img-6.0", "no cpio", BEGAN - 2000);
	expect(CHECK_OK, OK_TEXT, "");
	made_put("/boot/initrd.img-6.0", NULL);
	/* All have releases, and none this kernel's. */
	made_put("/proc/sys/kernel/osrelease", "6.2\n");
	expect_at(1, CHECK_FAILED, "the initramfs that booted this system is gone", AROUND);
	/* It is there, whatever else changed. */
	put_file("/boot/initrd.img-6.2", "x", BEGAN - 1000);
	made_initramfs(full, "gzip -c", files);
	set_time("/boot/initrd.img-6.1", BEGAN - 1000);
	made_put("/proc/sys/kernel/osrelease", "6.1\n");
	made_put("/boot/initrd.img-6.2", NULL);
	expect(CHECK_OK, "the initramfs that booted", "");
	/* FAT has no times of the topmost. */
	set_time("/boot", 0);
	expect(CHECK_OK, "the initramfs that booted", "");
	made_put("/proc/sys/kernel/osrelease", "7\n");
	expect_at(1, CHECK_FAILED, "the initramfs that booted this system is gone", AROUND);
}
END_TEST

/* No boot looks for a test image; with suspend the image is only a fallback. */
START_TEST(follows_the_setting)
{
	run.found = FOUND_NO_DEVICE;
	settings.method = METHOD_SUSPEND;
	expect(CHECK_WARNING, "did not find", "");
	settings.way_back = WAY_BACK_IGNORE;
	expect(CHECK_OK, "not checked", "");
	strcpy(settings.test_file, "/dev/sdz");
	look();
	ck_assert_uint_eq(result.count, 0);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "way_back");

	tcase_add_checked_fixture(test, make, made_root_remove);
	tcase_set_timeout(test, 60);
	tcase_add_test(test, is_proven_by_this_boot);
	tcase_add_test(test, depends_on_the_variable);
	tcase_add_test(test, was_elsewhere);
	tcase_add_loop_test(test, was_not_found, 0, sizeof(failures) / sizeof(failures[0]));
	tcase_add_test(test, would_not_have_resumed);
	tcase_add_test(test, reads_every_run);
	tcase_add_test(test, sees_that_the_name_is_gone);
	tcase_add_test(test, compares_keys);
	tcase_add_test(test, warns_of_readers_of_the_key);
	tcase_add_test(test, warns_of_names_that_change);
	tcase_add_test(test, warns_of_choices_for_once);
	tcase_add_test(test, sees_what_is_gone);
	tcase_add_test(test, follows_the_setting);
}
