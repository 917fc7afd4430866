/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What boots: files below /boot and /efi, unified images, choices for the next boot. */
#include "boot/boot_choice.h"
#include "boot/boot_files.h"
#include "boot/initramfs.h"
#include "boot/initramfs.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_initramfs.h"
#include "fixtures/machine/made_root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct boot_files files;

static void set_time(const char *path, long seconds)
{
	struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };
	char full[256];

	snprintf(full, sizeof(full), "%s%s", made_root, path);
	ck_assert_int_eq(utimensat(AT_FDCWD, full, times, 0), 0);
}

static void put(const char *path, const char *text, long seconds)
{
	made_put(path, text);
	set_time(path, seconds);
}

static unsigned char header[1024];
static struct boot_file image;

/* Headers of an image with an initramfs so small that they are the whole file. */
static void put_unified(const char *path)
{
	made_unified_header(header, "ro", 1);
	header[304 + 21] = 0; /* the initramfs is at the beginning */
	made_put_bytes(path, header, sizeof(header));
}

START_TEST(finds_what_boots)
{
	static const char *const wanted[] = {
		"/boot/initrd.img-6.1",
		"/boot/initramfs-linux.img",
		"/boot/efi/EFI/Linux/arch.efi",
		"/boot/efi/EFI/nixos/hash-initrd-linux-6.6-initrd.efi",
		"/efi/0123456789abcdef/6.1/initrd",
		"/boot/ostree/fedora-123/initramfs-6.1.img",
		"/boot/initramfs-linux-fallback.img",
	};
	const size_t count = sizeof(wanted) / sizeof(wanted[0]);

	for (size_t i = 0; i < count; i++) {
		put(wanted[i], "07", 1000);
		if (i == 2)
			put_unified(wanted[i]);
	}
	for (size_t i = 0; i < count; i++)
		set_time(wanted[i], 1000 - (long)i);
	put_unified("/boot/vmlinuz-6.1");
	put("/boot/initrd.img-6.1.old-dkms", "07", 1);
	put("/boot/initramfs-6.1kdump.img", "07", 1);
	put("/boot/loader/entries/initrd.conf", "07", 1);
	put("/boot/efi/notes.efi", "no program", 1);
	put("/initrd.img", "07", 1);
	made_link("/boot/initrd.img", "initrd.img-6.1");
	made_link("/boot/boot", ".");
	boot_files_find(made_root, &files);
	ck_assert_uint_eq(files.count, count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_str_eq(files.files[i].path, wanted[i]);
		ck_assert_int_eq(files.files[i].changed, 1000 - (long)i);
		ck_assert((files.files[i].initrd.length > 0) == (i == 2));
		ck_assert(files.files[i].spare == (i == 6));
	}
}
END_TEST

START_TEST(knows_what_is_spare)
{
	put("/boot/booster-linux.img", "07", 900);
	put("/boot/initrd.img-6.1-rescue", "07", 800);
	put("/boot/efi/EFI/Recovery-1/initrd.gz", "07", 700);
	put_unified("/boot/efi/EFI/ZBM/VMLINUZ.EFI");
	set_time("/boot/efi/EFI/ZBM/VMLINUZ.EFI", 600);
	made_put("/proc/sys/kernel/osrelease", "6.1-rescue\n");
	boot_files_find(made_root, &files);
	ck_assert_uint_eq(files.count, 4);
	for (size_t i = 0; i < 4; i++) {
		ck_assert(files.files[i].spare == (i > 1));
		ck_assert(files.files[i].running == (i == 1));
	}
	made_put("/proc/sys/kernel/osrelease", "6.1\n");
	boot_files_find(made_root, &files);
	ck_assert(!files.files[1].spare);
	made_put("/proc/sys/kernel/osrelease", "6.2\n");
	boot_files_find(made_root, &files);
	ck_assert(files.files[1].spare);
}
END_TEST

