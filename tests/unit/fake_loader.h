/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the kernel takes an image page by page (snapshot_write_next() in
 * kernel/power/snapshot.c). From Linux 6.7 on the list of page frames marks
 * those that are all zeros, which the stream has no data for. The kernel fills
 * them inside the write that comes after: the last ones of an image only when
 * somebody writes once more, and until then the image is not all loaded.
 */
#ifndef S2DISK_TESTS_FAKE_LOADER_H
#define S2DISK_TESTS_FAKE_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_LOADER_FRAMES_MAX 100000u

/* Zeroed, it waits for a header page. */
struct fake_loader {
	uint64_t metadata_pages, pages; /* metadata_pages: by the header page */
	uint64_t frames, filled;	/* of the list, and how many of them have content */
	bool zero[FAKE_LOADER_FRAMES_MAX];
};

/* One page of the stream, page_size bytes. 1: it was taken; 0: the image was
 * complete before, and nothing was taken; -EINVAL: too many page frames. */
int fake_loader_take(struct fake_loader *loader, const unsigned char *page, size_t page_size);

/* snapshot_image_loaded() of the kernels that do not write that once more
 * themselves (before 7.0). */
bool fake_loader_complete(const struct fake_loader *loader);

#endif
