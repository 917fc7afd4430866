/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way back by what is in an initramfs: does it lead to the area? */
#include "changed_fixture.h"
#include "fixtures/check_main.h"

START_TEST(compares_device_and_offset)
{
	put_initramfs(NULL, NULL, NULL, NULL);
	made_put("/proc/cmdline", "resume=/dev/vda2 resume_offset=34816\n");
	expect(CHECK_FAILED, "page 34816 (", "");
	run.offset = area.offset = 34816;
	expect(CHECK_OK, "looks for it", "");
	run.offset = area.offset = 0;
	made_put("/proc/cmdline", "resume=/dev/vda2 resume_offset=x\n");
	expect(CHECK_FAILED, "resume_offset=x on the kernel command line is not a number", "");
	made_put("/proc/cmdline", "resume=UUID=7\n");
	expect(CHECK_FAILED, "no longer exists: UUID=7: no such device", "");
	made_put("/proc/cmdline", "resume=UUID=2 hibernate=noresume\n");
	expect(CHECK_FAILED, "noresume", "");
}
END_TEST

/* It wins over the command line, as it will in the initramfs. */
START_TEST(reads_the_configuration_there)
{
	put_initramfs("etc/suspend.conf", "resume device = /dev/vda1\n", NULL, NULL);
	expect(CHECK_FAILED, IMAGE " looks at /dev/vda1, page 0 (etc/suspend.conf:1), but", "");
	put_initramfs("etc/suspend.conf", "resume device = /dev/vda1\n",
		      "etc/suspend.conf.d/a.conf", "resume device = /dev/vda2\n");
	expect(CHECK_OK, "looks for it", "");
	put_initramfs("etc/suspend.conf", "resume device = /dev/vda2\n",
		      "etc/suspend.conf.d/.a.conf", "resume device = /dev/vda1\n");
	expect(CHECK_OK, "looks for it", "");
	put_initramfs("etc/uswsusp.conf", "resume device = /dev/vda1\n", NULL, NULL);
	expect(CHECK_FAILED, "/dev/vda1", "");
	/* Drop-ins of the other file are not read. */
	put_initramfs("etc/suspend.conf", "resume device = /dev/vda1\n",
		      "etc/uswsusp.conf.d/a.conf", "resume device = /dev/vda2\n");
	expect(CHECK_FAILED, "/dev/vda1", "");
	put_initramfs("etc/suspend.conf", "mismatch retries = many\n", NULL, NULL);
	expect(CHECK_FAILED, IMAGE " has wrong settings: etc/suspend.conf:1: ", "");
	put_initramfs("etc/suspend.conf", "encrypt = y\n", NULL, NULL);
	expect(CHECK_FAILED, IMAGE " accepts only encrypted images", "set \"encrypt\" to the same");
	settings.encrypt = true;
	expect(CHECK_OK, "looks for it", "");
}
END_TEST

START_TEST(follows_what_the_generator_chose)
{
	made_put("/proc/cmdline", "quiet\n");
	put_initramfs(NULL, NULL, NULL, NULL);
	expect(CHECK_FAILED, IMAGE " does not know where an image is", "s2disk-swapfile enable");
	put_initramfs("conf/conf.d/resume", "# made\nRESUME=\"UUID=2\"\n", NULL, NULL);
	expect(CHECK_OK, "looks for it", "");
	put_initramfs("conf/conf.d/resume", "RESUME=UUID=2\n", "conf/conf.d/zz-auto",
		      "RESUME=UUID=1");
	expect(CHECK_FAILED, "looks at UUID=1, page 0 (the initramfs' own choice)", "");
	put_initramfs("conf/conf.d/s2disk", "RESUME=UUID=2\nRESUME_OFFSET=34816\n", NULL, NULL);
	expect(CHECK_FAILED, "page 34816 (", "");
	run.offset = area.offset = 34816;
	expect(CHECK_OK, "looks for it", "");
	run.offset = area.offset = 0;
	put_initramfs("conf/conf.d/resume", "RESUME=none\n", NULL, NULL);
	expect(CHECK_FAILED, "does not know", "");
}
END_TEST

