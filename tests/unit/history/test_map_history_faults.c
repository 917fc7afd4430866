/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing the file of the history of memory maps: each call that may fail fails once, or the power
 * does before it. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "map_history_file_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

enum what {
	NOTHING,
	FAILS,	    /* the call */
	POWER_FAILS /* before the call: what was not flushed is lost, or is not */
};

static struct {
	enum what what;
	unsigned int at; /* the call that it happens to, from 1 on */
	int error;
	bool loses; /* what was not flushed */
	unsigned int calls;
	char failed[32]; /* the call that did */
	char log[512];
	bool data_flushed, renamed;
	const char *old; /* the file's text before; NULL: none */
} kernel;

static void lose(const char *path)
{
	if (truncate(full(path), 0) < 0 && errno != ENOENT)
		_exit(2);
}

static void cut_power(void)
{
	if (kernel.loses && kernel.renamed) {
		made_put(MAP_HISTORY_PATH, kernel.old);
	} else if (!kernel.data_flushed) {
		lose(PART);
		if (kernel.renamed)
			lose(MAP_HISTORY_PATH);
	}
	_exit(0);
}

static bool fails(const char *call)
{
	size_t used = strlen(kernel.log);

	snprintf(kernel.log + used, sizeof(kernel.log) - used, "%s ", call);
	if (++kernel.calls != kernel.at)
		return false;
	if (kernel.what == POWER_FAILS)
		cut_power();
	if (kernel.what != FAILS)
		return false;
	snprintf(kernel.failed, sizeof(kernel.failed), "%s", call);
	errno = kernel.error;
	return true;
}

int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __wrap___open_2(const char *path, int flags);
int __wrap_openat(int directory, const char *path, int flags, ...);
int __real_openat(int directory, const char *path, int flags, ...);
int __wrap_mkdir(const char *path, mode_t mode);
int __real_mkdir(const char *path, mode_t mode);
int __wrap_flock(int fd, int how);
int __real_flock(int fd, int how);
ssize_t __wrap_pread(int fd, void *buffer, size_t length, off_t offset);
ssize_t __real_pread(int fd, void *buffer, size_t length, off_t offset);
ssize_t __wrap_write(int fd, const void *buffer, size_t length);
ssize_t __real_write(int fd, const void *buffer, size_t length);
int __wrap_fchmod(int fd, mode_t mode);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchown(int fd, uid_t uid, gid_t gid);
int __real_fchown(int fd, uid_t uid, gid_t gid);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __real_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);
int __real_unlink(const char *path);

static bool is_ours(const char *path)
{
	return kernel.what != NOTHING &&
	       (strstr(path, "/var/lib/s2disk") || strstr(path, "/run/s2disk"));
}

int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & O_CREAT)
		mode = va_arg(args, mode_t);
	va_end(args);
	return is_ours(path) && fails("open") ? -1 : __real_open(path, flags, mode);
}

int __wrap___open_2(const char *path, int flags)
{
	return __wrap_open(path, flags);
}

/* Of the lock only. */
int __wrap_openat(int directory, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & O_CREAT)
		mode = va_arg(args, mode_t);
	va_end(args);
	return kernel.what != NOTHING && fails("openat")
		       ? -1
		       : __real_openat(directory, path, flags, mode);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	return is_ours(path) && fails("mkdir") ? -1 : __real_mkdir(path, mode);
}

int __wrap_flock(int fd, int how)
{
	return kernel.what != NOTHING && fails("flock") ? -1 : __real_flock(fd, how);
}

ssize_t __wrap_pread(int fd, void *buffer, size_t length, off_t offset)
{
	if (kernel.what != NOTHING && fails("pread"))
		return -1;
	return __real_pread(fd, buffer, length, offset);
}

/* Check itself writes to pipes. A disk that is full takes a part first. */
ssize_t __wrap_write(int fd, const void *buffer, size_t length)
{
	struct stat st;

	if (kernel.what == NOTHING || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    strncmp(buffer, MAP_HISTORY_TITLE, 10) != 0)
		return __real_write(fd, buffer, length);
	if (kernel.at == kernel.calls + 1 && __real_write(fd, buffer, length / 2) < 0)
		return -1;
	if (fails("write"))
		return -1;
	kernel.data_flushed = false;
	return __real_write(fd, buffer, length);
}

int __wrap_fchmod(int fd, mode_t mode)
{
	return kernel.what != NOTHING && fails("fchmod") ? -1 : __real_fchmod(fd, mode);
}

int __wrap_fchown(int fd, uid_t uid, gid_t gid)
{
	return kernel.what != NOTHING && fails("fchown") ? -1 : __real_fchown(fd, uid, gid);
}

