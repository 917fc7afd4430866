/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Monotonic time in microseconds. */
#ifndef S2DISK_BASE_STOPWATCH_H
#define S2DISK_BASE_STOPWATCH_H

#include <stdint.h>
#include <time.h>

static inline uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Bytes per second as MiB/s; 0 for no time. */
static inline double mib_per_second(uint64_t bytes, uint64_t usec)
{
	return usec ? (double)bytes / 1048576.0 / ((double)usec / 1e6) : 0;
}

#endif
