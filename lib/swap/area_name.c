/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swap/area_name.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "swap/device_stack.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What libblkid reads from the device; "" for nothing. */
struct identity {
	char uuid[64];
	char uuid_sub[64]; /* btrfs with several devices: which of them this is */
	char type[16];
	char part_uuid[64];
};

static void take_value(blkid_probe probe, const char *name, char *buffer, size_t size)
{
	const char *value;

	if (blkid_probe_lookup_value(probe, name, &value, NULL) < 0 ||
	    !text_copy(buffer, size, value))
		buffer[0] = '\0';
}

static int probe_device(const char *device, struct identity *ret, struct why *w)
{
	blkid_probe probe = blkid_new_probe_from_filename(device);
	int r;

	if (!probe)
		return why(w, -EIO, "%s cannot be read: %s", device, strerror(errno));
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_UUID | BLKID_SUBLKS_TYPE);
	blkid_probe_enable_partitions(probe, 1);
	blkid_probe_set_partitions_flags(probe, BLKID_PARTS_ENTRY_DETAILS);
	r = blkid_do_safeprobe(probe);
	if (r == 0) {
		take_value(probe, "UUID", ret->uuid, sizeof(ret->uuid));
		take_value(probe, "TYPE", ret->type, sizeof(ret->type));
		take_value(probe, "UUID_SUB", ret->uuid_sub, sizeof(ret->uuid_sub));
		take_value(probe, "PART_ENTRY_UUID", ret->part_uuid, sizeof(ret->part_uuid));
	}
	blkid_free_probe(probe);
	return r < 0 ? why(w, -EIO, "%s: its content cannot be identified", device) : 0;
}

/* Does another device have the same UUID? If unknown, assume yes: other names are just as good. */
static bool is_shared(const char *device, const char *uuid)
{
	blkid_cache cache = NULL;
	blkid_dev_iterate all;
	blkid_dev found;
	struct stat st, other;
	bool shared = false;

	if (stat(device, &st) < 0 || blkid_get_cache(&cache, "/dev/null") < 0)
		return true;
	blkid_probe_all(cache);
	all = blkid_dev_iterate_begin(cache);
	blkid_dev_set_search(all, "UUID", uuid);
	while (blkid_dev_next(all, &found) == 0)
		if (stat(blkid_dev_devname(found), &other) == 0 && other.st_rdev != st.st_rdev)
			shared = true;
	blkid_dev_iterate_end(all);
	blkid_put_cache(cache);
	return shared;
}

static bool find_mapper(const char *root, dev_t dev, char *buffer, size_t size)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));

	return stack && device_stack_read(root, dev, stack, NULL) == 0 &&
	       stack->layers[0].mapper[0] &&
	       snprintf(buffer, size, "/dev/mapper/%s", stack->layers[0].mapper) < (int)size;
}

int area_name(const char *root, dev_t dev, const char *device, char *buffer, size_t size,
	      struct why *w)
{
	struct identity id = { .uuid = "" };
	int r = probe_device(device, &id, w), length = -1;

	if (r < 0)
		return r;
	/* A copied disk has the UUID of the original's swap; copied file systems are
	 * noticed when they are mounted. */
	if (id.uuid[0] &&
	    !((id.uuid_sub[0] || strcmp(id.type, "swap") == 0) && is_shared(device, id.uuid)))
		length = snprintf(buffer, size, "UUID=%s", id.uuid);
	else if (find_mapper(root, dev, buffer, size))
		return 0;
	else if (id.part_uuid[0])
		length = snprintf(buffer, size, "PARTUUID=%s", id.part_uuid);
	else
		length = snprintf(buffer, size, "%s", device);
	return length < 0 || (size_t)length >= size
		       ? why(w, -ENAMETOOLONG, "the name of %s is too long", device)
		       : 0;
}
