/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform_section.h"

#include "history/boot_record_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int platform_section_capture(struct platform_section *section, const char *root, struct why *w)
{
	char *log = NULL;
	int r;

	*section = (struct platform_section){ 0 };
	/* Without the log less is known; the verdict reports that. */
	if (boot_record_log(root, &log) < 0)
		log = NULL;
	r = platform_capture(root, log, &section->platform, w);
	free(log);
	return r;
}

int platform_section_open_mounts(struct platform_section *section, struct why *w)
{
	int r = devices_note_use("", &section->platform.devices);

	if (r == 0)
		r = mounted_open("", &section->mounted, &section->platform.filesystems);
	return r < 0 ? why(w, r, "cannot inspect the mounted file systems: %s", strerror(-r)) : 0;
}

int platform_section_open_swaps(struct platform_section *section, const struct swap_area *own,
				struct why *w)
{
	int r = other_swaps_open("", own, &section->others, &section->platform.swaps);

	return r < 0 ? why(w, r, "cannot inspect the swap areas: %s", strerror(-r)) : 0;
}

void platform_section_stamp(struct platform_section *section)
{
	mounted_settle(&section->mounted);
	mounted_stamp(&section->mounted, &section->platform.filesystems);
	section->platform.hibernation.last_gate = 1;
}

bool platform_section_has_stamps(struct platform_section *section)
{
	struct filesystem now;

	for (size_t i = 0; i < section->mounted.count; i++)
		if (mounted_look_again(&section->mounted, i, &now) == MOUNTED_CHANGED)
			return false;
	return true;
}

static int make_section(void *context, const unsigned char *kernel_header, size_t page_size,
			const void **ret, size_t *ret_size)
{
	struct platform_section *section = context;
	int r = platform_calibrate(&section->platform, kernel_header, page_size);

	if (r < 0)
		return r;
	if (!platform_section_has_stamps(section))
		return -ESTALE;
	other_swaps_count(&section->others, &section->platform.swaps);
	free(section->encoded);
	section->encoded = NULL;
	r = platform_encode(&section->platform, &section->encoded, ret_size);
	if (r == 0)
		*ret = section->encoded;
	return r;
}

struct platform_maker platform_section_maker(struct platform_section *section)
{
	return (struct platform_maker){ .make = make_section, .context = section };
}

void platform_section_free(struct platform_section *section)
{
	mounted_close(&section->mounted);
	other_swaps_close(&section->others);
	platform_free(&section->platform);
	memory_map_free(&section->restored);
	free(section->encoded);
	section->encoded = NULL;
}
