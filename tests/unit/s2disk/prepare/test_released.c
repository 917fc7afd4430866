/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk releases before it freezes: what is logged, and what is known afterwards. */
#include "fixtures/check_main.h"
#include "fixtures/capture.h"
#include "fixtures/machine/made_root.h"
#include "fixtures/said.h"
#include "release/release.h"
#include "s2disk/prepare/released.h"
#include "ui/abort_watch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/wait.h>
#include <unistd.h>

int __wrap_release_take(const char *root, struct release_plan *plan,
			const struct release_watch *watch, struct why *w);
void __wrap_release_give(const char *root, struct release_plan *plan,
			 const struct release_here *here, const struct release_watch *watch);
int __wrap_release_plan_make(const char *root, const struct platform *platform,
			     const struct release_config *config, struct release_plan *ret);
int __real_release_plan_make(const char *root, const struct platform *platform,
			     const struct release_config *config, struct release_plan *ret);
int __wrap_nanosleep(const struct timespec *time, struct timespec *rest);

static int take_error;
static bool with_signal, breaks; /* breaks: the memory map */
static unsigned int sleeps, plugged_for;
static struct {
	unsigned int calls;
	bool restarted, map;
} given;

static struct release_plan plan;
static struct settings settings;
static struct platform_section section;
static struct why w;

/* What has changed when it is planned again. */
static struct {
	unsigned int calls;
	int error;
	const char *blocked; /* all of it */
	bool needed, real;
	pid_t waiting;
} again;

int __wrap_release_take(const char *root, struct release_plan *all,
			const struct release_watch *watch, struct why *why_not)
{
	ck_assert_str_eq(root, made_root);
	if (with_signal)
		raise(SIGTERM);
	if (breaks)
		made_put("/sys/firmware/memmap/0/start", "nonsense\n");
	if (watch->stop(watch->context))
		return why(why_not, -ECANCELED, "interrupted");
	for (size_t i = 0; i < all->entries.count; i++) {
		watch->report(watch->context, RELEASE_TAKEN, &all->entries.items[i], "");
		all->entries.items[i].taken = true;
	}
	return take_error < 0 ? why(why_not, take_error, "it does not go") : 0;
}

void __wrap_release_give(const char *root, struct release_plan *all,
			 const struct release_here *here, const struct release_watch *watch)
{
	struct release_entry *entries = all->entries.items;

	ck_assert_str_eq(root, made_root);
	given.calls++;
	given.restarted = here->restarted;
	given.map = here->map && memory_map_type_at(here->map, 0x1000) == MEMORY_RAM;
	watch->report(watch->context, RELEASE_GIVEN, &entries[0], "");
	watch->report(watch->context, RELEASE_NOT_TAKEN, &entries[0], "it is in use");
	watch->report(watch->context, RELEASE_NOT_GIVEN, &entries[0], "it is broken");
	watch->report(watch->context, RELEASE_GONE, &entries[1], "it is not there any more");
	watch->report(watch->context, RELEASE_GONE, &entries[2], "it is not there any more");
	watch->report(watch->context, RELEASE_GIVEN, &entries[2], "");
	watch->report(watch->context, RELEASE_NOT_GIVEN, &entries[2], "it is not known");
	watch->report(watch->context, RELEASE_NOT_TAKEN, &entries[2], "it cannot be moved");
	entries[2].needed = true;
	watch->report(watch->context, RELEASE_NOT_TAKEN, &entries[1], "it cannot be moved");
	watch->report(watch->context, RELEASE_NOT_TAKEN, &entries[2], "it is needed");
	entries[2].needed = false;
}

int __wrap_release_plan_make(const char *root, const struct platform *platform,
			     const struct release_config *config, struct release_plan *ret)
{
	if (again.real)
		return __real_release_plan_make(root, platform, config, ret);
	ck_assert_str_eq(root, made_root);
	ck_assert_ptr_eq(platform, &section.platform);
	ck_assert_ptr_eq(config, &settings.release);
	ck_assert_uint_gt(platform->ram.used.count, 0);
	again.calls++;
	for (size_t i = 0; again.error == 0 && i < plan.entries.count; i++) {
		struct release_entry entry = plan.entries.items[i];

		if (again.blocked) {
			strcpy(entry.blocked, again.blocked);
			entry.needed = again.needed;
			entry.waiting = i == 0 ? again.waiting : 0;
		}
		ck_assert_int_eq(list_append(&ret->entries, entry), 0);
	}
	return again.error;
}