/* The path is the ESP's, whose file system does not tell case. */
START_TEST(knows_what_the_stub_started)
{
	static const char path[] = "\\EFI\\Linux\\Arch.efi";
	char value[4 + 2 * sizeof(path)] = { 6 };

	for (size_t i = 0; i < sizeof(path); i++)
		value[4 + 2 * i] = path[i];
	made_put_bytes("/sys/firmware/efi/efivars/"
		       "StubImageIdentifier-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
		       value, sizeof(value));
	put_unified("/boot/efi/EFI/linux/arch.efi");
	put_unified("/boot/efi/EFI/linux/march.efi");
	put_unified("/boot/rescue.efi");
	boot_files_find(made_root, &files);
	ck_assert_uint_eq(files.count, 3);
	for (size_t i = 0; i < files.count; i++)
		ck_assert(files.files[i].running == (strstr(files.files[i].path, "/arch") != NULL));
}
END_TEST

START_TEST(follows_the_topmost_link)
{
	put("/elsewhere/initrd.img-6.1", "07", 1000);
	made_link("/boot", "elsewhere");
	boot_files_find(made_root, &files);
	ck_assert_uint_eq(files.count, 1);
	ck_assert_str_eq(files.files[0].path, "/boot/initrd.img-6.1");
	/* Links below are not followed; another of the topmost is, whatever it leads to. */
	put("/elsewhere/efi/initrd", "07", 900);
	made_link("/elsewhere/again", "efi");
	made_link("/efi", "boot/efi");
	boot_files_find(made_root, &files);
	ck_assert_uint_eq(files.count, 3);
	ck_assert_str_eq(files.files[1].path, "/boot/efi/initrd");
	ck_assert_str_eq(files.files[2].path, "/efi/initrd");
}
END_TEST

START_TEST(compares_releases)
{
	static const char *const names[] = { "6.12.5",	 "6.12.5.img", "6.12.5-x",	"6.12.50",
					     "6.12.5.1", "6.12.5a",    "6.12.50-6.12.5" };
	char path[64];

	made_put("/proc/sys/kernel/osrelease", "6.12.5\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "/boot/initrd-%s", names[i]);
		put(path, "07", 1000 - (long)i);
	}
	boot_files_find(made_root, &files);
	ck_assert_uint_eq(files.count, 7);
	for (size_t i = 0; i < 7; i++)
		ck_assert(files.files[i].running == (i < 3 || i == 6));
}
END_TEST

/* The limit per top directory. */
START_TEST(looks_at_only_so_much)
{
	char command[256];

	made_directory("/boot");
	put("/efi/initrd", "07", 1000);
	boot_files_find(made_root, &files);
	ck_assert_str_eq(files.cut, "");
	snprintf(command, sizeof(command), "cd %s/boot && seq 20001 | xargs touch", made_root);
	ck_assert_int_eq(system(command), 0);
	boot_files_find(made_root, &files);
	ck_assert_str_eq(files.cut, "/boot");
	ck_assert_uint_eq(files.count, 1);
}
END_TEST

START_TEST(knows_when_all_was_changed)
{
	boot_files_find(made_root, &files);
	ck_assert(!files.directories_changed && !files.written && !files.unmounted[0]);
	ck_assert_int_eq(boot_modules_changed(made_root), 0);
	put("/boot/loader/entries/arch.conf", "title", 2000);
	made_directory("/usr/lib/modules");
	set_time("/usr/lib/modules", 3000);
	set_time("/boot/loader/entries", 5000);
	set_time("/boot/loader", 4000);
	set_time("/boot", 4000);
	boot_files_find(made_root, &files);
	ck_assert_int_eq(files.directories_changed, 5000);
	ck_assert_int_ge(files.written, time(NULL) - 600);
	ck_assert_int_eq(boot_modules_changed(made_root), 3000);
	/* FAT's root directory. */
	set_time("/boot", 0);
	boot_files_find(made_root, &files);
	ck_assert_int_gt(files.directories_changed, time(NULL));
}
END_TEST

START_TEST(keeps_the_newest)
{
	char path[64];

	for (int i = 0; i < BOOT_FILES_MAX + 8; i++) {
		snprintf(path, sizeof(path), "/boot/initrd.img-%d", i);
		put(path, "07", 1000 + i);
	}
	boot_files_find(made_root, &files);
	ck_assert_uint_eq(files.count, BOOT_FILES_MAX);
	for (int i = 0; i < BOOT_FILES_MAX; i++)
		ck_assert_int_eq(files.files[i].changed, 1000 + BOOT_FILES_MAX + 7 - i);
}
END_TEST

