/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "limits.h"

#include "base/bytes.h"
#include "base/io.h"
#include "base/memory.h"
#include "base/stopwatch.h"
#include "format/codec.h"
#include "kernel/snapshot_device.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* As much memory as the writer's slots, so that caches help equally little. */
#define ROTATION_BYTES (16u << 20)
#define PAGES_BYTES (512u << 20)
#define CODEC_BYTES (192u << 20)
#define DEVICE_BYTES (512u << 20)
#define REQUEST_BYTES (1u << 20)
#define DEVICE_THREADS 2

static double thread_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int measure_pages(struct stream *stream, unsigned char *rotation, unsigned int pages_a_call,
			 double *ret_read, double *ret_write)
{
	const struct page_source source = stream_source(stream);
	uint64_t bytes = min_u64(stream->size, PAGES_BYTES), done = 0;
	struct sink sink = { .fd = -1 };
	unsigned int usual = stream->pages_a_call;
	struct page_sink to;
	double begun = thread_seconds();
	int r;

	stream->pages_a_call = pages_a_call;
	for (; done < bytes; done += REQUEST_BYTES) {
		ssize_t n = source.read(source.context, rotation + done % ROTATION_BYTES,
					(size_t)min_u64(REQUEST_BYTES, bytes - done));

		if (n < 0)
			return (int)n;
	}
	*ret_read = (double)bytes / (thread_seconds() - begun);
	stream->pages_a_call = usual;
	r = sink_open(&sink, NULL);
	sink.pages_a_call = pages_a_call;
	to = sink_sink(&sink);
	begun = thread_seconds();
	for (done = 0; done < bytes && r == 0; done += REQUEST_BYTES)
		r = to.write(to.context, rotation + done % ROTATION_BYTES,
			     (size_t)min_u64(REQUEST_BYTES, bytes - done));
	*ret_write = (double)bytes / (thread_seconds() - begun);
	sink_close(&sink);
	return r;
}

struct codec_run {
	void *state;
	unsigned char *raw, *packed;
	uint32_t block_size;
	int effort;
	uint64_t raw_bytes, packed_raw_bytes, stored_bytes;
	double pack, unpack;
};

static int codec_block(struct codec_run *run, size_t length)
{
	double begun = thread_seconds();
	size_t n = codec_compress(run->state, run->raw, length, run->packed, length - STREAM_PAGE,
				  run->effort);
	int r = 0;

	run->pack += thread_seconds() - begun;
	run->raw_bytes += length;
	run->stored_bytes += n ? round_up(n, STREAM_PAGE) : length;
	if (n) {
		begun = thread_seconds();
		r = codec_decompress(run->packed, n, run->raw, length);
		run->unpack += thread_seconds() - begun;
		run->packed_raw_bytes += length;
	}
	return r;
}

/* Blocks from all over the stream, as they would be cut. */
static int measure_codec(struct stream *stream, unsigned char *rotation, struct codec_run *run)
{
	struct page_source source = stream_source(stream);
	uint64_t blocks = div_round_up(stream->size, run->block_size);
	uint64_t wanted = max_u64(CODEC_BYTES / run->block_size, 1);
	uint64_t stride = max_u64(blocks / wanted, 1);
	size_t turn = 2 * (size_t)run->block_size;
	int r = 0;

	for (uint64_t i = 0, k = 0; i < blocks && r == 0; i += stride, k++) {
		ssize_t n;

		run->raw = rotation + k % (ROTATION_BYTES / turn) * turn;
		run->packed = run->raw + run->block_size;
		stream->at = i * run->block_size;
		n = source.read(source.context, run->raw, run->block_size);
		if (n <= (ssize_t)STREAM_PAGE)
			return n < 0 ? (int)n : 0;
		r = codec_block(run, (size_t)n);
	}
	return r;
}

struct device_run {
	int fd;
	bool write;
	unsigned char *memory;
	uint64_t first, bytes;
	int error;
};

