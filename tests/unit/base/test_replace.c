/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/replace: files are complete at any time, old or new, with their owner, mode and
 * labels; every call that may fail fails once. */
#include "base/replace.h"
#include "fixtures/check_main.h"

#include "base/bytes.h"
#include "base/io.h"
#include "fixtures/machine/made_root.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static struct {
	const char *call; /* that fails; NULL for none */
	unsigned int nth; /* from 1 on */
	int error;
	unsigned int calls;
	char log[512]; /* of the relevant calls, in order */
	int owner;     /* of the new file: uid * 100000 + gid; -1: not set */
	char label[64];
} kernel;

ssize_t __wrap_write(int fd, const void *buffer, size_t length);
ssize_t __real_write(int fd, const void *buffer, size_t length);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __real_rename(const char *from, const char *to);
int __wrap_fchown(int fd, uid_t uid, gid_t gid);
int __wrap_fchmod(int fd, mode_t mode);
int __real_fchmod(int fd, mode_t mode);
ssize_t __wrap_flistxattr(int fd, char *list, size_t size);
ssize_t __wrap_fgetxattr(int fd, const char *name, void *value, size_t size);
int __wrap_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags);
static bool fails(const char *call)
{
	strncat(kernel.log, call, sizeof(kernel.log) - strlen(kernel.log) - 2);
	strcat(kernel.log, " ");
	if (!kernel.call || strcmp(kernel.call, call) != 0 || ++kernel.calls != kernel.nth)
		return false;
	errno = kernel.error;
	return true;
}

/* Check itself writes to pipes. */
ssize_t __wrap_write(int fd, const void *buffer, size_t length)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || length == 0 ||
	    strncmp(buffer, "new", 3) != 0)
		return __real_write(fd, buffer, length);
	return fails("write") ? -1 : __real_write(fd, buffer, length);
}

int __wrap_fsync(int fd)
{
	(void)fd;
	return fails("fsync") ? -1 : 0;
}

int __wrap_rename(const char *from, const char *to)
{
	return fails("rename") ? -1 : __real_rename(from, to);
}

int __wrap_fchown(int fd, uid_t uid, gid_t gid)
{
	(void)fd;
	if (fails("fchown"))
		return -1;
	kernel.owner = (int)(uid * 100000 + gid);
	return 0;
}

int __wrap_fchmod(int fd, mode_t mode)
{
	return fails("fchmod") ? -1 : __real_fchmod(fd, mode);
}

#define LABELS "security.selinux\0user.lost\0user.unset"

ssize_t __wrap_flistxattr(int fd, char *list, size_t size)
{
	(void)fd;
	ck_assert_uint_ge(size, sizeof(LABELS));
	memcpy(list, LABELS, sizeof(LABELS));
	return sizeof(LABELS);
}

ssize_t __wrap_fgetxattr(int fd, const char *name, void *value, size_t size)
{
	(void)fd;
	(void)size;
	if (strcmp(name, "user.lost") == 0)
		return -1;
	memcpy(value, "etc_t", 5);
	return 5;
}

int __wrap_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
	(void)fd;
	(void)flags;
	if (strcmp(name, "user.unset") == 0)
		return -1;
	snprintf(kernel.label, sizeof(kernel.label), "%s=%.*s", name, (int)size,
		 (const char *)value);
	return 0;
}

static void setup(void)
{
	made_root_create();
	memset(&kernel, 0, sizeof(kernel));
	kernel.owner = -1;
}

static const char *full(const char *path)
{
	static char text[256];

	snprintf(text, sizeof(text), "%s%s", made_root, path);
	return text;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(full(path), &st), 0);
	return st.st_mode & 07777;
}

static int put(const char *text)
{
	kernel.log[0] = '\0';
	kernel.calls = 0;
	return replace_file(full("/etc/fstab"), text, 0644);
}

/* NULL: it is not there. */
static void check_file(const char *path, const char *text)
{
	char found[64] = "";
	ssize_t r = io_read_text(made_root, path, found, sizeof(found));

	if (text)
		ck_assert_str_eq(found, text);
	else
		ck_assert_int_lt(r, 0);
}

/* Data first, then the name, then the directory's entry. */
START_TEST(written_in_one_step)
{
	made_put_mode("/etc/fstab", "old\n", 0640);
	ck_assert_int_eq(put("new\n"), 0);
	check_file("/etc/fstab", "new\n");
	ck_assert_str_eq(kernel.log, "write fchown fchmod fsync rename fsync ");
	ck_assert_uint_eq(mode_of("/etc/fstab"), 0640);
	ck_assert_int_eq(kernel.owner, (int)(getuid() * 100000 + getgid()));
	ck_assert_str_eq(kernel.label, "security.selinux=etc_t");
	check_file("/etc/fstab.s2disk-new", NULL);
}
END_TEST

