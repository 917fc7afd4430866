/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "No hibernation without a way back", on made-up systems. */
#include "boot/initramfs.h"
#include "made_initramfs.h"
#include "made_root.h"
#include "preflight.h"
#include "preflight_checks.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

static struct settings settings;
static struct swap_area area;
static struct preflight result;

/* /dev/vda2 and UUID=2 are one device, /dev/vda1 and UUID=1 another. */
static int pretend_resolve(const char *spec, uint64_t offset, bool allow_file,
			   struct swap_area *ret, struct why *w)
{
	char last = spec[strlen(spec) - 1];

	ck_assert(!allow_file); /* an initramfs has mounted nothing */
	if (last != '1' && last != '2')
		return why(w, -ENODEV, "%s: no such device", spec);
	*ret = (struct swap_area){ .dev = makedev(254, last == '1' ? 1 : 2), .offset = offset };
	return 0;
}

static const struct preflight_system made_system = { .resolve = pretend_resolve };

#define GRUB(arguments)                                                               \
	"set default=\"0\"\nmenuentry 'Debian' {\n\tlinux /vmlinuz-6.1 ro " arguments \
	"\n\tinitrd /initrd.img-6.1\n}\n"

static const char resume[] = "ELF " INITRAMFS_RESUME_MARK;

/* In pairs of name and text; what is asked for may come behind. */
static void put_initramfs(const char *name, const char *text, const char *name2, const char *text2)
{
	const char *const files[] = { "usr/lib/uswsusp/resume",
				      resume,
				      "scripts/local-premount/s2disk",
				      "#!/bin/sh",
				      name,
				      text,
				      name2,
				      text2,
				      NULL };
	char full[128];

	snprintf(full, sizeof(full), "%s/boot/initrd.img-6.1", made_root);
	made_initramfs(full, "gzip -c", files);
}

static void make(void)
{
	struct utsname uts;

	made_root_create();
	uname(&uts);
	made_put("/proc/sys/kernel/osrelease", uts.release);
	settings_defaults(&settings);
	area = (struct swap_area){ .dev = makedev(254, 2) };
	strcpy(area.name, "/dev/vda2");
	strcpy(area.device, "/dev/vda2");
	made_folder("/run");
	made_put("/boot/grub/grub.cfg", GRUB("resume=UUID=2"));
	put_initramfs(NULL, NULL, NULL, NULL);
}

static void look(void)
{
	const struct preflight_target target = { .area = &area };
	struct preflight_context context = { .system = &made_system,
					     .settings = &settings,
					     .target = &target,
					     .root = made_root,
					     .preflight = &result };

	result.count = 0;
	check_way_back(&context);
}

static void expect(enum check_level level, const char *text, const char *advice)
{
	const struct check *check = &result.checks[0];

	look();
	ck_assert_uint_eq(result.count, 1);
	ck_assert_str_eq(check->id, "way-back");
	ck_assert_msg(check->level == level, "level %d: %s", (int)check->level, check->text);
	ck_assert_msg(strstr(check->text, text) != NULL, "text: %s", check->text);
	ck_assert_msg(strstr(check->advice, advice) != NULL, "advice: %s", check->advice);
	ck_assert(level == CHECK_OK || check->advice[0]);
	ck_assert_uint_lt(strlen(check->text), sizeof(check->text) - 1);
	ck_assert_uint_lt(strlen(check->advice), sizeof(check->advice) - 1);
}

#define AROUND "-P \"way back = warn\""

START_TEST(sees_the_way)
{
	char command[512];

	expect(CHECK_OK, "resume is in /boot/initrd.img-6.1", "");
	expect(CHECK_OK, "will look at UUID=2", "");
	/* The kernel was updated: what counts is what starts next. */
	expect(CHECK_OK, "of another kernel than the running one", "");
	/* Nobody can tell from this name. */
	snprintf(command, sizeof(command),
		 "mv %s/boot/initrd.img-6.1 %s/boot/initramfs-linux.img; "
		 "sed -i s/initrd.img-6.1/initramfs-linux.img/ %s/boot/grub/grub.cfg",
		 made_root, made_root, made_root);
	ck_assert_int_eq(system(command), 0);
	expect(CHECK_OK, "resume is in /boot/initramfs-linux.img and will look", "");
}
END_TEST

