/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The input of the verdict from an image's sections: its machine and its pages. */
#ifndef S2DISK_IMAGE_IMAGE_MACHINE_H
#define S2DISK_IMAGE_IMAGE_MACHINE_H

#include "base/why.h"
#include "format/sections.h"
#include "verdict/finding.h"

#include <stdbool.h>

struct image_machine {
	bool described;		    /* the image has a platform section */
	struct platform platform;   /* the machine that hibernated */
	struct frame_list pages;    /* the image's page frames */
	struct verdict_image image; /* points into pages and into the sections */
};

/* -EBADMSG with the reason, -ENOMEM. The sections must outlive it. */
int image_machine_open(const struct sections *sections, struct image_machine *ret, struct why *w);

/* Harmless on a zeroed struct. */
void image_machine_close(struct image_machine *machine);

#endif
