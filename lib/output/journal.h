/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries with fields for systemd's journal, by its native protocol: a datagram of
 * "NAME=value" lines, or the same in a sealed memory file if it is too long for one. See
 * systemd's JOURNAL_NATIVE_PROTOCOL.
 */
#ifndef S2DISK_BASE_JOURNAL_H
#define S2DISK_BASE_JOURNAL_H

#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>

struct journal_entry {
	char *data;
	size_t length, size;
	bool failed; /* no memory; journal_send reports it */
};

/* Starts an entry with its level, the program's name and a message. */
void journal_begin(struct journal_entry *entry, const char *program, enum log_level level,
		   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Adds a field. Names consist of A-Z, 0-9 and _; values may be any text. */
void journal_field(struct journal_entry *entry, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Sends the entry and frees it in any case. Waits for a busy journal, but at most two
 * seconds. root is put before the socket's path. 0, -ENOENT or -ECONNREFUSED if there is
 * no journal, or another negative errno. */
int journal_send(struct journal_entry *entry, const char *root);

#endif
