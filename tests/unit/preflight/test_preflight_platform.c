/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pre-flight's forecast: what is reported where the machine is known, and where
 * it is not. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "verdict/forecast.h"
#include "preflight/preflight_private.h"

#include <string.h>

static size_t no_memory; /* an allocation of that size fails */

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	return no_memory && count * size == no_memory ? NULL : __real_calloc(count, size);
}

static struct platform platform;
static struct preflight result;

static const struct check *only_check(const char *problem)
{
	const struct preflight_target target = {
		.platform = problem ? NULL : &platform,
		.platform_problem = problem,
	};
	struct preflight_context context = { .target = &target, .preflight = &result };

	result.count = 0;
	check_platform_forecast(&context);
	ck_assert_uint_eq(result.count, 1);
	return &result.checks[0];
}

static void expect(const struct check *check, const char *id, enum check_level level,
		   const char *text)
{
	ck_assert_str_eq(check->id, id);
	ck_assert_int_eq(check->level, level);
	ck_assert_msg(strstr(check->text, text) != NULL, "%s", check->text);
	ck_assert_msg(level == CHECK_OK || check->advice[0], "%s: no advice", id);
}

START_TEST(nothing_in_the_way)
{
	expect(only_check(NULL), "platform", CHECK_OK,
	       "no memory or device of this machine is expected to change");
}
END_TEST

START_TEST(certain_and_likely)
{
	struct virtio_mem device = { .device = "virtio3", .plugged = 128 << 20 };

	platform.ram.virtio.items = &device;
	platform.ram.virtio.count = 1;
	expect(only_check(NULL), "virtio-mem", CHECK_FAILED, "virtio3 has 128 MiB plugged");
	/* All of it offline. */
	device.plugged = 0;
	device.added = 256 << 20;
	expect(only_check(NULL), "virtio-mem", CHECK_FAILED, "virtio3 has 256 MiB plugged");
	platform.ram.virtio.count = 0;
	platform.guest.kind = GUEST_XEN;
	expect(only_check(NULL), "xen-kaslr", CHECK_WARNING, "");
}
END_TEST

/* What its host has not enabled. */
START_TEST(hyperv)
{
	memset(&platform.guest, 0, sizeof(platform.guest));
	platform.guest.kind = GUEST_HYPERV;
	platform.guest.hyperv_hibernation = 0;
	expect(only_check(NULL), "hyperv-s4", CHECK_WARNING, "may add memory while it runs");
	platform.guest.hyperv_hibernation = 1;
	platform.guest.balloon = 1;
	expect(only_check(NULL), "balloon", CHECK_WARNING, "may change how much memory");
	platform.guest.s4_offered = 1;
	expect(only_check(NULL), "platform", CHECK_OK, "");
	/* Of another guest nothing is said. */
	platform.guest = (struct guest){ .kind = GUEST_KVM, .balloon = 1 };
	expect(only_check(NULL), "platform", CHECK_OK, "");
}
END_TEST

/* More than there is room for: what is certain is not lost among what is likely. */
START_TEST(more_than_are_listed)
{
	struct memory_entry added[20] = { { .start = 0, .end = 0xfff } };
	struct device device = { .bus = "vmbus", .driver = "uio_hv_generic" };
	const struct preflight_target target = { .platform = &platform };
	struct preflight_context context = { .target = &target, .preflight = &result };

	memset(&platform, 0, sizeof(platform));
	platform.map.entries.items = added;
	platform.map.entries.count = ARRAY_SIZE(added);
	platform.devices.items.items = &device;
	platform.devices.items.count = 1;
	result.count = result.left_out = 0;
	check_platform_forecast(&context);
	ck_assert_uint_eq(result.count, FORECAST_MAX);
	ck_assert_uint_eq(result.left_out, ARRAY_SIZE(added) + 1 - FORECAST_MAX);
	ck_assert_int_eq(preflight_worst(&result), CHECK_FAILED);
	expect(&result.checks[FORECAST_MAX - 1], "vmbus-uio", CHECK_FAILED, "uio_hv_generic");
}
END_TEST

/* What was not looked at is not well. */
START_TEST(not_known)
{
	const struct preflight_target target = { .platform = NULL };
	struct preflight_context context = { .target = &target, .preflight = &result };

	expect(only_check("no such file"), "platform", CHECK_FAILED,
	       "cannot describe this machine: no such file");
	no_memory = sizeof(struct forecast);
	expect(only_check(NULL), "platform", CHECK_FAILED,
	       "cannot describe this machine: Cannot allocate memory");
	/* s2disk-swapfile does not ask for it. */
	result.count = 0;
	check_platform_forecast(&context);
	ck_assert_uint_eq(result.count, 0);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "preflight_platform");

	tcase_add_test(tcase, nothing_in_the_way);
	tcase_add_test(tcase, certain_and_likely);
	tcase_add_test(tcase, hyperv);
	tcase_add_test(tcase, more_than_are_listed);
	tcase_add_test(tcase, not_known);
}
