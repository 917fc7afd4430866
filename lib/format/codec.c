/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/codec.h"

#include <errno.h>
#include <lz4.h>
#include <lz4hc.h>

size_t codec_state_size(void)
{
	int fast = LZ4_sizeofState(), hard = LZ4_sizeofStateHC();

	return (size_t)(fast > hard ? fast : hard);
}

size_t codec_compress(void *state, const void *raw, size_t raw_size, void *out, size_t out_size,
		      int effort)
{
	int n = effort < 0 ? LZ4_compress_HC_extStateHC(state, raw, out, (int)raw_size,
							(int)out_size, -effort)
			   : LZ4_compress_fast_extState(state, raw, out, (int)raw_size,
							(int)out_size, effort);

	return n > 0 ? (size_t)n : 0;
}

int codec_decompress(const void *stored, size_t stored_size, void *raw, size_t raw_size)
{
	int n = LZ4_decompress_safe(stored, raw, (int)stored_size, (int)raw_size);

	return n >= 0 && (size_t)n == raw_size ? 0 : -EBADMSG;
}
