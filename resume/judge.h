/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judging an image against this machine, before a block of it is read: the
 * verdict, the policy, the mended header page, and whether memory suffices.
 */
#ifndef S2DISK_JUDGE_H
#define S2DISK_JUDGE_H

#include "base/why.h"
#include "format/handover.h"
#include "image/image_reader.h"
#include "kernel/kept_memory.h"
#include "verdict/verdict.h"
#include "config/settings.h"

#include <stdbool.h>

struct judgement {
	struct verdict verdict;
	bool fatal;		   /* no policy allows it */
	bool hopeless;		   /* nor will another boot do better */
	bool platform_mode;	   /* the firmware's S4 was used to switch off */
	unsigned char *first_page; /* mended header page; NULL: as it was */
};

/* Where nothing but memory is missing, what the command line keeps of it is given
 * back first, and remembered in kept, to be taken back should the image not be
 * restored.
 *
 * 0: the image may be loaded, with first_page; what was found and mended has
 * been logged and put into the hand-over. -EPERM: this boot cannot take the
 * image (w has the worst finding, everything has been logged). Other errors:
 * it could not be judged. judgement_free in any case. */
int judge_image(struct image_reader *reader, const struct settings *settings,
		struct handover *handover, struct kept_memory *kept, struct judgement *ret,
		struct why *w);

void judgement_free(struct judgement *judgement);

#endif
