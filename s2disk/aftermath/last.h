/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The result of the last hibernation: logged to the journal with fields, kept in /var/lib/s2disk,
 * printed by "s2disk --last".
 */
#ifndef S2DISK_LAST_H
#define S2DISK_LAST_H

#include "base/why.h"
#include "format/handover.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum last_result {
	LAST_RESUMED, /* the session is back */
	LAST_WOKE,    /* it was suspended to RAM; the image was invalidated */
	LAST_TESTED,  /* "debug test file" */
	LAST_FAILED,  /* the system ran on unchanged */
	LAST_REFUSED, /* a check refused */
};

struct last {
	enum last_result result;
	uint64_t begun, ended; /* seconds since 1970 */
	char area[256];	       /* "" where none was found */
	char method[16];
	char reason[1024]; /* failed, refused; or what is wrong after a resume */
	char alarm[400];   /* resumed: what must be done now; "" mostly */
	char image_id[2 * IMAGE_ID_SIZE + 1];
	uint64_t image_bytes, stored_bytes;
	uint64_t write_usec, load_usec;
	uint64_t attempts; /* to load it */
	/* Page frames that the firmware claims since this boot: offlined, or not released by the
	 * kernel. */
	uint64_t quarantined_pages, unquarantined_pages;
	char shut_down[1024];	 /* lines: file systems and swap that another system changed */
	uint64_t left_out_pages; /* offlined page frames that are not in the image */
	char left_out[256];	 /* their addresses, as many as fit */
	char verdict[16];	 /* resumed: the class of the worst difference */
	char findings[HANDOVER_TEXT_MAX + 1]; /* lines: what resume found and corrected */
};

/* An attempt begins. */
void last_begin(struct last *last, const char *area, const char *method);

/* After a resume: takes what was handed over, before it is logged. */
void last_take_handover(struct last *last, const struct handover *handover, uint64_t quarantined);

void last_end(struct last *last, enum last_result result, const char *reason);

/* Adds a line about what was cut off or shut down. */
void last_add_shut_down(struct last *last, const char *line);

/* An entry in the journal below root. 0, or -ENOENT and the like where there is
 * none. */
int last_log_journal(const struct last *last, const char *root);

/* root/var/lib/s2disk/last. */
int last_save(const struct last *last, const char *root, struct why *w);
/* -ENOENT: there is none; -EBADMSG: it is damaged. */
int last_load(struct last *ret, const char *root, struct why *w);

/* Prints it, and the image that resume discarded at this boot. 0 or -EIO. */
int last_print(const char *root, bool json, FILE *out, struct why *w);

#endif
