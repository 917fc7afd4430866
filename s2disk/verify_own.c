/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify_own.h"

#include "base/memory.h"
#include "image/image_reader.h"

#include <string.h>

static int null_sink(void *context, const void *buffer, size_t length)
{
	(void)context;
	(void)buffer;
	(void)length;
	return 0;
}

static int unlock_own(void *context, const struct key_slots *slots,
		      unsigned char key[IMAGE_KEY_SIZE], struct why *w)
{
	const struct image_writer *writer = context;

	(void)slots;
	(void)w;
	memcpy(key, image_writer_key(writer), IMAGE_KEY_SIZE);
	return 0;
}

int verify_own(const struct image_writer *writer, const struct signature_record *record, int fd,
	       uint64_t device_bytes, bool sealed, struct why *w)
{
	struct image_reader_config config = {
		.fd = fd,
		.page_size = page_size(),
		.device_bytes = device_bytes,
		.buffer_bytes = 4u << 20,
		/* The unlocker only reads it. */
		.unlocker = { .unlock = unlock_own, .context = (void *)writer },
		.sealed_only = sealed,
	};
	const struct page_sink sink = { .write = null_sink };
	struct image_reader *reader;
	int r = image_reader_open(&config, record, &reader, w);

	if (r < 0)
		return why_prefix(w, r, "verifying what was written");
	r = image_reader_load(reader, &sink, NULL, NULL, w);
	image_reader_close(reader);
	return r < 0 ? why_prefix(w, r, "verifying what was written") : 0;
}