START_TEST(wants_resume)
{
	const char *const empty[] = { "bin/sh", "x", NULL };
	char full[128];

	snprintf(full, sizeof(full), "%s/boot/initrd.img-6.1", made_root);
	made_initramfs(full, "gzip -c", empty);
	expect(CHECK_FAILED, "resume is not in /boot/initrd.img-6.1", AROUND);
	made_put_mode("/usr/sbin/update-initramfs", "", 0755);
	expect(CHECK_FAILED, "", "update-initramfs -u -k all");
}
END_TEST

START_TEST(wants_our_resume)
{
	const char *const other[] = { "usr/lib/uswsusp/resume", "ELF of uswsusp",
				      "scripts/local-premount/s2disk", "x", NULL };
	const char *const unused[] = { "usr/lib/uswsusp/resume", resume, NULL };
	char full[128];

	snprintf(full, sizeof(full), "%s/boot/initrd.img-6.1", made_root);
	made_initramfs(full, "gzip -c", other);
	made_put_mode("/usr/bin/dracut", "", 0755);
	expect(CHECK_FAILED, "another program's or of another version", "dracut --force");
	made_initramfs(full, "gzip -c", unused);
	expect(CHECK_WARNING, "nothing that is known to run it", "way back = ignore");
}
END_TEST

START_TEST(is_told_otherwise)
{
	made_put("/boot/grub/grub.cfg", GRUB("resume=UUID=1"));
	expect(CHECK_FAILED, "will look at UUID=1", AROUND);
	settings.way_back = WAY_BACK_WARN;
	expect(CHECK_WARNING, "will look at UUID=1", "correct");
	ck_assert_ptr_null(strstr(result.checks[0].advice, AROUND));
	settings.way_back = WAY_BACK_IGNORE;
	expect(CHECK_OK, "not looked at", "");
	settings.way_back = WAY_BACK_REQUIRE;
	/* It wakes from memory as a rule. */
	settings.method = METHOD_SUSPEND;
	expect(CHECK_WARNING, "will look at UUID=1", "correct");
	strcpy(settings.test_file, "/dev/sdz");
	look();
	ck_assert_uint_eq(result.count, 0);
}
END_TEST

START_TEST(compares_device_and_offset)
{
	made_put("/boot/grub/grub.cfg", GRUB("resume=/dev/vda2 resume_offset=34816"));
	expect(CHECK_FAILED,
	       "page 34816 (resume= on the kernel command line), but the image would "
	       "go to /dev/vda2, page 0",
	       "");
	area.offset = 34816;
	expect(CHECK_OK, "will look at /dev/vda2, page 34816", "");
	made_put("/boot/grub/grub.cfg", GRUB("resume=/dev/vda2 resume_offset=x"));
	expect(CHECK_FAILED, "resume_offset=x on the kernel command line is not a number", "");
	made_put("/boot/grub/grub.cfg", GRUB("resume=UUID=7"));
	expect(CHECK_FAILED, "of no use: UUID=7: no such device", "");
}
END_TEST

/* It wins over the command line, as it will in the initramfs. */
START_TEST(reads_the_configuration_there)
{
	put_initramfs("etc/suspend.conf", "resume device = /dev/vda1\n", NULL, NULL);
	expect(CHECK_FAILED, "will look at /dev/vda1, page 0 (configuration in the initramfs)", "");
	put_initramfs("etc/suspend.conf", "resume device = /dev/vda1\n",
		      "etc/suspend.conf.d/a.conf", "resume device = /dev/vda2\n");
	expect(CHECK_OK, "will look at /dev/vda2", "");
	/* Drop-ins of the other file are not read. */
	put_initramfs("etc/suspend.conf", "resume device = /dev/vda1\n",
		      "etc/uswsusp.conf.d/a.conf", "resume device = /dev/vda2\n");
	expect(CHECK_FAILED, "/dev/vda1", "");
	put_initramfs("etc/uswsusp.conf", "resume device = /dev/vda2\n", NULL, NULL);
	expect(CHECK_OK, "/dev/vda2", "");
	put_initramfs("etc/suspend.conf", "mismatch retries = many\n", NULL, NULL);
	expect(CHECK_FAILED, "etc/suspend.conf:1: ", "/etc/suspend.conf");
}
END_TEST

