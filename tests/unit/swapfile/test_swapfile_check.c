/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-swapfile check: what it says of a made-up system, and how it ends. The
 * swap file is at page 38912 of sda2, wherever this runs. */
#include "fixtures/check_main.h"
#include "tools/swapfile/swapfile.h"

#include "base/bytes.h"
#include "fixtures/machine/made_disk.h"
#include "fixtures/capture.h"
#include "fixtures/machine/made_sysfs.h"
#include "fixtures/machine/made_tree.h"
#include "preflight/preflight.h"
#include "release/release_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define PATH "/swap/file"
#define CONFIG "resume device = \"UUID=right\"\nresume offset = 38912\n"

static int found;		 /* of finding the swap file */
static const char *looked_for;	 /* the path that was asked for */
static unsigned int unknown;	 /* keys, as they get it */
static struct preflight machine; /* what the checks of s2disk itself give */
static char problem[200];	 /* of capturing the machine, as they get it */
static bool covers;		 /* virtio-mem's driver is to be released, as they get it */

int __wrap_swapfile_find(const struct swapfile *s, struct swapfile_place *ret, struct why *w);
int __wrap_swap_area_resolve(const char *spec, uint64_t offset, bool allow_file,
			     struct swap_area *ret, struct why *w);
void __wrap_preflight_run(const struct settings *settings, const struct preflight_target *target,
			  const char *root, struct preflight *ret);

int __wrap_swapfile_find(const struct swapfile *s, struct swapfile_place *ret, struct why *w)
{
	static char path[256];

	ck_assert(s->dry_run); /* looking must not activate it */
	snprintf(path, sizeof(path), "%s", s->path);
	looked_for = path;
	if (found < 0) {
		why(w, -EINVAL, "%s: the file has holes", s->path);
		return found;
	}
	*ret = (struct swapfile_place){ .device = "UUID=right", .offset = "38912" };
	snprintf(ret->path, sizeof(ret->path), "%s", s->path);
	ret->area = (struct swap_area){
		.device = "/dev/sda2",
		.dev = makedev(8, 2),
		.offset = 38912,
		.file = true,
	};
	return 0;
}

int __wrap_swap_area_resolve(const char *spec, uint64_t offset, bool allow_file,
			     struct swap_area *ret, struct why *w)
{
	static const struct {
		const char *spec;
		unsigned int minor;
	} devices[] = { { "UUID=right", 2 }, { "/dev/sda2", 2 }, { PATH, 2 }, { "UUID=other", 3 } };

	(void)allow_file;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		if (strcmp(devices[i].spec, spec) != 0)
			continue;
		*ret = (struct swap_area){ .dev = makedev(8, devices[i].minor), .offset = offset };
		if (strcmp(spec, PATH) == 0)
			ret->offset = 38912;
		return 0;
	}
	return why(w, -ENODEV, "%s: no device has it", spec);
}

void __wrap_preflight_run(const struct settings *settings, const struct preflight_target *target,
			  const char *root, struct preflight *ret)
{
	unknown = settings->unknown.count;
	ck_assert_uint_eq(target->area->offset, 38912);
	ck_assert_str_eq(root, made_root);
	ck_assert((target->platform == NULL) == (target->platform_problem != NULL));
	snprintf(problem, sizeof(problem), "%s", target->platform ? "" : target->platform_problem);
	covers = release_plan_covers_driver(target->release, root, "virtio", "virtio_mem");
	*ret = machine;
}

static void add_to_machine(const char *id, enum check_level level, const char *text)
{
	struct check *check = &machine.checks[machine.count++];

	*check = (struct check){ .id = id, .level = level };
	snprintf(check->text, sizeof(check->text), "%s", text);
}

/* Where all is well. */
static void setup(void)
{
	made_create();
	made_active = true;
	found = 0;
	looked_for = NULL;
	machine.count = 0;
	add_to_machine("memory", CHECK_OK, "there is memory enough");
	made_put("/etc/suspend.conf", CONFIG);
	made_program("/usr/sbin/update-initramfs");
	made_put("/etc/fstab", PATH " none swap sw 0 0\n");
	made_put("/etc/suspend.conf.d/90-swapfile.conf",
		 "# Written by s2disk-swapfile; \"s2disk-swapfile disable\" takes it away.\n"
		 "# The swap file " PATH ".\nresume device = UUID=right\nresume offset = 38912\n");
	made_device("8:2", "sda2", "partition", "2\n");
}

