/* SPDX-License-Identifier: GPL-2.0-or-later */
/* last: what is kept of a hibernation, and how it is printed. */
#include "history/boot_record_file.h"
#include "fixtures/check_main.h"
#include "s2disk/aftermath/last.h"
#include "fixtures/machine/made_root.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void make(void)
{
	made_root_create();
	made_directory("/var/lib");
	made_directory("/run/systemd/journal");
	setenv("TZ", "UTC", 1);
}

static const struct handover handover = {
	.image_id = { 0xab, 1 },
	.write_usec = 2000000,
	.stream_bytes = 400 << 20,
	.stored_bytes = 100 << 20,
	.load_usec = 1000000,
	.attempts = 2,
	.quarantine_count = 2,
	.quarantine = { { 16, 1 }, { 32, 2 } },
	.text = "corrected: The reserved page moved.\nmemory map checksum 1 became 2\n",
};

static struct last resumed(void)
{
	struct last last;

	last_begin(&last, "/dev/vda2", "platform");
	ck_assert_uint_gt(last.begun, 1000000000);
	last.begun = 1700000000;
	last.left_out_pages = 1;
	snprintf(last.left_out, sizeof(last.left_out), "0x7e38b000");
	last_take_handover(&last, &handover, 2);
	last_end(&last, LAST_RESUMED, NULL);
	ck_assert_uint_gt(last.ended, last.begun);
	last.ended = 1700003600;
	return last;
}

static void save(const struct last *last)
{
	struct why w = { "" };

	ck_assert_msg(last_save(last, made_root, &w) == 0, "%s", w.text);
}

START_TEST(takes_what_was_handed_over)
{
	struct last last = resumed();

	ck_assert_str_eq(last.image_id, "ab010000000000000000000000000000");
	ck_assert_uint_eq(last.quarantined_pages, 2);
	ck_assert_uint_eq(last.unquarantined_pages, 1);
	ck_assert_str_eq(last.verdict, "corrected");
}
END_TEST

START_TEST(finds_the_worst_class)
{
	static const struct {
		const char *text, *verdict;
	} cases[] = {
		{ "", "harmless" },
		{ "corrected: a\nrisky: b\ncorrected: c\n", "risky" },
		{ "a\ncorrected: b\n", "corrected" },
		{ "mended: of an older resume\n", "corrected" },
		{ "risky: a\nmended: b\n", "risky" },
		{ "page count 1 became 2\n", "harmless" },
		{ "riskyish: a\ncorrected", "harmless" },
		{ "mendedish: a\nmended", "harmless" },
	};
	struct handover other = handover;
	struct last last = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(other.text, cases[i].text);
		last_take_handover(&last, &other, 0);
		ck_assert_str_eq(last.verdict, cases[i].verdict);
	}
}
END_TEST

START_TEST(keeps_it)
{
	struct last last = resumed(), got;
	struct why w = { "" };

	ck_assert_int_eq(last_load(&got, made_root, &w), -ENOENT);
	strcpy(last.reason, "a \\ and\na line = 2");
	strcpy(last.alarm, "Reboot now.");
	save(&last);
	ck_assert_int_eq(last_load(&got, made_root, &w), 0);
	ck_assert_int_eq(got.result, LAST_RESUMED);
	ck_assert_uint_eq(got.begun, last.begun);
	ck_assert_uint_eq(got.ended, last.ended);
	ck_assert_str_eq(got.area, "/dev/vda2");
	ck_assert_str_eq(got.method, "platform");
	ck_assert_str_eq(got.reason, last.reason);
	ck_assert_str_eq(got.alarm, "Reboot now.");
	ck_assert_str_eq(got.image_id, last.image_id);
	ck_assert_uint_eq(got.image_bytes, 400 << 20);
	ck_assert_uint_eq(got.stored_bytes, 100 << 20);
	ck_assert_uint_eq(got.write_usec, 2000000);
	ck_assert_uint_eq(got.load_usec, 1000000);
	ck_assert_uint_eq(got.attempts, 2);
	ck_assert_uint_eq(got.quarantined_pages, 2);
	ck_assert_uint_eq(got.unquarantined_pages, 1);
	ck_assert_uint_eq(got.left_out_pages, 1);
	ck_assert_str_eq(got.left_out, "0x7e38b000");
	ck_assert_str_eq(got.verdict, "corrected");
	ck_assert_str_eq(got.findings, handover.text);
	/* The next one takes its place. */
	last_begin(&last, "/swapfile", "reboot");
	last_end(&last, LAST_FAILED, "no");
	save(&last);
	ck_assert_int_eq(last_load(&got, made_root, &w), 0);
	ck_assert_int_eq(got.result, LAST_FAILED);
	ck_assert_str_eq(got.findings, "");
}
END_TEST

