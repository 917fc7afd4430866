/* SPDX-License-Identifier: GPL-2.0-or-later */
/* swap/swap_area: /proc/swaps, and finding areas, on loop devices if that is possible. */
#include "fixtures/check_main.h"
#include "swap/swap_area.h"

#include "base/bytes.h"
#include "base/io.h"
#include "base/memory.h"
#include "fixtures/made_data.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define HEAD "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* /proc/swaps */

START_TEST(reads_all_fields)
{
	struct swap_entry entries[8];
	int count = swaps_parse(
		HEAD "/dev/dm-1                               partition\t8388604\t\t12\t\t-2\n"
		     "/swap\\040file\\134x                       file\t\t1048572\t0\t\t32767\n"
		     "/gone\\040(deleted) file 4 0 -3\n"
		     "/new\\012line\\400\\08 file 4 0 0\n"
		     "/dev/" X64 X64 X64 X64 " partition 4 0 0\n",
		entries, ARRAY_SIZE(entries));

	ck_assert_int_eq(count, 5);
	ck_assert_str_eq(entries[0].path, "/dev/dm-1");
	ck_assert(!entries[0].file && !entries[0].deleted);
	ck_assert_uint_eq(entries[0].size, 8388604ULL * 1024);
	ck_assert_uint_eq(entries[0].used, 12 * 1024);
	ck_assert_int_eq(entries[0].priority, -2);
	ck_assert_str_eq(entries[1].path, "/swap file\\x");
	ck_assert(entries[1].file && !entries[1].deleted);
	ck_assert_int_eq(entries[1].priority, 32767);
	ck_assert_str_eq(entries[2].path, "/gone");
	ck_assert(entries[2].file && entries[2].deleted);
	ck_assert_str_eq(entries[3].path, "/new\nline\\400\\08");
	ck_assert_str_eq(entries[4].path, "");
	ck_assert_int_eq(entries[4].deleted, false);
}
END_TEST

static const struct {
	const char *text;
	int count;
} swaps[] = {
	{ "", 0 },
	{ HEAD, 0 },
	{ "Filename", 0 },
	{ HEAD "\n\n", 0 },
	{ HEAD "/a file 1 2 3", 1 },
	{ HEAD "/a file 1 2 3\n\n/b file 1 2 3\n", 2 },
	{ HEAD "/a file 1 2 3 more\n", 1 },
	{ "/dev/sda2 partition 1 2 3\n", -EINVAL },
	{ HEAD "/a\n", -EINVAL },
	{ HEAD "/a file\n", -EINVAL },
	{ HEAD "/a file 1\n", -EINVAL },
	{ HEAD "/a file 1 2\n", -EINVAL },
	{ HEAD "/a file 1 2 -\n", -EINVAL },
	{ HEAD "/a file 1 2 --3\n", -EINVAL },
	{ HEAD "/a file 1 2 2147483648\n", -EINVAL },
	{ HEAD "/a file -1 2 3\n", -EINVAL },
	{ HEAD "/a file x 2 3\n", -EINVAL },
	{ HEAD "/a file 18446744073709551615 2 3\n", -EINVAL },
	{ HEAD "/a file 1 00000000000000000000000002 3\n", -EINVAL },
	{ HEAD " \n", -EINVAL },
};

START_TEST(counts_lines)
{
	struct swap_entry entry = { .priority = 77 };

	ck_assert_int_eq(swaps_parse(swaps[_i].text, NULL, 0), swaps[_i].count);
	ck_assert_int_eq(swaps_parse(swaps[_i].text, &entry, 1), swaps[_i].count);
	ck_assert_int_eq(entry.priority, swaps[_i].count > 0 ? 3 : 77);
}
END_TEST

