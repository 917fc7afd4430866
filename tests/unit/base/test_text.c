/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: text. */
#include "base/bytes.h"
#include "base/text.h"
#include "fixtures/check_main.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text;
	int r_number, r_size;
	uint64_t number, size;
} numbers[] = {
	{ "0", 0, 0, 0, 0 },
	{ "4096", 0, 0, 4096, 4096 },
	{ "010", 0, 0, 10, 10 },
	{ "0x1f", 0, 0, 31, 31 },
	{ "18446744073709551615", 0, 0, UINT64_MAX, UINT64_MAX },
	{ "18446744073709551616", -ERANGE, -ERANGE, 0, 0 },
	{ "", -EINVAL, -EINVAL, 0, 0 },
	{ " 1", -EINVAL, -EINVAL, 0, 0 },
	{ "-1", -EINVAL, -EINVAL, 0, 0 },
	{ "+1", -EINVAL, -EINVAL, 0, 0 },
	{ "0x", -EINVAL, -EINVAL, 0, 0 },
	{ "0x-1", -EINVAL, -EINVAL, 0, 0 },
	{ "1x", -EINVAL, -EINVAL, 0, 0 },
	{ "K", -EINVAL, -EINVAL, 0, 0 },
	{ "1k", -EINVAL, 0, 0, 1024 },
	{ "2K", -EINVAL, 0, 0, 2048 },
	{ "3M", -EINVAL, 0, 0, 3 << 20 },
	{ "4 GiB", -EINVAL, 0, 0, 4ULL << 30 },
	{ "5GB", -EINVAL, 0, 0, 5ULL << 30 },
	{ "6Ti", -EINVAL, 0, 0, 6ULL << 40 },
	{ "7B", -EINVAL, 0, 0, 7 },
	{ "16777215T", -EINVAL, 0, 0, 16777215ULL << 40 },
	{ "16777216T", -EINVAL, -ERANGE, 0, 0 },
	{ "1KK", -EINVAL, -EINVAL, 0, 0 },
	{ "1iB", -EINVAL, -EINVAL, 0, 0 },
	{ "1KiBs", -EINVAL, -EINVAL, 0, 0 },
	{ "1.5G", -EINVAL, -EINVAL, 0, 0 },
};

START_TEST(text_reads_numbers)
{
	uint64_t value = 77;

	ck_assert_int_eq(text_parse_u64(numbers[_i].text, &value), numbers[_i].r_number);
	ck_assert_uint_eq(value, numbers[_i].r_number ? 77 : numbers[_i].number);
	value = 77;
	ck_assert_int_eq(text_parse_size(numbers[_i].text, &value), numbers[_i].r_size);
	ck_assert_uint_eq(value, numbers[_i].r_size ? 77 : numbers[_i].size);
}
END_TEST