static void change(const char *expression)
{
	char command[256];

	snprintf(command, sizeof(command), "sed -i '%s' %s/var/lib/s2disk/last", expression,
		 made_root);
	ck_assert_int_eq(system(command), 0);
}

START_TEST(stands_damage)
{
	static const char *const bad[] = { "/^end/d", "s/^result=.*/result=lost/", "s/=/ /",
					   "s/^begun=.*/begun=x/", "s/^attempts=/attempts=-/" };
	struct last last = resumed(), got;
	char text[4096], path[128];
	struct why w = { "" };
	FILE *out;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		save(&last);
		change(bad[i]);
		ck_assert_msg(last_load(&got, made_root, &w) == -EBADMSG, "%s", bad[i]);
		ck_assert_int_eq(last_print(made_root, false, stdout, &w), -EBADMSG);
		ck_assert_ptr_nonnull(strstr(w.text, "/var/lib/s2disk/last is damaged"));
	}
	/* Fields of another version, escapes for terminals, texts too long. */
	save(&last);
	change("s/^verdict=.*/new=1\\nverdict=\\x1b[1m/");
	ck_assert_int_eq(last_load(&got, made_root, &w), 0);
	ck_assert_str_eq(got.verdict, "?[1m");
	memset(text, 'q', sizeof(text));
	memcpy(text, "method=", 7);
	snprintf(path, sizeof(path), "%s/var/lib/s2disk/last", made_root);
	out = fopen(path, "w");
	fprintf(out, "%.*s\nend\n", (int)sizeof(text), text);
	fclose(out);
	ck_assert_int_eq(last_load(&got, made_root, &w), 0);
	ck_assert_uint_eq(strlen(got.method), sizeof(got.method) - 1);
}
END_TEST

START_TEST(says_when_it_cannot_be_kept)
{
	struct last last = resumed();
	struct why w = { "" };
	char command[256];

	snprintf(command, sizeof(command), "rmdir %s/var/lib && touch %s/var/lib", made_root,
		 made_root);
	ck_assert_int_eq(system(command), 0);
	ck_assert_int_eq(last_save(&last, made_root, &w), -ENOTDIR);
	ck_assert_ptr_nonnull(strstr(w.text, "/var/lib/s2disk/last cannot be written: "));
}
END_TEST

/* What last_print writes; free. */
static char *printed(bool json)
{
	struct why w = { "" };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_msg(last_print(made_root, json, out, &w) == 0, "%s", w.text);
	fclose(out);
	return text;
}

static void expect(bool json, const char *wanted)
{
	char *text = printed(json);

	ck_assert_str_eq(text, wanted);
	free(text);
}

