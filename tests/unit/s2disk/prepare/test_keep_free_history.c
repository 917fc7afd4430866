/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the history says is kept free: from the first boot on, by the early service, after a
 * resume. */
#include "base/bytes.h"
#include "base/memory.h"
#include "history/maps/boots_left.h"
#include "history/maps/map_history_file.h"
#include "s2disk/lock.h"
#include "fixtures/check_main.h"
#include "keep_free_fixture.h"

static void put_event_log(const char *address)
{
	char text[300];

	free(kernel_log);
	ck_assert_int_gt(
		asprintf(&kernel_log,
			 "efi: ACPI=0x7000014 TPMEventLog=%s\nACPI: DSDT 0x7000040 000100\n",
			 address),
		0);
	snprintf(
		text, sizeof(text),
		"6,1,2,-;efi: ACPI=0x7000014 TPMEventLog=%s\n6,2,3,-;ACPI: DSDT 0x7000040 000100\n",
		address);
	made_put("/dev/kmsg", text);
}

/* Kept free from the first boot on; what the kernel holds there was taken at no boot. */
START_TEST(around_the_event_log)
{
	put_event_log("0x10000018");
	boot("boot-1", 0x10000, 4, "ACPI Tables");
	refused_from = 0x10004;
	refused_end = 0x10006;
	refuse = 1000;
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(total(&keep.note.kept), 16 - 2);
	ck_assert_uint_eq(total(&keep.note.held), 0);
	ck_assert_str_eq(said, "");
	/* It slid onto a page of those, and back. */
	put_event_log("0x10004018");
	boot("boot-2", 0x10004, 4, "ACPI Tables");
	ck_assert_int_eq(run(), 0);
	put_event_log("0x10000018");
	boot("boot-3", 0x10000, 4, "ACPI Tables");
	ck_assert_int_eq(run(), 0);
	ck_assert_ptr_nonnull(strstr(said, "2 pages at 0x10004000; at 1 of 3 boots"));
}
END_TEST

/* Where the history cannot be written, what is known is kept free; the caller says why. */
START_TEST(history_cannot_be_written)
{
	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x12000, 3, "Reserved");
	made_shell("mkdir var/lib/s2disk/x && mv var/lib/s2disk/maps var/lib/s2disk/x/maps && "
		   "ln -s x/none/maps var/lib/s2disk/maps");
	ck_assert_int_lt(run(), 0);
	ck_assert_ptr_nonnull(strstr(w.text, "/var/lib/s2disk/maps"));
	ck_assert_uint_eq(keep.drift.boots, 1);
	ck_assert_str_eq(said, "");
	keep_free_before(made_root, &settings, &platform);
	ck_assert_ptr_nonnull(strstr(said, "<4>this boot's memory map is not remembered: /var"));
	ck_assert_int_lt(keep_free_at_boot(made_root, &settings, &w), 0);
}
END_TEST

START_TEST(damaged_history)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *more = NULL;

	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(io_read_file(made_root, MAP_HISTORY_PATH, 1 << 20, &text, NULL), 0);
	ck_assert_int_gt(asprintf(&more, "%sfirst x\n", text), 0);
	made_put(MAP_HISTORY_PATH, more);
	boot("boot-2", 0x12000, 3, "Reserved");
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(total(&keep.note.kept), 5);
	ck_assert_ptr_nonnull(strstr(said, "<4>" MAP_HISTORY_PATH " is damaged: 1 line was"));
}
END_TEST

START_TEST(no_map)
{
	made_shell("rm -r sys/firmware");
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(keep.boot.map.entries.count, 0);
	made_shell("test ! -e var/lib/s2disk");
	made_put("/sys/firmware/memmap/0/start", "none\n");
	ck_assert_int_lt(keep_free_capture(made_root, NULL, &platform, &w), 0);
	ck_assert_ptr_nonnull(strstr(w.text, "/sys/firmware/memmap"));
	ck_assert_int_lt(keep_free_at_boot(made_root, &settings, &w), 0);
}
END_TEST

