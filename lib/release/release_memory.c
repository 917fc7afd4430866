/* SPDX-License-Identifier: GPL-2.0-or-later */
/* release_plan: memory blocks that the machine may not have when it starts again. */
#include "release/release_plan_private.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "base/tree.h"
#include "platform/hardware/device_users.h"
#include "platform/memory/offlined.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS "/sys/devices/system/memory"
#define VIRTIO_MEM_ID "0018"

/* Why no block can be offlined before a snapshot: with this, the records of each block's page
 * frames (struct page) lie in the block itself, are used while it is offline, and are not in the
 * image (mm/memory_hotplug.c, mhp_memmap_on_memory()). Not so with virtio-mem's, which does not ask
 * for it (virtio_mem_add_memory()). */
static bool maps_in_memory(const char *root)
{
	char text[16];

	return tree_text(root, text, sizeof(text),
			 "/sys/module/memory_hotplug/parameters/memmap_on_memory") &&
	       text[0] != 'N' && text[0] != '0';
}

/* Linux 6.2 and later does not set a block online that has a poisoned page (memory_block_online()
 * in drivers/base/memory.c: EHWPOISON), and earlier ones would use the page again. */
static void block_if_poisoned(const struct planner *planner, const struct frame_list *poisoned,
			      int error, struct release_entry *entry)
{
	uint64_t size = planner->platform->ram.pages.page_size;

	/* A user who only looks may not see them; nor does a report have them. */
	if (error < 0 && (io_only_looks() || (error == -EACCES && geteuid() != 0)))
		return;
	if (error < 0)
		text_copy(entry->blocked, sizeof(entry->blocked),
			  "the kernel counts poisoned pages (HardwareCorrupted), and whether "
			  "they are in it is not known");
	else if (size > 0 && frames_within(poisoned->items, poisoned->count, entry->start / size,
					   entry->end / size) > 0)
		text_copy(entry->blocked, sizeof(entry->blocked),
			  "pages of it are poisoned (HardwareCorrupted), and with them it would "
			  "not come online again before the next boot");
}

static void block_if_impossible(struct planner *planner, uint64_t bytes,
				struct release_entry *entry)
{
	uint64_t available = planner->platform->ram.pages.available;
	uint64_t left = available > planner->offlined ? available - planner->offlined : 0;

	if (entry->blocked[0])
		return;
	if (available > 0 && left < bytes)
		snprintf(entry->blocked, sizeof(entry->blocked),
			 "only %" PRIu64 " MiB of memory are available, and what is in the %" PRIu64
			 " MiB must go elsewhere",
			 left >> 20, bytes >> 20);
	else
		planner->offlined += bytes;
}

/* A block comes back into the zone that it was in. */
static bool block_is_online(const char *root, const char *name, struct release_entry *entry)
{
	char state[24], zones[64];

	if (!tree_text(root, state, sizeof(state), BLOCKS "/%s/state", name) ||
	    strcmp(state, "online") != 0)
		return false;
	if (!tree_text(root, zones, sizeof(zones), BLOCKS "/%s/valid_zones", name))
		zones[0] = '\0';
	text_copy(entry->zone, sizeof(entry->zone),
		  text_starts(zones, "Movable")	 ? "online_movable"
		  : text_starts(zones, "Normal") ? "online_kernel"
						 : "online");
	return true;
}

/* "memory32": the 33rd block. */
static bool block_range(const char *name, uint64_t size, struct release_entry *entry)
{
	uint64_t index;

	if (!text_starts(name, "memory") || text_parse_u64(name + strlen("memory"), &index) < 0 ||
	    !checked_mul(index, size, &entry->start))
		return false;
	entry->end = entry->start + size - 1;
	return entry->end > entry->start;
}

/* The blocks that lie in start … end, each as like, with what differs. */
static int plan_blocks(struct planner *planner, uint64_t start, uint64_t end,
		       const struct release_entry *like)
{
	uint64_t size = planner->platform->ram.pages.block_size;
	_cleanup_names_ struct tree_names names = { 0 };
	int r;

	if (size == 0)
		return 0;
	r = tree_list(planner->root, BLOCKS, &names);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		struct release_entry entry = *like;

		if (!block_range(names.items[i], size, &entry) || entry.start < start ||
		    entry.end > end || !text_copy(entry.name, sizeof(entry.name), names.items[i]) ||
		    !block_is_online(planner->root, names.items[i], &entry))
			continue;
		snprintf(entry.what, sizeof(entry.what), "%" PRIu64 " MiB of memory at 0x%" PRIx64,
			 size >> 20, entry.start);
		r = plan_append(planner, &entry);
	}
	return r;
}