/* systemd in the initramfs starts its unit for resume= only. */
START_TEST(knows_what_the_unit_needs)
{
	const char *files[] = {
		"usr/lib/uswsusp/resume",
		resume,
		"usr/lib/systemd/system/systemd-hibernate-resume@.service.d/50-s2disk.conf",
		"x",
		"etc/suspend.conf",
		"resume device = /dev/vda2\n",
		NULL
	};

	put_files(files);
	expect(CHECK_OK, "looks for it", "");
	made_put("/proc/cmdline", "quiet\n");
	expect(CHECK_FAILED, IMAGE " does not know where an image is", "resume=");
	files[2] = "usr/lib/systemd/system/s2disk-resume.service";
	put_files(files);
	expect(CHECK_OK, "looks for it", "");
}
END_TEST

#define UNIFIED "/boot/efi/EFI/Linux/arch.efi"

START_TEST(reads_unified_images)
{
	const char *const files[] = { "usr/lib/uswsusp/resume", resume, "hooks/s2disk", "x", NULL };
	char full[256];

	made_directory("/boot/efi/EFI/Linux");
	snprintf(full, sizeof(full), "%s/boot/efi/EFI/Linux/arch.efi", made_root);
	made_unified(full, "ro resume=UUID=2", "gzip -c", files);
	set_time("/boot/efi/EFI/Linux/arch.efi", BEGAN + 10);
	/* What it has in it counts, not what this boot had. */
	made_put("/proc/cmdline", "ro resume=UUID=1\n");
	expect(CHECK_OK, UNIFIED " looks for it", "");
	made_unified(full, "ro", "", files);
	/* This boot had it of an addon, perhaps. */
	expect(CHECK_WARNING, UNIFIED " does not know where", "");
	/* But no resume. */
	made_unified(full, "ro", "", empty);
	expect(CHECK_FAILED, UNIFIED " runs no resume", "");
	/* Unless an addon has it. */
	made_directory(UNIFIED ".extra.d");
	expect(CHECK_WARNING, UNIFIED " runs no resume", "");
	made_shell("rmdir %s" UNIFIED ".extra.d", made_root);
	made_directory("/boot/efi/loader/addons");
	expect(CHECK_WARNING, UNIFIED " runs no resume", "");
	made_shell("rmdir %s/boot/efi/loader/addons", made_root);
	made_unified(full, "ro", "", files);
	run.by = NAMED_BY_DEFAULT;
	expect(CHECK_FAILED, UNIFIED " does not know where", "");
	run.by = NAMED_BY_KERNEL;
	run.found = FOUND_NO_SWAP;
	expect(CHECK_FAILED, UNIFIED " does not know where", "");
	run.found = FOUND_SWAP;
	made_unified(full, "ro resume=UUID=2", "", empty);
	expect(CHECK_FAILED, UNIFIED " runs no resume", "");
	made_unified(full, "ro resume=UUID=2 noresume", "", files);
	expect(CHECK_FAILED, UNIFIED " has noresume", "");
	/* Other programs of the firmware's are none. */
	put_file("/boot/efi/EFI/Linux/arch.efi", "MZ shell", BEGAN + 10);
	put_file(IMAGE, "no cpio", BEGAN - 1000);
	expect(CHECK_OK, "the initramfs that booted", "");
}
END_TEST

