/* SPDX-License-Identifier: GPL-2.0-or-later */
/* journal: what arrives at the journal's socket. */
#include "output/journal.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int receiver;

static void make_journal(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	made_root_create();
	made_directory("/run/systemd/journal");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/run/systemd/journal/socket",
		 made_root);
	receiver = socket(AF_UNIX, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(receiver, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void remove_journal(void)
{
	close(receiver);
	made_root_remove();
}

/* The next datagram, and the file that came with it, -1 for none. */
static size_t receive(char *buffer, size_t size, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec vector = { buffer, size };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header;
	ssize_t length = recvmsg(receiver, &message, MSG_DONTWAIT);

	ck_assert_int_ge(length, 0);
	*ret_fd = -1;
	header = CMSG_FIRSTHDR(&message);
	if (header)
		memcpy(ret_fd, CMSG_DATA(header), sizeof(int));
	return (size_t)length;
}

START_TEST(sends_fields_as_lines)
{
	static const char wanted[] = "MESSAGE=resumed 12\nPRIORITY=5\nSYSLOG_IDENTIFIER=s2disk\n"
				     "S2DISK_BYTES=4096\n";
	struct journal_entry entry;
	char got[1024];
	int fd;

	journal_begin(&entry, "s2disk", LOG_LEVEL_NOTICE, "resumed %d", 12);
	journal_field(&entry, "S2DISK_BYTES", "%d", 4096);
	ck_assert_int_eq(journal_send(&entry, made_root), 0);
	ck_assert_ptr_null(entry.data);
	ck_assert_uint_eq(receive(got, sizeof(got), &fd), sizeof(wanted) - 1);
	ck_assert_mem_eq(got, wanted, sizeof(wanted) - 1);
	ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(gives_lengths_of_values_with_lines)
{
	static const char wanted[] = "MESSAGE=m\nPRIORITY=3\nSYSLOG_IDENTIFIER=x\n"
				     "S2DISK_TEXT\n\3\0\0\0\0\0\0\0a\nb\n";
	struct journal_entry entry;
	char got[1024];
	int fd;

	journal_begin(&entry, "x", LOG_LEVEL_ERROR, "m");
	journal_field(&entry, "S2DISK_TEXT", "a\nb");
	ck_assert_int_eq(journal_send(&entry, made_root), 0);
	ck_assert_uint_eq(receive(got, sizeof(got), &fd), sizeof(wanted) - 1);
	ck_assert_mem_eq(got, wanted, sizeof(wanted) - 1);
}
END_TEST

/* Longer than any datagram: passed as a sealed file. */
START_TEST(sends_what_is_long_as_a_file)
{
	const size_t length = 4 << 20;
	char *text = malloc(length + 1), *got = malloc(length + 200), start[16];
	struct journal_entry entry;
	struct stat st;
	int fd;

	memset(text, 'q', length);
	text[length] = '\0';
	journal_begin(&entry, "x", LOG_LEVEL_INFO, "m");
	journal_field(&entry, "LONG", "%s", text);
	ck_assert_int_eq(journal_send(&entry, made_root), 0);
	ck_assert_uint_eq(receive(start, sizeof(start), &fd), 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GET_SEALS),
			 F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(pread(fd, got, length + 200, 0), st.st_size);
	ck_assert(memcmp(got, "MESSAGE=m\n", 10) == 0);
	ck_assert_ptr_nonnull(memmem(got, (size_t)st.st_size, "\nLONG=qqqq", 10));
	ck_assert_int_eq(got[st.st_size - 1], '\n');
	ck_assert_int_gt(st.st_size, (off_t)length);
	close(fd);
	free(text);
	free(got);
}
END_TEST

START_TEST(says_when_there_is_no_journal)
{
	struct journal_entry entry;
	char deep[200];

	journal_begin(&entry, "x", LOG_LEVEL_INFO, "m");
	ck_assert_int_eq(journal_send(&entry, "/nowhere"), -ENOENT);
	ck_assert_ptr_null(entry.data);
	memset(deep, 'a', sizeof(deep));
	deep[sizeof(deep) - 1] = '\0';
	journal_begin(&entry, "x", LOG_LEVEL_INFO, "m");
	ck_assert_int_eq(journal_send(&entry, deep), -ENAMETOOLONG);
	close(receiver);
	receiver = -1;
	journal_begin(&entry, "x", LOG_LEVEL_INFO, "m");
	ck_assert_int_eq(journal_send(&entry, made_root), -ECONNREFUSED);
}
END_TEST

/* A journal that hangs does not block the sender for long. */
START_TEST(does_not_wait_for_ever)
{
	struct journal_entry entry;
	int r = 0;

	for (int i = 0; r == 0 && i < 10000; i++) {
		journal_begin(&entry, "x", LOG_LEVEL_INFO, "m");
		r = journal_send(&entry, made_root);
	}
	ck_assert_int_eq(r, -EAGAIN);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "journal");

	tcase_add_checked_fixture(test, make_journal, remove_journal);
	tcase_set_timeout(test, 20);
	tcase_add_test(test, sends_fields_as_lines);
	tcase_add_test(test, gives_lengths_of_values_with_lines);
	tcase_add_test(test, sends_what_is_long_as_a_file);
	tcase_add_test(test, says_when_there_is_no_journal);
	tcase_add_test(test, does_not_wait_for_ever);
}