START_TEST(tells_people)
{
	struct last last = resumed();
	char *text;

	expect(false, "no hibernation is recorded\n");
	save(&last);
	expect(false,
	       "hibernated      2023-11-14 22:13:20 into /dev/vda2 (platform)\n"
	       "                400 MiB of memory as 100 MiB (4.00:1), written in 2.0 s "
	       "(200 MiB/s)\n"
	       "                1 offlined page frame left out: 0x7e38b000\n"
	       "resumed         2023-11-14 23:13:20, loaded in 1.0 s (400 MiB/s), at attempt "
	       "2\n"
	       "verdict         corrected\n"
	       "                corrected: The reserved page moved.\n"
	       "                memory map checksum 1 became 2\n"
	       "                2 pages that the firmware claims since then offlined\n"
	       "                1 page that the firmware claims since then could not be "
	       "offlined\n");
	snprintf(last.shut_down, sizeof(last.shut_down), "/dev/sdb1 (/a): x: cut off\n/dev/sdc");
	save(&last);
	text = printed(false);
	ck_assert_ptr_nonnull(
		strstr(text, "\nSHUT DOWN       file systems and swap that another system "
			     "changed meanwhile:\n                /dev/sdb1 (/a): x: cut off\n"
			     "                /dev/sdc\n"));
	free(text);
	last_begin(&last, "", "shutdown");
	last_end(&last, LAST_REFUSED, "no swap");
	last.begun = 1700000000;
	save(&last);
	expect(false, "not hibernated  2023-11-14 22:13:20 (shutdown)\n"
		      "refused         no swap\n");
	last.result = LAST_WOKE;
	last.ended = 1700000001;
	save(&last);
	expect(false, "hibernated      2023-11-14 22:13:20 (shutdown)\n"
		      "woke            2023-11-14 22:13:21, from RAM; the image was invalidated\n");
	last.result = LAST_TESTED;
	save(&last);
	expect(false, "hibernated      2023-11-14 22:13:20 (shutdown)\n"
		      "tested          2023-11-14 22:13:21, the system ran on\n");
}
END_TEST

START_TEST(tells_programs)
{
	struct last last = resumed();

	expect(true, "{\n  \"last\": null,\n  \"set_aside\": null\n}\n");
	save(&last);
	expect(true,
	       "{\n  \"last\": {\n    \"result\": \"resumed\",\n"
	       "    \"begun\": 1700000000,\n    \"ended\": 1700003600,\n"
	       "    \"area\": \"/dev/vda2\",\n    \"method\": \"platform\",\n"
	       "    \"reason\": null,\n    \"alarm\": null,\n"
	       "    \"image_id\": \"ab010000000000000000000000000000\",\n"
	       "    \"image_bytes\": 419430400,\n    \"stored_bytes\": 104857600,\n"
	       "    \"write_usec\": 2000000,\n    \"load_usec\": 1000000,\n"
	       "    \"attempts\": 2,\n    \"quarantined_pages\": 2,\n"
	       "    \"unquarantined_pages\": 1,\n"
	       "    \"shut_down\": null,\n    \"left_out_pages\": 1,\n"
	       "    \"left_out\": \"0x7e38b000\",\n    \"verdict\": \"corrected\",\n"
	       "    \"findings\": \"corrected: The reserved page moved.\\nmemory map checksum 1 "
	       "became 2\\n\"\n  },\n  \"set_aside\": null\n}\n");
}
END_TEST

/* An image that this boot could not take. */
START_TEST(prints_what_was_discarded)
{
	static const struct boot_run discarded = { .time = 1700000100,
						   .device = "/dev/vda2",
						   .found = FOUND_IMAGE,
						   .fate = FATE_DISCARDED,
						   .reason = "block 3 is damaged" };
	static const struct boot_run swap = { .time = 1700000101, .found = FOUND_SWAP };
	struct last last = resumed();
	char *text;

	made_put("/etc/initrd-release", "");
	ck_assert_int_eq(boot_record_add(made_root, &discarded), 0);
	ck_assert_int_eq(boot_record_add(made_root, &swap), 0);
	expect(false, "discarded       2023-11-14 22:15:00, at this boot, in /dev/vda2: block 3 is "
		      "damaged\n");
	expect(true, "{\n  \"last\": null,\n  \"set_aside\": {\n    \"time\": 1700000100,\n"
		     "    \"area\": \"/dev/vda2\",\n"
		     "    \"offset\": 0,\n    \"reason\": \"block 3 is damaged\"\n  }\n}\n");
	/* It is not of this boot's last hibernation, which began after it. */
	last.begun = 1700000200;
	save(&last);
	text = printed(false);
	ck_assert_ptr_null(strstr(text, "discarded"));
	free(text);
}
END_TEST

