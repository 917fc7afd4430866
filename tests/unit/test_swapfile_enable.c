/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-swapfile on made-up systems: there and back, steps that fail, files edited
 * in between, the marks, the state file. */
#include "base/bytes.h"
#include "made_enable.h"
#include "made_tree.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct enable only = {
	.path = "/swapfile", .device = "UUID=1-2", .offset = "34816", .hibernate_only = true
};

#define REMADE "run /usr/sbin/update-initramfs -u -k all\n"

START_TEST(there_and_back)
{
	struct state state = { 0 };
	struct why w = { "" };
	char *before, *after;

	/* No boot loader's file is touched. */
	made_put("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"\"\n");
	made_put("/boot/loader/entries/a.conf", "title A\nlinux /a\noptions root=/ ro\n");
	made_put("/etc/kernel/cmdline", "root=/ ro\n");
	made_program("/usr/sbin/update-grub");
	made_program("/usr/bin/kernel-install");
	before = made_look();
	ck_assert_msg(enable(&state, &wanted, &w) == 0, "%s", w.text);
	made_check("/etc/fstab", "UUID=1 / ext4 defaults 0 1\nlast line\n" BEGIN
				 "/swapfile none swap defaults 0 0\n" END);
	made_check("/etc/suspend.conf.d/90-swapfile.conf",
		   OWN "# The swap file /swapfile.\nresume device = UUID=1-2\n"
		       "resume offset = 34816\n");
	made_check("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"\"\n");
	made_check("/boot/loader/entries/a.conf", "title A\nlinux /a\noptions root=/ ro\n");
	ck_assert_str_eq(made_log, "swapon /swapfile\n" REMADE);
	made_log[0] = '\0';
	disable(&state);
	ck_assert_str_eq(made_log, "swapoff /swapfile\n" REMADE);
	ck_assert_str_eq(warnings, "");
	made_check(SWAPFILE_STATE, NULL);
	after = made_look();
	ck_assert_str_eq(after, before);
	free(before);
	free(after);
}
END_TEST

/* Planned again, there is nothing to do. */
START_TEST(does_nothing_twice)
{
	struct initramfs_site initramfs;
	struct state state = { 0 };
	struct why w = { "" };
	struct plan plan;

	ck_assert_int_eq(enable(&state, &wanted, &w), 0);
	ck_assert_int_eq(plan_open(&plan, "enable", "/swapfile"), 0);
	ck_assert_int_eq(enable_plan(&plan, &made_system, &wanted, &initramfs, &w), 0);
	for (size_t i = 0; i < plan.count; i++)
		ck_assert(plan.steps[i].kind == STEP_RUN && !plan.steps[i].text[TEXT_DO]);
	plan_close(&plan);
	state_free(&state);
}
END_TEST

/* Its line names it as it is to be found; one that is there by another name suffices. */
START_TEST(partition)
{
	static const struct enable how = { .path = "UUID=3-4", .device = "UUID=3-4" };
	struct state state = { 0 };
	struct why w = { "" };

	ck_assert_msg(enable(&state, &how, &w) == 0, "%s", w.text);
	made_check("/etc/fstab", "UUID=1 / ext4 defaults 0 1\nlast line\n" BEGIN
				 "UUID=3-4 none swap defaults 0 0\n" END);
	made_check("/etc/suspend.conf.d/90-swapfile.conf",
		   OWN "# The swap device UUID=3-4.\nresume device = UUID=3-4\n"
		       "resume offset = 0\n");
	ck_assert_str_eq(made_log, "swapon UUID=3-4\n" REMADE);
	disable(&state);
	made_check("/etc/fstab", "UUID=1 / ext4 defaults 0 1\nlast line");
	made_put("/etc/fstab", "UUID=3-4 none swap sw 0 0\n");
	made_active = true;
	made_log[0] = '\0';
	ck_assert_msg(enable(&state, &how, &w) == 0, "%s", w.text);
	made_check("/etc/fstab", "UUID=3-4 none swap sw 0 0\n");
	ck_assert_str_eq(made_log, REMADE);
	disable(&state);
	/* It was on before. */
	ck_assert(made_active);
}
END_TEST

