/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-swapfile enable and disable on made-up systems: there and back, steps that fail,
 * set-ups of former versions. The area is on 8:2. */
#include "fixtures/check_main.h"
#include "tools/swapfile/swapfile.h"

#include "base/bytes.h"
#include "fixtures/machine/made_marks.h"
#include "fixtures/capture.h"
#include "fixtures/machine/made_tree.h"
#include "fixtures/said.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define FIRST "UUID=1 / ext4 defaults 0 1\n"
#define FSTAB FIRST "last line"
#define LINE "/swapfile none swap defaults 0 0\n"
#define DROP_IN "/etc/suspend.conf.d/90-swapfile.conf"
#define REMADE "run update-initramfs -u -k all\n"

static struct why w;

int __wrap_swap_area_resolve(const char *spec, uint64_t offset, bool allow_file,
			     struct swap_area *ret, struct why *reason);

int __wrap_swap_area_resolve(const char *spec, uint64_t offset, bool allow_file,
			     struct swap_area *ret, struct why *reason)
{
	(void)allow_file;
	*ret = (struct swap_area){ .offset = offset };
	if (strcmp(spec, "/dev/mapper/root") == 0)
		ret->dev = makedev(8, 3);
	else if (strcmp(spec, "/a way") == 0 || strcmp(spec, "UUID=1-2") == 0)
		ret->dev = makedev(8, 2);
	else
		return why(reason, -ENODEV, "none");
	if (strcmp(spec, "/a way") == 0)
		ret->offset = 34816;
	return 0;
}

static void setup(void)
{
	made_create();
	made_put("/etc/fstab", FSTAB);
	made_program("/usr/sbin/update-initramfs");
	made_program("/usr/sbin/mkinitramfs");
	made_put("/sys/power/resume", "0:0\n");
	made_put("/sys/power/resume_offset", "0\n");
	said_clear();
	w.text[0] = '\0';
}

static struct swapfile command(void)
{
	return (struct swapfile){ .root = made_root, .path = "x", .quiet = true };
}

static const struct swapfile_place file = {
	.path = "/swapfile",
	.device = "UUID=1-2",
	.offset = "34816",
	.area = { .device = "/dev/sda2", .dev = 8 << 8 | 2, .offset = 34816, .file = true },
};

static const struct swapfile_place partition = {
	.path = "UUID=3-4",
	.device = "UUID=3-4",
	.offset = "0",
	.area = { .device = "/dev/sda2", .dev = 8 << 8 | 2 },
};

static int enable(const struct swapfile_place *place)
{
	struct swapfile s = command();

	made_log[0] = '\0';
	return swapfile_enable_place(&s, place, &w);
}

static int enable_only(void)
{
	struct swapfile s = command();

	s.hibernate_only = true;
	return swapfile_enable_place(&s, &file, &w);
}

static void disable(void)
{
	struct swapfile s = command();

	made_log[0] = '\0';
	ck_assert_msg(swapfile_do_disable(&s, &w) == 0, "%s", w.text);
}

/* Except for the kernel's resume device. */
static void check_as_before(char *before)
{
	char *after;

	made_put("/sys/power/resume", "0:0\n");
	made_put("/sys/power/resume_offset", "0\n");
	after = made_look();
	ck_assert_str_eq(after, before);
	free(after);
	free(before);
}

