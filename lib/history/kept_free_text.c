/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of frames that the kernel does not release. */
#include "history/kept_free.h"

#include "base/bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The longest place in a list, and what follows the last that fits. */
#define PLACE_SIZE 64
#define MORE ", ..."

const char *kept_free_list(const struct frame_list *frames, uint64_t page_size, char *text,
			   size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < frames->count; i++) {
		const struct frame_range *range = &frames->items[i];

		if (used + PLACE_SIZE + strlen(MORE) >= size) {
			snprintf(text + used, size - used, MORE);
			break;
		}
		used += (size_t)snprintf(text + used, size - used,
					 "%s%" PRIu64 " page%s at 0x%" PRIx64, i ? ", " : "",
					 range->count, range->count == 1 ? "" : "s",
					 range->first * page_size);
	}
	return text;
}

const char *kept_free_memmap(const struct frame_list *frames, uint64_t page_size,
			     const char *dollar, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < frames->count; i++) {
		const struct frame_range *range = &frames->items[i];

		if (used + PLACE_SIZE + strlen(dollar) >= size) {
			text[0] = '\0';
			break;
		}
		used += (size_t)snprintf(text + used, size - used,
					 "%smemmap=%" PRIu64 "K%s0x%" PRIx64, i ? " " : "",
					 range->count * page_size / 1024, dollar,
					 range->first * page_size);
	}
	return text;
}

const char *kept_free_problem(const struct kept_free *note, uint64_t page_size, char *text,
			      size_t size)
{
	char held[140] = "", huge[140] = "";
	bool both = note->held.count > 0 && note->huge.count > 0;

	text[0] = '\0';
	if (note->held.count + note->huge.count == 0)
		return text;
	snprintf(text, size,
		 "%s%s%s%s%s; at %" PRIu64 " of %" PRIu64 " boots the firmware had a region there, "
		 "and a boot that has it cannot resume the next session",
		 note->held.count > 0 ? "the kernel uses " : "",
		 kept_free_list(&note->held, page_size, held, sizeof(held)), both ? ", and " : "",
		 kept_free_list(&note->huge, page_size, huge, sizeof(huge)),
		 note->huge.count > 0 ? " reserved as huge pages" : "", note->lost_boots,
		 note->boots);
	return text;
}

const char *kept_free_advice(const struct kept_free *note, uint64_t page_size, char *text,
			     size_t size)
{
	char plain[120], escaped[130];

	text[0] = '\0';
	if (note->held.count + note->huge.count == 0)
		return text;
	kept_free_memmap(&note->places, page_size, "$", plain, sizeof(plain));
	kept_free_memmap(&note->places, page_size, "\\\\\\$", escaped, sizeof(escaped));
	if (plain[0] && escaped[0])
		snprintf(text, size,
			 "to end that, take these pages from the kernel on every boot: %s on its "
			 "command line (in /etc/default/grub, where $ needs three backslashes: %s)",
			 plain, escaped);
	else
		snprintf(text, size,
			 "s2disk-inspect --history lists the places; memmap=SIZE$ADDRESS on the "
			 "kernel command line takes one from the kernel on every boot");
	return text;
}
