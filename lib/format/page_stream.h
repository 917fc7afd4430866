/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seam: where the snapshot comes from, where it goes to, and where pages
 * of swap come from. The image code knows nothing else of the kernel, so that
 * it also runs on two ordinary files.
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

/* Takes the next length bytes, whole pages. 0 or a negative errno. Called by one
 * thread at a time, not always the same, each after the other was done. */
struct page_sink {
	int (*write)(void *context, const void *buffer, size_t length);
	void *context;
};

/* Gives a page: its byte offset on the device. 0, -ENOSPC, or another negative
 * errno. */
struct page_allocator {
	int (*allocate)(void *context, uint64_t *ret_offset);
	void *context;
};

/* Told how many bytes of the raw stream are done, by the thread that has just
 * read from the source or written to the sink. A negative return ends the
 * work and becomes its result (-ECANCELED: the user said stop). */
struct stream_watch {
	int (*progress)(void *context, uint64_t done);
	void *context;
};

#endif
