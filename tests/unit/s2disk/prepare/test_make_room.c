/* SPDX-License-Identifier: GPL-2.0-or-later */
/* make_room: how much must be free, and that it is freed after the freeze. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "s2disk/prepare/make_room.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define MIB (1ull << 20)
#define PAGE 4096
#define RECLAIM "/sys/fs/cgroup/memory.reclaim"

const char *__wrap_abort_requested(void);
ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);

/* The machine: KiB. */
static struct {
	uint64_t free, used; /* used can be swapped out */
	uint64_t on_way;     /* being written, and free after that */
	uint64_t out;	     /* ever swapped out, in pages */
	uint64_t later;	     /* swapped out at the next looks, by another */
	uint64_t rate;	     /* what is written in a pause */
	uint64_t pause;	     /* how long that is, in microseconds */
	uint64_t time;	     /* in microseconds */
	uint64_t stuck;	     /* nothing is written until then */
	bool endless;	     /* something always is swapped out … */
	bool serves;	     /* … or written, by a file server */
	bool late;	     /* nothing is freed at once */
	bool stingy;	     /* less is freed than was asked for */
	unsigned int pieces, stop_at;
} machine;

#define SECOND 1000000ull

static struct make_room room;

static void show(void)
{
	char text[300];

	snprintf(text, sizeof(text), "MemFree: %llu kB\nWriteback: %llu kB\n",
		 (unsigned long long)machine.free, (unsigned long long)machine.on_way);
	made_put("/proc/meminfo", text);
	snprintf(text, sizeof(text), "pswpin 1\npswpout %llu\n", (unsigned long long)machine.out);
	made_put("/proc/vmstat", text);
}

const char *__wrap_abort_requested(void)
{
	return machine.stop_at && machine.pieces >= machine.stop_at ? "interrupted by SIGINT"
								    : NULL;
}

static void swap_out(uint64_t kib)
{
	machine.used -= kib;
	machine.on_way += kib;
	machine.out += kib / 4;
}

/* memory_reclaim() in mm/memcontrol.c: what is being written does not count yet. */
ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
	uint64_t kib;

	if (fd != room.reclaim || fd <= 0)
		return __real_write(fd, bytes, length);
	kib = min_u64(strtoull(bytes, NULL, 10) >> 10, machine.used);
	ck_assert_uint_gt(strtoull(bytes, NULL, 10), 0);
	machine.pieces++;
	if (machine.pieces % 2 == 0 && kib > 0 && !machine.late) {
		machine.used -= kib;
		machine.free += kib;
		show();
		return (ssize_t)length;
	}
	swap_out(machine.stingy ? 0 : kib);
	if (machine.stingy) {
		machine.used -= kib / 2;
		machine.free += kib / 2;
	}
	show();
	errno = EAGAIN;
	return -1;
}

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
	uint64_t written = machine.time < machine.stuck ? 0 : min_u64(machine.on_way, machine.rate);

	(void)wanted;
	(void)left;
	machine.time += machine.pause;
	machine.on_way -= written;
	machine.free += written;
	machine.out += machine.endless;
	if (machine.serves)
		machine.on_way = 100 + machine.time / machine.pause % 2;
	if (machine.on_way == 0 && machine.later > 0) {
		swap_out(machine.later);
		machine.later = 0;
	}
	show();
	return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
	(void)clock;
	*ret = (struct timespec){ .tv_sec = (time_t)(1 + machine.time / SECOND),
				  .tv_nsec = (long)(machine.time % SECOND * 1000) };
	return 0;
}

/* 512 MiB in a zone, of which the page allocator manages 480. */
#define ZONE                                                                          \
	"Node 0, zone    DMA32\n  pages free     1000\n        high     2048\n"       \
	"        spanned  131072\n        present  131072\n        managed  122880\n" \
	"        protection: (0, 0, 1024, 1024)\n  start_pfn:           4096\n"

static void make_machine(void)
{
	struct swap_use other = { .stacked = 1 };
	struct swaps others = { .items = { .items = &other, .count = 1 } };

	made_root_create();
	memset(&machine, 0, sizeof(machine));
	made_put("/proc/zoneinfo", ZONE);
	made_put("/sys/power/reserved_size", "1048576\n");
	made_put(RECLAIM, "");
	machine.free = 32 << 10;
	machine.used = 400 << 10;
	machine.rate = 10 << 10;
	machine.pause = SECOND;
	show();
	make_room_prepare(&room, made_root, 0, &others);
}

