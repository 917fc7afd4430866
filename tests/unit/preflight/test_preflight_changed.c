/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way back where no boot has proven it: what was changed since, or no record. */
#include "changed_fixture.h"
#include "fixtures/check_main.h"

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

START_TEST(reads_what_was_changed)
{
	put_initramfs(NULL, NULL, NULL, NULL);
	expect(CHECK_OK, "changed since this boot: " IMAGE " looks for it: at UUID=2", "");
	/* Enabled just now: nothing was named when the system booted. */
	run.found = FOUND_NOTHING_NAMED;
	expect(CHECK_OK, "changed since this boot: " IMAGE " looks for it", "");
	/* Older than the boot. */
	set_time(IMAGE, BEGAN - 1000);
	expect(CHECK_FAILED, "does not know where", "");
	/* No file says why it was missing. */
	set_time(IMAGE, BEGAN + 1000);
	run.found = FOUND_NO_DEVICE;
	expect(CHECK_FAILED, "did not find", "");
	run.found = FOUND_NOT_LOOKED;
	expect(CHECK_FAILED, "did not wait for UUID=2", "");
	run.found = FOUND_NO_SWAP;
	expect(CHECK_FAILED, "found no swap on UUID=2", "");
	run.found = FOUND_UNUSABLE;
	expect(CHECK_FAILED, "could not use UUID=2", "");
	/* Another page of it, or what was in the way is gone. */
	run.offset = 5;
	expect(CHECK_OK, "changed since this boot: " IMAGE " looks for it", "");
	run.offset = 0;
	strcpy(run.settings, "/etc/suspend.conf:1: no such setting");
	expect(CHECK_OK, "changed since this boot: " IMAGE " looks for it", "");
	run.settings[0] = '\0';
	/* What was missing was another: a stale name, which the new one does not have. */
	strcpy(run.named, "UUID=dead");
	expect(CHECK_OK, "changed since this boot: " IMAGE " looks for it", "");
	run.found = FOUND_NO_DEVICE;
	expect(CHECK_OK, "changed since this boot: " IMAGE " looks for it", "");
}
END_TEST

/* No clock, so nothing is known to be older than the boot. */
START_TEST(does_without_a_clock)
{
	put_files(empty);
	set_time(IMAGE, 1000);
	made_put("/proc/stat", "cpu\n");
	expect(CHECK_FAILED, NONE, "");
}
END_TEST

/* The boot that restored this system came after what was changed before it. */
START_TEST(counts_from_the_resume)
{
	put_files(empty);
	run.found = FOUND_IMAGE;
	run.fate = FATE_RESTORED;
	run.time = BEGAN + 500;
	expect(CHECK_FAILED, NONE, "");
	run.time = BEGAN + 5000;
	put_initramfs_at("/boot/initrd.img-5", BEGAN - 9000, NULL, NULL, NULL, NULL);
	expect(CHECK_OK, "the initramfs that booted", "");
	/* Its clock ran ahead; the record was written here. */
	run.time = 4000000000;
	set_time(IMAGE, 3500000000);
	expect(CHECK_FAILED, NONE, "");
	run.time = BEGAN + 5000;
	set_time(IMAGE, BEGAN + 1000);
	run.fate = FATE_NONE;
	expect(CHECK_FAILED, NONE, "");
}
END_TEST

START_TEST(wants_resume)
{
	const char *const other[] = { "usr/lib/uswsusp/resume", "ELF of uswsusp",
				      "scripts/local-premount/s2disk", "x", NULL };
	const char *const unused[] = { "usr/lib/uswsusp/resume", resume, NULL };

	put_files(empty);
	expect(CHECK_FAILED, "changed since this boot: " NONE, AROUND);
	made_put_mode("/usr/sbin/update-initramfs", "", 0755);
	expect(CHECK_FAILED, "", "update-initramfs -u -k all");
	put_files(other);
	expect(CHECK_FAILED, NONE, "hook");
	put_files(unused);
	expect(CHECK_WARNING, "runs no resume", "hook");
	run.found = FOUND_NO_SWAP;
	expect(CHECK_FAILED, "runs no resume", "hook");
}
END_TEST

