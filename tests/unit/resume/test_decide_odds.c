/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resume's decision: the odds of another boot, by the maps that were met and by what is missing. */
#include "decide_fixture.h"

#define SOME_MAP "0x0 0x9ffff System RAM\n0x100000 0x7ffffff System RAM\n"

/* Nine boots whose maps leave the image's pages alone, one that takes one of them, and two with
 * this very map. */
static void make_met(void)
{
	struct memory_map map;
	struct map_met maps[] = { { .boots = 9, .own = 1 }, { .boots = 1 }, { .boots = 2 } };
	const struct met_frames frames = { .map = 1, .first = 0x7ff, .count = 1 };

	made.map = SOME_MAP;
	ck_assert_int_eq(memory_map_parse(SOME_MAP, &map), 0);
	ck_assert_int_eq(memory_map_digest(&map, maps[2].digest), 0);
	memory_map_free(&map);
	maps[2].tables_moved = 1;
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		ck_assert_int_eq(list_append(&made.met.maps, maps[i]), 0);
	ck_assert_int_eq(list_append(&made.met.frames, frames), 0);
	made.met.maps.known = made.met.frames.known = true;
	ck_assert(maps_met_valid(&made.met));
}

START_TEST(odds)
{
	make_met();
	made.coarse = _i;
	add_finding(VERDICT_FATAL, "Something moved.");
	made.findings[0].about = ABOUT_IMAGE_PAGES;
	ck_assert_int_eq(decide(POLICY_PROVEN), -EPERM);
	ck_assert_uint_eq(decision.odds.boots, 11);
	ck_assert_uint_eq(decision.odds.fitting, 8);
	ck_assert_uint_eq(decision.odds.same, 2);
	ck_assert(decision.odds_at_least == made.coarse);
	ck_assert(decision.map_refused);
	/* For the history, too. */
	ck_assert_uint_eq(decision.boot.map.entries.count, 2);
	ck_assert_uint_eq(decision.boot.memory, 0x7ffffff + 1 - 0x60000);
	ck_assert_uint_gt(decision.boot.time, 1000000000);
}
END_TEST

/* Without a map (arm64), or in an image that knows of no boots. */
START_TEST(no_odds)
{
	make_met();
	made.map = NULL;
	ck_assert_int_eq(decide(POLICY_PROVEN), 0);
	ck_assert_uint_eq(decision.odds.boots, 0);
	ck_assert_uint_eq(decision.boot.map.entries.count, 0);
	maps_met_free(&made.met);
	made.map = SOME_MAP;
	ck_assert_int_eq(decide(POLICY_PROVEN), 0);
	ck_assert_uint_eq(decision.odds.boots, 0);
	ck_assert_uint_eq(decision.boot.map.entries.count, 2);
	ck_assert(!decision.map_refused && !decision.memory_missing && !decision.other_machine);
}
END_TEST

/* Another memory map would change nothing of the others. */
START_TEST(what_is_to_blame)
{
	const enum verdict_about about = (enum verdict_about)_i;
	bool of_map = about == ABOUT_MEMORY_MAP || about == ABOUT_MEMORY_REGION ||
		      about == ABOUT_IMAGE_PAGES || about == ABOUT_KERNEL_CHECK ||
		      about == ABOUT_PAGE_COUNT || about == ABOUT_ACPI_TABLES ||
		      about == ABOUT_EFI_RUNTIME;
	bool memory = about == ABOUT_VIRTIO_MEM || about == ABOUT_HOTPLUG_MEMORY;

	add_finding(VERDICT_RISKY, "Something moved.");
	made.findings[0].about = about;
	ck_assert_int_eq(decide(POLICY_PROVEN), -EPERM);
	ck_assert(decision.map_refused == of_map);
	ck_assert(decision.memory_missing == memory);
	ck_assert_int_eq(decide(POLICY_TOLERANT), 0);
	ck_assert(!decision.map_refused && !decision.memory_missing && !decision.other_machine);
	/* It moved, but that is not why. */
	made.findings[0].class = VERDICT_CORRECTED;
	add_finding(VERDICT_FATAL, "Something is missing.");
	made.findings[1].about = ABOUT_SWAP_AREA;
	ck_assert_int_eq(decide(POLICY_PROVEN), -EPERM);
	ck_assert(!decision.map_refused && !decision.memory_missing && !decision.other_machine);
}
END_TEST

