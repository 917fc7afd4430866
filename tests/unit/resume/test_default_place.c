/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The default area in an initramfs: what is written, and what is read. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "resume/default_place.h"
#include "fixtures/machine/made_root.h"
#include "swap/area_name.h"
#include "swap/device_stack.h"
#include "config/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	int find, check; /* results */
	uint64_t offset;
	const char *name;
} machine;

static char text[600];

int __wrap_area_name(const char *root, dev_t dev, const char *device, char *buffer, size_t size,
		     struct why *w);
int __wrap_target_find(const struct settings *settings, const char *root, bool running,
		       struct swap_area *ret, struct why *w);
int __wrap_device_stack_read(const char *root, dev_t dev, struct device_stack *ret, struct why *w);
int __wrap_device_stack_check(const char *root, const struct device_stack *stack, struct why *w);

int __wrap_target_find(const struct settings *settings, const char *root, bool running,
		       struct swap_area *ret, struct why *w)
{
	(void)settings;
	ck_assert_str_eq(root, made_root);
	ck_assert(running);
	*ret = (struct swap_area){ .dev = 77, .offset = machine.offset };
	snprintf(ret->device, sizeof(ret->device), "/dev/sda2");
	return machine.find < 0 ? why(w, machine.find, "no area") : 0;
}

int __wrap_device_stack_read(const char *root, dev_t dev, struct device_stack *ret, struct why *w)
{
	(void)root;
	(void)w;
	ck_assert_uint_eq(dev, 77);
	ret->count = 1;
	return 0;
}

int __wrap_device_stack_check(const char *root, const struct device_stack *stack, struct why *w)
{
	(void)root;
	(void)stack;
	return machine.check < 0 ? why(w, machine.check, "a random key") : 0;
}

int __wrap_area_name(const char *root, dev_t dev, const char *device, char *buffer, size_t size,
		     struct why *w)
{
	(void)w;
	ck_assert_str_eq(root, made_root);
	ck_assert_uint_eq(dev, 77);
	ck_assert_str_eq(device, "/dev/sda2");
	snprintf(buffer, size, "%s", machine.name);
	return 0;
}

static void begin(void)
{
	made_root_create();
	memset(&machine, 0, sizeof(machine));
	made_put("/proc/cmdline", "quiet\n");
	machine.name = "UUID=5d15";
}

static int print(const char *device)
{
	struct settings settings = { 0 };

	snprintf(settings.resume_device, sizeof(settings.resume_device), "%s", device);
	text[0] = '\0';
	return default_place_print(&settings, made_root, text, sizeof(text), NULL);
}

START_TEST(prints_lasting_names)
{
	ck_assert_int_eq(print(""), 0);
	ck_assert_str_eq(text, "RESUME=UUID=5d15\n");
	machine.offset = 38912;
	ck_assert_int_eq(print(""), 0);
	ck_assert_str_eq(text, "RESUME=UUID=5d15\nRESUME_OFFSET=38912\n");
	machine.offset = 0;
	machine.name = "/dev/mapper/vg-swap";
	ck_assert_int_eq(print(""), 0);
	ck_assert_str_eq(text, "RESUME=/dev/mapper/vg-swap\n");
	/* This may be another device at the next boot. */
	machine.name = "/dev/sda2";
	text[0] = '\0';
	ck_assert_int_eq(print(""), -EOPNOTSUPP);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(prints_nothing)
{
	ck_assert_int_eq(print("/dev/x"), -ENOENT);
	made_put("/proc/cmdline", "resume=/dev/x\n");
	ck_assert_int_eq(print(""), -ENOENT);
	made_put("/proc/cmdline", "quiet\n");
	machine.check = -EOPNOTSUPP;
	ck_assert_int_eq(print(""), -EOPNOTSUPP);
	machine.find = -ENOTUNIQ;
	ck_assert_int_eq(print(""), -ENOTUNIQ);
	ck_assert_str_eq(text, "");
}
END_TEST

static const struct {
	const char *file, *device;
	uint64_t offset;
} files[] = {
	{ "RESUME=UUID=1\n", "UUID=1", 0 },
	{ "RESUME=UUID=1\nRESUME_OFFSET=7\n", "UUID=1", 7 },
	{ "RESUME_OFFSET=7\nOTHER=x\nRESUME=/dev/mapper/a", "/dev/mapper/a", 7 },
	{ NULL, "before", 3 },
	{ "", "before", 3 },
	{ "RESUME=\nRESUME_OFFSET=7\n", "before", 3 },
	{ "RESUME=UUID=1\nRESUME_OFFSET=x\n", "before", 3 },
	{ "RESUME_OFFSET=7\n", "before", 3 },
};

START_TEST(reads)
{
	struct settings settings = { .default_device = "before", .default_offset = 3 };
	char large[600];

	made_put("/conf/conf.d/s2disk", files[_i].file);
	default_place_read(made_root, &settings);
	ck_assert_str_eq(settings.default_device, files[_i].device);
	ck_assert_uint_eq(settings.default_offset, files[_i].offset);
	/* Longer than any name. */
	snprintf(large, sizeof(large), "RESUME=%0300d\n", 1);
	made_put("/conf/conf.d/s2disk", large);
	default_place_read(made_root, &settings);
	ck_assert_str_eq(settings.default_device, files[_i].device);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "default_place");

	tcase_add_checked_fixture(tcase, begin, made_root_remove);
	tcase_add_test(tcase, prints_lasting_names);
	tcase_add_test(tcase, prints_nothing);
	tcase_add_loop_test(tcase, reads, 0, (int)ARRAY_SIZE(files));
}
