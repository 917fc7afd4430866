/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stream.h"

#include "base/bytes.h"
#include "base/io.h"
#include "kernel/snapshot_device.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define RING_BYTES (64u << 20)
#define SINK_BYTES (256u << 20)
#define PFNS_A_PAGE (STREAM_PAGE / 8)

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void fill_random(unsigned char *page, uint64_t *state)
{
	for (size_t i = 0; i < STREAM_PAGE; i += 8)
		put_le64(page + i, next_random(state));
}

/* Sentences of recurring words, as in documents and sources. */
static void fill_text(unsigned char *page, uint64_t *state)
{
	size_t i = 0;

	while (i < STREAM_PAGE) {
		uint64_t word = next_random(state) % 3000;
		size_t length = 3 + word % 8;

		for (size_t k = 0; k < length && i < STREAM_PAGE; k++)
			page[i++] = (unsigned char)('a' + (word * (k + 7) + k) % 26);
		if (i < STREAM_PAGE)
			page[i++] = ' ';
	}
}

static void fill_plain(unsigned char *page, uint64_t *state)
{
	uint64_t number = next_random(state);

	for (size_t i = 0; i < STREAM_PAGE; i += 16) {
		put_le64(page + i, number);
		put_le64(page + i + 8, 0);
	}
}

static int fill_ring(struct stream *stream, const char *kind)
{
	bool mixed = strcmp(kind, "mixed") == 0;
	uint64_t state = 88172645463325252ull;
	unsigned char page[STREAM_PAGE];
	int r = 0;

	for (uint64_t i = 0; i < stream->ring_pages && r == 0; i++) {
		if (strcmp(kind, "random") == 0 || (mixed && i % 3 == 0))
			fill_random(page, &state);
		else if (mixed && i % 3 == 1)
			fill_text(page, &state);
		else
			fill_plain(page, &state);
		r = io_pwrite_full(stream->fd, page, STREAM_PAGE, i * STREAM_PAGE);
	}
	return r;
}

/* A header page of the kernel for this many pages of data. */
static void make_header(struct stream *stream, uint64_t data_pages)
{
	uint64_t pages = 1 + stream->metadata_pages + data_pages;

	put_le64(stream->header + 24, 0x23456789ABCDEF02ull);
	put_le64(stream->header + 400, pages * 2);
	put_le32(stream->header + 408, 2);
	put_le64(stream->header + 416, data_pages);
	put_le64(stream->header + 424, pages);
	put_le64(stream->header + 432, pages * STREAM_PAGE);
	stream->size = pages * STREAM_PAGE;
}

static int make_stream(struct stream *stream, const char *name, struct why *w)
{
	char kind[16];
	uint64_t mib;

	if (sscanf(name, "made:%15[a-z]:%" SCNu64, kind, &mib) != 2 || mib == 0 || mib > 1u << 20 ||
	    (strcmp(kind, "random") != 0 && strcmp(kind, "mixed") != 0 &&
	     strcmp(kind, "plain") != 0))
		return why(w, -EINVAL, "%s: made:random|mixed|plain:MIB is required", name);
	stream->made = true;
	stream->ring_pages = min_u64(mib << 20, RING_BYTES) / STREAM_PAGE;
	stream->metadata_pages = div_round_up((mib << 20) / STREAM_PAGE, PFNS_A_PAGE);
	make_header(stream, (mib << 20) / STREAM_PAGE);
	stream->fd = memfd_create("s2disk-bench", MFD_CLOEXEC);
	if (stream->fd < 0)
		return why(w, -errno, "memory for a stream: %s", strerror(errno));
	return fill_ring(stream, kind);
}

