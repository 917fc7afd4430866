/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sealed_fixture.h"

#include <check.h>
#include <errno.h>
#include <string.h>

/* Cheap, since each load stretches. */
const struct stretch sealed_stretch = {
	.memory_kib = 64,
	.passes = 1,
	.lanes = 1,
	.salt = "the salt",
};

static int unlock(void *context, const struct key_slots *slots, unsigned char key[IMAGE_KEY_SIZE],
		  struct why *w)
{
	struct sealed_fixture *f = context;
	int r = -EKEYREJECTED;

	f->asked++;
	if (f->file)
		r = key_slots_try_file(slots, f->file, strlen(f->file), key, w);
	if (r == -EKEYREJECTED && f->phrase)
		r = key_slots_try_passphrase(slots, f->phrase, strlen(f->phrase), key, w);
	return r == -EKEYREJECTED ? why(w, r, "no key") : r;
}

void sealed_make(struct sealed_fixture *f, enum aead_kind cipher, unsigned int workers)
{
	*f = (struct sealed_fixture){
		.cipher = cipher,
		.workers = workers,
		.phrase = SEALED_PHRASE,
		.id = "an id of 16 byt",
	};
	ck_assert_int_eq(crypto_init(NULL), 0);
	f->ways = key_ways_alloc();
	ck_assert_ptr_nonnull(f->ways);
	fake_snapshot_make(&f->snapshot, 300, 1, true);
	fake_device_make(&f->device, SEALED_DEVICE_PAGES, 1);
}

void sealed_unmake(struct sealed_fixture *f)
{
	fake_snapshot_free(&f->snapshot);
	fake_device_free(&f->device);
	key_ways_free(f->ways);
}

void sealed_add_passphrase(struct sealed_fixture *f)
{
	ck_assert_int_eq(key_ways_add_passphrase(f->ways, &sealed_stretch, SEALED_PHRASE,
						 strlen(SEALED_PHRASE), &f->why),
			 0);
}

void sealed_add_pair(struct sealed_fixture *f)
{
	ck_assert_int_eq(key_pair_make(&sealed_stretch, SEALED_PHRASE, strlen(SEALED_PHRASE),
				       &f->pair, &f->why),
			 0);
	ck_assert_int_eq(key_ways_add_pair(f->ways, &f->pair, &f->why), 0);
}

void sealed_add_file(struct sealed_fixture *f, const char *content)
{
	ck_assert_int_eq(key_ways_add_file(f->ways, content, strlen(content), &f->why), 0);
}

struct image_writer *sealed_writer(struct sealed_fixture *f)
{
	struct image_writer_config config = {
		.fd = f->device.fd,
		.page_size = FAKE_PAGE,
		.block_size = 64u << 10,
		.window_pages = 1, /* all that is allocated is used, and in order */
		.workers = f->workers,
		.buffer_bytes = 8u << 20,
		.max_stream = f->snapshot.size,
		.compress = true,
		.writer = "the writer's text",
		.keys = f->ways->count ? f->ways : NULL,
		.cipher = f->cipher,
	};
	struct image_writer *writer = NULL;
	int r = image_writer_create(&config, &writer, &f->why);

	ck_assert_msg(r == 0, "%s", why_text(&f->why, r));
	return writer;
}

int sealed_run(struct sealed_fixture *f, struct image_writer *writer)
{
	struct image_writer_run run = {
		.created = 1234567890,
		.stream_size = f->snapshot.size,
		.source = fake_snapshot_source(&f->snapshot),
		.allocator = fake_device_allocator(&f->device),
	};

	memcpy(run.image_id, f->id, 16);
	return image_writer_run(writer, &run, &f->written, &f->why);
}

void sealed_write(struct sealed_fixture *f)
{
	struct image_writer *writer = sealed_writer(f);
	int r = sealed_run(f, writer);

	ck_assert_msg(r == 0, "writing: %s", why_text(&f->why, r));
	image_writer_destroy(writer);
}

struct image_reader_config sealed_config(struct sealed_fixture *f)
{
	return (struct image_reader_config){
		.fd = f->device.fd,
		.page_size = FAKE_PAGE,
		.device_bytes = f->device.bytes,
		.workers = f->workers,
		.buffer_bytes = 8u << 20,
		.unlocker = { .unlock = unlock, .context = f },
		.sealed_only = true,
	};
}

int sealed_load_with(struct sealed_fixture *f, const struct image_reader_config *config)
{
	const struct page_sink sink = fake_snapshot_sink(&f->snapshot);
	struct image_reader *reader = NULL;
	int r;

	f->why.text[0] = '\0';
	r = image_reader_open(config, &f->written.record, &reader, &f->why);
	if (r == 0)
		r = image_reader_load(reader, &sink, NULL, NULL, &f->why);
	image_reader_close(reader);
	ck_assert(r == 0 || f->why.text[0]);
	/* What came before the fault is right: nothing false is ever handed on. */
	ck_assert(!f->snapshot.differs);
	return r;
}

int sealed_load(struct sealed_fixture *f)
{
	struct image_reader_config config = sealed_config(f);

	return sealed_load_with(f, &config);
}

void sealed_expect_loaded(struct sealed_fixture *f)
{
	int r = sealed_load(f);

	ck_assert_msg(r == 0, "reading: %s", why_text(&f->why, r));
	ck_assert_uint_eq(f->snapshot.written_at, f->snapshot.size);
}