static struct swapfile command(const char *path)
{
	return (struct swapfile){ .root = made_root, .path = path };
}

/* What it says, at an exit that must be this one. */
static const char *check_says(const char *path, int outcome)
{
	static char text[16384];
	struct swapfile s = command(path);
	struct why w = { "" };
	int ended;

	capture_begin();
	ended = swapfile_do_check(&s, &w);
	capture_end(text, sizeof(text));
	ck_assert_msg(ended == outcome, "%d, not %d: %s\n%s", ended, outcome, w.text, text);
	ck_assert_str_eq(w.text, ""); /* all is in the list */
	ck_assert_str_eq(made_log, "");
	return text;
}

/* One check of the list: its level in words, and words of its own. */
static void check_line(const char *text, const char *level, const char *words)
{
	const char *at = strstr(text, words);
	char line[1024];

	ck_assert_msg(at != NULL, "no '%s' in:\n%s", words, text);
	while (at > text && at[-1] != '\n')
		at--;
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
	ck_assert_msg(strncmp(line, level, strlen(level)) == 0, "'%s' is not %s", line, level);
}

START_TEST(all_is_well)
{
	const char *text = check_says(PATH, 0);

	check_line(text, "ok", "the system is set up for " PATH);
	check_line(text, "ok", "there is memory enough");
	check_not_printed(text, "warning");
}
END_TEST

/* Which file is meant, when none is named. */
START_TEST(which_file)
{
	struct swapfile s = command(NULL);
	struct why w = { "" };

	/* By the marks. */
	check_says(NULL, 0);
	ck_assert_str_eq(looked_for, PATH);
	looked_for = NULL;
	made_put("/etc/suspend.conf.d/90-swapfile.conf", NULL);
	ck_assert_int_eq(swapfile_do_check(&s, &w), -EINVAL);
	check_printed(w.text, "no swap area is enabled; name one");
	ck_assert_ptr_null(looked_for);
	made_put("/etc/suspend.conf", CONFIG "swap on demand = /on/demand\n");
	check_says(NULL, 0);
	ck_assert_str_eq(looked_for, "/on/demand");
}
END_TEST

/* An unsuitable file: nothing else is checked. */
START_TEST(bad_file)
{
	const char *text;

	found = -EINVAL;
	text = check_says(PATH, 1);
	check_line(text, "failed", PATH ": the file has holes");
	check_printed(text, "s2disk-swapfile create --enable PATH");
	check_not_printed(text, "ok  ");
	found = -EIO;
	check_says(PATH, 1);
}
END_TEST

static const struct {
	const char *config, *level, *words;
	int outcome;
} configurations[] = {
	{ "", "warning", "the system is not set up for " PATH, 0 },
	{ "resume device = /dev/sda2\nresume offset = 38912\n", "warning", "is not set up for", 0 },
	{ "resume device = " PATH "\n", "warning", "is not set up for " PATH, 0 },
	/* It moved, or another one was meant. */
	{ "resume device = UUID=right\nresume offset = 38911\n", "failed",
	  "but " PATH " is at UUID=right, page 38912", 1 },
	{ "resume device = UUID=right\n", "failed", "\"resume device = UUID=right\" (", 1 },
	{ "resume device = UUID=other\nresume offset = 38912\n", "failed",
	  "but " PATH " is at UUID=right", 1 },
	{ "resume device = UUID=gone\nresume offset = 38912\n", "failed",
	  "but " PATH " is at UUID=right", 1 },
};

START_TEST(configuration)
{
	made_put("/etc/suspend.conf.d/90-swapfile.conf", NULL);
	made_put("/etc/suspend.conf", configurations[_i].config);
	check_line(check_says(PATH, configurations[_i].outcome), configurations[_i].level,
		   configurations[_i].words);
}
END_TEST

/* Enabling again would not help. */
START_TEST(last_word)
{
	const char *text;

	made_put("/etc/suspend.conf.d/99-local.conf", "resume device = UUID=other\n");
	text = check_says(PATH, 1);
	check_printed(text, "/etc/suspend.conf.d/99-local.conf:1), but " PATH " is at");
	check_printed(text, "if another file names it, remove it there first");
}
END_TEST