START_TEST(knows_when_it_began)
{
	ck_assert_int_eq(boot_began(made_root), 0);
	made_put("/proc/stat", "cpu 1\nbtime 1700000000\n");
	ck_assert_int_eq(boot_began(made_root), 1700000000);
	made_put("/proc/stat", "cpu 1\nbtime -5\n");
	ck_assert_int_eq(boot_began(made_root), 0);
}
END_TEST

static bool parse(uint64_t file_size)
{
	image = (struct boot_file){ 0 };
	return boot_file_parse(header, sizeof(header), file_size, &image);
}

START_TEST(parses_unified_images)
{
	made_unified_header(header, "ro quiet", 1000);
	ck_assert(parse(4096));
	ck_assert_uint_eq(image.cmdline.offset, 512);
	ck_assert_uint_eq(image.cmdline.length, 8);
	ck_assert_uint_eq(image.initrd.offset, 1024);
	ck_assert_uint_eq(image.initrd.length, 1000);
	/* Of two with the same name, the first. */
	memcpy(header + 344, header + 304, 40);
	header[344 + 21] = 9;
	ck_assert(parse(4096));
	ck_assert_uint_eq(image.initrd.offset, 1024);
	/* Without a size in memory the size in the file counts. */
	memset(header + 304 + 8, 0, 4);
	ck_assert(parse(4096));
	ck_assert_uint_eq(image.initrd.length, 1024);
	/* Without an initramfs, like addons and boot loaders. */
	header[344 + 1] = header[304 + 1] = 'x';
	ck_assert(!parse(4096));
}
END_TEST

/* A stub with a lot before its headers. */
START_TEST(finds_headers_that_lie_far_behind)
{
	unsigned char *whole = calloc(1, 40000);

	ck_assert_ptr_nonnull(whole);
	made_unified_header(header, "ro", 1);
	header[304 + 21] = 0;
	memcpy(whole, header, 64);
	whole[60] = 0x30;
	whole[61] = 0x75; /* 30000 */
	memcpy(whole + 30000, header + 128, 512);
	made_put_bytes("/boot/linux.efi", whole, 40000);
	free(whole);
	boot_files_find(made_root, &files);
	ck_assert_uint_eq(files.count, 1);
	ck_assert_uint_eq(files.files[0].initrd.length, 1);
}
END_TEST

/* Every byte of the headers, changed in several ways: sections never leave the file. */
START_TEST(stands_hostile_images)
{
	for (size_t i = 0; i < 384; i++) {
		for (int value = 1; value < 256; value += 2) {
			made_unified_header(header, "ro quiet", 1000);
			header[i] ^= (unsigned char)value;
			if (!parse(4096))
				continue;
			ck_assert_uint_le(image.initrd.offset + image.initrd.length, 4096);
			ck_assert_uint_le(image.cmdline.offset + image.cmdline.length, 4096);
		}
	}
	made_unified_header(header, "ro quiet", 1000);
	ck_assert(!parse(1500));
	for (size_t length = 0; length < 384; length++)
		ck_assert(!boot_file_parse(header, length, 4096, &image));
	memset(header + 60, 0xff, 4);
	ck_assert(!parse(4096));
}
END_TEST

static struct boot_choice choices[BOOT_CHOICES_MAX];

static size_t read_choices(void)
{
	return boot_choices_read(made_root, choices);
}

#define EFI(name) "/sys/firmware/efi/efivars/" name "-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define LOADER(name) "/sys/firmware/efi/efivars/" name "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define PUT(path, bytes) made_put_bytes(path, bytes, sizeof(bytes) - 1)

/* Attributes of the variable, of the entry, the device path's length, a description, the path. */
#define ENTRY(attributes, path) "\7\0\0\0" attributes "\0\0\0\0u\0\0\0" path "\x7f\xff\4\0"
#define PARTITION "\2\1\f\0pnpidisk\4\1\x2a\0and 38 bytes"

