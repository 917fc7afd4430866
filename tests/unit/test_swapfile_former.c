/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Set-ups of the version that edited boot loaders, by the state files that it wrote, are
 * taken back. */
#include "base/bytes.h"
#include "made_enable.h"
#include "made_tree.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Debian's GRUB. */
static const char grub[] =
	"s2disk-swapfile state 1\n"
	"plan\t=enable\t=/swapfile\t=UUID=1-2\t=34816\t-\n"
	"folder\t=/etc/suspend.conf.d\t-\t-\t-\t-\n"
	"file\t=/etc/suspend.conf.d/90-swapfile.conf\t-\t=# Written by s2disk-swapfile; \""
	"s2disk-swapfile disable\" takes it away.\\n# The swap file /swapfile.\\nresume de"
	"vice = UUID=1-2\\nresume offset = 34816\\n\t-\t-\n"
	"file\t=/etc/fstab\t=UUID=1 / ext4 defaults 0 1\\nlast line\t=UUID=1 / ext4 defaul"
	"ts 0 1\\nlast line\\n# s2disk-swapfile begin (\"s2disk-swapfile disable\" takes t"
	"his out)\\n/swapfile none swap defaults 0 0\\n# s2disk-swapfile end\\n\t-\t-\n"
	"run\t-\t-\t-\t-\t=/usr/sbin/update-grub\n"
	"folder\t=/etc/default/grub.d\t-\t-\t-\t-\n"
	"file\t=/etc/default/grub.d/95-s2disk-swapfile.cfg\t-\t=# Written by s2disk-swapfi"
	"le; \"s2disk-swapfile disable\" takes it away.\\nGRUB_CMDLINE_LINUX=\"$GRUB_CMDLI"
	"NE_LINUX resume=UUID=1-2 resume_offset=34816\"\\n# Resuming needs the initramfs, "
	"which this would leave out (cloud images).\\nGRUB_FORCE_PARTUUID=\\n\t-\t-\n"
	"run\t-\t-\t-\t=/usr/sbin/update-grub\t-\n"
	"swap\t=/swapfile\t-\t-\t-\t-\n";

/* systemd-boot. */
static const char entries[] =
	"s2disk-swapfile state 1\n"
	"plan\t=enable\t=/swapfile\t=UUID=1-2\t=34816\t-\n"
	"folder\t=/etc/suspend.conf.d\t-\t-\t-\t-\n"
	"file\t=/etc/suspend.conf.d/90-swapfile.conf\t-\t=# Written by s2disk-swapfile; \""
	"s2disk-swapfile disable\" takes it away.\\n# The swap file /swapfile.\\nresume de"
	"vice = UUID=1-2\\nresume offset = 34816\\n\t-\t-\n"
	"file\t=/etc/fstab\t=UUID=1 / ext4 defaults 0 1\\nlast line\t=UUID=1 / ext4 defaul"
	"ts 0 1\\nlast line\\n# s2disk-swapfile begin (\"s2disk-swapfile disable\" takes t"
	"his out)\\n/swapfile none swap defaults 0 0\\n# s2disk-swapfile end\\n\t-\t-\n"
	"entries\t-\t=resume=/dev/sda2\t-\t-\t=resume=UUID=1-2 resume_offset=34816\n"
	"file\t=/boot/loader/entries/a.conf\t=title A\\nlinux /a\\noptions root=/ ro\\n\t="
	"title A\\nlinux /a\\noptions root=/ ro resume=UUID=1-2 resume_offset=34816\\n\t-\t"
	"-\n"
	"file\t=/boot/loader/entries/b.conf\t=title B\\nlinux /b\t=title B\\nlinux /b\\nop"
	"tions resume=UUID=1-2 resume_offset=34816\\n\t-\t-\n"
	"file\t=/etc/kernel/cmdline\t=root=/ ro resume=/dev/sda2\\n\t=root=/ ro resume=UUI"
	"D=1-2 resume_offset=34816\\n\t-\t-\n"
	"swap\t=/swapfile\t-\t-\t-\t-\n";

/* kernel-install, with unified images. */
static const char kernels[] =
	"s2disk-swapfile state 1\n"
	"plan\t=enable\t=/swapfile\t=UUID=1-2\t=34816\t-\n"
	"folder\t=/etc/suspend.conf.d\t-\t-\t-\t-\n"
	"file\t=/etc/suspend.conf.d/90-swapfile.conf\t-\t=# Written by s2disk-swapfile; \""
	"s2disk-swapfile disable\" takes it away.\\n# The swap file /swapfile.\\nresume de"
	"vice = UUID=1-2\\nresume offset = 34816\\n\t-\t-\n"
	"file\t=/etc/fstab\t=UUID=1 / ext4 defaults 0 1\\nlast line\t=UUID=1 / ext4 defaul"
	"ts 0 1\\nlast line\\n# s2disk-swapfile begin (\"s2disk-swapfile disable\" takes t"
	"his out)\\n/swapfile none swap defaults 0 0\\n# s2disk-swapfile end\\n\t-\t-\n"
	"kernels\t-\t-\t-\t-\t=/usr/bin/kernel-install\n"
	"file\t=/etc/kernel/cmdline\t=root=/ ro\t=root=/ ro resume=UUID=1-2 resume_offset="
	"34816\t-\t-\n"
	"kernels\t-\t-\t-\t=/usr/bin/kernel-install\t-\n"
	"swap\t=/swapfile\t-\t-\t-\t-\n";

