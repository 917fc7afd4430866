/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan is carried out: on a sysfs that does what the kernel does, or does not. */
#include "fixtures/check_main.h"
#include "release_fixture.h"

#include "release/release.h"
#include "base/text.h"
#include "release/release_journal.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int __wrap_io_write_text(const char *root, const char *path, const char *value);
int __real_io_write_text(const char *root, const char *path, const char *value);
int __wrap_program_run(const char *program, const char *const *arguments,
		       const char *const *environment, int out);
long __wrap_syscall(long number, ...);
int __wrap_nanosleep(const struct timespec *time, struct timespec *rest);

static char reported[4096]; /* what was reported, a line each */
static const char *fail;    /* a write to a path that ends so fails … */
static int fail_with;	    /* … with this; 0: it does nothing; HANGS: it never returns */
#define HANGS 1
#define HANGS_AFTER 2 /* … though it is done */
static bool gone;     /* a rescan finds nothing */
static int module_error, program_result;
static int stop_after = -1; /* steps */

/* What the kernel does with a write to that file. */
int __wrap_io_write_text(const char *root, const char *path, const char *value)
{
	const char *file = strrchr(path, '/') + 1;

	ck_assert_str_eq(root, made_root);
	if (fail && strlen(path) >= strlen(fail) &&
	    strcmp(path + strlen(path) - strlen(fail), fail) == 0) {
		if (fail_with == HANGS_AFTER)
			__real_io_write_text(root, path, "offline\n");
		while (fail_with == HANGS || fail_with == HANGS_AFTER)
			pause();
		return fail_with;
	}
	if (strcmp(file, "bind") == 0 || strcmp(file, "unbind") == 0) {
		bind_device(path, value, file);
	} else if (strcmp(file, "remove") == 0) {
		ck_assert_str_eq(value, "1");
		snprintf(full, sizeof(full), "%s/sys/bus/pci/devices/" NIC, made_root);
		unlink(full);
	} else if (strcmp(file, "rescan") == 0) {
		if (!gone)
			made_link("/sys/bus/pci/devices/" NIC,
				  "../../../devices/pci0000:00/" ROOT_PORT "/" NIC);
	} else if (strcmp(file, "state") == 0) {
		return __real_io_write_text(
			root, path, text_starts(value, "online") ? "online\n" : "offline\n");
	} else {
		ck_abort_msg("%s", path);
	}
	return 0;
}

int __wrap_program_run(const char *program, const char *const *arguments,
		       const char *const *environment, int out)
{
	ck_assert_str_eq(program, "modprobe");
	ck_assert_str_eq(arguments[1], "refuser");
	ck_assert_ptr_null(arguments[2]);
	ck_assert_ptr_null(environment);
	ck_assert_int_eq(out, -1);
	if (program_result == 0)
		made_put("/sys/module/refuser/initstate", "live\n");
	return program_result;
}

long __wrap_syscall(long number, ...)
{
	va_list args;

	ck_assert_int_eq(number, SYS_delete_module);
	va_start(args, number);
	ck_assert_str_eq(va_arg(args, const char *), "refuser");
	va_end(args);
	if (module_error) {
		errno = module_error;
		return -1;
	}
	made_shell("rm -r sys/module/refuser");
	return 0;
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *rest)
{
	(void)time, (void)rest;
	usleep(1000);
	return 0;
}

static void report(void *context, enum release_event event, const struct release_entry *entry,
		   const char *reason)
{
	static const char *const words[] = { "taken", "not-taken", "given", "not-given", "gone" };
	size_t used = strlen(reported);

	ck_assert_ptr_eq(context, reported);
	snprintf(reported + used, sizeof(reported) - used, "%s %s%s%s\n", words[event], entry->name,
		 *reason ? ": " : "", reason);
}

static bool stop(void *context)
{
	(void)context;
	return stop_after >= 0 && stop_after-- == 0;
}

static const struct release_watch watch = { .report = report, .stop = stop, .context = reported };
static const struct release_here here = { 0 };

static void expect(const char *wanted)
{
	ck_assert_str_eq(reported, wanted);
	reported[0] = '\0';
}

static int take(struct why *w)
{
	*w = (struct why){ 0 };
	return release_take(made_root, &plan, &watch, w);
}

