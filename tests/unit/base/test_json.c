/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fixtures/check_main.h"
#include "output/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static struct json json;
static char *text;
static size_t length;

static void begin(void)
{
	FILE *out = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(out);
	json_begin(&json, out);
}

static void expect(int result, const char *expected)
{
	ck_assert_int_eq(json_end(&json), result);
	fclose(json.out);
	ck_assert_str_eq(text, expected);
	free(text);
}

START_TEST(empty_containers)
{
	begin();
	json_object_begin(&json, NULL);
	json_array_begin(&json, "list");
	json_array_end(&json);
	json_object_begin(&json, "map");
	json_object_end(&json);
	json_object_end(&json);
	expect(0, "{\n  \"list\": [],\n  \"map\": {}\n}\n");
}
END_TEST

START_TEST(values)
{
	begin();
	json_object_begin(&json, NULL);
	json_u64(&json, "u", UINT64_MAX);
	json_bool(&json, "yes", true);
	json_bool(&json, "no", false);
	json_null(&json, "null");
	json_string(&json, "none", NULL);
	json_array_begin(&json, "list");
	json_string(&json, NULL, "one");
	json_u64(&json, NULL, 2);
	json_array_end(&json);
	json_object_end(&json);
	expect(0, "{\n"
		  "  \"u\": 18446744073709551615,\n"
		  "  \"yes\": true,\n"
		  "  \"no\": false,\n"
		  "  \"null\": null,\n"
		  "  \"none\": null,\n"
		  "  \"list\": [\n"
		  "    \"one\",\n"
		  "    2\n"
		  "  ]\n"
		  "}\n");
}
END_TEST

static const struct {
	double value;
	const char *expected;
} doubles[] = {
	{ 0.1, "0.1\n" },
	{ 645, "645\n" },
	{ -2.5, "-2.5\n" },
	{ 1e300, "1e+300\n" },
	{ 1.0 / 3, "0.33333333333333331\n" },
	{ NAN, "null\n" },
	{ INFINITY, "null\n" },
	{ -INFINITY, "null\n" },
};

START_TEST(double_values)
{
	begin();
	json_double(&json, NULL, doubles[_i].value);
	expect(0, doubles[_i].expected);
}
END_TEST

static const struct {
	const char *value, *expected;
} strings[] = {
	{ "", "\"\"\n" },
	{ "say \"x\\y\"", "\"say \\\"x\\\\y\\\"\"\n" },
	{ "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"\n" },
	{ "\x01\x1b\x7f", "\"\\u0001\\u001b\\u007f\"\n" },
	{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"\n" },
	{ "a\xff"
	  "b",
	  "\"a\xef\xbf\xbd"
	  "b\"\n" },
	{ "\xc3", "\"\xef\xbf\xbd\"\n" },		  /* truncated */
	{ "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"\n" }, /* overlong */
	{ "\xe0\x9f\xbf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"\n" },
	{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"\n" }, /* surrogate */
	{ "\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"\n" },
	{ "\xed\x9f\xbf\xf4\x8f\xbf\xbf", "\"\xed\x9f\xbf\xf4\x8f\xbf\xbf\"\n" },
};

START_TEST(string_values)
{
	begin();
	json_string(&json, NULL, strings[_i].value);
	expect(0, strings[_i].expected);
}
END_TEST

START_TEST(keys_are_escaped)
{
	begin();
	json_object_begin(&json, NULL);
	json_null(&json, "a\"b");
	json_object_end(&json);
	expect(0, "{\n  \"a\\\"b\": null\n}\n");
}
END_TEST

static int nest(unsigned int depth)
{
	int r;

	begin();
	for (unsigned int i = 0; i < depth; i++)
		json_array_begin(&json, NULL);
	for (unsigned int i = 0; i < depth; i++)
		json_array_end(&json);
	r = json_end(&json);
	fclose(json.out);
	free(text);
	return r;
}

START_TEST(depth_is_bounded)
{
	ck_assert_int_eq(nest(JSON_DEPTH_MAX), 0);
	ck_assert_int_eq(nest(JSON_DEPTH_MAX + 1), -EINVAL);
	ck_assert_int_eq(nest(JSON_DEPTH_MAX + 5), -EINVAL);
}
END_TEST

START_TEST(unbalanced_is_reported)
{
	begin();
	json_object_begin(&json, NULL);
	expect(-EINVAL, "{\n");

	begin();
	json_object_end(&json);
	expect(-EINVAL, "\n");

	begin();
	json_null(&json, NULL);
	json_null(&json, NULL);
	expect(-EINVAL, "null,null\n");
}
END_TEST

START_TEST(write_error_is_reported)
{
	FILE *full = fopen("/dev/full", "w");

	ck_assert_ptr_nonnull(full);
	json_begin(&json, full);
	json_null(&json, NULL);
	ck_assert_int_eq(json_end(&json), -EIO);
	fclose(full);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "json");

	tcase_add_test(tcase, empty_containers);
	tcase_add_test(tcase, values);
	tcase_add_loop_test(tcase, double_values, 0, sizeof(doubles) / sizeof(doubles[0]));
	tcase_add_loop_test(tcase, string_values, 0, sizeof(strings) / sizeof(strings[0]));
	tcase_add_test(tcase, keys_are_escaped);
	tcase_add_test(tcase, depth_is_bounded);
	tcase_add_test(tcase, unbalanced_is_reported);
	tcase_add_test(tcase, write_error_is_reported);
}
