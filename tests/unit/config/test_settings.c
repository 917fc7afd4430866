/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: the keys and their values, as -P gives them too. */
#include "config/settings.h"
#include "fixtures/check_main.h"

#include "base/bytes.h"
#include "fixtures/settings_changes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

START_TEST(has_defaults)
{
	struct settings s;

	memset(&s, 0xff, sizeof(s));
	settings_defaults(&s);
	ck_assert_str_eq(s.snapshot_device, "/dev/snapshot");
	ck_assert(!s.config_file[0] && !s.resume_device[0] && !s.rsa_key_file[0]);
	ck_assert(!s.resume_offset_set && !s.image_size_set && !s.method_set);
	ck_assert_int_eq(s.method, METHOD_PLATFORM);
	ck_assert(s.compress && s.threads && s.splash && s.compute_checksum && s.early_writeout);
	ck_assert(!s.encrypt && !s.verify_image);
	ck_assert(s.workers == 0 && s.buffer_mib == 64 && s.block_kib == 512);
	ck_assert(s.suspend_loglevel == 2 && s.max_loglevel == -1);
	ck_assert(s.resume_pause == 0 && s.max_attempts == 5);
}
END_TEST

static const struct {
	const char *key, *value, *changes;
} good[] = {
	{ "snapshot device", "/dev/other", "snapshot_device=/dev/other" },
	{ "resume device", "LABEL=my swap", "resume_device=LABEL=my swap" },
	{ "resume device", "", "" },
	{ "resume offset", "38912", "resume_offset=38912 resume_offset_set=1" },
	{ "resume offset", "0", "resume_offset_set=1" },
	{ "swap on demand", "/swapfile", "swap_on_demand=/swapfile" },
	{ "image size", "350000000", "image_size=350000000 image_size_set=1" },
	{ "image size", "2 GiB", "image_size=2147483648 image_size_set=1" },
	{ "shutdown method", "platform", "method_set=1" },
	{ "shutdown method", "shutdown", "method=1 method_set=1" },
	{ "shutdown method", "reboot", "method=2 method_set=1" },
	{ "shutdown method", "Suspend", "method=3 method_set=1" },
	{ "compress", "n", "compress=0" },
	{ "threads", "no", "threads=0" },
	{ "workers", "64", "workers=64" },
	{ "workers", "0", "" },
	{ "buffer size", "8", "buffer_mib=8" },
	{ "buffer size", "4 GiB", "buffer_mib=4096" },
	{ "block size", "64", "block_kib=64" },
	{ "block size", "1M", "block_kib=1024" },
	{ "suspend loglevel", "0", "suspend_loglevel=0" },
	{ "suspend loglevel", "-1", "suspend_loglevel=-1" },
	{ "max loglevel", "15", "max_loglevel=15" },
	{ "splash", "false", "splash=0" },
	{ "compute checksum", "n", "compute_checksum=0" },
	{ "early writeout", "n", "early_writeout=0" },
	{ "encrypt", "y", "encrypt=1" },
	{ "cipher", "auto", "" },
	{ "cipher", "AES-256-GCM", "cipher=2" },
	{ "cipher", "chacha20-poly1305", "cipher=3" },
	{ "passphrase", "y", "passphrase=1 passphrase_set=1" },
	{ "passphrase", "n", "passphrase_set=1" },
	{ "key pair", "/etc/s2disk/key-pair", "key_pair=/etc/s2disk/key-pair" },
	{ "key file", "/a.key /b.key", "key_file=/a.key /b.key" },
	{ "key file in initramfs", "y", "key_file_in_initramfs=1" },
	{ "RSA key file", "/etc/suspend.key", "rsa_key_file=/etc/suspend.key" },
	{ "rsa  KEY\tfile", "k", "rsa_key_file=k" },
	{ "resume pause", "3600", "resume_pause=3600" },
	{ "debug verify image", "y", "verify_image=1" },
	{ "debug test file", "/tmp/image", "test_file=/tmp/image" },
	{ "platform policy", "strict", "platform_policy=0" },
	{ "platform policy", "Tolerant", "platform_policy=2" },
	{ "mismatch action", "ask", "mismatch_action=1" },
	{ "mismatch action", "DISCARD", "mismatch_action=2" },
	{ "mismatch retries", "0", "mismatch_retries=0" },
	{ "way back", "warn", "way_back=1" },
	{ "way back", "ignore", "way_back=2" },
	{ "drift", "n", "drift=0" },
	{ "drift margin", "0", "drift_margin=0" },
	{ "drift margin", "64", "drift_margin=64" },
	{ "drift limit", "0", "drift_mib=0" },
	{ "drift limit", "1024", "drift_mib=1024" },
	{ "drift limit", "16M", "drift_mib=16" },
	{ "accept", "", "" },
	{ "accept", "processor-model, hypervisor-version",
	  "accept=processor-model, hypervisor-version" },
	{ "release devices", "", "" },
	{ "release devices", "8086:10d3 class:02, e1000e",
	  "release.devices=8086:10d3 class:02, e1000e" },
	{ "release virtio-mem", "y", "release.virtio_mem=1" },
	{ "release wait", "3600", "release.wait=3600" },
	{ "max attempts", "1", "max_attempts=1" },
};

