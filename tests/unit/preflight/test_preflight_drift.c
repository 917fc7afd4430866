/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The check of what drifts: boots of a made-up machine of 512 MiB, whose firmware has one page at
 * one place or another. */
#include "base/bytes.h"
#include "base/io.h"
#include "base/memory.h"
#include "fixtures/check_main.h"
#include "platform/memory/memory_map.h"
#include "fixtures/machine/made_root.h"
#include "history/maps/drift.h"
#include "history/maps/kept_free.h"
#include "history/maps/map_history_file.h"
#include "preflight/preflight_private.h"

#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define NOTE_OF(lines) "s2disk kept free 1\nboot-id boot-9\n" lines

static struct platform platform;
static struct settings settings;
static struct preflight result;
static unsigned int boots;

/* The map of a boot with that page taken. */
static void set_map(uint64_t first, uint64_t count, const char *type)
{
	char text[300];

	snprintf(text, sizeof(text),
		 "0x100000 0x%llx System RAM\n0x%llx 0x%llx %s\n0x%llx 0x1fffffff System RAM\n",
		 (unsigned long long)first * 4096 - 1, (unsigned long long)first * 4096,
		 (unsigned long long)(first + count) * 4096 - 1, type,
		 (unsigned long long)(first + count) * 4096);
	memory_map_free(&platform.map);
	ck_assert_int_eq(memory_map_parse(text, &platform.map), 0);
}

static void count_boot(uint64_t first, uint64_t count)
{
	struct boot_memory boot;
	char id[20];

	set_map(first, count, "Reserved");
	snprintf(id, sizeof(id), "boot-%u", ++boots);
	ck_assert_int_eq(boot_memory_of(made_root, &platform, NULL, boots, &boot), 0);
	ck_assert_int_eq(map_history_add(made_root, &boot, id, NULL, NULL), 0);
	boot_memory_free(&boot);
}

/* A boot of that kernel with the log there. */
static void count_log(const char *release, uint64_t first)
{
	struct boot_memory boot;
	char id[20], log[80];

	snprintf(log, sizeof(log), "efi: TPMEventLog=0x%llx\nACPI: DSDT 0x7000040 000100\n",
		 (unsigned long long)first * 4096);
	set_map(first, 4, "ACPI Tables");
	snprintf(platform.kernel.release, sizeof(platform.kernel.release), "%s", release);
	snprintf(id, sizeof(id), "boot-%u", ++boots);
	ck_assert_int_eq(boot_memory_of(made_root, &platform, log, boots, &boot), 0);
	ck_assert_uint_ne(boot.log_end, 0);
	ck_assert_int_eq(map_history_add(made_root, &boot, id, NULL, NULL), 0);
	boot_memory_free(&boot);
}

/* Pages that are offlined; s2disk's own or not, as far as the kernel counts no errors. */
static void put_offlined(uint64_t first, uint64_t count)
{
	static unsigned char flags[0x20000 * 8];

	memset(flags, 0, sizeof(flags));
	for (uint64_t i = 0; i < count; i++)
		put_le64(flags + (first + i) * 8, 1ull << KPF_HWPOISON);
	made_put_bytes("/proc/kpageflags", flags, sizeof(flags));
	made_put("/proc/meminfo",
		 count ? "HardwareCorrupted:    20 kB\n" : "HardwareCorrupted:     0 kB\n");
}

static void begin(void)
{
	made_root_create();
	made_directory("/run");
	made_directory("/var");
	made_directory("/var/lib");
	made_put("/proc/sys/kernel/random/boot_id", "boot-9\n");
	settings_defaults(&settings);
	platform = (struct platform){ .ram.pages = { .page_size = 4096,
						     .offlining = OFFLINING_POSSIBLE } };
	put_offlined(0, 0);
	boots = 0;
}

static void end(void)
{
	memory_map_free(&platform.map);
	made_root_remove();
}

static void put_failures(const char *count)
{
	made_put("/sys/devices/system/node/node0/memory_failure/ignored", count);
	made_put("/sys/devices/system/node/node0/memory_failure/failed", count);
	made_put("/sys/devices/system/node/node0/memory_failure/delayed", count);
}

