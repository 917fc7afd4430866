/* SPDX-License-Identifier: GPL-2.0-or-later */
/* filesystem_stamp on what mkfs and the file systems' authors write. */
#include "base/bytes.h"
#include "base/io.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "platform/filesystems/filesystem_stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct file {
	int fd;
	unsigned int reads, fail_at; /* 0: never */
	int error;
};

static int read_file(void *context, uint64_t offset, unsigned char *page)
{
	struct file *file = context;

	return ++file->reads == file->fail_at
		       ? file->error
		       : io_pread_full(file->fd, page, FILESYSTEM_PAGE, offset);
}

static int identify_error(const char *name, unsigned int fail_at, int error, struct filesystem *ret)
{
	unsigned char page[FILESYSTEM_PAGE];
	char path[128];
	struct file file = { .fail_at = fail_at, .error = error };
	const struct filesystem_source source = { read_file, &file };
	int r;

	snprintf(path, sizeof(path), "%s/%s", made_root, name);
	file.fd = open(path, O_RDONLY);
	ck_assert_int_ge(file.fd, 0);
	*ret = (struct filesystem){ 0 };
	r = filesystem_identify(&source, page, ret);
	close(file.fd);
	return r;
}

static int identify_failing(const char *name, unsigned int fail_at, struct filesystem *ret)
{
	return identify_error(name, fail_at, -EIO, ret);
}

static int identify(const char *name, struct filesystem *ret)
{
	return identify_failing(name, 0, ret);
}

/* The output of the file systems' own tools, and their names. */
static const struct {
	const char *type, *make, *change, *words;
} kinds[] = {
	{ "ext", "mkfs.ext4 -qF -U 01020304-0506-0708-090a-0b0c0d0e0f10 disk",
	  "tune2fs -C 7 disk >/dev/null",
	  "mounted 0 times, last at 1970-01-01 00:00:00 UTC, at rest" },
	{ "ext", "mkfs.ext2 -qF -U 01020304-0506-0708-090a-0b0c0d0e0f10 disk",
	  "tune2fs -T 20200101 disk >/dev/null",
	  "mounted 0 times, last at 1970-01-01 00:00:00 UTC, at rest" },
	{ "xfs", "mkfs.xfs -qf -m uuid=01020304-0506-0708-090a-0b0c0d0e0f10 disk",
	  "xfs_db -x -c 'sb 0' -c 'write fdblocks 9' disk >/dev/null", NULL },
	{ "btrfs", "mkfs.btrfs -qf -U 01020304-0506-0708-090a-0b0c0d0e0f10 disk",
	  "btrfstune -S 1 disk", "generation " },
	{ "f2fs", "mkfs.f2fs -qf -U 01020304-0506-0708-090a-0b0c0d0e0f10 disk",
	  "printf 9 | dd of=disk bs=1 seek=$((512 * 4096)) conv=notrunc 2>/dev/null",
	  "checkpoint " },
};

START_TEST(knows_what_mkfs_makes)
{
	static const unsigned char uuid[16] = { 1, 2,  3,  4,  5,  6,  7,  8,
						9, 10, 11, 12, 13, 14, 15, 16 };
	struct filesystem before, after;
	char words[120];

	/* mkfs.xfs wants no less. */
	made_shell("truncate -s 320M disk");
	if (!made_shell("%s", kinds[_i].make))
		return;
	ck_assert_int_eq(identify("disk", &before), 0);
	ck_assert_str_eq(before.type, kinds[_i].type);
	ck_assert_mem_eq(before.uuid, uuid, sizeof(uuid));
	filesystem_words(&before, words, sizeof(words));
	if (kinds[_i].words)
		ck_assert_msg(strncmp(words, kinds[_i].words, strlen(kinds[_i].words)) == 0, "%s",
			      words);

	ck_assert_int_eq(identify("disk", &after), 0);
	ck_assert_mem_eq(&before, &after, sizeof(after));
	if (!made_shell("%s", kinds[_i].change))
		return;
	ck_assert_int_eq(identify("disk", &after), 0);
	ck_assert(filesystem_same(&before, &after));
	ck_assert_mem_ne(before.stamp, after.stamp, sizeof(after.stamp));
}
END_TEST

