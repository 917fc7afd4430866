/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/initramfs.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What is to be opened. */
struct wanted {
	const char *name, *uuid; /* uuid: NULL if only the name counts */
};

bool initramfs_has(const struct initramfs *initramfs, const char *name)
{
	for (size_t i = 0; i < initramfs->names_length; i += strlen(initramfs->names + i) + 1)
		if (strcmp(initramfs->names + i, name) == 0 ||
		    fnmatch(name, initramfs->names + i, 0) == 0)
			return true;
	return false;
}

bool initramfs_runs_late(const struct initramfs *initramfs, const char *hook)
{
	const char *config = initramfs_file(initramfs, "config");
	const char *hooks = config ? strstr(config, "\nHOOKS=") : NULL, *resume, *at, *end;

	if (config && text_starts(config, "HOOKS="))
		hooks = config;
	if (!hooks)
		return false;
	end = strchrnul(hooks + 1, '\n');
	resume = strstr(hooks, "s2disk");
	at = strstr(hooks, hook);
	return resume && at && resume < at && at < end;
}

/* Does field, up to a '=', equal the UUID or its beginning? dracut accepts a prefix. */
static bool is_uuid(const char *field, const char *uuid)
{
	const char *digits = field + (text_starts(field, "luks-") ? 5 : 0);
	size_t length = strcspn(digits, "=");

	return uuid && length >= 4 && strncasecmp(digits, uuid, length) == 0;
}

/* The UUID by which a line of crypttab names its device; NULL: it uses another form. */
static const char *source_uuid(const char *source)
{
	static const char *const before[] = { "UUID=", "/dev/disk/by-uuid/", "luks-" };

	for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++)
		if (text_starts(source, before[i]))
			return source + strlen(before[i]);
	return NULL;
}

/* The value of name, which may have the prefix "rd."; NULL: another word. */
static const char *value_of(const char *word, const char *name)
{
	word += text_starts(word, "rd.") ? 3 : 0;
	return text_starts(word, name) ? word + strlen(name) : NULL;
}

static bool is_false(const char *value)
{
	return value && (strchr("0nf", value[0] ? value[0] : '1') || strcmp(value, "off") == 0);
}

/* What the kernel command line says. */
struct words {
	bool opens;	    /* one word opens it */
	bool some;	    /* some words name what to open: */
	bool listed;	    /* … this source among them */
	bool off, no_table; /* all of it is disabled; crypttab is ignored */
};

/* source: a UUID, or NULL. */
static struct words read_words(const struct initramfs *initramfs, const char *cmdline,
			       const struct wanted *wanted, const char *source)
{
	bool hook = initramfs_has(initramfs, "hooks/*encrypt*") &&
		    !initramfs_runs_late(initramfs, "encrypt");
	_cleanup_free_ char *copy = strdup(cmdline);
	struct words ret = { 0 };
	bool by_cryptdevice = false;
	char *rest = copy, *word, *name;

	while ((word = strsep(&rest, " \t\n"))) {
		const char *value = value_of(word, "luks.uuid=");

		value = value ? value : value_of(word, "luks.name=");
		ret.off |= is_false(value_of(word, "luks="));
		ret.no_table |= is_false(value_of(word, "luks.crypttab="));
		if (value) {
			name = strchr(value, '=');
			ret.some = true;
			ret.listed |= is_uuid(value, source);
			ret.opens |= is_uuid(value, wanted->uuid) ||
				     strcmp(name ? name + 1 : value, wanted->name) == 0;
		} else if (hook && text_starts(word, "cryptdevice=")) {
			/* DEVICE:NAME:OPTIONS */
			word += strlen("cryptdevice=");
			value = strsep(&word, ":");
			name = strsep(&word, ":");
			value = source_uuid(value);
			by_cryptdevice |= (name && strcmp(name, wanted->name) == 0) ||
					  (value && is_uuid(value, wanted->uuid));
		}
	}
	ret.opens = (ret.opens && !ret.off) || by_cryptdevice;
	return ret;
}

/* Is the key available at boot? A passphrase is asked for; a path below /dev or /run or on another
 * device (PATH:DEVICE) comes from elsewhere; a script finds the key by itself. */
static bool has_key(const struct initramfs *initramfs, const char *key, const char *options)
{
	if (text_starts(key, "/dev/"))
		return !strstr(key, "random");
	return key[0] != '/' || text_starts(key, "/run/") || strchr(key, ':') ||
	       strstr(options, "keyscript=") || initramfs_has(initramfs, key + 1);
}

/* Lines of a crypttab, "NAME SOURCE KEY OPTIONS". systemd's: read by
 * systemd-cryptsetup-generator(8), not by Debian's scripts. */
static bool table_opens(const struct initramfs *initramfs, const char *file, bool systemds,
			const char *cmdline, const struct wanted *wanted)
{
	const char *text = initramfs_file(initramfs, file);
	_cleanup_free_ char *copy = text ? strdup(text) : NULL;
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		char name[256] = "", source[512] = "", key[512] = "", options[512] = "";
		const char *uuid;
		struct words words;

		if (sscanf(line, "%255s %511s %511s %511s", name, source, key, options) < 2 ||
		    name[0] == '#')
			continue;
		uuid = source_uuid(source);
		if (strcmp(name, wanted->name) != 0 && !(uuid && is_uuid(uuid, wanted->uuid)))
			continue;
		words = read_words(initramfs, cmdline, wanted, uuid);
		if (systemds && (words.off || words.no_table || (words.some && !words.listed) ||
				 strstr(options, "noauto")))
			continue;
		if (has_key(initramfs, key, options))
			return true;
	}
	return false;
}

bool initramfs_opens(const struct initramfs *initramfs, const char *cmdline, const char *name,
		     const char *uuid, bool any_name)
{
	char written[TEXT_UUID_SIZE];
	struct wanted wanted = { .name = name };

	if (strlen(uuid) == 32) {
		snprintf(written, sizeof(written), "%.8s-%.4s-%.4s-%.4s-%s", uuid, uuid + 8,
			 uuid + 12, uuid + 16, uuid + 20);
		/* A device that is opened by UUID alone is called luks-UUID. */
		if (any_name || strcasestr(name, written))
			wanted.uuid = written;
	}
	return read_words(initramfs, cmdline, &wanted, NULL).opens ||
	       table_opens(initramfs, "etc/crypttab", true, cmdline, &wanted) ||
	       table_opens(initramfs, "cryptroot/crypttab", false, cmdline, &wanted);
}