START_TEST(there_and_back)
{
	char *before, *marked;

	made_put("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"\"\n");
	made_put("/boot/loader/entries/a.conf", "title A\nlinux /a\noptions root=/ ro\n");
	before = made_look();
	ck_assert_msg(enable(&file) == 0, "%s", w.text);
	made_check("/etc/fstab", FIRST BEGIN LINE END "last line");
	made_check(DROP_IN, OWN "# The swap file /swapfile.\n"
				"resume device = UUID=1-2\nresume offset = 34816\n");
	/* No boot loader's file is touched. */
	made_check("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"\"\n");
	ck_assert_str_eq(made_log, "swapon /swapfile\n" REMADE);
	made_check("/sys/power/resume", "8:2\n");
	made_check("/sys/power/resume_offset", "34816\n");
	marked = swapfile_marked_area(made_root);
	ck_assert_str_eq(marked, "/swapfile");
	free(marked);
	/* Again, there is nothing to do; but for what came in between. */
	ck_assert_int_eq(enable(&file), 0);
	ck_assert_str_eq(made_log, "");
	/* A warning stands for an initramfs that could not be regenerated. */
	made_way_back = CHECK_WARNING;
	ck_assert_int_eq(enable(&file), 0);
	ck_assert_str_eq(made_log, REMADE);
	made_way_back = CHECK_FAILED;
	made_put("/etc/suspend.conf.d/10.conf", "way back = ignore\n");
	ck_assert_int_eq(enable(&file), 0);
	ck_assert_str_eq(made_log, REMADE);
	made_put("/etc/suspend.conf.d/10.conf", NULL);
	made_way_back = CHECK_OK;
	said_clear();
	made_active = false;
	ck_assert_int_eq(enable(&file), 0);
	ck_assert_str_eq(made_log, "swapon /swapfile\n" REMADE);
	ck_assert_str_eq(said, "");
	disable();
	ck_assert_str_eq(made_log, "swapoff /swapfile\n" REMADE);
	ck_assert_ptr_nonnull(strstr(said, "the kernel's resume device stays 8:2"));
	check_as_before(before);
	said_clear();
	disable();
	ck_assert_str_eq(made_log, "");
	ck_assert_str_eq(said, "");
}
END_TEST

/* Its line names it as it is to be found; one that is there by another name suffices. */
START_TEST(of_a_partition)
{
	ck_assert_msg(enable(&partition) == 0, "%s", w.text);
	made_check("/etc/fstab", FIRST BEGIN "UUID=3-4 none swap defaults 0 0\n" END "last line");
	ck_assert_str_eq(made_log, "swapon UUID=3-4\n" REMADE);
	disable();
	ck_assert_str_eq(made_log, "swapoff UUID=3-4\n" REMADE);
	made_put("/etc/fstab", "UUID=1-2 none swap sw 0 0\n");
	made_active = true;
	ck_assert_msg(enable(&partition) == 0, "%s", w.text);
	made_check("/etc/fstab", "UUID=1-2 none swap sw 0 0\n");
	ck_assert_str_eq(made_log, REMADE);
	disable();
	/* It was active before, and is at the next boot. */
	ck_assert_str_eq(made_log, REMADE);
}
END_TEST

START_TEST(for_hibernating_only)
{
	char *before;

	made_put("/etc/systemd/system/x", "");
	made_put("/run/systemd/system/x", "");
	made_put("/etc/uswsusp.conf", "# old\n");
	made_program("/usr/bin/systemctl");
	before = made_look();
	ck_assert_msg(enable_only() == 0, "%s", w.text);
	made_check("/etc/fstab", FSTAB);
	made_check("/etc/uswsusp.conf.d/90-swapfile.conf",
		   OWN "# The swap file /swapfile.\nresume device = UUID=1-2\n"
		       "resume offset = 34816\nswap on demand = \"/swapfile\"\n");
	made_check("/etc/systemd/system/systemd-logind.service.d/90-s2disk-swap.conf",
		   OWN "# The swap file is active only while hibernating: do not look for it.\n"
		       "[Service]\nEnvironment=SYSTEMD_BYPASS_HIBERNATION_MEMORY_CHECK=1\n");
	ck_assert_str_eq(made_log, "run systemctl daemon-reload\n" REMADE);
	/* Without that option, the marks of it go first. */
	ck_assert_int_eq(enable(&file), 0);
	made_check("/etc/systemd/system/systemd-logind.service.d/90-s2disk-swap.conf", NULL);
	made_check("/etc/fstab", FIRST BEGIN LINE END "last line");
	disable();
	check_as_before(before);
}
END_TEST

