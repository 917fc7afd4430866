/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of boot_record.h, read: what is no word is the "unknown" of its kind. */
#ifndef S2DISK_HISTORY_BOOT_WORDS_H
#define S2DISK_HISTORY_BOOT_WORDS_H

#include "history/boot_record.h"

/* Of a line of the map or of the log. */
#define BOOT_LINE_SIZE 1024

enum boot_named boot_named_parse(const char *word);
enum boot_found boot_found_parse(const char *word);
enum boot_fate boot_fate_parse(const char *word);

#endif