START_TEST(wants_the_key_file_there)
{
	const char *const conf = "encrypt = y\nkey file = /etc/image.key\n";

	settings.encrypt = true;
	strcpy(settings.key_file, "/etc/image.key");
	made_put("/etc/image.key", KEY);
	put_initramfs(NULL, NULL, "etc/image.key", KEY);
	expect(CHECK_FAILED, IMAGE " does not have the same key file", "");
	put_initramfs("etc/suspend.conf", conf, NULL, NULL);
	expect(CHECK_FAILED,
	       "does not have the same key file, and nothing else opens the image: /etc/",
	       "\"key file in initramfs = y\"");
	put_initramfs("etc/suspend.conf", conf, "etc/image.key", KEY "!");
	expect(CHECK_FAILED, "does not have the same key file", AROUND);
	put_initramfs("etc/suspend.conf", conf, "etc/image.key", KEY);
	expect(CHECK_OK, "looks for it", "");
	/* A tool puts it there at boot. */
	strcpy(settings.key_file, "/run/key");
	put_initramfs("etc/suspend.conf", "key file = /run/key\n", NULL, NULL);
	expect(CHECK_OK, "looks for it", "");
}
END_TEST

/* Swap in LUKS of its own: who opens it, under the name that is looked for? */
START_TEST(wants_the_area_unlocked)
{
	encrypt_area();
	no_record = true;
	made_put("/proc/cmdline", "root=UUID=1 rd.luks.uuid=bd60 resume=/dev/mapper/swap2\n");
	put_initramfs("etc/crypttab", "system UUID=1 none luks\n", NULL, NULL);
	expect(CHECK_FAILED, IMAGE " has nothing that would unlock swap", "x-initrd.attach");
	put_initramfs("etc/crypttab", "swap /dev/sda2 /dev/urandom swap\n", NULL, NULL);
	expect(CHECK_FAILED, "would unlock swap", "");
	put_initramfs("etc/crypttab", "swap UUID=bd60 none luks\n", NULL, NULL);
	expect(CHECK_WARNING, IMAGE " looks for it", "");
	put_initramfs("cryptroot/crypttab", "swap UUID=bd60 none luks\n", NULL, NULL);
	expect(CHECK_WARNING, IMAGE " looks for it", "");
	/* By its UUID the name does not matter. */
	made_put("/proc/cmdline", "root=UUID=1 rd.luks.uuid=bd6056f3-0000-4000 resume=UUID=2\n");
	put_initramfs(NULL, NULL, NULL, NULL);
	expect(CHECK_WARNING, IMAGE " looks for it", "");
	/* This boot had it: something may open it that is not known here. */
	made_put("/proc/cmdline", "root=UUID=1 resume=UUID=2\n");
	no_record = false;
	expect(CHECK_FAILED, "would unlock swap", "");
	put_initramfs("usr/bin/systemd-cryptsetup", "ELF", NULL, NULL);
	expect(CHECK_WARNING, "would unlock swap", "");
	/* Set up since. */
	run.found = FOUND_NO_DEVICE;
	put_initramfs("etc/crypttab", "swap UUID=bd60 none luks\n", NULL, NULL);
	expect(CHECK_OK, "changed since this boot: ", "");
	/* It is there, and yet of no use: to open it does not help. */
	run.found = FOUND_UNUSABLE;
	expect(CHECK_FAILED, "could not use UUID=2", "");
	/* This boot opened it already. */
	run.found = FOUND_NO_DEVICE;
	made_put("/proc/cmdline", "root=UUID=1 rd.luks.uuid=bd60 resume=UUID=2\n");
	expect(CHECK_FAILED, "did not find UUID=2", "");
	/* Root is on it. */
	made_put("/proc/cmdline", "root=/dev/mapper/root2 resume=UUID=2\n");
	expect(CHECK_FAILED, "did not find UUID=2", "");
	run.found = FOUND_SWAP;
	put_initramfs(NULL, NULL, NULL, NULL);
	made_put("/proc/cmdline", "ro root=/dev/mapper/root2 resume=UUID=2\n");
	expect(CHECK_OK, "changed since this boot: ", "");
}
END_TEST

