/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-swapfile where each kernel has arguments of its own: kernels that come
 * and go while a swap file is enabled, and failures in between. */
#include "made_enable.h"
#include "made_tree.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What each kernel had of its own comes back then, too. */
START_TEST(rolls_back_grubby)
{
	struct state state = { 0 };
	struct why w = { "" };

	make_grubby();
	made_fail = "swapon";
	ck_assert_int_eq(enable(&state, &wanted, NULL, &w), -EIO);
	ck_assert_str_eq(made_log,
			 "run /usr/sbin/grubby --info=ALL\n"
			 "run /usr/sbin/grubby --update-kernel=ALL --args=" ARGS
			 "\nswapon /swapfile\n"
			 "run /usr/sbin/grubby --update-kernel=ALL --remove-args=" ARGS "\n"
			 "run /usr/sbin/grubby --update-kernel=/boot/c --args=resume=/dev/sda3 "
			 "resume_offset=7\n"
			 "run /usr/sbin/grubby --update-kernel=/boot/a --args=resume=/dev/sda2\n");
	ck_assert_uint_eq(state.count, 0);
	state_free(&state);
}
END_TEST

/* Kernels come and go while a swap file is enabled. */
START_TEST(kernels_changed_grubby)
{
	struct state state = { 0 };
	struct why w = { "" };

	make_grubby();
	made_put("/boot/a", "");
	made_put("/boot/c", "");
	ck_assert_int_eq(enable(&state, &wanted, NULL, &w), 0);
	made_put("/boot/c", NULL);
	made_log[0] = '\0';
	made_fail = "run /usr/sbin/grubby --update-kernel=/boot/c"; /* as grubby does */
	disable(&state);
	ck_assert_str_eq(made_log,
			 "swapoff /swapfile\n"
			 "run /usr/sbin/grubby --update-kernel=ALL --remove-args=" ARGS "\n"
			 "run /usr/sbin/grubby --update-kernel=/boot/a --args=resume=/dev/sda2\n");
	made_check(SWAPFILE_STATE, NULL);
}
END_TEST

START_TEST(kernels_changed_kernel_install)
{
	struct state state = { 0 };
	struct why w = { "" };

	make_kernel_install();
	ck_assert_int_eq(enable(&state, &wanted, NULL, &w), 0);
	made_put("/usr/lib/modules/6.1/vmlinuz", NULL);
	made_put("/usr/lib/modules/6.13/vmlinuz", "");
	made_log[0] = '\0';
	made_fail = "run /usr/bin/kernel-install add 6.1 ";
	disable(&state);
	ck_assert_str_eq(made_log,
			 "swapoff /swapfile\n"
			 "run /usr/bin/kernel-install add 6.12 /boot/vmlinuz-6.12\n"
			 "run /usr/bin/kernel-install add 6.13 /usr/lib/modules/6.13/vmlinuz\n");
	made_check("/etc/kernel/cmdline", "root=/ ro");
	made_check(SWAPFILE_STATE, NULL);
}
END_TEST

/* One that cannot be made anew does not keep the others from it. */
START_TEST(kernel_install_fails)
{
	struct state state = { 0 };
	struct why w = { "" };

	make_kernel_install();
	ck_assert_int_eq(enable(&state, &wanted, NULL, &w), 0);
	made_log[0] = '\0';
	made_fail = "run /usr/bin/kernel-install add 6.1 ";
	reload(&state);
	ck_assert_int_eq(state_undo(&made_system, &state, &state.plans[0], &teller, &w), -EIO);
	ck_assert_ptr_nonnull(strstr(w.text, "it failed"));
	ck_assert_ptr_nonnull(strstr(made_log, "add 6.12 /boot/vmlinuz-6.12"));
	made_fail = NULL;
	disable(&state);
	made_check(SWAPFILE_STATE, NULL);
}
END_TEST

/* kernel-install gave a new entry what /etc/kernel/cmdline said then. */
START_TEST(kernels_changed_entries)
{
	struct state state = { 0 };
	struct why w = { "" };

	make_entries();
	ck_assert_int_eq(enable(&state, &wanted, NULL, &w), 0);
	made_put("/boot/loader/entries/a.conf", NULL);
	made_put("/boot/loader/entries/c.conf",
		 "title C\nlinux /c\noptions root=/ ro " ARGS "\ninitrd /i\n");
	made_put("/boot/loader/entries/d.conf",
		 "title D\nlinux /d\noptions root=/ resume=UUID=1-2 resume_offset=1\n");
	disable(&state);
	made_check("/boot/loader/entries/b.conf", "title B\nlinux /b");
	made_check("/boot/loader/entries/c.conf",
		   "title C\nlinux /c\noptions root=/ ro resume=/dev/sda2\ninitrd /i\n");
	made_check("/boot/loader/entries/d.conf",
		   "title D\nlinux /d\noptions root=/ resume=UUID=1-2 resume_offset=1\n");
	ck_assert_str_eq(warnings, "");
	made_check(SWAPFILE_STATE, NULL);

	/* Where it said nothing before, nothing is left. */
	made_put("/etc/kernel/cmdline", "root=/ ro\n");
	made_put("/boot/loader/entries/c.conf", NULL);
	ck_assert_int_eq(enable(&state, &wanted, NULL, &w), 0);
	made_put("/boot/loader/entries/c.conf", "linux /c\noptions root=/ ro " ARGS "\n");
	disable(&state);
	made_check("/boot/loader/entries/c.conf", "linux /c\noptions root=/ ro\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("swapfile_kernels");
	TCase *tcase = tcase_create("swapfile_kernels");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, make_system, made_root_remove);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, rolls_back_grubby);
	tcase_add_test(tcase, kernels_changed_grubby);
	tcase_add_test(tcase, kernels_changed_kernel_install);
	tcase_add_test(tcase, kernel_install_fails);
	tcase_add_test(tcase, kernels_changed_entries);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
