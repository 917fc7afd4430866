/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "aftermath.h"

#include "base/log.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "history/boot_record_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void aftermath_describe(char *buffer, size_t size, uint64_t stream, uint64_t stored, uint64_t usec)
{
	char a[24], b[24];

	snprintf(buffer, size, "%s of memory as %s (%.2f:1), written in %.1f s (%.0f MiB/s)",
		 text_size(stream, a, sizeof(a)), text_size(stored, b, sizeof(b)),
		 stored ? (double)stream / (double)stored : 0, (double)usec / 1e6,
		 mib_per_second(stream, usec));
}

void aftermath_take_record(const struct handover *handover, const char *root)
{
	struct why w = { 0 };
	int r;

	if (!handover->record[0])
		return;
	r = boot_record_replace(root, handover->record, &w);
	if (r < 0)
		log_warning("cannot save the boot record of the boot that resumed: %s",
			    why_text(&w, r));
}

void aftermath_take_boots(const struct handover *handover, struct boots_seen *ret)
{
	struct why w = { 0 };
	int r;

	*ret = (struct boots_seen){ 0 };
	r = boots_seen_decode(handover->boots, handover->boots_length, ret, &w);
	if (r < 0)
		log_warning("cannot learn from the boots that found the image: %s",
			    why_text(&w, r));
}

void aftermath_take_map(const struct boots_seen *seen, struct memory_map *ret)
{
	struct memory_map map;

	for (size_t i = seen->items.count; i > 0; i--) {
		const struct boot_seen *boot = &seen->items.items[i - 1];

		if (boot->outcome != BOOT_RESUMED)
			continue;
		if (memory_map_copy(&boot->memory.map, &map) == 0)
			*ret = map;
		return;
	}
}

void aftermath_report(struct handover *handover)
{
	char text[200];

	for (char *line = strtok(handover->text, "\n"); line; line = strtok(NULL, "\n"))
		log_notice("resume: %s", line);
	aftermath_describe(text, sizeof(text), handover->stream_bytes, handover->stored_bytes,
			   handover->write_usec);
	log_notice("resumed: %s, loaded in %.1f s (%.0f MiB/s)%s", text,
		   (double)handover->load_usec / 1e6,
		   mib_per_second(handover->stream_bytes, handover->load_usec),
		   handover->attempts > 1 ? ", not at the first attempt" : "");
}
