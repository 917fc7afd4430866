/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who in this boot was against restoring an image, and what helps. */
#ifndef S2DISK_VETO_H
#define S2DISK_VETO_H

#include "base/why.h"
#include "kernel/veto_log.h"

struct veto_watch {
	int log; /* the kernel's, behind what it had said before; -1: cannot be read */
	struct veto_log veto;
	char module[64]; /* of the driver; "": it has none, or is not known */
};

/* Call it before the kernel is asked for anything. */
void veto_watch_begin(struct veto_watch *watch, const char *root);
void veto_watch_end(struct veto_watch *watch);

/* Reads what the kernel said since, and adds to w, which tells what failed with
 * this error, who it was. */
void veto_explain(struct veto_watch *watch, const char *root, int error, struct why *w);

/* Logs what can be done about it. */
void veto_advise(const struct veto_watch *watch);

#endif
