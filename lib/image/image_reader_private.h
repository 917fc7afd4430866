/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by image_reader.c (what the image is) and image_loader.c (its blocks). */
#ifndef S2DISK_IMAGE_IMAGE_READER_PRIVATE_H
#define S2DISK_IMAGE_IMAGE_READER_PRIVATE_H

#include "crypto/crypto.h"
#include "base/memory.h"
#include "image/image_reader.h"
#include "format/extents/extent_reader.h"
#include "kernel/image_info.h"

struct image_reader {
	struct image_reader_config config;
	struct signature_record record;
	struct header_front front; /* points into page */
	struct arena page_memory, sections_memory;
	unsigned char *page; /* one page for headers and chunks */
	struct digest digest;
	struct image_header header;
	struct sections sections;
	struct extent_reader body; /* at its beginning, checked */
	struct seal seal;	   /* of a sealed image */
	struct why unheard;	   /* for callers without a why */
};

/* Walks through the body's extents and goes back to its beginning. */
int reader_check_body(struct image_reader *reader, struct why *w);

#endif