START_TEST(broken_configuration)
{
	struct swapfile s = command(PATH);
	struct why w = { "" };

	made_put("/etc/suspend.conf", "resume offset = many\n");
	ck_assert_int_eq(swapfile_do_check(&s, &w), -EINVAL);
	check_printed(w.text, "many");
	ck_assert_ptr_null(looked_for);
}
END_TEST

/* Something that enabling does is not there any more. */
START_TEST(not_set_up)
{
	const char *text;

	made_put("/etc/fstab", "");
	text = check_says(PATH, 0);
	check_line(text, "warning", "the system is not set up for " PATH);
	check_printed(text, "s2disk-swapfile enable " PATH);
	/* Looking changed nothing. */
	made_check("/etc/fstab", "");
	made_put("/etc/fstab", PATH " none swap sw 0 0\n");
	made_put("/usr/sbin/update-initramfs", NULL);
	check_line(check_says(PATH, 0), "warning", "initramfs is not made here");
	made_program("/usr/sbin/update-initramfs");
	made_put("/etc/fstab", "# s2disk-swapfile end\n");
	check_line(check_says(PATH, 0), "warning", "/etc/fstab was edited at the marks");
}
END_TEST

/* The checks of s2disk itself count as well. */
START_TEST(machine_fails)
{
	const char *text;

	add_to_machine("method", CHECK_FAILED, "this kernel cannot do that");
	add_to_machine("mounted", CHECK_WARNING, "that may go wrong");
	text = check_says(PATH, 1);
	check_line(text, "ok", "there is memory enough");
	check_line(text, "failed", "this kernel cannot do that");
	check_line(text, "warning", "that may go wrong");
	ck_assert_uint_eq(unknown, 0);
	made_put("/etc/suspend.conf", CONFIG "enrypt = y\n");
	check_says(PATH, 1);
	ck_assert_uint_eq(unknown, 1);
	machine.count = 0;
	while (machine.count < PREFLIGHT_MAX)
		add_to_machine("more", CHECK_OK, "one of many");
	text = check_says(PATH, 0);
	check_printed(text, "one of many");
	check_printed(text, "1 more check was not shown");
	/* However many they are, a failure is not lost. */
	machine.count--;
	add_to_machine("late", CHECK_FAILED, "the last of many");
	machine.left_out = 3;
	text = check_says(PATH, 1);
	check_line(text, "failed", "the last of many");
	machine.left_out = 0;
}
END_TEST

/* What s2disk would release fails no check. */
START_TEST(released)
{
	check_says(PATH, 0);
	ck_assert_str_eq(problem, "");
	ck_assert(!covers);
	made_put("/proc/self/mountinfo", "36 1 8:2 / / rw - ext4 /dev/sda2 rw\n");
	made_put("/proc/swaps", "Filename Type Size Used Priority\n");
	add_device("virtio", "virtio3", "/sys/devices/virtio3", "virtio_mem");
	made_put("/sys/devices/virtio3/device", "0x0018\n");
	check_says(PATH, 0);
	ck_assert_str_eq(problem, "");
	ck_assert(covers);
	made_put("/sys/firmware/memmap/0/start", "nonsense\n");
	check_says(PATH, 0);
	ck_assert_str_ne(problem, "");
}
END_TEST

START_TEST(as_json)
{
	struct swapfile s = command(PATH);
	struct why w = { "" };
	char text[16384];

	made_put("/etc/fstab", "");
	s.use_json = true;
	capture_begin();
	ck_assert_int_eq(swapfile_do_check(&s, &w), 0);
	capture_end(text, sizeof(text));
	check_printed(text, "\"id\": \"set-up\",\n      \"level\": \"warning\"");
	check_printed(text, "\"advice\": \"s2disk-swapfile enable " PATH "\"");
	check_printed(text, "\"advice\": null");
	check_printed(text, "\"result\": \"warning\"");
	check_not_printed(text, "This machine");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "swapfile_check");

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	tcase_add_test(tcase, all_is_well);
	tcase_add_test(tcase, which_file);
	tcase_add_test(tcase, bad_file);
	tcase_add_loop_test(tcase, configuration, 0, (int)ARRAY_SIZE(configurations));
	tcase_add_test(tcase, last_word);
	tcase_add_test(tcase, broken_configuration);
	tcase_add_test(tcase, not_set_up);
	tcase_add_test(tcase, machine_fails);
	tcase_add_test(tcase, released);
	tcase_add_test(tcase, as_json);
}
