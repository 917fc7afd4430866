/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes into the boot record beside what restore() puts there. */
#ifndef S2DISK_WITNESS_H
#define S2DISK_WITNESS_H

#include "history/boot_record.h"
#include "config/settings.h"
#include "swap/swap_area.h"

/* Begins *run: what is to be looked at, and who says so. settings as the program
 * uses them, whatever is wrong with them. */
void witness_settings(struct boot_run *run, const struct settings *settings);

/* The device was found. */
void witness_area(struct boot_run *run, const struct swap_area *area);

/* It was not, or what is there is of no use: error and its sentence. */
void witness_failure(struct boot_run *run, int error, const char *sentence);

/* What takes time, and nobody waits for: the key files' digests. */
void witness_keys(struct boot_run *run, const struct settings *settings);

/* Writes it into this boot's record, or again what became of it. No boot stops for it. */
void witness_record(struct boot_run *run);

#endif