START_TEST(text_reads_bools)
{
	static const char *const yes[] = { "y", "Y", "yes", "YES", "t", "true", "on", "On", "1" };
	static const char *const no[] = { "n", "N", "no", "No", "F", "false", "off", "0" };
	static const char *const neither[] = { "", " y", "yy", "2", "ye", "maybe" };
	bool value;

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		value = false;
		ck_assert_int_eq(text_parse_bool(yes[i], &value), 0);
		ck_assert(value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		value = true;
		ck_assert_int_eq(text_parse_bool(no[i], &value), 0);
		ck_assert(!value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(neither); i++) {
		value = true;
		ck_assert_int_eq(text_parse_bool(neither[i], &value), -EINVAL);
		ck_assert(value);
	}
}
END_TEST

START_TEST(text_trims_and_copies)
{
	char spaces[] = " \t a b \r\n", nothing[] = " \n", small[4];

	ck_assert_str_eq(text_trim(spaces), "a b");
	ck_assert_str_eq(text_trim(nothing), "");
	ck_assert(text_starts("resume=1", "resume="));
	ck_assert(text_starts("", ""));
	ck_assert(!text_starts("resume", "resume="));
	ck_assert(text_copy(small, sizeof(small), "abc"));
	ck_assert_str_eq(small, "abc");
	ck_assert(!text_copy(small, sizeof(small), "abcd"));
	ck_assert_str_eq(small, "abc");
}
END_TEST

START_TEST(text_finds_assignments)
{
	char value[8] = "before";

	ck_assert(!text_assigned("# NAME=x\nXNAME=y\nNAMES=z\n", "NAME", value, sizeof(value)));
	ck_assert_str_eq(value, "before");
	ck_assert(text_assigned("NAME=a\nNAME=\"b c\" # d", "NAME", value, sizeof(value)));
	ck_assert_str_eq(value, "b");
	ck_assert(text_assigned("\nNAME='1234567'\n", "NAME", value, sizeof(value)));
	ck_assert_str_eq(value, "1234567");
	ck_assert(!text_assigned("NAME=a\nNAME=12345678\n", "NAME", value, sizeof(value)));
	ck_assert_str_eq(value, "");
	ck_assert(!text_assigned("NAME=a\nNAME=", "NAME", value, sizeof(value)));
	ck_assert(!text_assigned("NAM", "NAME", value, sizeof(value)));
}
END_TEST

START_TEST(text_shows_sizes)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0 bytes" },	   { 1023, "1023 bytes" },   { 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },	   { 812 << 20, "812 MiB" }, { 1503238553, "1.4 GiB" },
		{ 1ULL << 40, "1.0 TiB" }, { UINT64_MAX, "16 EiB" },
	};
	char buffer[24];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		ck_assert_str_eq(text_size(sizes[i].bytes, buffer, sizeof(buffer)), sizes[i].text);
	ck_assert_str_eq(text_size(1536, buffer, 4), "1.5");
}
END_TEST

START_TEST(text_durations)
{
	static const struct {
		uint64_t usec;
		const char *text;
	} spans[] = {
		{ 0, "0 s" },
		{ 499999, "0 s" },
		{ 500000, "1 s" },
		{ 59400000, "59 s" },
		{ 59500000, "1 min 0 s" },
		{ 3599000000u, "59 min 59 s" },
		{ 3600000000u, "1 h 0 min" },
		{ UINT64_C(108120000000), "30 h 2 min" },
		{ UINT64_MAX, "5124095576 h 1 min" },
	};
	char buffer[24];

	for (size_t i = 0; i < ARRAY_SIZE(spans); i++)
		ck_assert_str_eq(text_duration(spans[i].usec, buffer, sizeof(buffer)),
				 spans[i].text);
}
END_TEST

