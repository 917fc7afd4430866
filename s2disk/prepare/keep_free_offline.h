/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How frames that drift are offlined, and what became of each. */
#ifndef S2DISK_KEEP_FREE_OFFLINE_H
#define S2DISK_KEEP_FREE_OFFLINE_H

#include "history/maps/drift.h"
#include "history/maps/kept_free.h"
#include "platform/memory/ram.h"

#include <stdint.h>

/* Asks the kernel, through root/sys/devices/system/memory/soft_offline_page, for those frames of
 * drift->keep that it has as RAM: the likeliest places first, margins last, in up to three tries,
 * and for usec microseconds at most. Not asked for are reserved huge pages, and what the kernel
 * would wait for or refuse by the flags of the page (offlined.h); once only, what has no flag.
 * Frames that are asked for are noted as s2disk's own before, and those that stay are removed from
 * that list (offlined_own.h). The frames of *ret are filled, to be freed with
 * kept_free_free. 0 or -ENOMEM. */
int keep_free_offline(const char *root, const struct drift *drift, const struct ram *ram,
		      uint64_t usec, struct kept_free *ret);

#endif
