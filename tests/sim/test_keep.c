/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What loses a session, and what does not. The image is damaged, too new, of another page
 * size, or not the expected one; or the fault is with this boot, its libgcrypt, its
 * sysfs, the cable to its disk, or the typed passphrase.
 */
#include "../fuzz/reseal.h"
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "format/header_page.h"
#include "seal/key_slots.h"
#include "seal/seal.h"
#include "sim.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct sim *machine;
static struct sim_outcome outcome;

static void make(void)
{
	machine = sim_create();
}

static void unmake(void)
{
	sim_destroy(machine);
}

static void live(const struct sim_plan *plan, enum sim_fate fate, unsigned int boots)
{
	struct sim_plan whole = *plan;

	whole.method = METHOD_SHUTDOWN;
	sim_live(machine, &whole, &outcome);
	ck_assert_msg(!outcome.broken[0], "%s\n%.3000s", outcome.broken, outcome.said);
	ck_assert_msg(outcome.fate == fate && outcome.boots == boots,
		      "fate %d after %u boots instead of %d after %u\n%.3000s", outcome.fate,
		      outcome.boots, fate, boots, outcome.said);
}

static void said(const char *text)
{
	ck_assert_msg(strstr(outcome.said, text) != NULL, "%s\n%.3000s", text, outcome.said);
}

static bool ends_with(size_t page_size, const char *signature)
{
	return memcmp(sim_disk(machine) + page_size - 10, signature, strlen(signature)) == 0;
}

static unsigned char *record_of(unsigned char *disk)
{
	return disk + SIM_PAGE - 512;
}

static unsigned char *header_of(unsigned char *disk)
{
	return disk + get_le64(record_of(disk) + 32);
}

static void feature(unsigned char *disk)
{
	header_of(disk)[24] |= 2;
	reseal(disk, SIM_DISK_BYTES, RESEAL_RECORD);
}

static void block_check(unsigned char *disk)
{
	put_le32(header_of(disk) + 60, 7);
	reseal(disk, SIM_DISK_BYTES, RESEAL_RECORD);
}

static void version(unsigned char *disk)
{
	put_le32(record_of(disk) + 8, 2);
	reseal(disk, SIM_DISK_BYTES, RESEAL_RECORD);
}

/* A newer program's image is always kept, but the machine must not boot in an endless loop. */
START_TEST(test_too_new)
{
	static const struct {
		void (*change)(unsigned char *disk);
		unsigned int boots;
		const char *reason;
	} cases[] = {
		{ feature, 3, "needs a newer s2disk" },
		{ block_check, 3, "unknown kind 7" },
		/* A record that is not understood is not written to. */
		{ version, 1, "version 2" },
	};
	struct sim_plan plan = { .change = cases[_i].change };

	live(&plan, SIM_KEPT, cases[_i].boots);
	said(cases[_i].reason);
	said("the machine powers off");
	ck_assert(ends_with(SIM_PAGE, "ULSUSPEND"));
	plan.action = MISMATCH_DISCARD;
	live(&plan, SIM_FRESH, 1);
	ck_assert(ends_with(SIM_PAGE, "SWAPSPACE2"));
	plan.action = MISMATCH_REBOOT;
	plan.noresume = true;
	live(&plan, SIM_FRESH, 1);
	ck_assert(ends_with(SIM_PAGE, "SWAPSPACE2"));
}
END_TEST

static void damage_header(unsigned char *disk)
{
	header_of(disk)[104] ^= 1;
}

static void damage_version(unsigned char *disk)
{
	record_of(disk)[8] = 2;
}

START_TEST(test_damaged)
{
	static void (*const changes[])(unsigned char *disk) = { damage_header, damage_version };
	struct sim_plan plan = { .change = changes[_i] };

	/* A record that is not understood is not written to. */
	live(&plan, SIM_FRESH, _i ? 1 : 2);
	said("is damaged");
	said("image discarded");
	plan.action = MISMATCH_DISCARD;
	live(&plan, SIM_FRESH, 1);
	ck_assert(ends_with(SIM_PAGE, "SWAPSPACE2"));
}
END_TEST