static void look(void)
{
	const struct preflight_target target = { .platform = &platform };
	struct preflight_context context = {
		.target = &target, .preflight = &result, .settings = &settings, .root = made_root
	};

	result.count = result.left_out = 0;
	check_drift(&context);
}

static void expect(enum check_level level, const char *text, const char *advice)
{
	const struct check *check = &result.checks[0];

	look();
	ck_assert_uint_eq(result.count, 1);
	ck_assert_str_eq(check->id, "drift");
	ck_assert_msg(check->level == level, "%s", check->text);
	ck_assert_msg(strstr(check->text, text) != NULL, "%s", check->text);
	ck_assert_msg(strstr(check->advice, advice) != NULL, "%s", check->advice);
	ck_assert((level == CHECK_OK) == (check->advice[0] == '\0'));
}

START_TEST(nothing_drifts)
{
	set_map(0x10000, 1, "Reserved");
	expect(CHECK_OK, "no other boot's memory map is known yet", "");
	for (int i = 0; i < 3; i++)
		count_boot(0x10000, 1);
	expect(CHECK_OK, "at none of 3 boots seen", "");
	settings.drift = false;
	expect(CHECK_OK, "not looked at (\"drift = n\")", "");
}
END_TEST

START_TEST(is_unknown)
{
	const struct preflight_target target = { .platform = NULL };
	struct preflight_context context = {
		.target = &target, .preflight = &result, .settings = &settings, .root = made_root
	};

	look(); /* no map */
	ck_assert_uint_eq(result.count, 0);
	check_drift(&context);
	ck_assert_uint_eq(result.count, 0);
}
END_TEST

START_TEST(is_kept_free)
{
	count_boot(0x12000, 1);
	count_boot(0x10000, 1);
	count_boot(0x10000, 1);
	expect(CHECK_OK, "at 1 of 3 boots the firmware took memory that is free now; it will be",
	       "");
	made_put("/run/s2disk/kept-free", NOTE_OF("boots 3 0\nkept 0x11ffe 5\n"));
	put_offlined(0x11ffe, 5);
	put_failures("0\n");
	expect(CHECK_OK, "it is kept free: 5 pages at 0x11ffe000", "");
	/* Of an earlier boot: known no more. */
	made_put("/proc/sys/kernel/random/boot_id", "boot-10\n");
	expect(CHECK_OK, "it will be kept free: 5 pages at 0x11ffe000", "");
}
END_TEST

/* What the note has as kept counts only as far as an image would leave it out. */
START_TEST(is_in_the_image_anyway)
{
	static const char text[] = "the next image will have these anyway: ";

	count_boot(0x12000, 1);
	count_boot(0x10000, 1);
	made_put("/proc/kpageflags", NULL);
	made_put("/run/s2disk/kept-free", NOTE_OF("boots 2 0\nkept 0x11ffe 5\n"));
	expect(CHECK_WARNING, "kpageflags: No such file", "reboot");
	io_set_only_looks(true); /* no report has it */
	expect(CHECK_OK, "it is kept free: 5 pages", "");
	io_set_only_looks(false);
	put_offlined(0x11ffe, 5);
	expect(CHECK_WARNING, text, "reboot");
	ck_assert_ptr_nonnull(strstr(result.checks[0].text, "5 pages at 0x11ffe000 (not offlined "
							    "by s2disk, or no longer); at 1 of 2"));
	made_put("/run/s2disk/offlined", "73726 2\n73729 2\n");
	expect(CHECK_WARNING, "anyway: 1 page at 0x12000000", "reboot");
	made_put("/run/s2disk/offlined", "73726 4\n"); /* of the margin */
	expect(CHECK_OK, "anyway: 1 page at 0x12002000", "");
	made_put("/run/s2disk/offlined", "73726 5\n");
	expect(CHECK_OK, "it is kept free: 5 pages", "");
	put_failures("1\n");
	expect(CHECK_WARNING, "5 pages at 0x11ffe000 (the kernel counts 1 memory errors", "reboot");
	put_failures("0\n");
	put_offlined(0x11ffe, 2);
	expect(CHECK_WARNING, "anyway: 3 pages at 0x12000000", "reboot");
	put_offlined(0x11ffe, 0);
	expect(CHECK_WARNING, "anyway: 5 pages", "reboot");
}
END_TEST

