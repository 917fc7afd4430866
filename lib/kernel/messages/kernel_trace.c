/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/messages/kernel_trace.h"

#include "base/bytes.h"

#include <stdio.h>
#include <string.h>

/* A trace whose end was lost hides at most this many lines. */
#define LINES_MAX 150

/* Lines of a trace have KERN_WARNING or the default level, which is 4; anything more
 * severe is an unrelated message in between. */
#define TRACE_LEVEL 4

static const struct {
	const char *place, *what;
} harmless[] = {
	/* Linux 6.18: SNAPSHOT_CREATE_IMAGE calls it without the matching call that it
	 * counts (fixed in 7.0). */
	{ "kernel/power/main.c pm_restore_gfp_mask",
	  "the kernel warns of pm_restore_gfp_mask, as Linux 6.18 does at every snapshot; it is "
	  "harmless" },
};

/* The word of line that ends in ".c:41" or the like; its length without the number. */
static const char *find_file(const char *line, size_t *ret_length)
{
	for (const char *word = line; *word; word += strspn(word, " ")) {
		size_t length = strcspn(word, " ");

		for (size_t i = 2; i + 1 < length; i++)
			if (word[i] == ':' && word[i - 2] == '.' && strchr("chS", word[i - 1])) {
				*ret_length = i;
				return word;
			}
		word += length;
	}
	return NULL;
}

/* "WARNING: CPU: 0 PID: 312 at kernel/power/main.c:41 pm_restore_gfp_mask+0xd8/0xf0", or
 * from 6.19 on "WARNING: kernel/power/main.c:41 at pm_restore_gfp_mask+0xd8/0xf0, CPU#0:
 * s2disk/312": the file and the function; otherwise the line itself. Line numbers and
 * offsets are left out: they change with every build. */
static void place_of(const char *line, char *place, size_t size)
{
	size_t file_length = 0, length;
	const char *file = find_file(line, &file_length), *function = strstr(line, "+0x");

	if (!file || !function) {
		snprintf(place, size, "%s", line);
		return;
	}
	for (length = 0; function > line && function[-1] != ' '; length++)
		function--;
	snprintf(place, size, "%.*s %.*s", (int)file_length, file, (int)length, function);
}

static enum kernel_trace_line headline(struct kernel_traces *traces, const char *line,
				       const char **ret_what)
{
	char place[sizeof(traces->seen[0])];

	place_of(line, place, sizeof(place));
	traces->state = TRACE_HIDDEN;
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (strcmp(place, harmless[i].place) == 0) {
			*ret_what = harmless[i].what;
			return KERNEL_LINE_HARMLESS;
		}
	for (size_t i = 0; i < traces->count; i++)
		if (strcmp(place, traces->seen[i]) == 0)
			return KERNEL_LINE_AGAIN;
	if (traces->count < KERNEL_TRACES_KNOWN)
		memcpy(traces->seen[traces->count++], place, sizeof(place));
	traces->state = TRACE_SHOWN;
	return KERNEL_LINE_SHOW;
}

enum kernel_trace_line kernel_trace_look(struct kernel_traces *traces, const char *message,
					 unsigned int level, const char **ret_what)
{
	bool hidden;

	if (strstr(message, "[ cut here ]")) {
		traces->state = TRACE_BEGINS;
		traces->lines = 0;
		return KERNEL_LINE_HIDE;
	}
	if (traces->state == TRACE_NONE || level < TRACE_LEVEL)
		return KERNEL_LINE_SHOW;
	if (traces->state == TRACE_BEGINS)
		return headline(traces, message, ret_what);
	hidden = traces->state == TRACE_HIDDEN;
	if (strstr(message, "[ end trace ") || ++traces->lines == LINES_MAX)
		traces->state = TRACE_NONE;
	return hidden ? KERNEL_LINE_HIDE : KERNEL_LINE_SHOW;
}
