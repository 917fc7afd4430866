/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ten thousand lives of machines whose firmware moves memory, each with a history of memory maps
 * and without one, and the table of what was lost (doc/drift.md). S2DISK_SEED has another seed.
 */
#include "base/bytes.h"
#include "crypto/crypto.h"
#include "drift_lives.h"
#include "fixtures/check_main.h"
#include "fixtures/quick.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIVES 10000
#define QUICK_LIVES 300
#define SEED 17

/* Two lives with the same draws part when one of them loses a session, and then chance decides
 * which loses more: one loss of this many. */
#define LUCK 50

/* Without a history, and with one. */
struct row {
	const struct drift_class *class;
	size_t maps;
	struct drift_tally side[2];
};

static uint64_t first_seed(void)
{
	const char *text = getenv("S2DISK_SEED");

	return text ? strtoull(text, NULL, 0) : SEED;
}

static double per_thousand(uint64_t count, const struct drift_tally *tally)
{
	return 1000.0 * (double)count / (double)tally->hibernations;
}

static void print_causes(const struct drift_tally *tally)
{
	static const char *const words[LOSS_COUNT] = {
		[LOSS_PAGES] = "pages there",	 [LOSS_KERNEL] = "the kernel's pages",
		[LOSS_DOUBT] = "free, in doubt", [LOSS_TABLES] = "ACPI tables",
		[LOSS_FIRMWARE] = "firmware",	 [LOSS_MEMORY] = "memory gone",
		[LOSS_OTHER] = "other",
	};
	const char *before = " ";

	for (unsigned int i = 0; i < LOSS_COUNT; i++) {
		if (tally->cause[i] == 0)
			continue;
		printf("%s%s %.1f", before, words[i], per_thousand(tally->cause[i], tally));
		before = ", ";
	}
	printf(" |");
}

static void print_row(const struct row *row)
{
	printf("| %s | %zu | %" PRIu64 " |", row->class->name, row->maps,
	       row->side[0].hibernations);
	for (unsigned int i = 0; i < 2; i++) {
		const struct drift_tally *tally = &row->side[i];

		printf(" %.1f | %.1f + %.1f |", per_thousand(tally->lost, tally),
		       per_thousand(tally->lost - tally->lost_after, tally),
		       per_thousand(tally->lost_after, tally));
		print_causes(tally);
	}
	printf("\n");
}

static void print_head(uint64_t seed, uint64_t lives)
{
	printf("seed %" PRIu64 ", %" PRIu64 " lives of %u hibernations for each machine\n\n", seed,
	       lives, LIFE_HIBERNATIONS);
	printf("| machine | maps | hibernations | lost without | before + after | why | "
	       "lost with | before + after | why |\n"
	       "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
}

/* The same life without a history and with one. */
static void live_twice(const struct drift_machine *machine, uint64_t seed, struct row *row)
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct drift_plan plan = { .seed = seed, .remembers = i };

		drift_live(machine, &plan, &row->side[i]);
	}
}

static void run_class(const struct drift_class *class, uint64_t seed, uint64_t lives,
		      struct row *row)
{
	struct drift_machine machine = { 0 };

	*row = (struct row){ .class = class };
	for (uint64_t i = 0; i < lives; i++) {
		uint64_t life = drift_draw(seed, 'l', i, 0);

		if (i == 0 || !class->recorded) {
			drift_machine_free(&machine);
			class->make(class, life, &machine);
			drift_finish(&machine);
			row->maps = max_u64(row->maps, machine.boots.count);
		}
		live_twice(&machine, life, row);
	}
	drift_machine_free(&machine);
}

static void check_row(const struct row *row)
{
	const struct drift_tally *without = &row->side[0], *with = &row->side[1];

	ck_assert_msg(without->lost > 0, "%s: nothing lost without a history", row->class->name);
	ck_assert_msg(with->lost <= without->lost + without->lost / LUCK + 1,
		      "%s: %" PRIu64 " lost, %" PRIu64 " without", row->class->name, with->lost,
		      without->lost);
	ck_assert_msg(with->avoidable == 0, "%s: %" PRIu64 " lost at places that were known",
		      row->class->name, with->avoidable);
	ck_assert_msg(with->cause[LOSS_OTHER] + without->cause[LOSS_OTHER] == 0,
		      "%s: lost for other causes", row->class->name);
}

START_TEST(test_table)
{
	uint64_t seed = first_seed(), lives;
	const struct drift_class *classes;
	struct row rows[64];
	size_t count;

	classes = drift_classes(&count);
	ck_assert_uint_le(count, ARRAY_SIZE(rows));
	lives = div_round_up(quick() ? QUICK_LIVES : LIVES, count);
	print_head(seed, lives);
	for (size_t i = 0; i < count; i++) {
		run_class(&classes[i], drift_draw(seed, 'c', i, 0), lives, &rows[i]);
		print_row(&rows[i]);
	}
	for (size_t i = 0; i < count; i++)
		check_row(&rows[i]);
}
END_TEST

/* The machine of the report, with pages at both places always: it survives from the second boot
 * on, since both places are known then. Without a history it loses a session whenever the other
 * map comes too often. */
START_TEST(test_forum)
{
	uint64_t seed = first_seed();
	const struct drift_class *classes;
	struct drift_machine machine = { 0 };
	struct drift_tally without = { 0 }, with = { 0 };
	size_t count;

	classes = drift_classes(&count);
	ck_assert_str_eq(classes[0].name, "forum-boot");
	classes[0].make(&classes[0], seed, &machine);
	drift_finish(&machine);
	for (uint64_t i = 0; i < 50; i++) {
		struct drift_plan plan = { .seed = seed + i, .movable = true, .fill = 100 };

		drift_live(&machine, &plan, &without);
		plan.remembers = true;
		drift_live(&machine, &plan, &with);
	}
	drift_machine_free(&machine);
	ck_assert_uint_gt(without.lost, 50);
	ck_assert_uint_eq(with.lost_after, 0);
	ck_assert_uint_le(with.lost, with.lives);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "drift_lives");

	crypto_init(NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	tcase_set_timeout(tcase, 600);
	tcase_add_test(tcase, test_forum);
	tcase_add_test(tcase, test_table);
}
