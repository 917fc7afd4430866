/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compressing one block: LZ4, or not at all where that does not win. */
#ifndef S2DISK_FORMAT_CODEC_H
#define S2DISK_FORMAT_CODEC_H

#include <stddef.h>

enum codec {
	CODEC_RAW = 0,
	CODEC_LZ4 = 1,
};

/* How hard to compress: LZ4's acceleration (1 compresses best, more is faster),
 * or a level of its high compression, slower and smaller. All are unpacked
 * alike. */
#define EFFORT_HC(level) (-(level))

/* Bytes of working memory that a compressor needs. */
size_t codec_state_size(void);

/* Compresses raw into out. Returns the bytes stored, or 0 when they would be
 * more than out_size: then the block is stored raw. */
size_t codec_compress(void *state, const void *raw, size_t raw_size, void *out, size_t out_size,
		      int effort);

/* Fills raw with exactly raw_size bytes. -EBADMSG when stored is not what a
 * compressor would have made of so many. Safe for hostile bytes. */
int codec_decompress(const void *stored, size_t stored_size, void *raw, size_t raw_size);

#endif
