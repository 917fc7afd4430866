/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds and opens the swap area: a partition, or a file given by its block device and
 * offset.
 */
#ifndef S2DISK_SWAP_SWAP_AREA_H
#define S2DISK_SWAP_SWAP_AREA_H

#include "base/why.h"
#include "format/swap_signature.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct swap_area {
	char name[256];	    /* as the user or the system calls it, for messages */
	char device[256];   /* path of the block device */
	dev_t dev;	    /* its device number */
	uint64_t offset;    /* of the area's first page on the device, in pages */
	uint64_t dev_bytes; /* size of the block device in bytes */
	bool file;	    /* the area is a swap file (so is anything with an offset) */
	bool file_named; /* … and name is its path; otherwise name and device are those of the block
			    device whose file system contains the file */
};

/* The operand for swapon(8), swapoff(8) and mkswap(8): the path of the swap file or of
 * the partition. NULL if only the place of a swap file is known: mkswap on that device
 * would destroy the file system. Points into area. */
const char *swap_area_operand(const struct swap_area *area);

/* Pure: how to make the area plain swap again, as the end of a sentence; 800 bytes
 * suffice. header is its first page's (the area keeps its UUID and label, which
 * /etc/fstab and resume= may name); NULL if that page is not a swap header: then mkswap
 * is only suggested for swap files, since a device may hold a file system. Returns
 * buffer. */
const char *swap_area_renewal(const struct swap_area *area, const struct swap_header *header,
			      char *buffer, size_t size);

/* Resolves DEVICE: a path of a block device, UUID=, LABEL=, PARTUUID=, PARTLABEL=,
 * MAJ:MIN (as resume= takes it), or, with allow_file, the path of a swap file (device and
 * offset are then looked up, and the swap signature is read through the block device to
 * confirm them; offset must be 0 or agree). offset is in pages. Tags work without udev:
 * if /dev/disk has no link, libblkid probes the devices, which also finds areas with an
 * image (TYPE swsuspend). -ENODEV: no such device (yet); -ENOTBLK: neither block device
 * nor swap file; -EINVAL: bad syntax, bad file, bad offset; -EOPNOTSUPP: a swap file
 * whose place cannot be found; w says which and why. */
int swap_area_resolve(const char *spec, uint64_t offset, bool allow_file, struct swap_area *ret,
		      struct why *w);

/* Opens the area's block device with O_DIRECT | O_CLOEXEC and flags (O_RDONLY or O_RDWR),
 * and makes sure that it is the block device that was resolved. Returns the fd or a
 * negative errno. */
int swap_area_open(const struct swap_area *area, int flags, struct why *w);

/* Offset of the area's first page in bytes. */
uint64_t swap_area_start(const struct swap_area *area);

/* A line of /proc/swaps. */
struct swap_entry {
	char path[256]; /* octal escapes undone, " (deleted)" removed and noted in deleted; "" if it
			   is too long */
	bool file;
	bool deleted;
	uint64_t size; /* bytes */
	uint64_t used; /* bytes */
	int priority;
};

/* Pure: parses the text of /proc/swaps. At most max entries are stored;
 * returns how many there are, or -EINVAL. */
int swaps_parse(const char *text, struct swap_entry *entries, size_t max);

/* Reads root/proc/swaps. Returns the number of entries (at most max stored). */
int swaps_read(const char *root, struct swap_entry *entries, size_t max);

/* May a hibernation image go here if no device was named? Not to devices that are gone or
 * not yet set up when the machine starts (zram, RAM disks, loop and network block
 * devices), nor to deleted files. Decided by name. */
bool swap_entry_suitable(const struct swap_entry *entry);

/* Is it memory itself: zram, a RAM disk? */
bool swap_entry_in_memory(const struct swap_entry *entry);

/* The line of /proc/swaps for this area; false if it is not listed. Opens swap files on
 * the area's device and reads their extents. */
bool swap_area_find_entry(const struct swap_area *area, const struct swap_entry *entries,
			  size_t count, struct swap_entry *ret);

#endif
