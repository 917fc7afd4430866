/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other swap areas are inactive while the session sleeps, and active again whatever happens.
 * swapon() and swapoff() are made up here; they keep /proc/swaps as the kernel does. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "fixtures/said.h"
#include "s2disk/prepare/swapoff_others.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB 1024 /* KiB, as /proc/swaps has it */

struct area {
	char path[40];
	uint64_t size, used;
	int priority;
	bool on;
};

/* Seen by all processes. */
static struct machine {
	struct area areas[6];
	size_t count;
	int on_error, off_error;
	bool off_hangs, off_late; /* the second: and it completes when it is killed */
	char asked[600];
	int turns;
} * machine;

int __wrap_swapon(const char *path, int flags);
int __wrap_swapoff(const char *path);
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);
bool __wrap_swap_area_find_entry(const struct swap_area *area, const struct swap_entry *entries,
				 size_t count, struct swap_entry *ret);

static void put_swaps(void)
{
	char text[1000] = "Filename Type Size Used Priority\n";

	for (size_t i = 0; i < machine->count; i++) {
		const struct area *area = &machine->areas[i];
		size_t used = strlen(text);

		if (area->on)
			snprintf(text + used, sizeof(text) - used, "%s partition %llu %llu %d\n",
				 area->path, (unsigned long long)area->size,
				 (unsigned long long)area->used, area->priority);
	}
	made_put("/proc/swaps", text);
}

static struct area *find(const char *path)
{
	for (size_t i = 0; i < machine->count; i++)
		if (strcmp(machine->areas[i].path, path) == 0)
			return &machine->areas[i];
	abort();
}

/* mm/swapfile.c: -2 and downwards, without a gap. */
static int next_priority(void)
{
	int least = -1;

	for (size_t i = 0; i < machine->count; i++)
		if (machine->areas[i].on && machine->areas[i].priority < least)
			least = machine->areas[i].priority;
	return least - 1;
}

static void ask(const char *what, const char *path)
{
	size_t used = strlen(machine->asked);

	snprintf(machine->asked + used, sizeof(machine->asked) - used, "%s %s\n", what, path);
}

int __wrap_swapon(const char *path, int flags)
{
	struct area *area = find(path);

	ask("on", path);
	if (machine->on_error) {
		errno = machine->on_error;
		return -1;
	}
	area->on = false;
	area->priority = flags & SWAP_FLAG_PREFER ? flags & SWAP_FLAG_PRIO_MASK : next_priority();
	area->on = true;
	put_swaps();
	return 0;
}

int __wrap_swapoff(const char *path)
{
	struct area *area = find(path);
	int priority = area->priority;

	ask("off", path);
	if (machine->off_error) {
		errno = machine->off_error;
		return -1;
	}
	while (machine->off_hangs)
		usleep(1000);
	area->on = false;
	for (size_t i = 0; i < machine->count; i++)
		if (priority < 0 && machine->areas[i].on && machine->areas[i].priority < priority)
			machine->areas[i].priority++;
	put_swaps();
	while (machine->off_late)
		usleep(1000);
	return 0;
}

/* Time does not pass here, but the other process comes to its end. */
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
	siginfo_t ended;

	(void)wanted;
	(void)left;
	machine->turns++;
	if (!machine->off_hangs && !machine->off_late)
		waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT);
	else
		usleep(100);
	return 0;
}

bool __wrap_swap_area_find_entry(const struct swap_area *area, const struct swap_entry *entries,
				 size_t count, struct swap_entry *ret)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(entries[i].path, area->device) == 0) {
			*ret = entries[i];
			return true;
		}
	}
	return false;
}

static const struct swap_area own = { .device = "/dev/own" };

static void add(const char *path, uint64_t size, uint64_t used, int priority)
{
	struct area *area = &machine->areas[machine->count++];

	*area = (struct area){ .size = size, .used = used, .priority = priority, .on = true };
	snprintf(area->path, sizeof(area->path), "%s", path);
	put_swaps();
}

