/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decisions about an image that a boot cannot take. */
#include "fixtures/check_main.h"
#include "resume/mismatch.h"

#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(test_choose)
{
	static const struct {
		enum mismatch_action action;
		uint32_t refusals;
		enum mismatch_choice choice;
		bool ask;
	} cases[] = {
		{ MISMATCH_REBOOT, 0, CHOICE_REBOOT, false },
		{ MISMATCH_REBOOT, 1, CHOICE_REBOOT, false },
		{ MISMATCH_REBOOT, 2, CHOICE_DISCARD, false },
		{ MISMATCH_REBOOT, UINT32_MAX, CHOICE_DISCARD, false },
		{ MISMATCH_ASK, 0, CHOICE_REBOOT, true },
		{ MISMATCH_ASK, 2, CHOICE_DISCARD, true },
		{ MISMATCH_DISCARD, 0, CHOICE_DISCARD, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mismatch mismatch;
		struct settings settings;
		bool ask;

		settings_defaults(&settings);
		ck_assert_uint_eq(settings.mismatch_retries, 2);
		settings.mismatch_action = cases[i].action;
		mismatch = (struct mismatch){ .counted = true, .refusals = cases[i].refusals };
		ck_assert_int_eq(mismatch_choose(&settings, &mismatch, &ask), cases[i].choice);
		ck_assert_int_eq(ask, cases[i].ask);
		/* Another boot would not help. */
		mismatch.hopeless = true;
		ck_assert_int_eq(mismatch_choose(&settings, &mismatch, &ask), CHOICE_DISCARD);
		ck_assert_int_eq(ask, cases[i].ask);
		mismatch.lasting = true;
		ck_assert_int_eq(mismatch_choose(&settings, &mismatch, &ask), CHOICE_DISCARD);
	}
}
END_TEST

/* What is discarded only if the settings say so; and an unattended machine does not reboot
 * forever. */
START_TEST(test_kept)
{
	static const struct {
		struct mismatch mismatch;
		enum mismatch_choice choice;
		bool ask;
	} cases[] = {
		{ { WHY_WRONG_KEY, false, true, 0, false, 0, false, false }, CHOICE_REBOOT, false },
		{ { WHY_WRONG_KEY, false, true, 2, false, 0, false, false },
		  CHOICE_POWER_OFF,
		  true },
		{ { WHY_WRONG_KEY, false, true, 100, true, 0, false, false },
		  CHOICE_POWER_OFF,
		  true },
		{ { WHY_LOCKED, false, true, 1, true, 0, false, false }, CHOICE_REBOOT, false },
		{ { WHY_LOCKED, false, true, 2, false, 0, false, false }, CHOICE_POWER_OFF, true },
		{ { WHY_LOCKED, false, true, UINT32_MAX, false, 0, false, false },
		  CHOICE_POWER_OFF,
		  true },
		{ { WHY_TOO_NEW, false, true, 1, false, 0, false, false }, CHOICE_REBOOT, false },
		{ { WHY_TOO_NEW, false, true, 2, false, 0, false, false }, CHOICE_POWER_OFF, true },
		{ { WHY_TOO_NEW, false, false, 0, false, 0, false, false },
		  CHOICE_POWER_OFF,
		  true },
		{ { WHY_FOREIGN, false, true, 1, false, 0, false, false }, CHOICE_REBOOT, false },
		{ { WHY_FOREIGN, false, true, 2, false, 0, false, false }, CHOICE_POWER_OFF, true },
		{ { WHY_NOW, false, false, 0, false, 0, false, false }, CHOICE_POWER_OFF, true },
		{ { WHY_NOW, true, true, 0, false, 0, false, false }, CHOICE_REBOOT, false },
		{ { WHY_NOW, true, true, 1, true, 0, false, false }, CHOICE_REBOOT, false },
		{ { WHY_NOW, true, true, 2, false, 0, false, false }, CHOICE_POWER_OFF, true },
		{ { WHY_NOW, true, true, UINT32_MAX, true, 0, false, false },
		  CHOICE_POWER_OFF,
		  true },
		/* No reboot changes that. */
		{ { WHY_NOW, false, true, 0, false, 0, true, false }, CHOICE_POWER_OFF, true },
		{ { WHY_NOW, false, true, 2, false, 20, true, false }, CHOICE_POWER_OFF, true },
		{ { WHY_NOW, false, false, 0, false, 0, true, false }, CHOICE_POWER_OFF, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mismatch *mismatch = &cases[i].mismatch;
		struct settings settings;
		bool ask;

		settings_defaults(&settings);
		ck_assert_int_eq(mismatch_choose(&settings, mismatch, &ask), cases[i].choice);
		ck_assert_int_eq(ask, cases[i].ask);
		settings.mismatch_action = MISMATCH_ASK;
		ck_assert_int_eq(mismatch_choose(&settings, mismatch, &ask), cases[i].choice);
		ck_assert(ask);
		settings.mismatch_action = MISMATCH_DISCARD;
		ck_assert_int_eq(mismatch_choose(&settings, mismatch, &ask), CHOICE_DISCARD);
		ck_assert(!ask);
	}
}
END_TEST

/* Bad memory damages what is read into it each time. */
START_TEST(test_damaged)
{
	struct mismatch mismatch = { .class = WHY_DAMAGED, .counted = true };
	struct settings settings;
	bool ask = true;

	settings_defaults(&settings);
	ck_assert(!mismatch_keeps(&mismatch) && !mismatch_apart(&mismatch));
	for (int action = MISMATCH_REBOOT; action <= MISMATCH_DISCARD; action++) {
		settings.mismatch_action = (enum mismatch_action)action;
		mismatch.counted = true;
		mismatch.refusals = 0;
		ck_assert_int_eq(mismatch_choose(&settings, &mismatch, &ask),
				 action == MISMATCH_DISCARD ? CHOICE_DISCARD : CHOICE_REBOOT);
		ck_assert(!ask);
		mismatch.refusals = 1;
		ck_assert_int_eq(mismatch_choose(&settings, &mismatch, &ask), CHOICE_DISCARD);
		ck_assert(!ask);
		mismatch.refusals = 0;
		mismatch.counted = false;
		ck_assert_int_eq(mismatch_choose(&settings, &mismatch, &ask), CHOICE_DISCARD);
	}
	settings.mismatch_action = MISMATCH_REBOOT;
	settings.mismatch_retries = 0;
	mismatch.counted = true;
	ck_assert_int_eq(mismatch_choose(&settings, &mismatch, &ask), CHOICE_DISCARD);
}
END_TEST

/* A missing USB stick does not count as a refusal. */
START_TEST(test_apart)
{
	for (int class = WHY_NOW; class <= WHY_LOCKED; class ++) {
		struct mismatch mismatch = { .class = (enum why_class) class };

		ck_assert_int_eq(mismatch_apart(&mismatch),
				 class == WHY_WRONG_KEY || class == WHY_LOCKED);
		mismatch.vetoed = true;
		ck_assert(mismatch_apart(&mismatch) && mismatch_keeps(&mismatch));
	}
}
END_TEST

START_TEST(test_no_retries)
{
	struct settings settings;
	bool ask;

	settings_defaults(&settings);
	settings.mismatch_retries = 0;
	ck_assert_int_eq(mismatch_choose(&settings, &(struct mismatch){ .counted = true }, &ask),
			 CHOICE_DISCARD);
	ck_assert_int_eq(mismatch_choose(&settings,
					 &(struct mismatch){ .counted = true, .lasting = true },
					 &ask),
			 CHOICE_DISCARD);
}
END_TEST

/* A disk that was unplugged: the next boot may find it, and after the last one its user may. */
START_TEST(test_mendable)
{
	struct mismatch mismatch = { .counted = true, .mendable = true };
	struct settings settings;
	bool ask;

	settings_defaults(&settings);
	ck_assert(mismatch_keeps(&mismatch) && !mismatch_apart(&mismatch));
	ck_assert_int_eq(mismatch_choose(&settings, &mismatch, &ask), CHOICE_REBOOT);
	ck_assert(!ask);
	mismatch.refusals = 2;
	ck_assert_int_eq(mismatch_choose(&settings, &mismatch, &ask), CHOICE_POWER_OFF);
	ck_assert(ask);
	/* Another finding is one that nothing mends. */
	mismatch.hopeless = true;
	ck_assert(!mismatch_keeps(&mismatch));
	ck_assert_int_eq(mismatch_choose(&settings, &mismatch, &ask), CHOICE_DISCARD);
	mismatch.hopeless = false;
	settings.mismatch_action = MISMATCH_DISCARD;
	ck_assert_int_eq(mismatch_choose(&settings, &mismatch, &ask), CHOICE_DISCARD);
}
END_TEST

/* 14 boots had another map, and one with the right map fails for another reason: that is the
 * first of its kind. */
START_TEST(test_counters)
{
	struct signature_record record = {
		.refusals = 1, .vetoes = 2, .damages = 3, .map_refusals = 14
	};
	struct mismatch mismatch = { .class = WHY_NOW, .counted = true, .worth = 20 };
	struct settings settings;
	bool ask;

	settings_defaults(&settings);
	mismatch.refusals = *mismatch_counter(&mismatch, &record);
	ck_assert_uint_eq(mismatch.refusals, 1);
	ck_assert_uint_eq(mismatch_boots(&settings, &mismatch), 2);
	ck_assert_int_eq(mismatch_choose(&settings, &mismatch, &ask), CHOICE_REBOOT);
	mismatch.of_map = true;
	mismatch.refusals = *mismatch_counter(&mismatch, &record);
	ck_assert_uint_eq(mismatch.refusals, 14);
	ck_assert_uint_eq(mismatch_boots(&settings, &mismatch), 20);
	ck_assert_int_eq(mismatch_choose(&settings, &mismatch, &ask), CHOICE_REBOOT);
	mismatch.vetoed = true;
	ck_assert_ptr_eq(mismatch_counter(&mismatch, &record), &record.vetoes);
	mismatch.class = WHY_DAMAGED;
	ck_assert_ptr_eq(mismatch_counter(&mismatch, &record), &record.damages);
	mismatch = (struct mismatch){ .class = WHY_LOCKED, .of_map = true };
	ck_assert_ptr_eq(mismatch_counter(&mismatch, &record), &record.vetoes);
}
END_TEST

/* The odds make it more boots, never fewer; nor any where the user wants none. */
START_TEST(test_worth)
{
	static const struct {
		unsigned int retries;
		uint32_t worth, boots;
	} cases[] = { { 2, 0, 2 },   { 2, 1, 2 },  { 2, 2, 2 },	  { 2, 3, 3 },
		      { 2, 20, 20 }, { 0, 20, 0 }, { 30, 20, 30 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mismatch mismatch = { .counted = true,
					     .worth = cases[i].worth,
					     .of_map = true };
		struct settings settings;
		bool ask;

		settings_defaults(&settings);
		settings.mismatch_retries = cases[i].retries;
		ck_assert_uint_eq(mismatch_boots(&settings, &mismatch), cases[i].boots);
		mismatch.refusals = cases[i].boots;
		ck_assert_int_eq(mismatch_choose(&settings, &mismatch, &ask), CHOICE_DISCARD);
		if (mismatch.refusals-- == 0)
			continue;
		ck_assert_int_eq(mismatch_choose(&settings, &mismatch, &ask), CHOICE_REBOOT);
		mismatch.hopeless = true;
		ck_assert_int_eq(mismatch_choose(&settings, &mismatch, &ask), CHOICE_DISCARD);
		settings.mismatch_action = MISMATCH_DISCARD;
		ck_assert_int_eq(mismatch_choose(&settings, &mismatch, &ask), CHOICE_DISCARD);
	}
}
END_TEST

START_TEST(test_odds)
{
	static const struct {
		struct met_odds odds;
		bool at_least;
		uint32_t keep;
		const char *text;
	} cases[] = {
		{ { .boots = 11, .fitting = 9, .same = 2 },
		  false,
		  3,
		  "this boot's memory map was seen at 2 of the 11 boots that are known, the image "
		  "fits the maps of 9; it is kept for up to 3 boots" },
		{ { .boots = 11, .fitting = 9 },
		  true,
		  1,
		  "this boot's memory map was seen at none of the 11 boots that are known, the "
		  "image fits the maps of at least 9; it is kept for up to 1 boot" },
		{ { .boots = 4, .same = 4 },
		  false,
		  2,
		  "this boot's memory map was seen at 4 of the 4 boots that are known, the image "
		  "fits the maps of none; it is kept for up to 2 boots" },
		{ { .boots = UINT64_MAX, .fitting = UINT64_MAX, .same = UINT64_MAX },
		  true,
		  UINT32_MAX,
		  "this boot's memory map was seen at 18446744073709551615 of the "
		  "18446744073709551615 boots that are known, the image fits the maps of at least "
		  "18446744073709551615; it is kept for up to 4294967295 boots" },
		{ { .boots = 4, .fitting = 4, .same = 4, .log = true },
		  false,
		  2,
		  "this boot's memory map was seen at 4 of the 4 boots that are known, the image "
		  "fits the maps of 4; no other boot with this kernel and initramfs is known, "
		  "which decide where the TPM event log lies; it is kept for up to 2 boots" },
		{ { .boots = 4,
		    .fitting = 4,
		    .same = 4,
		    .log = true,
		    .log_missed = true,
		    .log_boots = 9,
		    .log_fitting = 5 },
		  true,
		  5,
		  "this boot's memory map was seen at 4 of the 4 boots that are known, the image "
		  "fits the maps of at least 4; with this kernel and initramfs it has no page "
		  "where the TPM event log lay in at least 5 of 9 boots; it is kept for up to 5 "
		  "boots" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[400];

		mismatch_odds(&cases[i].odds, cases[i].at_least, cases[i].keep, text, sizeof(text));
		ck_assert_str_eq(text, cases[i].text);
	}
}
END_TEST

START_TEST(test_keys)
{
	enum mismatch_choice choice = CHOICE_DISCARD;

	ck_assert(mismatch_key('b', true, &choice) && choice == CHOICE_REBOOT);
	ck_assert(mismatch_key('D', true, &choice) && choice == CHOICE_DISCARD);
	ck_assert(mismatch_key('O', true, &choice) && choice == CHOICE_POWER_OFF);
	ck_assert(mismatch_key('t', false, &choice) && choice == CHOICE_TRY);
	/* A fatal image is not tried, even on request. */
	ck_assert(!mismatch_key('t', true, &choice));
	ck_assert(!mismatch_key('T', true, &choice));
	for (int c = 0; c < 256; c++)
		if (!strchr("bBdDoOtT", c) || c == 0)
			ck_assert(!mismatch_key((char)c, false, &choice));
}
END_TEST

/* Asks on a pseudo terminal at which keys were pressed before. */
static enum mismatch_choice ask_with(const char *keys, bool fatal, enum mismatch_choice fallback,
				     unsigned int seconds)
{
	int master = -1, slave = -1, status;
	char name[128], byte;
	pid_t child;

	ck_assert_int_eq(openpty(&master, &slave, name, NULL, NULL), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		close(master);
		_exit(100 + (int)mismatch_ask(name, "?", fatal, fallback, seconds));
	}
	/* Input from before the question's first byte is flushed. */
	ck_assert_int_eq(read(master, &byte, 1), 1);
	ck_assert_int_eq(write(master, keys, strlen(keys)), (ssize_t)strlen(keys));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	close(master);
	close(slave);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) >= 100);
	return (enum mismatch_choice)(WEXITSTATUS(status) - 100);
}

START_TEST(test_ask)
{
	ck_assert_int_eq(ask_with("d", false, CHOICE_REBOOT, 60), CHOICE_DISCARD);
	ck_assert_int_eq(ask_with("xyb", false, CHOICE_DISCARD, 60), CHOICE_REBOOT);
	ck_assert_int_eq(ask_with("t", false, CHOICE_DISCARD, 60), CHOICE_TRY);
	ck_assert_int_eq(ask_with("td", true, CHOICE_REBOOT, 60), CHOICE_DISCARD);
	ck_assert_int_eq(ask_with("o", true, CHOICE_REBOOT, 60), CHOICE_POWER_OFF);
	/* There is no answer. */
	ck_assert_int_eq(ask_with("x", true, CHOICE_POWER_OFF, 1), CHOICE_POWER_OFF);
	ck_assert_int_eq(ask_with("x", false, CHOICE_REBOOT, 1), CHOICE_REBOOT);
	/* There is no console. */
	ck_assert_int_eq(mismatch_ask("/nonexistent/console", "?", false, CHOICE_DISCARD, 60),
			 CHOICE_DISCARD);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "mismatch");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, test_choose);
	tcase_add_test(tcase, test_kept);
	tcase_add_test(tcase, test_damaged);
	tcase_add_test(tcase, test_apart);
	tcase_add_test(tcase, test_no_retries);
	tcase_add_test(tcase, test_mendable);
	tcase_add_test(tcase, test_counters);
	tcase_add_test(tcase, test_worth);
	tcase_add_test(tcase, test_odds);
	tcase_add_test(tcase, test_keys);
	tcase_add_test(tcase, test_ask);
}
