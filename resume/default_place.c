/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "default_place.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "kernel/kernel_cmdline.h"
#include "swap/device_stack.h"
#include "target.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FILE_NAME "/conf/conf.d/s2disk"

static bool lookup(blkid_probe probe, const char *name, const char *tag, char *ret, size_t size)
{
	const char *value;

	return blkid_probe_lookup_value(probe, name, &value, NULL) == 0 && value[0] &&
	       snprintf(ret, size, "%s=%s", tag, value) < (int)size;
}

/* By what the device itself holds. Several devices of one btrfs share their UUID. */
static bool find_tag(const char *device, char *ret, size_t size)
{
	blkid_probe probe = blkid_new_probe_from_filename(device);
	char sub[64];
	bool found = false;

	if (!probe)
		return false;
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_UUID | BLKID_SUBLKS_TYPE);
	blkid_probe_enable_partitions(probe, 1);
	blkid_probe_set_partitions_flags(probe, BLKID_PARTS_ENTRY_DETAILS);
	if (blkid_do_safeprobe(probe) == 0)
		found = (!lookup(probe, "UUID_SUB", "", sub, sizeof(sub)) &&
			 lookup(probe, "UUID", "UUID", ret, size)) ||
			lookup(probe, "PART_ENTRY_UUID", "PARTUUID", ret, size);
	blkid_free_probe(probe);
	return found;
}

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
	if (r < 0)
		return r;
	if (!find_tag(area.device, name, sizeof(name))) {
		if (!stack->layers[0].mapper[0])
			return why(w, -EOPNOTSUPP, "%s has no name that lasts", area.device);
		snprintf(name, sizeof(name), "/dev/mapper/%s", stack->layers[0].mapper);
	}
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
