/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What drifts is offlined, and what the kernel holds is reported. */
#include "base/bytes.h"
#include "base/memory.h"
#include "fixtures/check_main.h"
#include "keep_free_fixture.h"

/* Nothing is looked at that needs time, nothing is noted, nothing said. */
START_TEST(nothing_drifts)
{
	struct kept_free note = { 0 };

	for (int i = 0; i < 3; i++) {
		char id[20];

		snprintf(id, sizeof(id), "boot-%d", i);
		boot(id, 0x10000, 1, "Reserved");
		ck_assert_int_eq(run(), 0);
		ck_assert_int_eq(run(), 0);
		ck_assert_uint_eq(opened, 0);
		ck_assert_str_eq(said, "");
		ck_assert(!noted(&note));
		ck_assert_uint_eq(keep.drift.boots, (uint64_t)i + 1);
	}
}
END_TEST

START_TEST(keeps_a_place_free)
{
	struct kept_free note = { 0 };

	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x12000, 3, "Reserved");
	ck_assert_int_eq(run(), 0);
	/* One page, two on each side. */
	ck_assert_uint_eq(asked, 5);
	ck_assert_uint_eq(keep.note.kept.items[0].first, 0xfffe);
	ck_assert_uint_eq(total(&keep.note.kept), 5);
	ck_assert_uint_eq(own(), 5);
	ck_assert(noted(&note));
	ck_assert_uint_eq(total(&note.kept), 5);
	ck_assert_uint_eq(note.boots, 2);
	ck_assert_uint_eq(note.lost_boots, 0);
	kept_free_free(&note);
	/* Again before the freeze: they are found offlined. */
	asked = 0;
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(asked, 0);
	ck_assert_uint_eq(total(&keep.note.kept), 5);
	ck_assert_uint_eq(keep.drift.boots, 2);
	ck_assert_str_eq(said, "");
	/* The other way round, at the next boot. */
	boot("boot-3", 0x10000, 1, "Reserved");
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(total(&keep.note.kept), 7);
}
END_TEST

START_TEST(settings_are_obeyed)
{
	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x12000, 3, "Reserved");
	settings.drift_margin = 0;
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(total(&keep.note.kept), 1);
	settings.drift_mib = 0;
	boot("boot-3", 0x12000, 3, "Reserved");
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(opened, 0);
	ck_assert_uint_eq(keep.drift.beyond, 1);
	settings.drift = false;
	made_shell("rm -r var/lib/s2disk");
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(keep_free_at_boot(made_root, &settings, &w), 0);
	keep_free_before(made_root, &settings, &platform);
	ck_assert_uint_eq(opened, 0);
	made_shell("test ! -e var/lib/s2disk");
	ck_assert_str_eq(said, "");
}
END_TEST

/* 256 pages: another place that drifts does not fit beside what was offlined before. */
START_TEST(counts_what_is_lost)
{
	settings.drift_mib = 1;
	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x12000, 3, "Reserved");
	made_put("/run/s2disk/offlined", "4096 255\n");
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(opened, 0);
	ck_assert_uint_eq(keep.drift.beyond, 1);
}
END_TEST

/* A free page may be refused by chance. */
START_TEST(tries_again)
{
	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x12000, 3, "Reserved");
	set_flags(0x10000, 1ull << KPF_BUDDY);
	refused_from = 0x10000;
	refused_end = 0x10001;
	refuse = 2;
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(asked, 5 + 2);
	ck_assert_uint_eq(total(&keep.note.kept), 5);
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(reports_what_the_kernel_holds_once)
{
	struct kept_free note = { 0 };

	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x12000, 3, "Reserved");
	ck_assert_int_eq(run(), 0);
	boot("boot-3", 0x10000, 1, "Reserved");
	refused_from = 0x12000;
	refused_end = 0x12002;
	refuse = 1000;
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(asked, 7);
	ck_assert(noted(&note));
	ck_assert_uint_eq(total(&note.held), 2);
	ck_assert_uint_eq(total(&note.places), 3);
	ck_assert_uint_eq(note.lost_boots, 1);
	kept_free_free(&note);
	ck_assert_ptr_nonnull(strstr(said, "<4>the kernel uses 2 pages at 0x12000000; at 1 of 3 "
					   "boots the firmware had a region there"));
	ck_assert_ptr_nonnull(strstr(said, "memmap=12K$0x12000000 on its command line"));
	/* Before the freeze: tried, and not said again. One of them is free by now. */
	said_clear();
	asked = 0;
	refused_end = 0x12001;
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(asked, 1 + 1);
	ck_assert_str_eq(said, "");
	ck_assert_uint_eq(total(&keep.note.held), 1);
	/* Another boot is another matter. */
	boot("boot-4", 0x10000, 1, "Reserved");
	ck_assert_int_eq(run(), 0);
	ck_assert_ptr_nonnull(strstr(said, "1 page at 0x12000000; at 1 of 4 boots"));
}
END_TEST

/* A request would wait, or be refused: none is made; and none again where it was refused, and the
 * page looks as before. */
START_TEST(asks_only_where_it_helps)
{
	static const unsigned int bits[] = { KPF_LOCKED, KPF_WRITEBACK, KPF_SLAB, KPF_PGTABLE };

	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x14000, 3, "Reserved");
	ck_assert_int_eq(run(), 0);
	boot("boot-3", 0x10000, 1, "Reserved");
	settings.drift_margin = 4;
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		set_flags(0x13ffc + i, 1ull << bits[i] | 1ull << KPF_LRU);
	refused_from = 0x14000;
	refused_end = 0x14001;
	refuse = 1000;
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(asked, 3 + 4);
	ck_assert_uint_eq(total(&keep.note.kept), 2 + 4);
	ck_assert_uint_eq(total(&keep.note.held), 1);
	ck_assert_uint_eq(own(), 2 + 4);
}
END_TEST