static int plan_added(struct planner *planner)
{
	const struct memory_map *map = &planner->platform->map;
	_cleanup_frames_ struct frame_list poisoned = { 0 };
	int error = 0, r = 0;

	if (map->entries.count > map->table_count)
		error = offlined_poisoned(planner->root, &planner->platform->ram, &poisoned);
	if (error == -ENOMEM)
		return error;
	for (size_t i = map->table_count; r == 0 && i < map->entries.count; i++) {
		const struct memory_entry *added = &map->entries.items[i];
		struct release_entry entry = {
			.kind = RELEASE_OFFLINE,
			.group = ++planner->groups,
			.reason = "it was added to the running machine, and may be missing when "
				  "that starts again",
			.source = RELEASE_BUILT_IN,
			.start = added->start,
			.end = added->end,
		};

		block_if_poisoned(planner, &poisoned, error, &entry);
		if (!entry.blocked[0] && maps_in_memory(planner->root))
			text_copy(entry.blocked, sizeof(entry.blocked),
				  "its memory map is in that memory (memmap_on_memory)");
		block_if_impossible(planner, added->end - added->start + 1, &entry);
		r = plan_blocks(planner, added->start, added->end, &entry);
	}
	return r;
}

static const struct virtio_mem *memory_of(const struct platform *platform, const char *name)
{
	for (size_t i = 0; i < platform->ram.virtio.count; i++)
		if (strcmp(platform->ram.virtio.items[i].device, name) == 0)
			return &platform->ram.virtio.items[i];
	return NULL;
}

/* Without its driver nothing refuses the hibernation, but what is online of its memory is in an
 * image that no later boot has the memory for, and the driver would not come back.
 * plan_virtio_mem() offlines it first. */
void plan_keep_memory(const struct planner *planner, const char *path, struct release_entry *entry)
{
	for (size_t i = 0; i < planner->platform->ram.virtio.count && !entry->lasting; i++) {
		const struct virtio_mem *memory = &planner->platform->ram.virtio.items[i];
		_cleanup_free_ char *device = NULL;
		char link[128];

		snprintf(link, sizeof(link), "/sys/bus/virtio/devices/%s", memory->device);
		device = memory->added > 0 ? tree_path(planner->root, link) : NULL;
		if (!device || !device_path_within(device, path))
			continue;
		snprintf(entry->blocked, sizeof(entry->blocked),
			 "%" PRIu64
			 " MiB of memory are plugged in %.40s; see \"release virtio-mem\"",
			 memory->added >> 20, memory->device);
		return;
	}
}

/* The driver refuses to hibernate, and to restore, with and without memory
 * (virtio_mem_pm_notifier() in drivers/virtio/virtio_mem.c; virtio_mem_freeze() before Linux 6.12).
 * What is plugged is gone after a restart. A device that had memory when it was unbound, online or
 * not (virtio_mem_has_memory_added()), cannot be bound again before the next boot
 * (virtio_mem_create_resource(): EBUSY). */
static int plan_virtio_mem(struct planner *planner, const struct device *device)
{
	const struct virtio_mem *memory = memory_of(planner->platform, device->address);
	bool added = memory && memory->added > 0;
	struct release_entry entry = {
		.kind = RELEASE_OFFLINE,
		.needed = true,
		.lasting = added,
		.reason = "its driver does not hibernate",
		.source = added ? "release virtio-mem" : RELEASE_BUILT_IN,
	};
	int r = 0;

	if (added && !planner->config->virtio_mem)
		return 0;
	if (added) {
		block_if_impossible(planner, memory->plugged, &entry);
		entry.group = ++planner->groups;
		r = plan_blocks(planner, memory->start, memory->end, &entry);
	}
	entry.kind = RELEASE_UNBIND;
	text_copy(entry.bus, sizeof(entry.bus), device->bus);
	text_copy(entry.name, sizeof(entry.name), device->address);
	text_copy(entry.driver, sizeof(entry.driver), device->driver);
	snprintf(entry.what, sizeof(entry.what), "virtio-mem device %s", device->address);
	return r < 0 ? r : plan_device(planner, &entry);
}

int plan_memory(struct planner *planner)
{
	const struct devices *devices = &planner->platform->devices;
	int r = plan_added(planner);

	for (size_t i = 0; r == 0 && i < devices->items.count; i++) {
		const struct device *device = &devices->items.items[i];

		if (strcmp(device->bus, "virtio") == 0 && strcmp(device->id, VIRTIO_MEM_ID) == 0 &&
		    *device->driver)
			r = plan_virtio_mem(planner, device);
	}
	return r;
}
