/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/target.h"

#include "base/bytes.h"
#include "base/text.h"
#include "kernel/kernel_cmdline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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
		return why(w, -ENOTUNIQ,
			   "%u swap areas are active; name one with \"resume device\" in "
			   "/etc/suspend.conf, with -r, or with resume= on the kernel command line",
			   suitable);
	text_copy(ret, size, only->path);
	return 0;
}

int target_named(const struct settings *settings, const struct kernel_cmdline *cmdline,
		 bool running, char *ret, size_t size, uint64_t *ret_offset, const char **ret_by,
		 struct why *w)
{
	const char *device = settings->resume_device;

	*ret_by = NULL;
	*ret_offset = settings->resume_offset_set ? settings->resume_offset : 0;
	if (!device[0]) {
		if (cmdline->resume[0]) {
			device = cmdline->resume;
			*ret_by = "resume= on the kernel command line";
		} else if (!running) {
			device = settings->default_device;
		}
		if (!device[0])
			return -ENOENT;
		if (device == settings->default_device && settings->default_by_firmware) {
			/* Device and offset belong together there, and an offset that is left
			 * without its device belongs to neither. */
			*ret_offset = settings->default_offset;
		} else if (!settings->resume_offset_set) {
			if (cmdline->bad_offset[0])
				return why(w, -EINVAL,
					   "resume_offset=%s on the kernel command line is not a "
					   "number",
					   cmdline->bad_offset);
			*ret_offset = cmdline->resume_offset;
			if (device == settings->default_device && !*ret_offset)
				*ret_offset = settings->default_offset;
		}
	}
	text_copy(ret, size, device);
	return 0;
}

/* With this boot's command line; an unreadable one counts as empty. */
static int named(const struct settings *settings, const char *root, bool running, char *ret,
		 size_t size, uint64_t *ret_offset, const char **ret_by, struct why *w)
{
	struct kernel_cmdline cmdline = { 0 };

	kernel_cmdline_read(root, &cmdline);
	return target_named(settings, &cmdline, running, ret, size, ret_offset, ret_by, w);
}

int target_find(const struct settings *settings, const char *root, bool running,
		struct swap_area *ret, struct why *w)
{
	char spec[sizeof(settings->resume_device)];
	const char *by;
	uint64_t offset;
	int r = named(settings, root, running, spec, sizeof(spec), &offset, &by, w);

	if (r == 0) {
		r = swap_area_resolve(spec, offset, running, ret, w);
		return r < 0 && by ? why_prefix(w, r, "%s", by) : r;
	}
	if (r != -ENOENT)
		return r;
	if (!running)
		return why(w, -ENOENT,
			   "no device is named: neither \"resume device\" in the configuration nor "
			   "resume= on the kernel command line");
	r = only_swap(root, spec, sizeof(spec), w);
	return r < 0 ? r : swap_area_resolve(spec, offset, true, ret, w);
}

/* UUID=, LABEL=, PARTUUID=, PARTLABEL= */
static bool is_tag(const char *spec)
{
	static const char *const tags[] = { "UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=" };

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		if (strncmp(spec, tags[i], strlen(tags[i])) == 0)
			return true;
	return false;
}

void target_awaited(const struct settings *settings, const char *root, char *ret, size_t size)
{
	char spec[sizeof(settings->resume_device)];
	unsigned int major, minor;
	struct why w = { 0 };
	const char *by;
	uint64_t offset;
	int end = 0;

	ret[0] = '\0';
	if (named(settings, root, false, spec, sizeof(spec), &offset, &by, &w) < 0)
		return;
	if (sscanf(spec, "%5u:%7u%n", &major, &minor, &end) == 2 && !spec[end])
		snprintf(ret, size, "/dev/block/%u:%u", major, minor);
	else if (is_tag(spec) || strncmp(spec, "/dev/", 5) == 0)
		text_copy(ret, size, spec);
}
