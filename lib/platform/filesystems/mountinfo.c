/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/filesystems/mountinfo.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOUNTINFO_LIMIT (4u << 20)

struct mountinfo {
	char *text, *rest;
	struct mount_line line;
};

/* Is this one of the words, which are separated by commas? */
static bool has_option(const char *options, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = options; (at = strstr(at, word)); at++)
		if ((at == options || at[-1] == ',') && (!at[length] || at[length] == ','))
			return true;
	return false;
}

/* false if it is not such a line; *ret is of no use then. */
static bool parse(const char *line, struct mount_line *ret)
{
	const char *rest = strstr(line, " - ");
	char options[256] = "", super[512] = "";

	/* Long options are cut: rw comes first. */
	if (!rest ||
	    sscanf(line, "%" SCNu64 " %*u %u:%u %*s %4095s %255s", &ret->id, &ret->high, &ret->low,
		   ret->place, options) < 4 ||
	    sscanf(rest, " - %63s %4095s %511s", ret->kind, ret->source, super) < 2)
		return false;
	ret->writable = has_option(options, "rw") && has_option(super, "rw");
	return text_unescape_octal(ret->place, strlen(ret->place), ret->place,
				   sizeof(ret->place)) &&
	       text_unescape_octal(ret->source, strlen(ret->source), ret->source,
				   sizeof(ret->source));
}

int mountinfo_read(const char *root, struct mountinfo **ret)
{
	_cleanup_mountinfo_ struct mountinfo *mountinfo = calloc(1, sizeof(*mountinfo));
	int r;

	if (!mountinfo)
		return -ENOMEM;
	r = io_read_file(root, "/proc/self/mountinfo", MOUNTINFO_LIMIT, &mountinfo->text, NULL);
	if (r < 0)
		return r;
	mountinfo->rest = mountinfo->text;
	*ret = steal_pointer(&mountinfo);
	return 0;
}

struct mount_line *mountinfo_next(struct mountinfo *mountinfo)
{
	char *line;

	while (mountinfo && (line = strsep(&mountinfo->rest, "\n")))
		if (parse(line, &mountinfo->line))
			return &mountinfo->line;
	return NULL;
}

struct mount_line *mountinfo_next_at(struct mountinfo *mountinfo, const char *place)
{
	struct mount_line *line;

	do
		line = mountinfo_next(mountinfo);
	while (line && strcmp(line->place, place) != 0);
	return line;
}

void mountinfo_close(struct mountinfo *mountinfo)
{
	if (mountinfo)
		free(mountinfo->text);
	free(mountinfo);
}
