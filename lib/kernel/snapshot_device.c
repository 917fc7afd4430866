/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/snapshot_device.h"

#include "base/memory.h"
#include "base/stopwatch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/suspend_ioctls.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Another task may hold the kernel's lock for a moment (a reader of a file in
 * /sys/power), or the device (a check whether it can be opened); the kernel then returns
 * EBUSY instead of waiting. */
#define BUSY_USEC 1000000
#define BUSY_WAIT_NSEC 5000000

/* Waits a moment; false when the time is up. */
static bool wait_while_busy(uint64_t begun)
{
	const struct timespec wait = { .tv_nsec = BUSY_WAIT_NSEC };

	if (now_usec() - begun >= BUSY_USEC)
		return false;
	nanosleep(&wait, NULL);
	return true;
}

static int control_once(int fd, unsigned long request, unsigned long argument)
{
	return ioctl(fd, request, argument) < 0 ? -errno : 0;
}

static int control(int fd, unsigned long request, unsigned long argument)
{
	uint64_t begun = now_usec();
	int r;

	do {
		r = control_once(fd, request, argument);
	} while (r == -EBUSY && wait_while_busy(begun));
	return r;
}

static int control_pointer(int fd, unsigned long request, void *argument)
{
	return control(fd, request, (unsigned long)(uintptr_t)argument);
}

int snapshot_open(const char *path, bool resuming)
{
	/* O_RDWR is ENOSYS: the direction decides whether it hibernates or resumes. */
	const int flags = (resuming ? O_WRONLY : O_RDONLY) | O_CLOEXEC;
	uint64_t begun = now_usec();
	int fd;

	do {
		fd = open(path, flags);
	} while (fd < 0 && errno == EBUSY && wait_while_busy(begun));
	return fd < 0 ? -errno : fd;
}

/* The kernel's new_encode_dev (include/linux/kdev_t.h). */
static uint32_t encode_dev(dev_t dev)
{
	unsigned int major_number = major(dev), minor_number = minor(dev);

	return (minor_number & 0xff) | major_number << 8 | (minor_number & ~0xffU) << 12;
}

int snapshot_set_swap_area(int fd, dev_t dev, uint64_t offset)
{
	struct resume_swap_area area = {
		.offset = (__kernel_loff_t)offset,
		.dev = encode_dev(dev),
	};

	return control_pointer(fd, SNAPSHOT_SET_SWAP_AREA, &area);
}

int snapshot_unfreeze(int fd)
{
	return control(fd, SNAPSHOT_UNFREEZE, 0);
}

int snapshot_freeze(int fd)
{
	/* Does nothing while nothing is frozen, but takes the kernel's lock: once it
	 * succeeds, a short-time holder has released it, and an EBUSY of FREEZE is about
	 * freezing. */
	int r = snapshot_unfreeze(fd);

	return r < 0 ? r : control_once(fd, SNAPSHOT_FREEZE, 0);
}

int snapshot_set_platform(int fd, bool platform)
{
	return control(fd, SNAPSHOT_PLATFORM_SUPPORT, platform);
}

int snapshot_set_image_size(int fd, uint64_t bytes)
{
	return control(fd, SNAPSHOT_PREF_IMAGE_SIZE, bytes);
}

int snapshot_create(int fd, bool *ret_resumed)
{
	int in_suspend = 0;
	int r = control_once(fd, SNAPSHOT_CREATE_IMAGE, (unsigned long)(uintptr_t)&in_suspend);

	if (r < 0)
		return r;
	*ret_resumed = in_suspend == 0;
	return 0;
}

int snapshot_free(int fd)
{
	return control(fd, SNAPSHOT_FREE, 0);
}

static int get_bytes(int fd, unsigned long request, uint64_t *ret)
{
	__kernel_loff_t value = 0;
	int r = control_pointer(fd, request, &value);

	if (r < 0)
		return r;
	*ret = (uint64_t)value;
	return 0;
}

int snapshot_size(int fd, uint64_t *ret)
{
	return get_bytes(fd, SNAPSHOT_GET_IMAGE_SIZE, ret);
}

int snapshot_avail_swap(int fd, uint64_t *ret)
{
	return get_bytes(fd, SNAPSHOT_AVAIL_SWAP_SIZE, ret);
}

int snapshot_alloc_page(int fd, uint64_t *ret)
{
	return get_bytes(fd, SNAPSHOT_ALLOC_SWAP_PAGE, ret);
}

int snapshot_free_swap_pages(int fd)
{
	return control(fd, SNAPSHOT_FREE_SWAP_PAGES, 0);
}

int snapshot_restore(int fd)
{
	return control_once(fd, SNAPSHOT_ATOMIC_RESTORE, 0);
}

int snapshot_power_off(int fd)
{
	return control_once(fd, SNAPSHOT_POWER_OFF, 0);
}

int snapshot_suspend_to_ram(int fd)
{
	return control_once(fd, SNAPSHOT_S2RAM, 0);
}

/* The next pages after `done`, one vector each; the first may have been started. */
static int page_vectors(const char *buffer, size_t length, size_t done, unsigned int most,
			struct iovec *vectors)
{
	unsigned int count = 0;

	while (count < most && done < length) {
		size_t rest = page_size() - done % page_size();

		if (rest > length - done)
			rest = length - done;
		vectors[count++] = (struct iovec){
			.iov_base = (void *)(uintptr_t)(buffer + done),
			.iov_len = rest,
		};
		done += rest;
	}
	return (int)count;
}

ssize_t snapshot_read(int fd, void *buffer, size_t length)
{
	struct iovec vectors[SNAPSHOT_PAGES_A_CALL];
	size_t done = 0;

	while (done < length) {
		int count = page_vectors(buffer, length, done, SNAPSHOT_PAGES_A_CALL, vectors);
		ssize_t n = readv(fd, vectors, count);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int snapshot_write(int fd, const void *buffer, size_t length, unsigned int pages_a_call)
{
	struct iovec vectors[SNAPSHOT_PAGES_A_CALL];
	size_t done = 0;

	if (pages_a_call > SNAPSHOT_PAGES_A_CALL)
		pages_a_call = SNAPSHOT_PAGES_A_CALL;
	while (done < length) {
		int count = page_vectors(buffer, length, done, pages_a_call, vectors);
		ssize_t n = writev(fd, vectors, count);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

int snapshot_write_end(int fd)
{
	/* One byte is enough: the kernel first checks what it still needs. */
	static const unsigned char more;
	const struct iovec one = { .iov_base = (void *)(uintptr_t)&more, .iov_len = 1 };
	ssize_t n;

	do {
		n = writev(fd, &one, 1);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == 0 ? 0 : -ENODATA;
}
