/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine_record.h"

#include "kernel/boot_log.h"

#include <stdlib.h>

int machine_record_capture(struct machine_record *record, struct why *w)
{
	char *log = NULL;
	int r;

	*record = (struct machine_record){ 0 };
	/* Without a log less is known, and the verdict says so. */
	if (boot_log_read("", &log) < 0)
		log = NULL;
	r = platform_capture("", log, &record->platform, w);
	free(log);
	if (r == 0)
		r = mounted_open("", &record->mounted, &record->platform.filesystems);
	return r;
}

static int make_section(void *context, const unsigned char *kernel_header, size_t page_size,
			const void **ret, size_t *ret_size)
{
	struct machine_record *record = context;
	int r = platform_calibrate(&record->platform, kernel_header, page_size);

	if (r < 0)
		return r;
	mounted_stamp(&record->mounted, &record->platform.filesystems);
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
	platform_free(&record->platform);
	free(record->encoded);
	record->encoded = NULL;
}
