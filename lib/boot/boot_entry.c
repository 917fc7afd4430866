/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/boot_entry.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/look.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_LIMIT 4194304
#define EFI_VARIABLES "/sys/firmware/efi/efivars/Loader"
#define EFI_VENDOR "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

const char *const boot_entry_folders[] = { "/efi/loader/entries", "/boot/loader/entries",
					   "/boot/efi/loader/entries", NULL };
const char *const boot_grub_configs[] = { "/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", NULL };
static const char *const grub_environments[] = { "/boot/grub/grubenv", "/boot/grub2/grubenv",
						 NULL };

/* A variable that systemd-boot reads or leaves: UTF-16 behind four bytes. */
static bool loader_variable(const char *root, const char *name, char *ret, size_t size)
{
	_cleanup_free_ char *text = NULL;
	char path[256];
	size_t length, used = 0;

	snprintf(path, sizeof(path), EFI_VARIABLES "%s" EFI_VENDOR, name);
	if (io_read_file(root, path, 4096, &text, &length) < 0)
		return false;
	for (size_t i = 4; i + 1 < length && used + 1 < size && text[i]; i += 2)
		ret[used++] = text[i + 1] ? '?' : text[i];
	ret[used] = '\0';
	return used > 0;
}

bool boot_by_systemd_boot(const char *root)
{
	char text[256];

	return loader_variable(root, "Info", text, sizeof(text)) &&
	       text_starts(text, "systemd-boot");
}

/* The first of several files; "" where there is none. free. */
static char *read_first(const char *root, const char *const *paths)
{
	char *text = NULL;

	for (; *paths; paths++)
		if (io_read_file(root, *paths, FILE_LIMIT, &text, NULL) == 0)
			return text;
	return strdup("");
}

/* Adds words behind those that are there; $kernelopts as Fedora's grubenv has
 * it. Other variables are what GRUB alone knows. */
static void add_arguments(struct boot_entry *entry, const char *words, const char *environment)
{
	char options[sizeof(entry->arguments)] = "";
	size_t used = strlen(entry->arguments);
	const char *at = strstr(words, "$kernelopts");

	if (at)
		boot_grub_variable(environment, "kernelopts", options, sizeof(options));
	else
		at = words + strlen(words);
	snprintf(entry->arguments + used, sizeof(entry->arguments) - used, "%s%.*s%s%s",
		 used ? " " : "", (int)(at - words), words, options,
		 *at ? at + strlen("$kernelopts") : "");
}

static void take_initramfs(struct boot_entry *entry, char *words)
{
	char *word;

	while ((word = strsep(&words, " \t")))
		if (*word && *word != '$')
			text_copy(entry->initramfs, sizeof(entry->initramfs), word);
}

int boot_entry_from_file(const char *text, const char *environment, struct boot_entry *ret)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *line;
	struct boot_entry entry = { 0 };

	if (!copy)
		return -ENOMEM;
	while ((line = strsep(&rest, "\n"))) {
		char *value;

		line = text_trim(line);
		value = line + strcspn(line, " \t");
		if (*value)
			*value++ = '\0';
		value = text_trim(value);
		if (strcmp(line, "title") == 0)
			text_copy(entry.title, sizeof(entry.title), value);
		else if (strcmp(line, "linux") == 0)
			text_copy(entry.kernel, sizeof(entry.kernel), value);
		else if (strcmp(line, "initrd") == 0)
			take_initramfs(&entry, value);
		else if (strcmp(line, "options") == 0)
			add_arguments(&entry, value, environment);
	}
	if (!entry.kernel[0])
		return -ENOENT;
	*ret = entry;
	return 0;
}

struct candidates {
	const char *wanted; /* pattern or name without .conf; "" for none */
	char best[256];
	struct boot_entry entry;
	bool best_wanted;
};

/* Names of entries end in the kernel's version, as a rule. */
static bool is_better(const struct candidates *candidates, const char *name, bool wanted)
{
	bool rescue = strstr(name, "rescue") != NULL;
	bool best_rescue = strstr(candidates->best, "rescue") != NULL;

	if (!candidates->best[0] || wanted != candidates->best_wanted)
		return !candidates->best[0] || wanted;
	if (rescue != best_rescue)
		return best_rescue;
	return strverscmp(name, candidates->best) > 0;
}

static void see_entry(const char *root, const char *folder, const char *file,
		      const char *environment, struct candidates *candidates)
{
	_cleanup_free_ char *text = NULL;
	struct boot_entry entry;
	char path[256 + NAME_MAX], name[256];
	size_t length = strlen(file);
	bool wanted;

	if (length < 6 || strcmp(file + length - 5, ".conf") != 0 || length >= sizeof(name))
		return;
	snprintf(name, sizeof(name), "%.*s", (int)length - 5, file);
	snprintf(path, sizeof(path), "%s/%s", folder, file);
	if (io_read_file(root, path, FILE_LIMIT, &text, NULL) < 0 ||
	    boot_entry_from_file(text, environment, &entry) < 0)
		return;
	wanted = candidates->wanted[0] && (fnmatch(candidates->wanted, name, 0) == 0 ||
					   fnmatch(candidates->wanted, file, 0) == 0);
	if (!is_better(candidates, name, wanted))
		return;
	text_copy(candidates->best, sizeof(candidates->best), name);
	candidates->best_wanted = wanted;
	candidates->entry = entry;
	text_copy(candidates->entry.source, sizeof(candidates->entry.source), path);
}

