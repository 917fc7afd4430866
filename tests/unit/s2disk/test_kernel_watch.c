/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's messages while hibernating: tasks that do not freeze, and traces. The data are
 * lines as /dev/kmsg has them, each after its level. */
#include "fixtures/check_main.h"
#include "s2disk/kernel_watch.h"

#include "base/cleanup.h"
#include "base/why.h"
#include "fixtures/made_data.h"
#include "fixtures/said.h"

#include <stdio.h>
#include <string.h>

static struct kernel_watch watch;

static void begin(void)
{
	watch = (struct kernel_watch){ .fd = -1 };
	said_begin(LOG_LEVEL_DEBUG, true);
}

/* Messages that are warnings or worse; or the others. */
static unsigned int count(bool warnings)
{
	unsigned int n = 0;

	for (const char *line = said; *line; line = strchr(line, '\n') + 1)
		n += (line[1] - '0' <= LOG_LEVEL_WARNING) == warnings;
	return n;
}

static void feed(const char *name)
{
	_cleanup_fclose_ FILE *file = NULL;
	char path[400], line[600];

	snprintf(path, sizeof(path), "%s/kernel-log/%s", test_data(), name);
	file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s", path);
	said_clear();
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		kernel_watch_take(&watch, line + 2, (unsigned int)(line[0] - '0'));
	}
}

static const char *text(void)
{
	static char buffer[400];

	return freeze_log_text(&watch.freeze, buffer, sizeof(buffer));
}

START_TEST(names_who_did_not_freeze)
{
	ck_assert_str_eq(text(), "");
	feed("fuse-6.17");
	ck_assert_str_eq(text(), "udisksd (33315) waits for a FUSE server, "
				 "Web Content (812) waits in filemap_update_page");
	/* Their traces are not repeated. */
	ck_assert_uint_eq(count(true), 1);
	feed("nfs-6.1");
	ck_assert_str_eq(text(), "ls (4021) waits for an NFS server");
	/* A freeze that works has none. */
	kernel_watch_take(&watch, "Freezing user space processes", 6);
	kernel_watch_take(&watch, "task:sh state:D stack:0 pid:1 tgid:1", 6);
	ck_assert_str_eq(text(), "");
}
END_TEST

static const char failed[] = "Freezing user space processes failed after 20.00 seconds (9 tasks";

START_TEST(odd_tasks)
{
	static const char *const lines[] = {
		"task:",
		"task: state:",
		"task:no pid state:D stack:0",
		" folio_wait_bit+0x1/0x2", /* of no task */
		"task:a state:D pid: 5 pid:7 state:R pid:77 tgid:1",
		"task:\x1b[31mred\xff state:D stack:0 pid:12 tgid:12",
		" ? fuse_unsure+0x1/0x2",
		" schedule",
		" +0x1/0x2",
		" __mutex_lock.constprop.0+0x1/0x2",
		" a_function_whose_name_is_far_too_long_to_be_kept_in_such_a_table+0x1/0x2",
		" do_thing+0x1/0x2 [module]",
		" do_other+0x1/0x2",
	};

	kernel_watch_take(&watch, failed, 3);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		kernel_watch_take(&watch, lines[i], 6);
	ck_assert_str_eq(text(), "a (5), ?[31mred? (12) waits in do_thing");
}
END_TEST

START_TEST(many_tasks)
{
	char line[100], small[30];

	kernel_watch_take(&watch, failed, 3);
	for (int i = 0; i < 40; i++) {
		snprintf(line, sizeof(line), "task:%-15s state:D stack:0     pid:%d tgid:1", "sh",
			 i);
		kernel_watch_take(&watch, line, 6);
		kernel_watch_take(&watch, " fuse_lookup+0x1/0x2", 6);
	}
	ck_assert_str_eq(text() + strlen(text()) - 12, ", and others");
	ck_assert_ptr_nonnull(strstr(text(), "sh (5) waits for a FUSE server"));
	ck_assert_ptr_null(strstr(text(), "sh (6)"));
	for (size_t size = 1; size <= sizeof(small); size++) {
		memset(small, 'x', sizeof(small));
		ck_assert_uint_lt(strlen(freeze_log_text(&watch.freeze, small, size)), size);
	}
}
END_TEST

static const char *const gfp[] = { "gfp-mask-6.18", "gfp-mask-6.19" };

/* The known trace gives one line of ours, however often it occurs; what came between and after
 * it is kept. */
START_TEST(harmless_warning)
{
	for (int i = 0; i < 3; i++) {
		feed(gfp[_i]);
		ck_assert_msg(count(true) == 1 && count(false) == 1, "%s", said);
		ck_assert_ptr_nonnull(strstr(said, "pm_restore_gfp_mask, as Linux 6.18"));
		ck_assert_ptr_nonnull(strstr(said, "kernel: ata1.00: a message of its own"));
	}
}
END_TEST

START_TEST(unknown_warnings)
{
	feed("unknown-6.18");
	ck_assert_ptr_nonnull(strstr(said, "kernel: WARNING: CPU: 1 PID: 312 at drivers/gpu"));
	ck_assert_ptr_nonnull(strstr(said, "kernel:  snapshot_ioctl+0x3f4/0x6c0"));
	ck_assert_ptr_nonnull(strstr(said, "end trace"));
	ck_assert_uint_gt(count(true), 15);
	/* The same again, at another line of another build. */
	feed("unknown-7.3");
	ck_assert_msg(count(true) == 2, "%s", said);
	ck_assert_ptr_nonnull(strstr(said, "kernel, again: WARNING: drivers/gpu"));
	ck_assert_ptr_nonnull(strstr(said, "a message of its own"));
}
END_TEST

/* A trace whose end is lost hides no more than its lines. */
START_TEST(trace_without_end)
{
	char line[40];

	feed("unknown-6.18");
	kernel_watch_take(&watch, "------------[ cut here ]------------", 4);
	kernel_watch_take(&watch,
			  "WARNING: CPU: 0 PID: 1 at drivers/gpu/drm/drm_thing.c:1823 "
			  "drm_thing_thaw+0x2d/0x40 [drm]",
			  4);
	said_clear();
	for (int i = 0; i < 200; i++) {
		snprintf(line, sizeof(line), "line %d", i);
		kernel_watch_take(&watch, line, 4);
	}
	ck_assert_uint_eq(count(true), 50);
	/* More places than are remembered; each is shown, and the first ones once. */
	for (int i = 0; i < 20; i++) {
		kernel_watch_take(&watch, "------------[ cut here ]------------", 4);
		snprintf(line, sizeof(line), "kernel BUG at mm/slab%d.c", i);
		kernel_watch_take(&watch, line, 4);
		kernel_watch_take(&watch, "---[ end trace 0000000000000000 ]---", 4);
		ck_assert_ptr_nonnull(strstr(said, line));
	}
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "kernel_watch");

	tcase_add_checked_fixture(tcase, begin, NULL);
	tcase_add_test(tcase, names_who_did_not_freeze);
	tcase_add_test(tcase, odd_tasks);
	tcase_add_test(tcase, many_tasks);
	tcase_add_loop_test(tcase, harmless_warning, 0, (int)(sizeof(gfp) / sizeof(gfp[0])));
	tcase_add_test(tcase, unknown_warnings);
	tcase_add_test(tcase, trace_without_end);
}