static void memory(bool plugged)
{
	made_put("/proc/iomem", plugged ? "00100000-1fffffff : System RAM\n"
					  "100000000-13fffffff : virtio3\n"
					  "  100000000-107ffffff : System RAM (virtio_mem)\n"
					: "00100000-1fffffff : System RAM\n"
					  "100000000-13fffffff : virtio3\n");
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *rest)
{
	(void)time, (void)rest;
	if (++sleeps >= plugged_for)
		memory(false);
	usleep(1000);
	return 0;
}

static void add(enum release_kind kind, const char *what, unsigned int group)
{
	struct release_entry entry = { .kind = kind,
				       .group = group,
				       .bus = "pci",
				       .driver = "e1000e",
				       .name = "0000:01:00.0",
				       .reason = "the settings name it",
				       .source = "/etc/suspend.conf:3" };

	strcpy(entry.what, what);
	if (kind == RELEASE_OFFLINE) {
		strcpy(entry.name, strstr(what, "0x108") ? "memory33" : "memory32");
		strcpy(entry.zone, "online");
	}
	ck_assert_int_eq(list_append(&plan.entries, entry), 0);
}

static void setup(void)
{
	said_begin(LOG_LEVEL_DEBUG, true);
	made_root_create();
	memory(false);
	add(RELEASE_UNBIND, "an adapter", 1);
	add(RELEASE_OFFLINE, "128 MiB of memory at 0x100000000", 2);
	add(RELEASE_OFFLINE, "128 MiB of memory at 0x108000000", 2);
}

static void teardown(void)
{
	abort_watch_end();
	release_plan_free(&plan);
	platform_section_free(&section);
	made_root_remove();
}

START_TEST(there_and_back)
{
	const struct map_met met = { .boots = 7 };

	ck_assert_int_eq(platform_section_capture(&section, made_root, &w), 0);
	ck_assert_int_eq(list_append(&section.platform.met.maps, met), 0);
	made_put("/proc/iomem", "00100000-0fffffff : System RAM\n");
	ck_assert_int_eq(released_begin(&plan, &settings, &section, made_root, &w), 0);
	/* Captured again, but for the history. */
	ck_assert_uint_eq(section.platform.ram.used.items[0].end, 0xfffffff);
	ck_assert_uint_eq(section.platform.met.maps.count, 1);
	ck_assert_uint_eq(section.platform.met.maps.items[0].boots, 7);
	ck_assert_str_eq(said,
			 "<6>released: an adapter: the settings name it (/etc/suspend.conf:3)\n"
			 "<6>released: 128 MiB of memory at 0x100000000: the settings name it "
			 "(/etc/suspend.conf:3)\n"
			 "<7>released: 128 MiB of memory at 0x108000000: the settings name it "
			 "(/etc/suspend.conf:3)\n");
	said_clear();
	released_end(&plan, NULL, made_root, false);
	ck_assert(!given.restarted && !given.map);
	ck_assert_str_eq(
		said,
		"<6>given back: an adapter\n"
		"<4>not released: an adapter: it is in use\n"
		"<4>not given back: an adapter: it is broken; to try it by hand: echo 0000:01:00.0 "
		">/sys/bus/pci/drivers/e1000e/bind\n"
		"<5>not given back: 128 MiB of memory at 0x100000000: it is not there any more\n"
		"<7>not given back: 128 MiB of memory at 0x108000000: it is not there any more\n"
		"<6>given back: 128 MiB of memory at 0x108000000\n"
		"<4>not given back: 128 MiB of memory at 0x108000000: it is not known; only if the "
		"machine has this memory, or the kernel crashes, try by hand: echo online "
		">/sys/devices/system/memory/memory33/state\n"
		"<4>not released: 128 MiB of memory at 0x108000000: it cannot be moved; a machine "
		"that starts without this memory will refuse to resume\n"
		"<7>not released: 128 MiB of memory at 0x100000000: it cannot be moved; a machine "
		"that starts without this memory will refuse to resume\n"
		"<7>not released: 128 MiB of memory at 0x108000000: it is needed\n");
}
END_TEST

