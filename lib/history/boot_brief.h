/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A boot record cut to fit into little room: what a resume hands over about its boot to
 * the system that it restores, whose /run is the old one. Pure.
 */
#ifndef S2DISK_HISTORY_BOOT_BRIEF_H
#define S2DISK_HISTORY_BOOT_BRIEF_H

#include "history/boot_record.h"

/* Writes the record as boot_record_encode does, with a zero byte at the end: without log and map
 * (boots_seen.h has that); if it is too long, with the last run only and the command line cut;
 * then without the digests of keys. A line "left-out WORD…" lists what was dropped. Changes the
 * record accordingly. "" if there is no room or no memory. */
void boot_record_brief(struct boot_record *record, char *ret, size_t size);

/* Reads untrusted bytes that were handed over into a record of this boot: its last run
 * found the image and restored it. mine is the record that it replaces: its boot id and
 * its log, which are those of the kernel that was restored, go into *ret. As
 * boot_record_parse; -EBADMSG also if it contains no run. */
int boot_record_take_over(const char *text, struct boot_record *mine, struct boot_record *ret,
			  struct why *w);

#endif
