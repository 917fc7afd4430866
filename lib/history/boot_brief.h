/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A boot record that is to fit into little room: what a resume hands over of its boot to
 * the system that it restores, whose /run is the old one. Pure.
 */
#ifndef S2DISK_HISTORY_BOOT_BRIEF_H
#define S2DISK_HISTORY_BOOT_BRIEF_H

#include "history/boot_record.h"

/* Writes the record as boot_record_encode does, ended by a zero byte: without the log,
 * and where that is too long, without the map, then with the last run only and with the
 * command line cut, then without the digests of keys. A line "left-out WORD…" says what is not
 * there. Changes the record accordingly. "" where there is no room, or no memory. */
void boot_record_brief(struct boot_record *record, char *ret, size_t size);

/* Reads what was handed over, which may be anybody's, into a record of this boot: its
 * last run found the image and restored it. mine is the record that it takes the place
 * of: its boot id and its log, which are those of the kernel that was restored, go into
 * *ret. As boot_record_parse; -EBADMSG too where no run is in it. */
int boot_record_take_over(const char *text, struct boot_record *mine, struct boot_record *ret,
			  struct why *w);

#endif