static void remove_machine(void)
{
	make_room_end(&room);
	make_room_end(&room);
	made_root_remove();
}

/* (131072 frames - 3072 in reserve - bitmaps - 4 MiB) / 2 - 2 MiB is the kernel's limit: about 246
 * MiB may be in use, so that 266 must be free, and a margin of 4. */
START_TEST(is_computed_as_the_kernel_does)
{
	uint64_t needed = make_room_needed(ZONE, MIB, 0, UINT64_MAX, PAGE);

	ck_assert_uint_ge(needed, 269 * MIB);
	ck_assert_uint_le(needed, 281 * MIB);
	/* A smaller image is to be made; the rest must be free. */
	ck_assert_uint_eq(make_room_needed(ZONE, MIB, 0, 100 * MIB, PAGE), (512 - 100 + 4) * MIB);
	/* The image is at most what the kernel can make. */
	ck_assert_uint_eq(make_room_needed(ZONE, MIB, 0, 300 * MIB, PAGE), needed);
	ck_assert_uint_eq(make_room_needed(ZONE, 2 * MIB, 0, UINT64_MAX, PAGE), needed + 2 * MIB);
}
END_TEST

/* 20 GiB are there and 2 of them in use: the others are a balloon's. */
START_TEST(what_a_balloon_holds_is_not_saved)
{
	uint64_t needed = make_room_needed("Node 0, zone   Normal\n        high     2048\n"
					   "        spanned  5242880\n        present  5242880\n"
					   "        managed  524288\n  start_pfn:           4096\n",
					   MIB, 0, UINT64_MAX, PAGE);

	ck_assert_uint_ge(needed, 1024 * MIB);
	ck_assert_uint_le(needed, 1024 * MIB + 200 * MIB);
}
END_TEST

START_TEST(cannot_be_computed_from_nonsense)
{
	ck_assert_uint_eq(make_room_needed("", MIB, 0, UINT64_MAX, PAGE), 0);
	ck_assert_uint_eq(make_room_needed("Node 0, zone Normal\n high 99999999999\n spanned 100\n"
					   " present 100\n managed 100\n start_pfn: 0\n",
					   MIB, 0, UINT64_MAX, PAGE),
			  0);
}
END_TEST

/* 2 GiB, of which a crash kernel has 512 MiB, and the kernel 64. It is saved with the rest. */
START_TEST(what_a_crash_kernel_has_is_saved)
{
	static const char text[] = "Node 0, zone   Normal\n        high     2048\n"
				   "        spanned  524288\n        present  524288\n"
				   "        managed  376832\n  start_pfn:           4096\n";
	uint64_t without = make_room_needed(text, MIB, 0, 512 * MIB, PAGE);
	uint64_t with = make_room_needed(text, MIB, 512 * MIB, 512 * MIB, PAGE);

	ck_assert_uint_eq(with, (2048 - 512 + 16) * MIB);
	ck_assert_uint_lt(without, with);
}
END_TEST

#define LARGEST (512 * MIB)

START_TEST(frees_and_waits)
{
	struct why w = { 0 };

	ck_assert_int_eq(make_room(&room, LARGEST, true, &w), 1);
	ck_assert_uint_ge(machine.free << 10, make_room_needed(ZONE, MIB, 0, UINT64_MAX, PAGE));
	ck_assert_uint_gt(machine.used, 100 << 10);
	ck_assert_uint_eq(machine.on_way, 0);
	/* There is room now: nothing more is done. */
	machine.pieces = 0;
	ck_assert_int_eq(make_room(&room, LARGEST, true, &w), 1);
	ck_assert_uint_eq(machine.pieces, 0);
}
END_TEST

START_TEST(the_size_counts)
{
	struct why w = { 0 };

	ck_assert_int_eq(make_room(&room, 200 * MIB, true, &w), 1);
	ck_assert_uint_ge(machine.free << 10, make_room_needed(ZONE, MIB, 0, 200 * MIB, PAGE));
	ck_assert_uint_lt(machine.free << 10, make_room_needed(ZONE, MIB, 0, 150 * MIB, PAGE));
}
END_TEST

