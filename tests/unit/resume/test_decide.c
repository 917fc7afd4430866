/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resume's decision: what is done about each verdict. The image, this machine, and the verdict
 * are made up. */
#include "decide_fixture.h"

static void check_has(const char *text, const char *words)
{
	ck_assert_msg(strstr(text, words) != NULL, "no '%s' in:\n%s", words, text);
}

START_TEST(the_same_machine)
{
	ck_assert_int_eq(decide(POLICY_STRICT), 0);
	ck_assert(decision.platform_mode);
	ck_assert(!decision.fatal && !decision.hopeless);
	ck_assert_ptr_null(decision.first_page);
	ck_assert_uint_eq(handover.quarantine_count, 0);
	ck_assert_str_eq(handover.text, "");
	ck_assert(!seen_no_handover);
	image_header.handover = 0;
	ck_assert_int_eq(decide(POLICY_STRICT), 0);
	ck_assert(seen_no_handover);
}
END_TEST

static const struct {
	enum verdict_class class;
	enum verdict_policy policy;
	bool allowed;
} policies[] = {
	{ VERDICT_HARMLESS, POLICY_STRICT, false }, { VERDICT_HARMLESS, POLICY_PROVEN, true },
	{ VERDICT_CORRECTED, POLICY_PROVEN, true }, { VERDICT_RISKY, POLICY_PROVEN, false },
	{ VERDICT_RISKY, POLICY_TOLERANT, true },   { VERDICT_FATAL, POLICY_PROVEN, false },
	{ VERDICT_FATAL, POLICY_TOLERANT, false },
};

/* All findings are logged either way, and those that are not harmless go to the restored system. */
START_TEST(policy)
{
	char words[160];

	add_finding(policies[_i].class, "Something moved.");
	add_finding(VERDICT_HARMLESS, "Something else is new.");
	ck_assert_int_eq(decide(policies[_i].policy), policies[_i].allowed ? 0 : -EPERM);
	check_has(said, "Something moved.");
	check_has(said, "Something else is new.");
	if (policies[_i].class > VERDICT_HARMLESS) {
		check_has(said, "Something moved. Do something.");
		check_has(handover.text, "Something moved.");
	}
	ck_assert_ptr_null(strstr(handover.text, "Something else"));
	ck_assert(decision.fatal == (policies[_i].class == VERDICT_FATAL));
	/* The message names no policy if none accepts it. */
	if (policies[_i].class == VERDICT_FATAL)
		text_copy(words, sizeof(words), "the verdict is fatal: no setting makes");
	else
		snprintf(words, sizeof(words),
			 "the verdict is %s, which platform policy = %s does not",
			 verdict_class_name(policies[_i].class),
			 verdict_policy_name(policies[_i].policy));
	if (!policies[_i].allowed)
		check_has(w.text, words);
}
END_TEST

/* By its name, and nothing else. */
START_TEST(accepts_by_name)
{
	add_finding(VERDICT_RISKY, "Another version.");
	made.findings[0].accept = ACCEPT_HYPERVISOR_VERSION;
	ck_assert_int_eq(decide(POLICY_PROVEN), -EPERM);
	check_has(w.text, "policy = proven does not accept; accept = hypervisor-version would");
	accepted = "processor-model";
	ck_assert_int_eq(decide(POLICY_PROVEN), -EPERM);
	accepted = "processor-model hypervisor-version";
	ck_assert_int_eq(decide(POLICY_PROVEN), 0);
	check_has(said, "risky, accepted: Another version.");
	check_has(handover.text, "risky, accepted: Another version.");
	ck_assert_int_eq(decide(POLICY_STRICT), -EPERM);
	/* It is still not all that the image is refused for. */
	made.lacks = made.huge = 5;
	ck_assert_int_eq(decide(POLICY_PROVEN), 0);
	add_finding(VERDICT_RISKY, "Something moved.");
	ck_assert_int_eq(decide(POLICY_PROVEN), -EPERM);
	ck_assert_ptr_null(strstr(w.text, "would"));
	accepted = "";
}
END_TEST

