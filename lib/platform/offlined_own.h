/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page frames that s2disk itself had offlined in this boot, in /run/s2disk/offlined:
 * their numbers, one a line, in decimal. soft_offline_page takes only what nobody
 * uses, or moves it away. So these are in no use also where the kernel does not
 * count the memory errors that it could not deal with (see offlined.h).
 */
#ifndef S2DISK_PLATFORM_OFFLINED_OWN_H
#define S2DISK_PLATFORM_OFFLINED_OWN_H

#include "base/why.h"
#include "platform/page_range.h"

#include <stddef.h>
#include <stdint.h>

/* Frames in the file; more are not noted, and so stay in images. */
#define OFFLINED_OWN_MAX 8192

/* Replaces ret; its items are to be freed. Lines that are no such number are
 * ignored. 0, also where there is none or it is too long to be ours; or -ENOMEM. */
int offlined_own_read(const char *root, struct frame_list *ret);

/* Adds frames to what is there, in one step. 0 or a negative errno with w. Writes
 * to a file system, so never while others are frozen. */
int offlined_own_add(const char *root, const uint64_t *frames, size_t count, struct why *w);

#endif
