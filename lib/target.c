/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "target.h"

#include "base/text.h"
#include "kernel/kernel_cmdline.h"

#include <errno.h>
#include <stdio.h>

#define SWAPS_MAX 64

/* The only suitable line of /proc/swaps. */
static int only_swap(const char *root, char *ret, size_t size, struct why *w)
{
	struct swap_entry entries[SWAPS_MAX];
	const struct swap_entry *only = NULL;
	unsigned int suitable = 0;
	int count = swaps_read(root, entries, SWAPS_MAX);

	if (count < 0)
		return why(w, count, "/proc/swaps cannot be read");
	for (int i = 0; i < count && i < SWAPS_MAX; i++) {
		if (!swap_entry_suitable(&entries[i]))
			continue;
		only = &entries[i];
		suitable++;
	}
	if (suitable == 0)
		return why(w, -ENOENT, "no swap area that could hold an image is active");
	if (suitable > 1)
		return why(w, -ENOENT,
			   "%u swap areas are active; name one with \"resume device\" in "
			   "/etc/suspend.conf, with -r, or with resume= on the kernel command line",
			   suitable);
	text_copy(ret, size, only->path);
	return 0;
}

int target_find(const struct settings *settings, const char *root, bool running,
		struct swap_area *ret, struct why *w)
{
	char spec[sizeof(settings->resume_device)];
	uint64_t offset = settings->resume_offset_set ? settings->resume_offset : 0;
	struct kernel_cmdline cmdline;
	int r;

	if (settings->resume_device[0]) {
		text_copy(spec, sizeof(spec), settings->resume_device);
		return swap_area_resolve(spec, offset, running, ret, w);
	}
	r = kernel_cmdline_read(root, &cmdline);
	if (r == 0 && cmdline.resume[0]) {
		if (cmdline.bad_offset[0] && !settings->resume_offset_set)
			return why(w, -EINVAL,
				   "resume_offset=%s on the kernel command line is not a number",
				   cmdline.bad_offset);
		if (!settings->resume_offset_set)
			offset = cmdline.resume_offset;
		r = swap_area_resolve(cmdline.resume, offset, running, ret, w);
		return r < 0 ? why_prefix(w, r, "resume= on the kernel command line") : 0;
	}
	if (!running)
		return why(w, -ENOENT,
			   "no device is named: neither \"resume device\" in the configuration nor "
			   "resume= on the kernel command line");
	r = only_swap(root, spec, sizeof(spec), w);
	return r < 0 ? r : swap_area_resolve(spec, offset, true, ret, w);
}
