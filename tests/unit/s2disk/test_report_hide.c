/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a report leaves out: hidden words keep their lengths. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "output/tar.h"
#include "s2disk/report/hide.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
	const char *text, *hidden;
} texts[] = {
	/* command lines */
	{ "quiet password=abc ro", "quiet password=xxx ro" },
	{ "a.password=abc,DEF ro", "a.password=xxxxxxx ro" },
	{ "password=\"my word\" ro", "password=\"xx xxxx\" ro" },
	{ "\"x.password=a b\" ro", "\"x.password=x x\" ro" },
	{ "bindpw=abc authkey=abc wifi_key=abc", "bindpw=xxx authkey=xxx wifi_key=xxx" },
	{ "systemd.set_credential=a:b", "systemd.set_credential=xxx" },
	{ "pin=1234 pinctrl=1234 shopping=1", "pin=xxxx pinctrl=1234 shopping=1" },
	{ "rd.luks.key=/etc/key:UUID=1 key=/etc/key", "rd.luks.key=/etc/key:UUID=1 key=/etc/key" },
	{ "keymap=de rd.vconsole.keymap=fr", "keymap=de rd.vconsole.keymap=fr" },
	{ "resume=UUID=1 root=/dev/sda1", "resume=UUID=1 root=/dev/sda1" },
	/* addresses */
	{ "netroot=iscsi:user:pa,ss@h", "netroot=iscsi:xxxx:xxxxx@h" },
	{ "ip=https://u:a=b@h/x", "ip=https://u:xxx@h/x" },
	{ "//user:pw@host/share /mnt cifs rw", "//user:xx@host/share /mnt cifs rw" },
	{ "/dev/disk/by-path/ip-1:3260@x", "/dev/disk/by-path/ip-1:3260@x" },
	/* GRUB */
	{ " password root CLEAR\n linux /x", " password xxxx xxxxx\n linux /x" },
	{ "password_pbkdf2 root grub.pbkdf2.sha512.1",
	  "password_pbkdf2 xxxx xxxxxxxxxxxxxxxxxxxx" },
	{ "cryptomount -p abc -u 12\nset x", "cryptomount -p xxx xx xx\nset x" },
	{ "cryptomount -u 12", "cryptomount -u 12" },
	/* crypttab */
	{ "swap /dev/sda2 abc luks,keyscript=/bin/echo\n",
	  "swap /dev/sda2 xxx luks,keyscript=/bin/echo\n" },
	{ "swap /dev/sda2 /etc/key luks\n", "swap /dev/sda2 /etc/key luks\n" },
	{ "a b\nswap /dev/sda2 abc keyscript=/x\nc d",
	  "a b\nswap /dev/sda2 xxx keyscript=/x\nc d" },
};

START_TEST(passwords)
{
	char *text = strdup(texts[_i].text);

	report_hide_passwords(text, strlen(text));
	ck_assert_str_eq(text, texts[_i].hidden);
	free(text);
}
END_TEST

/* Not text, so it has no words. */
START_TEST(not_in_bytes)
{
	char bytes[] = "password=abc\0password=abc";

	report_hide_passwords(bytes, sizeof(bytes) - 1);
	ck_assert_mem_eq(bytes, "password=abc\0password=abc", sizeof(bytes) - 1);
}
END_TEST

static const struct {
	const char *text, *hidden;
} settings[] = {
	{ "passphrase = y\nencrypt = y\n", "passphrase = y\nencrypt = y\n" },
	{ "passphrase=No\n", "passphrase=No\n" },
	{ "passphrase = hunter2secret\nkey file = /a\n",
	  "passphrase = xxxxxxxxxxxxx\nkey file = /a\n" },
	{ "passphrase = my own words", "passphrase = xx xxx xxxxx" },
	{ "resume device = UUID=1\n", "resume device = UUID=1\n" },
};

START_TEST(settings_files)
{
	char *text = strdup(settings[_i].text);

	report_hide_settings(text);
	ck_assert_str_eq(text, settings[_i].hidden);
	free(text);
}
END_TEST

/* Four bytes of the variable's attributes, four of the option's, the path's length, the
 * title, the path; then what the program gets. */
START_TEST(boot_options)
{
	static const char option[] = "\7\0\0\0\1\0\0\0\4\0L\0x\0\0\0\x7f\xff\4\0p\0w\0=\0x\0";
	const size_t all = sizeof(option) - 1;

	ck_assert_uint_eq(report_hide_boot_option(option, all), 20);
	for (size_t cut = 0; cut <= all; cut++)
		ck_assert_uint_le(report_hide_boot_option(option, cut), cut);
}
END_TEST

/* Names and targets at their longest: all of both is there, and nothing else. */
START_TEST(long_names_in_an_archive)
{
	char *text, name[PATH_MAX + NAME_MAX], target[2 * PATH_MAX - 1];
	struct tar_member member = { .name = name, .link = target, .mode = S_IFLNK | 0777 };
	size_t size;
	FILE *out = open_memstream(&text, &size);

	memset(name, 'n', sizeof(name) - 1);
	memset(target, 't', sizeof(target) - 1);
	name[sizeof(name) - 1] = target[sizeof(target) - 1] = '\0';
	tar_add(out, &member);
	fclose(out);
	ck_assert_ptr_nonnull(memmem(text, size, name, sizeof(name) - 1));
	ck_assert_ptr_nonnull(memmem(text, size, target, sizeof(target) - 1));
	ck_assert_uint_eq(size % 512, 0);
	free(text);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "report_hide");

	tcase_add_loop_test(tcase, passwords, 0, (int)ARRAY_SIZE(texts));
	tcase_add_test(tcase, not_in_bytes);
	tcase_add_loop_test(tcase, settings_files, 0, (int)ARRAY_SIZE(settings));
	tcase_add_test(tcase, boot_options);
	tcase_add_test(tcase, long_names_in_an_archive);
}
