/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/kernel_random.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <sys/ioctl.h>

int kernel_random_open(void)
{
	int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int kernel_random_renew(int fd, const void *bytes, size_t length)
{
	int r = io_write_full(fd, bytes, length);

	if (r == 0 && ioctl(fd, RNDRESEEDCRNG) < 0)
		r = -errno;
	return r;
}