static const struct {
	enum verdict_about about;
	enum verdict_class class, other;
	enum verdict_policy policy;
	const char *now;
	unsigned int late;
	bool allowed;
	unsigned int slept;
} waits[] = {
	/* Ten seconds at most. */
	{ ABOUT_PCI_DEVICE, VERDICT_RISKY, VERDICT_SAME, POLICY_PROVEN, "", 1, true, 1 },
	{ ABOUT_VMBUS_DEVICE, VERDICT_FATAL, VERDICT_CORRECTED, POLICY_PROVEN, "", 50, true, 50 },
	{ ABOUT_VMBUS_DEVICE, VERDICT_FATAL, VERDICT_SAME, POLICY_TOLERANT, "", 51, false, 50 },
	/* Of the VMBus, another of its kind may have come first. */
	{ ABOUT_VMBUS_DEVICE, VERDICT_FATAL, VERDICT_SAME, POLICY_PROVEN, "f8b3781b", 1, true, 1 },
	/* Not where it is no reason, or not the only one, */
	{ ABOUT_PCI_DEVICE, VERDICT_RISKY, VERDICT_SAME, POLICY_TOLERANT, "", 1, true, 0 },
	{ ABOUT_PCI_DEVICE, VERDICT_HARMLESS, VERDICT_SAME, POLICY_STRICT, "", 1, false, 0 },
	{ ABOUT_PCI_DEVICE, VERDICT_RISKY, VERDICT_RISKY, POLICY_PROVEN, "", 1, false, 0 },
	{ ABOUT_CPU, VERDICT_RISKY, VERDICT_SAME, POLICY_PROVEN, "", 1, false, 0 },
	/* nor for one that is here already, as another. */
	{ ABOUT_PCI_DEVICE, VERDICT_RISKY, VERDICT_SAME, POLICY_PROVEN, "8086:1", 1, false, 0 },
};

START_TEST(waits_for_a_device)
{
	add_finding(waits[_i].other, "Something moved.");
	add_finding(waits[_i].class, "A device is missing.");
	made.findings[1].about = waits[_i].about;
	strcpy(made.findings[1].now, waits[_i].now);
	late = waits[_i].late;
	ck_assert_int_eq(decide(waits[_i].policy), waits[_i].allowed ? 0 : -EPERM);
	ck_assert_uint_eq(slept, waits[_i].slept);
	ck_assert((strstr(said, "waiting up to 10 s for a device") != NULL) == (slept > 0));
	/* Only what is so in the end is reported. */
	ck_assert((strstr(said, "A device is missing.") != NULL) ==
		  (slept == 0 || !waits[_i].allowed));
}
END_TEST

static const struct {
	uint64_t lacks, huge, crash;
	enum verdict_class other;
	enum verdict_policy policy;
	bool allowed;
	uint64_t huge_left, crash_left;
} rooms[] = {
	/* Nothing is released if nothing is lacking, */
	{ 0, 5, 6, VERDICT_HARMLESS, POLICY_PROVEN, true, 5, 6 },
	/* nor for an image that is refused anyway; */
	{ 1, 5, 6, VERDICT_FATAL, POLICY_TOLERANT, false, 5, 6 },
	{ 1, 5, 6, VERDICT_RISKY, POLICY_PROVEN, false, 5, 6 },
	/* the crash kernel's only if huge pages do not suffice. */
	{ 5, 5, 6, VERDICT_CORRECTED, POLICY_PROVEN, true, 0, 6 },
	{ 6, 5, 6, VERDICT_RISKY, POLICY_TOLERANT, true, 0, 0 },
	{ 1, 0, 6, VERDICT_HARMLESS, POLICY_PROVEN, true, 0, 0 },
	{ 12, 5, 6, VERDICT_HARMLESS, POLICY_PROVEN, false, 0, 0 },
	{ 1, 0, 0, VERDICT_HARMLESS, POLICY_PROVEN, false, 0, 0 },
};

