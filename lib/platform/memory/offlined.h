/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page frames that the kernel has offlined (HWPoison): by soft_offline_page, as s2disk does after a
 * resume, or because of memory errors. They are not used again until the next boot, but
 * saveable_page() (kernel/power/snapshot.c) does not check that, so they are in every snapshot.
 *
 * A frame may be left out of an image only if nothing uses it. Being poisoned is not enough: after
 * an error in its own memory the kernel sets the flag and keeps using the frame. So neither a frame
 * that /proc/kpageflags shows in use counts, nor any frame at all once the kernel has counted an
 * error that it could not handle (/sys/devices/system/node/nodeN/memory_failure, 6.3 and later). If
 * it does not count them, only frames that s2disk offlined itself count (offlined_own.h).
 */
#ifndef S2DISK_PLATFORM_OFFLINED_H
#define S2DISK_PLATFORM_OFFLINED_H

#include "base/why.h"
#include "platform/memory/frames.h"
#include "platform/memory/ram.h"

#include <stdbool.h>
#include <stdint.h>

/* Ranges; frames beyond them stay in the image. */
#define OFFLINED_RANGES_MAX 65536

/* Does the kernel show which frames are poisoned (CONFIG_PROC_PAGE_MONITOR)? Else none is left out
 * of an image. */
bool offlined_are_shown(const char *root);

/* Scans all RAM if HardwareCorrupted of /proc/meminfo is not 0. ret is replaced; its
 * items have to be freed. *ret_flags is an open descriptor of /proc/kpageflags for
 * offlined_confirm, or -1 if there are none. 0; -ENOMEM; another negative errno
 * with a reason if frames are offlined but cannot be identified. */
int offlined_find(const char *root, const struct ram *ram, struct frame_list *ret, int *ret_flags,
		  struct why *w);

/* All frames that the kernel counts as poisoned, in use or not. ret is replaced; its items have to
 * be freed. 0; -ENOMEM; -ENOTSUP: the kernel does not show which they are; -E2BIG: too many;
 * another negative errno: they cannot be read. */
int offlined_poisoned(const char *root, const struct ram *ram, struct frame_list *ret);

/* Of these frames, those that offlined_find would find; looks at no others. The caller frees
 * ret->items. 0; -ENOMEM; another negative errno with a reason: none of them would be left out of
 * an image. */
int offlined_among(const char *root, const struct frame_list *frames, struct frame_list *ret,
		   struct why *w);

/* Looks again at the frames that were found, with user space frozen, and drops ranges of
 * which a frame is in use by now (unpoisoned meanwhile); all of them if the kernel has
 * since counted an error that it could not handle. Between this and the snapshot only the
 * kernel itself can offline more, which then are in the image as any other. Reads /sys
 * below root. */
void offlined_confirm(const char *root, int flags, struct frame_list *frames);

/* Offlines many frames, and checks them, with files that are opened once: the kernel
 * frees what it allocated for an open file only later (kfree_rcu() in
 * kernfs_unlink_open_file()), and would take those pages from the free rest of the very
 * block that is being offlined. */
struct offlined_access {
	int ask;   /* descriptors, or a negative errno */
	int flags; /* of /proc/kpageflags */
};

void offlined_open(const char *root, struct offlined_access *ret);
void offlined_close(struct offlined_access *access);

/* Asks the kernel (soft_offline_page) to offline a frame; 0 or a negative errno. Free
 * pages are taken, and the content of movable ones is moved. */
int offlined_ask(const struct offlined_access *access, uint64_t frame, size_t page_size);

/* Is the frame poisoned, in use or not? 1 or 0; a negative errno if unknown. */
int offlined_is_poisoned(const struct offlined_access *access, uint64_t frame);

/* What a request for a frame would meet. */
enum offlined_prospect {
	PROSPECT_UNKNOWN,  /* /proc/kpageflags cannot be read */
	PROSPECT_POISONED, /* it is offlined, or the kernel knows of an error in it */
	PROSPECT_HUGE,	   /* hugetlbfs reserved it: offlining takes it from its owner */
	PROSPECT_WAIT,	  /* locked, or being written: a request would wait for it, or be refused */
	PROSPECT_KERNELS, /* a slab, a page table, reserved: a request is refused */
	/* In a use without a flag, mostly the kernel's own; or free, but on a processor's list,
	 * which a request drains. */
	PROSPECT_NO_FLAG,
	PROSPECT_GOOD, /* free, or movable as far as that shows */
};

/* By what /proc/kpageflags says of the frame now. */
enum offlined_prospect offlined_prospect(const struct offlined_access *access, uint64_t frame);

/* Has the kernel allocated the frame, as far as /proc/kpageflags shows: to a file, a
 * process, the slab? 1; 0 if it is free, poisoned, or in a use without a flag; a negative
 * errno if unknown. */
int offlined_is_used(const struct offlined_access *access, uint64_t frame);

/* Pure: do these flags of /proc/kpageflags mean offlined and not in use? */
bool offlined_flags(uint64_t flags);

#endif