START_TEST(after_a_resume)
{
	struct memory_entry entry = { 0, 0x9ffff, MEMORY_RAM, 0 };
	struct memory_map map = { .entries = { &entry, 1, true }, .table_count = 1 };

	ck_assert_int_eq(released_begin(&plan, &settings, &section, made_root, &w), 0);
	released_end(&plan, &map, made_root, true);
	ck_assert(given.restarted && given.map);
	/* Without one, and one that the hand-over did not have. */
	released_end(&plan, NULL, made_root, true);
	ck_assert(given.restarted && !given.map);
	map.entries.count = 0;
	released_end(&plan, &map, made_root, true);
	ck_assert(given.restarted && !given.map);
	map.entries.count = 1;
	released_end(&plan, &map, made_root, false);
	ck_assert(!given.restarted && !given.map);
	ck_assert_uint_eq(given.calls, 4);
}
END_TEST

START_TEST(nothing_to_release)
{
	for (size_t i = 0; i < plan.entries.count; i++)
		strcpy(plan.entries.items[i].blocked, "it is in use");
	take_error = -EIO;
	ck_assert_int_eq(released_begin(&plan, &settings, &section, made_root, &w), 0);
	released_end(&plan, NULL, made_root, true);
	ck_assert_uint_eq(given.calls, 0);
	ck_assert_uint_eq(again.calls, 0);
	ck_assert_str_eq(said, "");
}
END_TEST

/* A disk was mounted after the checks, while a passphrase was typed. */
START_TEST(in_use_since_the_checks)
{
	again.blocked = "it has sdb1, which holds /media";
	take_error = -EIO;
	ck_assert_int_eq(released_begin(&plan, &settings, &section, made_root, &w), 0);
	ck_assert_uint_eq(again.calls, 1);
	ck_assert_str_eq(said, "");
	ck_assert_str_eq(plan.entries.items[0].blocked, again.blocked);
	for (size_t i = 0; i < plan.entries.count; i++)
		plan.entries.items[i].blocked[0] = '\0';
	again.needed = true;
	ck_assert_int_eq(released_begin(&plan, &settings, &section, made_root, &w), -EBUSY);
	ck_assert_ptr_nonnull(strstr(w.text, "must be released to hibernate, and cannot be: an "
					     "adapter: it has sdb1, which holds /media"));
	released_end(&plan, NULL, made_root, false);
	ck_assert_uint_eq(given.calls, 0);
}
END_TEST

/* What looked at a device since the checks, or before, would not freeze. */
START_TEST(no_answer)
{
	pid_t child = fork();

	if (child == 0)
		for (;;)
			pause();
	again.blocked = "its disk sda does not answer";
	again.waiting = child;
	take_error = -EIO;
	ck_assert_int_eq(released_begin(&plan, &settings, &section, made_root, &w), -EBUSY);
	ck_assert_str_eq(w.text, "a process that waits for a device cannot be frozen: an adapter: "
				 "its disk sda does not answer; detach that device, or take it "
				 "from \"release devices\" and reboot");
	ck_assert_uint_eq(again.calls, 1);
	/* Though nothing is to be released. */
	ck_assert_int_eq(released_begin(&plan, &settings, &section, made_root, &w), -EBUSY);
	ck_assert_uint_eq(again.calls, 1);
	kill(child, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)child, NULL, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(released_begin(&plan, &settings, &section, made_root, &w), 0);
}
END_TEST

START_TEST(not_planned_again)
{
	again.error = -ENOMEM;
	ck_assert_int_eq(released_begin(&plan, &settings, &section, made_root, &w), -ENOMEM);
	ck_assert_str_eq(said, "");
	ck_assert_uint_eq(plan.entries.count, 3);
}
END_TEST

START_TEST(failing)
{
	take_error = -EBUSY;
	ck_assert_int_eq(released_begin(&plan, &settings, &section, made_root, &w), -EBUSY);
	ck_assert_str_eq(w.text, "it does not go");
}
END_TEST

