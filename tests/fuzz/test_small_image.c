/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image that fuzz_image starts from, with single errors made by hand: one thing is
 * made wrong, all digests are made valid again, and the reader must report the error. */
#include "base/bytes.h"
#include "crypto/crypto.h"
#include "base/io.h"
#include "fixtures/check_main.h"
#include "image/image_reader.h"
#include "fixtures/made_data.h"
#include "reseal.h"
#include "small_image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE SMALL_PAGE

static unsigned char device[SMALL_BYTES];
static int fd;

static void make(void)
{
	fd = memfd_create("device", MFD_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	small_image_make(fd, device);
}

static void unmake(void)
{
	close(fd);
}

/* The part that a byte lies in, by doc/image-format.md. */
enum place {
	RECORD,
	HEADER,
	BODY_CHUNK,
	SECTIONS_CHUNK,
	KERNEL_HEADER, /* the content of sections */
	PAGE_RANGES,
	BLOCK_TABLE,
};

static unsigned char *header_page(void)
{
	return device + get_le64(device + PAGE - 512 + 32);
}

/* Each page of the sections is an extent. */
static unsigned char *in_sections(size_t at)
{
	const unsigned char *chunk = device + get_le64(header_page() + 208);

	return device + get_le64(chunk + 64 + at / PAGE * 16) + at % PAGE;
}

static unsigned char *find_section(uint32_t type)
{
	size_t at = 0;

	while (get_le32(in_sections(at)) != type)
		at += 16 + (size_t)round_up(get_le64(in_sections(at) + 8), 8);
	return in_sections(at + 16);
}

static unsigned char *find(enum place place)
{
	switch (place) {
	case RECORD:
		return device + PAGE - 512;
	case HEADER:
		return header_page();
	case BODY_CHUNK:
		return device + get_le64(header_page() + 152);
	case SECTIONS_CHUNK:
		return device + get_le64(header_page() + 208);
	case KERNEL_HEADER:
		return find_section(1);
	case PAGE_RANGES:
		return find_section(2);
	case BLOCK_TABLE:
		break;
	}
	return find_section(3);
}

static int sink(void *context, const void *buffer, size_t length)
{
	(void)buffer;
	*(uint64_t *)context += length;
	return 0;
}

static int open_image(struct image_reader **ret, struct why *w)
{
	struct image_reader_config config = {
		.fd = fd, .page_size = PAGE, .device_bytes = SMALL_BYTES, .buffer_bytes = 1u << 20
	};
	struct signature_record record;
	int r;

	ck_assert_int_eq(io_pwrite_full(fd, device, SMALL_BYTES, 0), 0);
	r = signature_record_decode(device, PAGE, &record, w);
	return r < 0 ? r : image_reader_open(&config, &record, ret, w);
}

static int load_image(struct image_reader *reader, struct why *w)
{
	uint64_t bytes = 0;
	const struct page_sink nowhere = { .write = sink, .context = &bytes };
	int r = image_reader_load(reader, &nowhere, NULL, NULL, w);

	ck_assert_int_eq(r == 0, bytes == image_reader_header(reader)->stream_size);
	return r;
}

START_TEST(reseal_changes_nothing)
{
	static unsigned char before[SMALL_BYTES];

	memcpy(before, device, SMALL_BYTES);
	reseal(device, SMALL_BYTES, RESEAL_ALL);
	ck_assert(memcmp(before, device, SMALL_BYTES) == 0);
}
END_TEST

static int stop(void *context, uint64_t done)
{
	(void)done;
	return *(int *)context;
}

/* One reader, several loads: after a complete one, and after an interrupted one. */
START_TEST(loads_more_than_once)
{
	struct image_reader *reader = NULL;
	struct why w = { "" };
	uint64_t bytes = 0;
	int result = -ECANCELED;
	const struct page_sink nowhere = { .write = sink, .context = &bytes };
	const struct stream_watch watch = { .progress = stop, .context = &result };
	int r;

	ck_assert_int_eq(open_image(&reader, &w), 0);
	if (_i)
		ck_assert_int_eq(image_reader_load(reader, &nowhere, NULL, &watch, &w), -ECANCELED);
	else
		ck_assert_int_eq(load_image(reader, &w), 0);
	r = load_image(reader, &w);
	ck_assert_msg(r == 0, "the second time: %s", w.text);
	image_reader_close(reader);
}
END_TEST

static const struct {
	enum place place;
	unsigned int at, width;
	uint64_t value;
	unsigned int parts;
	int error;
	const char *sentence;
} faults[] = {
	{ RECORD, 44, 4, 7, RESEAL_ALL, 0, NULL },
	{ RECORD, 44, 4, 7, 0, -EBADMSG, "record is damaged" },
	{ RECORD, 32, 8, SMALL_BYTES, RESEAL_ALL, -ENXIO, "places the header at byte 655360" },
	{ HEADER, 104, 8, 1, RESEAL_ALL, 0, NULL },
	{ HEADER, 104, 8, 1, 0, -EBADMSG, "is damaged" },
	{ HEADER, 32, 1, 'x', RESEAL_ALL, -EBADMSG, "header is that of another image" },
	{ HEADER, 80, 8, 79, RESEAL_ALL, -EBADMSG, "79 data" },
	{ HEADER, 120, 8, 0, RESEAL_RECORD, -EBADMSG, "sections are damaged" },
	{ HEADER, 152 + 24, 8, 0, RESEAL_RECORD, -EBADMSG, "body map are not those" },
	{ HEADER, 208 + 24, 8, 0, RESEAL_RECORD, -EBADMSG, "sections map are not those" },
	{ HEADER, 152, 8, SMALL_BYTES, RESEAL_ALL, -ENXIO, "body map is at byte 655360" },
	{ HEADER, 152 + 8, 8, 2, RESEAL_ALL, -EBADMSG, "chunk 1 of the body map is at byte 0" },
	{ BODY_CHUNK, 48, 1, 'x', RESEAL_ALL, -EBADMSG, "chunk 0 of the body map belongs" },
	{ BODY_CHUNK, 24, 8, 1, RESEAL_ALL, -EBADMSG, "chunk 0 of the body map belongs" },
	{ BODY_CHUNK, 32, 8, 1, RESEAL_ALL, -EBADMSG, "chunk 0 of the body map belongs" },
	{ BODY_CHUNK, 16, 8, PAGE, RESEAL_ALL, -EBADMSG, "pages in its extents instead of" },
	{ BODY_CHUNK, 72, 8, 100, RESEAL_ALL, -EBADMSG, "too many pages" },
	{ BODY_CHUNK, 64, 8, 1, RESEAL_ALL, -EBADMSG, "extent 0 of chunk 0 of the body map" },
	{ BODY_CHUNK, 64, 8, PAGE, 0, -EBADMSG, "chunk 0 of the body map is damaged" },
	{ SECTIONS_CHUNK, 8, 4, 1, RESEAL_ALL, -EBADMSG, "1 pages in its extents instead of 2" },
	{ KERNEL_HEADER, 24, 8, 1, RESEAL_ALL, -EBADMSG, "block 0 does not begin with the kernel" },
	{ KERNEL_HEADER, 24, 8, 1, RESEAL_RECORD, -EBADMSG, "sections are damaged" },
	{ KERNEL_HEADER, 416, 8, 79, RESEAL_ALL, -EBADMSG, "that of another snapshot" },
	{ KERNEL_HEADER, 424, 8, 83, RESEAL_ALL, -EBADMSG, "83 pages" },
	{ PAGE_RANGES, 0, 8, 80, RESEAL_ALL, -EBADMSG, "81 page frames instead of 80" },
	{ PAGE_RANGES, 16, 8, 0, RESEAL_ALL, -EBADMSG, "81 page frames, 0 of them zero" },
	{ PAGE_RANGES, 16, 8, 2, RESEAL_ALL, -EBADMSG, "81 page frames, 2 of them zero" },
	{ PAGE_RANGES, 32, 1, 0x7f, RESEAL_ALL, 0, NULL },
	{ BLOCK_TABLE, 4, 1, 1, RESEAL_ALL, 0, NULL },
	{ BLOCK_TABLE, 4, 1, 0, RESEAL_ALL, -EBADMSG, "block 0 has" },
	{ BLOCK_TABLE, 4, 1, 9, RESEAL_ALL, -ENOTSUP, "unknown codec 9" },
	{ BLOCK_TABLE, 8, 4, 0, RESEAL_SECTIONS | RESEAL_RECORD, -EBADMSG,
	  "block 0 of 6 is damaged" },
};

/* Errors that decide about the image have their class set where they are found. */
static enum why_class class_of(int r)
{
	return r == -EBADMSG   ? WHY_DAMAGED
	       : r == -ENOTSUP ? WHY_TOO_NEW
	       : r == -ENXIO   ? WHY_FOREIGN
			       : WHY_NOW;
}

START_TEST(one_fault)
{
	struct image_reader *reader = NULL;
	struct why w = { "" };
	unsigned char bytes[8];
	int r;

	put_le64(bytes, faults[_i].value);
	memcpy(find(faults[_i].place) + faults[_i].at, bytes, faults[_i].width);
	reseal(device, SMALL_BYTES, faults[_i].parts);
	r = open_image(&reader, &w);
	if (r == 0)
		r = load_image(reader, &w);
	image_reader_close(reader);
	ck_assert_msg(r == faults[_i].error, "%d: %s", r, w.text);
	if (r < 0)
		ck_assert_msg(strstr(w.text, faults[_i].sentence) != NULL, "%s", w.text);
	ck_assert_int_eq(w.class, class_of(r));
}
END_TEST

/* An image that claims to cover no page frame, with more zero pages than pages. */
START_TEST(no_page_frames)
{
	struct image_reader *reader = NULL;
	struct why w = { "" };
	unsigned char *ranges = find(PAGE_RANGES);
	uint64_t rest = round_up(get_le64(ranges - 8), 8) - 32;

	ck_assert_uint_ge(rest, 16);
	put_le64(ranges, 0);
	put_le64(ranges + 8, 0);
	put_le64(ranges + 16, (uint64_t)-80);
	put_le64(ranges - 8, 32);  /* the section's length */
	put_le32(ranges + 32, 99); /* the rest: a section that is skipped */
	put_le32(ranges + 36, 0);
	put_le64(ranges + 40, rest - 16);
	reseal(device, SMALL_BYTES, RESEAL_ALL);
	ck_assert_int_eq(open_image(&reader, &w), -EBADMSG);
	ck_assert_msg(strstr(w.text, "page ranges") != NULL, "%s", w.text);
}
END_TEST

/* Every field in the tables of doc/image-format.md, so a new one is tested as soon as it
 * is documented. */
static const struct {
	const char *heading;
	enum place place;
	unsigned int at; /* of the table at that position */
} tables[] = {
	{ "## Signature record", RECORD, 0 },  { "## Header page", HEADER, 0 },
	{ "### Map (56 bytes)", HEADER, 152 }, { "### Map (56 bytes)", HEADER, 208 },
	{ "## Extent chunk", BODY_CHUNK, 0 },  { "## Extent chunk", SECTIONS_CHUNK, 0 },
	{ "### Page ranges", PAGE_RANGES, 0 }, { "### Block table", BLOCK_TABLE, 0 },
};

struct field {
	unsigned int at, size;
	char name[40];
};

/* The next row of a table: "| 8 | 4 | name | …"; false at its end. */
static bool next_field(const char **at, struct field *ret)
{
	while (**at) {
		const char *line = *at;
		size_t length = strcspn(line, "\n");

		*at += length + (line[length] != '\0');
		if (sscanf(line, "| %u | %u | %39[^|]|", &ret->at, &ret->size, ret->name) == 3)
			return true;
		if (sscanf(line, "| %u | %u each | %39[^|]|", &ret->at, &ret->size, ret->name) == 3)
			return true;
		if (strncmp(line, "#", 1) == 0)
			return false;
	}
	return false;
}

/* The result of loading: 0 and a number that identifies what was loaded. */
static int hash(void *context, const void *buffer, size_t length)
{
	const unsigned char *bytes = buffer;
	uint64_t *sum = context;

	for (size_t i = 0; i < length; i++)
		*sum = (*sum ^ bytes[i]) * 0x100000001b3u;
	return 0;
}

static int try_image(uint64_t *ret_sum, struct why *w)
{
	struct image_reader *reader = NULL;
	uint64_t sum = 0xcbf29ce484222325u;
	const struct page_sink nowhere = { .write = hash, .context = &sum };
	int r = open_image(&reader, w);

	if (r == 0)
		r = image_reader_load(reader, &nowhere, NULL, NULL, w);
	image_reader_close(reader);
	*ret_sum = sum;
	return r;
}

/* May a change of this field be harmless? All others must be noticed. (Fields of the
 * signature are checked by the programs, not by the reader.) */
static bool is_free(const char *name)
{
	static const char *const names[] = { "attempts",   "created",  "refusals",   "vetoes",
					     "damages",	   "reserved", "write time", "compatible",
					     "hand-over",  "original", "page size",  "cipher",
					     "key slots",  "tag",      "image id",   "extents",
					     "zero pages", "flags",    "signature" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static unsigned int fields_tried, values_tried, values_refused;

/* One field, other values: rejected with a sentence, or no change. */
static void try_field(unsigned int table, const struct field *field, uint64_t good)
{
	static unsigned char pristine[SMALL_BYTES];
	bool digest = strstr(field->name, "digest") || strstr(field->name, "CRC");
	unsigned int refused = 0;

	memcpy(pristine, device, SMALL_BYTES);
	for (unsigned int value = 0; value < 8; value++) {
		unsigned char *at = find(tables[table].place) + tables[table].at + field->at;
		unsigned int size = field->size < 8 ? field->size : 8;
		uint64_t old = 0, new, sum;
		struct why w = { "" };
		int r;

		memcpy(&old, at, size);
		new = value == 0   ? 0
		      : value == 1 ? UINT64_MAX
		      : value == 2 ? old + 1
		      : value == 3 ? old - 1
		      : value == 4 ? old << 1
		      : value == 5 ? old ^ 1ull << (8 * size - 1)
		      : value == 6 ? old + PAGE
				   : 1ull << 40;
		memcpy(at, &new, size);
		/* A digest would be made valid again. */
		reseal(device, SMALL_BYTES,
		       digest				       ? 0
		       : strncmp(field->name, "check", 5) == 0 ? RESEAL_ALL & ~RESEAL_BLOCKS
							       : RESEAL_ALL);
		r = try_image(&sum, &w);
		ck_assert_msg(r == 0 || r == -EBADMSG || r == -ENOTSUP || r == -ENXIO,
			      "%s %s value %u: %d", tables[table].heading, field->name, value, r);
		ck_assert_int_eq(w.class, class_of(r));
		ck_assert_msg(r < 0 ? w.text[0] != '\0' : sum == good,
			      "%s: %s, value %u: loaded as something else", tables[table].heading,
			      field->name, value);
		refused += r < 0;
		values_tried++;
		memcpy(device, pristine, SMALL_BYTES);
	}
	ck_assert_msg(refused || is_free(field->name), "%s: %s may be anything",
		      tables[table].heading, field->name);
	values_refused += refused;
	fields_tried++;
}

START_TEST(every_field)
{
	const char *at;
	unsigned int table = (unsigned int)_i, end = 0;
	struct why w = { "" };
	struct field field;
	char root[400], *text;
	uint64_t good;

	snprintf(root, sizeof(root), "%s/../..", test_data());
	ck_assert_int_eq(io_read_file(root, "/doc/image-format.md", 1 << 20, &text, NULL), 0);
	at = strstr(text, tables[table].heading);
	ck_assert_msg(at != NULL, "the document has no %s", tables[table].heading);
	at += strlen(tables[table].heading);
	ck_assert_int_eq(try_image(&good, &w), 0);
	fields_tried = values_tried = values_refused = 0;
	while (next_field(&at, &field)) {
		/* Sealed images have more, after this header. */
		if (tables[table].place == HEADER && field.at >= 1024)
			break;
		ck_assert_msg(field.at == end, "%s: bytes %u to %u are no field's",
			      tables[table].heading, end, field.at);
		end = field.at + field.size;
		try_field(table, &field, good);
	}
	ck_assert_uint_gt(fields_tried, 2);
	ck_assert_uint_gt(values_refused, fields_tried);
	printf("%-22s %2u fields, %3u values, %3u of them refused\n", tables[table].heading,
	       fields_tried, values_tried, values_refused);
	free(text);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "small_image");

	if (crypto_init(NULL) < 0)
		exit(EXIT_FAILURE);
	tcase_add_checked_fixture(tcase, make, unmake);
	tcase_add_test(tcase, reseal_changes_nothing);
	tcase_add_loop_test(tcase, loads_more_than_once, 0, 2);
	tcase_add_loop_test(tcase, one_fault, 0, (int)ARRAY_SIZE(faults));
	tcase_add_test(tcase, no_page_frames);
	tcase_add_loop_test(tcase, every_field, 0, (int)ARRAY_SIZE(tables));
}
