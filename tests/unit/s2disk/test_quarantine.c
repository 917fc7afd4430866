/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The restored system offlines what the firmware claims, and reports what it could not. */
#include "base/cleanup.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "fixtures/said.h"
#include "platform/memory/offlined.h"
#include "platform/memory/offlined_own.h"
#include "s2disk/aftermath/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How many of the writes about the second range the kernel refuses from now on. */
static int refuse;
static unsigned int asked, opened;
static struct quarantine quarantine;
static char alarm_text[400];

int __real_offlined_ask(const struct offlined_access *access, uint64_t frame, size_t page_size);
int __wrap_offlined_ask(const struct offlined_access *access, uint64_t frame, size_t page_size);
void __real_offlined_open(const char *root, struct offlined_access *ret);
void __wrap_offlined_open(const char *root, struct offlined_access *ret);

int __wrap_offlined_ask(const struct offlined_access *access, uint64_t frame, size_t page_size)
{
	asked++;
	if (frame >= 0x80000 && frame < 0x80010 && refuse > 0) {
		refuse--;
		return -EIO;
	}
	return __real_offlined_ask(access, frame, page_size);
}

void __wrap_offlined_open(const char *root, struct offlined_access *ret)
{
	opened++;
	__real_offlined_open(root, ret);
}

static const struct handover two_ranges = {
	.quarantine_count = 2,
	.quarantine = { { 0x7e38b, 1 }, { 0x80000, 3 } },
};

static void make(void)
{
	made_root_create();
	made_put("/sys/devices/system/memory/soft_offline_page", "");
	refuse = 0;
	asked = opened = 0;
	said_begin(LOG_LEVEL_DEBUG, true);
}

static void begin(void)
{
	quarantine_begin(&quarantine, &two_ranges);
	quarantine_take(&quarantine, made_root, 4096);
}

/* Flags of /proc/kpageflags for one frame; all others have none. */
static void put_flags(uint64_t frame, uint64_t flags)
{
	char path[256];
	_cleanup_close_ int fd = -1;

	made_put("/proc/kpageflags", "");
	snprintf(path, sizeof(path), "%s/proc/kpageflags", made_root);
	fd = open(path, O_WRONLY);
	ck_assert_int_eq(ftruncate(fd, 0x80003 * 8), 0);
	ck_assert_int_eq(pwrite(fd, &flags, 8, (off_t)frame * 8), 8);
}

static void report(void)
{
	said_clear();
	quarantine_report(&quarantine, 4096, alarm_text, sizeof(alarm_text));
}

static bool says(const char *what)
{
	return strstr(said, what) != NULL;
}

START_TEST(takes_all)
{
	char full[256], text[256] = "";
	_cleanup_fclose_ FILE *file = NULL;

	begin();
	ck_assert_uint_eq(quarantine_taken(&quarantine), 4);
	/* A plain file keeps the last write at its beginning. */
	snprintf(full, sizeof(full), "%s/sys/devices/system/memory/soft_offline_page", made_root);
	file = fopen(full, "r");
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
	ck_assert_str_eq(text, "0x80002000\n");
	report();
	ck_assert_str_eq(said,
			 "<5>4 pages that the firmware claims since this boot are offlined\n");
	ck_assert_str_eq(alarm_text, "");
}
END_TEST

/* The kernel accepts a page that it poisoned itself, and still uses. */
START_TEST(own)
{
	struct frame_list frames = { 0 };
	char path[256];

	put_flags(0x80001, 1ull << KPF_HWPOISON);
	refuse = 1; /* and got in the second pass */
	begin();
	ck_assert_uint_eq(quarantine_taken(&quarantine), 4);
	made_put("/run/s2disk", "in the way");
	quarantine_note(&quarantine, made_root);
	ck_assert(says("<4>/run/s2disk/offlined cannot be written"));
	made_put("/run/s2disk", NULL);
	quarantine_note(&quarantine, made_root);
	ck_assert_int_eq(offlined_own_read(made_root, &frames), 0);
	ck_assert_uint_eq(frames.count, 3);
	ck_assert_uint_eq(frames.items[0].first, 0x7e38b);
	ck_assert_uint_eq(frames.items[1].first, 0x80000);
	ck_assert_uint_eq(frames.items[2].first, 0x80002);
	ck_assert_uint_eq(frames_total(frames.items, frames.count), 3);
	free(frames.items);
	/* What cannot be known is not noted. */
	snprintf(path, sizeof(path), "%s/proc/kpageflags", made_root);
	unlink(path);
	begin();
	ck_assert_uint_eq(quarantine_taken(&quarantine), 4);
	made_put("/run/s2disk/offlined", NULL);
	quarantine_note(&quarantine, made_root);
	ck_assert_int_eq(offlined_own_read(made_root, &frames), 0);
	ck_assert_uint_eq(frames.count, 0);
}
END_TEST

