/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/initramfs_opens.h"

#include "base/bytes.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct wanted {
	const char *name, *uuid;
	bool any_name;
};

/* Digits of the beginning of a UUID, however it is written; dracut takes a part. */
static bool is_uuid(const char *text, size_t length, const char *uuid)
{
	size_t digits = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '-')
			continue;
		if (!uuid[digits] || strncasecmp(text + i, uuid + digits, 1) != 0)
			return false;
		digits++;
	}
	return digits >= 4;
}

/* "NAME SOURCE KEY OPTIONS" */
static bool line_opens(const char *line, const struct wanted *wanted)
{
	char name[128], source[256] = "", key[256] = "";

	if (sscanf(line, "%127s %255s %255s", name, source, key) < 2 || name[0] == '#' ||
	    strcmp(key, "/dev/urandom") == 0 || strcmp(key, "/dev/random") == 0)
		return false;
	return strcmp(name, wanted->name) == 0 ||
	       (wanted->any_name && text_starts(source, "UUID=") &&
		is_uuid(source + 5, strlen(source + 5), wanted->uuid));
}

static bool table_opens(const char *text, const struct wanted *wanted)
{
	char line[640];

	for (; text && *text; text += strcspn(text, "\n"), text += *text == '\n') {
		snprintf(line, sizeof(line), "%.*s",
			 (int)min_u64(strcspn(text, "\n"), sizeof(line) - 1), text);
		if (line_opens(line, wanted))
			return true;
	}
	return false;
}

static bool named_luks(const struct wanted *wanted)
{
	return wanted->any_name ||
	       (text_starts(wanted->name, "luks-") &&
		is_uuid(wanted->name + 5, strlen(wanted->name + 5), wanted->uuid));
}

/* One word of the command line. */
static bool word_opens(const char *word, const struct wanted *wanted)
{
	static const char *const by_uuid[] = { "rd.luks.uuid=", "luks.uuid=", "rd_LUKS_UUID=" };
	const char *value = strchr(word, '='), *name;

	if (!value)
		return false;
	value++;
	if (text_starts(word, "cryptdevice=")) {
		/* DEVICE:NAME or DEVICE:NAME:OPTIONS; UUID= has none of these. */
		name = strchr(value, ':');
		return name && strncmp(name + 1, wanted->name, strlen(wanted->name)) == 0 &&
		       strchr(":", name[1 + strlen(wanted->name)]);
	}
	if (text_starts(word, "rd.luks.name=") || text_starts(word, "luks.name=")) {
		name = strchr(value, '=');
		return name &&
		       (strcmp(name + 1, wanted->name) == 0 ||
			(wanted->any_name && is_uuid(value, (size_t)(name - value), wanted->uuid)));
	}
	for (size_t i = 0; i < ARRAY_SIZE(by_uuid); i++)
		if (text_starts(word, by_uuid[i]) && named_luks(wanted)) {
			value += text_starts(value, "luks-") ? 5 : 0;
			return is_uuid(value, strlen(value), wanted->uuid);
		}
	return false;
}

bool initramfs_opens(const struct initramfs *initramfs, const char *cmdline, const char *name,
		     const char *uuid, bool any_name)
{
	const struct wanted wanted = { name, uuid, any_name };
	char copy[2 * INITRAMFS_CMDLINE_SIZE], *rest = copy, *word;

	if (table_opens(initramfs_file(initramfs, "etc/crypttab"), &wanted) ||
	    table_opens(initramfs_file(initramfs, "cryptroot/crypttab"), &wanted))
		return true;
	text_copy(copy, sizeof(copy), cmdline);
	while ((word = strsep(&rest, " \t\n")))
		if (word_opens(word, &wanted))
			return true;
	return false;
}
