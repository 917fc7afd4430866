/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/image_info.h"

#include "base/bytes.h"

#include <errno.h>
#include <inttypes.h>

/* struct swsusp_info: struct new_utsname (6 × 65 bytes), then, aligned: u32
 * version_code, unsigned long num_physpages, int cpus, unsigned long
 * image_pages, pages, size. */
enum {
	INFO_PHYSPAGES = 400,
	INFO_CPUS = 408,
	INFO_IMAGE_PAGES = 416,
	INFO_PAGES = 424,
	INFO_SIZE = 432,
	INFO_END = 440,
	ARCH_X86_MAGIC = 24,
	ARCH_X86_CHECKSUM = 32,
};

int image_info_parse(const unsigned char *page, size_t size, struct image_info *ret, struct why *w)
{
	struct image_info info;
	uint64_t numbers_a_page = size / sizeof(uint64_t);
	uint64_t bytes;

	if (size < INFO_END)
		return why_damaged(w, "the kernel's header page has only %zu bytes", size);
	info.num_physpages = get_le64(page + INFO_PHYSPAGES);
	info.cpus = get_le32(page + INFO_CPUS);
	info.image_pages = get_le64(page + INFO_IMAGE_PAGES);
	info.pages = get_le64(page + INFO_PAGES);
	info.size = get_le64(page + INFO_SIZE);

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

	put_le64(page + INFO_IMAGE_PAGES, image_pages);
	put_le64(page + INFO_PAGES, pages);
	put_le64(page + INFO_SIZE, pages * size);
}

void image_arch_x86_parse(const unsigned char *page, struct image_arch_x86 *ret)
{
	ret->magic = get_le64(page + ARCH_X86_MAGIC);
	memcpy(ret->checksum, page + ARCH_X86_CHECKSUM, sizeof(ret->checksum));
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
