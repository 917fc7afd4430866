/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel_watch.h"

#include "base/log.h"
#include "kernel/messages/kernel_log.h"

#include <unistd.h>

void kernel_watch_open(struct kernel_watch *watch, const char *root)
{
	*watch = (struct kernel_watch){ .fd = kernel_log_open(root, true) };
}

void kernel_watch_close(struct kernel_watch *watch)
{
	if (watch->fd >= 0)
		close(watch->fd);
	watch->fd = -1;
}

void kernel_watch_take(struct kernel_watch *watch, const char *text, unsigned int level)
{
	const char *what = NULL;

	freeze_log_add(&watch->freeze, text);
	switch (kernel_trace_look(&watch->traces, text, level, &what)) {
	case KERNEL_LINE_SHOW:
		if (level <= LOG_LEVEL_WARNING)
			log_warning("kernel: %s", text);
		break;
	case KERNEL_LINE_HIDE:
		break;
	case KERNEL_LINE_AGAIN:
		log_warning("kernel, again: %s", text);
		break;
	case KERNEL_LINE_HARMLESS:
		log_info("%s", what);
		break;
	}
}

void kernel_watch_read(struct kernel_watch *watch)
{
	unsigned int level;
	char text[512];

	if (watch->fd < 0)
		return;
	while (kernel_log_next(watch->fd, text, sizeof(text), &level) > 0)
		kernel_watch_take(watch, text, level);
}