START_TEST(fstab_stands_against_it)
{
	made_put("/etc/fstab", "/swapfile none swap sw 0 0\n");
	ck_assert_int_eq(enable_only(), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "without --hibernate-only"));
	made_check(DROP_IN, NULL);
	ck_assert_int_eq(enable(&file), 0);
	made_check("/etc/fstab", "/swapfile none swap sw 0 0\n");
	/* By another name, and by one that leads nowhere. */
	made_put("/etc/fstab", "/gone none swap sw\n/a\\040way none swap sw 0 0\n");
	ck_assert_int_eq(enable_only(), -EINVAL);
	made_put("/etc/fstab", "/gone none swap sw\n/swapfile none swap noauto 0 0\n");
	ck_assert_int_eq(enable(&file), 0);
	made_check("/etc/fstab",
		   "/gone none swap sw\n/swapfile none swap noauto 0 0\n" BEGIN LINE END);
}
END_TEST

/* What failed is done when it is enabled again, and all is undone when it is disabled. */
static const struct {
	const char *fail, *log, *again;
} failures[] = {
	{ "swapon", "swapon /swapfile\n", "swapon /swapfile\n" REMADE },
	{ "run update", "swapon /swapfile\n" REMADE, REMADE },
};

START_TEST(stays_and_goes_on)
{
	char *before = made_look();

	made_fail = failures[_i].fail;
	made_way_back = CHECK_FAILED;
	ck_assert_int_lt(enable(&file), 0);
	ck_assert_ptr_nonnull(strstr(w.text, made_fail));
	ck_assert_ptr_nonnull(strstr(said, "what was done before stays: enable again"));
	ck_assert_str_eq(made_log, failures[_i].log);
	made_check("/sys/power/resume", "0:0\n");
	made_fail = NULL;
	ck_assert_int_eq(enable(&file), 1);
	ck_assert_str_eq(made_log, failures[_i].again);
	made_fail = failures[_i].fail;
	made_active = false;
	ck_assert_int_lt(enable(&file), 0);
	made_fail = NULL;
	disable();
	check_as_before(before);
}
END_TEST

/* A file that cannot be changed: the others are as before. */
START_TEST(a_file_fails)
{
	char *before;

	made_put("/etc/fstab", NULL);
	made_link("/etc/fstab", "gone");
	before = made_look();
	ck_assert_int_eq(enable(&file), -EIO);
	ck_assert_ptr_nonnull(strstr(w.text, "/etc/fstab cannot be written"));
	check_as_before(before);
	/* Marks that were edited keep their file, and no other. */
	made_put("/etc/fstab", NULL);
	made_put("/etc/fstab", "");
	ck_assert_int_eq(enable(&file), 0);
	made_put("/etc/fstab", BEGIN LINE "tmpfs /tmp tmpfs\n" END);
	ck_assert_int_eq(enable(&partition), -EINVAL);
	ck_assert_int_eq(swapfile_do_disable(&(struct swapfile){ .root = made_root, .quiet = true },
					     &w),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "/etc/fstab was edited between"));
	made_check("/etc/fstab", BEGIN LINE "tmpfs /tmp tmpfs\n" END);
	made_check(DROP_IN, NULL);
	/* Nor does one that cannot be written. */
	made_put("/etc/fstab", FIRST);
	ck_assert_int_eq(enable(&file), 0);
	made_directory("/etc/fstab.s2disk-new");
	ck_assert_int_eq(swapfile_do_disable(&(struct swapfile){ .root = made_root, .quiet = true },
					     &w),
			 -EIO);
	ck_assert_ptr_nonnull(strstr(w.text, "/etc/fstab cannot be written"));
	made_check("/etc/fstab", FIRST BEGIN LINE END);
	made_check(DROP_IN, NULL);
}
END_TEST

/* The marks are gone then, so the next run would find nothing to do. */
START_TEST(tells_what_disabling_left)
{
	struct swapfile s = command();

	ck_assert_int_eq(enable(&file), 0);
	said_clear();
	made_fail = "run update";
	ck_assert_int_eq(swapfile_do_disable(&s, &w), -EIO);
	made_fail = NULL;
	made_check(DROP_IN, NULL);
	ck_assert_ptr_nonnull(strstr(said, "still leads to the area; when the cause is removed, "
					   "run: update-initramfs -u -k all"));
}
END_TEST

