/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding and opening the swap area: a partition, or a file by the block
 * device and offset that it lies at.
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
	bool file;	    /* the area is a swap file (so is whatever has an offset) */
	bool file_named;    /* … and name is its path; else name and device are those of the
			       block device that a file system with the file lies on */
};

/* What swapon(8), swapoff(8) and mkswap(8) may be given for this area: the path
 * of the swap file or of the partition. NULL where only the place of a swap
 * file is known: mkswap on that device would destroy the file system. Points
 * into area. */
const char *swap_area_operand(const struct swap_area *area);

/* Pure: what to run so that the area is plain swap again, as the end of a sentence;
 * 800 bytes suffice. header is what its first page says (it keeps its UUID and its
 * label: /etc/fstab and resume= may name them); NULL where that page is no swap
 * header's, and then mkswap is named for swap files only, which cannot be anything
 * else: a device may hold a file system. Returns buffer. */
const char *swap_area_renewal(const struct swap_area *area, const struct swap_header *header,
			      char *buffer, size_t size);

/* Resolves DEVICE: a path of a block device, UUID=, LABEL=, PARTUUID=,
 * PARTLABEL=, MAJ:MIN (as resume= takes it), or, where allow_file, a swap
 * file's path (device and offset are then found, and the swap signature is
 * confirmed by reading it through the block device; offset must be 0 or agree).
 * offset is in pages. Resolving a tag works without udev: where /dev/disk has
 * no link, libblkid probes the devices, and it finds areas that hold an image
 * too (TYPE swsuspend).
 * -ENODEV: no such device (yet); -ENOTBLK: neither block device nor swap file;
 * -EINVAL: bad syntax, bad file, bad offset; -EOPNOTSUPP: a swap file whose
 * place cannot be found; w says which and why. */
int swap_area_resolve(const char *spec, uint64_t offset, bool allow_file, struct swap_area *ret,
		      struct why *w);

/* Opens the area's block device with O_DIRECT | O_CLOEXEC and flags
 * (O_RDONLY or O_RDWR), and makes sure that it is the block device resolved.
 * Returns the fd or a negative errno. */
int swap_area_open(const struct swap_area *area, int flags, struct why *w);

/* Offset of the area's first page in bytes. */
uint64_t swap_area_start(const struct swap_area *area);

/* A line of /proc/swaps. */
struct swap_entry {
	char path[256]; /* octal escapes undone, " (deleted)" cut off into deleted; "" when
			   it is too long */
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

/* Is this something a hibernation image may go to, when nobody named it?
 * Devices that are gone or not set up when the machine starts (zram, RAM disks,
 * loop and network block devices) and deleted files are not. Judged by name. */
bool swap_entry_suitable(const struct swap_entry *entry);

/* Is it memory itself: zram, a RAM disk? */
bool swap_entry_in_memory(const struct swap_entry *entry);

/* The line of /proc/swaps that is this area; false when it is not listed.
 * Swap files on the area's device are opened and their extents read. */
bool swap_area_find_entry(const struct swap_area *area, const struct swap_entry *entries,
			  size_t count, struct swap_entry *ret);

#endif
