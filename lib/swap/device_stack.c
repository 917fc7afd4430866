/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swap/device_stack.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "base/tree.h"
#include "swap/mapper_targets.h"
#include "swap/wiped_disk.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* Reads one line of an attribute of the device; "" if there is none. */
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

/* …/session1/target2:0:0/…, of the kernel's drivers/scsi/scsi_transport_iscsi.c. */
static bool is_iscsi(const char *root, dev_t dev)
{
	_cleanup_free_ char *path = device_path(root, dev);
	const char *session = path ? strstr(path, "/session") : NULL;

	return session && numbered(session, "/session") &&
	       numbered(strchrnul(session + 1, '/'), "/target");
}

/* Is this an attribute of an NVMe controller that is reached over a network? */
static bool is_fabric(const char *root, dev_t dev, const char *attribute)
{
	char transport[16];

	read_attribute(root, dev, attribute, transport, sizeof(transport));
	return transport[0] && strcmp(transport, "pcie") != 0 && strcmp(transport, "apple-nvme");
}

/* The device's directory is in the controller's, or in that of a subsystem with several
 * controllers (multipath); see the kernel's drivers/nvme/host/multipath.c. */
static bool is_nvme_fabric(const char *root, dev_t dev)
{
	char path[64], attribute[NAME_MAX + 32];
	_cleanup_names_ struct tree_names names = { 0 };
	bool found = is_fabric(root, dev, "device/transport");

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/device", major(dev), minor(dev));
	if (found || tree_list_ending(root, path, "", &names) < 0)
		return found;
	for (size_t i = 0; i < names.count && !found; i++) {
		snprintf(attribute, sizeof(attribute), "device/%s/transport", names.items[i]);
		found = numbered(names.items[i], "nvme") && is_fabric(root, dev, attribute);
	}
	return found;
}