START_TEST(described_no_more)
{
	const struct map_met met = { .boots = 7 };

	ck_assert_int_eq(list_append(&section.platform.met.maps, met), 0);
	breaks = true;
	ck_assert_int_lt(released_begin(&plan, &settings, &section, made_root, &w), 0);
	ck_assert_uint_eq(section.platform.met.maps.count, 0);
	/* Nothing stays released. */
	ck_assert_uint_eq(given.calls, 1);
	ck_assert(!given.restarted);
}
END_TEST

START_TEST(stopped)
{
	with_signal = true;
	ck_assert_int_eq(released_begin(&plan, &settings, &section, made_root, &w), -ECANCELED);
	ck_assert_str_eq(w.text, "interrupted by SIGTERM");
}
END_TEST

START_TEST(planned)
{
	struct platform platform;
	struct release_plan made = { 0 };

	again.real = true;

	settings_defaults(&settings);
	strcpy(settings.release.devices, "platform/refuser.0");
	made_put("/sys/devices/platform/refuser.0/uevent", "");
	made_link("/sys/bus/platform/devices/refuser.0", "../../../devices/platform/refuser.0");
	made_link("/sys/devices/platform/refuser.0/driver", "../../../bus/platform/drivers/x");
	ck_assert_int_eq(platform_capture(made_root, NULL, &platform, &w), 0);
	ck_assert_int_eq(released_plan(&settings, made_root, &platform, &made), 0);
	ck_assert_uint_eq(made.entries.count, 1);
	release_plan_free(&made);
	platform_free(&platform);
}
END_TEST

/* Also for what is offline. */
START_TEST(waiting)
{
	settings_defaults(&settings);
	memory(true);
	made_link("/sys/bus/virtio/devices/virtio3/driver", "../../drivers/virtio_mem");
	released_wait(&settings, made_root);
	ck_assert_uint_eq(sleeps, 0);
	settings.release.wait = 5;
	plugged_for = 3;
	if (_i == 1) {
		made_put("/sys/devices/system/memory/block_size_bytes", "8000000\n");
		made_put("/sys/devices/system/memory/memory32/phys_index", "00000020\n");
		made_put("/sys/devices/system/memory/memory32/state", "offline\n");
	}
	released_wait(&settings, made_root);
	ck_assert_uint_eq(sleeps, 3);
	ck_assert_str_eq(said, "<5>waiting up to 5 s for the host to unplug 128 MiB of "
			       "virtio-mem's memory\n");
	/* Nothing is plugged any more. */
	released_wait(&settings, made_root);
	ck_assert_uint_eq(sleeps, 3);
	/* In vain. */
	memory(true);
	sleeps = 0;
	plugged_for = 100000;
	settings.release.wait = 1;
	released_wait(&settings, made_root);
	ck_assert_uint_gt(sleeps, 10);
}
END_TEST

START_TEST(left_by_another)
{
	made_put("/proc/sys/kernel/random/boot_id", "1-2-3\n");
	made_put("/run/s2disk/released", "boot 1-2-3\nunbind a pci e - 0x0 0x0 1 0\n"
					 "unbind b pci e - 0x0 0x0 1 0\n"
					 "unbind c pci e - 0x0 0x0 1 0\n");
	released_recover(made_root);
	ck_assert_str_eq(said, "<5>not given back: c: it is not there any more\n"
			       "<5>not given back: b: it is not there any more\n"
			       "<5>not given back: a: it is not there any more\n");
	released_recover(made_root);
	ck_assert_ptr_null(strstr(strstr(said, "back: a") + 1, "back: a"));
}
END_TEST

const bool each_in_a_process = true;

void test_cases(Suite *suite)
{
	TCase *tc = test_case(suite, "released");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, there_and_back);
	tcase_add_test(tc, after_a_resume);
	tcase_add_test(tc, nothing_to_release);
	tcase_add_test(tc, in_use_since_the_checks);
	tcase_add_test(tc, no_answer);
	tcase_add_test(tc, not_planned_again);
	tcase_add_test(tc, failing);
	tcase_add_test(tc, described_no_more);
	tcase_add_test(tc, stopped);
	tcase_add_test(tc, planned);
	tcase_add_loop_test(tc, waiting, 0, 2);
	tcase_add_test(tc, left_by_another);
}
