/* SPDX-License-Identifier: GPL-2.0-or-later */
/* swapfile_create on file systems that are made up: what each needs is done, and
 * every call fails once. */
#include "swapfile_create.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "made_tree.h"
#include "swap/swap_area.h"
#include "swap/swap_signature.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/f2fs.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define SIZE (3u << 20)
#define SECTION (2u << 20)

static struct {
	const char *call; /* that fails; NULL for none */
	int error;
	char log[256];
	unsigned int flags; /* of the file: FS_…_FL */
	uint64_t allocated;
} kernel;

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_posix_fallocate(int fd, off_t offset, off_t length);
int __wrap_fsync(int fd);
int __wrap_fchmod(int fd, mode_t mode);
int __real_fchmod(int fd, mode_t mode);
int __wrap_crypto_random(void *buffer, size_t size);
int __wrap_swap_area_resolve(const char *spec, uint64_t offset, bool allow_file,
			     struct swap_area *ret, struct why *w);

static bool is_failing(const char *call)
{
	return kernel.call && strcmp(kernel.call, call) == 0;
}

static int result(const char *call)
{
	strncat(kernel.log, call, sizeof(kernel.log) - strlen(kernel.log) - 2);
	strcat(kernel.log, " ");
	errno = kernel.error;
	return is_failing(call) ? -1 : 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *argument;

	(void)fd;
	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (request == FS_IOC_GETFLAGS) {
		memcpy(argument, &kernel.flags, sizeof(kernel.flags));
		return result("getflags");
	}
	if (request == FS_IOC_SETFLAGS) {
		memcpy(&kernel.flags, argument, sizeof(kernel.flags));
		return result("setflags");
	}
	ck_assert_uint_eq(request, F2FS_IOC_SET_PIN_FILE);
	ck_assert_uint_eq(*(uint32_t *)argument, 1);
	return result("pin");
}

int __wrap_posix_fallocate(int fd, off_t offset, off_t length)
{
	(void)fd;
	ck_assert_int_eq(offset, 0);
	kernel.allocated = (uint64_t)length;
	return result("fallocate") < 0 ? kernel.error : 0;
}

int __wrap_fsync(int fd)
{
	(void)fd;
	return result("fsync");
}

int __wrap_fchmod(int fd, mode_t mode)
{
	ck_assert_uint_eq(mode, 0600);
	return result("fchmod") < 0 ? -1 : __real_fchmod(fd, mode);
}

/* The folder is on a device that has no node. */
int __wrap_crypto_random(void *buffer, size_t size)
{
	memset(buffer, 0xff, size);
	return result("random") < 0 ? -kernel.error : 0;
}

int __wrap_swap_area_resolve(const char *spec, uint64_t offset, bool allow_file,
			     struct swap_area *ret, struct why *w)
{
	(void)spec;
	(void)ret;
	ck_assert_uint_eq(offset, 0);
	ck_assert(allow_file);
	return result("confirm") < 0 ? why(w, -kernel.error, "confirm fails") : 0;
}

static void setup(void)
{
	made_create();
	memset(&kernel, 0, sizeof(kernel));
}

static struct why w;

static const char *file(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/file", made_root);
	return path;
}

static int create(uint32_t magic)
{
	struct site site = { .magic = magic };
	struct create create = { .system = &made_system, .site = &site, .size = SIZE + 100 };

	snprintf(site.folder, sizeof(site.folder), "%s", made_root);
	w.text[0] = kernel.log[0] = '\0';
	unlink(file());
	return swapfile_create(&create, file(), &w);
}