/* 512 MiB of memory, a half of it free; the image's area has room for all of it. */
static void setup(void)
{
	made_root_create();
	machine = mmap(NULL, sizeof(*machine), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	ck_assert_ptr_ne(machine, MAP_FAILED);
	said_begin(LOG_LEVEL_WARNING, false);
	memset(machine, 0, sizeof(*machine));
	made_put("/proc/meminfo", "MemTotal: 524288 kB\nMemFree: 262144 kB\nActive(anon): 1 kB\n"
				  "Inactive(anon): 1 kB\nUnevictable: 1 kB\nSUnreclaim: 1 kB\n"
				  "KernelStack: 1 kB\nPageTables: 1 kB\n");
	add("/dev/own", 600 * MIB, 88 * MIB, -2);
}

static void teardown(void)
{
	munmap(machine, sizeof(*machine));
	made_root_remove();
}

static void expect(const char *asked)
{
	ck_assert_str_eq(machine->asked, asked);
	machine->asked[0] = '\0';
}

static void begin(void)
{
	swapoff_others_begin(&own, made_root);
}

START_TEST(off_and_on_again)
{
	add("/dev/a", 100 * MIB, 16 * MIB, -3);
	add("/dev/b", 100 * MIB, 0, -4);
	add("/dev/c", 100 * MIB, 1 * MIB, 100);
	add("/dev/d", 100 * MIB, 0, 0);
	begin();
	/* The lowest first, so that the others keep their numbers. */
	expect("off /dev/b\noff /dev/a\noff /dev/c\noff /dev/d\n");
	swapoff_others_end();
	expect("on /dev/d\non /dev/c\non /dev/a\non /dev/b\n");
	for (size_t i = 0; i < machine->count; i++)
		ck_assert(machine->areas[i].on);
	ck_assert_int_eq(find("/dev/own")->priority, -2);
	ck_assert_int_eq(find("/dev/a")->priority, -3);
	ck_assert_int_eq(find("/dev/b")->priority, -4);
	ck_assert_int_eq(find("/dev/c")->priority, 100);
	ck_assert_int_eq(find("/dev/d")->priority, 0);
	ck_assert_str_eq(said, "");
	swapoff_others_end();
	expect("");
}
END_TEST

/* A sixteenth of what is free is 16 MiB. */
START_TEST(much_in_use_stays)
{
	add("/dev/a", 100 * MIB, 16 * MIB + 4, 5);
	begin();
	expect("");
	made_put("/proc/meminfo", "MemTotal: 524288 kB\nMemFree: 99999999 kB\nActive(anon): 1 kB\n"
				  "Inactive(anon): 1 kB\nUnevictable: 1 kB\nSUnreclaim: 1 kB\n"
				  "KernelStack: 1 kB\nPageTables: 1 kB\n");
	begin();
	expect("off /dev/a\n");
	swapoff_others_end();
	machine->asked[0] = '\0';
	find("/dev/a")->used = 64 * MIB + 4;
	put_swaps();
	begin();
	expect("");
}
END_TEST

/* Its place among those without a priority would be lost. */
START_TEST(not_above_one_that_stays)
{
	add("/dev/a", 100 * MIB, 0, -3);
	add("/dev/b", 100 * MIB, 90 * MIB, -4);
	add("/dev/c", 100 * MIB, 0, -5);
	begin();
	expect("off /dev/c\n");
	swapoff_others_end();
	expect("on /dev/c\n");
	machine->count = 0;
	add("/dev/a", 100 * MIB, 0, -2);
	add("/dev/own", 600 * MIB, 0, -3);
	begin();
	expect("");
}
END_TEST

/* What must leave memory before the snapshot needs the room. */
START_TEST(not_where_room_is_needed)
{
	add("/dev/a", 100 * MIB, 0, 5);
	find("/dev/own")->used = 88 * MIB + 4;
	put_swaps();
	begin();
	expect("");
	find("/dev/own")->used = 0;
	put_swaps();
	made_put("/proc/meminfo", "MemTotal: 524288 kB\n");
	begin();
	expect("");
}
END_TEST

START_TEST(not_without_an_area_of_its_own)
{
	const struct swap_area other = { .device = "/dev/other" };

	add("/dev/a", 100 * MIB, 0, 5);
	swapoff_others_begin(NULL, made_root);
	swapoff_others_begin(&other, made_root);
	expect("");
}
END_TEST

START_TEST(not_what_is_in_memory)
{
	add("/dev/zram0", 100 * MIB, 0, 100);
	add("/dev/loop1", 100 * MIB, 0, 99);
	begin();
	expect("");
}
END_TEST

static const struct {
	const char *path, *text;
	bool stays;
} settings[] = {
	{ "/etc/fstab", "# x none swap discard 0 0\nUUID=1 none swap sw 0 0\n", false },
	{ "/etc/fstab", "/dev/x / ext4 discard 0 0\n/dev/a none swap sw 0 0\n", false },
	{ "/etc/fstab", "/dev/a none swap sw,discard=pages 0 0\n", true },
	{ "/etc/systemd/system/dev-a.swap", "[Swap]\nOptions=discard\n", true },
	{ "/run/systemd/generator/dev-a.swap", "[Swap]\nOptions=discard\n", true },
	{ "/run/systemd/generator/dev-zram0.swap", "[Swap]\nOptions=discard\n", false },
	{ "/etc/fstab", "/dev/zram0 none swap discard 0 0\n", false },
	{ "/run/systemd/generator/dev-a.swap", "[Swap]\nWhat=/dev/a\n", false },
	{ "/run/systemd/generator/x.mount", "Options=discard\n", false },
};

START_TEST(not_where_something_discards)
{
	add("/dev/a", 100 * MIB, 0, 5);
	made_put(settings[_i].path, settings[_i].text);
	begin();
	expect(settings[_i].stays ? "" : "off /dev/a\n");
}
END_TEST

START_TEST(stays_on_where_it_cannot_go)
{
	add("/dev/a", 100 * MIB, 0, 5);
	add("/dev/b", 100 * MIB, 0, -3);
	machine->off_error = ENOMEM;
	begin();
	expect("off /dev/b\noff /dev/a\n");
	swapoff_others_end();
	expect("");
}
END_TEST

/* After ten seconds it is killed; the kernel leaves the area active. */
START_TEST(does_not_wait_for_long)
{
	add("/dev/a", 100 * MIB, 0, 5);
	machine->off_hangs = _i == 0;
	machine->off_late = _i == 1;
	begin();
	ck_assert_int_eq(machine->turns, 500);
	machine->off_hangs = machine->off_late = false;
	expect("off /dev/a\n");
	swapoff_others_end();
	expect(_i == 0 ? "" : "on /dev/a\n");
	ck_assert(find("/dev/a")->on);
}
END_TEST

START_TEST(says_when_it_cannot_be_activated)
{
	add("/dev/a", 100 * MIB, 0, 5);
	begin();
	machine->on_error = _i == 0 ? ENOENT : EBUSY;
	swapoff_others_end();
	ck_assert_str_eq(said,
			 _i == 0 ? "/dev/a was deactivated as swap and cannot be activated again: "
				   "No such file or directory; swapon /dev/a\n"
				 : "");
}
END_TEST

static const int fatal[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

START_TEST(signals_switch_it_on_again)
{
	pid_t child;
	int status;

	add("/dev/a", 100 * MIB, 0, -3);
	add("/dev/b", 100 * MIB, 0, 5);
	fflush(NULL);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		signal(fatal[_i], SIG_DFL);
		begin();
		raise(fatal[_i]);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == fatal[_i]);
	expect("off /dev/a\noff /dev/b\non /dev/b\non /dev/a\n");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "swapoff");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, off_and_on_again);
	tcase_add_test(tcase, much_in_use_stays);
	tcase_add_test(tcase, not_above_one_that_stays);
	tcase_add_test(tcase, not_where_room_is_needed);
	tcase_add_test(tcase, not_without_an_area_of_its_own);
	tcase_add_test(tcase, not_what_is_in_memory);
	tcase_add_loop_test(tcase, not_where_something_discards, 0, ARRAY_SIZE(settings));
	tcase_add_test(tcase, stays_on_where_it_cannot_go);
	tcase_add_loop_test(tcase, does_not_wait_for_long, 0, 2);
	tcase_add_loop_test(tcase, says_when_it_cannot_be_activated, 0, 2);
	tcase_add_loop_test(tcase, signals_switch_it_on_again, 0, ARRAY_SIZE(fatal));
}