/* Without its state, the marks say what is to be undone. */
START_TEST(by_the_marks)
{
	static const struct enable how[] = {
		{ .path = "/a file", .device = "UUID=1-2", .offset = "7" },
		{ .path = "/a file", .device = "UUID=1-2", .offset = "7", .hibernate_only = true },
	};
	struct state state = { 0 };
	struct why w = { "" };
	char *before, *after;
	struct plan plan;

	made_put("/etc/fstab", "UUID=1 / ext4 defaults 0 1\n");
	made_put("/etc/systemd/logind.conf", "");
	made_put("/etc/systemd/system/x", "");
	before = made_look();
	ck_assert_msg(enable(&state, &how[_i], &w) == 0, "%s", w.text);
	state_free(&state);
	made_put(SWAPFILE_STATE, NULL);
	made_log[0] = '\0';
	ck_assert_int_eq(plan_open(&plan, "enable", ""), 0);
	ck_assert_int_eq(enable_plan_marked(&plan, &made_system, &w), 0);
	ck_assert(plan_changes_files(&plan));
	ck_assert_ptr_nonnull(state_add(&state, &plan));
	ck_assert_msg(state_undo(&made_system, &state, state.plans, NULL, &w) == 0, "%s", w.text);
	ck_assert_str_eq(made_log, _i ? REMADE : "swapoff /a file\n" REMADE);
	after = made_look();
	ck_assert_str_eq(after, before);
	state_free(&state);
	/* Then there are none. */
	ck_assert_int_eq(plan_open(&plan, "enable", ""), 0);
	ck_assert_int_eq(enable_plan_marked(&plan, &made_system, &w), 0);
	ck_assert(!plan_changes_files(&plan));
	plan_close(&plan);
	free(before);
	free(after);
}
END_TEST

START_TEST(for_hibernating_only)
{
	struct state state = { 0 };
	struct why w = { "" };
	char *before, *after;

	made_put("/etc/systemd/logind.conf", "");
	made_put("/run/systemd/system/x", "");
	made_put("/etc/uswsusp.conf", "# old\n");
	made_program("/usr/bin/systemctl");
	before = made_look();
	ck_assert_msg(enable(&state, &only, &w) == 0, "%s", w.text);
	ck_assert(!made_active);
	made_check("/etc/fstab", "UUID=1 / ext4 defaults 0 1\nlast line");
	made_check("/etc/uswsusp.conf.d/90-swapfile.conf", OWN
		   "# The swap file /swapfile.\nresume device = UUID=1-2\nresume offset = 34816\n"
		   "swap on demand = \"/swapfile\"\n");
	made_check("/etc/systemd/system/systemd-logind.service.d/90-s2disk-swap.conf",
		   OWN "# The swap file is off but while hibernating: do not look for it.\n"
		       "[Service]\nEnvironment=SYSTEMD_BYPASS_HIBERNATION_MEMORY_CHECK=1\n");
	ck_assert_str_eq(made_log, "run /usr/bin/systemctl daemon-reload\n"
				   "run /usr/sbin/update-initramfs -u -k all\n");
	made_log[0] = '\0';
	disable(&state);
	ck_assert_str_eq(made_log, "run /usr/bin/systemctl daemon-reload\n"
				   "run /usr/sbin/update-initramfs -u -k all\n");
	after = made_look();
	ck_assert_str_eq(after, before);
	free(before);
	free(after);
}
END_TEST

START_TEST(fstab_stands_against_it)
{
	struct state state = { 0 };
	struct why w = { "" };

	made_put("/etc/fstab", "/swapfile none swap sw 0 0\n");
	ck_assert_int_eq(enable(&state, &only, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "without --hibernate-only"));
	ck_assert_int_eq(enable(&state, &wanted, &w), 0);
	made_check("/etc/fstab", "/swapfile none swap sw 0 0\n");
	state_free(&state);

	/* By another name, and by one that leads nowhere. */
	made_put("/swapfile", "");
	made_link("/a way", "swapfile");
	made_put("/etc/fstab", "/gone none swap sw\n/a\\040way none swap sw 0 0\n");
	ck_assert_int_eq(enable(&state, &only, &w), -EINVAL);
	made_put("/etc/fstab", "/gone none swap sw\n");
	ck_assert_int_eq(enable(&state, &wanted, &w), 0);
	made_check("/etc/fstab",
		   "/gone none swap sw\n" BEGIN "/swapfile none swap defaults 0 0\n" END);
	state_free(&state);
}
END_TEST

/* Whatever fails, all is as before, and what is made of files is made anew
 * where they had changed. */
static const struct {
	const char *fail;
	const char *log;
} failures[] = {
	{ "run /usr/sbin/update-initramfs",
	  "swapon /swapfile\n" REMADE REMADE "swapoff /swapfile\n" REMADE },
	{ "swapon", "swapon /swapfile\n" REMADE },
};

