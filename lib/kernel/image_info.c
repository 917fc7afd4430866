/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/image_info.h"

#include "base/bytes.h"

#include <errno.h>
#include <inttypes.h>

int image_info_parse(const unsigned char *page, size_t size, struct image_info *ret, struct why *w)
{
	struct image_info info;
	uint64_t numbers_a_page = size / sizeof(uint64_t);
	uint64_t bytes;

	if (size < IMAGE_INFO_END)
		return why_damaged(w, "the kernel's header page has only %zu bytes", size);
	info.num_physpages = get_le64(page + IMAGE_INFO_PHYSPAGES);
	info.cpus = get_le32(page + IMAGE_INFO_CPUS);
	info.image_pages = get_le64(page + IMAGE_INFO_IMAGE_PAGES);
	info.pages = get_le64(page + IMAGE_INFO_PAGES);
	info.size = get_le64(page + IMAGE_INFO_SIZE);

	if (!checked_mul(info.pages, size, &bytes) || bytes != info.size)
		return why_damaged(w,
				   "the kernel's header page says %" PRIu64 " pages but %" PRIu64
				   " bytes",
				   info.pages, info.size);
	if (info.pages < 3 || info.image_pages > info.pages - 2)
		return why_damaged(w,
				   "the kernel's header page says %" PRIu64
				   " data pages of %" PRIu64,
				   info.image_pages, info.pages);
	info.metadata_pages = info.pages - info.image_pages - 1;
	if (div_round_up(info.image_pages, numbers_a_page) > info.metadata_pages)
		return why_damaged(w,
				   "%" PRIu64 " metadata pages cannot describe %" PRIu64
				   " data pages",
				   info.metadata_pages, info.image_pages);
	*ret = info;
	return 0;
}

void image_info_set_pages(unsigned char *page, size_t size, uint64_t metadata_pages,
			  uint64_t image_pages)
{
	uint64_t pages = 1 + metadata_pages + image_pages;

	put_le64(page + IMAGE_INFO_IMAGE_PAGES, image_pages);
	put_le64(page + IMAGE_INFO_PAGES, pages);
	put_le64(page + IMAGE_INFO_SIZE, pages * size);
}

size_t image_metadata_walk(const unsigned char *page, size_t size,
			   void (*see)(void *context, uint64_t pfn, bool zero), void *context)
{
	size_t count = 0;

	for (size_t at = 0; at + 8 <= size; at += 8) {
		uint64_t value = get_le64(page + at);

		if (value == IMAGE_PFN_END)
			break;
		count++;
		if (see)
			see(context, value & ~IMAGE_PFN_ZERO, value & IMAGE_PFN_ZERO);
	}
	return count;
}
