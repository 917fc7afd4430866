/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The disk: handles the programs' reads, writes and flushes. Linked with --wrap for each
 * of them. */
#include "sim_private.h"

#include "base/bytes.h"
#include "format/header_page.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

ssize_t __real_pread(int fd, void *buffer, size_t length, off_t offset);
ssize_t __real_pwrite(int fd, const void *buffer, size_t length, off_t offset);
ssize_t __real_preadv(int fd, const struct iovec *pieces, int count, off_t offset);
ssize_t __real_pwritev(int fd, const struct iovec *pieces, int count, off_t offset);
int __real_fdatasync(int fd);
ssize_t __wrap_pread(int fd, void *buffer, size_t length, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *buffer, size_t length, off_t offset);
ssize_t __wrap_preadv(int fd, const struct iovec *pieces, int count, off_t offset);
ssize_t __wrap_pwritev(int fd, const struct iovec *pieces, int count, off_t offset);
int __wrap_fdatasync(int fd);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct sim_log_entry *log_entry(enum log_kind kind)
{
	struct sim_shared *s = sim->shared;

	if (s->log_count == SIM_LOG_ENTRIES)
		sim_broken("the log of writes is full");
	s->log[s->log_count] = (struct sim_log_entry){ .kind = kind };
	return &s->log[s->log_count++];
}

/* Writing outside one's own area destroys other data. */
static void check_place(uint64_t offset, size_t length)
{
	if (offset % SIM_PAGE || length % SIM_PAGE || offset + length > SIM_DISK_BYTES)
		sim_broken("a write of %zu bytes at %llu", length, (unsigned long long)offset);
	for (uint64_t page = offset / SIM_PAGE; page < (offset + length) / SIM_PAGE; page++)
		if (page > 0 && !kernel.taken[page])
			sim_broken("a write to page %llu, which is not the image's",
				   (unsigned long long)page);
}

static void put(const struct sim_bytes *to, const void *bytes, size_t length, uint64_t at)
{
	if (__real_pwrite(to->fd, bytes, length, (off_t)at) != (ssize_t)length)
		sim_broken("the simulator's own memory cannot be written");
}

static void do_write(const struct iovec *pieces, int count, uint64_t offset)
{
	struct sim_log_entry *entry = log_entry(LOG_WRITE);
	struct sim_shared *s = sim->shared;

	*entry = (struct sim_log_entry){ .kind = LOG_WRITE, .offset = offset, .data = s->log_used };
	for (int i = 0; i < count; i++)
		entry->length += pieces[i].iov_len;
	if (s->log_used + entry->length > SIM_LOG_BYTES)
		sim_broken("the log's bytes are full");
	check_place(offset, entry->length);
	for (int i = 0; i < count; i++) {
		put(&sim->log, pieces[i].iov_base, pieces[i].iov_len, s->log_used);
		put(&sim->disk, pieces[i].iov_base, pieces[i].iov_len, offset);
		s->log_used += pieces[i].iov_len;
		offset += pieces[i].iov_len;
	}
}

/* Only what was written since the last one: lives flush often, and are many. */
static void do_flush(void)
{
	struct sim_shared *s = sim->shared;

	for (size_t i = s->unflushed; i < s->log_count; i++) {
		const struct sim_log_entry *entry = &s->log[i];

		put(&sim->durable, sim->log.at + entry->data, entry->length, entry->offset);
	}
	log_entry(LOG_FLUSH);
	s->unflushed = s->log_count;
}

/* Flips one bit of what was read. */
static void flip(const struct iovec *pieces, int count, ssize_t length)
{
	uint64_t bit = sim->shared->plan.seed * 0x9e3779b97f4a7c15u % (8 * (uint64_t)length);

	for (int i = 0; i < count; i++) {
		if (bit < 8 * pieces[i].iov_len) {
			((unsigned char *)pieces[i].iov_base)[bit / 8] ^= 1 << bit % 8;
			return;
		}
		bit -= 8 * pieces[i].iov_len;
	}
}

/* The plan's result for a request: 0 executes it (with *ret_done, one bit gets flipped);
 * otherwise it fails, and *ret_done says whether it was done anyway. */
