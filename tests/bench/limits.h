/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this machine can do at best, each operation on its own: the limits that the writer
 * and the reader are measured against. Rates are bytes per second of one processor, so
 * other load on the machine has little effect; those of the device also by the wall
 * clock.
 */
#ifndef S2DISK_TESTS_BENCH_LIMITS_H
#define S2DISK_TESTS_BENCH_LIMITS_H

#include "stream.h"

struct limits {
	double page_read, page_write;		  /* one system call per page */
	double pages_read, pages_write;		  /* SNAPSHOT_PAGES_A_CALL */
	double lz4, unlz4;			  /* raw bytes, one core, at the requested effort */
	double ratio;				  /* raw bytes : stored whole pages */
	double device_write, device_read;	  /* requests of a MiB, two at a time, O_DIRECT */
	double device_write_cpu, device_read_cpu; /* bytes per processor second */
};

/* Overwrites the device after its first page. 0 or a negative errno with w. */
int limits_measure(struct stream *stream, int fd, uint64_t device_bytes, uint32_t block_size,
		   int effort, struct limits *ret, struct why *w);

#endif
