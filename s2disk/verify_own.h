/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading back what was just written. */
#ifndef S2DISK_VERIFY_OWN_H
#define S2DISK_VERIFY_OWN_H

#include "base/why.h"
#include "image/image_writer.h"

#include <stdbool.h>
#include <stdint.h>

/* Reads the whole image of that record from fd, a device or file of that size, and verifies it;
 * for a sealed one with the writer's key. 0 or a negative errno with the reason in w. */
int verify_own(const struct image_writer *writer, const struct signature_record *record, int fd,
	       uint64_t device_bytes, bool sealed, struct why *w);

#endif