static void give(void)
{
	release_give(made_root, &plan, &here, &watch);
	ck_assert(!is_there(RELEASE_JOURNAL));
}

static void begin(void)
{
	setup();
	reported[0] = '\0';
	fail = NULL;
	gone = false;
	module_error = program_result = 0;
	stop_after = -1;
	made_put("/sys/module/refuser/initstate", "live\n");
	add_device("platform", "refuser.0", "/sys/devices/platform/refuser.0", "refuser");
	ask_for("module:refuser refuser " NIC);
	ck_assert_uint_eq(plan.entries.count, 3);
}

#define ALL_TAKEN "taken refuser\ntaken refuser.0\ntaken " NIC "\n"
#define ALL_GIVEN "given " NIC "\ngiven refuser.0\ngiven refuser\n"

START_TEST(there_and_back)
{
	struct why w;

	ck_assert_int_eq(take(&w), 0);
	expect(ALL_TAKEN);
	ck_assert(!is_there("/sys/module/refuser"));
	ck_assert(!is_there("/sys/devices/platform/refuser.0/driver"));
	ck_assert(!is_there("/sys/bus/pci/devices/" NIC));
	ck_assert(is_there(RELEASE_JOURNAL));
	give();
	expect(ALL_GIVEN);
	ck_assert(is_there("/sys/module/refuser"));
	ck_assert(is_there("/sys/devices/platform/refuser.0/driver"));
	ck_assert(is_there("/sys/bus/pci/devices/" NIC));
	/* Once. */
	give();
	expect("");
}
END_TEST

/* What is not needed stays, and the rest goes. */
START_TEST(one_fails)
{
	static const struct {
		const char *fail;
		int with;
		const char *log;
	} cases[] = {
		{ "/unbind", -EBUSY,
		  "taken refuser\nnot-taken refuser.0: it cannot be unbound from refuser: Device "
		  "or "
		  "resource busy\ntaken " NIC "\n" },
		/* It says that it did. */
		{ "/unbind", 0,
		  "taken refuser\nnot-taken refuser.0: it cannot be unbound from refuser: Device "
		  "or "
		  "resource busy\ntaken " NIC "\n" },
		{ "/remove", -EPERM,
		  "taken refuser\ntaken refuser.0\nnot-taken " NIC
		  ": it cannot be removed: Operation not permitted\n" },
		{ "/remove", 0,
		  "taken refuser\ntaken refuser.0\nnot-taken " NIC
		  ": it cannot be removed: Device or resource busy\n" },
	};
	struct why w;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fail = cases[i].fail;
		fail_with = cases[i].with;
		ck_assert_int_eq(take(&w), 0);
		expect(cases[i].log);
		fail = NULL;
		give();
		reported[0] = '\0';
	}
	module_error = EWOULDBLOCK;
	ck_assert_int_eq(take(&w), 0);
	expect("not-taken refuser: it cannot be unloaded: it is in use\ntaken refuser.0\ntaken " NIC
	       "\n");
}
END_TEST

START_TEST(a_needed_one_fails)
{
	struct why w;

	plan.entries.items[2].needed = true;
	fail = "/remove";
	fail_with = -EIO;
	ck_assert_int_eq(take(&w), -EIO);
	ck_assert_str_eq(w.text, "network adapter 8086:10d3 at " NIC
				 ": it cannot be removed: Input/output error");
	expect("taken refuser\ntaken refuser.0\nnot-taken " NIC
	       ": it cannot be removed: Input/output error\ngiven refuser.0\ngiven refuser\n");
	ck_assert(!is_there(RELEASE_JOURNAL));
}
END_TEST

START_TEST(interrupted)
{
	struct why w;

	stop_after = _i;
	ck_assert_int_eq(take(&w), -ECANCELED);
	expect(_i == 0	 ? ""
	       : _i == 1 ? "taken refuser\ngiven refuser\n"
			 : "taken refuser\ntaken refuser.0\ngiven refuser.0\ngiven refuser\n");
}
END_TEST

START_TEST(nothing_to_do)
{
	struct why w;

	unlink(below("/sys/devices/platform/refuser.0/driver"));
	made_shell("rm -r sys/module/refuser sys/bus/pci/devices/" NIC);
	ck_assert_int_eq(take(&w), 0);
	expect("");
	give();
	expect("");
}
END_TEST

