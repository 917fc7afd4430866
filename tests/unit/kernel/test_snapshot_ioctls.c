/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/snapshot_device: what reaches the kernel, and when it is retried; on a simulated
 * kernel and clock. */
#include "fixtures/check_main.h"
#include "kernel/snapshot_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/suspend_ioctls.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <time.h>

#define FD 77
#define PATH "/made/up/snapshot"

static struct {
	int error;		   /* 0, or the error of each call … */
	unsigned int times;	   /* … this many times, 0: always */
	unsigned int calls;	   /* so far */
	unsigned int freezes;	   /* of them, SNAPSHOT_FREEZE */
	unsigned long only;	   /* the one that fails; 0: each */
	unsigned long request;	   /* of the last, */
	unsigned long argument;	   /* as it was given */
	unsigned char answer[16];  /* what is stored where that points */
	size_t answered;	   /* bytes of it */
	unsigned char pointed[16]; /* what was there */
	size_t points;		   /* bytes to look at */
	int flags;		   /* of opening */
	ssize_t takes;		   /* bytes of a write */
	uint64_t nsec;		   /* the time */
} kernel;

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __wrap___open_2(const char *path, int flags);
ssize_t __wrap_writev(int fd, const struct iovec *pieces, int count);
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);

static int answer(void)
{
	kernel.calls++;
	kernel.freezes += kernel.request == SNAPSHOT_FREEZE;
	errno = kernel.error;
	if (kernel.only && kernel.request != kernel.only)
		return 0;
	return kernel.error && (!kernel.times || kernel.calls <= kernel.times) ? -1 : 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;

	ck_assert_int_eq(fd, FD);
	va_start(args, request);
	kernel.argument = va_arg(args, unsigned long);
	va_end(args);
	kernel.request = request;
	if (kernel.points)
		memcpy(kernel.pointed, (const void *)kernel.argument, kernel.points);
	if (kernel.answered)
		memcpy((void *)kernel.argument, kernel.answer, kernel.answered);
	return answer();
}

int __wrap_open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (strcmp(path, PATH) != 0)
		return __real_open(path, flags, mode);
	kernel.flags = flags;
	return answer() < 0 ? -1 : FD;
}

/* open() in hardened builds. */
int __wrap___open_2(const char *path, int flags)
{
	return __wrap_open(path, flags);
}

ssize_t __wrap_writev(int fd, const struct iovec *pieces, int count)
{
	ck_assert_int_eq(fd, FD);
	ck_assert_int_eq(count, 1);
	ck_assert_uint_eq(pieces[0].iov_len, 1);
	return answer() < 0 ? -1 : kernel.takes;
}

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
	(void)left;
	kernel.nsec += (uint64_t)wanted->tv_sec * 1000000000 + (uint64_t)wanted->tv_nsec;
	return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
	(void)clock;
	*ret = (struct timespec){ .tv_sec = (time_t)(kernel.nsec / 1000000000),
				  .tv_nsec = (long)(kernel.nsec % 1000000000) };
	return 0;
}

static void setup(void)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.nsec = 1000000000000;
}

static int platform_on(int fd)
{
	return snapshot_set_platform(fd, true);
}

static int platform_off(int fd)
{
	return snapshot_set_platform(fd, false);
}

static int image_size(int fd)
{
	return snapshot_set_image_size(fd, 0x123456789);
}

static const struct {
	int (*call)(int fd);
	unsigned long request, argument;
	bool patient; /* another may hold the kernel's lock for a moment */
} plain[] = {
	{ snapshot_unfreeze, SNAPSHOT_UNFREEZE, 0, true },
	{ snapshot_free, SNAPSHOT_FREE, 0, true },
	{ snapshot_free_swap_pages, SNAPSHOT_FREE_SWAP_PAGES, 0, true },
	/* By value: a pointer would always be true, and a huge size. */
	{ platform_on, SNAPSHOT_PLATFORM_SUPPORT, 1, true },
	{ platform_off, SNAPSHOT_PLATFORM_SUPPORT, 0, true },
	{ image_size, SNAPSHOT_PREF_IMAGE_SIZE, 0x123456789, true },
	/* A device that did not freeze, or a wakeup, which must not be missed. And a
	 * second restore of one load never returns. */
	{ snapshot_restore, SNAPSHOT_ATOMIC_RESTORE, 0, false },
	{ snapshot_power_off, SNAPSHOT_POWER_OFF, 0, false },
	{ snapshot_suspend_to_ram, SNAPSHOT_S2RAM, 0, false },
};

