/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swap/device_stack.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define CRYPTTAB_LIMIT 1048576

/* Reads one line of an attribute of the device; "" where there is none. */
static void read_attribute(const char *root, dev_t dev, const char *name, char *text, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(dev), minor(dev), name);
	if (io_read_text(root, path, text, size) < 0)
		text[0] = '\0';
	*strchrnul(text, '\n') = '\0';
	text_make_printable(text);
}

static bool parse_numbers(const char *text, dev_t *ret)
{
	unsigned int high, low;
	char rest;

	if (sscanf(text, "%u:%u%c", &high, &low, &rest) != 2)
		return false;
	*ret = makedev(high, low);
	return true;
}

/* The kernel's name is in uevent. */
static bool read_name(const char *root, dev_t dev, char *name, size_t size)
{
	char path[64], text[1024], *at;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/uevent", major(dev), minor(dev));
	if (io_read_text(root, path, text, sizeof(text)) < 0)
		return false;
	at = strstr(text, "DEVNAME=");
	if (!at)
		return false;
	at += strlen("DEVNAME=");
	*strchrnul(at, '\n') = '\0';
	text_make_printable(at);
	return text_copy(name, size, at);
}

static bool numbered(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);

	return text_starts(name, prefix) && name[length] >= '0' && name[length] <= '9';
}

static bool is_iscsi(const char *root, dev_t dev)
{
	char path[PATH_MAX];
	_cleanup_free_ char *real = NULL;

	if (snprintf(path, sizeof(path), "%s/sys/dev/block/%u:%u", root, major(dev), minor(dev)) >=
	    (int)sizeof(path))
		return false;
	real = realpath(path, NULL);
	return real && strstr(real, "/session") && strstr(real, "/target");
}

static void examine_mapper(const char *root, struct device_layer *layer)
{
	char uuid[192];

	read_attribute(root, layer->dev, "dm/name", layer->mapper, sizeof(layer->mapper));
	read_attribute(root, layer->dev, "dm/uuid", uuid, sizeof(uuid));
	layer->kind = LAYER_MAPPER;
	if (text_starts(uuid, "LVM-")) {
		layer->kind = LAYER_LVM;
	} else if (text_starts(uuid, "CRYPT-")) {
		layer->kind = LAYER_CRYPT;
		text_copy(layer->detail, sizeof(layer->detail), uuid + strlen("CRYPT-"));
		*strchrnul(layer->detail, '-') = '\0';
	} else if (text_starts(uuid, "part")) {
		layer->kind = LAYER_PARTITION;
	}
}

static void examine(const char *root, struct device_layer *layer)
{
	char text[16];

	if (numbered(layer->name, "dm-")) {
		examine_mapper(root, layer);
		return;
	}
	read_attribute(root, layer->dev, "md/level", layer->detail, sizeof(layer->detail));
	if (layer->detail[0]) {
		layer->kind = LAYER_MD;
		return;
	}
	read_attribute(root, layer->dev, "loop/backing_file", layer->detail, sizeof(layer->detail));
	read_attribute(root, layer->dev, "partition", text, sizeof(text));
	if (layer->detail[0])
		layer->kind = LAYER_LOOP;
	else if (text[0])
		layer->kind = LAYER_PARTITION;
	else if (numbered(layer->name, "zram") || numbered(layer->name, "ram"))
		layer->kind = LAYER_MEMORY;
	else if (numbered(layer->name, "nbd") || numbered(layer->name, "rbd") ||
		 is_iscsi(root, layer->dev))
		layer->kind = LAYER_NETWORK;
	else if (numbered(layer->name, "zd"))
		layer->kind = LAYER_ZVOL;
	else
		layer->kind = LAYER_DISK;
}

static int add(const char *root, dev_t dev, struct device_stack *stack, struct why *w);

/* The disk of a partition is the folder above it. */
static int add_disk(const char *root, dev_t dev, struct device_stack *stack, struct why *w)
{
	char text[32];
	dev_t above;

	read_attribute(root, dev, "../dev", text, sizeof(text));
	return parse_numbers(text, &above) ? add(root, above, stack, w) : 0;
}