START_TEST(swapoff_that_fails_changes_nothing)
{
	struct swapfile s = command();
	char *before;

	ck_assert_int_eq(enable(&file), 0);
	before = made_look();
	made_log[0] = '\0';
	made_fail = "swapoff";
	ck_assert_int_eq(swapfile_do_disable(&s, &w), -EIO);
	ck_assert_int_eq(enable(&partition), -EIO);
	ck_assert_str_eq(made_log, "swapoff /swapfile\n");
	made_fail = NULL;
	ck_assert_int_eq(enable(&file), 0);
	made_put("/sys/power/resume", "8:2\n");
	made_put("/sys/power/resume_offset", "34816\n");
	{
		char *after = made_look();

		ck_assert_str_eq(after, before);
		free(after);
	}
	free(before);
}
END_TEST

/* What is enabled makes room; a file of the user's does not. */
START_TEST(another_area)
{
	ck_assert_int_eq(enable(&file), 0);
	ck_assert_int_eq(enable(&partition), 0);
	ck_assert_str_eq(made_log, "swapoff /swapfile\nswapon UUID=3-4\n" REMADE);
	made_check("/etc/fstab", FIRST BEGIN "UUID=3-4 none swap defaults 0 0\n" END "last line");
	disable();
	made_put(DROP_IN, "resume device = /dev/x\n");
	ck_assert_int_eq(enable(&file), -EEXIST);
	ck_assert_ptr_nonnull(strstr(w.text, DROP_IN " was not written by s2disk-swapfile"));
	made_check(DROP_IN, "resume device = /dev/x\n");
	made_check("/etc/fstab", FSTAB);
}
END_TEST

/* "encrypt = y" is not to be lost without a word. */
START_TEST(a_line_of_the_users)
{
	static const char text[] = OWN "# The swap file /swapfile.\nresume device = UUID=1-2\n"
				       "resume offset = 34816\n\n# mine\nencrypt = y\n";
	char *area;

	ck_assert_int_eq(enable(&file), 0);
	made_put(DROP_IN, text);
	ck_assert_int_eq(enable(&file), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, DROP_IN " has settings that"));
	ck_assert_str_eq(made_log, "");
	made_check(DROP_IN, text);
	/* Nor by disabling, which takes the rest away, and knows the area until then. */
	ck_assert_int_eq(swapfile_do_disable(&(struct swapfile){ .root = made_root, .quiet = true },
					     &w),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, DROP_IN " has settings that"));
	made_check(DROP_IN, text);
	made_check("/etc/fstab", FSTAB);
	area = swapfile_marked_area(made_root);
	ck_assert_str_eq(area, "/swapfile");
	free(area);
	/* Only comments: it is ours. */
	made_put(DROP_IN, OWN "# The swap file /swapfile.\r\n\r\n# mine\n");
	disable();
	made_check(DROP_IN, NULL);
}
END_TEST

/* Options are kept as long as the line activates the area. */
START_TEST(edits_its_line)
{
	static const char edited[] = FIRST BEGIN "/swapfile swap swap pri=5,discard 0 0\r\n" END;

	ck_assert_int_eq(enable(&file), 0);
	made_put("/etc/fstab", edited);
	ck_assert_int_eq(enable(&file), 0);
	ck_assert_str_eq(made_log, "");
	made_check("/etc/fstab", edited);
	made_put("/etc/fstab", FIRST BEGIN "/swapfile swap swap noauto 0 0\n" END);
	ck_assert_int_eq(enable(&file), 0);
	made_check("/etc/fstab", FIRST BEGIN LINE END);
	/* With other ends of lines all over. */
	made_put("/etc/fstab", "a b c d\r\n# s2disk-swapfile begin (\"s2disk-swapfile disable\" "
			       "takes this out)\r\n/swapfile none swap sw 0 0\r\n"
			       "# s2disk-swapfile end\r\n");
	disable();
	ck_assert_str_eq(made_log, "swapoff /swapfile\n" REMADE);
	made_check("/etc/fstab", "a b c d\r\n");
}
END_TEST