/* The early service, and s2disk before a freeze, with what they find by themselves. */
START_TEST(at_boot)
{
	struct kept_free note = { 0 };
	int lock;

	ck_assert_int_eq(keep_free_at_boot(made_root, &settings, &w), 0);
	boot("boot-2", 0x12000, 3, "Reserved");
	/* Another s2disk hibernates. */
	ck_assert_int_eq(hibernate_lock_take(made_root, &lock, &w), 0);
	ck_assert_int_ge(lock, 0);
	ck_assert_int_eq(keep_free_at_boot(made_root, &settings, &w), 0);
	ck_assert_uint_eq(opened, 0);
	hibernate_lock_give(&lock);
	ck_assert_int_eq(keep_free_at_boot(made_root, &settings, &w), 0);
	ck_assert_uint_eq(asked, 5);
	ck_assert(noted(&note));
	kept_free_free(&note);
	ck_assert_int_eq(hibernate_lock_take(made_root, &lock, &w), 0);
	ck_assert_int_ge(lock, 0);
	hibernate_lock_give(&lock);
	/* Its record says where the log was. */
	boot("boot-3", 0x12000, 3, "Reserved");
	ck_assert_int_eq(run(), 0);
	asked = 0;
	keep_free_before(made_root, &settings, &platform);
	ck_assert_uint_eq(asked, 0);
	ck_assert_str_eq(said, "");
}
END_TEST

/* With lockdown or nohibernate there is no image to keep pages out of. But the boot counts. */
START_TEST(no_hibernation)
{
	struct kept_free note = { 0 };

	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x12000, 3, "Reserved");
	made_put("/sys/power/disk", "[disabled]\n");
	ck_assert_int_eq(keep_free_at_boot(made_root, &settings, &w), 0);
	ck_assert_uint_eq(opened, 0);
	ck_assert(!noted(&note));
	made_put("/sys/power/disk", "[platform] shutdown reboot suspend test_resume\n");
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(asked, 5);
	ck_assert_uint_eq(keep.drift.boots, 2);
}
END_TEST

/* Adds a boot that found the image, and had the region elsewhere. */
static void add_seen(struct boots_seen *seen, uint64_t first, enum boot_outcome outcome)
{
	struct platform other;
	struct boot_memory there;

	boot("boot-9", first, 2, "Reserved");
	ck_assert_int_eq(keep_free_capture(made_root, kernel_log, &other, &w), 0);
	ck_assert_int_eq(boot_memory_of(made_root, &other, kernel_log, 1, &there), 0);
	ck_assert_int_eq(boots_seen_add(seen, &there, outcome), 0);
	boot_memory_free(&there);
	platform_free(&other);
}

static int resumed(const struct boots_seen *seen)
{
	boot("boot-1", 0x10000, 1, "Reserved");
	w = (struct why){ 0 };
	return keep_free_resumed(made_root, &settings, &platform, seen, &w);
}

/* The places of the boot that restored this system, and of one that refused the image before, are
 * kept free at once. */
START_TEST(a_resume_teaches)
{
	struct boots_seen seen = { 0 };
	struct map_history history;

	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(resumed(&seen), 0);
	ck_assert_uint_eq(asked, 0);
	add_seen(&seen, 0x15000, BOOT_REFUSED);
	add_seen(&seen, 0x14000, BOOT_RESUMED);
	ck_assert_int_eq(resumed(&seen), 0);
	ck_assert_uint_eq(asked, 2 * (2 + 4));
	ck_assert_int_eq(map_history_read(made_root, &history, &w), 0);
	ck_assert_uint_eq(history.setups.count, 1);
	ck_assert_uint_eq(history.setups.items[0].maps.count, 3);
	ck_assert_uint_eq(history.setups.items[0].maps.items[1].refused, 1);
	ck_assert_uint_eq(history.setups.items[0].maps.items[2].resumes, 1);
	ck_assert_str_eq(history.boot_id, "boot-1");
	map_history_free(&history);
	/* This session goes on: its boot does not count again. */
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(keep.drift.boots, 3);
	ck_assert_uint_eq(total(&keep.note.kept), 12);
	/* Nothing is learned where that is not wanted. */
	settings.drift = false;
	ck_assert_int_eq(resumed(&seen), 0);
	ck_assert_uint_eq(asked, 0);
	boots_seen_free(&seen);
}
END_TEST