/* A header for that many bytes is at its beginning, and it is its owner's alone. */
static void check_file(uint64_t bytes)
{
	unsigned char *page = malloc(page_size());
	FILE *stream = fopen(file(), "r");
	uint32_t last;
	struct stat st;

	ck_assert(page && stream);
	ck_assert_uint_eq(fread(page, 1, page_size(), stream), page_size());
	ck_assert_int_eq(fstat(fileno(stream), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(swap_signature_kind(page, page_size()), SWAP_IS_SWAP);
	memcpy(&last, page + 1028, sizeof(last));
	ck_assert_uint_eq(last, bytes / page_size() - 1);
	/* A random UUID, of version 4. */
	ck_assert_uint_eq(page[1036 + 6], 0x4f);
	ck_assert_uint_eq(page[1036 + 8], 0xbf);
	fclose(stream);
	free(page);
}

START_TEST(usual)
{
	ck_assert_msg(create(EXT4_SUPER_MAGIC) == 0, "%s", w.text);
	ck_assert_str_eq(kernel.log, "fchmod fallocate random fsync confirm ");
	ck_assert_uint_eq(kernel.allocated, SIZE);
	check_file(SIZE);
}
END_TEST

START_TEST(on_btrfs)
{
	kernel.flags = FS_COMPR_FL | FS_NOATIME_FL;
	ck_assert_msg(create(BTRFS_SUPER_MAGIC) == 0, "%s", w.text);
	/* While it is empty. */
	ck_assert_str_eq(kernel.log, "fchmod getflags setflags fallocate random fsync confirm ");
	ck_assert_uint_eq(kernel.flags, FS_NOCOW_FL | FS_NOATIME_FL);
	check_file(SIZE);
}
END_TEST

START_TEST(on_f2fs)
{
	ck_assert_msg(create(F2FS_SUPER_MAGIC) == 0, "%s", w.text);
	ck_assert_str_eq(kernel.log, "fchmod pin fallocate random fsync confirm ");
	ck_assert_uint_eq(kernel.allocated, 2 * SECTION); /* whole sections */
	check_file(2 * SECTION);
}
END_TEST

static const struct {
	uint32_t magic;
	const char *call;
	int error;
	const char *words;
} failures[] = {
	{ EXT4_SUPER_MAGIC, "fchmod", EPERM, "/file: Operation not permitted" },
	{ EXT4_SUPER_MAGIC, "fallocate", ENOSPC,
	  "/file: space for it cannot be had: No space left on device" },
	{ EXT4_SUPER_MAGIC, "random", EIO, "/file: writing the swap header failed: Input/output" },
	{ EXT4_SUPER_MAGIC, "fsync", EIO, "/file: writing the swap header failed: Input/output" },
	{ EXT4_SUPER_MAGIC, "confirm", EINVAL, "confirm fails" },
	{ BTRFS_SUPER_MAGIC, "getflags", ENOTTY, "/file: its attributes cannot be read: Inapp" },
	{ BTRFS_SUPER_MAGIC, "setflags", EINVAL, "/file: the attribute NOCOW cannot be set: Inv" },
	{ F2FS_SUPER_MAGIC, "pin", EFBIG, "/file: the file cannot be pinned to its place: File" },
	{ F2FS_SUPER_MAGIC, "fallocate", ENOSPC,
	  "No space left on device (f2fs needs whole free sections)" },
};

START_TEST(fails)
{
	kernel.call = failures[_i].call;
	kernel.error = failures[_i].error;
	ck_assert_int_eq(create(failures[_i].magic), -failures[_i].error);
	ck_assert_msg(strstr(w.text, failures[_i].words) != NULL, "%s", w.text);
}
END_TEST

/* What is there already is not touched, also where it is a link. */
START_TEST(exists)
{
	struct site site = { .magic = EXT4_SUPER_MAGIC };
	struct create request = { .system = &made_system, .site = &site, .size = SIZE };

	made_put("/file", "mine\n");
	ck_assert_int_eq(swapfile_create(&request, file(), &w), -EEXIST);
	ck_assert_ptr_nonnull(strstr(w.text, "/file: exists already; take another name"));
	made_check("/file", "mine\n");
	unlink(file());
	made_put("/other", "mine\n");
	made_link("/file", "other");
	ck_assert_int_eq(swapfile_create(&request, file(), &w), -EEXIST);
	made_check("/other", "mine\n");
	ck_assert_str_eq(kernel.log, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("swapfile_made");
	TCase *tcase = tcase_create("swapfile_made");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	tcase_add_test(tcase, usual);
	tcase_add_test(tcase, on_btrfs);
	tcase_add_test(tcase, on_f2fs);
	tcase_add_loop_test(tcase, fails, 0, (int)ARRAY_SIZE(failures));
	tcase_add_test(tcase, exists);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
