/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_loader.h"

#include "base/bytes.h"

#include <errno.h>

#define ZERO_FRAME (1ull << 63)

static int take_list(struct fake_loader *loader, const unsigned char *page, size_t page_size)
{
	for (size_t at = 0; at < page_size; at += 8) {
		uint64_t entry = get_le64(page + at);

		if (entry == UINT64_MAX)
			break;
		if (loader->frames == FAKE_LOADER_FRAMES_MAX)
			return -EINVAL;
		loader->zero[loader->frames++] = entry & ZERO_FRAME;
	}
	loader->pages++;
	return 1;
}

int fake_loader_take(struct fake_loader *loader, const unsigned char *page, size_t page_size)
{
	if (loader->pages == 0) {
		/* All pages, without the data and this one. */
		loader->metadata_pages = get_le64(page + 424) - get_le64(page + 416) - 1;
		loader->pages = 1;
		return 1;
	}
	if (loader->pages <= loader->metadata_pages)
		return take_list(loader, page, page_size);
	while (loader->filled < loader->frames && loader->zero[loader->filled])
		loader->filled++;
	if (loader->filled == loader->frames)
		return 0;
	loader->filled++;
	loader->pages++;
	return 1;
}

bool fake_loader_complete(const struct fake_loader *loader)
{
	return loader->pages > loader->metadata_pages && loader->filled == loader->frames;
}