/* Every read of a resume, with one bit of it flipped in transit: nothing is lost. */
START_TEST(test_flipped)
{
	struct sim_plan plan = { .workers = _i ? 2 : 0, .ways = _i ? SIM_PASSPHRASE : SIM_PLAIN };
	unsigned int again = 0, boots = 0;
	uint64_t last;

	live(&plan, SIM_RESUMED, 1);
	last = outcome.counts[SIM_IO];
	plan.class = SIM_IO;
	plan.fault = SIM_FLIP;
	plan.method = METHOD_SHUTDOWN;
	for (plan.at = 1; plan.at <= last; plan.at++) {
		plan.seed = plan.at * 7919;
		sim_live(machine, &plan, &outcome);
		ck_assert_msg(!outcome.broken[0], "number %" PRIu64 ": %s\n%.3000s", plan.at,
			      outcome.broken, outcome.said);
		ck_assert_msg(outcome.fate == SIM_RESUMED || outcome.fate == SIM_RUNS_ON,
			      "number %" PRIu64 ": %d\n%.3000s", plan.at, outcome.fate,
			      outcome.said);
		again += outcome.fate == SIM_RESUMED && outcome.counts[SIM_IO] > last;
		boots += outcome.boots > 1;
	}
	ck_assert_uint_gt(again, 3);
	printf("tried a flipped bit in each of %" PRIu64 " requests: read again in %u, booted "
	       "again in %u\n",
	       last, again, boots);
}
END_TEST

/* The image's key, found with the passphrase. */
static void open_seal(unsigned char *header, struct seal *seal)
{
	unsigned char key[IMAGE_KEY_SIZE];
	struct header_front front;
	struct key_slots slots;

	ck_assert_int_eq(crypto_init(NULL), 0);
	ck_assert_int_eq(header_page_front(header, SIM_PAGE, &front, NULL), 0);
	ck_assert_int_eq(key_slots_decode(&front, &slots, NULL), 0);
	ck_assert_int_eq(key_slots_try_passphrase(&slots, "a phrase", 8, key, NULL), 0);
	ck_assert_int_eq(seal_create(seal, front.cipher, NULL), 0);
	ck_assert_int_eq(seal_set_key(seal, front.image_id, key), 0);
}

/* What a newer program may write: a slot of an unknown kind, before the passphrase's or
 * in its place. */
static void put_slot(unsigned char *disk, bool beside)
{
	unsigned char *header = header_of(disk);
	struct seal seal;

	open_seal(header, &seal);
	ck_assert_int_eq(unseal_header(&seal, header, SIM_PAGE), 0);
	if (beside) {
		memmove(header + 1024 + 256, header + 1024, 256);
		put_le32(header + 8, 1024 + 2 * 256);
		put_le32(header + 268, 2);
	}
	memset(header + 1024, 0x5a, 256);
	put_le32(header + 1024, 4);
	ck_assert_int_eq(seal_header(&seal, header, SIM_PAGE), 0);
	seal_destroy(&seal);
	reseal(disk, SIM_DISK_BYTES, RESEAL_RECORD);
}

static void slot_beside(unsigned char *disk)
{
	put_slot(disk, true);
}

static void slot_instead(unsigned char *disk)
{
	put_slot(disk, false);
}

START_TEST(test_unknown_slot)
{
	struct sim_plan plan = { .ways = SIM_PASSPHRASE, .change = slot_beside };

	live(&plan, SIM_RESUMED, 1);
	plan.change = slot_instead;
	live(&plan, SIM_KEPT, 3);
	said("only key slots of kinds that this version does not know");
}
END_TEST

/* However often: nine tries were once enough to lose the session. But a stuck key must
 * not make the machine boot in an endless loop. */
START_TEST(test_wrong_passphrase)
{
	struct sim_plan plan = { .ways = _i ? SIM_KEY_PAIR : SIM_PASSPHRASE, .wrong_phrases = 2 };

	live(&plan, SIM_RESUMED, 1);
	plan.wrong_phrases = 30;
	live(&plan, SIM_RESUMED, 11);
	said("none of the passphrases entered opens the image");
	ck_assert_uint_eq(outcome.powered_off, 8);
	/* They are counted separately, so the count of boots that cannot take it stays unused. */
	plan.wrong_phrases = 6;
	plan.other_boots = 4;
	live(&plan, SIM_RESUMED, 5);
	said("refusal 2 of 2");
	plan.action = MISMATCH_DISCARD;
	live(&plan, SIM_FRESH, 1);
}
END_TEST

/* Plymouth died, the console cannot be opened, or there is no answer: no number of boots
 * loses it, and refusals are not used up. A cancel ends the boot. */
START_TEST(test_no_key)
{
	static const int errors[] = { -ENOKEY, -ENOENT };
	struct sim_plan plan = { .ways = SIM_PASSPHRASE,
				 .keyless_boots = 5,
				 .no_phrase = errors[_i] };

	live(&plan, SIM_RESUMED, 6);
	ck_assert_uint_eq(outcome.powered_off, 3);
	said("refusal 2 of 2 before the machine powers off");
	plan.other_boots = 4;
	plan.keyless_boots = 2;
	live(&plan, SIM_RESUMED, 5);
	ck_assert_uint_eq(outcome.powered_off, 0);
	plan.no_phrase = -ECANCELED;
	plan.other_boots = 1;
	live(&plan, SIM_RESUMED, 3);
	said("refusal 2 of 2 before it is discarded");
	plan.action = MISMATCH_DISCARD;
	live(&plan, SIM_FRESH, 1);
}
END_TEST

