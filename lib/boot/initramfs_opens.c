/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/initramfs.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What is to be opened. */
struct wanted {
	const char *name, *uuid; /* uuid: "" for none */
	bool by_uuid;		 /* what opens it by that gives it the name */
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

/* Does field, up to a '=' or ':', name the UUID or its beginning? dracut accepts a prefix. */
static bool is_uuid(const char *field, const struct wanted *wanted)
{
	static const char *const before[] = { "UUID=", "/dev/disk/by-uuid/", "luks-" };
	size_t length;

	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		field += text_starts(field, before[i]) ? strlen(before[i]) : 0;
	length = strcspn(field, "=:");
	return length >= 4 && strncasecmp(field, wanted->uuid, length) == 0;
}

/* Does source name another LUKS device by its UUID? A mapping's name may be in the line of one that
 * was formatted since. */
static bool is_other(const char *source, const struct wanted *wanted)
{
	static const char *const before[] = { "UUID=", "/dev/disk/by-uuid/" };
	bool by_uuid = false;

	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		by_uuid |= text_starts(source, before[i]) &&
			   isxdigit((unsigned char)source[strlen(before[i])]);
	return by_uuid && wanted->uuid[0] && !is_uuid(source, wanted);
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
	bool some, listed;  /* some words name what to open; it is among them */
	bool off, no_table; /* all of it is disabled; crypttab is ignored */
};

/* Is what follows the first such character in a word, up to a ':', the mapping's name? */
static bool has_name(const char *word, char after, const struct wanted *wanted)
{
	const char *name = strchr(word, after);
	size_t length = name ? strcspn(++name, ":") : 0;

	return length > 0 && length == strlen(wanted->name) &&
	       strncmp(name, wanted->name, length) == 0;
}

static struct words read_words(const struct initramfs *initramfs, const char *cmdline,
			       const struct wanted *wanted)
{
	bool hook = initramfs_has(initramfs, "hooks/*encrypt*") &&
		    !initramfs_runs_late(initramfs, "encrypt");
	_cleanup_free_ char *copy = strdup(cmdline);
	struct words ret = { 0 };
	bool by_hook = false;
	char *rest = copy, *word;

	while ((word = strsep(&rest, " \t\n"))) {
		const char *value = value_of(word, "luks.uuid="); /* UUID */

		value = value ? value : value_of(word, "luks.name="); /* UUID=NAME */
		ret.off |= is_false(value_of(word, "luks="));
		ret.no_table |= is_false(value_of(word, "luks.crypttab="));
		if (value) {
			ret.some = true;
			ret.listed |= is_uuid(value, wanted);
			ret.opens |= (wanted->by_uuid && is_uuid(value, wanted)) ||
				     (has_name(value, '=', wanted) &&
				      (!wanted->uuid[0] || is_uuid(value, wanted)));
		} else if (hook && text_starts(word, "cryptdevice=")) {
			value = word + strlen("cryptdevice="); /* DEVICE:NAME:OPTIONS */
			by_hook |= (wanted->by_uuid && is_uuid(value, wanted)) ||
				   has_name(value, ':', wanted);
		}
	}
	ret.opens = (ret.opens && !ret.off) || by_hook;
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

/* Lines of a crypttab, "NAME SOURCE KEY OPTIONS". words: of the command line, where
 * systemd-cryptsetup-generator(8) reads it; NULL: Debian's scripts do. */
static bool table_opens(const struct initramfs *initramfs, const char *file,
			const struct words *words, const struct wanted *wanted)
{
	const char *text = initramfs_file(initramfs, file);
	_cleanup_free_ char *copy = text ? strdup(text) : NULL;
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		char name[256] = "", source[512] = "", key[512] = "", options[512] = "";
		bool by_uuid;

		if (sscanf(line, "%255s %511s %511s %511s", name, source, key, options) < 2 ||
		    name[0] == '#')
			continue;
		by_uuid = is_uuid(source, wanted);
		if (words && (words->off || words->no_table || strstr(options, "noauto") ||
			      (words->some && !(words->listed && by_uuid))))
			continue;
		if (((strcmp(name, wanted->name) == 0 && !is_other(source, wanted)) ||
		     (wanted->by_uuid && by_uuid)) &&
		    has_key(initramfs, key, options))
			return true;
	}
	return false;
}

bool initramfs_opens(const struct initramfs *initramfs, const char *cmdline, const char *name,
		     const char *uuid, bool any_name)
{
	/* A device that is opened by UUID alone is called luks-UUID. */
	const struct wanted wanted = { name, uuid,
				       uuid[0] && (any_name || strcasestr(name, uuid)) };
	const struct words words = read_words(initramfs, cmdline, &wanted);

	return words.opens || table_opens(initramfs, "etc/crypttab", &words, &wanted) ||
	       table_opens(initramfs, "cryptroot/crypttab", NULL, &wanted);
}
