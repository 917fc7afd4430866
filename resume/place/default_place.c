/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resume/place/default_place.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "kernel/kernel_cmdline.h"
#include "swap/area_name.h"
#include "swap/device_stack.h"
#include "config/target.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FILE_NAME "/conf/conf.d/s2disk"

int default_place_print(const struct settings *settings, const char *root, char *ret, size_t size,
			struct why *w)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	struct kernel_cmdline cmdline = { 0 };
	char name[sizeof(settings->default_device)];
	struct swap_area area;
	int r;

	kernel_cmdline_read(root, &cmdline);
	if (settings->resume_device[0] || cmdline.resume[0])
		return why(w, -ENOENT, "a device is named already");
	r = stack ? target_find(settings, root, true, &area, w) : -ENOMEM;
	if (r == 0)
		r = device_stack_read(root, area.dev, stack, w);
	if (r == 0)
		r = device_stack_check(root, stack, w);
	if (r == 0)
		r = area_name(root, area.dev, area.device, name, sizeof(name), w);
	if (r < 0)
		return r;
	if (strcmp(name, area.device) == 0)
		return why(w, -EOPNOTSUPP, "%s has no persistent name", area.device);
	if (area.offset)
		r = snprintf(ret, size, "RESUME=%s\nRESUME_OFFSET=%" PRIu64 "\n", name,
			     area.offset);
	else
		r = snprintf(ret, size, "RESUME=%s\n", name);
	return r < 0 || (size_t)r >= size ? why(w, -ENAMETOOLONG, "its name is too long") : 0;
}

void default_place_read(const char *root, struct settings *settings)
{
	char text[600], *rest = text, *line, *device = NULL;
	uint64_t offset = 0;

	if (io_read_text(root, FILE_NAME, text, sizeof(text)) < 0)
		return;
	while ((line = strsep(&rest, "\n"))) {
		if (text_starts(line, "RESUME="))
			device = line + strlen("RESUME=");
		else if (text_starts(line, "RESUME_OFFSET=") &&
			 text_parse_u64(line + strlen("RESUME_OFFSET="), &offset) < 0)
			return;
	}
	if (!device || !device[0] || strlen(device) >= sizeof(settings->default_device))
		return;
	text_copy(settings->default_device, sizeof(settings->default_device), device);
	settings->default_offset = offset;
}