/* The superblock of an xfs may be unchanged and its log not: it was mounted, and then reset. */
START_TEST(sees_the_log_of_xfs)
{
	struct filesystem before, after;
	char words[120];

	made_shell("truncate -s 320M disk");
	if (!made_shell("mkfs.xfs -qf disk"))
		return;
	ck_assert_int_eq(identify("disk", &before), 0);
	filesystem_words(&before, words, sizeof(words));
	ck_assert_msg(strstr(words, ", written to 1:2") != NULL, "%s", words);
	/* The next block gets the cycle of this round. */
	if (!made_shell("block=$(xfs_db -c 'sb 0' -c 'p logstart' disk | sed 's/.* = //') && "
			"xfs_db -c \"convert fsblock $block byte\" disk | sed "
			"'s/.*(\\(.*\\)).*/\\1/' >at "
			"&& "
			"printf '\\000\\000\\000\\001' | dd of=disk bs=1 conv=notrunc "
			"seek=$(($(cat at) + 1024)) 2>/dev/null"))
		return;
	ck_assert_int_eq(identify("disk", &after), 0);
	ck_assert_mem_eq(before.stamp, after.stamp, sizeof(after.stamp));
	ck_assert(filesystem_same(&before, &after));
	ck_assert(!filesystem_unchanged(&before, &after));
	/* What an older image does not record is no difference. */
	memset(before.log, 0, sizeof(before.log));
	ck_assert(filesystem_unchanged(&before, &after));
	/* A whole round later. */
	ck_assert(made_shell("printf '\\000\\000\\000\\002' | dd of=disk bs=1 conv=notrunc "
			     "seek=$(($(cat at) + 4)) 2>/dev/null"));
	ck_assert_int_eq(identify("disk", &before), 0);
	ck_assert(!filesystem_unchanged(&before, &after));
	/* Every read on the way. */
	for (unsigned int i = 1; i <= 16; i++)
		ck_assert_int_eq(identify_failing("disk", i, &after), -EIO);
	/* On another device; invalid. */
	ck_assert(made_shell(
		"dd if=/dev/zero of=disk bs=1 seek=48 count=8 conv=notrunc 2>/dev/null"));
	ck_assert_int_eq(identify("disk", &after), 0);
	ck_assert(bytes_all_zero(after.log, sizeof(after.log)));
	ck_assert(made_shell(
		"printf '\\377\\377\\377\\377\\377' | dd of=disk bs=1 seek=48 conv=notrunc "
		"2>/dev/null"));
	ck_assert_int_lt(identify("disk", &after), 0);
}
END_TEST

#define SMALL (256u << 10)

struct piece {
	unsigned int at;
	const char *bytes;
	size_t length;
};

#define PIECE(at, text)                        \
	{                                      \
		(at), (text), sizeof(text) - 1 \
	}

/* The superblocks in their authors' layout, as far as they are read; then the places
 * where a mount for writing shows. */
static const struct {
	const char *type;
	struct piece pieces[16];
	unsigned int uuid, changes[6];
} boots[] = {
	{ "fat", /* 32: four reserved sectors, two tables of eight, root in cluster 3 */
	  { PIECE(0x0b, "\0\2"), PIECE(0x0d, "\10"), PIECE(0x0e, "\4"), PIECE(0x10, "\2"),
	    PIECE(0x24, "\10"), PIECE(0x2c, "\3"), PIECE(0x30, "\1"), PIECE(0x43, "abcd"),
	    PIECE(0x52, "FAT32   "), PIECE(510, "\x55\xaa") },
	  0x43,
	  { 0x41, 512 + 488, 2048, 20 * 512 + 4096 } },
	{ "fat", /* 16: one reserved sector, two tables of 16 */
	  { PIECE(0x0b, "\0\2"), PIECE(0x0d, "\4"), PIECE(0x0e, "\1"), PIECE(0x10, "\2"),
	    PIECE(0x16, "\20"), PIECE(0x27, "abcd"), PIECE(0x36, "FAT16   "),
	    PIECE(510, "\x55\xaa") },
	  0x27,
	  { 0x25, 512, 33 * 512 } },
	{ "exfat", /* table at sector 24, clusters from 64 on, eight sectors each; root in 5 */
	  { PIECE(3, "EXFAT   "), PIECE(0x50, "\30"), PIECE(0x58, "\100"), PIECE(0x60, "\5"),
	    PIECE(0x64, "abcd"), PIECE(0x6c, "\11\3") },
	  0x64,
	  { 0x6a, 0x70, 24 * 512, 64 * 512, 64 * 512 + 3 * 4096 } },
	{ "ntfs", /* MFT in cluster 4; $LogFile not resident, its first run is at cluster 10 */
	  { PIECE(3, "NTFS    "), PIECE(0x0b, "\0\2"), PIECE(0x0d, "\10"), PIECE(0x30, "\4"),
	    PIECE(0x48, "abcdefgh"), PIECE(4 * 4096 + 2048, "FILE"),
	    PIECE(4 * 4096 + 2048 + 0x14, "\70"), PIECE(4 * 4096 + 2048 + 0x38, "\20\0\0\0\30"),
	    PIECE(4 * 4096 + 2048 + 0x50, "\x80\0\0\0\140\0\0\0\1"),
	    PIECE(4 * 4096 + 2048 + 0x70, "\100"), PIECE(4 * 4096 + 2048 + 0x90, "\x21\2\12\0") },
	  0x48,
	  { 4 * 4096 + 3072 + 40, 4 * 4096, 10 * 4096 } },
	{ "bcachefs",
	  { PIECE(4096 + 24, "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef"),
	    PIECE(4096 + 56, "0123456789abcdef") },
	  4096 + 56,
	  { 4096 + 112 } },
};

