/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"
#include "fixtures/check_main.h"
#include "ui/progress.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB 1048576ULL
#define SECOND 1000000ULL

static struct progress state(uint64_t done, uint64_t total)
{
	return (struct progress){
		.what = "Writing", .total = total, .done = done, .begun = SECOND
	};
}

static const struct {
	uint64_t done, total, now;
	unsigned int columns;
	const char *expected;
} texts[] = {
	/* the numbers */
	{ 812 * MIB, 1562 * MIB, 3 * SECOND, 72,
	  "Writing  [#########---------]   51 %  812 MiB  406 MiB/s  2 s left" },
	{ 0, 1562 * MIB, SECOND, 62, "Writing  [--------]    0 %  0 bytes" },
	{ 1562 * MIB, 1562 * MIB, 3 * SECOND, 63,
	  "Writing  [#########]  100 %  1.5 GiB  781 MiB/s" },
	{ 4 * MIB, 1000 * MIB, 3 * SECOND, 46, "Writing    0 %  4.0 MiB  2.0 MiB/s  9 min left" },
	/* more done than the total, and time that runs backwards */
	{ 3 * MIB, 2 * MIB, 0, 24, "Writing  100 %  3.0 MiB" },
	/* all but done is not done */
	{ UINT64_MAX - 1, UINT64_MAX, SECOND, 16, "Writing   99 %" },
	/* a speed that means years says nothing of the time left */
	{ 1, UINT64_MAX, 2 * SECOND, 61, "Writing    0 %  1 bytes  0.0 MiB/s" },
	/* wide terminals do not make the bar endless */
	{ 0, MIB, SECOND, 5000,
	  "Writing  [----------------------------------------]    0 %  0 bytes" },
	/* the total is not known */
	{ 812 * MIB, 0, 3 * SECOND, 72, "Writing  812 MiB  406 MiB/s" },
	/* narrow: the bar goes first, then the numbers from the right */
	{ 812 * MIB, 1562 * MIB, 3 * SECOND, 50, "Writing   51 %  812 MiB  406 MiB/s  2 s left" },
	{ 812 * MIB, 1562 * MIB, 3 * SECOND, 35, "Writing   51 %  812 MiB  406 MiB/s" },
	{ 812 * MIB, 1562 * MIB, 3 * SECOND, 30, "Writing   51 %  812 MiB" },
	{ 812 * MIB, 1562 * MIB, 3 * SECOND, 20, "Writing   51 %" },
	{ 812 * MIB, 1562 * MIB, 3 * SECOND, 4, "Writ" },
	{ 812 * MIB, 1562 * MIB, 3 * SECOND, 0, "" },
};

START_TEST(state_as_text)
{
	struct progress progress = state(texts[_i].done, texts[_i].total);
	char buffer[200];

	progress_text(&progress, texts[_i].now, texts[_i].columns, buffer, sizeof(buffer));
	ck_assert_str_eq(buffer, texts[_i].expected);
}
END_TEST

START_TEST(never_too_wide)
{
	struct progress progress = state(0, 5000 * MIB);

	memset(progress.what, 'x', sizeof(progress.what) - 1);
	for (unsigned int columns = 0; columns < 300; columns++) {
		for (unsigned int part = 0; part <= 10; part++) {
			char buffer[400];

			progress.done = part * 500 * MIB;
			progress_text(&progress, 3 * SECOND, columns, buffer, sizeof(buffer));
			ck_assert_uint_le(strlen(buffer), columns);
		}
	}
}
END_TEST

START_TEST(small_buffer_is_respected)
{
	struct progress progress = state(812 * MIB, 1562 * MIB);
	char buffer[8] = "1234567";

	progress_text(&progress, 3 * SECOND, 72, buffer, 5);
	ck_assert_str_eq(buffer, "Writ");
	ck_assert_str_eq(buffer + 5, "67");
	progress_text(&progress, 3 * SECOND, 72, buffer, 0);
	ck_assert_str_eq(buffer, "Writ");
}
END_TEST

/* Makes fd stderr; returns the previous stderr. */
static int redirect(int fd)
{
	int saved = dup(STDERR_FILENO);

	ck_assert_int_ge(saved, 0);
	ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
	close(fd);
	return saved;
}

static void put_back(int saved)
{
	ck_assert_int_ge(dup2(saved, STDERR_FILENO), 0);
	close(saved);
}