/* Its path ends as that of the other one does. */
START_TEST(another_of_a_like_name)
{
	struct swapfile_place longer = file;

	made_put("/etc/fstab", "");
	strcpy(longer.path, "/swap/swapfile");
	ck_assert_int_eq(enable(&longer), 0);
	made_check("/etc/fstab", BEGIN "/swap" LINE END);
	ck_assert_int_eq(enable(&file), 0);
	made_check("/etc/fstab", BEGIN LINE END);
}
END_TEST

/* If no boot would find the image, the kernel's resume device is not set, so hibernation is not
 * offered. */
START_TEST(no_way_back)
{
	struct swapfile s = command();
	char text[8192];

	made_way_back = CHECK_FAILED;
	s.quiet = false;
	capture_begin();
	ck_assert_int_eq(swapfile_enable_place(&s, &file, &w), 1);
	capture_end(text, sizeof(text));
	check_not_printed(text, "can hibernate now");
	ck_assert_ptr_nonnull(strstr(said, "the way back as made up: do this"));
	made_check("/sys/power/resume", "0:0\n");
	/* Enabling it again tries it again. */
	made_way_back = CHECK_WARNING;
	capture_begin();
	ck_assert_int_eq(swapfile_enable_place(&s, &file, &w), 0);
	capture_end(text, sizeof(text));
	check_not_printed(text, "nothing to do");
	check_printed(text, "can hibernate now");
	made_check("/sys/power/resume", "8:2\n");
	made_way_back = CHECK_FAILED;
	ck_assert_int_eq(enable(&file), 1);
	ck_assert_str_eq(made_log, REMADE);
	/* It cannot even be looked at. */
	made_way_back = CHECK_OK;
	made_put("/etc/suspend.conf", "encrypt = maybe\n");
	ck_assert_int_eq(enable(&file), 1);
	ck_assert_ptr_nonnull(strstr(said, "maybe"));
	made_put("/etc/suspend.conf", NULL);
	/* What noresume is for is not undone. */
	made_put("/sys/power/resume", "0:0\n");
	made_put("/proc/cmdline", "quiet noresume\n");
	made_way_back = CHECK_OK;
	ck_assert_int_eq(enable(&file), 0);
	made_check("/sys/power/resume", "0:0\n");
}
END_TEST

/* A dry run prints all that would be done, and does nothing. */
START_TEST(foretells)
{
	struct swapfile s = command();
	char text[8192], *before = made_look();

	made_put("/proc/cmdline", "resume=UUID=0-0 resume_offset=7 ro\n");
	before = (free(before), made_look());
	s.quiet = false;
	s.dry_run = true;
	capture_begin();
	ck_assert_int_eq(swapfile_enable_place(&s, &file, &w), 0);
	capture_end(text, sizeof(text));
	check_printed(text, "would write /etc/suspend.conf.d/90-swapfile.conf\n");
	check_printed(text, "    + resume device = UUID=1-2\n");
	check_printed(text, "would write /etc/fstab\n    + " LINE);
	check_printed(text, "would activate /swapfile\n");
	check_printed(text, "would run update-initramfs -u -k all\n");
	check_printed(text, "would set the kernel's resume device to /swapfile\n");
	ck_assert_ptr_nonnull(strstr(said, "remove this from the boot loader's configuration: "
					   "resume=UUID=0-0 resume_offset=7"));
	ck_assert_str_eq(made_log, "");
	check_as_before(before);
	ck_assert_int_eq(enable(&file), 0);
	/* Disabling has a dry run, too. */
	s = command();
	s.quiet = false;
	s.dry_run = true;
	before = made_look();
	capture_begin();
	ck_assert_int_eq(swapfile_do_disable(&s, &w), 0);
	capture_end(text, sizeof(text));
	check_printed(text, "would deactivate /swapfile\nwould write /etc/fstab\n    - " LINE);
	check_printed(text, "would delete " DROP_IN "\n");
	check_printed(text, "would run update-initramfs -u -k all\n");
	free(before);
}
END_TEST