START_TEST(reads_below_a_root)
{
	char root[] = "/tmp/test_swap_area.XXXXXX", path[64];
	struct swap_entry entry;
	FILE *file;

	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(swaps_read(root, &entry, 1), -ENOENT);
	snprintf(path, sizeof(path), "%s/proc", root);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/proc/swaps", root);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(HEAD "/a file 1 2 3\n/b file 1 2 3\n", file);
	fclose(file);
	ck_assert_int_eq(swaps_read(root, &entry, 1), 2);
	ck_assert_str_eq(entry.path, "/a");
	unlink(path);
	snprintf(path, sizeof(path), "%s/proc", root);
	rmdir(path);
	rmdir(root);
}
END_TEST

START_TEST(judges_by_name)
{
	static const struct {
		struct swap_entry entry;
		bool suitable;
	} cases[] = {
		{ { .path = "/dev/sda2" }, true },
		{ { .path = "/dev/dm-0" }, true },
		{ { .path = "/dev/nvme0n1p3" }, true },
		{ { .path = "/dev/zramp" }, true },
		{ { .path = "/swapfile", .file = true }, true },
		{ { .path = "/dev/zram0", .file = true }, true },
		{ { .path = "/dev/zram0" }, false },
		{ { .path = "/dev/zram12" }, false },
		{ { .path = "/dev/ram0" }, false },
		{ { .path = "/dev/loop3" }, false },
		{ { .path = "/dev/nbd0" }, false },
		{ { .path = "/dev/nbd0p1" }, false },
		{ { .path = "/dev/rbd0" }, false },
		{ { .path = "/swapfile", .file = true, .deleted = true }, false },
		{ { .path = "" }, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ck_assert_msg(swap_entry_suitable(&cases[i].entry) == cases[i].suitable, "%s",
			      cases[i].entry.path);
}
END_TEST

/* What cannot be resolved */

static const struct {
	const char *spec;
	bool allow_file;
	int r;
	const char *says;
} wrong[] = {
	{ "", true, -EINVAL, "no resume device was named" },
	{ "sda2", true, -EINVAL, "sda2: not a device; give a full path" },
	{ "8:x", true, -EINVAL, "8:x: not a device" },
	{ "0:1", true, -EINVAL, "0:1: not a device" },
	{ "4096:1", true, -EINVAL, "4096:1: not a device" },
	{ "8:1:1", true, -EINVAL, "8:1:1: not a device" },
	{ "4095:1048575", true, -ENODEV, "no block device 4095:1048575" },
	{ "/dev/none", true, -ENODEV, "/dev/none: does not exist" },
	{ "/dev/null/none", true, -ENODEV, "/dev/null/none: does not exist" },
	{ "/dev/null", true, -ENOTBLK, "/dev/null: not a block device" },
	{ "/", true, -ENOTBLK, "/: not a block device" },
	{ "/proc/self/exe", false, -ENOTBLK, "a file; give the block device" },
	{ "/proc/cpuinfo", true, -EINVAL, "/proc/cpuinfo: the file is shorter than a page" },
	{ "DISK=1", true, -EINVAL, "DISK=1: neither a path nor UUID=" },
	{ "UUID", true, -EINVAL, "UUID: not a device" },
	{ "UUID=", true, -EINVAL, "the value of UUID= is missing" },
	{ "=1", true, -EINVAL, "=1: neither" },
	{ "UUIDS=1", true, -EINVAL, "UUIDS=1: neither" },
	{ "LABEL=\"x", true, -EINVAL, "or a quote is not closed" },
	{ "LABEL=\"", true, -EINVAL, "or a quote is not closed" },
	{ "LABEL=\"\"", true, -EINVAL, "or a quote is not closed" },
	{ "LABEL=..", true, -ENODEV, "LABEL=..: no device has it" },
	{ "LABEL=../../null", true, -ENODEV, "no device has it" },
	{ "UUID=00000000-1111-2222-3333-444444444444", true, -ENODEV, "no device has it" },
	{ "PARTUUID=00000000-99", true, -ENODEV, "no device has it" },
	{ "PARTLABEL=\033[31m", true, -ENODEV, "PARTLABEL=?[31m: no device has it" },
	{ "/" X64 X64 X64 X64, true, -EINVAL, "more than 255 bytes" },
	{ "LABEL=" X64 X64 X64 X64, true, -EINVAL, "more than 255 bytes" },
};

START_TEST(says_what_is_wrong)
{
	struct swap_area area = { .offset = 77 };
	struct why w = { "" };

	ck_assert_int_eq(swap_area_resolve(wrong[_i].spec, 0, wrong[_i].allow_file, &area, &w),
			 wrong[_i].r);
	ck_assert_msg(strstr(w.text, wrong[_i].says) != NULL, "%s", w.text);
	ck_assert_uint_eq(area.offset, 77);
	ck_assert_str_eq(area.name, "");
	ck_assert_int_eq(swap_area_resolve(wrong[_i].spec, 0, wrong[_i].allow_file, &area, NULL),
			 wrong[_i].r);
}
END_TEST

START_TEST(opens_block_devices_only)
{
	struct swap_area area = { .device = "/dev/null" };
	struct why w = { "" };

	ck_assert_int_lt(swap_area_open(&area, O_RDONLY, &w), 0);
	ck_assert_ptr_nonnull(strstr(w.text, "/dev/null: "));
	strcpy(area.device, "/dev/none");
	ck_assert_int_eq(swap_area_open(&area, O_RDONLY, &w), -ENOENT);
	ck_assert_ptr_nonnull(strstr(w.text, "/dev/none: "));
}
END_TEST

/* Real areas */

#define PAGES 1024

static struct {
	char file[64]; /* of the area, in the build directory */
	char device[32];
	char label[17], uuid[37];
	unsigned char uuid_bytes[16];
	int fd; /* of the loop device, which goes away when it is closed */
	dev_t dev;
} made;

static void put_signature(int fd, const char *signature)
{
	ck_assert_int_eq(io_pwrite_full(fd, signature, 10, page_size() - 10), 0);
	ck_assert_int_eq(fsync(fd), 0);
}

static void describe(void)
{
	unsigned char *b = made.uuid_bytes;

	ck_assert_int_eq(getrandom(b, 16, 0), 16);
	snprintf(made.uuid, sizeof(made.uuid),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
	snprintf(made.label, sizeof(made.label), "t/%02x%02x%02x #1", b[0], b[1], b[2]);
}

/* A file as mkswap leaves it. */
static int make_swap_file(void)
{
	const uint32_t head[3] = { 1, PAGES - 1, 0 };
	size_t page = page_size();
	char *zeros = calloc(PAGES, page);
	int fd;

	strcpy(made.file, "./test_swap_area.XXXXXX");
	fd = mkstemp(made.file);
	ck_assert_int_ge(fd, 0);
	ck_assert_ptr_nonnull(zeros);
	describe();
	memcpy(zeros + 1024, head, sizeof(head));
	memcpy(zeros + 1036, made.uuid_bytes, 16);
	memcpy(zeros + 1052, made.label, strlen(made.label));
	ck_assert_int_eq(io_write_full(fd, zeros, PAGES * page), 0);
	free(zeros);
	put_signature(fd, "SWAPSPACE2");
	return fd;
}

static bool skip(const char *what)
{
	fprintf(stderr, "test_swap_area: SKIP: %s: %s\n", what, strerror(errno));
	return false;
}

static bool attach(int control, int backing)
{
	struct loop_info64 info = { .lo_flags = LO_FLAGS_AUTOCLEAR };

	/* Another program may take the free one first. */
	for (int tries = 0; tries < 10; tries++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0)
			return false;
		snprintf(made.device, sizeof(made.device), "/dev/loop%d", number);
		made.fd = open(made.device, O_RDWR | O_CLOEXEC);
		if (made.fd < 0)
			return false;
		if (ioctl(made.fd, LOOP_SET_FD, backing) == 0) {
			ck_assert_int_eq(ioctl(made.fd, LOOP_SET_STATUS64, &info), 0);
			return true;
		}
		close(made.fd);
		if (errno != EBUSY)
			return false;
	}
	return false;
}

/* False, with a message, if this machine or user has no loop devices. */
static bool make_loop(void)
{
	struct stat st;
	int control, backing;
	bool ok;

	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return skip("no loop devices");
	backing = make_swap_file();
	ok = attach(control, backing);
	close(control);
	close(backing);
	unlink(made.file);
	if (!ok)
		return skip("no loop device can be set up");
	ck_assert_int_eq(fstat(made.fd, &st), 0);
	made.dev = st.st_rdev;
	return true;
}

static void check_found(const char *spec)
{
	struct swap_area area;
	struct why w = { "" };
	int r = swap_area_resolve(spec, 0, true, &area, &w);

	ck_assert_msg(r == 0, "%s", w.text);
	ck_assert_str_eq(area.name, spec);
	ck_assert_str_eq(area.device, made.device);
	ck_assert_uint_eq(area.dev, made.dev);
	ck_assert_uint_eq(area.offset, 0);
	ck_assert_uint_eq(area.dev_bytes, PAGES * page_size());
	ck_assert(!area.file);
}

START_TEST(finds_a_device_by_all_names)
{
	static const char *const signatures[] = { "SWAPSPACE2", "ULSUSPEND\0", "S1SUSPEND\0" };
	char spec[128];

	if (!make_loop())
		return;
	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++) {
		put_signature(made.fd, signatures[i]);
		check_found(made.device);
		snprintf(spec, sizeof(spec), "%u:%u", major(made.dev), minor(made.dev));
		check_found(spec);
		snprintf(spec, sizeof(spec), "UUID=%s", made.uuid);
		check_found(spec);
		for (char *c = spec; *c; c++)
			if (*c >= 'a' && *c <= 'f')
				*c = (char)(*c - 'a' + 'A');
		check_found(spec);
		snprintf(spec, sizeof(spec), "LABEL=%s", made.label);
		check_found(spec);
		snprintf(spec, sizeof(spec), "LABEL=\"%s\"", made.label);
		check_found(spec);
	}
	close(made.fd);
}
END_TEST

/* Our image fills the last 512 bytes of the page. */
START_TEST(finds_an_area_with_an_image)
{
	unsigned char record[512];
	char spec[64];

	if (!make_loop())
		return;
	memset(record, 0xee, sizeof(record));
	memcpy(record + sizeof(record) - 20, "SWAPSPACE2ULSUSPEND", 20);
	ck_assert_int_eq(io_pwrite_full(made.fd, record, sizeof(record), page_size() - 512), 0);
	snprintf(spec, sizeof(spec), "UUID=%s", made.uuid);
	check_found(spec);
	snprintf(spec, sizeof(spec), "LABEL=%s", made.label);
	check_found(spec);
	close(made.fd);
}
END_TEST

START_TEST(keeps_to_the_device)
{
	struct swap_area area = { .offset = 77 };
	struct why w = { "" };
	unsigned char *page = NULL;
	char path[PATH_MAX] = "./test_swap_area-link";
	int fd;

	if (!make_loop())
		return;
	ck_assert_int_eq(swap_area_resolve(made.device, PAGES, true, &area, &w), -EINVAL);
	ck_assert_ptr_nonnull(
		strstr(w.text, "has only 1024 pages, so the resume offset cannot be 1024"));
	ck_assert_int_eq(swap_area_resolve(made.device, UINT64_MAX, true, &area, &w), -EINVAL);
	ck_assert_uint_eq(area.offset, 77);

	/* An offset makes it a file's; links are followed once. */
	unlink(path);
	ck_assert_int_eq(symlink(made.device, path), 0);
	ck_assert_ptr_nonnull(realpath(".", path));
	ck_assert_uint_lt(strlen(path), 200);
	strcat(path, "/test_swap_area-link");
	ck_assert_int_eq(swap_area_resolve(path, PAGES - 1, false, &area, &w), 0);
	unlink(path);
	ck_assert_str_eq(area.device, made.device);
	ck_assert(area.file);
	ck_assert_uint_eq(swap_area_start(&area), (PAGES - 1) * page_size());

	fd = swap_area_open(&area, O_RDWR, &w);
	ck_assert_msg(fd >= 0, "%s", w.text);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_DIRECT, O_DIRECT);
	ck_assert_int_eq(posix_memalign((void **)&page, page_size(), page_size()), 0);
	ck_assert_int_eq(io_pread_full(fd, page, page_size(), 0), 0);
	ck_assert_mem_eq(page + page_size() - 10, "SWAPSPACE2", 10);
	free(page);
	close(fd);

	/* Another device has taken its name. */
	area.dev++;
	ck_assert_int_eq(swap_area_open(&area, O_RDONLY, &w), -ENODEV);
	ck_assert_ptr_nonnull(strstr(w.text, "is no longer the device"));
	close(made.fd);
}
END_TEST