static void *device_thread(void *argument)
{
	struct device_run *run = argument;

	for (uint64_t done = 0; done < run->bytes && run->error == 0;
	     done += (uint64_t)DEVICE_THREADS * REQUEST_BYTES)
		run->error = run->write ? io_pwrite_full(run->fd, run->memory, REQUEST_BYTES,
							 run->first + done)
					: io_pread_full(run->fd, run->memory, REQUEST_BYTES,
							run->first + done);
	return NULL;
}

static int measure_device(int fd, bool write, uint64_t device_bytes, unsigned char *rotation,
			  double *ret, double *ret_cpu)
{
	uint64_t bytes = min_u64(device_bytes - STREAM_PAGE, DEVICE_BYTES) /
			 (DEVICE_THREADS * REQUEST_BYTES) * (DEVICE_THREADS * REQUEST_BYTES);
	struct device_run runs[DEVICE_THREADS];
	pthread_t threads[DEVICE_THREADS];
	struct cpu_time before = cpu_time_now(), after;
	uint64_t begun = now_usec();
	int r = 0;

	if (bytes == 0)
		return -EINVAL;
	for (unsigned int i = 0; i < DEVICE_THREADS; i++) {
		runs[i] = (struct device_run){
			.fd = fd,
			.write = write,
			.memory = rotation + (size_t)i * REQUEST_BYTES,
			.first = STREAM_PAGE + (uint64_t)i * REQUEST_BYTES,
			.bytes = bytes,
		};
		if (pthread_create(&threads[i], NULL, device_thread, &runs[i]) != 0)
			return -EAGAIN; /* the program ends, and the other thread with it */
	}
	for (unsigned int i = 0; i < DEVICE_THREADS; i++) {
		pthread_join(threads[i], NULL);
		r = r ? r : runs[i].error;
	}
	if (r == 0 && write && fdatasync(fd) < 0)
		r = -errno;
	*ret = (double)bytes / ((double)(now_usec() - begun) / 1e6);
	after = cpu_time_now();
	*ret_cpu =
		(double)bytes / (after.own - before.own + fmax(after.workers - before.workers, 0));
	return r;
}

int limits_measure(struct stream *stream, int fd, uint64_t device_bytes, uint32_t block_size,
		   int effort, struct limits *ret, struct why *w)
{
	struct codec_run codec = { .block_size = block_size, .effort = effort };
	struct arena memory = { 0 };
	unsigned char *rotation;
	int r = arena_create(&memory, ROTATION_BYTES + codec_state_size());

	if (r < 0)
		return why(w, r, "memory: %s", strerror(-r));
	rotation = arena_take(&memory, ROTATION_BYTES);
	codec.state = arena_take(&memory, codec_state_size());
	r = measure_pages(stream, rotation, 1, &ret->page_read, &ret->page_write);
	if (r == 0)
		r = measure_pages(stream, rotation, SNAPSHOT_PAGES_A_CALL, &ret->pages_read,
				  &ret->pages_write);
	if (r == 0)
		r = measure_codec(stream, rotation, &codec);
	if (r == 0)
		r = measure_device(fd, true, device_bytes, rotation, &ret->device_write,
				   &ret->device_write_cpu);
	if (r == 0)
		r = measure_device(fd, false, device_bytes, rotation, &ret->device_read,
				   &ret->device_read_cpu);
	ret->lz4 = (double)codec.raw_bytes / codec.pack;
	/* Incompressible blocks are not decompressed either. */
	ret->unlz4 = codec.packed_raw_bytes ? (double)codec.raw_bytes / codec.unpack : INFINITY;
	ret->ratio = (double)codec.raw_bytes / (double)codec.stored_bytes;
	arena_destroy(&memory);
	return r < 0 ? why(w, r, "measuring limits: %s", strerror(-r)) : 0;
}
