/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way back where no boot has proven it: what was changed since, or no record. */
#include "way_back_fixture.h"

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#define IMAGE "/boot/initrd.img-6.1"

static void make_boot(void)
{
	make();
	made_folder("/boot");
}

static const char resume[] = "ELF " INITRAMFS_RESUME_MARK;

/* In pairs of name and text; what is asked for may come behind. */
static void put_initramfs_at(const char *path, long seconds, const char *name, const char *text,
			     const char *name2, const char *text2)
{
	const char *const files[] = { "usr/lib/uswsusp/resume",
				      resume,
				      "scripts/local-premount/s2disk",
				      "#!/bin/sh",
				      name,
				      text,
				      name2,
				      text2,
				      NULL };
	char full[256];

	snprintf(full, sizeof(full), "%s%s", made_root, path);
	made_initramfs(full, "gzip -c", files);
	ck_assert_int_eq(chmod(full, 0600), 0);
	set_time(path, seconds);
}

static void put_initramfs(const char *name, const char *text, const char *name2, const char *text2)
{
	put_initramfs_at(IMAGE, BEGAN + 1000, name, text, name2, text2);
}

static const char *const empty[] = { "bin/sh", "x", NULL };

static void put_files(const char *const *files)
{
	char full[256];

	snprintf(full, sizeof(full), "%s" IMAGE, made_root);
	made_initramfs(full, "gzip -c", files);
	set_time(IMAGE, BEGAN + 1000);
}

START_TEST(reads_what_was_changed)
{
	put_initramfs(NULL, NULL, NULL, NULL);
	expect(CHECK_OK, "the initramfs made since this boot looks for it: " IMAGE, "");
	/* Enabled just now: nothing was named when the system booted. */
	run.found = FOUND_NOTHING_NAMED;
	expect(CHECK_OK, "made since this boot looks for it", "");
	/* Older than the boot. */
	set_time(IMAGE, BEGAN - 1000);
	expect(CHECK_FAILED, "nothing told resume", "");
	/* Why it was missing, no file tells. */
	set_time(IMAGE, BEGAN + 1000);
	run.found = FOUND_NO_DEVICE;
	expect(CHECK_FAILED, "not there in time", "");
	run.found = FOUND_NOT_LOOKED;
	expect(CHECK_FAILED, "went on without waiting for UUID=2", "");
	/* What was missing was another: a stale name, which the new one does not have. */
	strcpy(run.named, "UUID=dead");
	expect(CHECK_OK, "made since this boot looks for it", "");
	run.found = FOUND_NO_DEVICE;
	expect(CHECK_OK, "made since this boot looks for it", "");
}
END_TEST

/* No clock, so nothing is known to be older than the boot. */
START_TEST(does_without_a_clock)
{
	made_put("/proc/stat", "btime 7\n");
	run.time = 7;
	put_files(empty);
	set_time(IMAGE, 1000);
	expect(CHECK_FAILED, "resume is not in " IMAGE, "");
	made_put("/proc/stat", "cpu\n");
	expect(CHECK_FAILED, "resume is not in " IMAGE, "");
}
END_TEST

/* The boot that restored this system came after what was changed before it. */
START_TEST(counts_from_the_resume)
{
	put_files(empty);
	run.found = FOUND_IMAGE;
	run.fate = FATE_RESTORED;
	run.time = BEGAN + 500;
	expect(CHECK_FAILED, "resume is not in " IMAGE, "");
	run.time = BEGAN + 5000;
	put_initramfs_at("/boot/initrd.img-5", BEGAN - 9000, NULL, NULL, NULL, NULL);
	expect(CHECK_OK, "the initramfs that booted", "");
	run.fate = FATE_NONE;
	expect(CHECK_FAILED, "resume is not in " IMAGE, "");
}
END_TEST

START_TEST(compares_encrypt)
{
	put_initramfs("etc/suspend.conf", "encrypt = y\n", NULL, NULL);
	expect(CHECK_FAILED, "the resume in " IMAGE " takes sealed images only",
	       "the same \"encrypt\"");
	settings.encrypt = true;
	expect(CHECK_OK, "looks for it", "");
}
END_TEST

