/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/image_reader_private.h"

#include "base/io.h"
#include "crypto/secret.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int image_read_front(const struct image_reader_config *c, const struct signature_record *record,
		     unsigned char *page, struct header_front *ret, struct why *w)
{
	unsigned char digest[SHA256_SIZE];
	int r;

	if (c->device_bytes < c->page_size ||
	    record->header_offset > c->device_bytes - c->page_size)
		return why_class(w, WHY_FOREIGN, -ENXIO,
				 "the record places the header at byte %" PRIu64
				 ", the device has only %" PRIu64 " bytes now",
				 record->header_offset, c->device_bytes);
	r = io_pread_full(c->fd, page, c->page_size, record->header_offset);
	if (r < 0)
		return why(w, r, "the header cannot be read at byte %" PRIu64 ": %s",
			   record->header_offset, strerror(-r));
	r = crypto_sha256(page, c->page_size, digest);
	if (r < 0)
		return r;
	if (memcmp(digest, record->header_digest, SHA256_SIZE) != 0)
		return why_damaged(w, "the header at byte %" PRIu64 " is damaged",
				   record->header_offset);
	r = header_page_front(page, c->page_size, ret, w);
	if (r < 0)
		return r;
	if (memcmp(ret->image_id, record->image_id, IMAGE_ID_SIZE) != 0)
		return why_damaged(w, "the header is that of another image");
	return 0;
}

/* Damage counts only if a second read shows it, too: the first may be a bit error in a cable or in
 * memory. w is the caller's, and empty. */
static int read_twice(struct image_reader *reader,
		      int (*step)(struct image_reader *reader, struct why *w), struct why *w)
{
	int r = step(reader, w);

	if (r == 0 || w->class != WHY_DAMAGED)
		return r;
	io_drop_cache(reader->config.fd);
	*w = (struct why){ 0 };
	return step(reader, w);
}

/* Finds the key of a sealed image. */
static int unlock(struct image_reader *reader, const struct header_front *front, struct why *w)
{
	const struct image_unlocker *unlocker = &reader->config.unlocker;
	struct key_slots slots;
	unsigned char *key;
	int r = key_slots_decode(front, &slots, w);

	if (r < 0)
		return r;
	if (!unlocker->unlock)
		return why(w, -ENOKEY, "the image is sealed");
	r = seal_create(&reader->seal, front->cipher, w);
	if (r < 0)
		return r;
	key = secret_alloc(IMAGE_KEY_SIZE);
	if (!key)
		return why(w, -ENOMEM, "memory for keys cannot be locked: %s", strerror(errno));
	r = unlocker->unlock(unlocker->context, &slots, key, w);
	if (r == 0) {
		r = seal_set_key(&reader->seal, front->image_id, key);
		if (r < 0)
			why(w, r, "the image's key cannot be used: %s", strerror(-r));
	}
	secret_free(key, IMAGE_KEY_SIZE);
	/* An unknown slot may be the one that would have fitted. */
	if (r == -EKEYREJECTED && w->class != WHY_WRONG_KEY && key_slots_unknown(&slots)) {
		why_prefix(w, r, "%u of %u key slots need a newer s2disk",
			   key_slots_unknown(&slots), slots.count);
		w->class = WHY_TOO_NEW;
	}
	return r;
}

static int read_front(struct image_reader *reader, struct why *w)
{
	return image_read_front(&reader->config, &reader->record, reader->page, &reader->front, w);
}

/* With the key of a sealed image. */
static int read_header(struct image_reader *reader, struct why *w)
{
	const struct image_reader_config *c = &reader->config;
	int r = read_front(reader, w);

	if (r == 0 && reader->front.sealed) {
		r = unseal_header(&reader->seal, reader->page, c->page_size);
		if (r == -EBADMSG)
			return why_damaged(w, "the header at byte %" PRIu64 " was changed",
					   reader->record.header_offset);
		if (r < 0)
			return why(w, r, "the header cannot be decrypted: %s", strerror(-r));
	}
	return r < 0 ? r
		     : header_page_decode(reader->page, c->page_size, c->device_bytes,
					  &reader->header, w);
}

static int check_body(struct image_reader *reader, struct why *w)
{
	const struct image_reader_config *c = &reader->config;

	extent_reader_begin(&reader->body, c->fd, c->page_size, c->device_bytes, "body",
			    &reader->header.body, reader->header.image_id, reader->page,
			    &reader->digest);
	return extent_reader_check(&reader->body, w);
}

int reader_check_body(struct image_reader *reader, struct why *w)
{
	return read_twice(reader, check_body, w);
}

static int read_all(struct image_reader *reader, struct why *w)
{
	int r = read_twice(reader, read_front, w);

	if (r == 0 && !reader->front.sealed && reader->config.sealed_only)
		r = why(w, -EKEYREJECTED,
			"the settings ask for encryption, and the image is not encrypted");
	/* The key is asked for once, even if something must be read again. */
	if (r == 0 && reader->front.sealed)
		r = unlock(reader, &reader->front, w);
	if (r < 0)
		return r;
	*w = (struct why){ 0 }; /* of keys that did not fit */
	r = read_twice(reader, read_header, w);
	if (r == 0)
		r = read_twice(reader, reader_read_sections, w);
	return r < 0 ? r : reader_check_body(reader, w);
}

int image_reader_open(const struct image_reader_config *config,
		      const struct signature_record *record, struct image_reader **ret,
		      struct why *w)
{
	struct image_reader *reader = calloc(1, sizeof(*reader));
	struct why unheard; /* for callers without one */
	int r;

	if (!reader)
		return -ENOMEM;
	reader->config = *config;
	reader->record = *record;
	if (!w)
		w = &unheard;
	*w = (struct why){ 0 };
	r = arena_create(&reader->page_memory, config->page_size);
	if (r == 0)
		r = digest_open(&reader->digest, DIGEST_SHA256);
	if (r < 0)
		goto fail;
	reader->page = reader->page_memory.base;
	if (config->device_bytes < config->page_size)
		r = why(w, -ENODATA, "the device has only %" PRIu64 " bytes", config->device_bytes);
	if (r == 0)
		r = read_all(reader, w);
	if (r < 0)
		goto fail;
	*ret = reader;
	return 0;
fail:
	image_reader_close(reader);
	return r;
}

const struct image_header *image_reader_header(const struct image_reader *reader)
{
	return &reader->header;
}

const struct sections *image_reader_sections(const struct image_reader *reader)
{
	return &reader->sections;
}

uint64_t image_reader_stored_bytes(const struct image_reader *reader)
{
	return reader->header.body.pages * reader->config.page_size;
}

void image_reader_forget_keys(struct image_reader *reader)
{
	seal_forget(&reader->seal);
}

void image_reader_close(struct image_reader *reader)
{
	if (!reader)
		return;
	seal_destroy(&reader->seal);
	digest_close(&reader->digest);
	arena_destroy(&reader->sections_memory);
	arena_destroy(&reader->page_memory);
	free(reader);
}
