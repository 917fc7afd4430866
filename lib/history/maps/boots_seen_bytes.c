/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boots as bytes: doc/image-format.md, "Boots". */
#include "history/maps/boots_seen.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "format/codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In form 1 a boot has no loader. */
#define FORM 2
#define FORM_OLDEST 1

enum {
	AT_FORM = 0,
	AT_CODEC = 1,
	AT_PLAIN = 4, /* bytes before they were compressed */
	AT_DATA = 8,
};

/* Flags of a boot. */
enum {
	MAP_KNOWN = 1,
	TABLE_COUNT_KNOWN = 2,
	TABLES_KNOWN = 4,
};

/* Of all boots, before they are compressed; more are dropped. */
#define PLAIN_MAX (64u << 10)

/* 7 bits in each byte, the lowest first; the last one has no bit 7. */
#define NUMBER_MAX 10

struct writer {
	unsigned char *at;
	size_t left;
	bool full;
};

static void put_bytes(struct writer *to, const void *bytes, size_t length)
{
	if (to->full || length > to->left) {
		to->full = true;
		return;
	}
	memcpy(to->at, bytes, length);
	to->at += length;
	to->left -= length;
}

static void put_number(struct writer *to, uint64_t value)
{
	unsigned char bytes[NUMBER_MAX];
	size_t length = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[length++] = (unsigned char)(value | 0x80);
	bytes[length++] = (unsigned char)value;
	put_bytes(to, bytes, length);
}

static void put_text(struct writer *to, const char *text)
{
	put_number(to, strlen(text));
	put_bytes(to, text, strlen(text));
}

/* Relative to the end of the entry before, so that an entry that follows a moved one is
 * written as it was elsewhere. */
static void put_map(struct writer *to, const struct memory_map *map)
{
	uint64_t next = 0;

	put_number(to, map->table_count);
	put_number(to, map->entries.count);
	for (size_t i = 0; i < map->entries.count; i++) {
		const struct memory_entry *entry = &map->entries.items[i];

		put_number(to, entry->start - next);
		put_number(to, entry->end - entry->start);
		put_number(to, (uint64_t)entry->type << 1 | (entry->unknown != 0));
		next = entry->end + 1;
	}
}

static void put_boot(struct writer *to, const struct boot_seen *boot)
{
	const struct boot_memory *memory = &boot->memory;

	put_number(to, boot->outcome);
	put_number(to, boot->boots);
	put_number(to, memory->time);
	put_number(to, memory->memory);
	put_number(to, memory->log_start);
	put_number(to, memory->log_end);
	put_number(to, (uint64_t)(memory->map.entries.known ? MAP_KNOWN : 0) |
			       (memory->map.table_known ? TABLE_COUNT_KNOWN : 0) |
			       (memory->tables.known ? TABLES_KNOWN : 0));
	put_text(to, memory->machine);
	put_text(to, memory->firmware);
	put_text(to, memory->boot_files);
	put_text(to, memory->loader);
	put_map(to, &memory->map);
	put_number(to, memory->tables.count);
	for (size_t i = 0; i < memory->tables.count; i++) {
		put_text(to, memory->tables.items[i].name);
		put_number(to, memory->tables.items[i].address);
	}
}

/* Boots from first on; 0: they do not fit. */
static size_t encode_from(const struct boots_seen *seen, size_t first, unsigned char *plain,
			  void *state, unsigned char *ret, size_t size)
{
	struct writer to = { .at = plain, .left = PLAIN_MAX };
	size_t length, stored;

	put_number(&to, seen->items.count - first);
	for (size_t i = first; i < seen->items.count; i++)
		put_boot(&to, &seen->items.items[i]);
	if (to.full || size <= AT_DATA)
		return 0;
	length = PLAIN_MAX - to.left;
	stored = codec_compress(state, plain, length, ret + AT_DATA, size - AT_DATA, EFFORT_HC(9));
	memset(ret, 0, AT_DATA);
	ret[AT_FORM] = FORM;
	ret[AT_CODEC] = stored ? CODEC_LZ4 : CODEC_RAW;
	put_le32(ret + AT_PLAIN, (uint32_t)length);
	if (stored)
		return AT_DATA + stored;
	if (length > size - AT_DATA)
		return 0;
	memcpy(ret + AT_DATA, plain, length);
	return AT_DATA + length;
}

int boots_seen_encode(const struct boots_seen *seen, unsigned char *ret, size_t size,
		      size_t *ret_length)
{
	_cleanup_free_ unsigned char *plain = malloc(PLAIN_MAX);
	_cleanup_free_ void *state = malloc(codec_state_size());
	size_t length = 0;

	if (!plain || !state)
		return -ENOMEM;
	for (size_t first = 0; length == 0 && first < seen->items.count; first++)
		length = encode_from(seen, first, plain, state, ret, size);
	*ret_length = length;
	return 0;
}

/* bad is set where the bytes end too early, or are none that were written here. */
struct reader {
	const unsigned char *at;
	size_t left;
	unsigned char form;
	bool bad;
};

static const unsigned char *take(struct reader *from, size_t length)
{
	const unsigned char *at = from->at;

	if (from->bad || length > from->left) {
		from->bad = true;
		return NULL;
	}
	from->at += length;
	from->left -= length;
	return at;
}

static uint64_t take_number(struct reader *from)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < NUMBER_MAX; i++) {
		const unsigned char *byte = take(from, 1);

		if (!byte)
			return 0;
		value |= (uint64_t)(*byte & 0x7f) << 7 * i;
		if (!(*byte & 0x80))
			return value;
	}
	from->bad = true;
	return 0;
}