START_TEST(follows_what_the_generator_chose)
{
	made_put("/boot/grub/grub.cfg", GRUB("quiet"));
	expect(CHECK_FAILED, "nothing will tell resume in the next boot where the image is", "");
	put_initramfs("conf/conf.d/resume", "# made\nRESUME=\"UUID=2\"\n", NULL, NULL);
	expect(CHECK_OK, "will look at UUID=2", "");
	put_initramfs("conf/conf.d/resume", "RESUME=UUID=2\n", "conf/conf.d/zz-auto",
		      "RESUME=UUID=1");
	expect(CHECK_FAILED, "will look at UUID=1", "");
	put_initramfs("conf/conf.d/resume", "RESUME=none\n", NULL, NULL);
	expect(CHECK_FAILED, "nothing will tell", "");
}
END_TEST

#define KEY "0123456789abcdef0123456789abcdef"

static void chmod_initramfs(unsigned int mode)
{
	char full[128];

	snprintf(full, sizeof(full), "%s/boot/initrd.img-6.1", made_root);
	ck_assert_int_eq(chmod(full, mode), 0);
}

START_TEST(wants_the_key_file_there)
{
	const char *const conf = "encrypt = y\nkey file = /etc/image.key\n";

	settings.encrypt = true;
	strcpy(settings.key_file, "/etc/image.key");
	made_put("/etc/image.key", KEY);
	made_put_mode("/usr/sbin/update-initramfs", "", 0755);
	expect(CHECK_FAILED,
	       "only a key file opens the image, and /etc/image.key is not named by the "
	       "configuration in /boot/initrd.img-6.1",
	       "update-initramfs -u -k all; or have a passphrase");
	put_initramfs("etc/suspend.conf", conf, NULL, NULL);
	expect(CHECK_FAILED, "/etc/image.key is not in /boot/initrd.img-6.1",
	       "\"key file in initramfs = y\"");
	put_initramfs("etc/suspend.conf", conf, "etc/image.key", KEY "!");
	expect(CHECK_FAILED, "/etc/image.key is not the same as that in", AROUND);
	put_initramfs("etc/suspend.conf", conf, "etc/image.key", KEY);
	chmod_initramfs(0600);
	expect(CHECK_OK, "will look at UUID=2", "");
	/* Of two, one is enough. */
	strcpy(settings.key_file, "/etc/other.key /etc/image.key");
	expect(CHECK_OK, "will look at UUID=2", "");
}
END_TEST

START_TEST(needs_no_key_file_there)
{
	settings.encrypt = true;
	strcpy(settings.key_file, "/etc/image.key");
	/* Somebody can be asked. */
	settings.passphrase_set = settings.passphrase = true;
	expect(CHECK_OK, "will look at UUID=2", "");
	settings.passphrase = false;
	strcpy(settings.key_pair, "/etc/pair");
	expect(CHECK_OK, "will look at UUID=2", "");
	/* A tool puts it there at boot. */
	settings.key_pair[0] = '\0';
	strcpy(settings.key_file, "/run/key");
	put_initramfs("etc/suspend.conf", "key file = /run/key\n", NULL, NULL);
	expect(CHECK_OK, "will look at UUID=2", "");
	/* Not sealed at all. */
	settings.encrypt = false;
	strcpy(settings.key_file, "/etc/image.key");
	expect(CHECK_OK, "will look at UUID=2", "");
}
END_TEST

START_TEST(warns_of_readers_of_the_key)
{
	settings.encrypt = true;
	strcpy(settings.key_file, "/etc/image.key");
	made_put("/etc/image.key", KEY);
	put_initramfs("etc/suspend.conf", "key file = /etc/image.key\n", "etc/image.key", KEY);
	chmod_initramfs(0644);
	look();
	ck_assert_uint_eq(result.count, 2);
	ck_assert_int_eq(result.checks[0].level, CHECK_WARNING);
	ck_assert_ptr_nonnull(strstr(result.checks[0].text, "can be read by others"));
	ck_assert_ptr_nonnull(strstr(result.checks[0].advice, "chmod 600 /boot/initrd.img-6.1"));
	ck_assert_int_eq(result.checks[1].level, CHECK_OK);
}
END_TEST

START_TEST(sees_noresume)
{
	made_put("/boot/grub/grub.cfg", GRUB("resume=UUID=2 noresume"));
	expect(CHECK_FAILED, "noresume", "which is now in /boot/grub/grub.cfg");
	made_put("/boot/grub/grub.cfg", GRUB("resume=UUID=2 hibernate=noresume"));
	expect(CHECK_FAILED, "noresume", "");
}
END_TEST

