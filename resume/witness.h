/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes into the boot record besides the results of restore(). */
#ifndef S2DISK_WITNESS_H
#define S2DISK_WITNESS_H

#include "history/boot_record.h"
#include "config/settings.h"
#include "swap/swap_area.h"

/* Begins *run: which device is meant, and where that is configured. settings: as the program
 * uses them, even if they are invalid. */
void witness_settings(struct boot_run *run, const struct settings *settings);

/* The device was found. */
void witness_area(struct boot_run *run, const struct swap_area *area);

/* The device was not found, or is unusable: error and its message. */
void witness_failure(struct boot_run *run, int error, const char *sentence);

/* Adds the key files' digests, which take time, once nothing waits for them. */
void witness_keys(struct boot_run *run, const struct settings *settings);

/* Writes it into this boot's record, or updates the result. A failure does not stop the boot. */
void witness_record(struct boot_run *run);

#endif