START_TEST(finds_its_line)
{
	struct swap_entry entries[] = {
		{ .path = "" },
		{ .path = "/dev/none" },
		{ .path = "/dev/null" },
		{ .path = "", .deleted = true },
		{ .path = "", .file = true },
		{ .path = "", .priority = 5 },
	};
	struct swap_entry found = { .priority = 77 };
	struct swap_area area;

	if (!make_loop())
		return;
	for (size_t i = 3; i < 6; i++)
		strcpy(entries[i].path, made.device);
	ck_assert_int_eq(swap_area_resolve(made.device, 0, false, &area, NULL), 0);
	ck_assert(!swap_area_find_entry(&area, entries, 5, &found));
	ck_assert_int_eq(found.priority, 77);
	ck_assert(swap_area_find_entry(&area, entries, 6, &found));
	ck_assert_int_eq(found.priority, 5);
	close(made.fd);
}
END_TEST

/* A device with an offset has a file system: no message may suggest mkswap on it,
 * whatever its name. */
START_TEST(is_made_anew_by_its_own_name_only)
{
	struct swap_area area = { .name = "UUID=abc", .device = "/dev/sda2" };
	struct swap_header header = { .label = "" };
	char text[800];

	ck_assert_str_eq(swap_area_operand(&area), "/dev/sda2");
	ck_assert_str_eq(swap_area_renewal(&area, &header, text, sizeof(text)),
			 "run \"swapoff /dev/sda2; mkswap /dev/sda2\"");
	/* Its former content is unknown: it may be a file system. */
	ck_assert_str_eq(swap_area_renewal(&area, NULL, text, sizeof(text)),
			 "see what /dev/sda2 holds (blkid -p /dev/sda2); if it is a file "
			 "system, use another device");
	area.offset = 34816;
	for (int file = 0; file < 2; file++) {
		area.file = file;
		ck_assert_ptr_null(swap_area_operand(&area));
		ck_assert_str_eq(swap_area_renewal(&area, NULL, text, sizeof(text)),
				 "find the swap file that begins at page 34816 of /dev/sda2, and "
				 "run swapoff and mkswap with its path (never with /dev/sda2)");
	}
	area.file_named = true;
	strcpy(area.name, "/swapfile");
	ck_assert_str_eq(swap_area_operand(&area), "/swapfile");
	ck_assert_str_eq(swap_area_renewal(&area, NULL, text, sizeof(text)),
			 "run \"swapoff /swapfile; mkswap /swapfile\"");
}
END_TEST

