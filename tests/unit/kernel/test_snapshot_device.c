/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/snapshot_device: reading and writing pages, several per call. A socket that
 * preserves the boundaries of calls takes the place of the device. */
#include "base/memory.h"
#include "fixtures/check_main.h"
#include "kernel/snapshot_device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* All of them fit into a socket. */
#define PAGES 12u

static unsigned char *pages, *back;
static size_t page;
static int ends[2];

static void setup(void)
{
	page = page_size();
	pages = malloc(PAGES * page);
	back = calloc(PAGES, page);
	ck_assert(pages && back);
	for (size_t i = 0; i < PAGES * page; i++)
		pages[i] = (unsigned char)(i * 7 + i / page);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
}

static void teardown(void)
{
	free(pages);
	free(back);
	close(ends[0]);
	close(ends[1]);
}

static const unsigned int most[] = { 1, 2, 3, 8, 100 };

START_TEST(write_pages)
{
	size_t a_call = most[_i] < SNAPSHOT_PAGES_A_CALL ? most[_i] : SNAPSHOT_PAGES_A_CALL;

	for (size_t count = 1; count <= PAGES; count++) {
		ck_assert_int_eq(snapshot_write(ends[0], pages, count * page, most[_i]), 0);
		for (size_t done = 0; done < count;) {
			size_t expected = count - done < a_call ? count - done : a_call;
			ssize_t n = read(ends[1], back + done * page, PAGES * page);

			ck_assert_int_eq(n, (ssize_t)(expected * page));
			done += expected;
		}
		ck_assert_mem_eq(pages, back, count * page);
	}
}
END_TEST

/* All that comes at once, including parts of a page. */
START_TEST(read_pages)
{
	static const size_t parts[] = { 4096, 100, 65536, 3000, 1 };
	size_t sent = 0;

	for (size_t i = 0; sent < (PAGES - 1) * page; i++) {
		size_t n = parts[i % (sizeof(parts) / sizeof(*parts))];

		if (n > (PAGES - 1) * page - sent)
			n = (PAGES - 1) * page - sent;
		/* A packet longer than the request would lose its end. */
		if (n > page - sent % page)
			n = page - sent % page;
		ck_assert_int_eq(write(ends[1], pages + sent, n), (ssize_t)n);
		sent += n;
	}
	ck_assert_int_eq(shutdown(ends[1], SHUT_WR), 0);
	ck_assert_int_eq(snapshot_read(ends[0], back, PAGES * page), (ssize_t)sent);
	ck_assert_mem_eq(pages, back, sent);
	ck_assert_int_eq(snapshot_read(ends[0], back, page), 0);
}
END_TEST

START_TEST(errors)
{
	close(ends[1]);
	ck_assert_int_eq(snapshot_read(-1, back, page), -EBADF);
	ck_assert_int_eq(snapshot_write(-1, pages, page, 1), -EBADF);
	ck_assert_int_eq(snapshot_write(-1, pages, page, SNAPSHOT_PAGES_A_CALL), -EBADF);
	ck_assert_int_eq(snapshot_write(ends[0], pages, 0, 1), 0);
	ends[1] = -1;
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "snapshot_device");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, write_pages, 0, sizeof(most) / sizeof(*most));
	tcase_add_test(tcase, read_pages);
	tcase_add_test(tcase, errors);
}
