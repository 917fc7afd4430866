/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The story of a resume, from the signature page to the restored system. */
#ifndef S2DISK_RESTORE_H
#define S2DISK_RESTORE_H

#include "base/why.h"
#include "history/boot_record.h"
#include "config/settings.h"
#include "swap/swap_area.h"

#include <stdbool.h>

/* Whoever stopped this program halfway would leave the image to a boot that goes
 * on: from here on no signal does, nor a console that goes away. restore() calls
 * it; what comes before that and may print is to call it too. */
void restore_ignore_signals(void);

/* Looks at the area and restores the image in it, where there is one. Returns
 * only when nothing was restored:
 *
 * 0: nothing to resume, or the image was set aside (it has been said which);
 * the boot may go on with the swap area usable. Or a plain image of the kernel's own is
 * there (FATE_STILL_THERE), which is kernel_place_tell()'s.
 * negative errno: the area cannot be made usable swap (w says why); an image
 * may still be there.
 *
 * unwanted: why an image is to be set aside without looking at it closer; NULL
 * for one that is wanted.
 * run: for the boot record; what was found, and what became of an image, is put
 * into it. */
int restore(const struct settings *settings, const struct swap_area *area, const char *unwanted,
	    struct boot_run *run, struct why *w);

#endif