/* The history cannot be written: they are known in this session, and counted once it can. */
START_TEST(a_resume_teaches_later)
{
	struct boots_seen seen = { 0 };

	ck_assert_int_eq(run(), 0);
	add_seen(&seen, 0x15000, BOOT_REFUSED);
	add_seen(&seen, 0x14000, BOOT_RESUMED);
	made_put(MAP_HISTORY_PATH, NULL);
	made_directory(MAP_HISTORY_PATH);
	ck_assert_int_lt(resumed(&seen), 0);
	ck_assert_ptr_nonnull(strstr(w.text, MAP_HISTORY_PATH));
	ck_assert_uint_eq(asked, 2 * (2 + 4));
	ck_assert_int_lt(run(), 0);
	ck_assert_uint_eq(keep.drift.boots, 3);
	ck_assert_uint_eq(total(&keep.note.kept), 12);
	made_shell("rmdir ." MAP_HISTORY_PATH);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(run(), 0);
		ck_assert_uint_eq(keep.drift.boots, 3);
		ck_assert_uint_eq(total(&keep.note.kept), 12);
	}
	boots_seen_free(&seen);
}
END_TEST

/* So are those of boots that refused an image which was discarded: this one knows its own. */
START_TEST(a_discard_teaches)
{
	struct boots_seen seen = { 0 };

	ck_assert_int_eq(run(), 0);
	add_seen(&seen, 0x15000, BOOT_REFUSED);
	boot("boot-2", 0x10000, 1, "Reserved");
	ck_assert_int_eq(boots_left_put(made_root, &seen, &w), 0);
	ck_assert_int_eq(keep_free_at_boot(made_root, &settings, &w), 0);
	ck_assert_uint_eq(asked, 2 + 4);
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(keep.drift.boots, 3);
	ck_assert_uint_eq(total(&keep.note.kept), 6);
	made_shell("test ! -e run/s2disk/seen");
	/* A damaged file is no reason not to count this boot. */
	boot("boot-3", 0x10000, 1, "Reserved");
	made_put("/run/s2disk/seen", "rubbish");
	ck_assert_int_eq(run(), 0);
	ck_assert_ptr_nonnull(strstr(said, "<4>/run/s2disk/seen: what earlier boots saw is"));
	ck_assert_uint_eq(keep.drift.boots, 4);
	/* Nor is one that cannot be read; but then it is said. */
	boot("boot-4", 0x10000, 1, "Reserved");
	made_directory("/run/s2disk/seen");
	ck_assert_int_lt(run(), 0);
	ck_assert_ptr_nonnull(strstr(w.text, "/run/s2disk/seen: "));
	ck_assert_uint_eq(keep.drift.boots, 5);
	boots_seen_free(&seen);
}
END_TEST

/* Early in a boot, /var may not be there yet. */
START_TEST(no_var)
{
	made_shell("rm -r var");
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(keep.drift.boots, 1);
	ck_assert_str_eq(said, "");
	made_shell("mkdir -p var/lib");
	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x10000, 1, "Reserved");
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(keep.drift.boots, 2);
}
END_TEST

/* The note, the list of own frames, or the lock of the history cannot be written. */
START_TEST(run_is_full)
{
	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x12000, 3, "Reserved");
	made_put("/run/s2disk", "in the way");
	ck_assert_int_eq(run(), -ENOTDIR);
	ck_assert_str_eq(w.text, "/run/s2disk: Not a directory");
	ck_assert_uint_eq(total(&keep.note.kept), 5);
	ck_assert_ptr_nonnull(strstr(said, "<4>/run/s2disk/offlined cannot be written"));
	ck_assert_ptr_nonnull(strstr(said, "<4>/run/s2disk/kept-free cannot be written"));
}
END_TEST

void test_cases(Suite *suite)
{
	const TTest *const tests[] = {
		around_the_event_log, history_cannot_be_written,
		damaged_history,      no_map,
		no_hibernation,	      at_boot,
		a_resume_teaches,     a_resume_teaches_later,
		a_discard_teaches,    no_var,
		run_is_full,
	};
	TCase *tcase = test_case(suite, "keep_free_history");

	/* Frames are this machine's pages. */
	if (page_size() != 4096)
		return;
	tcase_add_checked_fixture(tcase, begin, end);
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		tcase_add_test(tcase, tests[i]);
}
