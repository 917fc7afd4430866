/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the restored system, while user space is still frozen: logs what resume handed over, and keeps
 * the record of its boot.
 */
#ifndef S2DISK_AFTERMATH_H
#define S2DISK_AFTERMATH_H

#include "format/handover.h"
#include "history/maps/boots_seen.h"

#include <stddef.h>
#include <stdint.h>

/* One line about the image, one about loading it, and what resume reported. */
void aftermath_report(struct handover *handover);

/* Replaces the boot record in root/run, which is from before the image, with that of the boot
 * that restored this system. An older resume hands none over. */
void aftermath_take_record(const struct handover *handover, const char *root);

/* What the boots saw that found the image, for the history: those that refused it, and last the one
 * that restored this system. Empty if an older resume restored it, or it is damaged (logged). The
 * caller frees *ret with boots_seen_free. */
void aftermath_take_boots(const struct handover *handover, struct boots_seen *ret);

/* A copy of the memory map of the one that restored this system; left alone where it is not among
 * them, or there is no memory for it. */
void aftermath_take_map(const struct boots_seen *seen, struct memory_map *ret);

/* "1.2 GiB of memory as 540 MiB (2.27:1), written in 2.1 s (585 MiB/s)". */
void aftermath_describe(char *buffer, size_t size, uint64_t stream, uint64_t stored, uint64_t usec);

#endif