/* systemd-boot: a variable for once, one for always, its file. */
static void wanted_entry(const char *root, const char *environment, char *ret, size_t size)
{
	static const char *const files[] = { "/efi/loader/loader.conf", "/boot/loader/loader.conf",
					     "/boot/efi/loader/loader.conf", NULL };
	_cleanup_free_ char *text = NULL;

	ret[0] = '\0';
	if (!boot_by_systemd_boot(root)) {
		if (!boot_grub_variable(environment, "next_entry", ret, size))
			boot_grub_variable(environment, "saved_entry", ret, size);
		return;
	}
	if (loader_variable(root, "EntryOneShot", ret, size) ||
	    loader_variable(root, "EntryDefault", ret, size))
		return;
	text = read_first(root, files);
	for (char *line = text; line && *line; line = strchrnul(line, '\n'), line += !!*line)
		if (strncmp(line, "default ", 8) == 0)
			snprintf(ret, size, "%.*s", (int)strcspn(line + 8, " \t\n"), line + 8);
}

static int find_in_folders(const char *root, const char *environment, struct boot_entry *ret)
{
	char wanted[256], full[PATH_MAX];
	struct candidates candidates = { .wanted = wanted };

	wanted_entry(root, environment, wanted, sizeof(wanted));
	for (size_t i = 0; boot_entry_folders[i] && !candidates.best[0]; i++) {
		DIR *folder;
		struct dirent *file;

		snprintf(full, sizeof(full), "%s%s", root, boot_entry_folders[i]);
		look_note("", full, LOOK_LIST);
		folder = opendir(full);
		while (folder && (file = readdir(folder)))
			see_entry(root, boot_entry_folders[i], file->d_name, environment,
				  &candidates);
		if (folder)
			closedir(folder);
	}
	if (!candidates.best[0])
		return -ENOENT;
	*ret = candidates.entry;
	return 0;
}

static int find_in_grub(const char *root, const char *environment, struct boot_entry *ret)
{
	_cleanup_free_ char *text = NULL;
	const char *path = NULL;
	int r = -ENOENT;

	for (size_t i = 0; r < 0 && boot_grub_configs[i]; i++) {
		path = boot_grub_configs[i];
		r = io_read_file(root, path, FILE_LIMIT, &text, NULL);
	}
	if (r < 0)
		return r;
	/* Fedora's: what is in the folders is the menu. */
	if (strstr(text, "blscfg") && find_in_folders(root, environment, ret) == 0)
		return 0;
	r = boot_entry_from_grub(text, environment, ret);
	if (r == 0)
		text_copy(ret->source, sizeof(ret->source), path);
	return r;
}

/* As distributions name the running kernel's. */
static int assume(const char *root, struct boot_entry *ret)
{
	static const struct {
		const char *before, *after;
	} forms[] = {
		{ "/boot/initrd.img-", "" },
		{ "/boot/initramfs-", ".img" },
		{ "/boot/initrd-", "" },
		{ "/boot/initrd-", ".img" },
	};
	_cleanup_free_ char *arguments = NULL;
	char release[128];
	char found[256];

	*ret = (struct boot_entry){ 0 };
	if (io_read_text(root, "/proc/sys/kernel/osrelease", release, sizeof(release)) < 0)
		release[0] = '\0';
	*strchrnul(release, '\n') = '\0';
	if (io_read_file(root, "/proc/cmdline", FILE_LIMIT, &arguments, NULL) == 0)
		text_copy(ret->arguments, sizeof(ret->arguments), text_trim(arguments));
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		snprintf(ret->initramfs, sizeof(ret->initramfs), "%s%s%s", forms[i].before, release,
			 forms[i].after);
		if (boot_entry_initramfs(root, ret, found, sizeof(found)) == 0)
			return 0;
	}
	text_copy(ret->initramfs, sizeof(ret->initramfs), "/boot/initramfs-linux.img");
	return boot_entry_initramfs(root, ret, found, sizeof(found));
}

int boot_entry_find(const char *root, struct boot_entry *ret, struct why *w)
{
	_cleanup_free_ char *environment = read_first(root, grub_environments);

	if (!environment)
		return -ENOMEM;
	if (boot_by_systemd_boot(root) && find_in_folders(root, environment, ret) == 0)
		return 0;
	if (find_in_grub(root, environment, ret) == 0 ||
	    find_in_folders(root, environment, ret) == 0 || assume(root, ret) == 0)
		return 0;
	return why(w, -ENOENT,
		   "neither the configuration of a boot loader known here nor this "
		   "kernel's initramfs was found below /boot");
}

int boot_entry_initramfs(const char *root, const struct boot_entry *entry, char *ret, size_t size)
{
	static const char *const before[] = { "/boot", "/efi", "/boot/efi", "" };
	const char *path = entry->initramfs, *name = strrchr(path, '/');
	char full[PATH_MAX];
	int length;

	if (path[0] != '/')
		return -ENOENT;
	/* Where /boot is part of the root file system, the path begins with it. */
	for (size_t i = text_starts(path, "/boot/") ? ARRAY_SIZE(before) - 1 : 0;
	     i < ARRAY_SIZE(before); i++) {
		length = snprintf(ret, size, "%s%s", before[i], path);
		snprintf(full, sizeof(full), "%s%s", root, ret);
		look_note(root, ret, LOOK_NAME);
		if (length < (int)size && access(full, F_OK) == 0)
			return 0;
	}
	/* In a subvolume of btrfs the path has its name in front. */
	length = snprintf(ret, size, "/boot%s", name);
	snprintf(full, sizeof(full), "%s%s", root, ret);
	look_note(root, ret, LOOK_NAME);
	return length < (int)size && access(full, F_OK) == 0 ? 0 : -ENOENT;
}
