/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine_record.h"

#include "history/boot_record_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int machine_record_capture(struct machine_record *record, const char *root, struct why *w)
{
	char *log = NULL;
	int r;

	*record = (struct machine_record){ 0 };
	/* Without the log less is known; the verdict reports that. */
	if (boot_record_log(root, &log) < 0)
		log = NULL;
	r = platform_capture(root, log, &record->platform, w);
	free(log);
	return r;
}

int machine_record_open_mounts(struct machine_record *record, struct why *w)
{
	int r = mounted_open("", &record->mounted, &record->platform.filesystems);

	return r < 0 ? why(w, r, "cannot inspect the mounted file systems: %s", strerror(-r)) : 0;
}

int machine_record_open_swaps(struct machine_record *record, const struct swap_area *own,
			      struct why *w)
{
	int r = other_swaps_open("", own, &record->others, &record->platform.swaps);

	return r < 0 ? why(w, r, "cannot inspect the swap areas: %s", strerror(-r)) : 0;
}

void machine_record_stamp(struct machine_record *record)
{
	mounted_settle(&record->mounted);
	mounted_stamp(&record->mounted, &record->platform.filesystems);
	record->platform.hibernation.last_gate = 1;
}

bool machine_record_has_stamps(struct machine_record *record)
{
	struct filesystem now;

	for (size_t i = 0; i < record->mounted.count; i++)
		if (mounted_look_again(&record->mounted, i, &now) == MOUNTED_CHANGED)
			return false;
	return true;
}

static int make_section(void *context, const unsigned char *kernel_header, size_t page_size,
			const void **ret, size_t *ret_size)
{
	struct machine_record *record = context;
	int r = platform_calibrate(&record->platform, kernel_header, page_size);

	if (r < 0)
		return r;
	if (!machine_record_has_stamps(record))
		return -ESTALE;
	other_swaps_count(&record->others, &record->platform.swaps);
	free(record->encoded);
	record->encoded = NULL;
	r = platform_encode(&record->platform, &record->encoded, ret_size);
	if (r == 0)
		*ret = record->encoded;
	return r;
}

struct platform_maker machine_record_maker(struct machine_record *record)
{
	return (struct platform_maker){ .make = make_section, .context = record };
}

void machine_record_free(struct machine_record *record)
{
	mounted_close(&record->mounted);
	other_swaps_close(&record->others);
	platform_free(&record->platform);
	free(record->encoded);
	record->encoded = NULL;
}