START_TEST(sets_a_key)
{
	struct why w = { "" };
	struct settings s;

	settings_defaults(&s);
	ck_assert_int_eq(settings_set(&s, good[_i].key, good[_i].value, &w), 0);
	ck_assert_str_eq(changes(&s), good[_i].changes);
	ck_assert_str_eq(w.text, "");
}
END_TEST

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *key, *value, *says;
} bad[] = {
	{ "compress", "maybe", "\"compress\" cannot be \"maybe\"; expected: y or n" },
	{ "threads", "", "\"threads\" cannot be \"\"; expected: y or n" },
	{ "splash", "2", "y or n" },
	{ "cipher", "blowfish", "\"cipher\" cannot be \"blowfish\"; expected: auto, aes" },
	{ "encrypt", "\033[31m", "\"encrypt\" cannot be \"?[31m\"" },
	{ "early writeout", "j", "y or n" },
	{ "compute checksum", "yy", "y or n" },
	{ "debug verify image", "-", "y or n" },
	{ "resume offset", "0x", "a number of pages" },
	{ "resume offset", "-1", "a number of pages" },
	{ "resume offset", "12K", "a number of pages" },
	{ "resume offset", "18446744073709551616", "a number of pages" },
	{ "image size", "lots", "a number of bytes, optionally with the suffix K, M or G" },
	{ "image size", "16777216T", "a number of bytes" },
	{ "shutdown method", "halt", "platform, shutdown, reboot or suspend" },
	{ "workers", "65", "a number from 0 to 64" },
	{ "workers", "4294967297", "a number from 0 to 64" },
	{ "workers", "1K", "a number from 0 to 64" },
	{ "buffer size", "7", "a number from 8 to 4096 MiB" },
	{ "buffer size", "4097", "a number from 8 to 4096 MiB" },
	{ "buffer size", "5G", "a number from 8 to 4096 MiB" },
	{ "buffer size", "9000K", "a number from 8 to 4096 MiB" },
	{ "block size", "96", "a power of two from 64 to 4096 KiB" },
	{ "block size", "32", "a power of two from 64 to 4096 KiB" },
	{ "block size", "8M", "a power of two from 64 to 4096 KiB" },
	{ "suspend loglevel", "16", "a number from 0 to 15" },
	{ "max loglevel", "-2", "a number from 0 to 15, or -1 for no change" },
	{ "resume pause", "3601", "a number from 0 to 3600" },
	{ "max attempts", "0", "a number from 1 to 1000" },
	{ "drift", "2", "y or n" },
	{ "drift margin", "65", "a number from 0 to 64" },
	{ "drift limit", "1025", "a number from 0 to 1024 MiB" },
	{ "drift limit", "512K", "a number from 0 to 1024 MiB" },
	{ "accept", "hypervisor", "expected: hypervisor-version, processor-model" },
	{ "release devices", "8086:10d3 a:b", "expected: PCI addresses (0000:01:00.0)" },
	{ "release devices", X64 X64 X64 X64, "expected: PCI addresses" },
	{ "snapshot device", "snapshot", "an absolute path" },
	{ "snapshot device", "", "an absolute path" },
	{ "resume device", "/dev/sda\n", "\"/dev/sda?\"; expected: printable text" },
	{ "RSA key file", X64 X64 X64 X64, "xxx...\"; expected: printable text of at most 255" },
	{ "debug test file", X64 X64 X64 X64, "printable text of at most 255 bytes" },
};