START_TEST(rolls_back)
{
	struct state state = { 0 };
	struct why w = { "" };
	char *before, *after;

	before = made_look();
	made_fail = failures[_i].fail;
	ck_assert_int_eq(enable(&state, &wanted, &w), -EIO);
	if (_i == 1)
		ck_assert_str_eq(made_log, failures[_i].log);
	if (_i == 1)
		ck_assert_uint_eq(state.count, 0);
	/* A program that fails for ever cannot be run for the old files either: that stays
	 * to be done. */
	made_fail = NULL;
	if (_i == 0) {
		ck_assert_ptr_nonnull(strstr(warnings, "it failed"));
		made_log[0] = '\0';
		disable(&state);
		ck_assert_str_eq(made_log, REMADE);
	}
	after = made_look();
	ck_assert_str_eq(after, before);
	free(before);
	free(after);
	state_free(&state);
}
END_TEST

START_TEST(swapoff_that_fails_changes_nothing)
{
	struct state state = { 0 };
	struct why w = { "" };
	char *before, *after;

	ck_assert_int_eq(enable(&state, &wanted, &w), 0);
	before = made_look();
	made_log[0] = '\0';
	made_fail = "swapoff";
	reload(&state);
	ck_assert_int_eq(state_undo(&made_system, &state, &state.plans[0], NULL, &w), -EIO);
	ck_assert_ptr_nonnull(strstr(w.text, "cannot be switched off"));
	ck_assert_str_eq(made_log, "swapoff /swapfile\n");
	after = made_look();
	ck_assert(strncmp(after, before, strlen(before) - 70) == 0); /* but for the state */
	made_fail = NULL;
	disable(&state);
	made_check("/etc/fstab", "UUID=1 / ext4 defaults 0 1\nlast line");
	made_check(SWAPFILE_STATE, NULL);
	free(before);
	free(after);
}
END_TEST

START_TEST(keeps_edits)
{
	struct state state = { 0 };
	struct why w = { "" };

	ck_assert_int_eq(enable(&state, &wanted, &w), 0);
	made_put("/etc/fstab", "# mine\nUUID=1 / ext4 defaults 0 1\nlast line\n" BEGIN
			       "/swapfile none swap defaults 0 0\n" END "tmpfs /tmp tmpfs\n");
	made_put("/etc/suspend.conf.d/90-swapfile.conf", OWN "resume offset = 1\n");
	disable(&state);
	made_check("/etc/fstab", "# mine\nUUID=1 / ext4 defaults 0 1\nlast line\n"
				 "tmpfs /tmp tmpfs\n");
	made_check("/etc/suspend.conf.d/90-swapfile.conf", NULL);
	ck_assert_str_eq(warnings, "");
}
END_TEST

/* A file that was made here and became the user's is no more than put back. */
START_TEST(keeps_what_became_the_users)
{
	struct state state = { 0 };
	struct why w = { "" };

	made_put("/etc/fstab", NULL);
	ck_assert_int_eq(enable(&state, &wanted, &w), 0);
	made_put("/etc/fstab", "UUID=1 / ext4\n" BEGIN "/swapfile none swap defaults 0 0\n" END
			       "tmpfs /tmp tmpfs\n");
	made_put("/etc/suspend.conf.d/90-swapfile.conf", "resume offset = 1\n");
	disable(&state);
	made_check("/etc/fstab", "UUID=1 / ext4\ntmpfs /tmp tmpfs\n");
	made_check("/etc/suspend.conf.d/90-swapfile.conf", "resume offset = 1\n");
	ck_assert_ptr_nonnull(strstr(warnings, "90-swapfile.conf was edited since"));
	ck_assert_ptr_nonnull(strstr(warnings, "resume device = UUID=1-2"));

	/* Edited between the marks, and nothing else in it. */
	made_put("/etc/fstab", NULL);
	ck_assert_int_eq(enable(&state, &wanted, &w), 0);
	made_put("/etc/fstab", BEGIN "/swapfile none swap pri=7\n" END);
	disable(&state);
	made_check("/etc/fstab", NULL);
}
END_TEST

/* What stands between the marks is ours, edited or not. */
START_TEST(takes_edited_blocks_out)
{
	struct state state = { 0 };
	struct why w = { "" };

	ck_assert_int_eq(enable(&state, &wanted, &w), 0);
	made_put("/etc/fstab",
		 "UUID=1 / ext4\n" BEGIN "/swapfile none swap pri=7\n" END "tmpfs /tmp tmpfs\n");
	disable(&state);
	made_check("/etc/fstab", "UUID=1 / ext4\ntmpfs /tmp tmpfs\n");
	ck_assert_ptr_nonnull(strstr(warnings, "/etc/fstab was edited since; all between"));
}
END_TEST