START_TEST(the_kernel_holds_it)
{
	count_boot(0x12000, 1);
	count_boot(0x10000, 1);
	made_put("/run/s2disk/kept-free",
		 NOTE_OF("boots 2 1\nkept 0x11ffe 2\nheld 0x12000 1\nplace 0x12000 1\n"));
	expect(CHECK_WARNING,
	       "the kernel uses 1 page at 0x12000000; at 1 of 2 boots the firmware had a region",
	       "memmap=4K$0x12000000");
	made_put("/run/s2disk/kept-free", NOTE_OF("boots 2 1\nhuge 0x12000 1\nplace 0x12000 1\n"));
	expect(CHECK_WARNING, "1 page at 0x12000000 reserved as huge pages; at 1 of 2 boots",
	       "memmap=4K$0x12000000");
}
END_TEST

/* All that a note can hold fits into the text with the odds. */
START_TEST(much_is_held)
{
	char note[4096] = NOTE_OF("boots 18446744073709551615 18446744073709551615\n");

	count_boot(0x12000, 1);
	for (int i = 0; i < 40; i++) {
		size_t used = strlen(note);

		snprintf(note + used, sizeof(note) - used, "%s 0x%x%d 1\nplace 0x%x%d 1\n",
			 i % 2 ? "huge" : "held", 0xfffffff, 10 + 2 * i, 0xfffffff, 10 + 2 * i);
	}
	made_put("/run/s2disk/kept-free", note);
	expect(CHECK_WARNING, "a boot that has it cannot resume the next session",
	       "memmap=SIZE$ADDRESS");
}
END_TEST

START_TEST(cannot_be_offlined)
{
	platform.ram.pages.offlining = _i ? OFFLINING_ABSENT : OFFLINING_DISABLED;
	set_map(0x10000, 1, "Reserved");
	expect(CHECK_OK, "no other boot's", "");
	count_boot(0x12000, 1);
	count_boot(0x10000, 1);
	expect(CHECK_WARNING,
	       "this kernel cannot offline pages, so these are not kept free: 5 pages at "
	       "0x11ffe000; at 1 of 2 boots",
	       "memmap=20K$0x11ffe000");
	platform.ram.pages.offlining = OFFLINING_POSSIBLE;
	made_put("/proc/kpageflags", NULL);
	expect(CHECK_WARNING,
	       "this kernel does not show which pages are offlined (CONFIG_PROC_PAGE_MONITOR), so "
	       "these are not kept free: 5 pages at 0x11ffe000; at 1 of 2 boots",
	       "memmap=20K$0x11ffe000");
}
END_TEST

START_TEST(is_too_large)
{
	count_boot(0x12000, 3000);
	count_boot(0x10000, 1);
	expect(CHECK_WARNING, "more than \"drift limit\" lets be kept free: 12 MiB more",
	       "set \"drift limit\" higher than 8 MiB");
	ck_assert_ptr_nonnull(strstr(result.checks[0].advice, "delete " MAP_HISTORY_PATH));
	settings.drift_mib = 12;
	expect(CHECK_OK, "it will be kept free: 3004 pages", "");
}
END_TEST

static void put_event_log(void)
{
	made_put("/dev/kmsg", "6,1,2,-;efi: ACPI=0x7000014 TPMEventLog=0x10000018\n"
			      "6,2,3,-;ACPI: DSDT 0x7000040 000100\n");
	set_map(0x10000, 4, "ACPI Tables");
}

START_TEST(event_log)
{
	put_event_log();
	expect(CHECK_OK, "around it will be kept free: 8 pages at 0xfff8000, 8 pages at 0x10004000",
	       "");
}
END_TEST

