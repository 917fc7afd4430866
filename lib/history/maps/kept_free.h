/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The note of what was kept free at this boot, and what the kernel did not release, in
 * root/run/s2disk/kept-free: text, a fact a line. s2disk writes it, and its checks read it. Only
 * root can read it: physical addresses are in it.
 */
#ifndef S2DISK_HISTORY_KEPT_FREE_H
#define S2DISK_HISTORY_KEPT_FREE_H

#include "base/why.h"
#include "platform/memory/frames.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer files are no such note. */
#define KEPT_FREE_LIMIT (1u << 20)

/* Frames are page frame numbers; the lists are to be freed with kept_free_free(). */
struct kept_free {
	uint64_t boots;		  /* known to the history */
	uint64_t lost_boots;	  /* of these, those at which a frame of held was not RAM */
	struct frame_list kept;	  /* offlined */
	struct frame_list held;	  /* of places that drift; the kernel uses them */
	struct frame_list huge;	  /* the same; reserved as huge pages, so they were not tried */
	struct frame_list places; /* as wholes, of which frames are held or huge */
	bool late;		  /* not all were tried in the time allowed */
};

/* Harmless on a zeroed struct, and leaves one. */
void kept_free_free(struct kept_free *note);

/* The text, for the caller to free. boot_id: /proc/sys/kernel/random/boot_id. 0 or -ENOMEM. */
int kept_free_encode(const struct kept_free *note, const char *boot_id, char **ret);

/* Pure: reads untrusted text; lines that are damaged or unknown are skipped. -EBADMSG: not such a
 * note, or of a newer form; -ESTALE: of another boot; -ENOMEM. */
int kept_free_parse(const char *text, const char *boot_id, struct kept_free *ret);

/* The note of this boot. -ENOENT: there is none; -ESTALE, -EBADMSG, -EFBIG, … */
int kept_free_read(const char *root, struct kept_free *ret);

/* Replaces the file as a whole. 0 or a negative errno with w. */
int kept_free_write(const char *root, const struct kept_free *note, struct why *w);

/* "3 pages at 0x7e38b000, 1 page at 0x80000000", with ", …" for those that do not fit; returns
 * text. page_size in bytes. */
const char *kept_free_list(const struct frame_list *frames, uint64_t page_size, char *text,
			   size_t size);

/* Arguments for the kernel command line that take the frames from it for good (x86:
 * Documentation/admin-guide/kernel-parameters.txt): "memmap=12K$0x7e38b000,4K$0x80000000". "" if
 * they do not fit. dollar replaces $, for boot loaders that expand it; returns text. */
const char *kept_free_memmap(const struct frame_list *frames, uint64_t page_size,
			     const char *dollar, char *text, size_t size);

/* What the kernel holds, with the odds; "" if it holds nothing. Returns text. */
const char *kept_free_problem(const struct kept_free *note, uint64_t page_size, char *text,
			      size_t size);

/* What ends that. "" if it holds nothing. Returns text. */
const char *kept_free_advice(const struct kept_free *note, uint64_t page_size, char *text,
			     size_t size);

#endif
