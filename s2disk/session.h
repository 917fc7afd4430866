/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel state that a hibernation takes and must give back: the snapshot device, frozen
 * processes, a held image, swap pages, changed kernel settings. session_close() undoes all of it,
 * in the right order, from any point.
 */
#ifndef S2DISK_SESSION_H
#define S2DISK_SESSION_H

#include "image/image_commit.h"
#include "kernel/kernel_settings.h"
#include "config/settings.h"
#include "swap/swap_area.h"

#include <stdbool.h>

struct session {
	const struct settings *settings;
	const struct swap_area *area; /* NULL in a test */
	int snapshot;		      /* /dev/snapshot */
	int device;		      /* the swap area's block device, O_DIRECT */
	struct kernel_settings kernel_settings;
	struct signature_page signature;
	bool frozen;
	bool image;	      /* the kernel holds one, or a restored one's leftovers */
	bool pages;	      /* swap pages were allocated */
	bool maybe_committed; /* the signature may be on the disk: invalidate it first */
	bool sealed;	      /* a sealed image's header was written: sealed_record */
	struct signature_record sealed_record;
	bool test;		      /* opened by session_open_test */
	uint64_t test_next, test_end; /* bytes on the device: the range that is still free */
};

/* Opens everything and checks that the area is swap and ready. */
int session_open(struct session *session, const struct settings *settings,
		 const struct swap_area *area, struct why *w);

/* The same for "debug test file": the image goes to an unused block device, from its second page
 * on, and is never committed. */
int session_open_test(struct session *session, const struct settings *settings, struct why *w);

/* Allocates a page for the image; *ret is its byte offset on the device. -ENOSPC. */
int session_allocate_page(struct session *session, uint64_t *ret);

/* Bytes that session_allocate_page can still give; 0: not known. */
uint64_t session_room(const struct session *session);

/* Freezes all other processes, quiets the console, and checks that the area is still swap. */
int session_freeze(struct session *session, struct why *w);

/* Frees the image and the swap pages, for another attempt or at the end; wipes the header of a
 * sealed image first. */
void session_drop_image(struct session *session);

/* Invalidates a committed image, with several tries, since an image of a running system must not
 * stay. 0 or a negative errno, which has been logged with what the user must do. */
int session_invalidate(struct session *session);

/* Undoes everything; safe at any point. */
void session_close(struct session *session);

#endif
