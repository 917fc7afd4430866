/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/image_writer_private.h"

#include "base/bytes.h"
#include "base/io.h"
#include "base/stopwatch.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

const unsigned char *image_writer_key(const struct image_writer *writer)
{
	return writer->have_key ? seal_key(&writer->seal) : NULL;
}

void image_writer_forget_key(struct image_writer *writer)
{
	writer->have_key = false;
	seal_forget(&writer->seal);
	for (unsigned int i = 0; i < WORK_POOL_WORKERS_MAX; i++)
		block_worker_forget(&writer->worker_state[i]);
}

/* Each attempt has a new key. */
static int make_key(struct image_writer *writer, const unsigned char image_id[IMAGE_ID_SIZE])
{
	unsigned int threads = writer->workers > 1 ? writer->workers : 1;
	int r = seal_make_key(&writer->seal, &writer->config.keys->seed, image_id);

	for (unsigned int i = 0; r == 0 && i < threads; i++)
		r = block_worker_key(&writer->worker_state[i], &writer->seal);
	writer->have_key = r == 0;
	return r;
}

static int seal_written_header(struct image_writer *writer, const struct run *run)
{
	unsigned char *page = writer->header_page;
	int r;

	if (!writer->config.keys)
		return 0;
	r = key_ways_wrap(writer->config.keys, run->asked->image_id, seal_key(&writer->seal),
			  page + HEADER_SLOTS_AT);
	return r < 0 ? r : seal_header(&writer->seal, page, writer->config.page_size);
}

static int write_header(struct run *run, uint64_t begun)
{
	struct image_writer *writer = run->writer;
	struct signature_record *record = &run->result->record;
	size_t page = writer->config.page_size;
	int r;

	run->header.image_pages = run->info.image_pages;
	run->header.metadata_pages = run->info.metadata_pages;
	run->header.write_usec = now_usec() - begun;
	header_page_encode(&run->header, writer->header_page, page);
	r = seal_written_header(writer, run);
	if (r < 0)
		return why(run->why, r, "the image's header cannot be sealed: %s", strerror(-r));
	*record = (struct signature_record){
		.page_size = (uint32_t)page,
		.header_offset = run->header_offset,
		.state = IMAGE_COMMITTED,
		.created = run->asked->created,
		.handover = run->header.handover,
	};
	memcpy(record->image_id, run->asked->image_id, IMAGE_ID_SIZE);
	r = crypto_sha256(writer->header_page, page, record->header_digest);
	if (r < 0)
		return why(run->why, r, "the image's header has no digest: %s", strerror(-r));
	r = io_pwrite_full(writer->config.fd, writer->header_page, page, run->header_offset);
	if (r == 0 && fdatasync(writer->config.fd) < 0)
		r = -errno;
	return r < 0 ? why(run->why, r, "writing the image's header failed: %s", strerror(-r)) : 0;
}

static int prepare(struct run *run)
{
	struct image_writer *writer = run->writer;
	const struct image_writer_config *c = &writer->config;
	int r;

	if (run->asked->stream_size == 0 || run->asked->stream_size % c->page_size ||
	    div_round_up(run->asked->stream_size, c->block_size) > writer->table_entries)
		return why(run->why, -EFBIG,
			   "a snapshot of %" PRIu64 " bytes, at most %" PRIu64 " were expected",
			   run->asked->stream_size, c->max_stream);
	run->header = (struct image_header){
		.page_size = (uint32_t)c->page_size,
		.created = run->asked->created,
		.block_size = c->block_size,
		.check = BLOCK_CHECK_CRC32,
		.stream_size = run->asked->stream_size,
		.blocks = div_round_up(run->asked->stream_size, c->block_size),
		.handover = run->asked->handover,
	};
	memcpy(run->header.image_id, run->asked->image_id, IMAGE_ID_SIZE);
	if (c->keys) {
		run->header.incompatible = FEATURE_SEALED;
		run->header.check = BLOCK_CHECK_SEAL;
		run->header.cipher = c->cipher;
		run->header.slots = c->keys->count;
		r = make_key(writer, run->asked->image_id);
		if (r < 0)
			return why(run->why, r, "no key for the image: %s", strerror(-r));
	}
	run->allocator = page_window_begin(&writer->window, &run->asked->allocator, c->page_size,
					   run->asked->stream_size / c->page_size);
	return writer_allocate(run, &run->header_offset);
}

int image_writer_run(struct image_writer *writer, const struct image_writer_run *asked,
		     struct image_written *ret, struct why *w)
{
	struct run run = { .writer = writer, .asked = asked, .result = ret, .why = w };
	unsigned char unused[SHA256_SIZE];
	uint64_t begun = now_usec();
	int r;

	*ret = (struct image_written){ .stream_size = asked->stream_size };
	/* A failed run may have left data in them. */
	digest_final(&writer->extent_digest, unused);
	digest_final(&writer->sections_digest, unused);
	r = prepare(&run);
	if (r == 0)
		r = writer_write_blocks(&run);
	if (r == 0)
		r = writer_write_sections(&run);
	if (r == 0)
		r = write_header(&run, begun);
	if (r < 0)
		image_writer_forget_key(writer);
	ret->usec = now_usec() - begun;
	return r;
}
