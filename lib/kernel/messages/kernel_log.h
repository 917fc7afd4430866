/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's messages (/dev/kmsg, Documentation/ABI/testing/dev-kmsg). */
#ifndef S2DISK_KERNEL_KERNEL_LOG_H
#define S2DISK_KERNEL_KERNEL_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* Opens root/dev/kmsg for reading, at the oldest message that is still there, or with
 * from_now after the last. Never blocks. Returns the fd or a negative errno. */
int kernel_log_open(const char *root, bool from_now);

/* The next message into text (size bytes, cut to fit, without its newline) and its level
 * (0 to 7). 1; 0: no more; or a negative errno. Messages that were overwritten before
 * they could be read are skipped. */
int kernel_log_next(int fd, char *text, size_t size, unsigned int *ret_level);

/* A message with the device that it is about. */
struct kernel_message {
	unsigned int level; /* 0 to 7 */
	char text[512];	    /* cut to fit */
	/* Of the record's dictionary: "pci" and "+pci:0000:00:1f.3" (or b8:0, c4:64, n2);
	 * "": not about a device. */
	char subsystem[32], device[128];
};

/* As kernel_log_next. */
int kernel_log_next_message(int fd, struct kernel_message *ret);

/* All messages, one a line, at most limit bytes. The caller frees *ret. */
int kernel_log_read(const char *root, size_t limit, char **ret);

#endif