int stream_open(struct stream *stream, const char *name, struct why *w)
{
	struct stat st;

	*stream = (struct stream){ .fd = -1, .pages_a_call = SNAPSHOT_PAGES_A_CALL };
	if (strncmp(name, "made:", 5) == 0)
		return make_stream(stream, name, w);
	stream->fd = open(name, O_RDONLY | O_CLOEXEC);
	if (stream->fd < 0 || fstat(stream->fd, &st) < 0)
		return why(w, -errno, "%s: %s", name, strerror(errno));
	stream->size = (uint64_t)st.st_size;
	if (stream->size == 0 || stream->size % STREAM_PAGE)
		return why(w, -EINVAL, "%s: %" PRIu64 " bytes are not a snapshot", name,
			   stream->size);
	return 0;
}

void stream_close(struct stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
}

/* Page frames of a made snapshot: runs of 1000 with a gap after each. */
static void fill_metadata(const struct stream *stream, uint64_t page, unsigned char *to)
{
	uint64_t data = stream->size / STREAM_PAGE - 1 - stream->metadata_pages;

	for (uint64_t i = 0; i < PFNS_A_PAGE; i++) {
		uint64_t number = page * PFNS_A_PAGE + i;

		put_le64(to + i * 8,
			 number < data ? 256 + number + number / 1000 * 24 : UINT64_MAX);
	}
}

/* At most this many pages of memory, one vector each, like snapshot_device.c. */
static int page_vectors(unsigned char *memory, uint64_t pages, struct iovec *vectors)
{
	int count = 0;

	for (; count < (int)SNAPSHOT_PAGES_A_CALL && (uint64_t)count < pages; count++)
		vectors[count] =
			(struct iovec){ memory + (size_t)count * STREAM_PAGE, STREAM_PAGE };
	return count;
}

/* The next pages of a file, one call. Returns how many. */
static int64_t read_file(int fd, uint64_t page, unsigned char *to, uint64_t pages)
{
	struct iovec vectors[SNAPSHOT_PAGES_A_CALL];
	ssize_t n =
		preadv(fd, vectors, page_vectors(to, pages, vectors), (off_t)(page * STREAM_PAGE));

	return n < 0 ? -errno : n / (ssize_t)STREAM_PAGE;
}

/* At most this many of the next pages, one call. Returns how many. */
static int64_t read_pages(struct stream *stream, unsigned char *to, uint64_t pages)
{
	uint64_t page = stream->at / STREAM_PAGE;

	pages = min_u64(pages, stream->pages_a_call);
	if (!stream->made)
		return read_file(stream->fd, page, to, pages);
	if (page > stream->metadata_pages) {
		page = (page - 1 - stream->metadata_pages) % stream->ring_pages;
		return read_file(stream->fd, page, to, min_u64(pages, stream->ring_pages - page));
	}
	if (page == 0)
		memcpy(to, stream->header, STREAM_PAGE);
	else
		fill_metadata(stream, page - 1, to);
	return 1;
}

static ssize_t source_read(void *context, void *buffer, size_t length)
{
	struct stream *stream = context;
	size_t done = 0;

	length = (size_t)min_u64(length, stream->size - stream->at);
	while (done < length) {
		int64_t n = read_pages(stream, (unsigned char *)buffer + done,
				       (length - done) / STREAM_PAGE);

		if (n <= 0)
			return n < 0 ? (ssize_t)n : -EIO;
		stream->at += (uint64_t)n * STREAM_PAGE;
		done += (size_t)n * STREAM_PAGE;
	}
	return (ssize_t)done;
}

struct page_source stream_source(struct stream *stream)
{
	stream->at = 0;
	return (struct page_source){ .read = source_read, .context = stream };
}

int sink_open(struct sink *sink, struct stream *compare)
{
	*sink = (struct sink){ .compare = compare, .pages_a_call = SNAPSHOT_PAGES_A_CALL };
	sink->fd = memfd_create("s2disk-bench-sink", MFD_CLOEXEC);
	sink->page = malloc(STREAM_PAGE);
	/* The pages are populated before the clock runs, like the kernel's. */
	if (!sink->page || sink->fd < 0 || fallocate(sink->fd, 0, 0, SINK_BYTES) < 0)
		return -ENOMEM;
	return 0;
}

