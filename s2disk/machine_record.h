/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine as it hibernates, described for the image's platform section. */
#ifndef S2DISK_MACHINE_RECORD_H
#define S2DISK_MACHINE_RECORD_H

#include "base/why.h"
#include "image/image_writer.h"
#include "platform/other_swaps.h"
#include "platform/mounted.h"
#include "platform/platform.h"

#include <stdbool.h>

struct machine_record {
	struct platform platform;
	struct mounted mounted;
	struct other_swaps others; /* swap areas besides the image's */
	unsigned char *encoded;	   /* made while the image is written */
};

/* Looks at the machine, or what is described below root; before the freeze. */
int machine_record_capture(struct machine_record *record, const char *root, struct why *w);

/* Opens what is mounted: right before the freeze, since more may be mounted while somebody
 * types a passphrase. 0 or -ENOMEM. */
int machine_record_open_mounts(struct machine_record *record, struct why *w);

/* Opens the swap areas besides the image's (NULL: it goes to none), at the same time.
 * 0 or -ENOMEM. */
int machine_record_open_swaps(struct machine_record *record, const struct swap_area *own,
			      struct why *w);

/* With user space frozen, before each snapshot: has the file systems write what is only
 * in memory, and reads their stamps. They are in the snapshot, for last_gate_close(). */
void machine_record_stamp(struct machine_record *record);

/* After the snapshot: do the file systems still have the stamps in it? A thread of the
 * kernel that was not frozen yet may have written to one; the restored system would take
 * that for another's writing. */
bool machine_record_has_stamps(struct machine_record *record);

/* Calibrates against the kernel's header page, looks whether the file systems still have
 * their stamps, counts what was swapped out by then, and encodes, when asked. -ESTALE: they
 * do not, so another snapshot is needed. */
struct platform_maker machine_record_maker(struct machine_record *record);

/* Harmless on a zeroed struct. */
void machine_record_free(struct machine_record *record);

#endif