START_TEST(wants_resume)
{
	const char *const other[] = { "usr/lib/uswsusp/resume", "ELF of uswsusp",
				      "scripts/local-premount/s2disk", "x", NULL };
	const char *const unused[] = { "usr/lib/uswsusp/resume", resume, NULL };

	put_files(empty);
	expect(CHECK_FAILED, "changed since this boot: resume is not in " IMAGE, AROUND);
	made_put_mode("/usr/sbin/update-initramfs", "", 0755);
	expect(CHECK_FAILED, "", "update-initramfs -u -k all");
	put_files(other);
	expect(CHECK_FAILED, "another program's or of another version", "");
	put_files(unused);
	expect(CHECK_WARNING, "nothing that is known to run it", "hook");
	run.found = FOUND_NO_SWAP;
	expect(CHECK_FAILED, "nothing that is known to run it", "hook");
}
END_TEST

/* Every changed one, but those that boot when somebody chooses them only. */
START_TEST(judges_each)
{
	put_initramfs_at("/boot/initrd.img-7", BEGAN + 2000, NULL, NULL, NULL, NULL);
	put_files(empty);
	/* An older kernel's, say, beside the newest. */
	expect(CHECK_WARNING, "resume is not in " IMAGE, "hook");
	made_put("/proc/sys/kernel/osrelease", "6.1\n");
	expect(CHECK_FAILED, "resume is not in " IMAGE, "");
	made_put("/proc/sys/kernel/osrelease", "7\n");
	set_time(IMAGE, BEGAN + 3000);
	expect(CHECK_FAILED, "resume is not in " IMAGE, "");
	put_initramfs(NULL, NULL, NULL, NULL);
	put_file("/boot/efi/EFI/Recovery-1A2B/initrd.gz", "", BEGAN + 3000);
	put_file("/boot/efi/limine_history/initramfs-linux", "", BEGAN + 3000);
	put_file("/boot/initramfs-0-rescue-x.img", "", BEGAN + 3000);
	put_file("/boot/initramfs-linux-fallback.img", "", BEGAN + 3000);
	put_file("/boot/initrd.img-5.old-dkms", "", BEGAN + 3000);
	put_file("/boot/initramfs-6.1kdump.img", "", BEGAN + 3000);
	expect(CHECK_OK, "looks for it: /boot/initrd.img-7", "");
	put_file("/boot/initrd.img-5", "no cpio", BEGAN + 3000);
	expect(CHECK_WARNING, "not seen whether it leads back: /boot/initrd.img-5: ", "resume");
	/* Cut off while it was made. */
	put_file("/boot/initrd.img-5", "", BEGAN + 3000);
	expect(CHECK_FAILED, "/boot/initrd.img-5: it is empty", "regenerate it");
	/* It is what runs, whatever its name says. */
	made_put("/boot/initrd.img-5", NULL);
	made_put("/proc/sys/kernel/osrelease", "0-rescue-x\n");
	expect(CHECK_FAILED, "rescue-x.img: it is empty", "");
}
END_TEST

START_TEST(compares_device_and_offset)
{
	put_initramfs(NULL, NULL, NULL, NULL);
	made_put("/proc/cmdline", "resume=/dev/vda2 resume_offset=34816\n");
	expect(CHECK_FAILED, "page 34816, but the image would go to /dev/vda2, page 0", "");
	run.offset = area.offset = 34816;
	expect(CHECK_OK, "looks for it", "");
	run.offset = area.offset = 0;
	made_put("/proc/cmdline", "resume=/dev/vda2 resume_offset=x\n");
	expect(CHECK_FAILED, "resume_offset=x on the kernel command line is not a number", "");
	made_put("/proc/cmdline", "resume=UUID=7\n");
	expect(CHECK_FAILED, "of no use: UUID=7: no such device", "");
	made_put("/proc/cmdline", "resume=UUID=2 hibernate=noresume\n");
	expect(CHECK_FAILED, "noresume", "");
}
END_TEST

/* It wins over the command line, as it will in the initramfs. */
START_TEST(reads_the_configuration_there)
{
	put_initramfs("etc/suspend.conf", "resume device = /dev/vda1\n", NULL, NULL);
	expect(CHECK_FAILED, "will look at /dev/vda1, page 0", "");
	put_initramfs("etc/suspend.conf", "resume device = /dev/vda1\n",
		      "etc/suspend.conf.d/a.conf", "resume device = /dev/vda2\n");
	expect(CHECK_OK, "looks for it", "");
	/* Drop-ins of the other file are not read. */
	put_initramfs("etc/suspend.conf", "resume device = /dev/vda1\n",
		      "etc/uswsusp.conf.d/a.conf", "resume device = /dev/vda2\n");
	expect(CHECK_FAILED, "/dev/vda1", "");
	put_initramfs("etc/suspend.conf", "mismatch retries = many\n", NULL, NULL);
	expect(CHECK_FAILED, "etc/suspend.conf:1: ", "");
}
END_TEST