/* A page that was read or written is taken once that has ended. */
START_TEST(waits_for_a_page)
{
	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x12000, 3, "Reserved");
	set_flags(0x10000, 1ull << KPF_LOCKED | 1ull << KPF_LRU);
	unlocked = 0x10000;
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(asked, 5);
	ck_assert_uint_eq(total(&keep.note.kept), 5);
	ck_assert_uint_eq(pauses, 1);
}
END_TEST

/* Some kernels say yes, and did not take the page. */
START_TEST(a_yes_is_checked)
{
	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x12000, 3, "Reserved");
	lied_about = 0x10000;
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(total(&keep.note.kept), 4);
	ck_assert_uint_eq(total(&keep.note.held), 1);
	ck_assert_uint_eq(own(), 4);
}
END_TEST

/* A run that ends halfway leaves no page that is offlined and not known as its own. */
START_TEST(is_noted_before)
{
	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x12000, 3, "Reserved");
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(own_when_asked, 5);
}
END_TEST

/* A margin is a guess. */
START_TEST(a_margin_that_is_held_is_not_reported)
{
	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x12000, 3, "Reserved");
	refused_from = 0xfffe;
	refused_end = 0x10000;
	refuse = 1000;
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(total(&keep.note.kept), 3);
	ck_assert_uint_eq(total(&keep.note.held), 0);
	ck_assert_str_eq(said, "");
}
END_TEST

/* Others reserved them; only the checks speak of it. */
START_TEST(leaves_huge_pages)
{
	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x12000, 3, "Reserved");
	set_flags(0x10000, 1ull << KPF_HUGE);
	set_flags(0x10001, 1ull << KPF_HUGE);
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(asked, 3);
	ck_assert_uint_eq(total(&keep.note.huge), 1);
	ck_assert_uint_eq(keep.note.lost_boots, 1);
	ck_assert_str_eq(said, "");
}
END_TEST

/* memmap= took the place from the kernel, as advised; or its memory is offline. */
START_TEST(only_what_the_kernel_has)
{
	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x12000, 3, "Reserved");
	put_iomem(0xfffe, 5);
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(asked, 0);
	ck_assert_uint_eq(total(&keep.note.held), 0);
	put_iomem(0x12000, 3);
	made_put("/sys/devices/system/memory/block_size_bytes", "8000000\n");
	made_put("/sys/devices/system/memory/memory2/phys_index", "2\n");
	made_put("/sys/devices/system/memory/memory2/state", "offline\n");
	/* 0x10000 is the first frame of the block. */
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(asked, 2);
	ck_assert_str_eq(said, "");
}
END_TEST

/* The checks say it, once. */
START_TEST(kernels_that_cannot)
{
	struct kept_free note = { 0 };

	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x12000, 3, "Reserved");
	if (_i == 0)
		made_put(ASK, NULL);
	else if (_i == 1)
		made_put("/proc/sys/vm/enable_soft_offline", "0\n");
	else
		made_put("/proc/kpageflags", NULL); /* the image would have the pages anyway */
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(opened, 0);
	ck_assert_uint_eq(keep.drift.keep.count, 1);
	ck_assert(!noted(&note));
	ck_assert_str_eq(said, "");
}
END_TEST

/* The likeliest first, margins last; what is left is noted, and follows later. */
START_TEST(takes_no_longer_than_it_may)
{
	struct kept_free note = { 0 };

	ck_assert_int_eq(run(), 0);
	boot("boot-2", 0x14000, 4, "Reserved");
	ck_assert_int_eq(run(), 0);
	boot("boot-3", 0x14000, 4, "Reserved");
	ck_assert_int_eq(run(), 0);
	boot("boot-4", 0x12000, 3, "Reserved");
	slow_usec = KEEP_FREE_USEC / 5;
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(asked, 5);
	ck_assert_uint_eq(keep.note.kept.count, 2);
	ck_assert_uint_eq(keep.note.kept.items[0].first, 0x10000);
	ck_assert_uint_eq(keep.note.kept.items[0].count, 1);
	ck_assert_uint_eq(keep.note.kept.items[1].first, 0x14000);
	ck_assert_uint_eq(keep.note.kept.items[1].count, 4);
	ck_assert(noted(&note));
	ck_assert(note.late);
	kept_free_free(&note);
	ck_assert_str_eq(said, "<5>keeping pages free took too long and was stopped; the rest "
			       "follows before the next hibernation\n");
	said_clear();
	slow_usec = 1;
	ck_assert_int_eq(run(), 0);
	ck_assert_uint_eq(total(&keep.note.kept), 5 + 8);
	ck_assert(!keep.note.late);
	ck_assert_str_eq(said, "");
}
END_TEST

const bool each_in_a_process = true;

void test_cases(Suite *suite)
{
	const TTest *const tests[] = {
		nothing_drifts,
		keeps_a_place_free,
		settings_are_obeyed,
		counts_what_is_lost,
		tries_again,
		asks_only_where_it_helps,
		waits_for_a_page,
		a_yes_is_checked,
		is_noted_before,
		reports_what_the_kernel_holds_once,
		a_margin_that_is_held_is_not_reported,
		leaves_huge_pages,
		only_what_the_kernel_has,
		takes_no_longer_than_it_may,
	};
	TCase *tcase = test_case(suite, "keep_free");

	/* Frames are this machine's pages. */
	if (page_size() != 4096)
		return;
	tcase_add_checked_fixture(tcase, begin, end);
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(tcase, kernels_that_cannot, 0, 3);
}
