/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays a snapshot through the real writer into a file or device, or an image from there
 * through the real reader, and measures it; or measures the limits. One measurement per
 * run; the result is one JSON object. See README.md.
 */
#include "base/bytes.h"
#include "base/io.h"
#include "output/json.h"
#include "base/memory.h"
#include "base/stopwatch.h"
#include "format/format.h"
#include "image/image_commit.h"
#include "image/image_reader.h"
#include "image/image_writer.h"
#include "seal/key_slots.h"
#include "seal/seal.h"
#include "limits.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct play {
	const char *stream_name, *device_name;
	unsigned int workers;
	uint32_t block_size;
	uint64_t buffer_bytes;
	int effort;
	uint64_t run;	   /* contiguous pages; 0: all */
	uint64_t clusters; /* one page of each in turn; 0: off */
	bool unsorted;	   /* the area's pages are used in the order in which they come */
	bool verify, buffered, sealed;

	int fd;
	uint64_t device_bytes;
	struct stream stream;
	struct json json;
};

static int open_device(struct play *play, struct why *w)
{
	struct stat st;

	play->fd = open(play->device_name, O_RDWR | O_CLOEXEC | (play->buffered ? 0 : O_DIRECT));
	if (play->fd < 0 || fstat(play->fd, &st) < 0)
		return why(w, -errno, "%s: %s", play->device_name, strerror(errno));
	play->device_bytes = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(play->fd, BLKGETSIZE64, &play->device_bytes) < 0)
		return why(w, -errno, "%s: %s", play->device_name, strerror(errno));
	if (play->device_bytes < 4u << 20)
		return why(w, -EINVAL, "%s: 4 MiB are needed at least", play->device_name);
	return 0;
}

/* What mkswap writes, as far as it matters here. */
static int format_swap(const struct play *play, struct why *w)
{
	struct arena page = { 0 };
	int r = arena_create(&page, STREAM_PAGE);

	if (r == 0) {
		put_le32(page.base + 1024, 1);
		put_le32(page.base + 1028, (uint32_t)(play->device_bytes / STREAM_PAGE - 1));
		memcpy(page.base + STREAM_PAGE - 10, "SWAPSPACE2", 10);
		r = io_pwrite_full(play->fd, page.base, STREAM_PAGE, 0);
	}
	arena_destroy(&page);
	return r < 0 ? why(w, r, "%s: %s", play->device_name, strerror(-r)) : 0;
}

static int commit(const struct play *play, const struct signature_record *record, struct why *w)
{
	struct signature_page page;
	int r = signature_page_open(&page, play->fd, 0, STREAM_PAGE, w);

	if (r < 0)
		return r;
	r = image_commit(&page, record, w);
	signature_page_close(&page);
	return r;
}

static void tell_run(struct play *play, uint64_t begun, const struct cpu_time *before,
		     uint64_t bytes, uint64_t stored)
{
	struct cpu_time now = cpu_time_now();
	uint64_t usec = now_usec() - begun;
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	json_double(&play->json, "seconds", (double)usec / 1e6);
	json_double(&play->json, "rate", (double)bytes / ((double)usec / 1e6));
	json_double(&play->json, "cpu_own", now.own - before->own);
	/* The time of a worker that ended in between is lost. */
	json_double(&play->json, "cpu_workers", fmax(now.workers - before->workers, 0));
	json_u64(&play->json, "stream_bytes", bytes);
	json_u64(&play->json, "stored_bytes", stored);
	json_u64(&play->json, "peak_rss", (uint64_t)usage.ru_maxrss << 10);
}

/* Sealed images use the simplest way to the key. */
static const char key_file[] = "the benchmark's key file of 32 b";

static int unlock(void *context, const struct key_slots *slots, unsigned char key[IMAGE_KEY_SIZE],
		  struct why *w)
{
	(void)context;
	return key_slots_try_file(slots, key_file, sizeof(key_file), key, w);
}

static int choose_seal(const struct play *play, struct image_writer_config *config,
		       struct key_ways **ret, struct why *w)
{
	int r;