START_TEST(calls)
{
	ck_assert_int_eq(plain[_i].call(FD), 0);
	ck_assert_uint_eq(kernel.request, plain[_i].request);
	ck_assert_uint_eq(kernel.argument, plain[_i].argument);
	ck_assert_uint_eq(kernel.calls, 1);

	kernel.error = EPERM;
	ck_assert_int_eq(plain[_i].call(FD), -EPERM);
	ck_assert_uint_eq(kernel.calls, 2);
}
END_TEST

/* Not for ever: for a second, and without busy waiting. */
START_TEST(busy)
{
	uint64_t begun = kernel.nsec;

	kernel.error = EBUSY;
	ck_assert_int_eq(plain[_i].call(FD), -EBUSY);
	if (plain[_i].patient) {
		ck_assert_uint_eq(kernel.nsec - begun, 1000000000);
		ck_assert_uint_le(kernel.calls, 1001);
		ck_assert_uint_gt(kernel.calls, 10);
	} else {
		ck_assert_uint_eq(kernel.calls, 1);
		ck_assert_uint_eq(kernel.nsec, begun);
	}
	kernel.calls = 0;
	kernel.times = 3;
	ck_assert_int_eq(plain[_i].call(FD), plain[_i].patient ? 0 : -EBUSY);
	ck_assert_uint_eq(kernel.calls, plain[_i].patient ? 4 : 1);
}
END_TEST

/* Contention for the lock is waited for; an answer of the freeze itself is final. */
START_TEST(freezing)
{
	uint64_t begun = kernel.nsec;

	ck_assert_int_eq(snapshot_freeze(FD), 0);
	ck_assert_uint_eq(kernel.request, SNAPSHOT_FREEZE);
	ck_assert_uint_eq(kernel.freezes, 1);
	ck_assert_uint_eq(kernel.calls, 2);

	kernel.calls = kernel.freezes = 0;
	kernel.error = EBUSY;
	kernel.times = 3;
	ck_assert_int_eq(snapshot_freeze(FD), 0);
	ck_assert_uint_eq(kernel.request, SNAPSHOT_FREEZE);
	ck_assert_uint_eq(kernel.freezes, 1);
	ck_assert_uint_eq(kernel.calls, 5);

	/* The lock is free, and it does not freeze. */
	kernel.calls = kernel.freezes = kernel.times = 0;
	kernel.only = SNAPSHOT_FREEZE;
	begun = kernel.nsec;
	ck_assert_int_eq(snapshot_freeze(FD), -EBUSY);
	ck_assert_uint_eq(kernel.freezes, 1);
	ck_assert_uint_eq(kernel.nsec, begun);

	/* It never becomes free. */
	kernel.freezes = 0;
	kernel.only = 0;
	ck_assert_int_eq(snapshot_freeze(FD), -EBUSY);
	ck_assert_uint_eq(kernel.freezes, 0);
	ck_assert_uint_eq(kernel.nsec - begun, 1000000000);
}
END_TEST

static const struct {
	unsigned int high, low;
	uint32_t encoded;
} devices[] = {
	{ 8, 2, 0x802 },
	{ 259, 7, 0x10307 },
	{ 253, 256, 0x0010fd00 },
	{ 254, 0xfffff, 0xfff0feff },
};

/* Like the kernel's new_encode_dev, after the offset, packed. */
START_TEST(swap_area)
{
	const struct resume_swap_area *given = (const void *)kernel.pointed;

	kernel.points = sizeof(*given);
	ck_assert_uint_eq(sizeof(*given), 12);
	ck_assert_int_eq(snapshot_set_swap_area(FD, makedev(devices[_i].high, devices[_i].low),
						0x123456789),
			 0);
	ck_assert_uint_eq(kernel.request, SNAPSHOT_SET_SWAP_AREA);
	ck_assert_uint_eq(given->dev, devices[_i].encoded);
	ck_assert_int_eq(given->offset, 0x123456789);
	kernel.error = ENODEV;
	ck_assert_int_eq(snapshot_set_swap_area(FD, makedev(8, 2), 0), -ENODEV);
}
END_TEST

