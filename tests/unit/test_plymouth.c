/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plymouth: what arrives at its socket, and what happens when nobody answers. */
#include "base/stopwatch.h"
#include "ui/plymouth.h"
#include "ui/progress.h"

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char name[64];
static int listening, heard;
static pid_t daemon_pid;

/* How the daemon behaves. */
enum manner {
	ANSWERS, /* acknowledges all */
	REFUSES,
	SILENT, /* takes all, says nothing */
	STUCK,	/* reads nothing after the ping */
	LEAVES, /* closes after the ping */
};

static void be_plymouth(enum manner manner, int out)
{
	char bytes[512];
	int fd = accept(listening, NULL, NULL);
	ssize_t length;

	close(listening);
	while ((length = read(fd, bytes, sizeof(bytes))) > 0) {
		char answer = manner == REFUSES ? 0x15 : 6;

		if (write(out, bytes, (size_t)length) != length)
			break;
		if (manner != SILENT && write(fd, &answer, 1) != 1)
			break;
		if (manner == STUCK)
			pause();
		if (manner == LEAVES)
			break;
	}
	_exit(0);
}

static void start(enum manner manner)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	daemon_pid = fork();
	if (daemon_pid == 0)
		be_plymouth(manner, ends[1]);
	close(ends[1]);
	heard = ends[0];
}

static void make(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(name, sizeof(name), "/s2disk/test_plymouth/%d", (int)getpid());
	strcpy(address.sun_path + 1, name);
	listening = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(
		bind(listening, (struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))),
		0);
	ck_assert_int_eq(listen(listening, 1), 0);
	heard = -1;
	daemon_pid = 0;
}

static void clean(void)
{
	close(listening);
	if (heard >= 0)
		close(heard);
	if (daemon_pid > 0) {
		kill(daemon_pid, SIGKILL);
		waitpid(daemon_pid, NULL, 0);
	}
}

static void expect(const char *wanted, size_t length)
{
	char got[4096];
	size_t used = 0;

	while (used < length) {
		struct pollfd ready = { .fd = heard, .events = POLLIN };
		ssize_t n;

		ck_assert_int_eq(poll(&ready, 1, 5000), 1);
		n = read(heard, got + used, length - used);
		ck_assert_int_gt(n, 0);
		used += (size_t)n;
	}
	ck_assert_mem_eq(got, wanted, length);
}

#define EXPECT(text) expect(text, sizeof(text) - 1)

START_TEST(speaks_the_protocol)
{
	struct plymouth plymouth;

	start(ANSWERS);
	plymouth_open(&plymouth, name);
	ck_assert(plymouth_is_open(&plymouth));
	EXPECT("P\0");
	plymouth_message(&plymouth, "Loading %d", 7);
	EXPECT("M\2\012Loading 7\0");
	plymouth_percent(&plymouth, 42);
	EXPECT("u\2\00342\0");
	plymouth_percent(&plymouth, 42);
	plymouth_percent(&plymouth, 101);
	plymouth_leave(&plymouth);
	EXPECT("D\0");
	plymouth_return(&plymouth);
	EXPECT("r\0");
	plymouth_hide_message(&plymouth);
	EXPECT("m\2\012Loading 7\0");
	plymouth_hide_message(&plymouth);
	plymouth_percent(&plymouth, 100);
	EXPECT("u\2\004100\0");
	plymouth_close(&plymouth);
	ck_assert(!plymouth_is_open(&plymouth));
}
END_TEST

START_TEST(cuts_what_is_long)
{
	struct plymouth plymouth;
	char text[600], wanted[3 + 255];

	start(ANSWERS);
	plymouth_open(&plymouth, name);
	EXPECT("P\0");
	memset(text, 'q', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	/* In the middle of a character. */
	memcpy(text + 253, "\xc3\xa4", 2);
	plymouth_message(&plymouth, "%s", text);
	memcpy(wanted, "M\2\xff", 3);
	memset(wanted + 3, 'q', 253);
	wanted[3 + 253] = '?';
	wanted[3 + 254] = '\0';
	expect(wanted, sizeof(wanted));
	plymouth_close(&plymouth);
}
END_TEST

START_TEST(does_nothing_without_it)
{
	struct plymouth plymouth;
	char other[200];

	plymouth_open(&plymouth, "/s2disk/nobody/here");
	ck_assert(!plymouth_is_open(&plymouth));
	memset(other, 'q', sizeof(other));
	other[sizeof(other) - 1] = '\0';
	plymouth_open(&plymouth, other);
	ck_assert(!plymouth_is_open(&plymouth));
	plymouth_message(&plymouth, "x");
	plymouth_hide_message(&plymouth);
	plymouth_percent(&plymouth, 1);
	plymouth_leave(&plymouth);
	plymouth_return(&plymouth);
	plymouth_close(&plymouth);
}
END_TEST

START_TEST(wants_an_answer)
{
	struct plymouth plymouth;
	uint64_t begun = now_usec();

	start(_i ? SILENT : REFUSES);
	plymouth_open(&plymouth, name);
	ck_assert(!plymouth_is_open(&plymouth));
	ck_assert_uint_lt(now_usec() - begun, 3000000);
}
END_TEST

/* It is frozen, or busy: nobody waits, and no command is left half. */
START_TEST(waits_for_nobody)
{
	struct plymouth plymouth;
	uint64_t begun;

	start(STUCK);
	plymouth_open(&plymouth, name);
	ck_assert(plymouth_is_open(&plymouth));
	begun = now_usec();
	for (unsigned int i = 0; i < 100000; i++)
		plymouth_message(&plymouth, "message %u", i);
	ck_assert_uint_lt(now_usec() - begun, 10000000);
	plymouth_close(&plymouth);
}
END_TEST

START_TEST(stands_its_end)
{
	struct plymouth plymouth;

	start(LEAVES);
	plymouth_open(&plymouth, name);
	EXPECT("P\0");
	waitpid(daemon_pid, NULL, 0);
	daemon_pid = 0;
	plymouth_message(&plymouth, "x");
	plymouth_message(&plymouth, "y");
	ck_assert(!plymouth_is_open(&plymouth));
	plymouth_leave(&plymouth);
	plymouth_close(&plymouth);
}
END_TEST

START_TEST(shows_progress)
{
	struct progress progress;
	struct plymouth plymouth;

	start(ANSWERS);
	plymouth_open(&plymouth, name);
	EXPECT("P\0");
	progress_begin(&progress, "Loading", 1000, true);
	progress_on_plymouth(&progress, &plymouth);
	EXPECT("M\2\037Loading the hibernated session\0");
	progress_update(&progress, 55);
	EXPECT("u\2\0025\0");
	progress_update(&progress, 56);
	progress_update(&progress, 310);
	EXPECT("M\2\045Loading the hibernated session: 30 %\0u\2\00331\0");
	progress_update(&progress, 320);
	EXPECT("u\2\00332\0");
	progress_end(&progress);
	plymouth_close(&plymouth);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plymouth");
	TCase *test = tcase_create("plymouth");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(test, make, clean);
	tcase_set_timeout(test, 30);
	tcase_add_test(test, speaks_the_protocol);
	tcase_add_test(test, cuts_what_is_long);
	tcase_add_test(test, does_nothing_without_it);
	tcase_add_loop_test(test, wants_an_answer, 0, 2);
	tcase_add_test(test, waits_for_nobody);
	tcase_add_test(test, stands_its_end);
	tcase_add_test(test, shows_progress);
	suite_add_tcase(suite, test);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