START_TEST(makes_room)
{
	made.lacks = rooms[_i].lacks;
	made.huge = rooms[_i].huge;
	made.crash = rooms[_i].crash;
	add_finding(rooms[_i].other, "Something moved.");
	ck_assert_int_eq(decide(rooms[_i].policy), rooms[_i].allowed ? 0 : -EPERM);
	ck_assert_uint_eq(made.huge, rooms[_i].huge_left);
	ck_assert_uint_eq(made.crash, rooms[_i].crash_left);
	ck_assert((strstr(said, "5 bytes of memory that the kernel command line reserves for huge "
				"pages") != NULL) == (rooms[_i].huge != made.huge));
	ck_assert((strstr(handover.text, "6 bytes reserved for a crash kernel") != NULL) ==
		  (rooms[_i].crash != made.crash));
	ck_assert((strstr(said, "It does not fit.") != NULL) == (made.lacks > 0));
}
END_TEST

START_TEST(no_other_boot_helps)
{
	add_finding(VERDICT_FATAL, "It is lost.");
	made.hopeless = true;
	ck_assert_int_eq(decide(POLICY_PROVEN), -EPERM);
	ck_assert(decision.fatal && decision.hopeless);
}
END_TEST

static void plan_patches(void)
{
	static const unsigned char old[] = { 0x78, 0x56, 0x34, 0x12 },
				   new[] = { 0xef, 0xbe, 0xad, 0xde };

	add_finding(VERDICT_CORRECTED, "A page moved.");
	made.plan.patch_checksum = true;
	made.plan.checksum_size = sizeof(old);
	memcpy(made.plan.old_checksum, old, sizeof(old));
	memcpy(made.plan.new_checksum, new, sizeof(new));
	made.plan.patch_page_count = true;
	made.plan.old_page_count = 1000;
	made.plan.new_page_count = 999;
	memcpy(page + 32, old, sizeof(old));
	put_le64(page + 400, 1000);
}

/* A copy of the header is corrected, with old and new values logged. */
START_TEST(corrects)
{
	unsigned char before[PAGE];

	plan_patches();
	memcpy(before, page, PAGE);
	ck_assert_int_eq(decide(POLICY_PROVEN), 0);
	ck_assert_mem_eq(page, before, PAGE);
	ck_assert_ptr_nonnull(decision.first_page);
	memcpy(before + 32, made.plan.new_checksum, 4);
	put_le64(before + 400, 999);
	ck_assert_mem_eq(decision.first_page, before, PAGE);
	check_has(said, "checksum in the kernel's header: 12345678, now deadbeef");
	check_has(said, "page count in the kernel's header: 1000, now 999");
	check_has(handover.text, "checksum 12345678 became deadbeef\n");
	check_has(handover.text, "page count 1000 became 999\n");
}
END_TEST

START_TEST(cannot_correct)
{
	plan_patches();
	page[32]++;
	ck_assert_int_eq(decide(POLICY_PROVEN), -EINVAL);
	check_has(w.text, "the kernel's header is not the one that was judged");
	page[32]--;
	sections.kernel_header.size = 4000;
	no_memory = 4000;
	ck_assert_int_eq(decide(POLICY_PROVEN), -ENOMEM);
	no_memory = 0;
	ck_assert_int_eq(decide(POLICY_PROVEN), 0);
	/* Nothing is corrected for an image that is refused. */
	ck_assert_int_eq(decide(POLICY_STRICT), -EPERM);
	ck_assert_ptr_null(strstr(said, "deadbeef"));
	ck_assert_ptr_null(strstr(handover.text, "deadbeef"));
}
END_TEST

START_TEST(quarantine)
{
	add_finding(VERDICT_CORRECTED, "Pages moved.");
	for (size_t i = 0; i <= HANDOVER_RANGES_MAX; i++)
		made.quarantine[i] = (struct frame_range){ .first = 10 * i, .count = 2 };
	made.quarantine_count = HANDOVER_RANGES_MAX;
	ck_assert_int_eq(decide(POLICY_PROVEN), 0);
	ck_assert_uint_eq(handover.quarantine_count, HANDOVER_RANGES_MAX);
	for (size_t i = 0; i < HANDOVER_RANGES_MAX; i++) {
		ck_assert_uint_eq(handover.quarantine[i].first, 10 * i);
		ck_assert_uint_eq(handover.quarantine[i].count, 2);
	}
	ck_assert(!decision.fatal);
}
END_TEST