/* Names and commands refer to these. */
START_TEST(is_made_anew_with_its_uuid)
{
	struct swap_area area = { .name = "UUID=abc", .device = "/dev/sda2" };
	struct swap_header header = { .label = "my swap" };
	char text[800];

	for (unsigned char i = 0; i < 16; i++)
		header.uuid[i] = (unsigned char)(0xa0 + i);
	ck_assert_str_eq(swap_area_renewal(&area, &header, text, sizeof(text)),
			 "run \"swapoff /dev/sda2; mkswap -U a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf "
			 "-L 'my swap' /dev/sda2\"");
	strcpy(header.label, "it's");
	ck_assert_ptr_null(strstr(swap_area_renewal(&area, &header, text, sizeof(text)), "-L"));
	area.file = area.file_named = true;
	strcpy(area.name, "/my swap");
	ck_assert_str_eq(swap_area_renewal(&area, &header, text, sizeof(text)),
			 "run \"swapoff '/my swap'; mkswap -U a0a1a2a3-a4a5-a6a7-a8a9-"
			 "aaabacadaeaf '/my swap'\"");
	strcpy(area.name, "/it's; swap");
	ck_assert_str_eq(swap_area_renewal(&area, &header, text, sizeof(text)),
			 "run swapoff and mkswap -U a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf with its "
			 "path, /it's; swap");
	memset(area.name, '\'', sizeof(area.name) - 1);
	memset(area.device, 'd', sizeof(area.device) - 1);
	ck_assert_uint_lt(strlen(swap_area_renewal(&area, &header, text, sizeof(text))),
			  sizeof(text) - 1);
	area.file_named = false;
	ck_assert_uint_lt(strlen(swap_area_renewal(&area, &header, text, sizeof(text))),
			  sizeof(text) - 1);
}
END_TEST