START_TEST(another_driver)
{
	struct why w;

	unlink(below("/sys/devices/platform/refuser.0/driver"));
	made_link("/sys/devices/platform/refuser.0/driver", "../../../bus/platform/drivers/other");
	ck_assert_int_eq(take(&w), 0);
	expect("taken refuser\nnot-taken refuser.0: its driver is other now, not refuser\n"
	       "taken " NIC "\n");
}
END_TEST

START_TEST(blocked)
{
	struct why w;

	strcpy(plan.entries.items[1].blocked, "it is the only display");
	ck_assert_int_eq(take(&w), 0);
	expect("taken refuser\ntaken " NIC "\n");
}
END_TEST

/* No step without its entry in the journal. */
START_TEST(no_journal)
{
	struct why w;

	made_shell("rm -r run && touch run");
	ck_assert_int_eq(take(&w), 0);
	expect("not-taken refuser: /run/s2disk/released cannot be written: Not a directory\n"
	       "not-taken refuser.0: /run/s2disk/released cannot be written: Not a directory\n"
	       "not-taken " NIC ": /run/s2disk/released cannot be written: Not a directory\n");
	ck_assert(is_there("/sys/module/refuser"));
	made_shell("rm run && mkdir run && rm proc/sys/kernel/random/boot_id");
	ck_assert_int_eq(take(&w), 0);
	ck_assert_ptr_nonnull(strstr(reported, "not-taken refuser: "));
	ck_assert(is_there("/sys/module/refuser"));
}
END_TEST

START_TEST(not_given_back)
{
	char command[160];
	struct why w;

	ck_assert_int_eq(take(&w), 0);
	reported[0] = '\0';
	gone = true;
	fail = "/bind";
	fail_with = -ENODEV;
	program_result = 1;
	give();
	expect("gone " NIC ": it is not there any more\n"
	       "not-given refuser.0: it cannot be bound to refuser again: No such device\n"
	       "not-given refuser: modprobe ended with 1 and did not load it\n");
	ck_assert_str_eq(release_step_by_hand(&plan.entries.items[0], command, sizeof(command)),
			 "modprobe refuser");
	ck_assert_str_eq(release_step_by_hand(&plan.entries.items[1], command, sizeof(command)),
			 "echo refuser.0 >/sys/bus/platform/drivers/refuser/bind");
	ck_assert_str_eq(release_step_by_hand(&plan.entries.items[2], command, sizeof(command)),
			 "echo 1 >/sys/bus/pci/rescan");
}
END_TEST

START_TEST(given_back_otherwise)
{
	struct why w;

	ck_assert_int_eq(take(&w), 0);
	reported[0] = '\0';
	/* By the slot, by udev; and one device was unplugged. */
	made_link("/sys/bus/pci/devices/" NIC, "../../../devices/pci0000:00/" ROOT_PORT "/" NIC);
	made_put("/sys/module/refuser/initstate", "live\n");
	made_shell("rm sys/bus/platform/devices/refuser.0");
	fail = "/rescan";
	fail_with = -EIO;
	program_result = 1;
	give();
	expect("given " NIC "\ngone refuser.0: it is not there any more\ngiven refuser\n");
}
END_TEST

START_TEST(rescan_fails)
{
	struct why w;

	ck_assert_int_eq(take(&w), 0);
	reported[0] = '\0';
	fail = "/rescan";
	fail_with = -EIO;
	program_result = -ENOENT;
	give();
	expect("not-given " NIC ": the PCI bus cannot be scanned: Input/output error\n"
	       "given refuser.0\n"
	       "not-given refuser: modprobe cannot be run: No such file or directory\n");
}
END_TEST

/* An s2disk that was killed after any of its steps. */
START_TEST(recovered)
{
	struct why w;

	ck_assert_int_eq(take(&w), 0);
	reported[0] = '\0';
	release_recover(made_root, &watch);
	expect(ALL_GIVEN);
	ck_assert(is_there("/sys/bus/pci/devices/" NIC));
	ck_assert(!is_there(RELEASE_JOURNAL));
	release_recover(made_root, &watch);
	expect("");
}
END_TEST

/* Written before the step, which was not made any more: nothing is to be done. */
START_TEST(recovered_before_a_step)
{
	ck_assert_int_eq(release_journal_add(made_root, &plan.entries.items[1]), 0);
	fail = "/bind";
	fail_with = -EIO;
	release_recover(made_root, &watch);
	expect("given refuser.0\n");
}
END_TEST