/* Every changed one, but those that boot only when they are chosen. */
START_TEST(judges_each)
{
	put_initramfs_at("/boot/initrd.img-7", BEGAN + 2000, NULL, NULL, NULL, NULL);
	put_files(empty);
	/* An older kernel's, say, next to the newest: either may boot. */
	expect(CHECK_FAILED, NONE, "hook");
	put_file("/boot/initrd.img-6.2", "", BEGAN + 1500);
	expect(CHECK_FAILED, "/boot/initrd.img-6.2: it is empty", "");
	made_put("/boot/initrd.img-6.2", NULL);
	put_initramfs(NULL, NULL, NULL, NULL);
	put_file("/boot/initramfs-0-rescue-x.img", "", BEGAN + 3000);
	expect(CHECK_OK, "/boot/initrd.img-7 looks for it", "");
	put_file("/boot/initrd.img-5", "no cpio", BEGAN + 3000);
	expect(CHECK_WARNING, "would find the image is unknown: /boot/initrd.img-5: ", "resume");
	/* Cut off while it was made. */
	put_file("/boot/initrd.img-5", "", BEGAN + 3000);
	expect(CHECK_FAILED, "/boot/initrd.img-5: it is empty", "regenerate it");
	/* It is what runs, whatever its name says. */
	made_put("/boot/initrd.img-5", NULL);
	made_put("/proc/sys/kernel/osrelease", "0-rescue-x\n");
	expect(CHECK_FAILED, "rescue-x.img: it is empty", "");
}
END_TEST

#define COPY "/boot/efi/system/6.1/initrd"

/* Generators may not know of the copy that boots: the running kernel's must not disagree. */
START_TEST(looks_for_copies_that_were_left)
{
	made_put("/proc/sys/kernel/osrelease", "6.1\n");
	made_directory("/boot/efi/system/6.1");
	put_files(empty);
	made_put(COPY, NULL);
	{
		char from[256], to[256];

		snprintf(from, sizeof(from), "%s" IMAGE, made_root);
		snprintf(to, sizeof(to), "%s" COPY, made_root);
		ck_assert_int_eq(rename(from, to), 0);
	}
	set_time(COPY, BEGAN - 1000);
	put_initramfs(NULL, NULL, NULL, NULL);
	run.found = FOUND_NOTHING_NAMED;
	expect(CHECK_FAILED, "and this was not: " COPY " runs no resume", "hook");
	no_record = true;
	made_put("/run/s2disk/boot", NULL);
	expect(CHECK_FAILED, NOT_RUN ": " COPY " runs no resume", "hook");
	/* It is named, not an older kernel's. */
	put_file("/boot/initrd.img-5", "", BEGAN + 3000);
	expect(CHECK_FAILED, NOT_RUN ": " COPY " runs no resume", "hook");
	made_put("/boot/initrd.img-5", NULL);
	/* What this boot did is known. */
	no_record = false;
	run.found = FOUND_SWAP;
	expect(CHECK_OK, "changed since this boot: " IMAGE " looks for it", "");
	/* Another kernel's may be one that does not boot any more. */
	made_put("/proc/sys/kernel/osrelease", "6.2\n");
	run.found = FOUND_NOTHING_NAMED;
	expect(CHECK_OK, "changed since this boot: " IMAGE " looks for it", "");
	no_record = true;
	made_put("/run/s2disk/boot", NULL);
	expect(CHECK_WARNING, NOT_RUN ": " COPY " runs no resume", "hook");
	/* A new kernel's alone was made: the running one's is the old one. */
	no_record = false;
	made_put("/proc/sys/kernel/osrelease", "6.1\n");
	set_time(IMAGE, BEGAN - 1000);
	put_initramfs_at("/boot/initrd.img-7", BEGAN + 2000, NULL, NULL, NULL, NULL);
	expect(CHECK_OK, "changed since this boot: /boot/initrd.img-7 looks for it", "");
}
END_TEST

#define STARTED "/sys/firmware/efi/efivars/StubImageIdentifier-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

