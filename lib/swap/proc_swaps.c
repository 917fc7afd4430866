/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/swaps: the active swap areas. */
#include "swap/swap_area.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/memory.h"
#include "base/text.h"
#include "swap/file_place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* The kernel allows 32 areas at most; their paths may be long. */
#define SWAPS_LIMIT 1048576

/* The next field of a line; NULL at its end. */
static const char *next_field(const char **at, const char *end, size_t *ret_length)
{
	const char *start = *at;

	while (start < end && (*start == ' ' || *start == '\t'))
		start++;
	*at = start;
	while (*at < end && **at != ' ' && **at != '\t')
		(*at)++;
	*ret_length = (size_t)(*at - start);
	return *ret_length ? start : NULL;
}

static int next_number(const char **at, const char *end, uint64_t *ret)
{
	char text[24];
	size_t length;
	const char *field = next_field(at, end, &length);

	if (!field || length >= sizeof(text))
		return -EINVAL;
	memcpy(text, field, length);
	text[length] = '\0';
	return text_parse_u64(text, ret);
}

static int next_kib(const char **at, const char *end, uint64_t *ret_bytes)
{
	uint64_t kib;

	if (next_number(at, end, &kib) < 0 || !checked_mul(kib, 1024, ret_bytes))
		return -EINVAL;
	return 0;
}

/* Areas without a priority get ever lower negative ones from the kernel. */
static int next_priority(const char **at, const char *end, int *ret)
{
	uint64_t number;
	bool negative;

	while (*at < end && (**at == ' ' || **at == '\t'))
		(*at)++;
	negative = *at < end && **at == '-';
	if (negative)
		(*at)++;
	if (next_number(at, end, &number) < 0 || number > INT_MAX)
		return -EINVAL;
	*ret = negative ? -(int)number : (int)number;
	return 0;
}

/* The kernel appends this to the path of an unlinked file. */
static bool cut_deleted(char *path)
{
	static const char suffix[] = " (deleted)";
	size_t length = strlen(path);

	if (length < sizeof(suffix) || strcmp(path + length - (sizeof(suffix) - 1), suffix) != 0)
		return false;
	path[length - (sizeof(suffix) - 1)] = '\0';
	return true;
}

static int parse_entry(const char *line, const char *end, struct swap_entry *ret)
{
	struct swap_entry entry = { 0 };
	size_t length;
	const char *field = next_field(&line, end, &length);

	if (!field)
		return -EINVAL;
	if (!text_unescape_octal(field, length, entry.path, sizeof(entry.path)))
		entry.path[0] = '\0';
	entry.deleted = cut_deleted(entry.path);

	field = next_field(&line, end, &length);
	if (!field)
		return -EINVAL;
	entry.file = length == 4 && memcmp(field, "file", 4) == 0;
	if (next_kib(&line, end, &entry.size) < 0 || next_kib(&line, end, &entry.used) < 0 ||
	    next_priority(&line, end, &entry.priority) < 0)
		return -EINVAL;
	*ret = entry;
	return 0;
}

int swaps_parse(const char *text, struct swap_entry *entries, size_t max)
{
	int count = 0;

	if (*text && !text_starts(text, "Filename"))
		return -EINVAL;
	text = strchrnul(text, '\n');
	while (*text) {
		const char *line = text + 1, *end = strchrnul(line, '\n');
		struct swap_entry entry;

		text = end;
		if (line == end)
			continue;
		if (parse_entry(line, end, &entry) < 0 || count == INT_MAX)
			return -EINVAL;
		if ((size_t)count < max)
			entries[count] = entry;
		count++;
	}
	return count;
}

int swaps_read(const char *root, struct swap_entry *entries, size_t max)
{
	_cleanup_free_ char *text = NULL;
	int r = io_read_file(root, "/proc/swaps", SWAPS_LIMIT, &text, NULL);

	return r < 0 ? r : swaps_parse(text, entries, max);
}

/* Is it a device of one of these kinds, "/dev/zram" with a number? */
static bool is_of_kind(const struct swap_entry *entry, const char *const *kinds, size_t count)
{
	for (size_t i = 0; i < count && !entry->file; i++) {
		size_t length = strlen(kinds[i]);

		if (text_starts(entry->path, kinds[i]) && entry->path[length] >= '0' &&
		    entry->path[length] <= '9')
			return true;
	}
	return false;
}

bool swap_entry_in_memory(const struct swap_entry *entry)
{
	static const char *const kinds[] = { "/dev/zram", "/dev/ram" };

	return is_of_kind(entry, kinds, ARRAY_SIZE(kinds));
}

bool swap_entry_suitable(const struct swap_entry *entry)
{
	static const char *const refused[] = { "/dev/loop", "/dev/nbd", "/dev/rbd" };

	return entry->path[0] && !entry->deleted && !swap_entry_in_memory(entry) &&
	       !is_of_kind(entry, refused, ARRAY_SIZE(refused));
}

static bool is_area_file(const struct swap_area *area, const struct swap_entry *entry)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	struct file_place place;

	/* Check before opening: opening a fifo would block. */
	if (stat(entry->path, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	fd = open(entry->path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && file_place_find(fd, page_size(), &place, NULL) == 0 &&
	       place.dev == area->dev && place.offset == area->offset;
}

static bool is_area(const struct swap_area *area, const struct swap_entry *entry)
{
	struct stat st;

	if (!entry->path[0] || entry->deleted || entry->file != area->file)
		return false;
	if (entry->file)
		return is_area_file(area, entry);
	return stat(entry->path, &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == area->dev;
}

bool swap_area_find_entry(const struct swap_area *area, const struct swap_entry *entries,
			  size_t count, struct swap_entry *ret)
{
	for (size_t i = 0; i < count; i++) {
		if (is_area(area, &entries[i])) {
			*ret = entries[i];
			return true;
		}
	}
	return false;
}