/* The same device again, and the port of a screen. */
START_TEST(what_cards_hold_is_moved_and_saved)
{
	struct why w = { 0 };

	made_put("/sys/class/drm/card0/device/mem_info_vram_used", "10485760\n");
	made_put("/sys/class/drm/renderD128/device/mem_info_vram_used", "10485760\n");
	made_directory("/sys/class/drm/card0-DP-1");
	made_put("/sys/class/drm/card1/device/mem_info_vram_used", "31457280\n");
	ck_assert_int_eq(make_room(&room, LARGEST, true, &w), 1);
	ck_assert_uint_ge(machine.free << 10,
			  make_room_needed(ZONE, MIB, 0, UINT64_MAX, PAGE) + 40 * MIB);
	ck_assert_uint_lt(machine.free << 10,
			  make_room_needed(ZONE, MIB, 0, UINT64_MAX, PAGE) + 76 * MIB);
	/* More than memory can take. */
	made_put("/sys/class/drm/card1/device/mem_info_vram_used", "314572800\n");
	ck_assert_int_eq(make_room(&room, LARGEST, true, &w), 0);
}
END_TEST

/* Memory is never free altogether. The kernel could free no more than this did. */
START_TEST(as_small_as_possible)
{
	struct why w = { 0 };

	ck_assert_int_eq(make_room(&room, 0, true, &w), 1);
	ck_assert_uint_eq(machine.used, 0);
	ck_assert_uint_eq(machine.on_way, 0);
}
END_TEST

/* The kernel must do what could not be done here, and is let do it. */
START_TEST(less_is_no_error)
{
	struct why w = { 0 };

	machine.free = 32 << 10;
	machine.used = 64 << 10;
	show();
	ck_assert_int_eq(make_room(&room, LARGEST, true, &w), 0);
	made_put("/proc/zoneinfo", NULL);
	ck_assert_int_eq(make_room(&room, LARGEST, true, &w), 0);
}
END_TEST

START_TEST(a_stop)
{
	struct why w = { 0 };

	machine.stop_at = 3;
	ck_assert_int_eq(make_room(&room, LARGEST, true, &w), -ECANCELED);
	ck_assert_str_eq(w.text, "interrupted by SIGINT");
	ck_assert_uint_eq(machine.pieces, 3);
}
END_TEST

/* kswapd, for example, between two of its batches. */
START_TEST(what_another_swaps_out_is_waited_for)
{
	struct why w = { 0 };

	machine.free = 400 << 10;
	machine.later = 20 << 10;
	show();
	ck_assert_int_eq(make_room(&room, LARGEST, true, &w), 1);
	ck_assert_uint_eq(machine.later, 0);
	ck_assert_uint_eq(machine.on_way, 0);
}
END_TEST

START_TEST(writes_that_stand_still_are_left)
{
	struct why w = { 0 };

	machine.stuck = UINT64_MAX;
	machine.free = 400 << 10;
	machine.on_way = 100;
	show();
	ck_assert_int_eq(make_room(&room, LARGEST, true, &w), 1);
	ck_assert_uint_gt(machine.time, 4 * SECOND);
	ck_assert_uint_lt(machine.time, 8 * SECOND);
}
END_TEST

/* Longer where memory is swapped out. */
START_TEST(writes_that_never_end_are_left)
{
	struct why w = { 0 };

	machine.endless = _i;
	machine.serves = !_i;
	machine.free = 400 << 10;
	show();
	ck_assert_int_eq(make_room(&room, LARGEST, true, &w), 1);
	ck_assert_uint_gt(machine.time, (_i ? 100 : 30) * SECOND);
	ck_assert_uint_lt(machine.time, (_i ? 240 : 90) * SECOND);
}
END_TEST

/* A disk that wakes, or tries again. */
START_TEST(what_was_swapped_out_is_waited_for)
{
	struct why w = { 0 };

	machine.free = 240 << 10;
	machine.stuck = 30 * SECOND;
	show();
	ck_assert_int_eq(make_room(&room, LARGEST, true, &w), 1);
	ck_assert_uint_gt(machine.out, 0);
	ck_assert_uint_eq(machine.on_way, 0);
	/* Not for ever. */
	machine.free = 240 << 10;
	machine.stuck = UINT64_MAX;
	show();
	make_room(&room, LARGEST, true, &w);
	ck_assert_uint_gt(machine.on_way, 0);
	ck_assert_uint_lt(machine.time, 240 * SECOND);
}
END_TEST