/* Failures of this boot's libgcrypt or sysfs are not the image's fault. */
START_TEST(test_this_boot)
{
	struct sim_plan plan = { .ways = SIM_PASSPHRASE, .no_ciphers = 2 };

	live(&plan, SIM_RESUMED, 3);
	plan = (struct sim_plan){ .bad_sysfs = 2 };
	live(&plan, SIM_RESUMED, 3);
}
END_TEST

/* Memory that the command line reserves is used for the image; a boot that continues
 * without the session gets it back. */
START_TEST(test_kept_memory)
{
	struct sim_plan plan = { .huge_pages = true };

	live(&plan, SIM_RESUMED, 1);
	said("reserves for huge pages");
	plan.no_room = true;
	plan.action = MISMATCH_DISCARD;
	live(&plan, SIM_FRESH, 1);
	said("reserves for huge pages");
	said("The image needs");
	plan.no_room = false;
	plan.failed_restores = 1;
	live(&plan, SIM_FRESH, 1);
}
END_TEST

#define OTHER_DATA 0xa5

static unsigned char *handover_of(unsigned char *disk)
{
	return disk + get_le64(header_of(disk) + 96);
}

/* The swap file was deleted, and its blocks begin to have other owners. */
static void other_file(unsigned char *disk)
{
	memset(handover_of(disk), OTHER_DATA, SIM_PAGE);
}

/* A damaged page of another image. */
static void other_handover(unsigned char *disk)
{
	other_file(disk);
	memcpy(handover_of(disk), "s2diskRF", 8);
}

/* Of this one, so it is written again. */
static void torn_handover(unsigned char *disk)
{
	other_handover(disk);
	memcpy(handover_of(disk) + 16, record_of(disk) + 16, 16);
}

static bool other_data_is_there(void)
{
	unsigned char last[SIM_PAGE - 64];

	memset(last, OTHER_DATA, sizeof(last));
	for (size_t page = 0; page < SIM_DISK_PAGES; page++)
		if (memcmp(sim_disk(machine) + page * SIM_PAGE + 64, last, sizeof(last)) == 0)
			return true;
	return false;
}

/* Boots that refuse an image write nothing to what may be another file's. */
START_TEST(test_other_file)
{
	static void (*const changes[])(unsigned char *disk) = { other_file, other_handover,
								torn_handover };
	struct sim_plan plan = {
		.change = changes[_i], .maps = "AB", .cannot_offline = true, .never_fits = true
	};

	live(&plan, SIM_FRESH, 3);
	said("refusal 2 of 2");
	ck_assert(other_data_is_there() == (_i < 2));
	ck_assert_uint_eq(outcome.left_refusals, _i < 2 ? 0 : 2);
}
END_TEST

/* What boots saw that refused an image which is then discarded unread. */
START_TEST(test_unread)
{
	struct sim_plan plan = { .noresume = true,
				 .refused_before = 2,
				 .maps = "AB",
				 .cannot_offline = true,
				 .ways = _i ? SIM_PASSPHRASE : SIM_PLAIN };

	live(&plan, SIM_FRESH, 3);
	said("noresume");
	ck_assert_uint_eq(outcome.left_refusals, 2);
}
END_TEST

static const uint64_t wrong_places[] = { 0, 3 * SIM_PAGE, SIM_PAGE + 8, SIM_DISK_PAGES *SIM_PAGE,
					 UINT64_MAX - SIM_PAGE + 1 };

static uint64_t wrong_place;

/* Who can write to the disk can write that, too. The first is an older version's. */
static void lead_astray(unsigned char *disk)
{
	put_le64(record_of(disk) + 104, wrong_place);
	reseal(disk, SIM_DISK_BYTES, RESEAL_RECORD);
}

/* Then nothing is known of them, and the image is discarded all the same. */
START_TEST(test_unread_astray)
{
	struct sim_plan plan = { .noresume = true,
				 .refused_before = 2,
				 .change = lead_astray,
				 .maps = "AB",
				 .cannot_offline = true,
				 .ways = SIM_PASSPHRASE };

	wrong_place = wrong_places[_i];
	live(&plan, SIM_FRESH, 3);
	said("noresume");
	ck_assert_uint_eq(outcome.left_refusals, 0);
}
END_TEST

static size_t other_size;

