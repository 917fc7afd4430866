/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writes to a disk, in order, with the flushes between them: read from a file in the
 * format of dm-log-writes (QEMU's blklogwrites driver writes it;
 * Documentation/admin-guide/device-mapper/log-writes.rst), or recorded.
 */
#ifndef S2DISK_TESTS_WRITE_LOG_H
#define S2DISK_TESTS_WRITE_LOG_H

#include "base/why.h"

#include <stddef.h>
#include <stdint.h>

enum log_kind {
	LOG_WRITE,
	LOG_FLUSH, /* everything before it is durable */
};

struct log_entry {
	enum log_kind kind;
	uint64_t offset; /* bytes on the disk; may begin before it (see write_log_load) */
	size_t length;
	unsigned char *data; /* belongs to the log */
};

struct write_log {
	struct log_entry *entries;
	size_t count, room;
};

/* Adds a copy. 0 or -ENOMEM. */
int write_log_add_write(struct write_log *log, uint64_t offset, const void *data, size_t length);
int write_log_add_flush(struct write_log *log);

/* Reads a log file. Of each write, the part within the `size` bytes of the disk from
 * `start` on is used; offsets count from there. A write with "forced unit access" becomes
 * one followed by a flush. */
int write_log_load(struct write_log *log, const char *path, uint64_t start, uint64_t size,
		   struct why *w);

void write_log_free(struct write_log *log);

#endif
