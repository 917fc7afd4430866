/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/codec.h"

#include <errno.h>
#include <lz4.h>

size_t codec_state_size(void)
{
	return (size_t)LZ4_sizeofState();
}

size_t codec_compress(void *state, const void *raw, size_t raw_size, void *out, size_t out_size,
		      int acceleration)
{
	int n = LZ4_compress_fast_extState(state, raw, out, (int)raw_size, (int)out_size,
					   acceleration);

	return n > 0 ? (size_t)n : 0;
}

int codec_decompress(const void *stored, size_t stored_size, void *raw, size_t raw_size)
{
	int n = LZ4_decompress_safe(stored, raw, (int)stored_size, (int)raw_size);

	return n >= 0 && (size_t)n == raw_size ? 0 : -EBADMSG;
}