START_TEST(journal_of_another_boot)
{
	struct why w;

	ck_assert_int_eq(take(&w), 0);
	reported[0] = '\0';
	made_put("/proc/sys/kernel/random/boot_id", "99999999-2222-3333-4444-555555555555\n");
	release_recover(made_root, &watch);
	expect("");
	ck_assert(!is_there("/sys/bus/pci/devices/" NIC));
}
END_TEST

START_TEST(damaged_journal)
{
	made_put(RELEASE_JOURNAL, "boot 11111111-2222-3333-4444-555555555555\n"
				  "unbind refuser.0 platform refuser - 0x0 0x0 1\n"
				  "unbind ../refuser.0 platform refuser - 0x0 0x0 1 0\n"
				  "unbind refuser.0 - refuser - 0x0 0x0 1 0\n"
				  "unbind refuser.0 platform - - 0x0 0x0 1 0\n"
				  "unbind . platform refuser - 0x0 0x0 1 0\n"
				  "offline memory32 - - crash 0x0 0x0 1 0\n"
				  "offline - - - online 0x0 0x0 1 0\n"
				  "explode refuser.0 platform refuser - 0x0 0x0 1 0\n"
				  "remove\n\n"
				  "remove " NIC " - e1000e - 0x0 0x0 1 0");
	release_recover(made_root, &watch);
	expect("given " NIC "\n");
	made_put(RELEASE_JOURNAL, "");
	release_recover(made_root, &watch);
	made_put(RELEASE_JOURNAL, "remove " NIC " - e1000e - 0x0 0x0 1 0\n");
	release_recover(made_root, &watch);
	expect("");
}
END_TEST

/* It is read after a kill, whatever was in the file before. */
START_TEST(added_to_a_damaged_journal)
{
	static const char *const before[] = {
		"boot 99999999-2222-3333-4444-555555555555\nremove a - - - 0x0 0x0 1 0\n",
		"boot 1111",
		"boot 11111111-2222-3333-4444-555555555555\noffline memory32 - - onl",
	};
	struct why w;

	made_put(RELEASE_JOURNAL, before[_i]);
	ck_assert_int_eq(take(&w), 0);
	expect(ALL_TAKEN);
	release_recover(made_root, &watch);
	expect(ALL_GIVEN);
}
END_TEST

START_TEST(memory)
{
	struct why w;

	plan_memory_blocks(false);
	ck_assert_int_eq(take(&w), 0);
	expect("taken memory32\ntaken memory33\n");
	give();
	expect("given memory33\ngiven memory32\n");
	/* All of one piece, or nothing. */
	fail = "memory33/state";
	fail_with = -EBUSY;
	ck_assert_int_eq(take(&w), 0);
	expect("taken memory32\nnot-taken memory33: memory33 cannot be offlined: what is in it "
	       "cannot be moved\ngiven memory32\n");
	fail = "memory32/state";
	fail_with = -ENOMEM;
	ck_assert_int_eq(take(&w), 0);
	expect("not-taken memory32: memory32 cannot be offlined: Cannot allocate memory\n");
	/* It says that it did. */
	fail_with = 0;
	ck_assert_int_eq(take(&w), 0);
	expect("not-taken memory32: memory32 cannot be offlined: what is in it cannot be moved\n");
	fail_with = HANGS;
	ck_assert_int_eq(take(&w), 0);
	expect("not-taken memory32: memory32 cannot be offlined: Connection timed out\n");
	/* It is offline, so it comes back. */
	fail_with = HANGS_AFTER;
	ck_assert_int_eq(take(&w), 0);
	expect("taken memory32\ntaken memory33\n");
	fail = NULL;
	give();
	expect("given memory33\ngiven memory32\n");
}
END_TEST

#define MEMORY(n) "/sys/devices/system/memory/memory" n

/* What was killed may have been so after a resume, without that memory: ACPI has to say that it is
 * there. */
START_TEST(memory_recovered)
{
	struct why w;

	plan_memory_blocks(false);
	ck_assert_int_eq(take(&w), 0);
	reported[0] = '\0';
	made_put(MEMORY("33") "/firmware_node/status", "15\n");
	release_recover(made_root, &watch);
	expect("given memory33\nnot-given memory32: it is not known whether the machine still has "
	       "it\n");
	ck_assert(!is_there(RELEASE_JOURNAL));
}
END_TEST