void sink_close(struct sink *sink)
{
	free(sink->page);
	if (sink->fd >= 0)
		close(sink->fd);
}

static int compare_page(struct sink *sink, const unsigned char *page)
{
	if (source_read(sink->compare, sink->page, STREAM_PAGE) != STREAM_PAGE ||
	    memcmp(page, sink->page, STREAM_PAGE) != 0)
		return -EBADMSG;
	return 0;
}

static int sink_write(void *context, const void *buffer, size_t length)
{
	struct sink *sink = context;
	size_t done = 0;
	int r = 0;

	while (done < length && r == 0) {
		unsigned char *pages = (unsigned char *)(uintptr_t)buffer + done;
		uint64_t at = sink->at % SINK_BYTES;
		uint64_t most = min_u64(length - done, SINK_BYTES - at) / STREAM_PAGE;
		struct iovec vectors[SNAPSHOT_PAGES_A_CALL];
		int count = page_vectors(pages, min_u64(most, sink->pages_a_call), vectors);
		size_t bytes = (size_t)count * STREAM_PAGE;

		if (pwritev(sink->fd, vectors, count, (off_t)at) != (ssize_t)bytes)
			return -EIO;
		sink->at += bytes;
		done += bytes;
		for (size_t i = 0; sink->compare && i < bytes && r == 0; i += STREAM_PAGE)
			r = compare_page(sink, pages + i);
	}
	return r;
}

struct page_sink sink_sink(struct sink *sink)
{
	sink->at = 0;
	if (sink->compare)
		sink->compare->at = 0;
	return (struct page_sink){ .write = sink_write, .context = sink };
}

static int allocate(void *context, uint64_t *ret)
{
	struct allocator *a = context;
	int unused;

	/* The minimum cost of SNAPSHOT_ALLOC_SWAP_PAGE: entering and leaving the kernel. */
	(void)ioctl(a->fd, FIONREAD, &unused);
	if (a->clusters) {
		uint64_t turn = a->given / a->clusters, size = (a->end - 1) / a->clusters;

		if (turn >= size)
			return -ENOSPC;
		*ret = (1 + a->given++ % a->clusters * size + turn) * STREAM_PAGE;
		return 0;
	}
	if (a->run && a->in_run == a->run) {
		a->next += a->run;
		a->in_run = 0;
	}
	if (a->next >= a->end)
		return -ENOSPC;
	*ret = a->next++ * STREAM_PAGE;
	a->in_run++;
	return 0;
}

struct page_allocator allocator_begin(struct allocator *allocator, int fd, uint64_t bytes,
				      uint64_t run, uint64_t clusters)
{
	*allocator = (struct allocator){
		.next = 1,
		.end = bytes / STREAM_PAGE,
		.run = run,
		.clusters = clusters,
		.fd = fd,
	};
	return (struct page_allocator){ .allocate = allocate, .context = allocator };
}

/* utime and stime of a kernel worker, in ticks; 0 for any other process. */
static unsigned long long worker_ticks(const char *pid)
{
	unsigned long long user, system;
	char path[300], text[512];
	const char *rest;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	if (io_read_text("", path, text, sizeof(text)) <= 0)
		return 0;
	rest = strrchr(text, ')');
	if (!strstr(text, "(kworker/") || !rest ||
	    sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
		   &system) != 2)
		return 0;
	return user + system;
}

static double workers_seconds(void)
{
	DIR *proc = opendir("/proc");
	unsigned long long ticks = 0;

	if (!proc)
		return 0;
	for (const struct dirent *entry; (entry = readdir(proc));)
		if (isdigit((unsigned char)entry->d_name[0]))
			ticks += worker_ticks(entry->d_name);
	closedir(proc);
	return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

struct cpu_time cpu_time_now(void)
{
	struct cpu_time now = { .workers = workers_seconds() };
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	now.own = seconds(usage.ru_utime) + seconds(usage.ru_stime);
	return now;
}
