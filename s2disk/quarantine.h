/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the restored system: page frames that the firmware claims since this boot,
 * which the restored kernel still takes for free, are offlined.
 */
#ifndef S2DISK_QUARANTINE_H
#define S2DISK_QUARANTINE_H

#include "format/handover.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quarantine_frame {
	uint64_t frame;
	int error; /* of the last try, negative; 0: it is offlined */
	bool used; /* the restored kernel had given it to somebody before */
	bool own;  /* offlined by this program, and not poisoned before */
};

struct quarantine {
	struct quarantine_frame items[HANDOVER_PAGES_MAX];
	size_t count;
};

/* What a hand-over asks for; nothing is offlined yet. */
void quarantine_begin(struct quarantine *quarantine, const struct handover *handover);

/* Asks for those that are not offlined, up to three times, through root/sys/devices/
 * system/memory/soft_offline_page. It takes free pages, and moves what lies in
 * movable ones. To be called first thing after the restore: as soon as the kernel
 * runs on it hands out free pages. It needs neither kernel threads nor a disk
 * (soft_offline_page(), mm/memory-failure.c). */
void quarantine_take(struct quarantine *quarantine, const char *root, size_t page_size);

uint64_t quarantine_taken(const struct quarantine *quarantine);

/* Frames of ours, for offlined_own_add(); ret has room for HANDOVER_PAGES_MAX. */
size_t quarantine_own(const struct quarantine *quarantine, uint64_t *ret);

/* Logs what became of them. Where a frame is or was in the kernel's use, what to do
 * about that goes to alarm; else it becomes "". */
void quarantine_report(const struct quarantine *quarantine, size_t page_size, char *alarm,
		       size_t size);

#endif
