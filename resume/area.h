/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The swap area: opens its device, reads its first page, and identifies its content. */
#ifndef S2DISK_AREA_H
#define S2DISK_AREA_H

#include "base/why.h"
#include "history/boot_record.h"
#include "image/signature_find.h"
#include "swap/swap_area.h"

#include <stdbool.h>

/* A boot that continues with a live image is the worst outcome, so what may fail temporarily (a
 * slow disk, memory) is retried. After a failed try: waits, and returns whether to try again.
 * *tries begins at 0. */
bool once_more(int *tries);

/* Opens the area (flags: O_RDONLY to look, O_RDWR to change it), and reads its first
 * page. area_close afterwards. */
int area_open(const struct swap_area *area, int flags, int *ret_device, struct signature_page *ret,
	      struct why *w);
void area_close(int device, struct signature_page *signature);

/* What is there, according to the first page. */
enum boot_found area_found(const struct signature_page *signature);

/* Is there an image, ours or the kernel's own? name: of the area, for the log. */
bool area_holds_image(const struct signature_page *signature, const char *name);

#endif