/* Nothing was discarded, or it is not known. */
START_TEST(tells_of_no_boot)
{
	static const struct boot_run swap = { .found = FOUND_SWAP, .fate = FATE_NONE };

	made_put("/etc/initrd-release", "");
	ck_assert_int_eq(boot_record_add(made_root, &swap), 0);
	expect(false, "no hibernation is recorded\n");
	made_put("/run/s2disk/boot", "x");
	expect(true, "{\n  \"last\": null,\n  \"set_aside\": null\n}\n");
}
END_TEST

START_TEST(tells_the_journal)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int journal = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct last last = resumed();
	char text[4096];
	ssize_t length;

	ck_assert_int_eq(last_log_journal(&last, made_root), -ENOENT);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/run/systemd/journal/socket",
		 made_root);
	ck_assert_int_eq(bind(journal, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(last_log_journal(&last, made_root), 0);
	length = recv(journal, text, sizeof(text) - 1, MSG_DONTWAIT);
	ck_assert_int_gt(length, 0);
	text[length] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "MESSAGE=Resumed from disk\nPRIORITY=5\n"
					   "SYSLOG_IDENTIFIER=s2disk\nMESSAGE_ID="));
	ck_assert_ptr_nonnull(strstr(text, "\nS2DISK_RESULT=resumed\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nS2DISK_IMAGE_BYTES=419430400\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nS2DISK_QUARANTINED_PAGES=2\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nS2DISK_VERDICT=corrected\n"));
	ck_assert_ptr_null(strstr(text, "S2DISK_REASON"));
	snprintf(last.shut_down, sizeof(last.shut_down), "/dev/sdb1\n/dev/sdc1");
	ck_assert_int_eq(last_log_journal(&last, made_root), 0);
	length = recv(journal, text, sizeof(text) - 1, MSG_DONTWAIT);
	ck_assert_int_gt(length, 0);
	text[length] = '\0';
	ck_assert_ptr_nonnull(
		strstr(text, "MESSAGE=Resumed from disk; file systems or "
			     "swap that another system changed were shut down\nPRIORITY=1\n"));
	last.shut_down[0] = '\0';
	ck_assert_ptr_null(strstr(text, "S2DISK_ALARM"));
	/* journald shows this level to all users who are logged in. */
	strcpy(last.alarm, "Reboot now.");
	ck_assert_int_eq(last_log_journal(&last, made_root), 0);
	length = recv(journal, text, sizeof(text) - 1, MSG_DONTWAIT);
	ck_assert_int_gt(length, 0);
	text[length] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "MESSAGE=Resumed from disk. Reboot now.\nPRIORITY=0\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nS2DISK_ALARM=Reboot now.\n"));
	last.alarm[0] = '\0';
	last_end(&last, LAST_FAILED, "the disk is full");
	ck_assert_int_eq(last_log_journal(&last, made_root), 0);
	length = recv(journal, text, sizeof(text) - 1, MSG_DONTWAIT);
	ck_assert_int_gt(length, 0);
	text[length] = '\0';
	ck_assert_ptr_nonnull(
		strstr(text, "MESSAGE=Hibernating failed: the disk is full\nPRIORITY=3\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nS2DISK_REASON=the disk is full\n"));
	close(journal);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "last");

	tcase_add_checked_fixture(test, make, made_root_remove);
	tcase_add_test(test, takes_what_was_handed_over);
	tcase_add_test(test, finds_the_worst_class);
	tcase_add_test(test, keeps_it);
	tcase_add_test(test, stands_damage);
	tcase_add_test(test, says_when_it_cannot_be_kept);
	tcase_add_test(test, tells_people);
	tcase_add_test(test, tells_programs);
	tcase_add_test(test, prints_what_was_discarded);
	tcase_add_test(test, tells_of_no_boot);
	tcase_add_test(test, tells_the_journal);
}