START_TEST(knows_what_has_no_counter)
{
	static unsigned char bytes[SMALL];
	struct filesystem before, after;
	char words[120];

	memset(bytes, 0, sizeof(bytes));
	for (const struct piece *piece = boots[_i].pieces; piece->length; piece++)
		memcpy(bytes + piece->at, piece->bytes, piece->length);
	made_put_bytes("/disk", bytes, sizeof(bytes));
	ck_assert_int_eq(identify("disk", &before), 0);
	ck_assert_str_eq(before.type, boots[_i].type);
	filesystem_words(&before, words, sizeof(words));
	ck_assert_str_ne(words, "?");
	for (const unsigned int *at = boots[_i].changes; *at; at++) {
		bytes[*at]++;
		made_put_bytes("/disk", bytes, sizeof(bytes));
		ck_assert_int_eq(identify("disk", &after), 0);
		ck_assert_msg(filesystem_same(&before, &after), "%s at %u", boots[_i].type, *at);
		ck_assert_msg(!filesystem_unchanged(&before, &after), "%s at %u", boots[_i].type,
			      *at);
		bytes[*at]--;
	}
	bytes[boots[_i].uuid]++;
	made_put_bytes("/disk", bytes, sizeof(bytes));
	ck_assert_int_eq(identify("disk", &after), 0);
	ck_assert(!filesystem_same(&before, &after));
	/* A disk may contain anything: every byte that is read, inverted. */
	for (unsigned int at = 0; at < 4 * 4096 + 4096; at += at < 512 ? 1 : 61) {
		bytes[at] ^= 0xff;
		made_put_bytes("/disk", bytes, sizeof(bytes));
		identify("disk", &after);
		bytes[at] ^= 0xff;
	}
}
END_TEST

/* Cluster sizes too large for a shift: caught by the undefined-behaviour sanitizer. */
START_TEST(takes_no_nonsense_for_ntfs)
{
	struct filesystem found;

	made_shell("truncate -s 1M disk && printf '\\000\\002\\201' | "
		   "dd of=disk bs=1 seek=11 conv=notrunc 2>/dev/null");
	ck_assert_int_eq(identify("disk", &found), -ENODEV);
	made_shell("printf 'NTFS    ' | dd of=disk bs=1 seek=3 conv=notrunc 2>/dev/null");
	ck_assert_int_eq(identify("disk", &found), -ENODEV);
}
END_TEST

/* Every read that one of them needs. */
START_TEST(tells_errors_of_reading)
{
	struct filesystem found;

	made_shell("truncate -s 320M disk");
	ck_assert_int_eq(identify("disk", &found), -ENODEV);
	for (unsigned int i = 1; i <= 2; i++)
		ck_assert_int_eq(identify_failing("disk", i, &found), -EIO);
	/* Not "none found": the disk is offline. */
	for (unsigned int i = 1; i <= 4; i++)
		ck_assert_int_eq(identify_error("disk", i, -ENODEV, &found), -EIO);
	made_shell("truncate -s 5000 short");
	ck_assert_int_lt(identify("short", &found), 0);
	made_shell("truncate -s 2000 short");
	ck_assert_int_lt(identify("short", &found), 0);
	if (!made_shell("mkfs.f2fs -qf disk"))
		return;
	ck_assert_int_eq(identify("disk", &found), 0);
	for (unsigned int i = 2; i <= 3; i++)
		ck_assert_int_eq(identify_failing("disk", i, &found), -EIO);
	/* A superblock with arbitrary pointers. */
	made_shell("printf '\\377\\377\\377\\377' | dd of=disk bs=1 seek=1100 conv=notrunc "
		   "2>/dev/null");
	ck_assert_int_lt(identify("disk", &found), 0);
	made_shell("printf '\\377' | dd of=disk bs=1 seek=1044 conv=notrunc 2>/dev/null");
	ck_assert_int_eq(identify("disk", &found), -ENODEV);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *stamp = test_case(suite, "stamp");

	tcase_set_timeout(stamp, 60);
	tcase_add_checked_fixture(stamp, made_root_create, made_root_remove);
	tcase_add_loop_test(stamp, knows_what_mkfs_makes, 0, ARRAY_SIZE(kinds));
	tcase_add_test(stamp, sees_the_log_of_xfs);
	tcase_add_test(stamp, takes_no_nonsense_for_ntfs);
	tcase_add_loop_test(stamp, knows_what_has_no_counter, 0, ARRAY_SIZE(boots));
	tcase_add_test(stamp, tells_errors_of_reading);
}