START_TEST(sees_what_the_firmware_will_do)
{
	ck_assert_uint_eq(read_choices(), 0);
	PUT(EFI("BootCurrent"), "\6\0\0\0\1\0");
	PUT(EFI("BootOrder"), "\7\0\0\0\1\0\3\0");
	PUT(EFI("Boot0003"), ENTRY("\1\0", PARTITION));
	ck_assert_uint_eq(read_choices(), 0);
	PUT(EFI("BootOrder"), "\7\0\0\0\3\0\1\0");
	ck_assert_uint_eq(read_choices(), 1);
	ck_assert_str_eq(choices[0].text, "the firmware starts Boot0003 first (BootOrder), not "
					  "the entry of this boot");
	/* It is not active; it is a program that is not a system (a setup menu). */
	PUT(EFI("Boot0003"), ENTRY("\0\0", PARTITION));
	ck_assert_uint_eq(read_choices(), 0);
	PUT(EFI("Boot0003"), ENTRY("\1\1", PARTITION));
	ck_assert_uint_eq(read_choices(), 0);
	/* Entries that may be absent: on USB, from the network; an entry that is gone or
	 * truncated. */
	PUT(EFI("Boot0003"), ENTRY("\1\0", "\1\1\4\0\3\5\6\0\0\0"));
	ck_assert_uint_eq(read_choices(), 0);
	PUT(EFI("Boot0003"), "\7\0\0\0\1");
	ck_assert_uint_eq(read_choices(), 0);
	made_put("/sys/firmware/efi/efivars/Boot0003-8be4df61-93ca-11d2-aa0d-00e098032b8c", NULL);
	ck_assert_uint_eq(read_choices(), 0);
	/* The order lacks the entry of this boot. */
	PUT(EFI("BootOrder"), "\7\0\0\0\4\0");
	ck_assert_uint_eq(read_choices(), 0);
	PUT(EFI("BootNext"), "\7\0\0\0\x0a\0");
	ck_assert_uint_eq(read_choices(), 1);
	ck_assert_str_eq(choices[0].text, "the firmware will start Boot000A once (BootNext)");
	PUT(EFI("BootNext"), "\7\0\0\0\1\0");
	ck_assert_uint_eq(read_choices(), 0);
	PUT(EFI("BootNext"), "\7\0\0\0\1");
	ck_assert_uint_eq(read_choices(), 0);
}
END_TEST

START_TEST(sees_what_the_boot_loader_will_do)
{
	PUT(LOADER("LoaderEntrySelected"), "\6\0\0\0a\0.\0c\0\0\0");
	PUT(LOADER("LoaderEntryOneShot"), "\7\0\0\0a\0.\0c\0\0\0");
	ck_assert_uint_eq(read_choices(), 0);
	PUT(LOADER("LoaderEntryOneShot"), "\7\0\0\0A\0.\0C\0\0\0");
	ck_assert_uint_eq(read_choices(), 0);
	PUT(LOADER("LoaderEntryOneShot"), "\7\0\0\0w\0\x1b\0n\0\1\2\0\0");
	ck_assert_uint_eq(read_choices(), 1);
	ck_assert_ptr_nonnull(strstr(choices[0].text, "will start w?n? once (LoaderEntryOneShot)"));
	PUT(LOADER("LoaderEntryOneShot"), "\7\0\0\0");
	ck_assert_uint_eq(read_choices(), 0);
	PUT(LOADER("LoaderEntryDefault"), "\7\0\0\0A\0*\0\0\0");
	ck_assert_uint_eq(read_choices(), 0);
	PUT(LOADER("LoaderEntryDefault"), "\7\0\0\0@\0s\0\0\0");
	ck_assert_uint_eq(read_choices(), 0);
	PUT(LOADER("LoaderEntryDefault"), "\7\0\0\0b\0\0\0");
	ck_assert_uint_eq(read_choices(), 1);
	ck_assert_str_eq(
		choices[0].text,
		"the boot loader starts b (LoaderEntryDefault), not the entry of this boot");
}
END_TEST

