/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Room for the snapshot, made by this program instead of the kernel.
 *
 * The kernel swaps out what exceeds the snapshot's size right before it stops the devices
 * (hibernate_preallocate_memory() in kernel/power/snapshot.c; since 6.17 also what is in tmpfs,
 * shrink_shmem_memory() in kernel/power/hibernate.c), and does not wait for the writes. Where swap
 * lies on dm-crypt or another layer that sends them on later, some reach the disk's driver after it
 * stopped. virtio-blk keeps those until it is thawed (virtblk_freeze() since 6.14, and in all
 * stable kernels since), while the kernel, taking the processors offline, waits for them
 * (blk_mq_hctx_notify_offline() in block/blk-mq.c): it stands still for good.
 *
 * So memory is swapped out, and written, beforehand; and nothing is swapped out afterwards.
 */
#ifndef S2DISK_MAKE_ROOM_H
#define S2DISK_MAKE_ROOM_H

#include "base/why.h"
#include "platform/filesystems/swaps.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct make_room {
	const char *root;
	int reclaim;	      /* memory.reclaim of the root cgroup; -1: no room is made */
	uint64_t swapped_out; /* pages that ever were when it was opened */
};

#define MAKE_ROOM_NONE ((struct make_room){ .root = "", .reclaim = -1 })

/* If the area on device own, or one of the others, lies on such a layer, according to sysfs below
 * root, opens what frees memory. What is not known to is taken to lie on its disk. Before the
 * freeze. root must outlive the struct. */
void make_room_prepare(struct make_room *room, const char *root, dev_t own,
		       const struct swaps *others);

/* Pure: the memory in bytes that must be free for the kernel to make a snapshot of up to image
 * bytes without freeing any itself, or 0 where it cannot be computed. zoneinfo is the text of
 * /proc/zoneinfo, reserved what /sys/power/reserved_size says, crash what a crash kernel has, page
 * the page size; all in bytes. Computed as hibernate_preallocate_memory() does it, and a little
 * more. */
uint64_t make_room_needed(const char *zoneinfo, uint64_t reserved, uint64_t crash, uint64_t image,
			  size_t page);

/* Frees that much for an image of that many bytes, or what it can, and waits until what was swapped
 * out is written. 1: there is room now for an image, if not for so small a one: nothing has to be
 * swapped out, and the kernel must not be asked for less. 0: less could be freed, or none has to
 * be: the kernel does the rest. -ECANCELED if a stop was requested. */
int make_room(struct make_room *room, uint64_t image, bool quiet, struct why *w);

/* Harmless on MAKE_ROOM_NONE. */
void make_room_end(struct make_room *room);

#endif
