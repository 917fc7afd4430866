/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "release devices": what its words mean. */
#include "fixtures/check_main.h"
#include "release/release_rules.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct release_rules rules;

START_TEST(all_kinds)
{
	const char *text =
		" 0000:01:0A.1, 10000:E1:00.0 8086:10D3 class:02\tclass:0300 e1000e "
		"vmbus/f8b3781a-1e82-4818-a1c3-63d806ec15bb usb/1-2.4,module:nvidia_uvm ";

	ck_assert_int_eq(release_rules_parse(text, &rules, NULL), 0);
	ck_assert_uint_eq(rules.count, 9);
	ck_assert_int_eq(rules.items[0].by, RELEASE_BY_ADDRESS);
	ck_assert_str_eq(rules.items[0].text, "0000:01:0a.1");
	ck_assert_int_eq(rules.items[1].by, RELEASE_BY_ADDRESS);
	ck_assert_str_eq(rules.items[1].text, "10000:e1:00.0");
	ck_assert_int_eq(rules.items[2].by, RELEASE_BY_ID);
	ck_assert_str_eq(rules.items[2].text, "8086:10d3");
	ck_assert_int_eq(rules.items[3].by, RELEASE_BY_CLASS);
	ck_assert_uint_eq(0x020000 >> rules.items[3].shifted, rules.items[3].class);
	ck_assert_uint_eq(0x030012 >> rules.items[4].shifted, rules.items[4].class);
	ck_assert_uint_ne(0x038000 >> rules.items[4].shifted, rules.items[4].class);
	ck_assert_int_eq(rules.items[5].by, RELEASE_BY_DRIVER);
	ck_assert_str_eq(rules.items[5].text, "e1000e");
	ck_assert_int_eq(rules.items[6].by, RELEASE_BY_DEVICE);
	ck_assert_str_eq(rules.items[6].bus, "vmbus");
	ck_assert_str_eq(rules.items[6].text, "f8b3781a-1e82-4818-a1c3-63d806ec15bb");
	ck_assert_str_eq(rules.items[7].text, "1-2.4");
	ck_assert_int_eq(rules.items[8].by, RELEASE_BY_MODULE);
	ck_assert_str_eq(rules.items[8].text, "nvidia_uvm");
}
END_TEST

/* Names of drivers have both. */
START_TEST(dashes)
{
	ck_assert_int_eq(release_rules_parse("module:snd-hda-intel virtio-pci", &rules, NULL), 0);
	ck_assert_str_eq(rules.items[0].text, "snd_hda_intel");
	ck_assert_int_eq(rules.items[1].by, RELEASE_BY_DRIVER);
	ck_assert_str_eq(rules.items[1].text, "virtio-pci");
}
END_TEST

START_TEST(none)
{
	rules.count = 1;
	ck_assert_int_eq(release_rules_parse(" , ", &rules, NULL), 0);
	ck_assert_uint_eq(rules.count, 0);
}
END_TEST

static const char *const bad[] = {
	"000:01:0a.1",
	"000000000:01:0a.1",
	"00010000:01:0a.1",
	"class:0",
	"class:02000",
	"class:zz",
	"module:",
	"module:a.b",
	"module:../x",
	"usb/",
	"/1-2",
	"usb/1/2",
	"../x",
	"usb/..",
	".hidden",
	"1234:xyzw",
	"a:b",
	"e1000e;reboot",
	"a-very-long-name-of-a-driver-which-no-kernel-could-ever-have-had-there-0123456789",
};

START_TEST(no_device)
{
	struct why w = { 0 };

	rules.count = 7;
	ck_assert_int_eq(release_rules_parse(bad[_i], &rules, &w), -EINVAL);
	ck_assert_msg(strstr(w.text, "names no device") != NULL, "%s", w.text);
	ck_assert_uint_eq(rules.count, 7);
}
END_TEST

START_TEST(too_many)
{
	char text[256] = "";
	struct why w = { 0 };

	for (int i = 0; i < RELEASE_RULES_MAX; i++)
		strcat(text, "a ");
	ck_assert_int_eq(release_rules_parse(text, &rules, &w), 0);
	ck_assert_uint_eq(rules.count, RELEASE_RULES_MAX);
	strcat(text, "b");
	ck_assert_int_eq(release_rules_parse(text, &rules, &w), -EINVAL);
	ck_assert_str_eq(w.text, "more than 32 devices are named");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tc = test_case(suite, "rules");

	tcase_add_test(tc, all_kinds);
	tcase_add_test(tc, dashes);
	tcase_add_test(tc, none);
	tcase_add_loop_test(tc, no_device, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tc, too_many);
}
