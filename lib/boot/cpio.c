/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/cpio.h"

#include "base/bytes.h"
#include "base/stopwatch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define HEADER_SIZE 110
#define NAME_MAX_BYTES 4096

void cpio_begin(struct cpio *cpio, int fd, uint64_t limit)
{
	cpio->fd = fd;
	cpio->unread = limit;
	cpio->position = 0;
	cpio->start = cpio->end = 0;
	cpio->deadline = 0;
	cpio->stopped = false;
}

/* A program that unpacks may write nothing for ever. */
static bool comes_in_time(struct cpio *cpio)
{
	struct pollfd wait = { .fd = cpio->fd, .events = POLLIN };
	uint64_t now = now_usec(), left = cpio->deadline > now ? cpio->deadline - now : 0;

	if (cpio->deadline == 0)
		return true;
	cpio->stopped = left == 0 || poll(&wait, 1, (int)min_u64(left / 1000 + 1, INT_MAX)) <= 0;
	return !cpio->stopped;
}

/* At least `want` bytes in the buffer, if there are any more; want is small. */
static size_t fill(struct cpio *cpio, size_t want)
{
	if (cpio->end - cpio->start >= want)
		return cpio->end - cpio->start;
	memmove(cpio->buffer, cpio->buffer + cpio->start, cpio->end - cpio->start);
	cpio->end -= cpio->start;
	cpio->start = 0;
	while (cpio->end < want) {
		size_t room = min_u64(sizeof(cpio->buffer) - cpio->end, cpio->unread);
		ssize_t n =
			comes_in_time(cpio) ? read(cpio->fd, cpio->buffer + cpio->end, room) : 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		cpio->end += (size_t)n;
		cpio->unread -= (uint64_t)n;
	}
	return cpio->end;
}

static void advance(struct cpio *cpio, size_t length)
{
	cpio->start += length;
	cpio->position += length;
}

size_t cpio_peek(struct cpio *cpio, unsigned char *to, size_t size)
{
	size_t there = fill(cpio, size);

	if (there > size)
		there = size;
	memcpy(to, cpio->buffer + cpio->start, there);
	return there;
}

void cpio_skip_zeros(struct cpio *cpio)
{
	while (fill(cpio, 1) > 0 && cpio->buffer[cpio->start] == 0)
		advance(cpio, 1);
}

/* Takes `length` bytes; to may be NULL. */
static int take(struct cpio *cpio, void *to, uint64_t length)
{
	unsigned char *at = to;

	while (length > 0) {
		size_t piece = fill(cpio, 1);

		if (piece == 0)
			return -EBADMSG;
		if (piece > length)
			piece = (size_t)length;
		if (at) {
			memcpy(at, cpio->buffer + cpio->start, piece);
			at += piece;
		}
		advance(cpio, piece);
		length -= piece;
	}
	return 0;
}

/* Headers and contents begin at multiples of four. */
static int align(struct cpio *cpio)
{
	return take(cpio, NULL, -cpio->position & 3);
}

static int hex(const unsigned char *text, uint32_t *ret)
{
	uint32_t value = 0;

	for (int i = 0; i < 8; i++) {
		unsigned char c = text[i];

		value <<= 4;
		if (c >= '0' && c <= '9')
			value |= (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value |= (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return -EBADMSG;
	}
	*ret = value;
	return 0;
}

static int take_name(struct cpio *cpio, uint32_t length, char *ret, size_t size)
{
	char name[NAME_MAX_BYTES];

	if (length == 0 || length > sizeof(name) || take(cpio, name, length) < 0 ||
	    name[length - 1] != '\0')
		return -EBADMSG;
	/* A longer one is none that anybody here looks for. */
	memcpy(ret, name, length < size ? length : size);
	ret[size - 1] = '\0';
	return align(cpio);
}

int cpio_next(struct cpio *cpio, struct cpio_entry *ret)
{
	unsigned char header[HEADER_SIZE];
	uint32_t size, name_size;
	int r;

	if (take(cpio, header, sizeof(header)) < 0 ||
	    (memcmp(header, "070701", 6) != 0 && memcmp(header, "070702", 6) != 0) ||
	    hex(header + 6, &ret->file[0]) < 0 || hex(header + 14, &ret->mode) < 0 ||
	    hex(header + 38, &ret->links) < 0 || hex(header + 54, &size) < 0 ||
	    hex(header + 62, &ret->file[1]) < 0 || hex(header + 70, &ret->file[2]) < 0 ||
	    hex(header + 94, &name_size) < 0)
		return -EBADMSG;
	ret->size = size;
	r = take_name(cpio, name_size, ret->name, sizeof(ret->name));
	if (r < 0)
		return r;
	return strcmp(ret->name, "TRAILER!!!") != 0;
}

int cpio_content(struct cpio *cpio, const struct cpio_entry *entry, void *to)
{
	int r = take(cpio, to, entry->size);

	return r < 0 ? r : align(cpio);
}