START_TEST(follows_what_the_generator_chose)
{
	made_put("/proc/cmdline", "quiet\n");
	put_initramfs(NULL, NULL, NULL, NULL);
	expect(CHECK_FAILED, "nothing tells the resume in " IMAGE " where the image is",
	       "s2disk-swapfile enable");
	put_initramfs("conf/conf.d/resume", "# made\nRESUME=\"UUID=2\"\n", NULL, NULL);
	expect(CHECK_OK, "looks for it", "");
	put_initramfs("conf/conf.d/resume", "RESUME=UUID=2\n", "conf/conf.d/zz-auto",
		      "RESUME=UUID=1");
	expect(CHECK_FAILED, "will look at UUID=1", "");
	put_initramfs("conf/conf.d/s2disk", "RESUME=UUID=2\nRESUME_OFFSET=34816\n", NULL, NULL);
	expect(CHECK_FAILED, "page 34816, but the image would go to /dev/vda2, page 0", "");
	run.offset = area.offset = 34816;
	expect(CHECK_OK, "looks for it", "");
	run.offset = area.offset = 0;
	put_initramfs("conf/conf.d/resume", "RESUME=none\n", NULL, NULL);
	expect(CHECK_FAILED, "nothing tells", "");
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
	expect(CHECK_FAILED, "no resume= on the kernel command line", "add resume=");
	files[2] = "usr/lib/systemd/system/s2disk-resume.service";
	put_files(files);
	expect(CHECK_OK, "looks for it", "");
}
END_TEST

START_TEST(reads_unified_images)
{
	const char *const files[] = { "usr/lib/uswsusp/resume", resume, "hooks/s2disk", "x", NULL };
	char full[256];

	made_folder("/boot/efi/EFI/Linux");
	snprintf(full, sizeof(full), "%s/boot/efi/EFI/Linux/arch.efi", made_root);
	made_unified(full, "ro resume=UUID=2", "gzip -c", files);
	set_time("/boot/efi/EFI/Linux/arch.efi", BEGAN + 10);
	/* What it has in it counts, not what this boot had. */
	made_put("/proc/cmdline", "ro resume=UUID=1\n");
	expect(CHECK_OK, "looks for it: /boot/efi/EFI/Linux/arch.efi", "");
	made_unified(full, "ro", "", files);
	/* This boot had it of an addon, perhaps. */
	expect(CHECK_WARNING, "nothing tells the resume in /boot/efi/EFI/Linux/arch.efi", "");
	made_put("/proc/cmdline", "ro\n");
	expect(CHECK_FAILED, "nothing tells the resume in /boot/efi/EFI/Linux/arch.efi", "");
	made_put("/proc/cmdline", "ro resume=UUID=1\n");
	run.found = FOUND_NO_SWAP;
	expect(CHECK_FAILED, "nothing tells the resume in /boot/efi/EFI/Linux/arch.efi", "");
	run.found = FOUND_SWAP;
	made_unified(full, "ro resume=UUID=2", "", empty);
	expect(CHECK_FAILED, "resume is not in /boot/efi/EFI/Linux/arch.efi", "");
	made_unified(full, "ro resume=UUID=2 noresume", "", files);
	expect(CHECK_FAILED, "noresume (or the like) is on the kernel command line in /boot", "");
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
	put_initramfs(NULL, NULL, NULL, NULL);
	expect_at(0, CHECK_FAILED,
		  "/etc/image.key is not named by the configuration in /boot/initrd.img-6.1", "");
	put_initramfs("etc/suspend.conf", conf, NULL, NULL);
	expect(CHECK_FAILED, "/etc/image.key is not in " IMAGE, "\"key file in initramfs = y\"");
	put_initramfs("etc/suspend.conf", conf, "etc/image.key", KEY "!");
	expect(CHECK_FAILED, "/etc/image.key is not the same as that in", AROUND);
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
	expect(CHECK_FAILED, "nothing is seen in " IMAGE " that unlocks swap,", "x-initrd.attach");
	put_initramfs("etc/crypttab", "swap /dev/sda2 /dev/urandom swap\n", NULL, NULL);
	expect(CHECK_FAILED, "that unlocks swap,", "");
	put_initramfs("etc/crypttab", "swap UUID=bd60 /key luks\n", NULL, NULL);
	expect(CHECK_WARNING, IMAGE " would look", "");
	put_initramfs("cryptroot/crypttab", "swap UUID=bd60 /key luks\n", NULL, NULL);
	expect(CHECK_WARNING, IMAGE " would look", "");
	/* By its UUID the name does not matter. */
	made_put("/proc/cmdline", "root=UUID=1 rd.luks.uuid=bd60 resume=UUID=2\n");
	put_initramfs(NULL, NULL, NULL, NULL);
	expect(CHECK_WARNING, IMAGE " would look", "");
	/* This boot had it: something may open it that is not known here. */
	made_put("/proc/cmdline", "root=UUID=1 resume=UUID=2\n");
	no_record = false;
	expect(CHECK_WARNING, "that unlocks swap,", "");
	/* Set up since. */
	run.found = FOUND_NO_DEVICE;
	put_initramfs("etc/crypttab", "swap UUID=bd60 /key luks\n", NULL, NULL);
	expect(CHECK_OK, "made since this boot", "");
	/* Root is on it. */
	run.found = FOUND_SWAP;
	put_initramfs(NULL, NULL, NULL, NULL);
	made_put("/proc/mounts", "/dev/mapper/root2 / ext4 rw 0 0\n");
	expect(CHECK_OK, "made since this boot", "");
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
	expect(CHECK_WARNING, "not seen whether it leads back: resume is not in " IMAGE, "");
}
END_TEST

