/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine as it hibernates, described for the image's platform section. */
#ifndef S2DISK_MACHINE_RECORD_H
#define S2DISK_MACHINE_RECORD_H

#include "base/why.h"
#include "image/image_writer.h"
#include "platform/platform.h"

#include <stdbool.h>

struct machine_record {
	struct platform platform;
	struct mounted mounted;
	unsigned char *encoded; /* made while the image is written */
};

/* Looks at the machine; before the freeze. */
int machine_record_capture(struct machine_record *record, struct why *w);

/* Calibrates against the kernel's header page, reads the stamps of the mounted
 * file systems, and encodes, when asked. */
struct platform_maker machine_record_maker(struct machine_record *record);

/* Harmless on a zeroed struct. */
void machine_record_free(struct machine_record *record);

#endif
