/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first page of a swap area, with the signature in its last bytes. Pure.
 *
 * The last 10 bytes of the page are the signature: "SWAPSPACE2" for swap (the
 * kernel's include/linux/swap.h, union swap_header), "S1SUSPEND" for an image of the kernel,
 * "ULSUSPEND" for one from user space. While there is an image, the 10 bytes before it hold the
 * original signature.
 */
#ifndef S2DISK_FORMAT_SWAP_SIGNATURE_H
#define S2DISK_FORMAT_SWAP_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SWAP_SIGNATURE_SIZE 10
#define SWAP_SIGNATURE_SWAP "SWAPSPACE2"
#define SWAP_SIGNATURE_KERNEL "S1SUSPEND\0" /* exactly 10 bytes with the zero */
#define SWAP_SIGNATURE_USER "ULSUSPEND\0"

enum swap_signature_kind {
	SWAP_IS_NOTHING,      /* none of the others */
	SWAP_IS_SWAP,	      /* "SWAPSPACE2" (or the old "SWAP-SPACE") */
	SWAP_IS_KERNEL_IMAGE, /* "S1SUSPEND" */
	SWAP_IS_USER_IMAGE,   /* "ULSUSPEND": ours or uswsusp's */
};

/* page is the whole first page, size its length in bytes. */
enum swap_signature_kind swap_signature_kind(const unsigned char *page, size_t size);

/* The list of bad pages in a swap header: 4 bytes each, from this byte on. */
#define SWAP_BAD_PAGES_AT 1536u

/* The contents of a swap header. */
struct swap_header {
	unsigned char uuid[16];
	char label[17];	    /* printable, ended by a zero byte */
	uint32_t version;   /* 1 */
	uint64_t last_page; /* last usable page of the area */
	uint32_t bad_pages; /* entries of the list of bad pages */
};

/* 0, or -EINVAL if this is not a swap header of version 1 in this byte order (the
 * signature is ignored: it may be an image's). */
int swap_header_parse(const unsigned char *page, size_t size, struct swap_header *ret);

/* Zeroes all of a page of 4096 bytes or more but version to label, and the signature. */
void swap_header_only(unsigned char *page, size_t size);

/* Turns the page back into that of a swap area: zeroes the last `wipe` bytes (20 to size
 * - 1536; a list of bad pages that reaches there is kept) except for the signature. A
 * swap signature stays as it is; otherwise the original one is restored, or "SWAPSPACE2"
 * is written if there is none and swap_header_parse accepts the page. Returns 0, or
 * -EINVAL if the page never was swap (unchanged). */
int swap_signature_restore(unsigned char *page, size_t size, size_t wipe);

#endif
