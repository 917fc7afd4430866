/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/bytes.h"

bool bytes_all_zero(const void *at, size_t length)
{
	const unsigned char *bytes = at;

	/* The first byte is zero and every byte equals its predecessor. */
	return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}
