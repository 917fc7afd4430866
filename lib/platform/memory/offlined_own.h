/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page frames that s2disk itself had offlined in this boot, in /run/s2disk/offlined: a line for
 * each range, "FIRST COUNT" in decimal, without a count for one frame. soft_offline_page only takes
 * unused frames, or moves their content. So these are unused even if the kernel does not count the
 * memory errors that it could not handle (see offlined.h).
 */
#ifndef S2DISK_PLATFORM_OFFLINED_OWN_H
#define S2DISK_PLATFORM_OFFLINED_OWN_H

#include "base/why.h"
#include "platform/memory/frames.h"

#include <stddef.h>
#include <stdint.h>

/* Ranges in the file; as many as are looked for (OFFLINED_RANGES_MAX). A list with more is not
 * written. */
#define OFFLINED_OWN_MAX 65536

/* Replaces ret; its items have to be freed. Invalid lines are ignored. 0, also if there
 * is no file or it is too long to be ours; or -ENOMEM. */
int offlined_own_read(const char *root, struct frame_list *ret);

/* Adds frames to the file, atomically; removes some. Under a lock, so what several programs add is
 * all there. 0, or a negative errno with w (-E2BIG: too many ranges; -ENOLCK: another program held
 * the lock for two seconds), and the file is unchanged. Write to a file system, so never call them
 * while one is frozen. */
int offlined_own_add(const char *root, const uint64_t *frames, size_t count, struct why *w);
int offlined_own_remove(const char *root, const struct frame_list *frames, struct why *w);

#endif
