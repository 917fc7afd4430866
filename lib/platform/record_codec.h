/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of structs as bytes, described by tables: the only place that validates lengths of platform
 * records.
 *
 * Payload: le32 items, le32 zero, then per item le32 length and the fields in
 * the order of the table: 4 or 8 bytes for numbers, le16 length and bytes for
 * text, raw bytes. Fields are only ever added at the end: a reader skips unknown ones and leaves
 * missing ones zero.
 */
#ifndef S2DISK_PLATFORM_RECORD_CODEC_H
#define S2DISK_PLATFORM_RECORD_CODEC_H

#include "base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum record_field_kind {
	RECORD_U32,
	RECORD_U64,
	RECORD_TEXT,  /* char[size], ended by a zero byte */
	RECORD_BYTES, /* unsigned char[size] */
};

struct record_field {
	enum record_field_kind kind;
	size_t offset;
	size_t size; /* of the member */
};

struct record_layout {
	uint32_t type;
	const char *name;
	size_t item_size;
	uint32_t max_items;
	const struct record_field *fields;
	size_t field_count;
};

/* A growing buffer; error is sticky. */
struct record_writer {
	unsigned char *data;
	size_t length;
	size_t capacity;
	int error;
};

void record_begin(struct record_writer *writer, uint32_t type, size_t *ret_mark);
void record_end(struct record_writer *writer, size_t mark);
void record_put_items(struct record_writer *writer, const struct record_layout *layout,
		      const void *items, size_t count);

/* Decodes items from a payload; *ret_items has to be freed. For a single struct instead
 * of a list: max_items 1 and record_get_single. 0, -EBADMSG, -ENOMEM. */
int record_get_items(const struct record_layout *layout, const unsigned char *payload,
		     size_t length, void **ret_items, size_t *ret_count, struct why *w);
int record_get_single(const struct record_layout *layout, const unsigned char *payload,
		      size_t length, void *ret, struct why *w);

#endif