/* A unified image by its name, which is always the same. */
START_TEST(looks_for_what_the_stub_started)
{
	static const char path[] = "\\EFI\\Linux\\arch-initrd.efi";
	char value[4 + 2 * sizeof(path)] = { 6 };

	for (size_t i = 0; i < sizeof(path); i++)
		value[4 + 2 * i] = path[i];
	made_put_bytes(STARTED, value, sizeof(value));
	put_file("/boot/EFI/Linux/arch-initrd.efi", "", BEGAN - 1000);
	put_initramfs_at("/boot/initramfs-linux.img", BEGAN + 1000, NULL, NULL, NULL, NULL);
	no_record = true;
	expect(CHECK_FAILED, NOT_RUN ": /boot/EFI/Linux/arch-initrd.efi: it is empty", "");
	no_record = false;
	run.found = FOUND_NOTHING_NAMED;
	expect(CHECK_FAILED, "and this was not: /boot/EFI/Linux/arch-initrd.efi: it", "");
	/* Nothing else was made, so what this boot did is what counts. */
	set_time("/boot/initramfs-linux.img", BEGAN - 2000);
	expect(CHECK_FAILED, "does not know where", "");
	set_time("/boot/initramfs-linux.img", BEGAN + 1000);
	run.found = FOUND_SWAP;
	expect(CHECK_OK, "changed since this boot: /boot/initramfs-linux.img looks", "");
	made_put(STARTED, NULL);
	run.found = FOUND_NOTHING_NAMED;
	expect(CHECK_OK, "changed since this boot: /boot/initramfs-linux.img looks", "");
}
END_TEST

START_TEST(says_that_not_all_was_seen)
{
	put_file(IMAGE, "x", BEGAN - 1000);
	put_file("/boot/initrd\033[2J", "x", BEGAN - 1000);
	set_time("/boot", BEGAN - 1000);
	expect(CHECK_WARNING, "there are too many files below /boot, or unprintable names",
	       "remove");
	run.found = FOUND_NO_SWAP;
	expect(CHECK_FAILED, "there are too many files below /boot, or unprintable names",
	       "remove");
	run.found = FOUND_SWAP;
	made_put("/boot/initrd\033[2J", NULL);
	put_initramfs(NULL, NULL, NULL, NULL);
	expect(CHECK_OK, "changed since this boot: ", "");
	put_file("/boot/initrd\n", "x", BEGAN - 1000);
	expect(CHECK_WARNING, "there are too many files below /boot, or unprintable names",
	       "remove");
}
END_TEST

int __real_fstatfs(int fd, struct statfs *ret);
int __wrap_fstatfs(int fd, struct statfs *ret);
static bool automount; /* is /efi, and was not used yet */

int __wrap_fstatfs(int fd, struct statfs *ret)
{
	int r = __real_fstatfs(fd, ret);
	char name[64], path[256];
	ssize_t length;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	length = readlink(name, path, sizeof(path));
	if (automount && length > 4 && memcmp(path + length - 4, "/efi", 4) == 0) {
		/* No descriptor of it may be one that mounts it. */
		for (int i = 3; i < 64; i++) {
			snprintf(name, sizeof(name), "/proc/self/fd/%d", i);
			length = readlink(name, path, sizeof(path));
			ck_assert(length < 4 || memcmp(path + length - 4, "/efi", 4) != 0 ||
				  !(fcntl(i, F_GETFL) & O_DIRECTORY));
		}
		ret->f_type = AUTOFS_SUPER_MAGIC;
		ck_assert(fcntl(fd, F_GETFL) & O_PATH);
	}
	return r;
}

START_TEST(tells_what_is_not_mounted)
{
	put_file(IMAGE, "no cpio", BEGAN - 1000);
	made_directory("/boot/efi");
	put_initramfs_at("/boot/efi/initrd", BEGAN + 1000, NULL, NULL, NULL, NULL);
	automount = true;
	made_directory("/usr/lib/modules/6.2");
	set_time("/usr/lib/modules", BEGAN - 1000);
	expect(CHECK_OK, "the initramfs that booted", "");
	set_time("/usr/lib/modules", BEGAN + 1000);
	expect_second("kernels were installed since this boot, and /boot/efi, where",
		      "check again");
	/* noauto, so that it is an empty directory. */
	automount = false;
	made_put("/boot/efi/initrd", NULL);
	expect(CHECK_OK, "the initramfs that booted", "");
	made_put(IMAGE, NULL);
	set_time("/boot", BEGAN - 1000);
	set_time("/boot/efi", BEGAN - 1000);
	expect_second("kernels were installed since this boot, and /boot, where", "mount it");
	put_initramfs_at("/boot/efi/initrd", BEGAN + 1000, NULL, NULL, NULL, NULL);
	automount = false;
	expect(CHECK_OK, "changed since this boot: ", "");
	automount = true;
	made_directory("/efi");
	expect_second("kernels were installed since this boot, and /efi, where", "mount it");
	automount = false;
}
END_TEST

