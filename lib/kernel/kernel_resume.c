/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/kernel_resume.h"

#include "base/io.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/sysmacros.h>

int kernel_resume_name(const char *root, dev_t dev, uint64_t offset)
{
	char text[48];
	int r;

	/* The offset first, since the device number makes the kernel look. */
	snprintf(text, sizeof(text), "%" PRIu64 "\n", offset);
	r = io_write_text(root, "/sys/power/resume_offset", text);
	/* Before Linux 4.17 there was no such file; the offset was 0. */
	if (r < 0 && (r != -ENOENT || offset != 0))
		return r;
	snprintf(text, sizeof(text), "%u:%u\n", major(dev), minor(dev));
	return io_write_text(root, "/sys/power/resume", text);
}
