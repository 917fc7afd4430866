/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resume's decision: what is done about each verdict. The image, this machine, and the verdict
 * are made up. */
#include "platform/memory/memory_map.h"
#include "resume/decide.h"

#include "base/bytes.h"
#include "base/log.h"
#include "fixtures/check_main.h"
#include "base/text.h"
#include "image/verdict_input.h"
#include "history/boot_record_file.h"
#include "platform/filesystems/other_swaps.h"
#include "verdict/verdict.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096

static struct {
	int open, capture, look, swaps, judge; /* what these give */
	bool described;
	struct finding findings[4];
	size_t count;
	bool hopeless;
	uint64_t huge, crash; /* bytes that can be released */
	uint64_t lacks;	      /* bytes, until they are released */
	const char *map;      /* the firmware's, of this boot */
	struct maps_met met;  /* in the image */
	bool coarse;
	struct verdict_plan plan;
	struct frame_range quarantine[HANDOVER_RANGES_MAX + 1];
	size_t quarantine_count;
} made;

static const struct frame_range image_ranges[] = { { 0x100, 0x700 } };
static struct kept_memory kept_memory;
static unsigned char page[PAGE];
static struct sections sections;
static struct image_header image_header = { .handover = PAGE };
static bool seen_no_handover; /* by the verdict */
static char said[8192];
static unsigned int opened, closed;
static size_t no_memory; /* an allocation of that size fails */

const struct sections *__wrap_image_reader_sections(const struct image_reader *reader);
const struct image_header *__wrap_image_reader_header(const struct image_reader *reader);
int __wrap_verdict_input_open(const struct sections *from, struct verdict_input *ret,
			      struct why *w);
void __wrap_verdict_input_close(struct verdict_input *input);
int __wrap_boot_record_log(const char *root, char **ret);
int __wrap_platform_capture(const char *root, const char *log, struct platform *ret, struct why *w);
int __wrap_platform_look_for(const char *root, const struct platform *then, struct platform *now);
int __wrap_other_swaps_await(const char *root, const struct swaps *wanted, unsigned int msec,
			     struct swaps *ret);
int __wrap_verdict_judge(const struct platform *then, const struct platform *now,
			 const struct verdict_image *image, struct verdict *ret, struct why *w);
uint64_t __wrap_kept_memory_give_huge(struct kept_memory *kept, const char *root);
uint64_t __wrap_kept_memory_give_crash(const char *root);
void __wrap_log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
	return no_memory && size == no_memory ? NULL : __real_malloc(size);
}

const struct sections *__wrap_image_reader_sections(const struct image_reader *reader)
{
	(void)reader;
	return &sections;
}

const struct image_header *__wrap_image_reader_header(const struct image_reader *reader)
{
	(void)reader;
	return &image_header;
}

int __wrap_verdict_input_open(const struct sections *from, struct verdict_input *ret, struct why *w)
{
	ck_assert_ptr_eq(from, &sections);
	if (made.open < 0)
		return why(w, made.open, "the platform section is damaged");
	opened++;
	ret->described = made.described;
	ret->platform.hibernation.platform_mode = 1;
	ret->platform.met = made.met;
	ret->image.ranges = image_ranges;
	ret->image.range_count = ARRAY_SIZE(image_ranges);
	ret->image.coarse = made.coarse;
	return 0;
}

void __wrap_verdict_input_close(struct verdict_input *input)
{
	memset(input, 0, sizeof(*input));
	closed++;
}

int __wrap_boot_record_log(const char *root, char **ret)
{
	(void)root;
	(void)ret;
	return -ENOENT;
}

int __wrap_platform_capture(const char *root, const char *log, struct platform *ret, struct why *w)
{
	ck_assert_str_eq(root, "");
	ck_assert_ptr_null(log);
	memset(ret, 0, sizeof(*ret));
	if (made.map)
		ck_assert_int_eq(memory_map_parse(made.map, &ret->map), 0);
	return made.capture < 0 ? why(w, made.capture, "this machine is a riddle") : 0;
}

int __wrap_platform_look_for(const char *root, const struct platform *then, struct platform *now)
{
	(void)root;
	(void)then;
	(void)now;
	return made.look;
}

/* Waited for; the verdict is given what was found. */
int __wrap_other_swaps_await(const char *root, const struct swaps *wanted, unsigned int msec,
			     struct swaps *ret)
{
	(void)wanted;
	ck_assert_str_eq(root, "");
	ck_assert_uint_eq(msec, 10000);
	ret->items.known = true;
	return made.swaps;
}

