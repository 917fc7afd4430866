/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What in this boot kept an image from being restored, and what to do about it. */
#ifndef S2DISK_VETO_H
#define S2DISK_VETO_H

#include "base/why.h"
#include "kernel/messages/veto_log.h"

struct veto_watch {
	int log; /* the kernel's, from its next message on; -1: cannot be read */
	struct veto_log veto;
	char module[64]; /* of the driver; "": none, or unknown */
};

/* Call it before the first request to the kernel. */
void veto_watch_begin(struct veto_watch *watch, const char *root);
void veto_watch_end(struct veto_watch *watch);

/* Reads the kernel's messages since then, and appends the cause to w, which says what failed
 * with this error. */
void veto_explain(struct veto_watch *watch, const char *root, int error, struct why *w);

/* Logs what can be done about it. */
void veto_advise(const struct veto_watch *watch);

#endif