START_TEST(new_file)
{
	made_directory("/etc");
	ck_assert_int_eq(put("new\n"), 0);
	check_file("/etc/fstab", "new\n");
	ck_assert_uint_eq(mode_of("/etc/fstab"), 0644);
	ck_assert_int_eq(kernel.owner, -1);
	ck_assert_str_eq(kernel.label, "");
}
END_TEST

/* A link stays a link; its target is written. */
START_TEST(through_a_link)
{
	struct stat st;

	made_put("/real/fstab", "old\n");
	made_link("/etc/fstab", "../real/fstab");
	ck_assert_int_eq(put("new\n"), 0);
	check_file("/real/fstab", "new\n");
	ck_assert_int_eq(lstat(full("/etc/fstab"), &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	/* A dangling link is not replaced. */
	made_link("/etc/gone", "nowhere");
	ck_assert_int_eq(replace_file(full("/etc/gone"), "new\n", 0644), -ENOLINK);
	ck_assert_int_eq(lstat(full("/etc/gone"), &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
}
END_TEST

/* Leftovers of an interrupted run are harmless. */
START_TEST(left_over)
{
	made_put("/etc/fstab", "old\n");
	made_put("/etc/fstab.s2disk-new", "half of");
	ck_assert_int_eq(put("new\n"), 0);
	check_file("/etc/fstab", "new\n");
	check_file("/etc/fstab.s2disk-new", NULL);
	made_put("/real/other", "old\n");
	made_put("/real/other.s2disk-new", "half of");
	made_link("/etc/other", "../real/other");
	replace_tidy(full("/etc/other"));
	check_file("/real/other.s2disk-new", NULL);
	check_file("/real/other", "old\n");
}
END_TEST

/* What cannot be removed there is not written to. */
START_TEST(occupied)
{
	made_put("/etc/fstab", "old\n");
	made_put("/etc/fstab.s2disk-new/mine", "kept\n");
	ck_assert_int_eq(put("new\n"), -EEXIST);
	check_file("/etc/fstab", "old\n");
	check_file("/etc/fstab.s2disk-new/mine", "kept\n");
}
END_TEST

static const struct {
	const char *call;
	unsigned int nth;
	int error;
	const char *left; /* in the file */
} failures[] = {
	{ "write", 1, ENOSPC, "old\n" },
	{ "fchown", 1, EPERM, "old\n" },
	{ "fchmod", 1, EPERM, "old\n" },
	{ "fsync", 1, EIO, "old\n" },
	{ "rename", 1, EROFS, "old\n" },
	/* Too late to undo, but not certainly on the disk: an error. */
	{ "fsync", 2, EIO, "new\n" },
};

START_TEST(writing_fails)
{
	made_put("/etc/fstab", "old\n");
	kernel.call = failures[_i].call;
	kernel.nth = failures[_i].nth;
	kernel.error = failures[_i].error;
	ck_assert_int_eq(put("new\n"), -failures[_i].error);
	check_file("/etc/fstab", failures[_i].left);
	check_file("/etc/fstab.s2disk-new", NULL);
}
END_TEST

START_TEST(nowhere_to_write)
{
	ck_assert_int_eq(put("new\n"), -ENOENT);
	made_put("/etc", "a file\n");
	ck_assert_int_eq(put("new\n"), -ENOTDIR);
	check_file("/etc", "a file\n");
}
END_TEST

START_TEST(deleting)
{
	made_put("/etc/fstab", "old\n");
	ck_assert_int_eq(replace_unlink(full("/etc/fstab")), 0);
	check_file("/etc/fstab", NULL);
	ck_assert_str_eq(kernel.log, "fsync ");
	ck_assert_int_eq(replace_unlink(full("/etc/fstab")), 0);
	made_directory("/etc/directory");
	ck_assert_int_lt(replace_unlink(full("/etc/directory")), 0);
	made_put("/etc/fstab", "old\n");
	kernel.call = "fsync";
	kernel.nth = 1;
	kernel.error = EIO;
	kernel.calls = 0;
	ck_assert_int_eq(replace_unlink(full("/etc/fstab")), -EIO);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "replace");

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	tcase_add_test(tcase, written_in_one_step);
	tcase_add_test(tcase, new_file);
	tcase_add_test(tcase, through_a_link);
	tcase_add_test(tcase, left_over);
	tcase_add_test(tcase, occupied);
	tcase_add_loop_test(tcase, writing_fails, 0, (int)ARRAY_SIZE(failures));
	tcase_add_test(tcase, nowhere_to_write);
	tcase_add_test(tcase, deleting);
}