#define ARGS "resume=UUID=1-2 resume_offset=34816"
#define ENTRY "title A\nlinux /a\noptions root=/ ro"

static const struct {
	const char *state;
	struct {
		const char *path, *before, *then;
	} files[4]; /* beside fstab and the drop-in */
	const char *log, *warning;
} setups[] = {
	{ grub,
	  { { "/etc/default/grub.d/95-s2disk-swapfile.cfg", NULL,
	      OWN "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX " ARGS "\"\n"
		  "# Resuming needs the initramfs, which this would leave out (cloud images).\n"
		  "GRUB_FORCE_PARTUUID=\n" } },
	  "swapoff /swapfile\nrun /usr/sbin/update-grub\n",
	  NULL },
	{ entries,
	  { { "/boot/loader/entries/a.conf", ENTRY "\n", ENTRY " " ARGS "\n" },
	    { "/boot/loader/entries/b.conf", "title B\nlinux /b",
	      "title B\nlinux /b\noptions " ARGS "\n" },
	    { "/etc/kernel/cmdline", "root=/ ro resume=/dev/sda2\n", "root=/ ro " ARGS "\n" } },
	  "swapoff /swapfile\n",
	  "where former versions of this program put it: " ARGS },
	{ kernels,
	  { { "/etc/kernel/cmdline", "root=/ ro", "root=/ ro " ARGS } },
	  "swapoff /swapfile\n",
	  "run kernel-install add-all" },
};

static void put_setup(int i, bool then)
{
	for (size_t f = 0; setups[i].files[f].path; f++)
		made_put(setups[i].files[f].path,
			 then ? setups[i].files[f].then : setups[i].files[f].before);
	made_put("/etc/default/x", "");
	made_put("/etc/fstab", then ? "UUID=1 / ext4 defaults 0 1\nlast line\n" BEGIN
				      "/swapfile none swap defaults 0 0\n" END
				    : "UUID=1 / ext4 defaults 0 1\nlast line");
	made_put("/etc/suspend.conf.d/90-swapfile.conf",
		 then ? OWN "# The swap file /swapfile.\nresume device = UUID=1-2\n"
			    "resume offset = 34816\n"
		      : NULL);
	if (then)
		made_put(SWAPFILE_STATE, setups[i].state);
	made_active = then;
}

START_TEST(is_taken_back)
{
	struct state state = { 0 };
	char *before, *after;

	put_setup(_i, false);
	before = made_look();
	put_setup(_i, true);
	disable(&state);
	ck_assert_str_eq(made_log, setups[_i].log);
	if (setups[_i].warning)
		ck_assert_msg(strstr(warnings, setups[_i].warning), "%s", warnings);
	else
		ck_assert_str_eq(warnings, "");
	after = made_look();
	ck_assert_str_eq(after, before);
	free(before);
	free(after);
}
END_TEST

/* Also what was edited since, and what cannot be told any more is said. */
START_TEST(edited_since)
{
	struct state state = { 0 };

	put_setup(1, true);
	made_put("/boot/loader/entries/a.conf",
		 "title new\nlinux /a\noptions root=/ ro " ARGS "\n");
	made_put("/boot/loader/entries/b.conf", "title B\nlinux /b\noptions quiet " ARGS "\n");
	disable(&state);
	made_check("/boot/loader/entries/a.conf", "title new\nlinux /a\noptions root=/ ro\n");
	made_check("/boot/loader/entries/b.conf", "title B\nlinux /b\noptions quiet " ARGS "\n");
	ck_assert_ptr_nonnull(strstr(warnings, "/boot/loader/entries/b.conf was edited since"));
	ck_assert_ptr_nonnull(strstr(warnings, "take out what is left of: linux /b options " ARGS));
}
END_TEST

/* Its block in /etc/default/grub, and its own file, are found without the state, too. */
START_TEST(state_lost)
{
	struct state state = { 0 };
	struct why w = { "" };
	struct plan plan;

	put_setup(0, true);
	made_put(SWAPFILE_STATE, NULL);
	made_put("/etc/default/grub", "A=1\n" BEGIN "GRUB_CMDLINE_LINUX=\"x\"\n" END);
	ck_assert_int_eq(plan_open(&plan, "enable", ""), 0);
	ck_assert_int_eq(enable_plan_marked(&plan, &made_system, &w), 0);
	ck_assert_ptr_nonnull(strstr(warnings, "still to be made anew"));
	ck_assert_ptr_nonnull(state_add(&state, &plan));
	ck_assert_int_eq(state_undo(&made_system, &state, state.plans, NULL, &w), 0);
	made_check("/etc/default/grub", "A=1\n");
	made_check("/etc/default/grub.d/95-s2disk-swapfile.cfg", NULL);
	made_check("/etc/fstab", "UUID=1 / ext4 defaults 0 1\nlast line\n");
	ck_assert_str_eq(made_log, "swapoff /swapfile\nrun /usr/sbin/update-initramfs -u -k all\n");
	state_free(&state);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("swapfile_former");
	TCase *tcase = tcase_create("swapfile_former");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, make_system, made_root_remove);
	tcase_add_loop_test(tcase, is_taken_back, 0, (int)ARRAY_SIZE(setups));
	tcase_add_test(tcase, edited_since);
	tcase_add_test(tcase, state_lost);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
