/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The input of the verdict from an image's sections: its platform and its pages. */
#ifndef S2DISK_IMAGE_VERDICT_INPUT_H
#define S2DISK_IMAGE_VERDICT_INPUT_H

#include "base/why.h"
#include "format/sections.h"
#include "verdict/finding.h"

#include <stdbool.h>

struct verdict_input {
	bool described;		    /* the image has a platform section */
	struct platform platform;   /* the machine that hibernated */
	struct frame_list pages;    /* the image's page frames */
	struct verdict_image image; /* points into pages and into the sections */
};

/* -EBADMSG with the reason, -ENOMEM. The sections must outlive it. */
int verdict_input_open(const struct sections *sections, struct verdict_input *ret, struct why *w);

/* Harmless on a zeroed struct. */
void verdict_input_close(struct verdict_input *input);

#endif