/* A real flush takes long, and shows nothing. */
int __wrap_fsync(int fd)
{
	struct stat st;

	if (kernel.what == NOTHING)
		return 0;
	if (fails("fsync"))
		return -1;
	ck_assert_int_eq(fstat(fd, &st), 0);
	if (S_ISDIR(st.st_mode))
		kernel.renamed = false;
	else
		kernel.data_flushed = true;
	return 0;
}

int __wrap_rename(const char *from, const char *to)
{
	if (is_ours(to) && fails("rename"))
		return -1;
	kernel.renamed = true;
	return __real_rename(from, to);
}

int __wrap_unlink(const char *path)
{
	return is_ours(path) && fails("unlink") ? -1 : __real_unlink(path);
}

static void setup(void)
{
	made_root_create();
	made_put("/var/lib/x", "");
	made_directory("/run");
	memset(&kernel, 0, sizeof(kernel));
}

static void teardown(void)
{
	map_history_free(&got);
	made_root_remove();
}

/* With the file, and before there is one. */
static const char *const before[] = { HISTORY_TEXT, NULL };
static const uint64_t boots_before[] = { 11, 0 };
static const int errors[] = { ENOSPC, EIO, EROFS };

/* One call at a time; true if there was one. */
static bool fail_at(unsigned int at, int error, uint64_t old)
{
	struct why w = { 0 };
	uint64_t known, written;
	bool late;
	int r;

	kernel.what = FAILS;
	kernel.at = at;
	kernel.error = error;
	kernel.calls = 0;
	kernel.log[0] = kernel.failed[0] = '\0';
	r = add("boot-1", &w);
	known = boots();
	kernel.what = NOTHING;
	written = boots_in_file();
	if (r == 0) {
		/* All went well, or what failed was not needed: to delete what is not there, to
		 * look at the old file's owner. */
		ck_assert(!kernel.failed[0] || strstr("unlink open", kernel.failed));
		ck_assert_uint_eq(known, old + 1);
		ck_assert_uint_eq(written, old + 1);
		return kernel.failed[0];
	}
	ck_assert_int_eq(r, -error);
	ck_assert_ptr_nonnull(strstr(w.text, strerror(error)));
	ck_assert(known == old + 1 || (known == 1 && strstr("open pread", kernel.failed)));
	/* What follows the renaming is too late to undo it. */
	late = strstr(kernel.log, "rename") && strcmp(kernel.failed, "rename") != 0;
	ck_assert_uint_eq(written, old + late);
	ck_assert(!exists(PART));
	/* When the disk has room again. */
	ck_assert_int_eq(add("boot-2", NULL), 0);
	ck_assert_uint_eq(boots_in_file(), written + 1);
	return true;
}

START_TEST(call_fails)
{
	for (size_t e = 0; e < ARRAY_SIZE(errors); e++) {
		unsigned int at = 0;

		do {
			made_put(MAP_HISTORY_PATH, before[_i]);
			at++;
		} while (fail_at(at, errors[e], boots_before[_i]));
		ck_assert_uint_ge(at, 9);
	}
}
END_TEST

/* In a process of its own. */
static void lose_power_at(unsigned int at, bool loses)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		kernel.what = POWER_FAILS;
		kernel.at = at;
		kernel.loses = loses;
		kernel.calls = 0;
		kernel.renamed = false;
		_exit(add("boot-1", NULL) == 0 ? 3 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	kernel.at = WEXITSTATUS(status) == 3 ? 0 : at;
	ck_assert(WEXITSTATUS(status) == 3 || WEXITSTATUS(status) == 0);
}

/* The old history or the new one, whole; and the next boot is counted. */
START_TEST(power_fails)
{
	uint64_t old = boots_before[_i / 2], now;
	bool seen_old = false, seen_new = false;
	unsigned int at = 0;

	kernel.old = before[_i / 2];
	do {
		made_put(MAP_HISTORY_PATH, kernel.old);
		lose_power_at(++at, _i % 2);
		now = boots_in_file();
		ck_assert(now == old || now == old + 1);
		seen_old |= now == old;
		seen_new |= now == old + 1;
		ck_assert_int_eq(add("boot-2", NULL), 0);
		ck_assert_uint_eq(boots_in_file(), now + 1);
		ck_assert(!exists(PART));
	} while (kernel.at);
	ck_assert_uint_ge(at, 9);
	ck_assert(seen_old && seen_new);
}
END_TEST

/* The data, then the name, then the directory's entry, with the lock held. */
START_TEST(order)
{
	kernel.what = FAILS;
	ck_assert_int_eq(add("boot-1", NULL), 0);
	ck_assert_str_eq(kernel.log,
			 "mkdir open openat flock open mkdir unlink open write open fchmod fsync "
			 "rename open fsync ");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "faults");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, call_fails, 0, (int)ARRAY_SIZE(before));
	tcase_add_loop_test(tcase, power_fails, 0, 2 * (int)ARRAY_SIZE(before));
	tcase_add_test(tcase, order);
}
