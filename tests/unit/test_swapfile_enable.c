/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-swapfile on made-up systems: each boot loader there and back, steps
 * that fail, files edited in between, the state file. */
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

/* GRUB lies around, but it was systemd-boot that booted. */
static void make_booted(void)
{
	static const char name[] = "/sys/firmware/efi/efivars/"
				   "LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
	static const char info[] = "\6\0\0\0s\0y\0s\0t\0e\0m\0d\0-\0b\0o\0o\0t\0 \0002\0";
	char full[256];
	FILE *file;

	make_grub_folder();
	make_entries();
	made_put(name, "");
	snprintf(full, sizeof(full), "%s%s", made_root, name);
	file = fopen(full, "w");
	ck_assert_ptr_nonnull(file);
	fwrite(info, 1, sizeof(info) - 1, file);
	fclose(file);
}

static void make_extlinux(void)
{
	made_put("/boot/extlinux/extlinux.conf", "label a\n  append ro\nlabel b\n  APPEND rw\n");
}

static void make_uboot(void)
{
	make_extlinux();
	made_program("/usr/sbin/u-boot-update");
}

static void make_none(void)
{
}

static const struct {
	void (*make)(void);
	enum boot_loader loader;
	const char *path, *text; /* one of the files that change */
	const char *log;	 /* of enabling */
	const char *undone;	 /* … and of disabling */
} loaders[] = {
	{ make_none, BOOT_NONE, NULL, NULL, "swapon /swapfile\n", "swapoff /swapfile\n" },
	{ make_grub_folder, BOOT_GRUB_FOLDER, "/etc/default/grub.d/95-s2disk-swapfile.cfg",
	  "# Written by s2disk-swapfile; \"s2disk-swapfile disable\" takes it away.\n"
	  "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX " ARGS "\"\n"
	  "# Resuming needs the initramfs, which this would leave out (cloud images).\n"
	  "GRUB_FORCE_PARTUUID=\n",
	  "run /usr/sbin/update-grub\nswapon /swapfile\n",
	  "swapoff /swapfile\nrun /usr/sbin/update-grub\n" },
	{ make_grub_file, BOOT_GRUB_FILE, "/etc/default/grub",
	  "GRUB_CMDLINE_LINUX=\"\"\n" BEGIN "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX " ARGS
	  "\"\n" END,
	  "run /usr/bin/grub2-mkconfig -o /boot/grub2/grub.cfg\nswapon /swapfile\n",
	  "swapoff /swapfile\nrun /usr/bin/grub2-mkconfig -o /boot/grub2/grub.cfg\n" },
	{ make_grubby, BOOT_GRUBBY, NULL, NULL,
	  "run /usr/sbin/grubby --info=ALL\n"
	  "run /usr/sbin/grubby --update-kernel=ALL --args=" ARGS "\nswapon /swapfile\n",
	  "swapoff /swapfile\nrun /usr/sbin/grubby --update-kernel=ALL --remove-args=" ARGS "\n"
	  "run /usr/sbin/grubby --update-kernel=/boot/c --args=resume=/dev/sda3 resume_offset=7\n"
	  "run /usr/sbin/grubby --update-kernel=/boot/a --args=resume=/dev/sda2\n" },
	{ make_entries, BOOT_ENTRIES, "/boot/loader/entries/a.conf",
	  "title A\nlinux /a\noptions root=/ ro " ARGS "\n", "swapon /swapfile\n",
	  "swapoff /swapfile\n" },
	{ make_entries, BOOT_ENTRIES, "/boot/loader/entries/b.conf",
	  "title B\nlinux /b\noptions " ARGS "\n", "swapon /swapfile\n", "swapoff /swapfile\n" },
	{ make_entries, BOOT_ENTRIES, "/boot/loader/entries/w.conf", "title W\nefi /w\n",
	  "swapon /swapfile\n", "swapoff /swapfile\n" },
	{ make_entries, BOOT_ENTRIES, "/etc/kernel/cmdline", "root=/ ro " ARGS "\n",
	  "swapon /swapfile\n", "swapoff /swapfile\n" },
	{ make_booted, BOOT_ENTRIES, "/etc/default/grub", "GRUB_CMDLINE_LINUX=\"\"\n",
	  "swapon /swapfile\n", "swapoff /swapfile\n" },
	{ make_kernel_install, BOOT_KERNEL_INSTALL, "/etc/kernel/cmdline", "root=/ ro " ARGS,
	  "run /usr/bin/kernel-install add 6.1 /usr/lib/modules/6.1/vmlinuz\n"
	  "run /usr/bin/kernel-install add 6.12 /boot/vmlinuz-6.12\nswapon /swapfile\n",
	  "swapoff /swapfile\nrun /usr/bin/kernel-install add 6.1 /usr/lib/modules/6.1/vmlinuz\n"
	  "run /usr/bin/kernel-install add 6.12 /boot/vmlinuz-6.12\n" },
	{ make_extlinux, BOOT_EXTLINUX, "/boot/extlinux/extlinux.conf",
	  "label a\n  append ro " ARGS "\nlabel b\n  APPEND rw " ARGS "\n", "swapon /swapfile\n",
	  "swapoff /swapfile\n" },
	{ make_uboot, BOOT_UBOOT, "/etc/default/u-boot",
	  BEGIN "U_BOOT_PARAMETERS=\"${U_BOOT_PARAMETERS:-ro quiet} " ARGS "\"\n" END,
	  "run /usr/sbin/u-boot-update\nswapon /swapfile\n",
	  "swapoff /swapfile\nrun /usr/sbin/u-boot-update\n" },
};