START_TEST(resolves_a_swap_file)
{
	struct swap_area area = { 0 }, again;
	struct swap_entry entry = { .file = true }, found;
	struct why w = { "" };
	char path[PATH_MAX];
	int fd = make_swap_file(), r;

	ck_assert_ptr_nonnull(realpath(made.file, path));
	r = swap_area_resolve(path, 0, true, &area, &w);
	/* Not root, a file system that cannot do it, or one with small blocks. */
	if (r == -EACCES || r == -EPERM || r == -ENODEV || r == -EOPNOTSUPP ||
	    strstr(w.text, "not a multiple of the page size")) {
		fprintf(stderr, "test_swap_area: SKIP: %s\n", w.text);
		goto out;
	}
	ck_assert_msg(r == 0, "%s", w.text);
	ck_assert(area.file && area.file_named);
	ck_assert_uint_gt(area.offset, 0);
	ck_assert_str_eq(area.name, path);
	ck_assert_str_ne(area.device, path);

	/* The same by its device, and in /proc/swaps. */
	ck_assert_int_eq(swap_area_resolve(area.device, area.offset, false, &again, &w), 0);
	ck_assert_uint_eq(again.dev, area.dev);
	ck_assert(again.file && !again.file_named);
	ck_assert(snprintf(entry.path, sizeof(entry.path), "%s", path) < 256);
	ck_assert(swap_area_find_entry(&again, &entry, 1, &found));
	again.offset++;
	ck_assert(!swap_area_find_entry(&again, &entry, 1, &found));

	/* An offset must agree, and the signature must be there. */
	ck_assert_int_eq(swap_area_resolve(path, area.offset, true, &again, &w), 0);
	ck_assert_int_eq(swap_area_resolve(path, area.offset + 1, true, &again, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "but the resume offset given is"));
	put_signature(fd, "0123456789");
	ck_assert_int_eq(swap_area_resolve(path, 0, true, &again, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "is not a swap file, or does"));
out:
	unlink(made.file);
	close(fd);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *pure = test_case(suite, "swaps"), *real = test_case(suite, "areas");

	enter_build();
	tcase_add_test(pure, reads_all_fields);
	tcase_add_loop_test(pure, counts_lines, 0, (int)ARRAY_SIZE(swaps));
	tcase_add_test(pure, reads_below_a_root);
	tcase_add_test(pure, judges_by_name);
	tcase_add_test(pure, is_made_anew_by_its_own_name_only);
	tcase_add_test(pure, is_made_anew_with_its_uuid);
	tcase_add_loop_test(real, says_what_is_wrong, 0, (int)ARRAY_SIZE(wrong));
	tcase_add_test(real, opens_block_devices_only);
	tcase_add_test(real, finds_a_device_by_all_names);
	tcase_add_test(real, finds_an_area_with_an_image);
	tcase_add_test(real, keeps_to_the_device);
	tcase_add_test(real, finds_its_line);
	tcase_add_test(real, resolves_a_swap_file);
	/* libblkid may have to look at slow devices. */
	tcase_set_timeout(real, 60);
}