/* A page that the kernel refuses is retried; offlined ones are not. */
START_TEST(again)
{
	static const struct {
		int refuse;
		unsigned int taken, asked;
	} cases[] = {
		{ 1, 4, 4 + 1 },
		{ 3, 4, 4 + 3 },
		{ 3 + 2, 4, 4 + 3 + 2 },
		/* The third time one page of three is refused, and left. */
		{ 3 + 3 + 1, 3, 4 + 3 + 3 },
		{ 100, 1, 4 + 3 + 3 },
	};

	refuse = cases[_i].refuse;
	begin();
	ck_assert_uint_eq(quarantine_taken(&quarantine), cases[_i].taken);
	ck_assert_uint_eq(asked, cases[_i].asked);
	/* A refused page is retried later, here with success. */
	refuse = 0;
	asked = 0;
	quarantine_take(&quarantine, made_root, 4096);
	ck_assert_uint_eq(asked, 4 - cases[_i].taken);
	ck_assert_uint_eq(quarantine_taken(&quarantine), 4);
	report();
	ck_assert_str_eq(alarm_text, "");
}
END_TEST

/* In use by the kernel for good: the user must know. */
START_TEST(refused)
{
	refuse = 100;
	begin();
	report();
	ck_assert(says("<3>the page at 0x80000000, which the firmware claims since this boot, "
		       "could not be offlined: Input/output error"));
	ck_assert(says("<3>the page at 0x80002000"));
	ck_assert(!says("0x7e38b000"));
	ck_assert(says("<5>1 page that the firmware claims since this boot is offlined"));
	ck_assert_str_eq(alarm_text,
			 "The kernel and the firmware may use the same memory (3 pages, the first "
			 "at 0x80000000), and damage each other's data. Save your work and reboot "
			 "now.");
}
END_TEST

/* It went, since its content could be moved: but it had been written to. */
static const struct {
	unsigned int flag;
	bool used;
} uses[] = {
	{ KPF_LRU, true },    { KPF_SLAB, true },      { KPF_MMAP, true },
	{ KPF_BUDDY, false }, { KPF_HWPOISON, false }, { KPF_REFERENCED, false },
};

START_TEST(used)
{
	put_flags(0x7e38b, 1ull << uses[_i].flag);
	begin();
	report();
	ck_assert_uint_eq(quarantine_taken(&quarantine), 4);
	ck_assert_int_eq(alarm_text[0] != '\0', uses[_i].used);
	ck_assert_int_eq(says("<3>the page at 0x7e38b000"), uses[_i].used);
	if (uses[_i].used)
		ck_assert_ptr_nonnull(strstr(alarm_text, "(1 page, the first at 0x7e38b000)"));
}
END_TEST

/* As many as there can be, from a page that claims more. */
START_TEST(most)
{
	struct handover handover = {
		.quarantine_count = 2,
		.quarantine = { { 0x100000, HANDOVER_PAGES_MAX - 1 }, { 0x80000, 5 } },
	};

	quarantine_begin(&quarantine, &handover);
	quarantine_take(&quarantine, made_root, 4096);
	ck_assert_uint_eq(quarantine_taken(&quarantine), HANDOVER_PAGES_MAX);
	/* Not for each: the kernel would take pages for that from among them. */
	ck_assert_uint_eq(opened, 1);
}
END_TEST

START_TEST(not_possible)
{
	const struct handover none = { 0 };
	char path[256];

	snprintf(path, sizeof(path), "%s/sys/devices/system/memory/soft_offline_page", made_root);
	unlink(path);
	begin();
	ck_assert_uint_eq(quarantine_taken(&quarantine), 0);
	report();
	ck_assert_ptr_nonnull(strstr(alarm_text, "(4 pages, the first at 0x7e38b000)"));
	asked = 0;
	quarantine_begin(&quarantine, &none);
	quarantine_take(&quarantine, made_root, 4096);
	report();
	ck_assert_uint_eq(asked, 0);
	ck_assert_str_eq(said, "");
	ck_assert_str_eq(alarm_text, "");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "quarantine");

	tcase_add_checked_fixture(tcase, make, made_root_remove);
	tcase_add_test(tcase, takes_all);
	tcase_add_test(tcase, own);
	tcase_add_loop_test(tcase, again, 0, 5);
	tcase_add_test(tcase, refused);
	tcase_add_loop_test(tcase, used, 0, (int)(sizeof(uses) / sizeof(uses[0])));
	tcase_add_test(tcase, most);
	tcase_add_test(tcase, not_possible);
}