/* 1: the snapshot was taken; 0: this is the resumed system. */
START_TEST(create)
{
	bool resumed = true;

	kernel.answer[0] = 1;
	kernel.answered = sizeof(int);
	ck_assert_int_eq(snapshot_create(FD, &resumed), 0);
	ck_assert_uint_eq(kernel.request, SNAPSHOT_CREATE_IMAGE);
	ck_assert(!resumed);
	kernel.answer[0] = 0;
	ck_assert_int_eq(snapshot_create(FD, &resumed), 0);
	ck_assert(resumed);
	/* A failure is neither, and is not retried. */
	resumed = false;
	kernel.calls = 0;
	kernel.error = EBUSY;
	ck_assert_int_eq(snapshot_create(FD, &resumed), -EBUSY);
	ck_assert(!resumed);
	ck_assert_uint_eq(kernel.calls, 1);
}
END_TEST

static const struct {
	int (*call)(int fd, uint64_t *ret);
	unsigned long request;
} numbers[] = {
	{ snapshot_size, SNAPSHOT_GET_IMAGE_SIZE },
	{ snapshot_avail_swap, SNAPSHOT_AVAIL_SWAP_SIZE },
	{ snapshot_alloc_page, SNAPSHOT_ALLOC_SWAP_PAGE },
};

START_TEST(numbers_of_the_kernel)
{
	const uint64_t value = 0x1234567812345000;
	uint64_t got = 7;

	memcpy(kernel.answer, &value, sizeof(value));
	kernel.answered = sizeof(value);
	ck_assert_int_eq(numbers[_i].call(FD, &got), 0);
	ck_assert_uint_eq(kernel.request, numbers[_i].request);
	ck_assert_uint_eq(got, value);
	kernel.error = ENOSPC;
	got = 7;
	ck_assert_int_eq(numbers[_i].call(FD, &got), -ENOSPC);
	ck_assert_uint_eq(got, 7);
	kernel.error = EBUSY;
	kernel.calls = 0;
	kernel.times = 1;
	ck_assert_int_eq(numbers[_i].call(FD, &got), 0);
	ck_assert_uint_eq(got, value);
}
END_TEST

/* Whether the kernel accepts one more byte shows whether it is complete. */
START_TEST(write_end)
{
	ck_assert_int_eq(snapshot_write_end(FD), 0);
	ck_assert_uint_eq(kernel.calls, 1);
	kernel.takes = 1;
	ck_assert_int_eq(snapshot_write_end(FD), -ENODATA);
	kernel.error = ENOMEM;
	ck_assert_int_eq(snapshot_write_end(FD), -ENOMEM);
	kernel.error = EINTR;
	kernel.calls = 0;
	kernel.takes = 0;
	kernel.times = 2;
	ck_assert_int_eq(snapshot_write_end(FD), 0);
	ck_assert_uint_eq(kernel.calls, 3);
}
END_TEST

/* The direction determines what happens. */
START_TEST(opening)
{
	uint64_t begun = kernel.nsec;

	ck_assert_int_eq(snapshot_open(PATH, false), FD);
	ck_assert_int_eq(kernel.flags, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(snapshot_open(PATH, true), FD);
	ck_assert_int_eq(kernel.flags, O_WRONLY | O_CLOEXEC);
	kernel.error = EPERM;
	ck_assert_int_eq(snapshot_open(PATH, false), -EPERM);
	ck_assert_uint_eq(kernel.nsec, begun);
	/* Another s2disk checks whether it can be opened. */
	kernel.error = EBUSY;
	kernel.times = 3;
	kernel.calls = 0;
	ck_assert_int_eq(snapshot_open(PATH, false), FD);
	ck_assert_uint_eq(kernel.calls, 4);
	kernel.times = 0;
	begun = kernel.nsec;
	ck_assert_int_eq(snapshot_open(PATH, false), -EBUSY);
	ck_assert_uint_eq(kernel.nsec - begun, 1000000000);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "snapshot_ioctls");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, calls, 0, COUNT(plain));
	tcase_add_loop_test(tcase, busy, 0, COUNT(plain));
	tcase_add_test(tcase, freezing);
	tcase_add_loop_test(tcase, swap_area, 0, COUNT(devices));
	tcase_add_test(tcase, create);
	tcase_add_loop_test(tcase, numbers_of_the_kernel, 0, COUNT(numbers));
	tcase_add_test(tcase, write_end);
	tcase_add_test(tcase, opening);
}