START_TEST(sees_what_grub_remembers)
{
	made_put("/boot/grub/grubenv", "# GRUB Environment Block\nsaved_entry=gnulinux\n####");
	ck_assert_uint_eq(read_choices(), 0);
	made_put("/boot/grub/grubenv", "# GRUB\nnext_entry=\nsaved_entry=osprober-efi-1A2B\n##");
	ck_assert_uint_eq(read_choices(), 1);
	ck_assert_ptr_nonnull(strstr(choices[0].text, "osprober-efi-1A2B (saved_entry)"));
	made_put("/boot/grub/grubenv", NULL);
	made_put("/boot/grub2/env", "# GRUB\nnext_entry=old\x1b\n");
	made_link("/boot/grub2/grubenv", "env");
	ck_assert_uint_eq(read_choices(), 1);
	ck_assert_ptr_nonnull(strstr(choices[0].text, "start old? once"));
	/* Another system's. */
	made_put("/boot/grub2/env", NULL);
	made_put("/boot/efi/EFI/fedora/grubenv", "# GRUB\nnext_entry=old\n");
	ck_assert_uint_eq(read_choices(), 0);
}
END_TEST

/* More than one crypttab, each name after a zero byte. */
static char names[64] = "etc/a.key";
static size_t names_length = 10;
static const char *config;

static bool opens(const char *table, const char *cmdline, const char *name, bool any_name)
{
	struct initramfs initramfs = { .names = names, .names_length = names_length };

	if (config) {
		strcpy(initramfs.files[1].name, "config");
		initramfs.files[1].text = (char *)(uintptr_t)config;
		initramfs.count = 2;
	}
	if (table) {
		strcpy(initramfs.files[0].name, "etc/crypttab");
		initramfs.files[0].text = (char *)(uintptr_t)table;
		initramfs.count += initramfs.count == 0;
	}
	return initramfs_opens(&initramfs, cmdline, name, "bd6056f3-0000-4000-8000-000000000002",
			       any_name);
}

START_TEST(knows_who_opens_luks)
{
	const char *const full = "rd.luks.uuid=bd6056f3-0000-4000-8000-000000000002";

	ck_assert(!opens(NULL, "quiet", "swap", true));
	ck_assert(opens("# swap x\nswap /dev/sda2 none luks\n", "", "swap", false));
	ck_assert(!opens("# swap x y\nswap2 /dev/sda2 none luks\n", "", "swap", false));
	ck_assert(!opens("swap /dev/sda2 /dev/urandom swap\n", "", "swap", true));
	ck_assert(!opens("other UUID=bd6056f3-0000-4000-8000-000000000002 x\n", "", "swap", false));
	ck_assert(opens("other UUID=bd6056f3-0000-4000-8000-000000000002 x\n", "", "swap", true));
	/* Formatted since. */
	ck_assert(opens("swap UUID=BD6056f3-0000-4000-8000-000000000002 x\n", "", "swap", false));
	ck_assert(
		opens("swap UUID=\"bd6056f3-0000-4000-8000-000000000002\" x\n", "", "swap", false));
	ck_assert(!opens("swap UUID=dead56f3-0000-4000-8000-000000000002 x\n", "", "swap", false));
	ck_assert(!opens("swap /dev/disk/by-uuid/dead56f3-0000 x\n", "", "swap", true));
	ck_assert(!opens(NULL, full, "swap", false));
	ck_assert(opens(NULL, full, "swap", true));
	ck_assert(opens(NULL, full, "luks-bd6056f3-0000-4000-8000-000000000002", false));
	ck_assert(opens(NULL, "a rd.luks.uuid=luks-BD6056F3-0000-4000-8000-000000000002 b", "swap",
			true));
	ck_assert(opens(NULL, "a rd.luks.uuid=luks-bd60 b", "swap", true));
	ck_assert(!opens(NULL, "root=UUID=bd6056f3-0000-4000-8000-000000000002", "swap", true));
	ck_assert(!opens(NULL, "rd.luks.uuid=bd6156f3-0000-4000-8000-000000000002", "swap", true));
	ck_assert(!opens(NULL, "rd.luks.uuid=", "swap", true));
	ck_assert(opens(NULL, "rd.luks.name=bd6056f3-0000-4000-8000-000000000002=swap", "swap",
			false));
	ck_assert(
		!opens(NULL, "rd.luks.name=bd6056f3-0000-4000-8000-000000000002=s", "swap", false));
	ck_assert(!opens(NULL, "rd.luks.name=bd6056f3-0000-4000-8000-000000000002=swap luks=0",
			 "swap", false));
	ck_assert(!opens(NULL, "rd.luks.name=dead56f3-0000-4000-8000-000000000002=swap", "swap",
			 false));
	ck_assert(!opens(NULL, "rd.luks.options=bd6056f3-0000-4000-8000-000000000002=discard",
			 "swap", true));
}
END_TEST