START_TEST(text_makes_printable)
{
	static const char *const pairs[][2] = {
		{ "", "" },
		{ "plain text", "plain text" },
		{ "\033[2J", "?[2J" },
		{ "a\177\001b", "a??b" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\xc2\x9b"
		  "2J",
		  "??2J" }, /* a control character of two bytes */
		{ "\xc3", "?" },
		{ "\xe2\x82", "??" },
		{ "\xf0\x9f\x98", "???" },
		{ "\xff\xfe\x80", "???" },
		{ "\xc0\xaf", "??" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		/* On the heap, so that a read past the end is detected. */
		char *text = strdup(pairs[i][0]);

		ck_assert_ptr_nonnull(text);
		text_make_printable(text);
		ck_assert_str_eq(text, pairs[i][1]);
		free(text);
	}
}
END_TEST

START_TEST(text_excerpts)
{
	char buffer[8];

	ck_assert_ptr_eq(text_excerpt("", buffer, sizeof(buffer)), buffer);
	ck_assert_str_eq(buffer, "");
	ck_assert_str_eq(text_excerpt("seventy", buffer, sizeof(buffer)), "seventy");
	ck_assert_str_eq(text_excerpt("eighteen", buffer, sizeof(buffer)), "eigh...");
	ck_assert_str_eq(text_excerpt("a\nb\033c", buffer, sizeof(buffer)), "a?b?c");
	ck_assert_str_eq(text_excerpt("abc", buffer, 4), "abc");
	ck_assert_str_eq(text_excerpt("abcd", buffer, 4), "...");
	/* Cut within a character. */
	ck_assert_str_eq(text_excerpt("abc\xc3\xa4\xc3\xa4", buffer, 8), "abc\xc3\xa4\xc3\xa4");
	ck_assert_str_eq(text_excerpt("abc\xc3\xa4\xc3\xa4x", buffer, 8), "abc?...");
}
END_TEST

static const struct {
	const char *a, *b;
	size_t distance;
} distances[] = {
	{ "", "", 0 },
	{ "", "abc", 3 },
	{ "encrypt", "Encrypt", 0 },
	{ "encrypt", "enrypt", 1 },
	{ "encrypt", "enncrypt", 1 },
	{ "encrypt", "encript", 1 },
	{ "encrypt", "ecnrypt", 1 },
	{ "encrypt", "encrytp", 1 },
	{ "ca", "abc", 3 },
	{ "kitten", "sitting", 3 },
	{ "abcdef", "fedcba", 5 },
};

START_TEST(text_distances)
{
	char a[TEXT_DISTANCE_MAX + 2], b[TEXT_DISTANCE_MAX + 2];

	ck_assert_uint_eq(text_distance(distances[_i].a, distances[_i].b), distances[_i].distance);
	ck_assert_uint_eq(text_distance(distances[_i].b, distances[_i].a), distances[_i].distance);
	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	a[TEXT_DISTANCE_MAX + 1] = b[TEXT_DISTANCE_MAX + 1] = '\0';
	ck_assert_uint_eq(text_distance(a, "a"), TEXT_DISTANCE_MAX + 1);
	a[TEXT_DISTANCE_MAX] = b[TEXT_DISTANCE_MAX] = '\0';
	ck_assert_uint_eq(text_distance(a, "a"), TEXT_DISTANCE_MAX - 1);
	ck_assert_uint_eq(text_distance(a, b), TEXT_DISTANCE_MAX);
}
END_TEST

START_TEST(text_writes_uuids)
{
	static const unsigned char uuid[16] = { 0x0b, 0x49, 0xb8, 0x17, 0x38, 0x2a, 0x44, 0x40,
						0xa7, 0x8a, 0xa5, 0xcd, 0x6b, 0x7b, 0x5c, 0xf0 };
	char text[TEXT_UUID_SIZE + 1];

	text[TEXT_UUID_SIZE] = 'x';
	text_uuid(uuid, text);
	ck_assert_str_eq(text, "0b49b817-382a-4440-a78a-a5cd6b7b5cf0");
	ck_assert_int_eq(text[TEXT_UUID_SIZE], 'x');
}
END_TEST

START_TEST(text_undoes_octal)
{
	static const struct {
		const char *from, *to; /* NULL: refused */
	} cases[] = {
		{ "", "" },
		{ "/a\\040b\\011", "/a b\t" },
		{ "\\377", "\377" },
		{ "\\400 \\08 \\04", "\\400 \\08 \\04" },
		{ "\\!01", "\\!01" },
		{ "\\", "\\" },
		{ "a\\000b", NULL },
		{ "123456789012345", "123456789012345" },
		{ "1234567890123456", NULL },
	};
	char text[16];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool fits = text_unescape_octal(cases[i].from, strlen(cases[i].from), text,
						sizeof(text));

		ck_assert_msg(fits == (cases[i].to != NULL), "%s", cases[i].from);
		if (fits)
			ck_assert_str_eq(text, cases[i].to);
	}
	strcpy(text, "x\\040y");
	ck_assert(text_unescape_octal(text, strlen(text), text, sizeof(text)));
	ck_assert_str_eq(text, "x y");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "text");

	tcase_add_loop_test(tcase, text_reads_numbers, 0, (int)ARRAY_SIZE(numbers));
	tcase_add_test(tcase, text_reads_bools);
	tcase_add_test(tcase, text_trims_and_copies);
	tcase_add_test(tcase, text_finds_assignments);
	tcase_add_test(tcase, text_shows_sizes);
	tcase_add_test(tcase, text_durations);
	tcase_add_test(tcase, text_makes_printable);
	tcase_add_test(tcase, text_excerpts);
	tcase_add_loop_test(tcase, text_distances, 0, (int)ARRAY_SIZE(distances));
	tcase_add_test(tcase, text_writes_uuids);
	tcase_add_test(tcase, text_undoes_octal);
}
