/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the restored system: offlines page frames that the firmware claims since this boot and that
 * the restored kernel believes to be free.
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
	bool used; /* the restored kernel had already allocated it */
	bool own;  /* offlined by this program, and not poisoned before */
};

struct quarantine {
	struct quarantine_frame items[HANDOVER_PAGES_MAX];
	size_t count;
};

/* Takes the frames from a hand-over; does not offline them yet. */
void quarantine_begin(struct quarantine *quarantine, const struct handover *handover);

/* Offlines those that are not yet, in up to three tries, through root/sys/devices/
 * system/memory/soft_offline_page. That takes free pages, and migrates movable ones. Call it
 * first after the restore: a running kernel allocates free pages. It needs neither kernel
 * threads nor a disk (soft_offline_page(), mm/memory-failure.c). */
void quarantine_take(struct quarantine *quarantine, const char *root, size_t page_size);

uint64_t quarantine_taken(const struct quarantine *quarantine);

/* Adds those that are s2disk's own to the list of these (offlined_own.h). Writes a file, so call it
 * after the thaw. */
void quarantine_note(const struct quarantine *quarantine, const char *root);

/* Logs the result. If a frame is or was in use by the kernel, alarm gets what to do about it;
 * else it becomes "". */
void quarantine_report(const struct quarantine *quarantine, size_t page_size, char *alarm,
		       size_t size);

#endif