/* Runs the whole total in hundredths, with fd as stderr, and closes fd. */
static void run_to(int fd, bool quiet)
{
	struct progress progress;
	int saved = redirect(fd);

	progress_begin(&progress, "Writing", 1000 * MIB, quiet);
	for (uint64_t i = 0; i <= 100; i++)
		progress_update(&progress, i * 10 * MIB);
	progress_end(&progress);
	put_back(saved);
	ck_assert_uint_eq(progress.done, 1000 * MIB);
}

/* Everything that was written to the other end, which is closed. A terminal delivers it
 * late, so reading what is there at the moment would not do. */
static size_t take(int fd, char *buffer, size_t size)
{
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, buffer + used, size - 1 - used)) > 0)
		used += (size_t)n;
	buffer[used] = '\0';
	return used;
}

static unsigned int count(const char *text, char c)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += *text == c;
	return n;
}

START_TEST(plain_lines_every_tenth)
{
	char buffer[4096];
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	unsetenv("JOURNAL_STREAM");
	log_open("test");
	run_to(fds[1], false);
	take(fds[0], buffer, sizeof(buffer));
	ck_assert_uint_eq(count(buffer, '\n'), 10);
	ck_assert_uint_eq(count(buffer, '\r'), 0);
	ck_assert_int_eq(strncmp(buffer, "test: Writing   10 %  100 MiB", 29), 0);
	ck_assert_ptr_nonnull(strstr(buffer, "\ntest: Writing  100 %  1000 MiB"));
}
END_TEST

START_TEST(quiet_is_silent)
{
	char buffer[64];
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	run_to(fds[1], true);
	ck_assert_uint_eq(take(fds[0], buffer, sizeof(buffer)), 0);
}
END_TEST

/* A frozen reader must not block us: this would hang. */
START_TEST(full_pipe_is_not_waited_for)
{
	static const char block[4096];
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	while (write(fds[1], block, sizeof(block)) > 0)
		continue;
	ck_assert_int_eq(fcntl(fds[1], F_SETFL, 0), 0);
	run_to(fds[1], false);
}
END_TEST

static int open_terminal(int *ret_slave)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	*ret_slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(*ret_slave, 0);
	return master;
}

START_TEST(bar_on_a_terminal)
{
	char buffer[4096];
	int slave, master = open_terminal(&slave);

	setenv("TERM", "linux", 1);
	run_to(slave, false);
	take(master, buffer, sizeof(buffer));
	ck_assert_ptr_nonnull(strstr(buffer, "\rWriting  [----"));
	ck_assert_ptr_nonnull(strstr(buffer, "####]  100 %"));
	ck_assert_uint_eq(count(buffer, '\n'), 1);
	ck_assert_uint_eq(count(buffer, '\033'), 0);
}
END_TEST

START_TEST(message_clears_the_bar)
{
	struct progress progress;
	char buffer[4096];
	int saved, slave, master = open_terminal(&slave);
	const char *message;

	setenv("TERM", "linux", 1);
	unsetenv("JOURNAL_STREAM");
	log_open("test");
	saved = redirect(slave);
	progress_begin(&progress, "Writing", MIB, false);
	log_info("between");
	progress_end(&progress);
	log_info("after");
	put_back(saved);
	take(master, buffer, sizeof(buffer));

	/* The bar is overwritten with spaces, and the message starts the line. */
	message = strstr(buffer, "\rtest: between\r\n");
	ck_assert_ptr_nonnull(message);
	ck_assert_int_eq(message[-1], ' ');
	/* Afterwards nothing is in the way any more. */
	ck_assert_ptr_nonnull(strstr(message, "\r\ntest: after\r\n"));
}
END_TEST

START_TEST(no_bar_on_a_dumb_terminal)
{
	char buffer[4096];
	int slave, master = open_terminal(&slave);

	setenv("TERM", "dumb", 1);
	unsetenv("JOURNAL_STREAM");
	run_to(slave, false);
	take(master, buffer, sizeof(buffer));
	ck_assert_uint_eq(count(buffer, '\n'), 10);
	ck_assert_uint_eq(count(buffer, '['), 0);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "progress");

	tcase_add_loop_test(tcase, state_as_text, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(tcase, never_too_wide);
	tcase_add_test(tcase, small_buffer_is_respected);
	tcase_add_test(tcase, plain_lines_every_tenth);
	tcase_add_test(tcase, quiet_is_silent);
	tcase_add_test(tcase, full_pipe_is_not_waited_for);
	tcase_add_test(tcase, bar_on_a_terminal);
	tcase_add_test(tcase, message_clears_the_bar);
	tcase_add_test(tcase, no_bar_on_a_dumb_terminal);
}