/* Links stay links, modes stay modes. */
START_TEST(keeps_links_and_modes)
{
	struct state state = { 0 };
	struct why w = { "" };
	char full[128], *before, *after;

	made_put("/data/fstab", "a\n");
	made_put("/etc/fstab", NULL);
	made_link("/etc/fstab", "../data/fstab");
	snprintf(full, sizeof(full), "%s/data/fstab", made_root);
	ck_assert_int_eq(chmod(full, 0640), 0);
	before = made_look();
	ck_assert_int_eq(enable(&state, &wanted, &w), 0);
	made_check("/data/fstab", "a\n" BEGIN "/swapfile none swap defaults 0 0\n" END);
	disable(&state);
	after = made_look();
	ck_assert_str_eq(after, before);
	free(before);
	free(after);
}
END_TEST

/* A link that leads nowhere is not replaced by a file. */
START_TEST(keeps_dangling_links)
{
	struct state state = { 0 };
	struct why w = { "" };
	char *before, *after;

	made_put("/etc/fstab", NULL);
	made_link("/etc/fstab", "gone");
	before = made_look();
	ck_assert_int_eq(enable(&state, &wanted, &w), -ENOLINK);
	ck_assert_ptr_nonnull(strstr(w.text, "/etc/fstab cannot be written"));
	after = made_look();
	ck_assert_str_eq(after, before);
	free(before);
	free(after);
	state_free(&state);
}
END_TEST

/* Cut off after any step, or while a file was written: what the state file says
 * then undoes it. */
START_TEST(survives_being_cut_off)
{
	struct why w = { "" };
	char *before, *after;
	size_t count = 1;

	before = made_look();
	for (size_t done = 0; done < count; done++) {
		struct state state = { 0 }, cut = { 0 };
		struct initramfs_site initramfs;
		struct plan plan;
		char *text;

		ck_assert_int_eq(plan_open(&plan, "enable", "/swapfile"), 0);
		ck_assert_int_eq(enable_plan(&plan, &made_system, &wanted, &initramfs, &w), 0);
		count = plan.count;
		/* Written down, then done or not. */
		for (size_t i = 0; i < done; i++)
			ck_assert_int_eq(step_kinds[plan.steps[i].kind].act(&made_system, &plan,
									    &plan.steps[i], &w),
					 0);
		cut.plans = &plan;
		cut.count = 1;
		plan.count = done + 1;
		text = state_encode(&cut);
		made_put(SWAPFILE_STATE, text);
		plan.count = count;
		free(text);
		if (plan.steps[done].kind == STEP_FILE) {
			char part[256];

			snprintf(part, sizeof(part), "%s.s2disk-new",
				 plan.steps[done].text[TEXT_PATH]);
			made_put(part, "hal");
		}
		plan_close(&plan);
		disable(&state);
		after = made_look();
		ck_assert_str_eq(after, before);
		free(after);
	}
	free(before);
}
END_TEST