/* Not on the command line (gpt-auto): the mounts say it. */
START_TEST(finds_root_in_the_mounts)
{
	encrypt_area();
	no_record = true;
	put_initramfs("sbin/cryptsetup", "ELF", NULL, NULL);
	made_put("/proc/cmdline", "nfsroot=UUID=2 resume=UUID=2\n");
	expect(CHECK_WARNING, "would find the image is unknown: " IMAGE " has nothing", "");
	made_put("/proc/self/mountinfo", "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n");
	expect(CHECK_FAILED, IMAGE " has nothing that would unlock swap", "rd.luks.uuid=UUID");
	made_put("/proc/self/mountinfo", "22 1 254:2 / / rw - ext4 /dev/vda2 rw\n");
	expect(CHECK_WARNING, NOT_RUN ": " IMAGE " looks for it", "");
	made_put("/proc/self/mountinfo", "22 1 0:24 / / rw - btrfs /dev/vda2 rw\n");
	made_put("/proc/cmdline", "root=gpt-auto resume=UUID=2\n");
	expect(CHECK_WARNING, NOT_RUN ": " IMAGE " looks for it", "");
}
END_TEST

/* Several archives, of which the packer sees the first. */
START_TEST(does_not_judge_what_it_cannot_read)
{
	char command[300];

	put_files(empty);
	snprintf(command, sizeof(command), "printf '\\0BZh' >>%s" IMAGE, made_root);
	ck_assert_int_eq(system(command), 0);
	set_time(IMAGE, BEGAN + 1000);
	expect(CHECK_WARNING, "would find the image is unknown: " NONE, "");
}
END_TEST

/* dracut reads its own files before the kernel's command line. */
START_TEST(reads_the_command_line_of_dracut)
{
	made_put("/proc/cmdline", "root=UUID=1\n");
	put_initramfs("etc/cmdline.d/95resume.conf", " resume=UUID=2\n", NULL, NULL);
	expect(CHECK_OK, "looks for it", "");
	/* What our hook chose goes before that, and no offset of it counts. */
	put_initramfs("conf/conf.d/s2disk", "RESUME=UUID=1\nRESUME_OFFSET=5\n",
		      "etc/cmdline.d/95resume.conf", "resume=UUID=2\n");
	expect(CHECK_FAILED, "looks at UUID=1, page 5 (", "");
	put_initramfs("conf/conf.d/s2disk", "RESUME=UUID=2\n", "etc/cmdline.d/95resume.conf",
		      "resume=UUID=1\n");
	expect(CHECK_OK, "looks for it", "");
	put_initramfs("etc/cmdline.d/95resume.conf", "resume=UUID=2 resume_offset=5\n", NULL, NULL);
	expect(CHECK_OK, "looks for it: at UUID=2, page 0", "");
	put_initramfs("etc/cmdline.d/95resume.conf", "resume=UUID=1\n", NULL, NULL);
	expect(CHECK_FAILED, "looks at UUID=1", "");
	made_put("/proc/cmdline", "root=UUID=1 resume=UUID=2\n");
	expect(CHECK_OK, "looks for it", "");
	encrypt_area();
	no_record = true;
	made_put("/run/s2disk/boot", NULL);
	expect(CHECK_FAILED, "would unlock swap", "");
	put_initramfs("etc/cmdline.d/90crypt.conf", "rd.luks.uuid=luks-bd60\n", NULL, NULL);
	expect(CHECK_WARNING, IMAGE " looks for it", "");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "initramfs");

	tcase_add_checked_fixture(test, make_boot, made_root_remove);
	tcase_set_timeout(test, 60);
	tcase_add_test(test, compares_device_and_offset);
	tcase_add_test(test, reads_the_configuration_there);
	tcase_add_test(test, follows_what_the_generator_chose);
	tcase_add_test(test, knows_what_the_unit_needs);
	tcase_add_test(test, reads_unified_images);
	tcase_add_test(test, wants_the_key_file_there);
	tcase_add_test(test, wants_the_area_unlocked);
	tcase_add_test(test, finds_root_in_the_mounts);
	tcase_add_test(test, does_not_judge_what_it_cannot_read);
	tcase_add_test(test, reads_the_command_line_of_dracut);
}