int __wrap_verdict_judge(const struct platform *then, const struct platform *now,
			 const struct verdict_image *image, struct verdict *ret, struct why *w)
{
	struct verdict verdict = { .count = made.count,
				   .hopeless = made.hopeless,
				   .plan = made.plan };

	(void)then;
	ck_assert(now->swaps.items.known);
	seen_no_handover = image->no_handover;
	if (made.judge < 0)
		return why(w, made.judge, "there is no verdict");
	verdict.findings = malloc(sizeof(made.findings));
	ck_assert_ptr_nonnull(verdict.findings);
	memcpy(verdict.findings, made.findings, sizeof(made.findings));
	if (made.lacks > 0)
		verdict.findings[verdict.count++] = (struct finding){
			.about = ABOUT_MEMORY_SIZE,
			.class = VERDICT_FATAL,
			.text = "It does not fit.",
		};
	for (size_t i = 0; i < verdict.count; i++)
		if (verdict.findings[i].class > verdict.worst)
			verdict.worst = verdict.findings[i].class;
	verdict.plan.quarantine.items = malloc(sizeof(made.quarantine));
	ck_assert_ptr_nonnull(verdict.plan.quarantine.items);
	memcpy(verdict.plan.quarantine.items, made.quarantine, sizeof(made.quarantine));
	verdict.plan.quarantine.count = made.quarantine_count;
	*ret = verdict;
	return 0;
}

void __wrap_log_message(enum log_level level, const char *format, ...)
{
	size_t used = strlen(said);
	va_list args;

	(void)level;
	va_start(args, format);
	vsnprintf(said + used, sizeof(said) - used, format, args);
	va_end(args);
	strncat(said, "\n", sizeof(said) - strlen(said) - 1);
}

uint64_t __wrap_kept_memory_give_huge(struct kept_memory *kept, const char *root)
{
	uint64_t bytes = made.huge;

	ck_assert_ptr_eq(kept, &kept_memory);
	ck_assert_str_eq(root, "");
	made.huge = 0;
	made.lacks -= min_u64(made.lacks, bytes);
	return bytes;
}

uint64_t __wrap_kept_memory_give_crash(const char *root)
{
	uint64_t bytes = made.crash;

	ck_assert_str_eq(root, "");
	made.crash = 0;
	made.lacks -= min_u64(made.lacks, bytes);
	return bytes;
}

static void add_finding(enum verdict_class class, const char *text)
{
	struct finding *finding = &made.findings[made.count++];

	*finding = (struct finding){ .class = class };
	snprintf(finding->text, sizeof(finding->text), "%s", text);
	snprintf(finding->advice, sizeof(finding->advice), "Do something.");
}

static void setup(void)
{
	memset(&made, 0, sizeof(made));
	memset(page, 0x11, sizeof(page));
	sections = (struct sections){ .kernel_header = { .data = page, .size = PAGE } };
	made.described = true;
	said[0] = '\0';
	opened = closed = 0;
	no_memory = 0;
}

static struct handover handover;
static struct decision decision;
static struct why w;

static void teardown(void)
{
	decision_free(&decision);
	ck_assert_ptr_null(decision.first_page);
	ck_assert_ptr_null(decision.verdict.findings);
	ck_assert_ptr_null(decision.boot.map.entries.items);
	maps_met_free(&made.met);
	ck_assert_uint_eq(opened, closed);
}

static int decide(enum verdict_policy policy)
{
	struct settings settings;
	int r;

	decision_free(&decision);
	handover = (struct handover){ .text = "" };
	w.text[0] = said[0] = '\0';
	settings_defaults(&settings);
	settings.platform_policy = policy;
	r = decide_image(NULL, &settings, &handover, &kept_memory, &decision, &w);
	if (r < 0)
		ck_assert_ptr_null(decision.first_page);
	return r;
}

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
	ck_assert(!decision.map_refused);
}
END_TEST

/* Another memory map would change nothing of the others. */
START_TEST(what_maps_are_to_blame_for)
{
	const enum verdict_about about = (enum verdict_about)_i;
	bool of_map = about == ABOUT_MEMORY_MAP || about == ABOUT_MEMORY_REGION ||
		      about == ABOUT_IMAGE_PAGES || about == ABOUT_KERNEL_CHECK ||
		      about == ABOUT_PAGE_COUNT || about == ABOUT_ACPI_TABLES ||
		      about == ABOUT_EFI_RUNTIME;

	add_finding(VERDICT_RISKY, "Something moved.");
	made.findings[0].about = about;
	ck_assert_int_eq(decide(POLICY_PROVEN), -EPERM);
	ck_assert(decision.map_refused == of_map);
	ck_assert_int_eq(decide(POLICY_TOLERANT), 0);
	ck_assert(!decision.map_refused);
	/* It moved, but that is not why. */
	made.findings[0].class = VERDICT_CORRECTED;
	add_finding(VERDICT_FATAL, "Something is missing.");
	made.findings[1].about = ABOUT_SWAP_AREA;
	ck_assert_int_eq(decide(POLICY_PROVEN), -EPERM);
	ck_assert(!decision.map_refused);
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
	tcase_add_loop_test(tcase, makes_room, 0, (int)ARRAY_SIZE(rooms));
	tcase_add_test(tcase, no_other_boot_helps);
	tcase_add_test(tcase, corrects);
	tcase_add_test(tcase, cannot_correct);
	tcase_add_test(tcase, quarantine);
	tcase_add_test(tcase, too_much_to_quarantine);
	tcase_add_test(tcase, machine_not_described);
	tcase_add_test(tcase, cannot_be_decided);
	tcase_add_loop_test(tcase, odds, 0, 2);
	tcase_add_test(tcase, no_odds);
	tcase_add_loop_test(tcase, what_maps_are_to_blame_for, 0, ABOUT_COUNT);
}