/* dracut reads its own files before the kernel's command line. */
START_TEST(reads_the_command_line_of_dracut)
{
	made_put("/proc/cmdline", "root=UUID=1\n");
	put_initramfs("etc/cmdline.d/95resume.conf", " resume=UUID=2\n", NULL, NULL);
	expect(CHECK_OK, "looks for it", "");
	put_initramfs("conf/conf.d/s2disk", "RESUME=UUID=1\nRESUME_OFFSET=5\n",
		      "etc/cmdline.d/95resume.conf", "resume=UUID=2\n");
	expect(CHECK_OK, "looks for it", "");
	put_initramfs("etc/cmdline.d/95resume.conf", "resume=UUID=1\n", NULL, NULL);
	expect(CHECK_FAILED, "will look at UUID=1", "");
	made_put("/proc/cmdline", "resume=UUID=2\n");
	expect(CHECK_OK, "looks for it", "");
	encrypt_area();
	no_record = true;
	made_put("/run/s2disk/boot", NULL);
	expect(CHECK_FAILED, "that unlocks swap", "");
	put_initramfs("etc/cmdline.d/90crypt.conf", "rd.luks.uuid=luks-bd60\n", NULL, NULL);
	expect(CHECK_WARNING, IMAGE " would look", "");
}
END_TEST

START_TEST(looks_where_fat_is_mounted)
{
	put_files(empty);
	made_folder("/esp/boot");
	made_put("/proc/mounts",
		 "/dev/sda1 /esp vfat rw 0 0\n/dev/sdb1 /media/u/stick vfat rw 0 0\n");
	put_initramfs_at("/esp/initramfs-linux.img", BEGAN + 2000, NULL, NULL, NULL, NULL);
	put_file("/media/u/stick/initrd", "", BEGAN + 3000);
	expect(CHECK_WARNING, "resume is not in " IMAGE, "");
	made_put(IMAGE, NULL);
	made_link("/efi", "esp/boot");
	put_initramfs_at("/esp/boot/initramfs-lts.img", BEGAN + 3000, NULL, NULL, NULL, NULL);
	expect(CHECK_OK, "looks for it: /efi/initramfs-lts.img", "");
}
END_TEST

int __real_fstatfs(int fd, struct statfs *ret);
int __wrap_fstatfs(int fd, struct statfs *ret);
static bool automount; /* is /efi, and nobody has used it */

int __wrap_fstatfs(int fd, struct statfs *ret)
{
	int r = __real_fstatfs(fd, ret);
	char name[64], path[256];
	ssize_t length;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	length = readlink(name, path, sizeof(path));
	if (automount && length > 4 && memcmp(path + length - 4, "/efi", 4) == 0) {
		ret->f_type = AUTOFS_SUPER_MAGIC;
		ck_assert(fcntl(fd, F_GETFL) & O_PATH);
	}
	return r;
}