/* A quarantine that cannot be handed over cannot be done, so no policy accepts the image. */
START_TEST(too_much_to_quarantine)
{
	add_finding(VERDICT_CORRECTED, "Pages moved.");
	for (size_t i = 0; i <= HANDOVER_RANGES_MAX; i++)
		made.quarantine[i] = (struct frame_range){ .first = 10 * i, .count = 1 };
	made.quarantine_count = HANDOVER_RANGES_MAX + 1;
	ck_assert_int_eq(decide(POLICY_TOLERANT), -EPERM);
	check_has(w.text, "101 pages in 101 ranges would have to be offlined");
	ck_assert(decision.fatal && decision.map_refused);
	ck_assert_uint_eq(handover.quarantine_count, 0);
	made.quarantine_count = 1;
	made.quarantine[0].count = HANDOVER_PAGES_MAX + 1;
	ck_assert_int_eq(decide(POLICY_TOLERANT), -EPERM);
	check_has(w.text, "1025 pages in 1 range would have to be offlined; at most 1024 "
			  "in 100 can be");
	ck_assert(decision.fatal);
	made.quarantine[0].count = HANDOVER_PAGES_MAX;
	ck_assert_int_eq(decide(POLICY_PROVEN), 0);
}
END_TEST

/* Without a verdict it might crash. */
START_TEST(machine_not_described)
{
	made.described = false;
	made.judge = made.capture = -EIO; /* there is nothing to compare */
	ck_assert_int_eq(decide(POLICY_STRICT), -EPERM);
	ck_assert_int_eq(decide(POLICY_PROVEN), -EPERM);
	check_has(w.text, "does not say what machine it is of");
	ck_assert_int_eq(decide(POLICY_TOLERANT), 0);
	check_has(said, "does not say what machine it is of");
	ck_assert_ptr_null(strstr(said, "same"));
}
END_TEST

START_TEST(cannot_be_decided)
{
	made.judge = -ENOMEM;
	ck_assert_int_eq(decide(POLICY_TOLERANT), -ENOMEM);
	check_has(w.text, "there is no verdict");
	made.swaps = -ENXIO;
	ck_assert_int_eq(decide(POLICY_TOLERANT), -ENXIO);
	made.look = -EIO;
	ck_assert_int_eq(decide(POLICY_TOLERANT), -EIO);
	made.capture = -EACCES;
	ck_assert_int_eq(decide(POLICY_TOLERANT), -EACCES);
	check_has(w.text, "this machine is a riddle");
	made.open = -EBADMSG;
	ck_assert_int_eq(decide(POLICY_TOLERANT), -EBADMSG);
	check_has(w.text, "the platform section is damaged");
	ck_assert(!decision.fatal && !decision.hopeless);
	ck_assert_str_eq(handover.text, "");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "decide");

	if (crypto_init(NULL) < 0)
		exit(EXIT_FAILURE);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, the_same_machine);
	tcase_add_loop_test(tcase, policy, 0, (int)ARRAY_SIZE(policies));
	tcase_add_test(tcase, accepts_by_name);
	tcase_add_loop_test(tcase, makes_room, 0, (int)ARRAY_SIZE(rooms));
	tcase_add_loop_test(tcase, waits_for_a_device, 0, (int)ARRAY_SIZE(waits));
	tcase_add_test(tcase, no_other_boot_helps);
	tcase_add_test(tcase, corrects);
	tcase_add_test(tcase, cannot_correct);
	tcase_add_test(tcase, quarantine);
	tcase_add_test(tcase, too_much_to_quarantine);
	tcase_add_test(tcase, machine_not_described);
	tcase_add_test(tcase, cannot_be_decided);
}
