/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compresses one block: LZ4, or stored raw if that is not smaller. */
#ifndef S2DISK_FORMAT_CODEC_H
#define S2DISK_FORMAT_CODEC_H

#include <stddef.h>

enum codec {
	CODEC_RAW = 0,
	CODEC_LZ4 = 1,
};

/* Compression effort: LZ4's acceleration (1 compresses best, more is faster), or a level
 * of its high compression, slower and smaller. All are decompressed alike. */
#define EFFORT_HC(level) (-(level))

/* Bytes of working memory for a compressor. */
size_t codec_state_size(void);

/* Compresses raw into out. Returns the bytes stored, or 0 if they would exceed out_size:
 * the block is then stored raw. */
size_t codec_compress(void *state, const void *raw, size_t raw_size, void *out, size_t out_size,
		      int effort);

/* Fills raw with exactly raw_size bytes. -EBADMSG if stored is not the result of
 * compressing that many. Safe for hostile bytes. */
int codec_decompress(const void *stored, size_t stored_size, void *raw, size_t raw_size);

#endif
