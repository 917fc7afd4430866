/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drivers of the boot that restores an image which would keep the kernel from it: virtio-mem's,
 * Hyper-V's uio_hv_generic, and those of what "release devices" names, whose devices are unbound
 * before the load; and nvidia's where it preserves video memory, which is asked by its own file.
 * The restored system has its own drivers.
 */
#ifndef S2DISK_VETOERS_H
#define S2DISK_VETOERS_H

#include "config/settings.h"
#include "release/release_plan.h"

#include <stdbool.h>
#include <sys/types.h>

struct vetoers {
	struct release_config config;
	struct release_plan plan;
	bool nvidia; /* was asked to suspend */
	bool tried;  /* the journal of releases may have entries of the plan */
};

/* Unbinds, unloads or asks them, but for what is in use; keep: the block device with the image.
 * What fails is logged; the load will show whether it matters. Nothing is done the second time. 0,
 * or -EINPROGRESS, with a sentence in w: a step hangs in the kernel. Its process will not freeze,
 * so this boot cannot restore an image. */
int vetoers_take(struct vetoers *vetoers, const struct settings *settings, dev_t keep,
		 const char *root, struct why *w);

/* Gives all back, since this boot continues. Harmless on a zeroed struct. */
void vetoers_give(struct vetoers *vetoers, const char *root);

#endif
