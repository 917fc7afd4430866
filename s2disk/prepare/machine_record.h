/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine as it hibernates, described for the image's platform section. */
#ifndef S2DISK_MACHINE_RECORD_H
#define S2DISK_MACHINE_RECORD_H

#include "base/why.h"
#include "image/image_writer.h"
#include "platform/filesystems/other_swaps.h"
#include "platform/filesystems/mounted.h"
#include "platform/platform.h"

#include <stdbool.h>

struct machine_record {
	struct platform platform;
	struct mounted mounted;
	struct other_swaps others; /* swap areas besides the image's */
	unsigned char *encoded;	   /* made while the image is written */
};

/* Captures the machine, or the one described below root; call it before the freeze. */
int machine_record_capture(struct machine_record *record, const char *root, struct why *w);

/* Opens what is mounted: right before the freeze, since more may be mounted while a passphrase
 * is being typed. 0 or -ENOMEM. */
int machine_record_open_mounts(struct machine_record *record, struct why *w);

/* Opens the swap areas other than the image's (NULL: there is none), at the same point. 0 or
 * -ENOMEM. */
int machine_record_open_swaps(struct machine_record *record, const struct swap_area *own,
			      struct why *w);

/* With user space frozen, before each snapshot: syncs the file systems and reads their stamps,
 * which are in the snapshot for last_gate_close(). */
void machine_record_stamp(struct machine_record *record);

/* After the snapshot: do the file systems still have the stamps in it? A kernel thread that was
 * not frozen yet may have written to one; the restored system would blame another system for
 * that. */
bool machine_record_has_stamps(struct machine_record *record);

/* Calibrates against the kernel's header page, checks that the file systems still have their
 * stamps, counts what was swapped out by then, and encodes the result. -ESTALE: a stamp changed,
 * another snapshot is needed. */
struct platform_maker machine_record_maker(struct machine_record *record);

/* A zeroed struct is fine. */
void machine_record_free(struct machine_record *record);

#endif
