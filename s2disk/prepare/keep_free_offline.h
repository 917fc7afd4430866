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
 * and for usec microseconds at most. Reserved huge pages are not asked for. Frames that go are
 * noted as s2disk's own (offlined_own.h). The frames of *ret are filled, to be freed with
 * kept_free_free. 0 or -ENOMEM. */
int keep_free_offline(const char *root, const struct drift *drift, const struct ram *ram,
		      uint64_t usec, struct kept_free *ret);

#endif
