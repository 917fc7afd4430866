/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The swap area: opening its device, reading its first page, and what that says. */
#ifndef S2DISK_AREA_H
#define S2DISK_AREA_H

#include "base/why.h"
#include "history/boot_record.h"
#include "image/signature_find.h"
#include "swap/swap_area.h"

#include <stdbool.h>

/* A boot that goes on with a live image is the worst that can happen here, so
 * what may have failed for this once (a disk that is not quite awake, memory) is
 * tried again. After a try that failed: waits, and tells whether there is another.
 * *tries begins at 0. */
bool once_more(int *tries);

/* Opens the area (flags: O_RDONLY to look, O_RDWR to change it), and reads its first
 * page. area_close afterwards. */
int area_open(const struct swap_area *area, int flags, int *ret_device, struct signature_page *ret,
	      struct why *w);
void area_close(int device, struct signature_page *signature);

/* What the first page says is there. */
enum boot_found area_found(const struct signature_page *signature);

/* Is there an image, ours or the kernel's own? name: of the area, for the log. */
bool area_holds_image(const struct signature_page *signature, const char *name);

#endif