static const char *const broken[] = {
	"",
	"s2disk-swapfile state 2\n",
	"s2disk-swapfile state 1\nplan\t=a\n",
	"s2disk-swapfile state 1\nfile\t=/a\t-\t=x\t-\t-\n",
	"s2disk-swapfile state 1\nplan\t=a\t=/b\t-\t-\t-\nfile\t=/a\t-\t-\t-\t-\n",
	"s2disk-swapfile state 1\nplan\t=a\t=/b\t-\t-\t-\nfile\t=a\t-\t=x\t-\t-\n",
	"s2disk-swapfile state 1\nplan\t=a\t=/b\t-\t-\t-\nfile\t=/a\t-\t=x\\q\t-\t-\n",
	"s2disk-swapfile state 1\nplan\t=a\t=/b\t-\t-\t-\nfile\t=/a\t-\t=x\\\t-\t-\n",
	"s2disk-swapfile state 1\nplan\t=a\t=/b\t-\t-\t-\nswap\t-\t-\t-\t-\t-\n",
	"s2disk-swapfile state 1\nplan\t=a\t=/b\t-\t-\t-\nplace\t=/a\t=8:2 1 x\t=8:2\t-\t-\n",
	"s2disk-swapfile state 1\nplan\t=a\t=/b\t-\t-\t-\nplace\t=/a\t-\t=8:2 1\t-\t-\n",
	"s2disk-swapfile state 1\nplan\t=a\t=/b\t-\t-\t-\nrun\t=/a\t-\t-\t-\t-\n",
	"s2disk-swapfile state 1\nplan\t=a\t=/b\t-\t-\t-\nrun\t=a\t-\t-\t-\t=b\n",
	"s2disk-swapfile state 1\nplan\t=a\t=/b\t-\t-\t-\nkernels\t=/a\t-\t-\t-\t=b\n",
	"s2disk-swapfile state 1\nplan\t=a\t=/b\t-\t-\t-\nentries\t-\t-\t-\t-\t-\n",
	"s2disk-swapfile state 1\nplan\t=a\t=/b\t-\t-\t-\nmade\t=/a\t-\t-\t-\t-",
	"s2disk-swapfile state 1\nplan\t=a\t=/b\t-\t-\t-\nother\t=/a\t-\t-\t-\t-\n",
	"s2disk-swapfile state 1\nplan\t=a\t=/b\t-\t-\t-\t-\n",
	"s2disk-swapfile state 1\nplan\t-\t=/b\t-\t-\t-\n",
	"s2disk-swapfile state 1\nplan\t=a\t=/b\t-x\t-\t-\n",
	"s2disk-swapfile state 1\n\n",
};

START_TEST(refuses_broken_states)
{
	struct state state = { 0 };
	struct why w = { "" };

	ck_assert_int_eq(state_decode(broken[_i], &state, &w), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(w.text, "is damaged"));
	ck_assert_uint_eq(state.count, 0);
}
END_TEST

START_TEST(state_there_and_back)
{
	struct step steps[] = {
		{ STEP_FILE, { (char *)"/a\tb\\", (char *)"x\r\n\\n", (char *)"" } },
		{ STEP_RUN, { [TEXT_UNDO] = (char *)"a\nb c" } },
		{ STEP_MADE, { (char *)"/\xff" } },
		{ STEP_SWAP, { (char *)"UUID=1" } },
	};
	struct plan plan = { .name = (char *)"enable",
			     .path = (char *)"/sw ap",
			     .unfinished = true,
			     .steps = steps,
			     .count = ARRAY_SIZE(steps) };
	const struct state state = { .plans = &plan, .count = 1 };
	struct state back = { 0 };
	struct why w = { "" };
	char *text = state_encode(&state), *again;

	ck_assert_int_eq(state_decode(text, &back, &w), 0);
	ck_assert_ptr_nonnull(state_find(&back, "enable", "/sw ap"));
	ck_assert_ptr_null(state_find(&back, "enable", "/other"));
	ck_assert_ptr_null(state_find(&back, "create", NULL));
	ck_assert(back.plans[0].unfinished);
	ck_assert_str_eq(back.plans[0].steps[0].text[TEXT_OLD], "x\r\n\\n");
	ck_assert_str_eq(back.plans[0].steps[0].text[TEXT_NEW], "");
	ck_assert_ptr_null(back.plans[0].steps[1].text[TEXT_DO]);
	ck_assert_str_eq(back.plans[0].steps[1].text[TEXT_UNDO], "a\nb c");
	again = state_encode(&back);
	ck_assert_str_eq(again, text);
	free(text);
	free(again);
	state_free(&back);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("swapfile_enable");
	TCase *tcase = tcase_create("swapfile_enable");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, make_system, made_root_remove);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, there_and_back);
	tcase_add_test(tcase, does_nothing_twice);
	tcase_add_test(tcase, partition);
	tcase_add_loop_test(tcase, by_the_marks, 0, 2);
	tcase_add_test(tcase, for_hibernating_only);
	tcase_add_test(tcase, fstab_stands_against_it);
	tcase_add_loop_test(tcase, rolls_back, 0, (int)ARRAY_SIZE(failures));
	tcase_add_test(tcase, swapoff_that_fails_changes_nothing);
	tcase_add_test(tcase, keeps_edits);
	tcase_add_test(tcase, keeps_what_became_the_users);
	tcase_add_test(tcase, takes_edited_blocks_out);
	tcase_add_test(tcase, keeps_links_and_modes);
	tcase_add_test(tcase, keeps_dangling_links);
	tcase_add_test(tcase, survives_being_cut_off);
	tcase_add_loop_test(tcase, refuses_broken_states, 0, (int)ARRAY_SIZE(broken));
	tcase_add_test(tcase, state_there_and_back);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