START_TEST(there_and_back)
{
	enum boot_loader loader = BOOT_NONE;
	struct state state = { 0 };
	struct why w = { "" };
	char *before, *after;

	loaders[_i].make();
	before = made_look();
	ck_assert_msg(enable(&state, &wanted, &loader, &w) == 0, "%s", w.text);
	ck_assert_int_eq(loader, loaders[_i].loader);
	if (loaders[_i].path)
		made_check(loaders[_i].path, loaders[_i].text);
	made_check("/etc/fstab", "UUID=1 / ext4 defaults 0 1\nlast line\n" BEGIN
				 "/swapfile none swap defaults 0 0\n" END);
	made_check("/etc/suspend.conf.d/90-swapfile.conf",
		   "# Written by s2disk-swapfile; \"s2disk-swapfile disable\" takes it away.\n"
		   "# The swap file /swapfile.\nresume device = UUID=1-2\nresume offset = 34816\n");
	ck_assert_str_eq(made_log, loaders[_i].log);
	made_log[0] = '\0';
	disable(&state);
	ck_assert_str_eq(made_log, loaders[_i].undone);
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
	enum boot_loader loader;
	struct state state = { 0 };
	struct why w = { "" };
	struct plan plan;

	loaders[_i].make();
	ck_assert_int_eq(enable(&state, &wanted, &loader, &w), 0);
	made_output = "args=\"ro " ARGS "\"\n";
	ck_assert_int_eq(plan_open(&plan, "enable", "/swapfile"), 0);
	ck_assert_int_eq(enable_plan(&plan, &made_system, &wanted, &loader, &w), 0);
	for (size_t i = 0; i < plan.count; i++)
		ck_assert(plan.steps[i].kind == STEP_RUN && !plan.steps[i].command);
	plan_close(&plan);
	state_free(&state);
}
END_TEST