	*ret = NULL;
	if (!play->sealed)
		return 0;
	*ret = key_ways_alloc();
	if (!*ret)
		return why(w, -errno, "memory for a key: %s", strerror(errno));
	r = key_ways_add_file(*ret, key_file, sizeof(key_file), w);
	config->keys = *ret;
	config->cipher = cipher_fastest();
	return r;
}

static int play_write(struct play *play, struct why *w)
{
	struct image_writer_config config = {
		.fd = play->fd,
		.page_size = STREAM_PAGE,
		.block_size = play->block_size,
		.workers = play->workers,
		.buffer_bytes = play->buffer_bytes,
		.max_stream = play->stream.size,
		.compress = true,
		.effort = play->effort,
		.window_pages = play->unsorted ? 1 : 0,
		.writer = "benchmark",
	};
	struct allocator allocator;
	struct image_writer_run run = {
		.stream_size = play->stream.size,
		.room = play->device_bytes,
		.source = stream_source(&play->stream),
		.allocator = allocator_begin(&allocator, play->fd, play->device_bytes, play->run,
					     play->clusters),
	};
	struct image_writer *writer = NULL;
	struct image_written written;
	struct key_ways *ways = NULL;
	struct cpu_time before;
	uint64_t begun;
	int r = format_swap(play, w);

	if (r == 0)
		r = crypto_random(run.image_id, IMAGE_ID_SIZE);
	if (r == 0)
		r = choose_seal(play, &config, &ways, w);
	if (r == 0)
		r = image_writer_create(&config, &writer, w);
	if (r < 0) {
		key_ways_free(ways);
		return r;
	}
	before = cpu_time_now();
	begun = now_usec();
	r = image_writer_run(writer, &run, &written, w);
	if (r == 0) {
		tell_run(play, begun, &before, play->stream.size, written.stored_bytes);
		json_u64(&play->json, "extents", written.extents);
		json_u64(&play->json, "memory", image_writer_memory(writer));
		r = commit(play, &written.record, w);
	}
	if (play->sealed)
		json_string(&play->json, "cipher", cipher_name(config.cipher));
	image_writer_destroy(writer);
	key_ways_free(ways);
	return r;
}

static int open_image(const struct play *play, struct image_reader **ret, struct why *w)
{
	const struct image_reader_config config = {
		.fd = play->fd,
		.page_size = STREAM_PAGE,
		.device_bytes = play->device_bytes,
		.workers = play->workers,
		.buffer_bytes = play->buffer_bytes,
		.unlocker = { .unlock = unlock },
	};
	struct signature_page page;
	struct signature_record record;
	int r = signature_page_open(&page, play->fd, 0, STREAM_PAGE, w);

	if (r < 0)
		return r;
	r = signature_record_decode(page.page, STREAM_PAGE, &record, w);
	signature_page_close(&page);
	return r < 0 ? r : image_reader_open(&config, &record, ret, w);
}

static int play_read(struct play *play, struct why *w)
{
	struct image_reader *reader = NULL;
	struct cpu_time before;
	struct sink sink;
	struct page_sink to;
	uint64_t begun;
	int r = sink_open(&sink, play->verify ? &play->stream : NULL);

	if (r < 0)
		return why(w, r, "memory to read into: %s", strerror(-r));
	to = sink_sink(&sink);
	before = cpu_time_now();
	begun = now_usec();
	r = open_image(play, &reader, w);
	if (r == 0)
		r = image_reader_load(reader, &to, NULL, NULL, w);
	if (r == 0) {
		tell_run(play, begun, &before, sink.at, image_reader_stored_bytes(reader));
		json_u64(&play->json, "memory", image_reader_memory(reader));
		if (play->verify && sink.at != play->stream.size)
			r = why(w, -EBADMSG, "%" PRIu64 " bytes came back of %" PRIu64, sink.at,
				play->stream.size);
	}
	image_reader_close(reader);
	sink_close(&sink);
	return r;
}

