/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's messages while this program hibernates: the console is quiet, so its warnings would
 * be lost; and it names the tasks that did not freeze.
 */
#ifndef S2DISK_KERNEL_WATCH_H
#define S2DISK_KERNEL_WATCH_H

#include "kernel/messages/freeze_log.h"
#include "kernel/messages/kernel_trace.h"

struct kernel_watch {
	int fd; /* -1: its messages cannot be read */
	struct kernel_traces traces;
	struct freeze_log freeze;
};

/* From the next message on. */
void kernel_watch_open(struct kernel_watch *watch, const char *root);
void kernel_watch_close(struct kernel_watch *watch);

/* Reads new messages, and logs the warnings among them. */
void kernel_watch_read(struct kernel_watch *watch);

/* One message of this level. */
void kernel_watch_take(struct kernel_watch *watch, const char *text, unsigned int level);

#endif