START_TEST(knows_which_hook_opens_luks)
{
	ck_assert(!opens(NULL, "cryptdevice=UUID=1:swap", "swap", false));
	memcpy(names + names_length, "hooks/encrypt", 14);
	names_length += 14;
	ck_assert(opens(NULL, "cryptdevice=UUID=1:swap:discard", "swap", false));
	ck_assert(opens(NULL, "cryptdevice=UUID=1:swap", "swap", false));
	ck_assert(opens(NULL, "cryptdevice=UUID=1:swap luks=0", "swap", false));
	ck_assert(!opens(NULL, "cryptdevice=UUID=1:swap2", "swap", false));
	ck_assert(opens(NULL, "cryptdevice=UUID=bd6056f3-0000:x", "swap", true));
	ck_assert(!opens(NULL, "cryptdevice=UUID=bd6056f3-0000:x", "swap", false));
	config = "MODULES=\nHOOKS=\"base encrypt s2disk\"\n";
	ck_assert(opens(NULL, "cryptdevice=UUID=1:swap", "swap", false));
	config = "HOOKS=\"base s2disk encrypt\"\n";
	ck_assert(!opens(NULL, "cryptdevice=UUID=1:swap", "swap", false));
}
END_TEST

/* systemd-cryptsetup-generator(8). */
START_TEST(knows_which_lines_count)
{
	static const char line[] = "swap UUID=bd6056f3-0000-4000-8000-000000000002 none luks\n";

	ck_assert(opens(line, "quiet", "swap", false));
	ck_assert(opens(line, "rd.luks.uuid=eb5e rd.luks.uuid=luks-bd6056f3", "swap", false));
	ck_assert(opens(line, "luks.name=bd6056f3-0000-4000-8000-000000000002=x", "swap", false));
	ck_assert(!opens(line, "rd.luks.uuid=eb5ecac5", "swap", false));
	ck_assert(!opens(line, "luks.name=eb5ecac5=x", "swap", false));
	ck_assert(!opens("swap /dev/sda2\n", "rd.luks.uuid=bd6056f3", "swap", false));
	ck_assert(!opens(line, "rd.luks=0", "swap", false));
	ck_assert(!opens(line, "luks=no", "swap", false));
	ck_assert(!opens(line, "rd.luks.crypttab=off", "swap", false));
	ck_assert(opens(line, "rd.luks=1 luks.crypttab=1", "swap", false));
	ck_assert(!opens("swap /dev/sda2 none luks,noauto\n", "", "swap", false));
	/* Only the first two fields name something. */
	ck_assert(!opens("other /dev/sda2 swap luks\n", "", "swap", true));
	ck_assert(opens("swap /dev/sda2\n", "", "swap", false));
	ck_assert(opens("swap /dev/sda2 -\n", "", "swap", false));
	ck_assert(opens("swap /dev/sda2 /etc/a.key luks\n", "", "swap", false));
	ck_assert(!opens("swap /dev/sda2 /etc/b.key luks\n", "", "swap", false));
	ck_assert(opens("swap /dev/sda2 /run/b.key luks\n", "", "swap", false));
	ck_assert(opens("swap /dev/sda2 /b.key:LABEL=stick luks\n", "", "swap", false));
	ck_assert(opens("swap /dev/sda2 /dev/disk/by-label/key luks\n", "", "swap", false));
	ck_assert(opens("swap /dev/sda2 /b luks,keyscript=decrypt_derived\n", "", "swap", false));
}
END_TEST

