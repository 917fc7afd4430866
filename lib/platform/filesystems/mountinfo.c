/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/filesystems/mountinfo.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
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

static bool take_number(const char *text, uint64_t max, uint64_t *ret)
{
	return text && text_parse_u64(text, ret) == 0 && *ret <= max;
}

/* "98:0" */
static bool take_device(char *text, struct mount_line *ret)
{
	uint64_t high, low;
	char *rest = text, *first = strsep(&rest, ":");

	if (!take_number(first, UINT_MAX, &high) || !take_number(rest, UINT_MAX, &low))
		return false;
	ret->high = (unsigned int)high;
	ret->low = (unsigned int)low;
	return true;
}

static bool take_text(const char *text, char *to, size_t size)
{
	return text && text_unescape_octal(text, strlen(text), to, size);
}

/* false if it is not such a line; *ret is of no use then. The kernel ends each field with one
 * blank, and one may be empty: the source of "mount -t tmpfs '' /mnt". */
static bool parse(char *line, struct mount_line *ret)
{
	char *id = strsep(&line, " "), *device, *place, *options, *word, *super;

	strsep(&line, " "); /* the mount that it is on */
	device = strsep(&line, " ");
	strsep(&line, " "); /* its root, within the file system */
	place = strsep(&line, " ");
	options = strsep(&line, " ");
	do
		word = strsep(&line, " ");
	while (word && strcmp(word, "-") != 0);
	if (!word || !take_number(id, UINT64_MAX, &ret->id) || !take_device(device, ret) ||
	    !take_text(strsep(&line, " "), ret->kind, sizeof(ret->kind)) ||
	    !take_text(strsep(&line, " "), ret->source, sizeof(ret->source)))
		return false;
	super = strsep(&line, " ");
	ret->options = super ? super : "";
	ret->writable = super && has_option(options, "rw") && has_option(super, "rw");
	/* Still a mount. */
	if (!take_text(place, ret->place, sizeof(ret->place)))
		ret->place[0] = '\0';
	return true;
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
