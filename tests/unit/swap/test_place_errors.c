/* SPDX-License-Identifier: GPL-2.0-or-later */
/* swap/file_place on a simulated kernel: file systems that are not available here, and
 * every answer that it may give instead of a place. */
#include "fixtures/check_main.h"
#include "swap/file_place.h"

#include "base/bytes.h"

#include <errno.h>
#include <limits.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#define PAGE 4096
#define MIB (1ULL << 20)
#define FD 77

/* The answer of btrfs' tree search. */
enum shown {
	SHOWN_ALL,
	SHOWN_CUT_OFF,
	SHOWN_UNORDERED,
	SHOWN_OTHERS,
};

/* Allocations that fail; the test itself needs some. */
enum memory {
	MEMORY_OF_NOTHING,
	MEMORY_OF_ANSWERS,
	MEMORY_OF_CHUNKS,
	MEMORY_OF_DEVICE,
};

static struct {
	struct stat file;
	int fstat_error, fstatfs_error;
	uint32_t magic;
	unsigned long failing; /* an ioctl, which gives … */
	int error;
	unsigned int xflags;		 /* of the file: FS_XFLAG_… */
	struct fiemap_extent extents[2]; /* until one has no length */
	int block_size, blocks[8];	 /* of the file's first page; a size of -1: none */
	int fibmap_error;
	unsigned int flags; /* FS_…_FL, for btrfs */
	enum shown shown;
	unsigned int chunks; /* of 1 MiB each, the file is in the first */
	uint64_t extent;     /* bytes of the file that its extents cover */
	const char *device;  /* as btrfs names it */
	mode_t device_mode;
	enum memory no_memory;
} kernel;

int __wrap_fstat(int fd, struct stat *st);
int __real_fstat(int fd, struct stat *st);
int __wrap_stat(const char *path, struct stat *st);
int __wrap_fstatfs(int fd, struct statfs *fs);
int __wrap_ioctl(int fd, unsigned long request, ...);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);

static int answer(int error)
{
	errno = error;
	return error ? -1 : 0;
}

static bool is_for(enum memory memory)
{
	return kernel.no_memory == memory;
}

void *__wrap_malloc(size_t size)
{
	return size > 65536 && is_for(MEMORY_OF_ANSWERS) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return size == sizeof(struct btrfs_ioctl_dev_info_args) && is_for(MEMORY_OF_DEVICE)
		       ? NULL
		       : __real_calloc(count, size);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
	return is_for(MEMORY_OF_CHUNKS) ? NULL : __real_reallocarray(memory, count, size);
}

int __wrap_fstat(int fd, struct stat *st)
{
	if (fd != FD)
		return __real_fstat(fd, st);
	*st = kernel.file;
	return answer(kernel.fstat_error);
}

int __wrap_stat(const char *path, struct stat *st)
{
	ck_assert_str_eq(path, kernel.device);
	*st = (struct stat){ .st_mode = kernel.device_mode, .st_rdev = makedev(8, 5) };
	return answer(kernel.device_mode ? 0 : ENOENT);
}

int __wrap_fstatfs(int fd, struct statfs *fs)
{
	ck_assert_int_eq(fd, FD);
	memset(fs, 0, sizeof(*fs));
	memcpy(&fs->f_type, &kernel.magic, sizeof(kernel.magic));
	return answer(kernel.fstatfs_error);
}

static void give_extents(struct fiemap *map)
{
	map->fm_mapped_extents = 0;
	for (size_t i = 0; i < ARRAY_SIZE(kernel.extents) && kernel.extents[i].fe_length; i++)
		if (kernel.extents[i].fe_logical >= map->fm_start)
			map->fm_extents[map->fm_mapped_extents++] = kernel.extents[i];
}

static size_t put_item(unsigned char *at, const struct btrfs_ioctl_search_key *key, uint64_t offset,
		       const unsigned char *data, uint32_t length)
{
	const struct btrfs_ioctl_search_header head = {
		.objectid = kernel.shown == SHOWN_OTHERS ? 5 : key->min_objectid,
		.type = key->min_type,
		.offset = offset,
		.len = kernel.shown == SHOWN_CUT_OFF ? UINT32_MAX : length,
	};

	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), data, length);
	return sizeof(head) + length;
}

