/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/initramfs.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Lines of a crypttab, "NAME SOURCE KEY OPTIONS"; words of the command line:
 * cryptdevice=DEVICE:NAME, rd.luks.name=UUID=NAME, rd.luks.uuid=UUID, and without rd. */
static bool is_part(const char *part, bool table)
{
	return table ? part[0] != '#' && !strstr(part, "/dev/urandom") &&
			       !strstr(part, "/dev/random")
		     : text_starts(part, "cryptdevice=") || text_starts(part, "luks.") ||
			       text_starts(part, "rd.luks.");
}

/* Is it the name of the mapping, or of the beginning of the UUID, of which dracut takes a part. */
static bool is_field(const char *field, const char *name, const char *uuid)
{
	const char *digits = field + (text_starts(field, "luks-") ? 5 : 0);

	return strcmp(field, name) == 0 ||
	       (uuid && strlen(digits) >= 4 && strncasecmp(digits, uuid, strlen(digits)) == 0);
}

/* text may be NULL; uuid: NULL where only the name will do. */
static bool any_opens(const char *text, bool table, const char *name, const char *uuid)
{
	_cleanup_free_ char *copy = text ? strdup(text) : NULL;
	char *rest = copy, *part, *field;

	while ((part = strsep(&rest, table ? "\n" : " \t\n"))) {
		part = is_part(part, table) ? part : NULL;
		while ((field = strsep(&part, "=: \t")))
			if (is_field(field, name, uuid))
				return true;
	}
	return false;
}

bool initramfs_opens(const struct initramfs *initramfs, const char *cmdline, const char *name,
		     const char *uuid, bool any_name)
{
	char written[TEXT_UUID_SIZE];
	bool known = strlen(uuid) == 32;

	if (known)
		snprintf(written, sizeof(written), "%.8s-%.4s-%.4s-%.4s-%s", uuid, uuid + 8,
			 uuid + 12, uuid + 16, uuid + 20);
	/* What is opened by its UUID alone is called luks-UUID. */
	uuid = known && (any_name || strcasestr(name, written)) ? written : NULL;
	return any_opens(initramfs_file(initramfs, "etc/crypttab"), true, name, uuid) ||
	       any_opens(initramfs_file(initramfs, "cryptroot/crypttab"), true, name, uuid) ||
	       any_opens(cmdline, false, name, uuid);
}
