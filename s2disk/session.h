/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of the kernel that a hibernation takes and must give back: the
 * snapshot device, frozen processes, a held image, swap pages, changed knobs.
 * session_close undoes all of it, in the right order, whatever was reached.
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
	bool maybe_committed; /* the signature may be on the disk: clear it first */
	bool sealed;	      /* a sealed image's header was written: sealed_record */
	struct signature_record sealed_record;
	bool test;		      /* opened by session_open_test */
	uint64_t test_next, test_end; /* bytes on the device: what is still free */
};

/* Opens everything and checks that the area is swap and ready. */
int session_open(struct session *session, const struct settings *settings,
		 const struct swap_area *area, struct why *w);

/* The same for "debug test file": the image goes to a block device that nobody
 * uses, from its second page on, and is never committed. */
int session_open_test(struct session *session, const struct settings *settings, struct why *w);

/* A page for the image: its byte offset on the device. -ENOSPC. */
int session_allocate_page(struct session *session, uint64_t *ret);

/* Bytes that session_allocate_page can still give; 0: not known. */
uint64_t session_room(const struct session *session);

/* Stops all other processes, console quiet, and makes sure that the area is
 * still swap. */
int session_freeze(struct session *session, struct why *w);

/* Frees the image and the swap pages, for another attempt or for good; before
 * that it wipes the header of a sealed image. */
void session_drop_image(struct session *session);

/* Takes a committed image back; tries hard, since an image of a running system
 * must not stay. 0 or a negative errno, which has been logged with what the
 * user must do then. */
int session_take_back(struct session *session);

/* Undoes everything; safe at any point. */
void session_close(struct session *session);

#endif
