/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A resume, from the signature page to the restored system. */
#ifndef S2DISK_RESTORE_H
#define S2DISK_RESTORE_H

#include "base/why.h"
#include "history/boot_record.h"
#include "config/settings.h"
#include "swap/swap_area.h"

#include <stdbool.h>

/* Ignores the signals that would end this program halfway, also after a console vanished: the
 * boot would continue with a live image. restore() calls it; code that prints before that calls
 * it, too. */
void restore_ignore_signals(void);

/* Looks at the area and restores the image in it, where there is one. Returns only when nothing
 * was restored:
 *
 * 0: nothing to resume, or the image was discarded (which was logged); the boot may continue
 * with the swap area usable. Or a plain image of the kernel's own is there (FATE_STILL_THERE),
 * for kernel_place_tell(). negative errno: the area cannot be made usable swap (the reason is in
 * w); an image may still be there.
 *
 * unwanted: why an image is to be discarded without examining it; NULL to restore it. run: for
 * the boot record; gets what was found, and what became of an image. */
int restore(const struct settings *settings, const struct swap_area *area, const char *unwanted,
	    struct boot_run *run, struct why *w);

#endif