START_TEST(what_its_user_can_mend)
{
	add_finding(VERDICT_FATAL, "It is missing.");
	made.findings[0].about = ABOUT_SWAP_AREA;
	ck_assert_int_eq(decide(POLICY_TOLERANT), -EPERM);
	ck_assert(!decision.user_can_mend);
	made.findings[0].mendable = true;
	ck_assert_int_eq(decide(POLICY_TOLERANT), -EPERM);
	ck_assert(decision.user_can_mend);
	/* That alone would not do. */
	add_finding(VERDICT_FATAL, "A region is on pages of the image.");
	ck_assert_int_eq(decide(POLICY_TOLERANT), -EPERM);
	ck_assert(!decision.user_can_mend);
	made.findings[1].class = VERDICT_HARMLESS;
	made.findings[0].class = VERDICT_RISKY;
	ck_assert_int_eq(decide(POLICY_PROVEN), -EPERM);
	ck_assert(decision.user_can_mend);
	ck_assert_int_eq(decide(POLICY_TOLERANT), 0);
	ck_assert(!decision.user_can_mend);
}
END_TEST

/* The next boot of the same machine has the same processor. */
START_TEST(another_machine)
{
	const enum verdict_about about = (enum verdict_about)_i;
	bool other = about == ABOUT_HYPERVISOR || about == ABOUT_FIRMWARE ||
		     about == ABOUT_MACHINE || about == ABOUT_CPU || about == ABOUT_CPU_FEATURES ||
		     about == ABOUT_DEVICE_TREE;

	add_finding(VERDICT_RISKY, "Another version.");
	made.findings[0].about = about;
	ck_assert_int_eq(decide(POLICY_PROVEN), -EPERM);
	ck_assert(decision.other_machine == other);
	ck_assert_int_eq(decide(POLICY_TOLERANT), 0);
	ck_assert(!decision.other_machine);
	made.findings[0].class = VERDICT_FATAL;
	ck_assert_int_eq(decide(POLICY_TOLERANT), -EPERM);
	ck_assert(decision.other_machine == other);
	/* The next boot entry may have another one. */
	made.findings[0].of_command_line = true;
	ck_assert_int_eq(decide(POLICY_PROVEN), -EPERM);
	ck_assert(!decision.other_machine);
	/* It differs, but that is not why. */
	made.findings[0] =
		(struct finding){ .about = about, .class = VERDICT_HARMLESS, .text = "More." };
	add_finding(VERDICT_FATAL, "Something is missing.");
	made.findings[1].about = ABOUT_SWAP_AREA;
	ck_assert_int_eq(decide(POLICY_PROVEN), -EPERM);
	ck_assert(!decision.other_machine);
}
END_TEST

START_TEST(another_machine_accepted)
{
	add_finding(VERDICT_RISKY, "Another version.");
	made.findings[0].about = ABOUT_FIRMWARE;
	made.findings[0].accept = ACCEPT_FIRMWARE_VERSION;
	accepted = "processor-model";
	ck_assert_int_eq(decide(POLICY_PROVEN), -EPERM);
	ck_assert(decision.other_machine);
	accepted = "firmware-version";
	ck_assert_int_eq(decide(POLICY_PROVEN), 0);
	ck_assert(!decision.other_machine);
	accepted = "";
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "decide_odds");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, odds, 0, 2);
	tcase_add_test(tcase, no_odds);
	tcase_add_loop_test(tcase, what_is_to_blame, 0, ABOUT_COUNT);
	tcase_add_test(tcase, what_its_user_can_mend);
	tcase_add_loop_test(tcase, another_machine, 0, ABOUT_COUNT);
	tcase_add_test(tcase, another_machine_accepted);
}