START_TEST(tells_what_is_not_mounted)
{
	put_file(IMAGE, "no cpio", BEGAN - 1000);
	made_folder("/boot/efi");
	put_initramfs_at("/boot/efi/initrd", BEGAN + 1000, NULL, NULL, NULL, NULL);
	automount = true;
	made_folder("/usr/lib/modules/6.2");
	set_time("/usr/lib/modules", BEGAN - 1000);
	expect(CHECK_OK, "the initramfs that booted", "");
	set_time("/usr/lib/modules", BEGAN + 1000);
	expect_second("kernels were installed since this boot, and /boot/efi, where",
		      "check again");
	automount = false;
	expect(CHECK_OK, "made since this boot", "");
}
END_TEST

START_TEST(does_without_a_record)
{
	no_record = true;
	expect(CHECK_WARNING, "no initramfs was found below /boot", "reboot once");
	made_put("/proc/cmdline", "ro resume=\n");
	expect(CHECK_FAILED, "nothing tells a boot where the image is", AROUND);
	put_file(IMAGE, "no cpio", BEGAN);
	expect(CHECK_FAILED, "nothing tells a boot where the image is", AROUND);
	made_put("/proc/cmdline", "ro root=UUID=1 resume=UUID=2\n");
	expect(CHECK_WARNING, "could not be seen: resume did not run at this boot, and " IMAGE, "");
	put_files(empty);
	expect(CHECK_FAILED, "resume is not in " IMAGE " (resume did not run at this boot)", "");
	put_initramfs_at("/boot/initrd.img-7", BEGAN - 1000, NULL, NULL, NULL, NULL);
	expect(CHECK_WARNING,
	       "not proven: resume did not run at this boot; /boot/initrd.img-7 would look for the "
	       "image, another would not: resume is not in " IMAGE,
	       "choose it in the menu");
}
END_TEST

START_TEST(knows_a_boot_without_initramfs)
{
	unsigned char data[4096] = { 0 };

	no_record = true;
	put_initramfs(NULL, NULL, NULL, NULL);
	made_put("/proc/cmdline", "root=PARTUUID=26f2 resume=UUID=2 panic=-1\n");
	expect(CHECK_FAILED, "this boot ran no initramfs", "GRUB_FORCE_PARTUUID=");
	made_put("/proc/cmdline", "root=PARTUUID=26f2 resume=UUID=2\n");
	expect(CHECK_WARNING, "which may have had no initramfs; " IMAGE " would", "");
	made_put_bytes("/sys/kernel/boot_params/data", data, sizeof(data));
	expect(CHECK_FAILED, "this boot ran no initramfs", "boot loader load the initramfs");
	data[0x21d] = 1;
	made_put_bytes("/sys/kernel/boot_params/data", data, sizeof(data));
	expect(CHECK_WARNING, "resume did not run at this boot; " IMAGE, "");
}
END_TEST

START_TEST(says_that_a_record_is_of_no_use)
{
	no_record = true;
	put_initramfs(NULL, NULL, NULL, NULL);
	made_put("/run/s2disk/boot", "s2disk boot record 99\n");
	expect(CHECK_WARNING, "/run/s2disk/boot: ", "");
	made_put("/run/s2disk/boot", "what is this?");
	expect(CHECK_WARNING, "it is no boot record", "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("preflight_changed");
	TCase *test = tcase_create("changed");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(test, make_boot, made_root_remove);
	tcase_set_timeout(test, 60);
	tcase_add_test(test, reads_what_was_changed);
	tcase_add_test(test, wants_resume);
	tcase_add_test(test, judges_each);
	tcase_add_test(test, compares_device_and_offset);
	tcase_add_test(test, reads_the_configuration_there);
	tcase_add_test(test, follows_what_the_generator_chose);
	tcase_add_test(test, knows_what_the_unit_needs);
	tcase_add_test(test, reads_unified_images);
	tcase_add_test(test, wants_the_key_file_there);
	tcase_add_test(test, wants_the_area_unlocked);
	tcase_add_test(test, does_without_a_clock);
	tcase_add_test(test, counts_from_the_resume);
	tcase_add_test(test, compares_encrypt);
	tcase_add_test(test, does_not_judge_what_it_cannot_read);
	tcase_add_test(test, reads_the_command_line_of_dracut);
	tcase_add_test(test, looks_where_fat_is_mounted);
	tcase_add_test(test, tells_what_is_not_mounted);
	tcase_add_test(test, does_without_a_record);
	tcase_add_test(test, knows_a_boot_without_initramfs);
	tcase_add_test(test, says_that_a_record_is_of_no_use);
	suite_add_tcase(suite, test);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