START_TEST(does_without_a_record)
{
	no_record = true;
	expect(CHECK_WARNING, "no initramfs was found below /boot", "reboot once");
	made_put("/proc/cmdline", "ro resume=\n");
	expect(CHECK_FAILED, "neither resume= nor /etc/suspend.conf says", AROUND);
	put_file(IMAGE, "no cpio", BEGAN);
	expect(CHECK_FAILED, "neither resume= nor /etc/suspend.conf says", AROUND);
	strcpy(settings.resume_device, "UUID=2");
	expect(CHECK_WARNING, NOT_RUN "; whether the next boot", "");
	settings.resume_device[0] = '\0';
	made_put("/proc/cmdline", "ro root=UUID=1 resume=UUID=2\n");
	expect(CHECK_WARNING, "find the image is unknown: " IMAGE ": ", "or check that it");
	put_files(empty);
	expect(CHECK_FAILED, NOT_RUN ": " NONE, "hook");
	put_initramfs_at("/boot/initrd.img-7", BEGAN - 1000, NULL, NULL, NULL, NULL);
	expect(CHECK_WARNING, NOT_RUN ": " NONE, "hook");
	put_initramfs(NULL, NULL, NULL, NULL);
	expect(CHECK_WARNING,
	       NOT_RUN ": " IMAGE " looks for it: at UUID=2, page 0 (resume= ", "boot");
}
END_TEST

START_TEST(knows_a_boot_without_initramfs)
{
	unsigned char data[4096] = { 0 };

	no_record = true;
	put_initramfs(NULL, NULL, NULL, NULL);
	made_put("/proc/cmdline", "root=PARTUUID=26f2 resume=UUID=2 panic=-1\n");
	expect(CHECK_FAILED, "this boot used no initramfs", "GRUB_FORCE_PARTUUID=");
	made_put("/proc/cmdline", "root=PARTUUID=26f2 resume=UUID=2\n");
	expect(CHECK_WARNING, NOT_RUN ": " IMAGE " looks", "");
	made_put_bytes("/sys/kernel/boot_params/data", data, sizeof(data));
	expect(CHECK_FAILED, "this boot used no initramfs", "boot loader load the initramfs");
	data[0x21d] = 1;
	made_put_bytes("/sys/kernel/boot_params/data", data, sizeof(data));
	expect(CHECK_WARNING, NOT_RUN ": " IMAGE, "");
}
END_TEST

START_TEST(says_that_a_record_is_of_no_use)
{
	no_record = true;
	put_initramfs(NULL, NULL, NULL, NULL);
	made_put("/run/s2disk/boot", "s2disk boot record 99\n");
	expect(CHECK_WARNING, "/run/s2disk/boot: ", "");
	made_put("/run/s2disk/boot", "what is this?");
	expect(CHECK_WARNING, "it is not a boot record", "");
	made_put("/run/s2disk/boot", "s2disk boot record 1\nboot-id another\n");
	made_put("/proc/sys/kernel/random/boot_id", "this\n");
	expect(CHECK_WARNING, "resume did not run at this boot", "");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "changed");

	tcase_add_checked_fixture(test, make_boot, made_root_remove);
	tcase_set_timeout(test, 60);
	tcase_add_test(test, reads_what_was_changed);
	tcase_add_test(test, wants_resume);
	tcase_add_test(test, judges_each);
	tcase_add_test(test, looks_for_copies_that_were_left);
	tcase_add_test(test, looks_for_what_the_stub_started);
	tcase_add_test(test, says_that_not_all_was_seen);
	tcase_add_test(test, does_without_a_clock);
	tcase_add_test(test, counts_from_the_resume);
	tcase_add_test(test, tells_what_is_not_mounted);
	tcase_add_test(test, does_without_a_record);
	tcase_add_test(test, knows_a_boot_without_initramfs);
	tcase_add_test(test, says_that_a_record_is_of_no_use);
}
