/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/maps/kept_free.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/run_directory.h"
#include "base/text.h"
#include "base/tree.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "kept-free"
#define NOTE RUN_DIRECTORY "/" NAME
#define TITLE "s2disk kept free 1"

/* Of an address of 64 bits, with the smallest pages. */
#define FRAME_MAX (UINT64_MAX >> 12)

void kept_free_free(struct kept_free *note)
{
	free(note->kept.items);
	free(note->held.items);
	free(note->huge.items);
	free(note->places.items);
	*note = (struct kept_free){ 0 };
}

static void put_frames(FILE *file, const char *key, const struct frame_list *frames)
{
	for (size_t i = 0; i < frames->count; i++)
		fprintf(file, "%s 0x%" PRIx64 " %" PRIu64 "\n", key, frames->items[i].first,
			frames->items[i].count);
}

int kept_free_encode(const struct kept_free *note, const char *boot_id, char **ret)
{
	char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);

	if (!file)
		return -ENOMEM;
	fprintf(file, TITLE "\nboot-id %s\n", boot_id);
	fprintf(file, "boots %" PRIu64 " %" PRIu64 "\n", note->boots, note->lost_boots);
	put_frames(file, "kept", &note->kept);
	put_frames(file, "held", &note->held);
	put_frames(file, "huge", &note->huge);
	put_frames(file, "place", &note->places);
	if (note->late)
		fputs("late y\n", file);
	if (fclose(file) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}

/* "NUMBER NUMBER" */
static bool parse_pair(char *value, uint64_t *first, uint64_t *second)
{
	char *blank = strchr(value, ' ');

	if (!blank)
		return false;
	*blank = '\0';
	return text_parse_u64(value, first) == 0 && text_parse_u64(blank + 1, second) == 0;
}

static int take(struct kept_free *note, const char *key, char *value)
{
	const struct {
		const char *key;
		struct frame_list *list;
	} lists[] = {
		{ "kept", &note->kept },
		{ "held", &note->held },
		{ "huge", &note->huge },
		{ "place", &note->places },
	};
	uint64_t first, second;

	if (strcmp(key, "late") == 0)
		note->late = strcmp(value, "y") == 0;
	if (!parse_pair(value, &first, &second))
		return 0;
	if (strcmp(key, "boots") == 0) {
		note->boots = first;
		note->lost_boots = min_u64(second, first);
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (strcmp(key, lists[i].key) == 0 && second > 0 && first <= FRAME_MAX &&
		    second <= FRAME_MAX - first)
			return frames_append(lists[i].list, first, second);
	return 0;
}

static int parse_lines(char *text, const char *boot_id, struct kept_free *note)
{
	bool mine = false;
	char *line;
	int r = 0;

	if (strcmp(strsep(&text, "\n"), TITLE) != 0)
		return -EBADMSG;
	while (r == 0 && (line = strsep(&text, "\n"))) {
		char *value = strchr(line, ' ');

		if (!value)
			continue;
		*value++ = '\0';
		if (strcmp(line, "boot-id") == 0)
			mine = strcmp(value, boot_id) == 0;
		else
			r = take(note, line, value);
	}
	return r == 0 && !mine ? -ESTALE : r;
}

int kept_free_parse(const char *text, const char *boot_id, struct kept_free *ret)
{
	_cleanup_free_ char *copy = strdup(text);
	struct kept_free note = { 0 };
	int r = copy ? parse_lines(copy, boot_id, &note) : -ENOMEM;

	if (r < 0) {
		kept_free_free(&note);
		return r;
	}
	frames_normalize(&note.kept);
	frames_normalize(&note.held);
	frames_normalize(&note.huge);
	frames_normalize(&note.places);
	*ret = note;
	return 0;
}

static void read_boot_id(const char *root, char *ret, size_t size)
{
	if (!tree_text(root, ret, size, "/proc/sys/kernel/random/boot_id"))
		snprintf(ret, size, "-");
}

int kept_free_read(const char *root, struct kept_free *ret)
{
	_cleanup_free_ char *text = NULL;
	char boot_id[40];
	int r = io_read_file(root, NOTE, KEPT_FREE_LIMIT, &text, NULL);

	if (r < 0)
		return r;
	read_boot_id(root, boot_id, sizeof(boot_id));
	return kept_free_parse(text, boot_id, ret);
}

int kept_free_write(const char *root, const struct kept_free *note, struct why *w)
{
	_cleanup_free_ char *text = NULL;
	char boot_id[40];
	int r;

	read_boot_id(root, boot_id, sizeof(boot_id));
	r = kept_free_encode(note, boot_id, &text);
	if (r == 0)
		r = run_directory_put(root, NAME, text, strlen(text));
	return r < 0 ? why(w, r, NOTE " cannot be written: %s", strerror(-r)) : 0;
}

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
	char held[110] = "", huge[110] = "";
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