static int add_slaves(const char *root, dev_t dev, struct device_stack *stack, struct why *w)
{
	char path[PATH_MAX], attribute[NAME_MAX + 16], text[32];
	struct dirent **entries;
	int count, r = 0;
	dev_t below;

	if (snprintf(path, sizeof(path), "%s/sys/dev/block/%u:%u/slaves", root, major(dev),
		     minor(dev)) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	count = scandir(path, &entries, NULL, alphasort);
	if (count < 0)
		return 0;
	for (int i = 0; i < count; i++) {
		snprintf(attribute, sizeof(attribute), "slaves/%s/dev", entries[i]->d_name);
		if (r == 0 && entries[i]->d_name[0] != '.') {
			read_attribute(root, dev, attribute, text, sizeof(text));
			if (parse_numbers(text, &below))
				r = add(root, below, stack, w);
		}
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int add(const char *root, dev_t dev, struct device_stack *stack, struct why *w)
{
	struct device_layer *layer;

	for (size_t i = 0; i < stack->count; i++)
		if (stack->layers[i].dev == dev)
			return 0;
	if (stack->count == LAYERS_MAX)
		return why(w, -ELOOP, "more than %d devices lie under it", LAYERS_MAX);
	layer = &stack->layers[stack->count++];
	*layer = (struct device_layer){ .dev = dev };
	if (!read_name(root, dev, layer->name, sizeof(layer->name)))
		return why(w, -ENODEV, "sysfs does not know the block device %u:%u", major(dev),
			   minor(dev));
	examine(root, layer);
	if (layer->kind == LAYER_PARTITION && !layer->mapper[0])
		return add_disk(root, dev, stack, w);
	return add_slaves(root, dev, stack, w);
}

int device_stack_read(const char *root, dev_t dev, struct device_stack *ret, struct why *w)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	int r;

	if (!stack)
		return -ENOMEM;
	r = add(root, dev, stack, w);
	if (r == 0)
		*ret = *stack;
	return r;
}

/* Is this mapping's key made anew at every boot? */
static bool has_random_key(const char *root, const char *mapper)
{
	_cleanup_free_ char *text = NULL;
	char *at, *line;

	if (io_read_file(root, "/etc/crypttab", CRYPTTAB_LIMIT, &text, NULL) < 0)
		return false;
	at = text;
	while ((line = strsep(&at, "\n"))) {
		static const char blanks[] = " \t";
		char *name = strtok_r(line, blanks, &line);
		char *device = name ? strtok_r(NULL, blanks, &line) : NULL;
		char *key = device ? strtok_r(NULL, blanks, &line) : NULL;

		if (key && strcmp(name, mapper) == 0 &&
		    (strcmp(key, "/dev/random") == 0 || strcmp(key, "/dev/urandom") == 0 ||
		     strcmp(key, "/dev/hwrng") == 0 || strcmp(key, "/dev/hw_random") == 0))
			return true;
	}
	return false;
}

static int check_layer(const char *root, const struct device_layer *layer, struct why *w)
{
	switch (layer->kind) {
	case LAYER_LOOP:
		return why(w, -EINVAL,
			   "it is on a loop device (%s, over %s), which is not there when the "
			   "machine boots; put the swap file on the file system that holds %s",
			   layer->name, layer->detail, layer->detail);
	case LAYER_MEMORY:
		return why(w, -EINVAL,
			   "it is on %s, which is memory and lost when the machine is off; put it "
			   "on a disk",
			   layer->name);
	case LAYER_NETWORK:
		return why(w, -EINVAL,
			   "it is on %s, which comes over the network and is not there when the "
			   "machine resumes; put it on a local disk",
			   layer->name);
	case LAYER_ZVOL:
		return why(
			w, -EINVAL,
			"it is on the ZFS volume %s, which may lock up when memory is short; use "
			"a partition of its own",
			layer->name);
	case LAYER_CRYPT:
		if (has_random_key(root, layer->mapper) || strcmp(layer->detail, "TEMP") == 0)
			return why(
				w, -EINVAL,
				"it is on %s, whose key is random at every boot (/etc/crypttab), "
				"so the image could never be read again; use a device with a "
				"passphrase or a key file",
				layer->mapper);
		return 0;
	case LAYER_DISK:
	case LAYER_PARTITION:
	case LAYER_LVM:
	case LAYER_MD:
	case LAYER_MAPPER:
		return 0;
	}
	return 0;
}

int device_stack_check(const char *root, const struct device_stack *stack, struct why *w)
{
	int r = 0;

	for (size_t i = 0; i < stack->count && r == 0; i++)
		r = check_layer(root, &stack->layers[i], w);
	return r;
}

bool device_stack_has(const struct device_stack *stack, enum layer_kind kind)
{
	for (size_t i = 0; i < stack->count; i++)
		if (stack->layers[i].kind == kind)
			return true;
	return false;
}

static void layer_text(const struct device_layer *layer, char *buffer, size_t size)
{
	switch (layer->kind) {
	case LAYER_LVM:
		snprintf(buffer, size, "LVM %s", layer->mapper);
		break;
	case LAYER_CRYPT:
		snprintf(buffer, size, "%s %s", layer->detail[0] ? layer->detail : "dm-crypt",
			 layer->mapper);
		break;
	case LAYER_MAPPER:
		snprintf(buffer, size, "device mapper %s", layer->mapper);
		break;
	case LAYER_MD:
		snprintf(buffer, size, "%s %s", layer->detail, layer->name);
		break;
	case LAYER_PARTITION:
		snprintf(buffer, size, "partition %s",
			 layer->mapper[0] ? layer->mapper : layer->name);
		break;
	case LAYER_LOOP:
		snprintf(buffer, size, "%s over %s", layer->name, layer->detail);
		break;
	case LAYER_DISK:
	case LAYER_MEMORY:
	case LAYER_NETWORK:
	case LAYER_ZVOL:
		snprintf(buffer, size, "%s", layer->name);
		break;
	}
}

const char *device_stack_text(const struct device_stack *stack, char *buffer, size_t size)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < stack->count && used + 1 < size; i++) {
		char text[512];

		layer_text(&stack->layers[i], text, sizeof(text));
		used += (size_t)snprintf(buffer + used, size - used, "%s%s", i > 0 ? " on " : "",
					 text);
	}
	return buffer;
}
