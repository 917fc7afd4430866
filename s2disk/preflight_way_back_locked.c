/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way back: encrypted devices, which somebody must open in the initramfs. */
#include "preflight_way_back_private.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "swap/device_stack.h"

#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

static bool read_stack(const struct way *way, dev_t dev, struct device_stack *ret)
{
	return device_stack_read(way->context->root, dev, ret, NULL) == 0;
}

bool way_encrypted(const struct way *way, char *name, size_t size)
{
	struct device_stack stack;

	if (!read_stack(way, way->context->target->area->dev, &stack))
		return false;
	for (size_t i = 0; i < stack.count; i++)
		if (stack.layers[i].kind == LAYER_CRYPT)
			return text_copy(name, size, stack.layers[i].mapper);
	return false;
}

/* What is mounted on /, as /proc/mounts or root= calls it. */
static bool root_device(const struct way *way, char *ret, size_t size)
{
	const char *at = strstr(way->cmdline, "root=");
	const struct mntent *entry;
	_cleanup_fclose_ FILE *file = NULL;
	char path[PATH_MAX];

	ret[0] = '\0';
	if (at && (at == way->cmdline || at[-1] == ' '))
		snprintf(ret, size, "%.*s", (int)strcspn(at + 5, " \n"), at + 5);
	snprintf(path, sizeof(path), "%s/proc/mounts", way->context->root);
	file = setmntent(path, "re");
	while (file && (entry = getmntent(file)))
		if (strcmp(entry->mnt_dir, "/") == 0 && text_starts(entry->mnt_fsname, "/dev/"))
			text_copy(ret, size, entry->mnt_fsname);
	return ret[0] != '\0';
}

/* What root lies on; count 0 where that is not known. */
static void root_stack(const struct way *way, struct device_stack *ret)
{
	struct swap_area found;
	char spec[256];

	ret->count = 0;
	if (root_device(way, spec, sizeof(spec)) &&
	    way->context->system->resolve(spec, 0, false, &found, NULL) == 0 &&
	    !read_stack(way, found.dev, ret))
		ret->count = 0;
}

static bool is_in(const struct device_stack *stack, dev_t dev)
{
	for (size_t i = 0; i < stack->count; i++)
		if (stack->layers[i].dev == dev)
			return true;
	return false;
}

/* The 32 digits of "CRYPT-LUKS2-<digits>-name", what the device mapper calls it. */
static void luks_uuid(const struct way *way, dev_t dev, char ret[33])
{
	char path[64], text[256];
	const char *digits;

	ret[0] = '\0';
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/dm/uuid", major(dev), minor(dev));
	if (io_read_text(way->context->root, path, text, sizeof(text)) <= 0 ||
	    !text_starts(text, "CRYPT-LUKS"))
		return;
	digits = strchr(text + strlen("CRYPT-"), '-');
	if (digits && strspn(digits + 1, "0123456789abcdef") >= 32)
		snprintf(ret, 33, "%s", digits + 1);
}

bool way_find_locked(const struct way *way, const struct initramfs *initramfs, const char *cmdline,
		     const char *spec, char *name, size_t size)
{
	dev_t dev = way->context->target->area->dev;
	struct device_stack stack, root;
	char uuid[33];

	if (!read_stack(way, dev, &stack) || !device_stack_has(&stack, LAYER_CRYPT))
		return false;
	root_stack(way, &root);
	for (size_t i = 0; i < stack.count; i++) {
		const struct device_layer *layer = &stack.layers[i];
		bool by_name = layer->dev == dev && text_starts(spec, "/dev/mapper/");

		if (layer->kind != LAYER_CRYPT || is_in(&root, layer->dev))
			continue;
		luks_uuid(way, layer->dev, uuid);
		if (initramfs_opens(initramfs, cmdline, layer->mapper, uuid, !by_name))
			continue;
		text_copy(name, size, layer->mapper);
		return true;
	}
	return false;
}
