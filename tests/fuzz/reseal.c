/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reseal.h"

#include "fuzz.h"

#include "base/bytes.h"
#include "crypto/crypto.h"

#define PAGE RESEAL_PAGE
#define PAGES_MAX 1024u

struct device {
	unsigned char *bytes;
	size_t size;
};

/* The pages of a mapped stream, as far as they exist. */
struct stream {
	unsigned char *pages[PAGES_MAX];
	size_t count;
};

static unsigned char *page_at(const struct device *device, uint64_t offset)
{
	if (offset == 0 || offset % PAGE || offset >= device->size)
		return NULL;
	return device->bytes + offset;
}

static void seal_page(unsigned char *page, size_t crc_at)
{
	uint32_t crc;

	put_le32(page + crc_at, 0);
	fuzz_assert(crypto_crc32(page, PAGE, &crc) == 0);
	put_le32(page + crc_at, crc);
}

static void add_extents(const struct device *device, const unsigned char *chunk, uint64_t max,
			struct stream *stream)
{
	uint32_t extents = get_le32(chunk + 8);

	for (uint32_t i = 0; i < extents && i < (PAGE - 64) / 16; i++) {
		uint64_t offset = get_le64(chunk + 64 + 16 * (size_t)i);
		uint64_t pages = get_le64(chunk + 72 + 16 * (size_t)i);

		for (uint64_t n = 0; n < pages && stream->count < max; n++) {
			unsigned char *page = page_at(device, offset + n * PAGE);

			if (!page || stream->count == PAGES_MAX)
				return;
			stream->pages[stream->count++] = page;
		}
	}
}

/* Walks the chunks of a map: their checksums, its digest, its pages. */
static void walk_map(const struct device *device, unsigned char *map, bool seal,
		     struct stream *stream)
{
	uint64_t next = get_le64(map), chunks = get_le64(map + 8);
	struct digest digest = { 0 };

	stream->count = 0;
	fuzz_assert(digest_open(&digest, DIGEST_SHA256) == 0);
	for (uint64_t i = 0; i < chunks && i < PAGES_MAX; i++) {
		unsigned char *page = page_at(device, next);

		if (!page)
			break;
		if (seal)
			seal_page(page, 12);
		digest_update(&digest, page, PAGE);
		add_extents(device, page, get_le64(map + 16), stream);
		next = get_le64(page + 16);
	}
	if (seal)
		digest_final(&digest, map + 24);
	digest_close(&digest);
}

/* Copies length bytes of the stream from or to memory. */
static void copy_stream(const struct stream *stream, uint64_t at, unsigned char *memory,
			uint64_t length, bool to_stream)
{
	while (length > 0 && at / PAGE < stream->count) {
		unsigned char *page = stream->pages[at / PAGE] + at % PAGE;
		size_t part = (size_t)min_u64(length, PAGE - at % PAGE);

		if (to_stream)
			memcpy(page, memory, part);
		else
			memcpy(memory, page, part);
		at += part;
		memory += part;
		length -= part;
	}
}

/* The checks of one table's entries, all at once in memory. */
static void seal_table(unsigned char *table, uint64_t length, const struct stream *body)
{
	static unsigned char block[4u << 20];
	uint64_t page = 0;

	for (; length >= 24 && page < body->count; table += 24, length -= 24) {
		uint64_t stored = min_u64(get_le32(table), (body->count - page) * PAGE);
		uint32_t crc;

		stored = min_u64(stored, sizeof(block));
		copy_stream(body, page * PAGE, block, stored, false);
		fuzz_assert(crypto_crc32(block, (size_t)stored, &crc) == 0);
		put_le32(table + 8, crc);
		page += div_round_up(stored, PAGE);
	}
}

static void seal_sections(unsigned char *header, const struct stream *body,
			  const struct stream *sections, unsigned int parts)
{
	static unsigned char memory[PAGES_MAX * PAGE];
	uint64_t size = min_u64(get_le64(header + 112), sections->count * PAGE), at = 0;

	copy_stream(sections, 0, memory, size, false);
	while (parts & RESEAL_BLOCKS && size - at >= 16) {
		uint32_t type = get_le32(memory + at);
		uint64_t length = get_le64(memory + at + 8);

		at += 16;
		if (length > size - at)
			break;
		if (type == 3)
			seal_table(memory + at, length, body);
		at = min_u64(at + round_up(length, 8), size);
	}
	copy_stream(sections, 0, memory, size, true);
	if (parts & RESEAL_SECTIONS) {
		/* Their current content: a page may be in there twice. */
		copy_stream(sections, 0, memory, size, false);
		fuzz_assert(crypto_sha256(memory, (size_t)size, header + 120) == 0);
	}
}

static void seal_record(const struct device *device, const unsigned char *header)
{
	unsigned char *record = device->bytes + PAGE - 512, all[508];
	uint32_t crc;

	if (header)
		fuzz_assert(crypto_sha256(header, PAGE, record + 56) == 0);
	memcpy(all, record, 488);
	memcpy(all + 488, record + 492, 20);
	fuzz_assert(crypto_crc32(all, sizeof(all), &crc) == 0);
	put_le32(record + 488, crc);
}

void reseal(unsigned char *bytes, size_t size, unsigned int parts)
{
	static struct stream body, sections;
	struct device device = { .bytes = bytes, .size = size / PAGE * PAGE };
	unsigned char *header = page_at(&device, get_le64(bytes + PAGE - 512 + 32));

	if (header) {
		walk_map(&device, header + 152, parts & RESEAL_CHUNKS, &body);
		walk_map(&device, header + 208, parts & RESEAL_CHUNKS, &sections);
		seal_sections(header, &body, &sections, parts);
	}
	if (parts & RESEAL_RECORD)
		seal_record(&device, header);
}
