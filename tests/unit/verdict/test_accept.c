/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single risky differences, accepted by name. */
#include "fixtures/check_main.h"
#include "verdict/finding.h"

#include <errno.h>
#include <string.h>

static struct finding findings[3];
static struct verdict made = { .findings = findings, .count = 3 };
static char words[160];

static void setup(void)
{
	memset(findings, 0, sizeof(findings));
	made.worst = VERDICT_RISKY;
	made.omitted = 0;
	findings[0] = (struct finding){ .class = VERDICT_RISKY, .accept = ACCEPT_PROCESSOR_MODEL };
	findings[1] =
		(struct finding){ .class = VERDICT_RISKY, .accept = ACCEPT_HYPERVISOR_VERSION };
	findings[2] = (struct finding){ .class = VERDICT_CORRECTED };
}

static unsigned int set_of(const char *text)
{
	unsigned int set = 77;

	ck_assert_int_eq(verdict_accept_parse(text, &set, NULL), 0);
	return set;
}

START_TEST(parses)
{
	struct why w = { 0 };
	unsigned int set = 77;

	ck_assert_uint_eq(set_of(""), 0);
	ck_assert_uint_eq(set_of(" , "), 0);
	ck_assert_uint_eq(set_of("processor-model,hypervisor-version"),
			  1u << ACCEPT_PROCESSOR_MODEL | 1u << ACCEPT_HYPERVISOR_VERSION);
	for (int i = ACCEPT_NOTHING + 1; i < ACCEPT_COUNT; i++)
		ck_assert_uint_eq(set_of(verdict_accept_name((enum verdict_accept)i)), 1u << i);
	ck_assert_str_eq(verdict_accept_name(ACCEPT_NOTHING), "");
	ck_assert_int_eq(verdict_accept_parse("processor-model processor", &set, &w), -EINVAL);
	ck_assert_uint_eq(set, 77);
	ck_assert_str_eq(w.text,
			 "\"processor\" cannot be accepted; only: hypervisor-version, "
			 "processor-model, processor-count, firmware-version, machine-model, "
			 "device-tree, vmbus-device, pci-device");
}
END_TEST

START_TEST(accepts)
{
	verdict_accept(&made, set_of("processor-model"));
	ck_assert(findings[0].accepted && !findings[1].accepted);
	ck_assert_int_eq(made.worst, VERDICT_RISKY);
	ck_assert_str_eq(verdict_acceptable(&made, words, sizeof(words)), "hypervisor-version");
	verdict_accept(&made, set_of("processor-model hypervisor-version"));
	ck_assert_int_eq(made.worst, VERDICT_CORRECTED);
	ck_assert_int_eq(findings[0].class, VERDICT_RISKY);
	ck_assert_str_eq(verdict_acceptable(&made, words, sizeof(words)), "");
	/* They count as harmless. */
	findings[2].class = VERDICT_SAME;
	verdict_accept(&made, set_of("processor-model hypervisor-version"));
	ck_assert_int_eq(made.worst, VERDICT_HARMLESS);
}
END_TEST

START_TEST(never)
{
	/* What is fatal, */
	findings[0].class = made.worst = VERDICT_FATAL;
	verdict_accept(&made, set_of("processor-model hypervisor-version"));
	ck_assert(!findings[0].accepted && findings[1].accepted);
	ck_assert_int_eq(made.worst, VERDICT_FATAL);
	ck_assert_str_eq(verdict_acceptable(&made, words, sizeof(words)), "");
	/* what has no name, */
	setup();
	findings[1].accept = ACCEPT_NOTHING;
	verdict_accept(&made, ~0u);
	ck_assert(!findings[1].accepted);
	ck_assert_int_eq(made.worst, VERDICT_RISKY);
	ck_assert_str_eq(verdict_acceptable(&made, words, sizeof(words)), "");
	/* and what is not in the list. */
	setup();
	made.omitted = 1;
	verdict_accept(&made, ~0u);
	ck_assert(!findings[0].accepted);
	ck_assert_int_eq(made.worst, VERDICT_RISKY);
	ck_assert_str_eq(verdict_acceptable(&made, words, sizeof(words)), "");
}
END_TEST

START_TEST(says_what_would)
{
	ck_assert_str_eq(verdict_acceptable(&made, words, sizeof(words)),
			 "hypervisor-version processor-model");
	findings[1].accept = ACCEPT_PROCESSOR_MODEL;
	ck_assert_str_eq(verdict_acceptable(&made, words, sizeof(words)), "processor-model");
	verdict_accept(&made, 0);
	ck_assert_int_eq(made.worst, VERDICT_RISKY);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tc = test_case(suite, "accept");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, parses);
	tcase_add_test(tc, accepts);
	tcase_add_test(tc, never);
	tcase_add_test(tc, says_what_would);
}
