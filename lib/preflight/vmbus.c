/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hyper-V: does the kernel still hibernate, after a resume that missed a device? */
#include "preflight/preflight_private.h"

#include "base/cleanup.h"
#include "base/tree.h"
#include "kernel/messages/kernel_log.h"

#include <string.h>

#define RECORDS_MAX 100000 /* more than a log has */

/* vmbus_bus_resume() says so; the channel is counted from then on, and vmbus_bus_suspend() returns
 * EBUSY (nr_chan_fixup_on_resume in drivers/hv/vmbus_drv.c). Later kernels, which do not count,
 * do not say it either. */
static bool missed_a_device(const char *root)
{
	_cleanup_close_ int log = kernel_log_open(root, false);
	unsigned int level;
	char text[512];

	for (int i = 0; log >= 0 && i < RECORDS_MAX; i++) {
		if (kernel_log_next(log, text, sizeof(text), &level) <= 0)
			return false;
		if (strstr(text, "vmbus device is missing after suspending"))
			return true;
	}
	return false;
}

void check_vmbus(struct preflight_context *context)
{
	if (!tree_exists(context->root, "/sys/bus/vmbus") || !missed_a_device(context->root))
		return;
	preflight_advise(preflight_add(context, "vmbus-missing", CHECK_FAILED,
				       "a VMBus device was missing after the last resume: the "
				       "kernel answers EBUSY to each hibernation until a reboot"),
			 "reboot");
}