/* At most two per call, as if there were no room. */
static uint32_t give_chunks(const struct btrfs_ioctl_search_key *key, unsigned char *at)
{
	unsigned char data[80] = { 0 };
	uint32_t given = 0;

	put_le64(data, MIB);
	put_le64(data + 24, BTRFS_BLOCK_GROUP_DATA);
	put_le16(data + 44, 1);
	put_le64(data + 48, 3);
	for (uint64_t i = 0; i < kernel.chunks && given < 2; i++) {
		uint64_t logical = (i + 1) * 16 * MIB;

		if (logical < key->min_offset)
			continue;
		put_le64(data + 56, logical + 100 * MIB);
		at += put_item(at, key, kernel.shown == SHOWN_UNORDERED && i == 1 ? 0 : logical,
			       data, sizeof(data));
		given++;
	}
	return given;
}

/* One extent, at the beginning of the first chunk. */
static uint32_t give_file(const struct btrfs_ioctl_search_key *key, unsigned char *at)
{
	unsigned char data[53] = { 0 };

	ck_assert_uint_eq(key->min_objectid, kernel.file.st_ino);
	if (key->min_offset > 0 || kernel.extent == 0)
		return 0;
	put_le64(data + 8, kernel.extent);
	data[20] = BTRFS_FILE_EXTENT_REG;
	put_le64(data + 21, 16 * MIB);
	put_le64(data + 29, kernel.extent);
	put_le64(data + 45, kernel.extent);
	put_item(at, key, 0, data, sizeof(data));
	return 1;
}

static void give_tree(struct btrfs_ioctl_search_args_v2 *args)
{
	unsigned char *at = (unsigned char *)args->buf;

	args->key.nr_items = args->key.tree_id == BTRFS_CHUNK_TREE_OBJECTID
				     ? give_chunks(&args->key, at)
				     : give_file(&args->key, at);
}

static void give_device(struct btrfs_ioctl_dev_info_args *info)
{
	ck_assert_uint_eq(info->devid, 3);
	memcpy(info->path, kernel.device, strlen(kernel.device) + 1);
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *argument;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	ck_assert_int_eq(fd, FD);
	if (request == kernel.failing)
		return answer(kernel.error);
	if (request == FS_IOC_FSGETXATTR)
		((struct fsxattr *)argument)->fsx_xflags = kernel.xflags;
	else if (request == FS_IOC_FIEMAP)
		give_extents(argument);
	else if (request == FIGETBSZ && kernel.block_size < 0)
		return answer(EINVAL);
	else if (request == FIGETBSZ)
		memcpy(argument, &kernel.block_size, sizeof(int));
	else if (request == FIBMAP && kernel.fibmap_error)
		return answer(kernel.fibmap_error);
	else if (request == FIBMAP)
		memcpy(argument, &kernel.blocks[*(int *)argument], sizeof(int));
	else if (request == FS_IOC_GETFLAGS)
		memcpy(argument, &kernel.flags, sizeof(int));
	else if (request == BTRFS_IOC_TREE_SEARCH_V2)
		give_tree(argument);
	else if (request == BTRFS_IOC_DEV_INFO)
		give_device(argument);
	else
		ck_abort_msg("ioctl %lx", request);
	return 0;
}

/* A file of two pages, at page 1000 of 8:2. */
static void setup(void)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.file = (struct stat){
		.st_mode = S_IFREG | 0600,
		.st_dev = makedev(8, 2),
		.st_ino = 257,
		.st_size = 2 * PAGE,
	};
	kernel.magic = EXT4_SUPER_MAGIC;
	kernel.extents[0] = (struct fiemap_extent){
		.fe_physical = 1000 * PAGE,
		.fe_length = 2 * PAGE,
		.fe_flags = FIEMAP_EXTENT_LAST,
	};
}

/* The same without FIEMAP, in blocks of 1024. */
static void setup_blocks(void)
{
	setup();
	kernel.failing = FS_IOC_FIEMAP;
	kernel.error = EOPNOTSUPP;
	kernel.magic = MSDOS_SUPER_MAGIC;
	kernel.block_size = 1024;
	for (int i = 0; i < 8; i++)
		kernel.blocks[i] = 4000 + i;
}

/* On btrfs it is at 116 MiB of another device. */
static void setup_btrfs(void)
{
	setup();
	kernel.magic = BTRFS_SUPER_MAGIC;
	kernel.file.st_dev = makedev(0, 40);
	kernel.flags = FS_NOCOW_FL;
	kernel.chunks = 5;
	kernel.extent = 2 * PAGE;
	kernel.device = "/dev/sda5";
	kernel.device_mode = S_IFBLK | 0660;
}

static void found_at(dev_t dev, uint64_t offset)
{
	struct file_place place;
	struct why w = { "" };

	ck_assert_msg(file_place_find(FD, PAGE, &place, &w) == 0, "%s", w.text);
	ck_assert_uint_eq(place.dev, dev);
	ck_assert_uint_eq(place.offset, offset);
}

