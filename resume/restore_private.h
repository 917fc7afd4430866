/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files that implement restore.h. */
#ifndef S2DISK_RESTORE_PRIVATE_H
#define S2DISK_RESTORE_PRIVATE_H

#include "decide.h"
#include "veto.h"
#include "vetoers.h"
#include "crypto/crypto.h"
#include "base/memory.h"
#include "base/why.h"
#include "format/handover.h"
#include "image/image_commit.h"
#include "history/maps/boots_seen.h"
#include "image/image_reader.h"
#include "kernel/kept_memory.h"
#include "kernel/pci_decoding.h"
#include "config/settings.h"
#include "swap/swap_area.h"
#include "ui/progress.h"

#include <stdbool.h>
#include <stdint.h>

struct restore {
	const struct settings *settings;
	const struct swap_area *area;
	struct boot_run *run; /* for the boot record */
	int device;	      /* the area's block device, O_DIRECT */
	int snapshot;	      /* /dev/snapshot, -1 while it is closed */
	bool frozen;
	bool attempted; /* a load was begun, and counted */
	bool vetoed;	/* the failure is due to this boot, not to the image */
	struct signature_page signature;
	struct signature_record record;
	bool decoded; /* the record is decoded, and can be written again */
	struct image_reader *reader;
	struct sealed_header header; /* wiped */
	struct handover handover;
	struct arena handover_page;
	struct digest crc;	/* for it */
	struct boots_seen seen; /* boots that found the image, as far as they are known */
	struct boots_seen left; /* of these, the boots before this one */
	bool seen_read;		/* from the hand-over page */
	bool place_ours;	/* that page is still the image's */
	uint64_t place_unread;	/* where it is, of an image without a reader; 0: not known */
	bool seen_added;	/* this boot is among them */
	struct decision decision;
	struct kept_memory kept; /* released for the image */
	struct pci_decoding disabled;
	struct vetoers vetoers;
	struct progress progress;
	struct veto_watch veto;
	uint64_t head_left;  /* bytes of the snapshot that the kernel may refuse */
	const char *refused; /* the reason, during a refusal */
};

/* load.c: gives the judged image to the kernel, consumes it, and has it restored. Returns only
 * after a failure, when the kernel has released everything; if the image was consumed, keeping
 * it makes it valid again. */
int load_and_restore(struct restore *restore, struct why *w);

/* seen.c: what boots saw of the machine's memory (history/maps/boots_seen.h), in the hand-over page
 * of an image that is kept until a boot restores it. Optional: a failure is only logged. */

/* Fills the hand-over: earlier boots, and this one, which restores the image. Before
 * the boot record, which gets the room that is left. */
void seen_hand_over(struct restore *restore);

/* Writes the page, for the next boot: this one has refused the image, and it is kept. Never while
 * the area is swap, nor if something else is there: what is left of a swap file that was deleted
 * still has an image, while the page may belong to another file. */
void seen_leave(struct restore *restore);

/* The image was discarded: leaves what earlier boots saw for the system that boots now
 * (history/maps/boots_left.h), which counts this boot by itself. */
void seen_discard(struct restore *restore);

#endif
