/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decide_image() with an image, a machine and a verdict that are made up. */
#ifndef TESTS_DECIDE_FIXTURE_H
#define TESTS_DECIDE_FIXTURE_H

#include "platform/memory/memory_map.h"
#include "resume/decide.h"

#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "fixtures/said.h"
#include "base/text.h"
#include "image/verdict_input.h"
#include "history/boot_record_file.h"
#include "platform/filesystems/other_swaps.h"
#include "verdict/verdict.h"

#include <errno.h>
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
static unsigned int opened, closed;
static unsigned int slept, late; /* turns; after late ones the device is there */
static size_t no_memory;	 /* an allocation of that size fails */
static unsigned int mounts;	 /* of the EFI variables */
static bool mounted;

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
bool __wrap_efi_variables_mount(const char *root);
void __wrap_efi_variables_unmount(void);
void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
	return no_memory && size == no_memory ? NULL : __real_malloc(size);
}

bool __wrap_efi_variables_mount(const char *root)
{
	(void)root;
	ck_assert(!mounted);
	mounts++;
	mounted = true;
	return true;
}

void __wrap_efi_variables_unmount(void)
{
	mounted = false;
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
	ck_assert(mounted);
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

int __wrap_nanosleep(const struct timespec *time, struct timespec *rest);

int __wrap_nanosleep(const struct timespec *time, struct timespec *rest)
{
	(void)rest;
	ck_assert_int_eq(time->tv_sec * 1000 + time->tv_nsec / 1000000, 200);
	if (++slept == late)
		made.count--;
	return 0;
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
	said_clear();
	opened = closed = 0;
	no_memory = 0;
	slept = late = 0;
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

static const char *accepted = "";

static int decide(enum verdict_policy policy)
{
	struct settings settings;
	int r;

	decision_free(&decision);
	handover = (struct handover){ .text = "" };
	w.text[0] = '\0';
	said_clear();
	settings_defaults(&settings);
	settings.platform_policy = policy;
	strcpy(settings.accept, accepted);
	mounts = 0;
	r = decide_image(NULL, &settings, &handover, &kept_memory, &decision, &w);
	if (r < 0)
		ck_assert_ptr_null(decision.first_page);
	/* Once, however often the machine is looked at: the kernel asks the firmware for each
	 * variable. */
	ck_assert(!mounted);
	ck_assert_uint_le(mounts, 1);
	return r;
}

#endif