static bool is_network(const char *root, const struct device_layer *layer)
{
	static const char *const names[] = { "nbd", "rbd", "rnbd", "drbd" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (numbered(layer->name, names[i]))
			return true;
	return text_starts(layer->name, "etherd/") || is_iscsi(root, layer->dev) ||
	       (numbered(layer->name, "nvme") && is_nvme_fabric(root, layer->dev));
}

/* What the kernel does not report is in the names that LVM and cryptsetup give: LVM's
 * build_dm_uuid() in its lib/misc/lvm-string.c, and the names of its hidden volumes. */
static const char *changing_by_name(const char *uuid, const char *name)
{
	static const struct {
		const char *end, *what;
	} ends[] = {
		{ "-tpool", "thin pool" },
		{ "-tdata", "thin pool" },
		{ "-tmeta", "thin pool" },
		{ "-pool", "thin pool" },
		{ "-cdata", "cache" },
		{ "-cmeta", "cache" },
		{ "-cpool", "cache" },
		{ "-cvol", "cache" },
		{ "-vpool", "VDO pool" },
		{ "-vdata", "VDO pool" },
		{ "-real", "snapshot or cache" },
		{ "-cow", "snapshot" },
	};

	for (size_t i = 0; text_starts(uuid, "LVM-") && i < ARRAY_SIZE(ends); i++)
		if (text_ends(uuid, ends[i].end))
			return ends[i].what;
	if (text_starts(uuid, "CRYPT-INTEGRITY-") || text_ends(name, "_imeta") ||
	    text_ends(name, "_iorig") ||
	    (text_starts(uuid, "CRYPT-SUBDEV-") && text_ends(name, "_dif")))
		return "integrity";
	return NULL;
}

/* Of the kernel's targets, those that keep no record of what is written, or, like raid's
 * bitmap and mirror's log, only one of where copies may differ. */
static bool is_plain_target(const char *target)
{
	static const char *const plain[] = { "linear", "striped",   "crypt",  "raid",	  "mirror",
					     "error",  "multipath", "switch", "unstripe", "delay",
					     "flakey", "verity",    "zero",   "dust",	  "ebs",
					     "raid45", "unstriped" };

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (strcmp(target, plain[i]) == 0)
			return true;
	return false;
}

/* The layer's kind, from its table, which is split into words. */
static void examine_targets(char *targets, struct device_layer *layer)
{
	char *target;

	while ((target = strsep(&targets, " "))) {
		if (!target[0])
			continue;
		if (!is_plain_target(target)) {
			layer->kind = LAYER_CHANGING;
			text_copy(layer->detail, sizeof(layer->detail), target);
			return;
		}
		/* Created by dmsetup, or by a library that sets no UUID. */
		if (strcmp(target, "crypt") == 0 && layer->kind == LAYER_MAPPER) {
			layer->kind = LAYER_CRYPT;
			text_copy(layer->detail, sizeof(layer->detail), "PLAIN");
		}
	}
}

/* CRYPT-LUKS2-<32 digits>-NAME, as set by cryptsetup. */
static void take_luks(struct device_layer *layer, const char *uuid)
{
	unsigned int n[5];

	if (text_starts(uuid, "CRYPT-LUKS") && strlen(uuid) >= 44 &&
	    sscanf(uuid + 12, "%8x%4x%4x%4x%4x", &n[0], &n[1], &n[2], &n[3], &n[4]) == 5)
		snprintf(layer->luks, sizeof(layer->luks), "%08x-%04x-%04x-%04x-%.12s", n[0], n[1],
			 n[2], n[3], uuid + 32);
}

static void examine_mapper(const char *root, struct device_layer *layer)
{
	char uuid[192], targets[MAPPER_TARGETS_SIZE];
	const char *changing;

	read_attribute(root, layer->dev, "dm/name", layer->mapper, sizeof(layer->mapper));
	read_attribute(root, layer->dev, "dm/uuid", uuid, sizeof(uuid));
	changing = changing_by_name(uuid, layer->mapper);
	layer->kind = LAYER_MAPPER;
	if (changing) {
		layer->kind = LAYER_CHANGING;
		text_copy(layer->detail, sizeof(layer->detail), changing);
	} else if (text_starts(uuid, "LVM-")) {
		layer->kind = LAYER_LVM;
	} else if (text_starts(uuid, "CRYPT-") && !text_starts(uuid, "CRYPT-SUBDEV-")) {
		layer->kind = LAYER_CRYPT;
		text_copy(layer->detail, sizeof(layer->detail), uuid + strlen("CRYPT-"));
		*strchrnul(layer->detail, '-') = '\0';
		take_luks(layer, uuid);
	} else if (text_starts(uuid, "part")) {
		layer->kind = LAYER_PARTITION;
	}
	if (changing)
		return;
	if (mapper_targets_read(root, layer->dev, targets, sizeof(targets)) == 0)
		examine_targets(targets, layer);
	else
		layer->unknown = layer->kind == LAYER_MAPPER;
}

/* The journal of a RAID 5, or its partial parity log. */
static void examine_raid(const char *root, struct device_layer *layer)
{
	char policy[32];

	layer->kind = LAYER_MD;
	read_attribute(root, layer->dev, "md/consistency_policy", policy, sizeof(policy));
	if (strcmp(policy, "journal") == 0 || strcmp(policy, "ppl") == 0) {
		layer->kind = LAYER_CHANGING;
		snprintf(layer->detail + strlen(layer->detail),
			 sizeof(layer->detail) - strlen(layer->detail), " with %s",
			 policy[0] == 'j' ? "a journal" : "a partial parity log");
	}
}

static void examine_disk(const char *root, struct device_layer *layer)
{
	const char *wiped = wiped_disk_kind(root, layer->dev);

	layer->kind = wiped ? LAYER_WIPED : LAYER_DISK;
	if (wiped)
		text_copy(layer->detail, sizeof(layer->detail), wiped);
}

static void examine(const char *root, struct device_layer *layer)
{
	char text[16];

	if (numbered(layer->name, "dm-")) {
		examine_mapper(root, layer);
		return;
	}
	read_attribute(root, layer->dev, "md/level", layer->detail, 32);
	if (layer->detail[0]) {
		examine_raid(root, layer);
		return;
	}
	read_attribute(root, layer->dev, "loop/backing_file", layer->detail, sizeof(layer->detail));
	read_attribute(root, layer->dev, "partition", text, sizeof(text));
	if (text[0])
		layer->kind = LAYER_PARTITION;
	else if (layer->detail[0] || numbered(layer->name, "loop"))
		layer->kind = LAYER_LOOP;
	else if (numbered(layer->name, "bcache")) {
		layer->kind = LAYER_CHANGING;
		text_copy(layer->detail, sizeof(layer->detail), "bcache");
	} else if (numbered(layer->name, "ublkb"))
		layer->kind = LAYER_SERVED;
	else if (numbered(layer->name, "zram") || numbered(layer->name, "ram") ||
		 numbered(layer->name, "nullb"))
		layer->kind = LAYER_MEMORY;
	else if (is_network(root, layer))
		layer->kind = LAYER_NETWORK;
	else if (numbered(layer->name, "zd"))
		layer->kind = LAYER_ZVOL;
	else
		examine_disk(root, layer);
}

static int add(const char *root, dev_t dev, struct device_stack *stack, struct why *w);

/* The disk of a partition is the directory above it. */
static int add_disk(const char *root, dev_t dev, struct device_stack *stack, struct why *w)
{
	char text[32];
	dev_t above;

	read_attribute(root, dev, "../dev", text, sizeof(text));
	return parse_numbers(text, &above) ? add(root, above, stack, w) : 0;
}

static int add_slaves(const char *root, dev_t dev, struct device_stack *stack, struct why *w)
{
	char path[64], attribute[NAME_MAX + 16], text[32];
	_cleanup_names_ struct tree_names names = { 0 };
	dev_t below;
	int r;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/slaves", major(dev), minor(dev));
	r = tree_list_ending(root, path, "", &names);
	if (r < 0)
		return r == -ENAMETOOLONG || r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < names.count && r == 0; i++) {
		snprintf(attribute, sizeof(attribute), "slaves/%s/dev", names.items[i]);
		read_attribute(root, dev, attribute, text, sizeof(text));
		if (parse_numbers(text, &below))
			r = add(root, below, stack, w);
	}
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
	if (!read_name(root, dev, layer->name, sizeof(layer->name))) {
		if (stack->count == 1)
			return why(w, -ENODEV, "sysfs does not know the block device %u:%u",
				   major(dev), minor(dev));
		stack->cut = true;
		stack->count--;
		return 0;
	}
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

bool device_stack_known(const struct device_stack *stack)
{
	for (size_t i = 0; i < stack->count; i++)
		if (stack->layers[i].unknown)
			return false;
	return !stack->cut;
}

bool device_stack_has(const struct device_stack *stack, enum layer_kind kind)
{
	for (size_t i = 0; i < stack->count; i++)
		if (stack->layers[i].kind == kind)
			return true;
	return false;
}

bool device_stack_lists(const struct device_stack *stack, dev_t dev)
{
	for (size_t i = 0; i < stack->count; i++)
		if (stack->layers[i].dev == dev)
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
	case LAYER_CHANGING:
	case LAYER_WIPED:
		snprintf(buffer, size, "%s %s", layer->detail,
			 layer->mapper[0] ? layer->mapper : layer->name);
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
	case LAYER_SERVED:
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