static int fate_of(bool changes, bool *ret_done)
{
	struct sim_shared *s = sim->shared;
	bool due = sim_due(SIM_IO);

	*ret_done = false;
	if (due && s->plan.fault == SIM_DEAD)
		s->outcome.dead = true;
	if (s->outcome.dead)
		return changes ? -EIO : 0;
	if (!due)
		return 0;
	if (s->plan.fault == SIM_FLIP) {
		*ret_done = true;
		return 0;
	}
	*ret_done = s->plan.fault == SIM_FAIL_DONE;
	return -EIO;
}

static ssize_t read_or_write(const struct iovec *pieces, int count, off_t offset, bool write)
{
	ssize_t length = 0, n;
	bool done;
	int r;

	for (int i = 0; i < count; i++)
		length += (ssize_t)pieces[i].iov_len;
	pthread_mutex_lock(&lock);
	r = fate_of(write, &done);
	if (write && (r == 0 || done))
		do_write(pieces, count, (uint64_t)offset);
	pthread_mutex_unlock(&lock);
	if (r < 0) {
		errno = -r;
		return -1;
	}
	if (write)
		return length;
	n = __real_preadv(kernel.device, pieces, count, offset);
	if (n > 0 && done && kernel.is_boot)
		flip(pieces, count, n);
	return n;
}

ssize_t __wrap_pread(int fd, void *buffer, size_t length, off_t offset)
{
	const struct iovec piece = { buffer, length };

	if (!sim_active || fd != kernel.device)
		return __real_pread(fd, buffer, length, offset);
	return read_or_write(&piece, 1, offset, false);
}

ssize_t __wrap_pwrite(int fd, const void *buffer, size_t length, off_t offset)
{
	const struct iovec piece = { (void *)(uintptr_t)buffer, length };

	if (!sim_active || fd != kernel.device)
		return __real_pwrite(fd, buffer, length, offset);
	return read_or_write(&piece, 1, offset, true);
}

ssize_t __wrap_preadv(int fd, const struct iovec *pieces, int count, off_t offset)
{
	if (!sim_active || fd != kernel.device)
		return __real_preadv(fd, pieces, count, offset);
	return read_or_write(pieces, count, offset, false);
}

ssize_t __wrap_pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
	if (!sim_active || fd != kernel.device)
		return __real_pwritev(fd, pieces, count, offset);
	return read_or_write(pieces, count, offset, true);
}

int __wrap_fdatasync(int fd)
{
	bool done;
	int r;

	if (!sim_active || fd != kernel.device)
		return __real_fdatasync(fd);
	pthread_mutex_lock(&lock);
	r = fate_of(true, &done);
	if (r == 0 || done)
		do_flush();
	pthread_mutex_unlock(&lock);
	if (r == 0)
		return 0;
	errno = -r;
	return -1;
}

bool sim_live_image(const unsigned char *disk)
{
	return memcmp(disk + SIM_PAGE - 10, "ULSUSPEND", 9) == 0;
}

bool sim_sealed_header(const unsigned char *disk)
{
	struct header_front front;

	for (size_t at = 0; at < SIM_DISK_BYTES; at += SIM_PAGE)
		if (header_page_front(disk + at, SIM_PAGE, &front, NULL) == 0 && front.sealed)
			return true;
	return false;
}

void sim_lose(void)
{
	struct sim_shared *s = sim->shared;
	uint64_t random = s->plan.seed ? s->plan.seed : 1;

	for (size_t i = s->unflushed; i < s->log_count; i++) {
		const struct sim_log_entry *entry = &s->log[i];

		for (size_t at = 0; at < entry->length; at += STATE_SECTOR) {
			/* Mostly whole writes, now and then single sectors. */
			if (at == 0 || (s->plan.seed & 1)) {
				random ^= random << 13;
				random ^= random >> 7;
				random ^= random << 17;
			}
			if (random >> 20 & 1)
				put(&sim->durable, sim->log.at + entry->data + at, STATE_SECTOR,
				    entry->offset + at);
		}
	}
	for (size_t i = s->unflushed; i < s->log_count; i++)
		put(&sim->disk, sim->durable.at + s->log[i].offset, s->log[i].length,
		    s->log[i].offset);
	s->unflushed = s->log_count;
}
