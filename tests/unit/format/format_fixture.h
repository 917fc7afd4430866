/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes made by hand from doc/image-format.md, and what is said of those that are wrong. */
#ifndef TESTS_FORMAT_FIXTURE_H
#define TESTS_FORMAT_FIXTURE_H

#include "base/bytes.h"
#include "base/why.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u

static const unsigned char id[16] = "0123456789abcdef";

static inline void le(unsigned char *at, unsigned int width, uint64_t value)
{
	for (unsigned int i = 0; i < width; i++)
		at[i] = (unsigned char)(value >> 8 * i);
}

/* Textbook CRC-32, bit by bit. */
static inline uint32_t crc_more(uint32_t crc, const unsigned char *data, size_t length)
{
	crc = ~crc;
	for (size_t i = 0; i < length; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

/* One field made wrong, or set to a value at its limit. */
struct fault {
	unsigned int at, width;
	uint64_t value;
	int error; /* 0: it is accepted */
	const char *sentence;
};

static inline void check_refused(const struct fault *fault, int r, const struct why *w)
{
	ck_assert_msg(r == fault->error, "%u bytes at %u = 0x%llx: %d (%s), not %d", fault->width,
		      fault->at, (unsigned long long)fault->value, r, w->text, fault->error);
	if (r < 0)
		ck_assert_msg(strstr(w->text, fault->sentence) != NULL,
			      "\"%s\" does not say \"%s\"", w->text, fault->sentence);
	/* By its class, not by the errno alone. */
	ck_assert_int_eq(w->class, r == -EBADMSG   ? WHY_DAMAGED
				   : r == -ENOTSUP ? WHY_TOO_NEW
				   : r == -ENXIO   ? WHY_FOREIGN
						   : WHY_NOW);
}

static inline void check_untouched(const void *what, size_t size)
{
	for (size_t i = 0; i < size; i++)
		ck_assert_uint_eq(((const unsigned char *)what)[i], 0x5a);
}

#endif
