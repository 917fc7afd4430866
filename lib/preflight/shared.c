/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which file systems may another system write to while this one sleeps? */
#include "preflight/preflight_private.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "platform/filesystems/mountinfo.h"
#include "base/tree.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLE_LIMIT 65536
#define EFI_VARIABLES "/sys/firmware/efi/efivars"
#define EFI_GLOBAL "-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define POOLS "/proc/spl/kstat/zfs"

static bool is_one_of(const char *kind, const char *const *kinds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

/* fuseblk: ntfs-3g in practice. */
static bool is_ntfs(const char *kind)
{
	static const char *const kinds[] = { "ntfs", "ntfs3", "fuseblk" };

	return is_one_of(kind, kinds, ARRAY_SIZE(kinds));
}

static bool is_fat(const char *kind)
{
	static const char *const kinds[] = { "vfat", "msdos", "exfat" };

	return is_one_of(kind, kinds, ARRAY_SIZE(kinds));
}

/* Finds an ASCII word as UTF-16, in upper or lower case. */
static bool has_wide_word(const char *bytes, size_t length, const char *word)
{
	size_t letters = strlen(word), same;

	for (size_t at = 0; at + 2 * letters <= length; at++) {
		for (same = 0; same < letters; same++)
			if (tolower((unsigned char)bytes[at + 2 * same]) != word[same] ||
			    bytes[at + 2 * same + 1] != '\0')
				break;
		if (same == letters)
			return true;
	}
	return false;
}

/* EFI_LOAD_OPTION of the UEFI specification: its title, and the path of a program. */
static bool boots_another(const char *root, const char *name)
{
	static const char *const words[] = { "windows boot manager", "bootmgfw.efi", "mac os",
					     "\\coreservices\\" };
	_cleanup_free_ char *option = NULL;
	char path[300];
	size_t length;

	snprintf(path, sizeof(path), EFI_VARIABLES "/%s", name);
	if (io_read_file(root, path, VARIABLE_LIMIT, &option, &length) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (has_wide_word(option, length, words[i]))
			return true;
	return false;
}

/* Boot0000 and so on, with four hexadecimal digits. */
static bool is_boot_option(const char *name)
{
	return text_starts(name, "Boot") && strspn(name + 4, "0123456789ABCDEF") == 4 &&
	       strcmp(name + 8, EFI_GLOBAL) == 0;
}

static bool firmware_boots_another(const char *root)
{
	_cleanup_names_ struct tree_names names = { 0 };

	if (tree_list(root, EFI_VARIABLES, &names) < 0)
		return false;
	for (size_t i = 0; i < names.count; i++)
		if (is_boot_option(names.items[i]) && boots_another(root, names.items[i]))
			return true;
	return false;
}

/* The other system's boot loader lies on this EFI partition. */
static bool has_loader(const char *root, const char *place)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/EFI/Microsoft/Boot/bootmgfw.efi", place) <
		       (int)sizeof(path) &&
	       tree_exists(root, path);
}

/* "/boot/efi (vfat), /mnt (ntfs3)"; more counts those that do not fit. */
struct places {
	char text[220];
	size_t used, more;
};

static void add_place(struct places *places, const char *place, const char *kind)
{
	size_t room = sizeof(places->text) - places->used;
	int length = snprintf(places->text + places->used, room, "%s%s (%s)",
			      places->used ? ", " : "", place, kind);

	if (length < (int)room) {
		places->used += (size_t)length;
		return;
	}
	places->text[places->used] = '\0';
	places->more++;
}

static void add_shared(struct preflight_context *context, const struct places *places)
{
	struct check *check;
	char more[32] = "";

	if (places->more > 0)
		snprintf(more, sizeof(more), "%s%zu more", places->used ? ", and " : "",
			 places->more);
	check = preflight_add(
		context, "shared-mounts", CHECK_WARNING,
		"mounted for writing: %s%s; if another system writes to one of them while this one "
		"is hibernated, the image is lost or, if that goes undetected, files are damaged",
		places->text, more);
	preflight_advise(check, "unmount what another system uses; "
				"otherwise boot no other system before this one has resumed");
}

/* Is Windows or macOS installed here? If not, FAT file systems (above all the EFI partition) are
 * used by this system alone. */
static bool has_another_system(const char *root)
{
	_cleanup_mountinfo_ struct mountinfo *mountinfo = NULL;
	const struct mount_line *line;
	bool found = false;

	mountinfo_read(root, &mountinfo);
	while (!found && (line = mountinfo_next(mountinfo)))
		found = is_ntfs(line->kind) ||
			(is_fat(line->kind) && has_loader(root, line->place));
	return found || firmware_boots_another(root);
}

void check_shared_filesystems(struct preflight_context *context)
{
	_cleanup_mountinfo_ struct mountinfo *mountinfo = NULL;
	bool another = has_another_system(context->root);
	const struct mount_line *line;
	struct places places = { 0 };

	mountinfo_read(context->root, &mountinfo);
	while ((line = mountinfo_next(mountinfo)))
		if (line->writable && (is_ntfs(line->kind) || (another && is_fat(line->kind))))
			add_place(&places, *line->place ? line->place : "a path too long to show",
				  line->kind);
	if (places.used || places.more)
		add_shared(context, &places);
}

/* Each imported pool has a directory here, mounted or not; there are plain files, too. */
static void find_pools(const char *root, struct places *places)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char path[300];

	if (tree_list(root, POOLS, &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		snprintf(path, sizeof(path), POOLS "/%s/state", names.items[i]);
		if (tree_exists(root, path))
			add_place(places, names.items[i], "pool");
	}
}

/* From the mounted datasets, each pool once. */
static void find_mounted_pools(const char *root, struct places *places)
{
	_cleanup_mountinfo_ struct mountinfo *mountinfo = NULL;
	char before[POOL_NAME_SIZE] = "";
	struct mount_line *line;

	mountinfo_read(root, &mountinfo);
	while ((line = mountinfo_next(mountinfo))) {
		*strchrnul(line->source, '/') = '\0';
		if (strcmp(line->kind, "zfs") != 0 || strcmp(line->source, before) == 0)
			continue;
		add_place(places, line->source, "pool");
		text_copy(before, sizeof(before), line->source);
	}
}

void check_zfs(struct preflight_context *context)
{
	struct places places = { 0 };
	struct check *check;

	find_pools(context->root, &places);
	if (!places.used && !places.more)
		find_mounted_pools(context->root, &places);
	if (!places.used && !places.more)
		return;
	check = preflight_add(context, "zfs", CHECK_WARNING,
			      "ZFS is in use: %s; a boot that imports a pool before the image is "
			      "restored changes it; the restored kernel continues from its old "
			      "state, which can destroy the pool",
			      places.text);
	preflight_advise(check, "export pools that are not needed (zpool export), and make sure "
				"that the initramfs runs resume before it imports a pool; resume "
				"detects a changed pool if it can see its devices");
}