static int play_limits(struct play *play, struct why *w)
{
	struct limits limits = { 0 };
	int r = limits_measure(&play->stream, play->fd, play->device_bytes, play->block_size,
			       play->effort, &limits, w);

	json_double(&play->json, "page_read", limits.page_read);
	json_double(&play->json, "page_write", limits.page_write);
	json_double(&play->json, "pages_read", limits.pages_read);
	json_double(&play->json, "pages_write", limits.pages_write);
	json_double(&play->json, "lz4", limits.lz4);
	json_double(&play->json, "unlz4", limits.unlz4);
	json_double(&play->json, "ratio", limits.ratio);
	json_double(&play->json, "device_write", limits.device_write);
	json_double(&play->json, "device_read", limits.device_read);
	json_double(&play->json, "device_write_cpu", limits.device_write_cpu);
	json_double(&play->json, "device_read_cpu", limits.device_read_cpu);
	return r;
}

static const struct {
	const char *name;
	int (*play)(struct play *play, struct why *w);
} tunes[] = {
	{ "write", play_write },
	{ "read", play_read },
	{ "limits", play_limits },
};

static const struct option long_options[] = {
	{ "workers", required_argument, NULL, 'w' },
	{ "block", required_argument, NULL, 'b' },
	{ "buffer", required_argument, NULL, 'm' },
	{ "effort", required_argument, NULL, 'a' },
	{ "run", required_argument, NULL, 'r' },
	{ "clusters", required_argument, NULL, 'k' },
	{ "unsorted", no_argument, NULL, 'u' },
	{ "sealed", no_argument, NULL, 's' },
	{ "verify", no_argument, NULL, 'v' },
	{ "buffered", no_argument, NULL, 'c' },
	{ NULL, 0, NULL, 0 },
};

static int usage(void)
{
	fprintf(stderr, "usage: play [--workers=N] [--block=KIB] [--buffer=MIB] "
			"[--effort=N] [--run=PAGES] [--clusters=N] [--unsorted] [--sealed] "
			"[--verify] [--buffered] "
			"write|read|limits STREAM DEVICE\n");
	return 2;
}

static bool parse(struct play *play, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
		long value = optarg ? strtol(optarg, NULL, 10) : 1;

		if (value > 1 << 20 || (value < 0 && c != 'a'))
			return false;
		switch (c) {
		case 'w':
			play->workers = (unsigned int)value;
			break;
		case 'b':
			play->block_size = (uint32_t)value << 10;
			break;
		case 'm':
			play->buffer_bytes = (uint64_t)value << 20;
			break;
		case 'a':
			play->effort = (int)value;
			break;
		case 'r':
			play->run = (uint64_t)value;
			break;
		case 'k':
			play->clusters = (uint64_t)value;
			break;
		case 'u':
			play->unsorted = true;
			break;
		case 's':
			play->sealed = true;
			break;
		case 'v':
			play->verify = true;
			break;
		case 'c':
			play->buffered = true;
			break;
		default:
			return false;
		}
	}
	return argc - optind == 3;
}

int main(int argc, char **argv)
{
	struct play play = {
		.workers = 2,
		.block_size = BLOCK_SIZE_DEFAULT,
		.buffer_bytes = 64u << 20,
		.effort = 1,
		.fd = -1,
	};
	struct why w = { 0 };
	int r = -EINVAL;

	if (!parse(&play, argc, argv))
		return usage();
	play.stream_name = argv[optind + 1];
	play.device_name = argv[optind + 2];
	json_begin(&play.json, stdout);
	json_object_begin(&play.json, NULL);
	if (crypto_init(&w) == 0 && open_device(&play, &w) == 0 &&
	    stream_open(&play.stream, play.stream_name, &w) == 0)
		for (size_t i = 0; i < sizeof(tunes) / sizeof(*tunes); i++)
			if (strcmp(argv[optind], tunes[i].name) == 0)
				r = tunes[i].play(&play, &w);
	json_object_end(&play.json);
	json_end(&play.json);
	stream_close(&play.stream);
	if (play.fd >= 0)
		close(play.fd);
	if (r < 0)
		fprintf(stderr, "play: %s\n", why_text(&w, r));
	return r < 0;
}