/* As written by a kernel with larger pages. */
static void other_pages(unsigned char *disk)
{
	unsigned char record[512], all[508];
	uint32_t crc;

	memcpy(record, record_of(disk), sizeof(record));
	memset(record_of(disk), 0, sizeof(record));
	put_le32(record + 12, (uint32_t)other_size);
	put_le64(record + 32, 4 * other_size);
	memcpy(all, record, 488);
	memcpy(all + 488, record + 492, 20);
	ck_assert_int_eq(crypto_init(NULL), 0);
	ck_assert_int_eq(crypto_crc32(all, sizeof(all), &crc), 0);
	put_le32(record + 488, crc);
	memcpy(disk + other_size - sizeof(record), record, sizeof(record));
}

START_TEST(test_page_size)
{
	struct sim_plan plan = { .change = other_pages };
	char text[80];

	other_size = _i ? 65536 : 16384;
	live(&plan, SIM_KEPT, 3);
	snprintf(text, sizeof(text), "pages of %zu bytes, this one has pages of 4096", other_size);
	said(text);
	ck_assert(ends_with(other_size, "ULSUSPEND"));
	/* Both refusals were counted, at that kernel's place. */
	ck_assert_uint_eq(get_le32(sim_disk(machine) + other_size - 512 + 88), 2);
	plan.action = MISMATCH_DISCARD;
	live(&plan, SIM_FRESH, 1);
	ck_assert(ends_with(other_size, "SWAPSPACE2"));
	plan.action = MISMATCH_REBOOT;
	plan.noresume = true;
	live(&plan, SIM_FRESH, 1);
	ck_assert(ends_with(other_size, "SWAPSPACE2"));
}
END_TEST

/* A partition that was shrunk, a disk on an adapter that hides its end: what is there is
 * intact, and another boot may see all of it. */
START_TEST(test_smaller)
{
	struct sim_plan plan = { .short_disk = _i ? SIM_DISK_BYTES / 2 : 2 * SIM_PAGE };

	live(&plan, SIM_RESUMED, 5);
	ck_assert_uint_eq(outcome.powered_off, 2);
	said("bytes now");
	plan.action = MISMATCH_DISCARD;
	live(&plan, SIM_FRESH, 1);
}
END_TEST

/* One of the kernel's own images in its place. */
static void kernels(unsigned char *disk)
{
	memset(record_of(disk), 0, 512);
	memcpy(disk + SIM_PAGE - 20, "SWAPSPACE2S1SUSPEND", 20);
}

START_TEST(test_kernels_own)
{
	struct sim_plan plan = { .change = kernels };

	/* Only the caller of restore() makes the kernel take it. */
	live(&plan, SIM_FRESH, 1);
	ck_assert(ends_with(SIM_PAGE, "S1SUSPEND"));
	plan.noresume = true;
	live(&plan, SIM_FRESH, 1);
	ck_assert(ends_with(SIM_PAGE, "SWAPSPACE2"));
	plan.noresume = false;
	plan.sealed_only = true;
	for (int i = 0; i < 2; i++) {
		plan.action = i ? MISMATCH_DISCARD : MISMATCH_REBOOT;
		live(&plan, i ? SIM_FRESH : SIM_KEPT, 1);
		said("which is not encrypted");
		ck_assert(ends_with(SIM_PAGE, i ? "SWAPSPACE2" : "S1SUSPEND"));
	}
	plan.noresume = true;
	live(&plan, SIM_FRESH, 1);
	ck_assert(ends_with(SIM_PAGE, "SWAPSPACE2"));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "keep"), *flips = test_case(suite, "flips");

	setvbuf(stdout, NULL, _IOLBF, 0);
	tcase_add_checked_fixture(tcase, make, unmake);
	tcase_set_timeout(tcase, 300);
	tcase_add_loop_test(tcase, test_too_new, 0, 3);
	tcase_add_loop_test(tcase, test_damaged, 0, 2);
	tcase_add_test(tcase, test_unknown_slot);
	tcase_add_loop_test(tcase, test_wrong_passphrase, 0, 2);
	tcase_add_loop_test(tcase, test_no_key, 0, 2);
	tcase_add_test(tcase, test_this_boot);
	tcase_add_test(tcase, test_kept_memory);
	tcase_add_loop_test(tcase, test_other_file, 0, 3);
	tcase_add_loop_test(tcase, test_unread, 0, 2);
	tcase_add_loop_test(tcase, test_unread_astray, 0, (int)ARRAY_SIZE(wrong_places));
	tcase_add_loop_test(tcase, test_page_size, 0, 2);
	tcase_add_loop_test(tcase, test_smaller, 0, 2);
	tcase_add_test(tcase, test_kernels_own);
	tcase_add_checked_fixture(flips, make, unmake);
	tcase_set_timeout(flips, 300);
	tcase_add_loop_test(flips, test_flipped, 0, 2);
}