START_TEST(refuses_a_bad_value)
{
	struct why w = { "" };
	struct settings s;

	settings_defaults(&s);
	ck_assert_int_eq(settings_set(&s, bad[_i].key, bad[_i].value, &w), -EINVAL);
	ck_assert_msg(strstr(w.text, bad[_i].says) != NULL, "%s", w.text);
	ck_assert_str_eq(changes(&s), "");
	ck_assert_int_eq(settings_set(&s, bad[_i].key, bad[_i].value, NULL), -EINVAL);
}
END_TEST

START_TEST(does_not_know_a_key)
{
	static const char *const unknown[] = { "",	    "compres", "compressed",  "image",
					       "imagesize", "image  ", "image sizes", X64 X64 };
	struct settings s;

	settings_defaults(&s);
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		struct why w = { "" };

		ck_assert_int_eq(settings_set(&s, unknown[i], "y", &w), -ENOENT);
		ck_assert_ptr_nonnull(strstr(w.text, "unknown key"));
	}
	ck_assert_str_eq(changes(&s), "");
}
END_TEST

static const struct {
	const char *unknown, *nearest;
} slips[] = {
	{ "enrypt", "encrypt" },
	{ "ENCYRPT", "encrypt" },
	{ "encryption", "encrypt" },
	{ "crypt", "encrypt" },
	{ "\"encrypt\"", "encrypt" },
	{ "script", NULL },
	{ "resume_device", "resume device" },
	{ "resumedevice", "resume device" },
	{ "resume offest", "resume offset" },
	{ "imagesize", "image size" },
	{ "image", NULL },
	{ "compres", "compress" },
	{ "key-file", "key file" },
	{ "max atempts", "max attempts" },
	{ "max logelvel", "max loglevel" },
	{ "", NULL },
	{ "x", NULL },
	{ X64 X64, NULL },
};

START_TEST(knows_what_was_meant)
{
	const char *nearest = settings_nearest_key(slips[_i].unknown);
	char meant[64] = "\"";
	struct why w = { "" };
	struct settings s;

	ck_assert_pstr_eq(nearest, slips[_i].nearest);
	settings_defaults(&s);
	ck_assert_int_eq(settings_set(&s, slips[_i].unknown, "y", &w), -ENOENT);
	if (nearest) {
		snprintf(meant, sizeof(meant), "\" (did you mean \"%s\"?)", nearest);
		ck_assert_msg(strstr(w.text, meant) != NULL, "%s", w.text);
	} else {
		ck_assert_msg(!strstr(w.text, "did you"), "%s", w.text);
	}
}
END_TEST

START_TEST(names_methods)
{
	enum method method = METHOD_REBOOT;

	ck_assert_int_eq(method_parse("", &method), -EINVAL);
	ck_assert_int_eq(method_parse("platform ", &method), -EINVAL);
	ck_assert_int_eq(method, METHOD_REBOOT);
	for (int i = METHOD_PLATFORM; i <= METHOD_SUSPEND; i++) {
		ck_assert_int_eq(method_parse(method_name((enum method)i), &method), 0);
		ck_assert_int_eq(method, i);
	}
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "settings");

	tcase_add_test(tcase, has_defaults);
	tcase_add_loop_test(tcase, sets_a_key, 0, (int)ARRAY_SIZE(good));
	tcase_add_loop_test(tcase, refuses_a_bad_value, 0, (int)ARRAY_SIZE(bad));
	tcase_add_test(tcase, does_not_know_a_key);
	tcase_add_loop_test(tcase, knows_what_was_meant, 0, (int)ARRAY_SIZE(slips));
	tcase_add_test(tcase, names_methods);
}
