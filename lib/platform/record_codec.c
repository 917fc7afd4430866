/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/record_codec.h"

#include "base/bytes.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_HEADER 16

/* Room for length more bytes, zeroed; NULL after an error. */
static unsigned char *reserve(struct record_writer *writer, size_t length)
{
	unsigned char *at;

	if (writer->error)
		return NULL;
	if (writer->capacity - writer->length < length) {
		size_t capacity = (writer->length + length) * 2 + 4096;
		unsigned char *data = realloc(writer->data, capacity);

		if (!data) {
			writer->error = -ENOMEM;
			return NULL;
		}
		writer->data = data;
		writer->capacity = capacity;
	}
	at = writer->data + writer->length;
	memset(at, 0, length);
	writer->length += length;
	return at;
}

static void put_u32(struct record_writer *writer, uint32_t value)
{
	unsigned char *at = reserve(writer, 4);

	if (at)
		put_le32(at, value);
}

void record_begin(struct record_writer *writer, uint32_t type, size_t *ret_mark)
{
	unsigned char *at = reserve(writer, RECORD_HEADER);

	if (at)
		put_le32(at, type);
	*ret_mark = writer->length;
}

void record_end(struct record_writer *writer, size_t mark)
{
	size_t length = writer->length - mark;

	if (writer->error)
		return;
	put_le64(writer->data + mark - 8, length);
	reserve(writer, (size_t)(round_up(length, 8) - length));
}

static void put_field(struct record_writer *writer, const struct record_field *field,
		      const unsigned char *from)
{
	size_t length;
	unsigned char *at;
	uint32_t small;
	uint64_t large;

	switch (field->kind) {
	case RECORD_U32:
		memcpy(&small, from, sizeof(small));
		put_u32(writer, small);
		break;
	case RECORD_U64:
		memcpy(&large, from, sizeof(large));
		if ((at = reserve(writer, 8)) != NULL)
			put_le64(at, large);
		break;
	case RECORD_TEXT:
		length = strnlen((const char *)from, field->size);
		at = reserve(writer, 2 + length);
		if (at) {
			put_le16(at, (uint16_t)length);
			memcpy(at + 2, from, length);
		}
		break;
	case RECORD_BYTES:
		at = reserve(writer, field->size);
		if (at)
			memcpy(at, from, field->size);
		break;
	}
}

void record_put_items(struct record_writer *writer, const struct record_layout *layout,
		      const void *items, size_t count)
{
	const unsigned char *item = items;

	put_u32(writer, (uint32_t)count);
	put_u32(writer, 0);
	for (size_t i = 0; i < count; i++, item += layout->item_size) {
		size_t mark;

		put_u32(writer, 0);
		mark = writer->length;
		for (size_t f = 0; f < layout->field_count; f++)
			put_field(writer, &layout->fields[f], item + layout->fields[f].offset);
		if (!writer->error)
			put_le32(writer->data + mark - 4, (uint32_t)(writer->length - mark));
	}
}

/* Bytes that are left to read. */
struct window {
	const unsigned char *at;
	size_t left;
};

static const unsigned char *take(struct window *window, size_t length)
{
	const unsigned char *at = window->at;

	if (window->left < length)
		return NULL;
	window->at += length;
	window->left -= length;
	return at;
}

/* Text that is longer than the member is cut: a later version may allow more. */
static bool get_text(struct window *window, const struct record_field *field, unsigned char *to)
{
	const unsigned char *at = take(window, 2);
	size_t length = at ? get_le16(at) : 0;
	const unsigned char *text = at ? take(window, length) : NULL;

	if (!text)
		return false;
	if (length > field->size - 1)
		length = field->size - 1;
	memcpy(to, text, length);
	to[length] = '\0';
	text_make_line((char *)to, ' ');
	return true;
}

static bool get_field(struct window *window, const struct record_field *field, unsigned char *to)
{
	size_t size = field->kind == RECORD_U32 ? 4 : field->kind == RECORD_U64 ? 8 : field->size;
	const unsigned char *at;
	uint32_t small;
	uint64_t large;

	if (field->kind == RECORD_TEXT)
		return get_text(window, field, to);
	at = take(window, size);
	if (!at)
		return false;
	if (field->kind == RECORD_U32) {
		small = get_le32(at);
		memcpy(to, &small, sizeof(small));
	} else if (field->kind == RECORD_U64) {
		large = get_le64(at);
		memcpy(to, &large, sizeof(large));
	} else {
		memcpy(to, at, size);
	}
	return true;
}

static bool get_item(const struct record_layout *layout, struct window *window, unsigned char *item)
{
	const unsigned char *at = take(window, 4);
	struct window fields;

	if (!at)
		return false;
	fields.left = get_le32(at);
	fields.at = take(window, fields.left);
	if (!fields.at)
		return false;
	/* An item of an older writer ends before our last fields. */
	for (size_t f = 0; f < layout->field_count && fields.left > 0; f++)
		if (!get_field(&fields, &layout->fields[f], item + layout->fields[f].offset))
			return false;
	return true;
}

/* The number of items that a payload claims: not more than fit. */
static int get_count(const struct record_layout *layout, struct window *window, size_t *ret,
		     struct why *w)
{
	const unsigned char *at = take(window, 8);
	size_t count = at ? get_le32(at) : 0;

	if (!at || count > layout->max_items || count > window->left / 4)
		return why_damaged(w, "platform record \"%s\" is damaged: %zu items in %zu bytes",
				   layout->name, count, window->left);
	*ret = count;
	return 0;
}

int record_get_items(const struct record_layout *layout, const unsigned char *payload,
		     size_t length, void **ret_items, size_t *ret_count, struct why *w)
{
	struct window window = { payload, length };
	unsigned char *items;
	size_t count = 0;
	int r = get_count(layout, &window, &count, w);

	if (r < 0)
		return r;
	/* A power of two, so that lists that grow from here know their capacity. */
	for (length = 1; length < count;)
		length *= 2;
	items = calloc(length, layout->item_size);
	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (!get_item(layout, &window, items + i * layout->item_size)) {
			free(items);
			return why_damaged(w, "platform record \"%s\" is damaged at item %zu",
					   layout->name, i);
		}
	}
	*ret_items = items;
	*ret_count = count;
	return 0;
}

int record_get_single(const struct record_layout *layout, const unsigned char *payload,
		      size_t length, void *ret, struct why *w)
{
	struct window window = { payload, length };
	size_t count = 0;
	int r = get_count(layout, &window, &count, w);

	if (r < 0)
		return r;
	if (count != 1 || !get_item(layout, &window, ret))
		return why_damaged(w, "platform record \"%s\" is damaged", layout->name);
	return 0;
}