/* Only what the machine has for certain. */
START_TEST(memory_after_a_resume)
{
	struct memory_entry entries[] = {
		{ .start = 0, .end = 0x1fffffff, .type = MEMORY_RAM },
		{ .start = ADDED, .end = ADDED + BLOCK / 2 - 1, .type = MEMORY_RAM },
		{ .start = ADDED + BLOCK / 2, .end = ADDED + BLOCK - 1, .type = MEMORY_RAM },
		{ .start = ADDED + BLOCK, .end = ADDED + BLOCK * 2 - 1, .type = MEMORY_RESERVED },
	};
	struct memory_map map = { .entries = { entries, 4, true } };
	struct release_here after = { .restarted = true };
	struct why w;

	plan_memory_blocks(false);
	ck_assert_int_eq(take(&w), 0);
	reported[0] = '\0';
	release_give(made_root, &plan, &after, &watch);
	expect("not-given memory33: it is not known whether the machine still has it\n"
	       "not-given memory32: it is not known whether the machine still has it\n");
	after.map = &map;
	plan.entries.items[0].taken = plan.entries.items[1].taken = true;
	release_give(made_root, &plan, &after, &watch);
	expect("gone memory33: the machine did not have it when it started\ngiven memory32\n");
	/* ACPI asks the device itself. */
	made_put(MEMORY("33/firmware_node/status"), "0\n");
	entries[3].type = MEMORY_RAM;
	plan.entries.items[1].taken = true;
	release_give(made_root, &plan, &after, &watch);
	expect("gone memory33: the machine does not have it any more\n");
	made_put(MEMORY("33/firmware_node/status"), "15\n");
	plan.entries.items[1].taken = true;
	fail = "memory33/state";
	fail_with = -ENODEV;
	release_give(made_root, &plan, &after, &watch);
	expect("not-given memory33: memory33 cannot be set online: No such device\n");
	made_shell("rm -r sys/devices/system/memory/memory33");
	plan.entries.items[1].taken = true;
	release_give(made_root, &plan, &after, &watch);
	expect("gone memory33: the machine does not have it any more\n");
}
END_TEST

/* virtio-mem's memory comes back as long as its driver is there. */
START_TEST(lasting)
{
	struct why w;

	plan_memory_blocks(true);
	fail = "/unbind";
	fail_with = -EBUSY;
	ck_assert_int_eq(take(&w), -EBUSY);
	expect("taken memory32\ntaken memory33\nnot-taken refuser.0: it cannot be unbound from "
	       "refuser: Device or resource busy\ngiven memory33\ngiven memory32\n");
	fail = NULL;
	ck_assert_int_eq(take(&w), 0);
	expect("taken memory32\ntaken memory33\ntaken refuser.0\n");
	give();
	expect("gone refuser.0: it comes back with the next boot only\n"
	       "gone memory33: it comes back with the next boot only\n"
	       "gone memory32: it comes back with the next boot only\n");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tc = test_case(suite, "release");

	tcase_add_checked_fixture(tc, begin, teardown);
	tcase_add_test(tc, there_and_back);
	tcase_add_test(tc, one_fails);
	tcase_add_test(tc, a_needed_one_fails);
	tcase_add_loop_test(tc, interrupted, 0, 3);
	tcase_add_test(tc, nothing_to_do);
	tcase_add_test(tc, another_driver);
	tcase_add_test(tc, blocked);
	tcase_add_test(tc, no_journal);
	tcase_add_test(tc, not_given_back);
	tcase_add_test(tc, given_back_otherwise);
	tcase_add_test(tc, rescan_fails);
	tcase_add_test(tc, recovered);
	tcase_add_test(tc, recovered_before_a_step);
	tcase_add_test(tc, journal_of_another_boot);
	tcase_add_test(tc, damaged_journal);
	tcase_add_loop_test(tc, added_to_a_damaged_journal, 0, 3);
	tcase_add_test(tc, memory);
	tcase_add_test(tc, memory_recovered);
	tcase_add_test(tc, memory_after_a_resume);
	tcase_add_test(tc, lasting);
}