/* It cannot be rebuilt here: the exact commands, and nothing is changed. */
static const struct {
	const char *path, *text;
	const char *says[2];
} foreign[] = {
	{ "/run/ostree-booted",
	  "",
	  { "rpm-ostree kargs --append=resume=UUID=1-2 --append=resume_offset=34816",
	    "/etc/fstab: /swapfile none swap defaults 0 0" } },
	{ "/usr/lib/modules/6.1/vmlinuz-virt.efi",
	  "",
	  { "a unified kernel image of its vendor", "resume=UUID=1-2 resume_offset=34816" } },
	{ "/usr/sbin/update-initramfs",
	  NULL,
	  { "/usr/lib/uswsusp/resume into it", "resume=UUID=1-2 resume_offset=34816" } },
};

START_TEST(not_ours_to_make)
{
	made_put("/proc/sys/kernel/osrelease", "6.1\n");
	made_put("/sys/firmware/efi/efivars/StubInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", "");
	made_put(foreign[_i].path, foreign[_i].text);
	ck_assert_int_eq(enable(&file), -EINVAL);
	for (int i = 0; i < 2; i++)
		ck_assert_msg(strstr(w.text, foreign[_i].says[i]) != NULL, "%s", w.text);
	made_check("/etc/fstab", FSTAB);
	made_check(DROP_IN, NULL);
}
END_TEST

/* Of a set-up of the version that edited boot loaders, what has to be removed is said. */
START_TEST(of_former_versions)
{
	made_put("/etc/fstab", "UUID=1 / ext4 defaults 0 1\nlast line\n" BEGIN LINE END);
	made_put("/etc/suspend.conf.d/other", "");
	made_put(DROP_IN, OWN "# The swap file /swapfile.\nresume device = UUID=1-2\n"
			      "resume offset = 34816\n");
	made_put("/etc/systemd/system/systemd-hibernate.service.d/90-s2disk-swap.conf", OWN "x\n");
	made_put("/etc/default/grub", "A=1\n" BEGIN "# words\nB=2\nGRUB_FORCE_PARTUUID=\n" END);
	made_put("/var/lib/s2disk/swapfile.state", "whatever\n");
	disable();
	ck_assert_str_eq(made_log, "swapoff /swapfile\n" REMADE);
	made_check("/etc/fstab", "UUID=1 / ext4 defaults 0 1\nlast line\n");
	made_check(DROP_IN, NULL);
	made_check("/etc/systemd/system/systemd-hibernate.service.d/90-s2disk-swap.conf", NULL);
	made_check("/etc/default/grub", "A=1\n" BEGIN "# words\nB=2\nGRUB_FORCE_PARTUUID=\n" END);
	ck_assert_ptr_nonnull(strstr(said, "an earlier version set this up: remove what it marked "
					   "in /etc/default/grub and"));
	ck_assert_ptr_nonnull(strstr(said, "resume= and resume_offset="));
	/* Until that is done. */
	said_clear();
	disable();
	ck_assert_ptr_nonnull(strstr(said, "and delete /var/lib/s2disk/swapfile.state"));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "swapfile_enable");

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	tcase_add_test(tcase, there_and_back);
	tcase_add_test(tcase, of_a_partition);
	tcase_add_test(tcase, for_hibernating_only);
	tcase_add_test(tcase, fstab_stands_against_it);
	tcase_add_loop_test(tcase, stays_and_goes_on, 0, (int)ARRAY_SIZE(failures));
	tcase_add_test(tcase, a_file_fails);
	tcase_add_test(tcase, tells_what_disabling_left);
	tcase_add_test(tcase, swapoff_that_fails_changes_nothing);
	tcase_add_test(tcase, another_area);
	tcase_add_test(tcase, a_line_of_the_users);
	tcase_add_test(tcase, edits_its_line);
	tcase_add_test(tcase, another_of_a_like_name);
	tcase_add_test(tcase, no_way_back);
	tcase_add_test(tcase, foretells);
	tcase_add_loop_test(tcase, not_ours_to_make, 0, (int)ARRAY_SIZE(foreign));
	tcase_add_test(tcase, of_former_versions);
}