/* Then nothing is found, and the outputs are untouched. */
static void not_found(int error, const char *words)
{
	struct file_place place;
	struct why w = { "" };
	int r;

	memset(&place, 0x5a, sizeof(place));
	r = file_place_find(FD, PAGE, &place, &w);
	ck_assert_msg(r == error, "%d, not %d: %s", r, error, w.text);
	ck_assert_msg(strstr(w.text, words) != NULL, "no '%s' in: %s", words, w.text);
	for (size_t i = 0; i < sizeof(place); i++)
		ck_assert_uint_eq(((unsigned char *)&place)[i], 0x5a);
}

static void refused_when(unsigned long request, int error, int expected, const char *words)
{
	kernel.failing = request;
	kernel.error = error;
	not_found(expected, words);
}

START_TEST(extents)
{
	found_at(makedev(8, 2), 1000);
	/* Whether xfs has a realtime device: others do not know. */
	kernel.failing = FS_IOC_FSGETXATTR;
	kernel.error = ENOTTY;
	found_at(makedev(8, 2), 1000);
}
END_TEST

START_TEST(no_file_to_place)
{
	kernel.fstat_error = EIO;
	not_found(-EIO, "cannot be examined: Input/output error");
	kernel.fstat_error = 0;
	kernel.fstatfs_error = ENOSYS;
	not_found(-ENOSYS, "cannot be examined: Function not implemented");
	kernel.fstatfs_error = 0;
	kernel.file.st_size = PAGE - 1;
	not_found(-EINVAL, "shorter than a page");
	kernel.file.st_mode = S_IFDIR | 0755;
	not_found(-EINVAL, "is not a regular file");
}
END_TEST

START_TEST(no_block_device)
{
	kernel.file.st_dev = makedev(0, 40);
	not_found(-EOPNOTSUPP, "is not on one block device");
}
END_TEST

/* Its addresses would be those of the other device. */
START_TEST(realtime_device)
{
	kernel.xflags = FS_XFLAG_REALTIME;
	not_found(-EOPNOTSUPP, "lies on the realtime device");
}
END_TEST

START_TEST(extents_that_fail)
{
	refused_when(FS_IOC_FIEMAP, EIO, -EIO, "its extents cannot be read: Input/output error");
	kernel.failing = 0;
	kernel.extents[0].fe_flags = FIEMAP_EXTENT_LAST | FIEMAP_EXTENT_SHARED;
	not_found(-EINVAL, "shared with another");
	kernel.extents[0].fe_flags = FIEMAP_EXTENT_LAST;
	kernel.extents[0].fe_length = PAGE;
	not_found(-EINVAL, "hole at byte 4096");
	kernel.extents[0].fe_length = 0;
	not_found(-EINVAL, "one hole");
}
END_TEST

START_TEST(blocks)
{
	found_at(makedev(8, 2), 1000);
	/* One block per page, or several. */
	kernel.block_size = PAGE;
	kernel.blocks[0] = 7;
	found_at(makedev(8, 2), 7);
	kernel.block_size = 16 * PAGE;
	found_at(makedev(8, 2), 7 * 16);
	/* The last possible block, which the next one could not follow. */
	kernel.block_size = PAGE / 2;
	kernel.blocks[0] = INT_MAX;
	kernel.blocks[1] = 1;
	not_found(-EINVAL, "first page is in pieces");
	kernel.block_size = PAGE;
	found_at(makedev(8, 2), INT_MAX);
}
END_TEST

START_TEST(blocks_that_are_no_place)
{
	kernel.blocks[0] = 0;
	not_found(-EINVAL, "begins with a hole");
	kernel.blocks[0] = -4000;
	not_found(-EINVAL, "begins with a hole");
	kernel.blocks[0] = 4000;
	kernel.blocks[3] = 0;
	not_found(-EINVAL, "begins with a hole");
	kernel.blocks[3] = 4004;
	not_found(-EINVAL, "first page is in pieces");
	for (int i = 0; i < 8; i++)
		kernel.blocks[i] = 4001 + i;
	not_found(-EINVAL, "begins at byte 4097024 of the disk, which is not a multiple of the "
			   "page size (4096)");
	kernel.block_size = 0;
	not_found(-EOPNOTSUPP, "does not report where files lie");
}
END_TEST

