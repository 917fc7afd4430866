/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decides about an image on this machine, before a block of it is read: the verdict, the policy,
 * the corrected header page, and whether memory suffices.
 */
#ifndef S2DISK_DECIDE_H
#define S2DISK_DECIDE_H

#include "base/why.h"
#include "format/handover.h"
#include "history/maps/boot_memory.h"
#include "image/image_reader.h"
#include "kernel/kept_memory.h"
#include "verdict/finding.h"
#include "config/settings.h"

#include <stdbool.h>

struct decision {
	struct verdict verdict;
	bool fatal;		   /* no policy accepts it */
	bool hopeless;		   /* another boot would not help */
	bool platform_mode;	   /* the firmware's S4 was used to power off */
	unsigned char *first_page; /* corrected header page; NULL: as it was */
	struct boot_memory boot;   /* this boot's, as the history sees it; no map: not known */
	bool map_refused;	   /* what firmware or boot loader did with memory is a reason */
	bool memory_missing;	   /* a reason is one that no reboot changes: added memory */
	bool other_machine;	   /* one is the machine, its processor, firmware or hypervisor */
	bool user_can_mend;	   /* one is what its user can connect again, or accept */
	struct met_odds odds;	   /* that it fits, by the maps of the boots known to the image */
	bool odds_at_least;	   /* it may fit at more of them: its page frames are coarse */
};

/* If only memory is missing, memory that the command line reserves is released first, and
 * recorded in kept, to be reserved again if the image is not restored.
 *
 * 0: the image may be loaded, with first_page; what was found and corrected has been logged and put
 * into the hand-over. -EPERM: this boot cannot resume the image (w has the worst finding, all are
 * logged). Other errors: it could not be decided. Call decision_free() in any case. */
int decide_image(struct image_reader *reader, const struct settings *settings,
		 struct handover *handover, struct kept_memory *kept, struct decision *ret,
		 struct why *w);

void decision_free(struct decision *decision);

#endif
