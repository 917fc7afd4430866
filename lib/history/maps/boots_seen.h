/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What boots that found an image saw of the machine's memory, as bytes for the image's hand-over
 * page: those that refused it and kept it, whose /run is lost, and the one that restores it. Pure.
 * The restored system counts them (map_history.h). doc/image-format.md, "Boots".
 *
 * Maps of one machine differ in a few entries. So the boots are written one after the other, each
 * entry relative to the one before, and compressed together: a map of 100 entries takes some 300
 * bytes, each further boot 15 to 60.
 */
#ifndef S2DISK_HISTORY_BOOTS_SEEN_H
#define S2DISK_HISTORY_BOOTS_SEEN_H

#include "base/why.h"
#include "history/maps/boot_memory.h"
#include "history/maps/map_history.h"
#include "platform/list.h"

#include <stddef.h>
#include <stdint.h>

/* Different ones; of more the oldest are dropped. */
#define BOOTS_SEEN_MAX 24

/* In all, and so of one kind, too; more are not counted. An image is kept for at most 20 boots
 * where no setting decides otherwise. But who can write to the disk can make the bytes: these
 * must not outweigh what a machine has learned in a year. */
#define BOOTS_SEEN_TIMES_MAX 32

struct boot_seen {
	struct boot_memory memory;
	enum boot_outcome outcome;
	uint32_t boots; /* as this one; the time is that of the last */
};

struct boots_seen {
	LIST_OF(struct boot_seen) items; /* the last seen last; known is unused */
};

/* Harmless on a zeroed struct, and leaves one. */
void boots_seen_free(struct boots_seen *seen);

/* Adds a copy of a boot, or counts it where an equal one is there. A boot without a map is not
 * added. 0 or -ENOMEM; then nothing has changed. */
int boots_seen_add(struct boots_seen *seen, const struct boot_memory *boot,
		   enum boot_outcome outcome);

/* An image that is still there was restored by none of them: they have refused it. */
void boots_seen_refuse_all(struct boots_seen *seen);

/* Writes the last ones, as many as fit into size bytes. *ret_length is 0 if none does. 0 or
 * -ENOMEM. */
int boots_seen_encode(const struct boots_seen *seen, unsigned char *ret, size_t size,
		      size_t *ret_length);

/* The reverse, for untrusted bytes; length 0: none. The caller frees *ret with boots_seen_free.
 * -EBADMSG: damaged; -ENOTSUP: a newer form; -ENOMEM. */
int boots_seen_decode(const unsigned char *bytes, size_t length, struct boots_seen *ret,
		      struct why *w);

/* Counts the last BOOTS_SEEN_TIMES_MAX of them, the oldest first: the last is the present boot. 0
 * or -ENOMEM; then the history is usable, with or without some of them. */
int boots_seen_count(const struct boots_seen *seen, struct map_history *history);

#endif