/* Fewer pages than were asked for, but some, every time. */
START_TEST(less_at_once_is_tried_again)
{
	struct why w = { 0 };

	machine.stingy = true;
	ck_assert_int_eq(make_room(&room, LARGEST, true, &w), 1);
	ck_assert_uint_eq(machine.on_way, 0);
}
END_TEST

/* It is left to the kernel where it takes too long. */
START_TEST(ends_in_time)
{
	struct why w = { 0 };

	machine.pause = 2 * SECOND;
	machine.rate = 200;
	machine.late = true;
	ck_assert_int_eq(make_room(&room, LARGEST, true, &w), 0);
	ck_assert_uint_gt(machine.time, 300 * SECOND);
	ck_assert_uint_lt(machine.time, 900 * SECOND);
}
END_TEST

/* sda1; md0 of it; LUKS on it. */
static const struct {
	unsigned int major, minor;
	uint32_t stacked; /* the other area */
	bool layered;
} areas[] = {
	{ 8, 1, 0, false }, { 9, 0, 0, true },	{ 254, 0, 0, true },
	{ 8, 1, 1, true },  { 7, 7, 0, false },
};

START_TEST(where)
{
	struct swap_use other = { .stacked = areas[_i].stacked };
	struct swaps others = { .items = { .items = &other, .count = 1 } };
	dev_t own = makedev(areas[_i].major, areas[_i].minor);
	struct why w = { 0 };

	made_put("/sys/dev/block/8:0/uevent", "DEVNAME=sda\n");
	made_put("/sys/dev/block/8:1/uevent", "DEVNAME=sda1\n");
	made_put("/sys/dev/block/8:1/partition", "1\n");
	made_put("/sys/dev/block/9:0/uevent", "DEVNAME=md0\n");
	made_put("/sys/dev/block/9:0/md/level", "raid1\n");
	made_put("/sys/dev/block/9:0/slaves/sda1/dev", "8:1\n");
	made_put("/sys/dev/block/254:0/uevent", "DEVNAME=dm-0\n");
	made_put("/sys/dev/block/254:0/dm/name", "hidden\n");
	made_put("/sys/dev/block/254:0/dm/uuid", "CRYPT-LUKS2-0123-hidden\n");
	made_put("/sys/dev/block/254:0/slaves/sda1/dev", "8:1\n");
	make_room_end(&room);
	make_room_prepare(&room, made_root, own, &others);
	ck_assert_int_eq(room.reclaim >= 0, areas[_i].layered);
	ck_assert_int_eq(make_room(&room, LARGEST, true, &w), areas[_i].layered);
	/* A kernel without it. */
	make_room_end(&room);
	made_put(RECLAIM, NULL);
	make_room_prepare(&room, made_root, own, &others);
	ck_assert_int_lt(room.reclaim, 0);
	ck_assert_int_eq(make_room(&room, LARGEST, true, &w), 0);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "make_room");

	tcase_add_checked_fixture(tcase, make_machine, remove_machine);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, is_computed_as_the_kernel_does);
	tcase_add_test(tcase, what_a_balloon_holds_is_not_saved);
	tcase_add_test(tcase, what_a_crash_kernel_has_is_saved);
	tcase_add_test(tcase, cannot_be_computed_from_nonsense);
	tcase_add_test(tcase, frees_and_waits);
	tcase_add_test(tcase, the_size_counts);
	tcase_add_test(tcase, what_cards_hold_is_moved_and_saved);
	tcase_add_test(tcase, as_small_as_possible);
	tcase_add_test(tcase, less_is_no_error);
	tcase_add_test(tcase, a_stop);
	tcase_add_test(tcase, what_another_swaps_out_is_waited_for);
	tcase_add_test(tcase, writes_that_stand_still_are_left);
	tcase_add_loop_test(tcase, writes_that_never_end_are_left, 0, 2);
	tcase_add_test(tcase, what_was_swapped_out_is_waited_for);
	tcase_add_test(tcase, less_at_once_is_tried_again);
	tcase_add_test(tcase, ends_in_time);
	tcase_add_loop_test(tcase, where, 0, ARRAY_SIZE(areas));
}
