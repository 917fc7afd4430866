/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interface between the image code and the kernel: where the snapshot comes from,
 * where it goes, and how swap pages are allocated. The image code knows nothing else of
 * the kernel, so it also runs on two ordinary files.
 */
#ifndef S2DISK_FORMAT_PAGE_STREAM_H
#define S2DISK_FORMAT_PAGE_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Fills buffer with the next length bytes. Returns the bytes read (fewer only
 * at the end), or a negative errno. */
struct page_source {
	ssize_t (*read)(void *context, void *buffer, size_t length);
	void *context;
};

/* Takes the next length bytes, whole pages. 0 or a negative errno. Called by one thread
 * at a time, possibly a different one each time, never before the previous call has
 * returned. */
struct page_sink {
	int (*write)(void *context, const void *buffer, size_t length);
	void *context;
};

/* Allocates a page: its byte offset on the device. 0, -ENOSPC, or another negative errno. */
struct page_allocator {
	int (*allocate)(void *context, uint64_t *ret_offset);
	void *context;
};

/* Called with the number of bytes of the raw stream that are done, by the thread that has
 * just read from the source or written to the sink. A negative return ends the work and
 * becomes its result (-ECANCELED: stopped by the user). */
struct stream_watch {
	int (*progress)(void *context, uint64_t done);
	void *context;
};

#endif