START_TEST(sees_the_systems_own_hook)
{
	put_initramfs("scripts/local-premount/resume", "#!/bin/sh", NULL, NULL);
	expect(CHECK_OK, "the system's own hook for the kernel's images is there too", "");
}
END_TEST

/* systemd in the initramfs starts its unit for resume= only. */
START_TEST(knows_what_the_unit_needs)
{
	const char *const files[] = {
		"usr/lib/uswsusp/resume",
		resume,
		"usr/lib/systemd/system/systemd-hibernate-resume@.service.d/50-s2disk.conf",
		"x",
		"etc/suspend.conf",
		"resume device = /dev/vda2\n",
		NULL
	};
	char full[128];

	snprintf(full, sizeof(full), "%s/boot/initrd.img-6.1", made_root);
	made_initramfs(full, "gzip -c", files);
	expect(CHECK_OK, "/dev/vda2", "");
	made_put("/boot/grub/grub.cfg", GRUB("quiet"));
	expect(CHECK_FAILED, "no resume= on its command line", "add resume=");
}
END_TEST

START_TEST(warns_where_it_cannot_tell)
{
	char full[128];

	made_put("/boot/grub/grub.cfg", "set default=0\nmenuentry 'x' {\nlinux /vmlinuz ro\n}\n");
	expect(CHECK_FAILED, "has no initramfs", "");
	made_put("/boot/grub/grub.cfg", GRUB("resume=UUID=2"));
	made_put("/boot/initrd.img-6.1", "no cpio");
	expect(CHECK_WARNING, "could not be seen: /boot/initrd.img-6.1: ", "way back = ignore");
	snprintf(full, sizeof(full), "%s/boot/initrd.img-6.1", made_root);
	ck_assert_int_eq(remove(full), 0);
	expect(CHECK_WARNING, "/initrd.img-6.1, which /boot/grub/grub.cfg names, was not found",
	       "");
	made_put("/boot/grub/grub.cfg", "");
	expect(CHECK_WARNING, "could not be seen: neither the configuration of a boot loader", "");
}
END_TEST

/* Without a boot loader that is known, this boot is taken for the next. */
START_TEST(only_warns_where_it_guesses)
{
	struct utsname uts;
	char path[256];

	uname(&uts);
	snprintf(path, sizeof(path), "mv %s/boot/initrd.img-6.1 %s/boot/initrd.img-%s", made_root,
		 made_root, uts.release);
	ck_assert_int_eq(system(path), 0);
	made_put("/boot/grub/grub.cfg", "");
	made_put("/proc/cmdline", "resume=UUID=2\n");
	expect(CHECK_OK, "will look at UUID=2", "");
	ck_assert_ptr_null(strstr(result.checks[0].text, "another kernel"));
	made_put("/proc/cmdline", "resume=UUID=1\n");
	expect(CHECK_WARNING, "will look at UUID=1", "");
}
END_TEST

START_TEST(leaves_it_to_others_without_an_area)
{
	const struct preflight_target target = { .area_problem = "none" };
	struct preflight_context context = { .system = &made_system,
					     .settings = &settings,
					     .target = &target,
					     .root = made_root,
					     .preflight = &result };

	result.count = 0;
	check_way_back(&context);
	ck_assert_uint_eq(result.count, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("preflight_way_back");
	TCase *test = tcase_create("way_back");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(test, make, made_root_remove);
	tcase_set_timeout(test, 60);
	tcase_add_test(test, sees_the_way);
	tcase_add_test(test, wants_resume);
	tcase_add_test(test, wants_our_resume);
	tcase_add_test(test, is_told_otherwise);
	tcase_add_test(test, compares_device_and_offset);
	tcase_add_test(test, reads_the_configuration_there);
	tcase_add_test(test, follows_what_the_generator_chose);
	tcase_add_test(test, wants_the_key_file_there);
	tcase_add_test(test, needs_no_key_file_there);
	tcase_add_test(test, warns_of_readers_of_the_key);
	tcase_add_test(test, sees_noresume);
	tcase_add_test(test, sees_the_systems_own_hook);
	tcase_add_test(test, knows_what_the_unit_needs);
	tcase_add_test(test, warns_where_it_cannot_tell);
	tcase_add_test(test, only_warns_where_it_guesses);
	tcase_add_test(test, leaves_it_to_others_without_an_area);
	suite_add_tcase(suite, test);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
