/* SPDX-License-Identifier: GPL-2.0-or-later */
/* swapfile_boot: who wins where GRUB's configuration has resume= already, and
 * what a generated grub.cfg says. */
#include "swapfile_boot.h"

#include "base/bytes.h"
#include "made_tree.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define ARGS "resume=UUID=1-2 resume_offset=34816"
#define HEAD "# Written by s2disk-swapfile; \"s2disk-swapfile disable\" takes it away.\n"
#define TAIL                                                                           \
	"# Resuming needs the initramfs, which this would leave out (cloud images).\n" \
	"GRUB_FORCE_PARTUUID=\n"
#define BOTH                                                    \
	"GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX " ARGS "\"\n" \
	"GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT " ARGS "\"\n"
#define BEGIN "# s2disk-swapfile begin (\"s2disk-swapfile disable\" takes this out)\n"
#define END "# s2disk-swapfile end\n"

static struct plan plan;

static void begin(void)
{
	made_create();
	made_program("/usr/sbin/update-grub");
	made_program("/usr/sbin/grub-mkconfig");
	ck_assert_int_eq(plan_open(&plan, "enable", "/swapfile"), 0);
}

static void end(void)
{
	plan_close(&plan);
	made_root_remove();
}

static const char *new_text(const char *path)
{
	for (size_t i = 0; i < plan.count; i++)
		if (plan.steps[i].kind == STEP_FILE && strcmp(plan.steps[i].path, path) == 0)
			return plan.steps[i].new_text;
	return "(no such step)";
}

/* GRUB_CMDLINE_LINUX_DEFAULT stands behind GRUB_CMDLINE_LINUX in grub.cfg. */
static const struct {
	const char *path, *text;
} others[] = {
	{ "/etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet resume=/dev/sda3\"\n" },
	{ "/etc/default/grub.d/10-vendor.cfg", "GRUB_CMDLINE_LINUX_DEFAULT=\"resume_offset=1\"\n" },
};

START_TEST(wins_over_others)
{
	struct why w = { "" };

	made_put(others[_i].path, others[_i].text);
	ck_assert_int_eq(boot_plan(&plan, &made_system, BOOT_GRUB_FOLDER, ARGS, &w), 0);
	ck_assert_str_eq(new_text("/etc/default/grub.d/95-s2disk-swapfile.cfg"), HEAD BOTH TAIL);
}
END_TEST

START_TEST(wins_in_one_file)
{
	static const char old[] = "GRUB_CMDLINE_LINUX_DEFAULT=\"resume=/dev/sda3\"\n";
	struct why w = { "" };

	made_put("/etc/default/grub", old);
	made_put("/boot/grub/grub.cfg", "");
	ck_assert_int_eq(boot_plan(&plan, &made_system, BOOT_GRUB_FILE, ARGS, &w), 0);
	ck_assert_str_eq(new_text("/etc/default/grub"),
			 "GRUB_CMDLINE_LINUX_DEFAULT=\"resume=/dev/sda3\"\n" BEGIN BOTH END);
	/* Once it is there, its own words are no reason. */
	made_put("/etc/default/grub",
		 BEGIN "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX " ARGS "\"\n" END);
	plan_close(&plan);
	ck_assert_int_eq(boot_plan(&plan, &made_system, BOOT_GRUB_FILE, ARGS, &w), 0);
	ck_assert_str_eq(new_text("/etc/default/grub"), "(no such step)");
}
END_TEST

static const struct {
	const char *config;
	bool says;
} configs[] = {
	{ "menuentry 'a' {\n\tlinux\t/vmlinuz root=/ ro " ARGS " quiet\n}\n", true },
	{ "linuxefi /vmlinuz resume_offset=34816 resume=UUID=1-2\n", true },
	{ "linux /vmlinuz " ARGS "\nlinux /other resume=/dev/sdb2\n", true },
	{ "linux /vmlinuz " ARGS " resume=/dev/sda3\n", false },
	{ "linux /vmlinuz " ARGS "0\n", false },
	{ "linux /vmlinuz quiet\n", false },
	{ "# " ARGS "\n", false },
	{ "", false },
};

START_TEST(reads_grub_cfg)
{
	const char *path;

	made_put("/boot/grub/grub.cfg", configs[_i].config);
	ck_assert(boot_grub_says(&made_system, ARGS, &path) == configs[_i].says);
	ck_assert_str_eq(path, "/boot/grub/grub.cfg");
}
END_TEST

START_TEST(nothing_to_look_at)
{
	const char *path = "x";

	ck_assert(boot_grub_says(&made_system, ARGS, &path));
	ck_assert_ptr_null(path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("swapfile_boot");
	TCase *tcase = tcase_create("swapfile_boot");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_loop_test(tcase, wins_over_others, 0, (int)ARRAY_SIZE(others));
	tcase_add_test(tcase, wins_in_one_file);
	tcase_add_loop_test(tcase, reads_grub_cfg, 0, (int)ARRAY_SIZE(configs));
	tcase_add_test(tcase, nothing_to_look_at);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