START_TEST(knows_the_command)
{
	ck_assert_ptr_null(initramfs_command(made_root));
	made_put_mode("/usr/bin/dracut", "", 0755);
	ck_assert_str_eq(initramfs_command(made_root), "dracut --force --regenerate-all");
	/* Where another program copies it to where it boots from. */
	made_put_mode("/usr/bin/kernel-install", "", 0755);
	made_put("/usr/lib/kernel/install.conf", "layout=uki\n");
	ck_assert_str_eq(initramfs_command(made_root), "kernel-install add-all");
	made_put("/usr/lib/kernel/install.conf", NULL);
	made_put("/etc/kernel/install.conf", "layout=uki\n");
	ck_assert_str_eq(initramfs_command(made_root), "kernel-install add-all");
	made_put_mode("/usr/bin/kernel-install", "#!/bin/sh\n", 0755);
	ck_assert_str_eq(initramfs_command(made_root), "dracut --force --regenerate-all");
	made_put_mode("/usr/bin/kernel-install", "\177ELF", 0755);
	ck_assert_str_eq(initramfs_command(made_root), "kernel-install add-all");
	made_put("/usr/lib/kernel/install.conf", "layout=uki\n");
	made_put("/etc/kernel/install.conf", "#layout=uki\nlayout=bls\n");
	ck_assert_str_eq(initramfs_command(made_root), "dracut --force --regenerate-all");
	made_put_mode("/usr/bin/mkinitcpio", "", 0755);
	ck_assert_str_eq(initramfs_command(made_root), "mkinitcpio -P");
	made_put_mode("/usr/bin/limine-mkinitcpio", "", 0755);
	ck_assert_str_eq(initramfs_command(made_root), "limine-mkinitcpio");
	made_put("/usr/bin/limine-mkinitcpio", NULL);
	made_put("/usr/bin/mkinitcpio", NULL);
	made_put_mode("/usr/bin/sdbootutil", "", 0755);
	ck_assert_str_eq(initramfs_command(made_root), "sdbootutil mkinitrd");
	made_put("/etc/sysconfig/bootloader", "LOADER_TYPE=\"grub2-efi\"\n");
	ck_assert_str_eq(initramfs_command(made_root), "dracut --force --regenerate-all");
	made_put("/etc/sysconfig/bootloader", "LOADER_TYPE=\"grub2-bls\"\n");
	ck_assert_str_eq(initramfs_command(made_root), "sdbootutil mkinitrd");
	made_put_mode("/usr/sbin/update-initramfs", "", 0755);
	ck_assert_str_eq(initramfs_command(made_root), "update-initramfs -u -k all");
	made_put("/run/ostree-booted", "");
	ck_assert_ptr_null(initramfs_command(made_root));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "boot_files");

	tcase_add_checked_fixture(test, made_root_create, made_root_remove);
	tcase_set_timeout(test, 60);
	tcase_add_test(test, finds_what_boots);
	tcase_add_test(test, knows_what_is_spare);
	tcase_add_test(test, knows_what_the_stub_started);
	tcase_add_test(test, follows_the_topmost_link);
	tcase_add_test(test, compares_releases);
	tcase_add_test(test, looks_at_only_so_much);
	tcase_add_test(test, knows_when_all_was_changed);
	tcase_add_test(test, keeps_the_newest);
	tcase_add_test(test, knows_when_it_began);
	tcase_add_test(test, parses_unified_images);
	tcase_add_test(test, finds_headers_that_lie_far_behind);
	tcase_add_test(test, stands_hostile_images);
	tcase_add_test(test, sees_what_the_firmware_will_do);
	tcase_add_test(test, sees_what_the_boot_loader_will_do);
	tcase_add_test(test, sees_what_grub_remembers);
	tcase_add_test(test, knows_who_opens_luks);
	tcase_add_test(test, knows_which_hook_opens_luks);
	tcase_add_test(test, knows_which_lines_count);
	tcase_add_test(test, knows_the_command);
}