/* FIEMAP fails permanently; the fallback fails too. */
START_TEST(blocks_that_fail)
{
	static const struct {
		int error, expected;
		const char *words;
	} cases[] = {
		{ EINVAL, -EOPNOTSUPP, "does not report where files lie: Invalid argument" },
		{ ENOTTY, -EOPNOTSUPP, "does not report where files lie: Inappropriate ioctl" },
		{ EPERM, -EPERM, "does not report where files lie: Operation not permitted" },
		{ EIO, -EIO, "does not report where files lie: Input/output error" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		kernel.fibmap_error = cases[i].error;
		not_found(cases[i].expected, cases[i].words);
	}
	kernel.fibmap_error = 0;
	kernel.block_size = -1;
	not_found(-EOPNOTSUPP, "does not report where files lie");
}
END_TEST

START_TEST(btrfs)
{
	found_at(makedev(8, 5), 116 * MIB / PAGE);
	/* Pages of the file that are ignored. */
	kernel.file.st_size = 2 * PAGE + 100;
	found_at(makedev(8, 5), 116 * MIB / PAGE);
	kernel.chunks = 700;
	found_at(makedev(8, 5), 116 * MIB / PAGE);
}
END_TEST

START_TEST(btrfs_refuses)
{
	kernel.flags = FS_NOCOW_FL | FS_COMPR_FL;
	not_found(-EINVAL, "marked for compression");
	kernel.flags = 0;
	not_found(-EINVAL, "copied on write");
	kernel.flags = FS_NOCOW_FL;
	kernel.extent = PAGE;
	not_found(-EINVAL, "hole at byte 4096");
	kernel.extent = 0;
	not_found(-EINVAL, "hole at byte 0");
	kernel.extent = 2 * PAGE;
	kernel.chunks = 0;
	not_found(-EBADMSG, "");
	kernel.chunks = 1;
	kernel.extents[0].fe_flags |= FIEMAP_EXTENT_SHARED;
	not_found(-EINVAL, "shared with another");
	kernel.extents[0].fe_length = 0;
	not_found(-EINVAL, "one hole");
}
END_TEST

START_TEST(btrfs_fails)
{
	refused_when(FS_IOC_GETFLAGS, EIO, -EIO, "its attributes cannot be read: Input/output");
	refused_when(FS_IOC_FIEMAP, EIO, -EIO, "Input/output error");
	refused_when(BTRFS_IOC_TREE_SEARCH_V2, EPERM, -EPERM,
		     "the trees of btrfs cannot be read: Operation not permitted");
	refused_when(BTRFS_IOC_DEV_INFO, ENODEV, -ENODEV,
		     "btrfs does not report its device 3: No such device");
	kernel.failing = 0;
	kernel.device_mode = 0;
	not_found(-ENODEV, "device 3 of btrfs, /dev/sda5, is missing");
	kernel.device_mode = S_IFREG | 0600;
	not_found(-ENODEV, "device 3 of btrfs, /dev/sda5, is missing");
	kernel.device = "";
	not_found(-ENODEV, "device 3 of btrfs, which has no name, is missing");
}
END_TEST

/* Answers that no correct kernel gives: it must end in any case. */
START_TEST(btrfs_makes_no_sense)
{
	kernel.shown = SHOWN_CUT_OFF;
	not_found(-EBADMSG, "a truncated tree");
	kernel.shown = SHOWN_UNORDERED;
	not_found(-EBADMSG, "a tree out of order");
	kernel.shown = SHOWN_OTHERS;
	not_found(-EBADMSG, "returned no item that was asked for");
}
END_TEST

START_TEST(btrfs_without_memory)
{
	for (kernel.no_memory = MEMORY_OF_ANSWERS; kernel.no_memory <= MEMORY_OF_DEVICE;
	     kernel.no_memory++)
		not_found(-ENOMEM, "");
}
END_TEST

static void add_case(Suite *suite, const char *name, void (*before)(void),
		     const TTest *const *tests)
{
	TCase *tcase = test_case(suite, name);

	tcase_add_checked_fixture(tcase, before, NULL);
	for (; *tests; tests++)
		tcase_add_test(tcase, *tests);
}

void test_cases(Suite *suite)
{
	const TTest *const by_extents[] = { extents,	     no_file_to_place,	no_block_device,
					    realtime_device, extents_that_fail, NULL };
	const TTest *const by_blocks[] = { blocks, blocks_that_are_no_place, blocks_that_fail,
					   NULL };
	const TTest *const on_btrfs[] = {
		btrfs, btrfs_refuses, btrfs_fails, btrfs_makes_no_sense, btrfs_without_memory, NULL
	};

	add_case(suite, "extents", setup, by_extents);
	add_case(suite, "blocks", setup_blocks, by_blocks);
	add_case(suite, "btrfs", setup_btrfs, on_btrfs);
}
