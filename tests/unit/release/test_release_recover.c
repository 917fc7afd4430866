/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a killed s2disk has left is given back, and memory. */
#include "fixtures/check_main.h"
#include "release_steps_fixture.h"

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

/* Written before the step, which was not made any more: nothing is done, and nothing said. */
START_TEST(recovered_before_a_step)
{
	ck_assert_int_eq(release_journal_add(made_root, &plan.entries.items[1]), 0);
	fail = "/bind";
	fail_with = -EIO;
	release_recover(made_root, &watch);
	expect("");
	ck_assert(!is_there(RELEASE_JOURNAL));
}
END_TEST

/* What had nothing to be released gets nothing. */
START_TEST(recovered_without_a_step)
{
	struct why w;

	unlink(below("/sys/devices/platform/refuser.0/driver"));
	ck_assert_int_eq(take(&w), 0);
	expect("taken refuser\ntaken " NIC "\n");
	release_recover(made_root, &watch);
	expect("given " NIC "\ngiven refuser\n");
	ck_assert(!is_there("/sys/devices/platform/refuser.0/driver"));
}
END_TEST

/* Drivers may be called so; and what is no name of sysfs is none when it is decoded, either. */
START_TEST(names_with_blanks)
{
	struct release_entry *device = &plan.entries.items[1];
	char command[RELEASE_COMMAND_SIZE];
	struct why w;

	ck_assert_str_eq(device->name, "refuser.0");
	strcpy(device->driver, "a \\ refuser");
	unlink(below("/sys/devices/platform/refuser.0/driver"));
	made_link("/sys/devices/platform/refuser.0/driver",
		  "../../../bus/platform/drivers/a \\ refuser");
	ck_assert_int_eq(take(&w), 0);
	expect(ALL_TAKEN);
	fail = "/sys/bus/platform/drivers/a \\ refuser/bind";
	fail_with = -EBUSY;
	release_recover(made_root, &watch);
	expect("given " NIC
	       "\nnot-given refuser.0: it cannot be bound to a \\ refuser again: Device "
	       "or resource busy\ngiven refuser\n");
	ck_assert_str_eq(release_step_by_hand(device, command, sizeof(command)),
			 "echo refuser.0 >/sys/bus/platform/drivers/'a \\ refuser'/bind");
	made_put(RELEASE_JOURNAL, "boot 11111111-2222-3333-4444-555555555555\n"
				  "unbind refuser.0 platform ..\\057refuser - 0x0 0x0 1 0\n"
				  "unbind refuser.0 platform \\056./refuser - 0x0 0x0 1 0\n");
	release_recover(made_root, &watch);
	expect("");
}
END_TEST

/* Tried again by each run, until it is given back by one of them, or by hand. */
START_TEST(recovered_later)
{
	struct why w;

	ck_assert_int_eq(take(&w), 0);
	reported[0] = '\0';
	fail = "/bind";
	fail_with = -EBUSY;
	for (int i = 0; i < 2; i++) {
		if (i == 0)
			give();
		else
			release_recover(made_root, &watch);
		ck_assert_ptr_nonnull(strstr(reported, "not-given refuser.0: "));
		ck_assert(!strstr(reported, "\ngiven refuser\n") == (i == 1));
		reported[0] = '\0';
	}
	/* Another run in between releases other things. */
	ask_for(NIC);
	ck_assert_int_eq(take(&w), 0);
	release_give(made_root, &plan, &here, &watch);
	expect("taken " NIC "\ngiven " NIC "\n");
	ck_assert(is_there(RELEASE_JOURNAL));
	fail = NULL;
	release_recover(made_root, &watch);
	expect("given refuser.0\n");
	ck_assert(!is_there(RELEASE_JOURNAL));
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
				  "remove " NIC " - e1000e - 0x0 0x0 1 0 vfio-pci\n"
				  "remove " NIC " - e1000e - 0x0 0x0 1 0 vfio-pci 65536\n"
				  "remove " NIC " - e1000e - 0x0 0x0 1 0 ../x 0\n"
				  "remove " NIC " - e1000e - 0x0 0x0 1 0x vfio-pci 1\n"
				  "explode refuser.0 platform refuser - 0x0 0x0 1 0\n"
				  "remove\n\n"
				  "remove " NIC " - e1000e - 0x0 0x0 1 0");
	made_shell("rm sys/bus/pci/devices/" NIC);
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
	expect("not-taken memory32: memory32 cannot be offlined: it is not empty after 30 s\n");
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

/* While a block is emptied, and when it is done. */
START_TEST(memory_interrupted)
{
	struct why w;

	plan_memory_blocks(false);
	fail = _i ? "memory32/state" : "memory33/state";
	fail_with = HANGS + _i;
	stop_after = 5;
	stop_when = _i ? MEMORY("32/state") : NULL;
	ck_assert_int_eq(take(&w), -ECANCELED);
	ck_assert_str_eq(w.text, "interrupted");
	expect("taken memory32\ngiven memory32\n");
	ck_assert(!is_there(RELEASE_JOURNAL));
}
END_TEST

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
	made_put(MEMORY("32") "/firmware_node/status", "15\n");
	release_recover(made_root, &watch);
	expect("given memory32\n");
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

/* Killed before the driver was taken, or after it. */
START_TEST(lasting_recovered)
{
	plan_memory_blocks(true);
	for (size_t i = 0; i < plan.entries.count; i++)
		if (i < 2 || _i > 0)
			ck_assert_int_eq(release_journal_add(made_root, &plan.entries.items[i]), 0);
	made_put(MEMORY("32/state"), "offline\n");
	made_put(MEMORY("33/state"), "offline\n");
	if (_i == 2)
		unlink(below("/sys/devices/platform/refuser.0/driver"));
	if (_i == 3)
		made_shell("rm sys/bus/platform/devices/refuser.0");
	release_recover(made_root, &watch);
	expect(_i < 2 ? "given memory33\ngiven memory32\n"
		      : "gone refuser.0: it comes back with the next boot only\n"
			"gone memory33: it comes back with the next boot only\n"
			"gone memory32: it comes back with the next boot only\n");
	ck_assert(!is_there(RELEASE_JOURNAL));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tc = test_case(suite, "recover");

	tcase_add_checked_fixture(tc, begin, teardown);
	tcase_add_test(tc, recovered);
	tcase_add_test(tc, recovered_before_a_step);
	tcase_add_test(tc, recovered_without_a_step);
	tcase_add_test(tc, recovered_later);
	tcase_add_test(tc, names_with_blanks);
	tcase_add_test(tc, journal_of_another_boot);
	tcase_add_test(tc, damaged_journal);
	tcase_add_loop_test(tc, added_to_a_damaged_journal, 0, 3);
	tcase_add_test(tc, memory);
	tcase_add_loop_test(tc, memory_interrupted, 0, 2);
	tcase_add_test(tc, memory_recovered);
	tcase_add_test(tc, memory_after_a_resume);
	tcase_add_test(tc, lasting);
	tcase_add_loop_test(tc, lasting_recovered, 0, 4);
}
