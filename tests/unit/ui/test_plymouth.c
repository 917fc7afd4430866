/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is sent to Plymouth, on a socket of the test's own. */
#include "fixtures/check_main.h"
#include "ui/plymouth.h"

#include "base/log.h"
#include "ui/progress.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char name[64];
static int server = -1;

static void make(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int null = open("/dev/null", O_WRONLY);

	snprintf(name, sizeof(name), "s2disk-test-plymouth-%d", (int)getpid());
	plymouth_socket = name;
	memcpy(address.sun_path + 1, name, strlen(name));
	server = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(
		bind(server, (struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))),
		0);
	ck_assert_int_eq(listen(server, 16), 0);
	/* Messages go to standard error as well. */
	dup2(null, STDERR_FILENO);
	close(null);
}

static void clean(void)
{
	if (server >= 0)
		close(server);
}

/* The next request; "" for none. */
static size_t next(char *text, size_t size)
{
	int fd = accept(server, NULL, NULL);
	ssize_t length;

	memset(text, 0, size);
	if (fd < 0)
		return 0;
	length = read(fd, text, size);
	close(fd);
	ck_assert_int_gt(length, 0);
	return (size_t)length;
}

static void expect(char type, const char *argument)
{
	char found[300], wanted[300];
	size_t length = next(found, sizeof(found));

	ck_assert_uint_eq(length, strlen(argument) + 4);
	snprintf(wanted, sizeof(wanted), "%c\2%c%s", type, (char)(strlen(argument) + 1), argument);
	ck_assert_msg(memcmp(found, wanted, length) == 0, "'%s' instead of '%s'", found, wanted);
}

static void expect_nothing(void)
{
	char found[300];

	ck_assert_msg(next(found, sizeof(found)) == 0, "'%s'", found);
}

START_TEST(shows_messages)
{
	log_notice("before");
	expect_nothing();
	plymouth_begin();
	log_info("unseen");
	expect_nothing();
	log_notice("one");
	expect('M', "one");
	log_error("two %d", 2);
	expect('m', "one");
	expect('M', "two 2");
	/* It should be read. */
	plymouth_end();
	expect_nothing();
	log_error("after");
	expect_nothing();
}
END_TEST

START_TEST(takes_away_what_is_no_warning)
{
	plymouth_begin();
	plymouth_end();
	expect_nothing();
	plymouth_begin();
	log_warning("one");
	log_notice("two");
	plymouth_end();
	expect('M', "one");
	expect('m', "one");
	expect('M', "two");
	expect('m', "two");
	expect_nothing();
}
END_TEST

START_TEST(shows_progress)
{
	struct progress progress;

	plymouth_begin();
	progress_begin(&progress, "Loading", 1000, false);
	progress_update(&progress, 99);
	expect_nothing();
	progress_update(&progress, 101);
	expect('M', "Loading: 10 %");
	progress_update(&progress, 199);
	expect_nothing();
	progress_update(&progress, 1000);
	expect('m', "Loading: 10 %");
	expect('M', "Loading: 100 %");
	progress_end(&progress);
	/* With quiet, it shows nothing. */
	progress_begin(&progress, "Loading", 1000, true);
	progress_update(&progress, 500);
	progress_end(&progress);
	plymouth_end();
	expect('m', "Loading: 100 %");
	expect_nothing();
}
END_TEST

/* The length is one byte. */
START_TEST(cuts_what_is_too_long)
{
	char text[601], shown[255];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memset(shown, 'x', sizeof(shown) - 1);
	shown[sizeof(shown) - 1] = '\0';
	plymouth_begin();
	log_error("%s", text);
	expect('M', shown);
	plymouth_end();
}
END_TEST

/* Plymouth as a process of its own: answers one request. */
static pid_t serve(char answer)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct pollfd ready = { .fd = server, .events = POLLIN };
		char request[2] = "";
		int fd;

		poll(&ready, 1, 10000);
		fd = accept(server, NULL, NULL);
		if (read(fd, request, 2) != 2 || request[0] != 'D' || request[1] != '\0' ||
		    write(fd, &answer, 1) != 1)
			_exit(1);
		_exit(0);
	}
	return pid;
}

static void served(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

START_TEST(steps_back)
{
	char found[8];
	pid_t pid;

	ck_assert(!plymouth_step_back());
	plymouth_begin();
	pid = serve(6);
	ck_assert(plymouth_step_back());
	served(pid);
	plymouth_return();
	ck_assert_uint_eq(next(found, sizeof(found)), 2);
	ck_assert_str_eq(found, "r");
	pid = serve(0x15);
	ck_assert(!plymouth_step_back());
	served(pid);
	plymouth_end();
}
END_TEST

START_TEST(does_without)
{
	close(server);
	server = -1;
	plymouth_begin();
	log_error("one");
	ck_assert(!plymouth_step_back());
	plymouth_return();
	plymouth_end();
}
END_TEST

const bool each_in_a_process = true;

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "plymouth");

	tcase_add_checked_fixture(tcase, make, clean);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, shows_messages);
	tcase_add_test(tcase, takes_away_what_is_no_warning);
	tcase_add_test(tcase, shows_progress);
	tcase_add_test(tcase, cuts_what_is_too_long);
	tcase_add_test(tcase, steps_back);
	tcase_add_test(tcase, does_without);
}