static uint64_t take_at_most(struct reader *from, uint64_t most)
{
	uint64_t value = take_number(from);

	if (value <= most)
		return value;
	from->bad = true;
	return 0;
}

/* An item takes at least least bytes. */
static size_t take_count(struct reader *from, size_t most, size_t least)
{
	return (size_t)take_at_most(from, min_u64(most, from->left / least));
}

static void take_text(struct reader *from, char *ret, size_t size)
{
	size_t length = (size_t)take_at_most(from, size - 1);
	const unsigned char *text = take(from, length);

	if (!text)
		return;
	memcpy(ret, text, length);
	ret[length] = '\0';
	text_make_line(ret, ' ');
}

static int take_entries(struct reader *from, struct memory_map *map)
{
	size_t count = take_count(from, MEMORY_MAP_MAX, 3);
	uint64_t next = 0;

	for (size_t i = 0; i < count; i++) {
		struct memory_entry entry = { .start = next + take_number(from) };
		uint64_t type;

		entry.end = entry.start + take_number(from);
		type = take_at_most(from, (uint64_t)UINT32_MAX << 1 | 1);
		entry.type = (uint32_t)(type >> 1);
		entry.unknown = type & 1;
		next = entry.end + 1;
		if (list_append(&map->entries, entry) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int take_tables(struct reader *from, struct boot_memory *memory)
{
	size_t count = take_count(from, BOOT_TABLES_MAX, 2);

	for (size_t i = 0; i < count; i++) {
		struct boot_table table = { .address = 0 };

		take_text(from, table.name, sizeof(table.name));
		table.address = take_number(from);
		if (list_append(&memory->tables, table) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int take_boot(struct reader *from, struct boot_seen *boot)
{
	struct boot_memory *memory = &boot->memory;
	uint64_t flags;
	int r;

	boot->outcome = (enum boot_outcome)take_at_most(from, BOOT_REFUSED);
	boot->boots = (uint32_t)min_u64(take_number(from), BOOTS_SEEN_TIMES_MAX);
	memory->time = take_number(from);
	memory->memory = take_number(from);
	memory->log_start = take_number(from);
	memory->log_end = take_number(from);
	flags = take_at_most(from, MAP_KNOWN | TABLE_COUNT_KNOWN | TABLES_KNOWN);
	take_text(from, memory->machine, sizeof(memory->machine));
	take_text(from, memory->firmware, sizeof(memory->firmware));
	take_text(from, memory->boot_files, sizeof(memory->boot_files));
	if (from->form > FORM_OLDEST)
		take_text(from, memory->loader, sizeof(memory->loader));
	memory->map.table_count = (uint32_t)take_at_most(from, MEMORY_MAP_MAX);
	r = take_entries(from, &memory->map);
	if (r == 0)
		r = take_tables(from, memory);
	memory->map.entries.known = flags & MAP_KNOWN;
	memory->map.table_known = (flags & TABLE_COUNT_KNOWN) != 0;
	memory->tables.known = flags & TABLES_KNOWN;
	if (!memory_map_valid(&memory->map) || memory->log_start > memory->log_end ||
	    boot->boots == 0)
		from->bad = true;
	return r;
}

static int take_all(struct reader *from, struct boots_seen *seen)
{
	size_t count = take_count(from, BOOTS_SEEN_MAX, 1);
	int r = 0;

	for (size_t i = 0; r == 0 && !from->bad && i < count; i++) {
		struct boot_seen boot = { .boots = 0 };

		r = take_boot(from, &boot);
		if (r == 0)
			r = list_append(&seen->items, boot);
		if (r < 0)
			boot_memory_free(&boot.memory);
	}
	return r;
}

static int expand(const unsigned char *bytes, size_t length, unsigned char *plain,
		  size_t *ret_length)
{
	size_t size = get_le32(bytes + AT_PLAIN);
	size_t stored = length - AT_DATA;

	if (size > PLAIN_MAX || (bytes[AT_CODEC] == CODEC_RAW && size != stored))
		return -EBADMSG;
	*ret_length = size;
	if (bytes[AT_CODEC] == CODEC_LZ4)
		return codec_decompress(bytes + AT_DATA, stored, plain, size);
	if (bytes[AT_CODEC] != CODEC_RAW)
		return -EBADMSG;
	memcpy(plain, bytes + AT_DATA, size);
	return 0;
}

int boots_seen_decode(const unsigned char *bytes, size_t length, struct boots_seen *ret,
		      struct why *w)
{
	static const char damaged[] = "what earlier boots saw is damaged";
	_cleanup_free_ unsigned char *plain = NULL;
	struct boots_seen seen = { 0 };
	struct reader from = { 0 };
	int r;

	if (length == 0) {
		*ret = seen;
		return 0;
	}
	if (length <= AT_DATA)
		return why(w, -EBADMSG, "%s", damaged);
	from.form = bytes[AT_FORM];
	if (from.form < FORM_OLDEST || from.form > FORM)
		return why(w, -ENOTSUP, "what earlier boots saw is in a newer form");
	plain = malloc(PLAIN_MAX);
	if (!plain)
		return -ENOMEM;
	r = expand(bytes, length, plain, &from.left);
	from.at = plain;
	if (r == 0)
		r = take_all(&from, &seen);
	if (r == 0 && (from.bad || from.left > 0))
		r = -EBADMSG;
	if (r < 0) {
		boots_seen_free(&seen);
		return r == -ENOMEM ? r : why(w, r, "%s", damaged);
	}
	*ret = seen;
	return 0;
}