START_TEST(for_hibernating_only)
{
	struct state state = { 0 };
	struct why w = { "" };
	char *before, *after;

	make_grub_folder();
	made_put("/etc/systemd/logind.conf", "");
	made_put("/run/systemd/system/x", "");
	made_put("/etc/uswsusp.conf", "# old\n");
	made_program("/usr/bin/systemctl");
	made_program("/usr/sbin/update-initramfs");
	before = made_look();
	ck_assert_msg(enable(&state, &only, NULL, &w) == 0, "%s", w.text);
	ck_assert(!made_active);
	made_check("/etc/fstab", "UUID=1 / ext4 defaults 0 1\nlast line");
	made_check("/etc/uswsusp.conf.d/90-swapfile.conf",
		   "# Written by s2disk-swapfile; \"s2disk-swapfile disable\" takes it away.\n"
		   "# The swap file /swapfile.\nresume device = UUID=1-2\nresume offset = 34816\n"
		   "swap on demand = \"/swapfile\"\n");
	made_check("/etc/systemd/system/systemd-logind.service.d/90-s2disk-swap.conf",
		   "# Written by s2disk-swapfile; \"s2disk-swapfile disable\" takes it away.\n"
		   "# The swap file is off but while hibernating: do not look for it.\n"
		   "[Service]\nEnvironment=SYSTEMD_BYPASS_HIBERNATION_MEMORY_CHECK=1\n");
	ck_assert_str_eq(made_log, "run /usr/sbin/update-grub\n"
				   "run /usr/bin/systemctl daemon-reload\n"
				   "run /usr/sbin/update-initramfs -u -k all\n");
	made_log[0] = '\0';
	disable(&state);
	ck_assert_str_eq(made_log, "run /usr/sbin/update-grub\n"
				   "run /usr/bin/systemctl daemon-reload\n"
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
	ck_assert_int_eq(enable(&state, &only, NULL, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "without --hibernate-only"));
	ck_assert_int_eq(enable(&state, &wanted, NULL, &w), 0);
	made_check("/etc/fstab", "/swapfile none swap sw 0 0\n");
	state_free(&state);

	/* By another name, and by one that leads nowhere. */
	made_put("/swapfile", "");
	made_link("/a way", "swapfile");
	made_put("/etc/fstab", "/gone none swap sw\n/a\\040way none swap sw 0 0\n");
	ck_assert_int_eq(enable(&state, &only, NULL, &w), -EINVAL);
	made_put("/etc/fstab", "/gone none swap sw\n");
	ck_assert_int_eq(enable(&state, &wanted, NULL, &w), 0);
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
	{ "run /usr/sbin/update-grub", "run /usr/sbin/update-grub\nrun /usr/sbin/update-grub\n"
				       "run /usr/sbin/update-initramfs -u -k all\n" },
	{ "swapon", "run /usr/sbin/update-grub\nswapon /swapfile\nrun /usr/sbin/update-grub\n"
		    "run /usr/sbin/update-initramfs -u -k all\n" },
};

START_TEST(rolls_back)
{
	struct state state = { 0 };
	struct why w = { "" };
	char *before, *after;

	make_grub_folder();
	made_program("/usr/sbin/update-initramfs");
	before = made_look();
	made_fail = failures[_i].fail;
	ck_assert_int_eq(enable(&state, &wanted, NULL, &w), -EIO);
	ck_assert_str_eq(made_log, failures[_i].log);
	if (_i == 1)
		ck_assert_uint_eq(state.count, 0);
	/* An update-grub that fails for ever cannot be run for the old files
	 * either: that stays to be done. */
	made_fail = NULL;
	if (_i == 0) {
		ck_assert_ptr_nonnull(strstr(warnings, "it failed"));
		disable(&state);
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

	make_grub_folder();
	made_program("/usr/sbin/update-initramfs");
	ck_assert_int_eq(enable(&state, &wanted, NULL, &w), 0);
	before = made_look();
	made_log[0] = '\0';
	made_fail = "swapoff";
	reload(&state);
	ck_assert_int_eq(state_undo(&made_system, &state, &state.plans[0], &teller, &w), -EIO);
	ck_assert_ptr_nonnull(strstr(w.text, "cannot be switched off"));
	ck_assert_str_eq(made_log, "swapoff /swapfile\n");
	after = made_look();
	/* But for the state: what made things anew is done with. */
	ck_assert_ptr_nonnull(strstr(after, "95-s2disk-swapfile.cfg"));
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

	make_grub_file();
	ck_assert_int_eq(enable(&state, &wanted, NULL, &w), 0);
	made_put("/etc/fstab", "# mine\nUUID=1 / ext4 defaults 0 1\nlast line\n" BEGIN
			       "/swapfile none swap defaults 0 0\n" END "tmpfs /tmp tmpfs\n");
	made_put("/etc/default/grub", "all new\n");
	made_put("/etc/suspend.conf.d/90-swapfile.conf", "resume offset = 1\n");
	disable(&state);
	made_check("/etc/fstab", "# mine\nUUID=1 / ext4 defaults 0 1\nlast line\n"
				 "tmpfs /tmp tmpfs\n");
	made_check("/etc/default/grub", "all new\n");
	made_check("/etc/suspend.conf.d/90-swapfile.conf", NULL);
	made_check("/etc/suspend.conf.d/90-swapfile.conf.save", "resume offset = 1\n");
	ck_assert_ptr_nonnull(strstr(warnings, "/etc/default/grub was edited"));
	ck_assert_ptr_nonnull(strstr(warnings, "90-swapfile.conf was edited"));
}
END_TEST

/* What stands between the marks is ours, edited or not. */
START_TEST(takes_edited_blocks_out)
{
	struct state state = { 0 };
	struct why w = { "" };

	make_grub_file();
	ck_assert_int_eq(enable(&state, &wanted, NULL, &w), 0);
	made_put("/etc/fstab",
		 "UUID=1 / ext4\n" BEGIN "/swapfile none swap pri=7\n" END "tmpfs /tmp tmpfs\n");
	disable(&state);
	made_check("/etc/fstab", "UUID=1 / ext4\ntmpfs /tmp tmpfs\n");
	made_check("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"\"");
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
	ck_assert_int_eq(enable(&state, &wanted, NULL, &w), 0);
	made_check("/data/fstab", "a\n" BEGIN "/swapfile none swap defaults 0 0\n" END);
	disable(&state);
	after = made_look();
	ck_assert_str_eq(after, before);
	free(before);
	free(after);
}
END_TEST

/* Cut off after any step, or while a file was written: what the state file says
 * then undoes it. */
START_TEST(survives_being_cut_off)
{
	struct why w = { "" };
	char *before, *after;
	size_t count = 1;

	make_grub_folder();
	made_program("/usr/sbin/update-initramfs");
	before = made_look();
	for (size_t done = 0; done < count; done++) {
		struct state state = { 0 }, cut = { 0 };
		enum boot_loader loader;
		struct plan plan;
		char *text;

		ck_assert_int_eq(plan_open(&plan, "enable", "/swapfile"), 0);
		ck_assert_int_eq(enable_plan(&plan, &made_system, &wanted, &loader, &w), 0);
		count = plan.count;
		/* Written down, then done or not. */
		for (size_t i = 0; i < done; i++)
			ck_assert_int_eq(step_do(&made_system, &plan, &plan.steps[i], &w), 0);
		cut.plans = &plan;
		cut.count = 1;
		plan.count = done + 1;
		text = state_encode(&cut);
		made_put(SWAPFILE_STATE, text);
		plan.count = count;
		free(text);
		if (plan.steps[done].kind == STEP_FILE) {
			char part[256];

			snprintf(part, sizeof(part), "%s.s2disk-new", plan.steps[done].path);
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
		{ .kind = STEP_FILE,
		  .path = (char *)"/a\tb\\",
		  .old_text = (char *)"x\r\n\\n",
		  .new_text = (char *)"" },
		{ .kind = STEP_RUN, .undo = (char *)"a\nb c" },
		{ .kind = STEP_MADE, .path = (char *)"/\xff" },
	};
	struct plan plan = { .name = (char *)"enable",
			     .path = (char *)"/sw ap",
			     .device = (char *)"UUID=1",
			     .offset = (char *)"7",
			     .hibernate_only = true,
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
	ck_assert_str_eq(back.plans[0].steps[0].old_text, "x\r\n\\n");
	ck_assert_str_eq(back.plans[0].steps[0].new_text, "");
	ck_assert_ptr_null(back.plans[0].steps[1].command);
	ck_assert_str_eq(back.plans[0].steps[1].undo, "a\nb c");
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
	tcase_add_loop_test(tcase, there_and_back, 0, (int)ARRAY_SIZE(loaders));
	tcase_add_loop_test(tcase, does_nothing_twice, 0, (int)ARRAY_SIZE(loaders));
	tcase_add_test(tcase, for_hibernating_only);
	tcase_add_test(tcase, fstab_stands_against_it);
	tcase_add_loop_test(tcase, rolls_back, 0, (int)ARRAY_SIZE(failures));
	tcase_add_test(tcase, swapoff_that_fails_changes_nothing);
	tcase_add_test(tcase, keeps_edits);
	tcase_add_test(tcase, takes_edited_blocks_out);
	tcase_add_test(tcase, keeps_links_and_modes);
	tcase_add_test(tcase, survives_being_cut_off);
	tcase_add_loop_test(tcase, refuses_broken_states, 0, (int)ARRAY_SIZE(broken));
	tcase_add_test(tcase, state_there_and_back);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
