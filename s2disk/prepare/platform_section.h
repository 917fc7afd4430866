/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine as it hibernates, described for the image's platform section. */
#ifndef S2DISK_PLATFORM_SECTION_H
#define S2DISK_PLATFORM_SECTION_H

#include "base/why.h"
#include "image/image_writer.h"
#include "platform/filesystems/other_swaps.h"
#include "platform/filesystems/mounted.h"
#include "platform/platform.h"

#include <stdbool.h>

struct platform_section {
	struct platform platform;
	struct mounted mounted;
	struct other_swaps others;  /* swap areas besides the image's */
	unsigned char *encoded;	    /* made while the image is written */
	struct memory_map restored; /* of the boot that restored this system; empty: not known */
};

/* Captures the machine, or the one described below root; call it before the freeze. */
int platform_section_capture(struct platform_section *section, const char *root, struct why *w);

/* Opens what is mounted, and notes which devices that and swap lie on: right before the freeze,
 * since more may be mounted while a passphrase is being typed. 0 or -ENOMEM. */
int platform_section_open_mounts(struct platform_section *section, struct why *w);

/* Opens the swap areas other than the image's (NULL: there is none), at the same point. 0 or
 * -ENOMEM. */
int platform_section_open_swaps(struct platform_section *section, const struct swap_area *own,
				struct why *w);

/* With user space frozen, before each snapshot: syncs the file systems and reads their stamps,
 * which are in the snapshot for last_gate_close(). */
void platform_section_stamp(struct platform_section *section);

/* After the snapshot: do the file systems still have the stamps in it? A kernel thread that was
 * not frozen yet may have written to one; the restored system would blame another system for
 * that. */
bool platform_section_has_stamps(struct platform_section *section);

/* Calibrates against the kernel's header page, checks that the file systems still have their
 * stamps, counts what was swapped out by then, and encodes the result. -ESTALE: a stamp changed,
 * another snapshot is needed. */
struct platform_maker platform_section_maker(struct platform_section *section);

/* A zeroed struct is fine. */
void platform_section_free(struct platform_section *section);

#endif