/* This boot began a day ago. */
START_TEST(another_kernel)
{
	char text[64];

	snprintf(text, sizeof(text), "cpu 1 2\nbtime %lld\n", (long long)time(NULL) - 86400);
	made_put("/proc/stat", text);
	made_put("/boot/initrd.img-6.12.9", "an initramfs\n");
	put_event_log();
	look();
	ck_assert_uint_eq(result.count, 2);
	ck_assert_str_eq(result.checks[1].id, "drift");
	ck_assert_int_eq(result.checks[1].level, CHECK_WARNING);
	ck_assert_ptr_nonnull(strstr(result.checks[1].text, "(/boot/initrd.img-6.12.9)"));
	ck_assert_ptr_null(strstr(result.checks[1].text, "elsewhere"));
	ck_assert_str_eq(result.checks[1].advice, "reboot first");
	/* Before this boot. */
	snprintf(text, sizeof(text), "cpu 1 2\nbtime %lld\n", (long long)time(NULL) + 3600);
	made_put("/proc/stat", text);
	look();
	ck_assert_uint_eq(result.count, 1);
	/* When this boot began is unknown. */
	made_put("/proc/stat", NULL);
	look();
	ck_assert_uint_eq(result.count, 1);
}
END_TEST

/* What the history knows of other kernels gives the odds. */
START_TEST(another_kernel_by_the_history)
{
	static const struct {
		const char *release;
		uint64_t first;
	} booted[] = { { "6.12.7", 0x11000 }, { "6.12.8", 0x10000 }, { "6.12.8", 0x10002 } };

	made_put("/proc/stat", "cpu 1 2\nbtime 1000000\n");
	made_put("/boot/initrd.img-6.12.9", "an initramfs\n");
	for (size_t i = 0; i < ARRAY_SIZE(booted); i++)
		count_log(booted[i].release, booted[i].first);
	strcpy(platform.kernel.release, "6.12.9");
	put_event_log();
	look();
	ck_assert_uint_eq(result.count, 2);
	ck_assert_ptr_nonnull(
		strstr(result.checks[1].text, "; with 1 of 2 others seen it lay elsewhere"));
}
END_TEST

START_TEST(another_loader)
{
	made_put("/proc/sys/kernel/bootloader_type", "114\n");
	count_boot(0x12000, 1);
	made_put("/proc/sys/kernel/bootloader_type", "33\n");
	count_boot(0x10000, 1);
	look();
	ck_assert_uint_eq(result.count, 2);
	ck_assert_int_eq(result.checks[1].level, CHECK_OK);
	ck_assert_str_eq(result.checks[1].id, "drift");
	ck_assert_ptr_nonnull(strstr(result.checks[1].text,
				     "took that memory were all started by GRUB, those with this "
				     "boot's memory map by EFI stub;"));
	/* With the other loader, too. */
	made_put("/proc/sys/kernel/bootloader_type", "114\n");
	count_boot(0x10000, 1);
	look();
	ck_assert_uint_eq(result.count, 1);
}
END_TEST

/* The firmware places its regions without regard to kernels. */
START_TEST(another_kernel_without_event_log)
{
	made_put("/proc/stat", "cpu 1 2\nbtime 1000000\n");
	made_put("/boot/initrd.img-6.12.9", "an initramfs\n");
	set_map(0x10000, 4, "ACPI Tables");
	look();
	ck_assert_uint_eq(result.count, 1);
	ck_assert_int_eq(result.checks[0].level, CHECK_OK);
}
END_TEST

void test_cases(Suite *suite)
{
	const TTest *const tests[] = {
		nothing_drifts,
		is_unknown,
		is_kept_free,
		is_in_the_image_anyway,
		the_kernel_holds_it,
		much_is_held,
		is_too_large,
		event_log,
		another_kernel,
		another_kernel_by_the_history,
		another_kernel_without_event_log,
		another_loader,
	};
	TCase *tcase = test_case(suite, "preflight_drift");

	/* Frames are this machine's pages. */
	if (page_size() != 4096)
		return;
	tcase_add_checked_fixture(tcase, begin, end);
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(tcase, cannot_be_offlined, 0, 2);
}
