/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/memory/ram.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/tree.h"

#include <inttypes.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_LIMIT (16u << 20)
#define BLOCKS_PATH "/sys/devices/system/memory"

void ram_free(struct ram *ram)
{
	list_free(&ram->used);
	list_free(&ram->offline);
	list_free(&ram->virtio);
	list_free(&ram->poisoned);
	list_free(&ram->zones.items);
}

/* "  00100000-1fffffff : System RAM" */
static bool parse_resource(const char *line, struct byte_range *range, const char **name)
{
	int used = 0;

	if (sscanf(line, " %" SCNx64 "-%" SCNx64 " : %n", &range->start, &range->end, &used) != 2 ||
	    used == 0 || range->start > range->end)
		return false;
	*name = line + used;
	return true;
}

static bool is_virtio_name(const char *name)
{
	const char *digits = text_starts(name, "virtio") ? name + strlen("virtio") : "";

	return *digits && strspn(digits, "0123456789") == strlen(digits);
}

static int add_virtio(struct ram *ram, const struct byte_range *range, const char *name)
{
	struct virtio_mem device = { .start = range->start, .end = range->end };

	if (ram->virtio.count == VIRTIO_MEM_MAX)
		return 0;
	text_copy(device.device, sizeof(device.device), name);
	return list_append(&ram->virtio, device);
}

static void add_plugged(struct ram *ram, const struct byte_range *range)
{
	for (size_t i = 0; i < ram->virtio.count; i++) {
		struct virtio_mem *device = &ram->virtio.items[i];

		if (range->start < device->start || range->end > device->end)
			continue;
		device->added += range->end - range->start + 1;
		device->plugged = device->added;
	}
}

int ram_parse_iomem(const char *text, struct ram *ram)
{
	_cleanup_free_ char *copy = strdup(text);
	char *at = copy, *line;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	while (r == 0 && (line = strsep(&at, "\n"))) {
		struct byte_range range;
		const char *name;

		/* Without privileges all addresses read as zero. */
		if (!parse_resource(line, &range, &name) || range.end == 0)
			continue;
		if (is_virtio_name(name)) {
			r = add_virtio(ram, &range, name);
		} else if (text_starts(name, "System RAM") && ram->used.count < RAM_RANGES_MAX) {
			add_plugged(ram, &range);
			r = list_append(&ram->used, range);
		}
	}
	ram->used.known = ram->used.count > 0;
	ram->virtio.known = ram->used.known;
	return r;
}

/* Any virtio device may claim memory; only virtio-mem's contains RAM. One with nothing
 * plugged counts too, if its driver gave it the name. */
static void drop_other_virtio(const char *root, struct ram *ram)
{
	size_t kept = 0;

	for (size_t i = 0; i < ram->virtio.count; i++) {
		struct virtio_mem *device = &ram->virtio.items[i];
		char driver[64];
		uint64_t id = 0;

		/* It is unbound already, and what it had is offline until the next boot. */
		if (!tree_link(root, driver, sizeof(driver), "/sys/bus/virtio/devices/%s/driver",
			       device->device))
			device->added = 0;
		tree_u64(root, &id, "/sys/bus/virtio/devices/%s/device", device->device);
		if (id == 24 || device->plugged > 0)
			ram->virtio.items[kept++] = *device;
	}
	ram->virtio.count = kept;
}

/* Pure: the sum of "present" in /proc/zoneinfo's text. */
static uint64_t parse_zoneinfo(const char *text)
{
	uint64_t total = 0, pages;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += strspn(line, " \n");
		if (sscanf(line, "present %" SCNu64, &pages) == 1)
			total += pages;
	}
	return total;
}

static uint64_t available_bytes(const char *text)
{
	const char *at = strstr(text, "MemAvailable:");
	uint64_t kib;

	if (!at || sscanf(at, "MemAvailable: %" SCNu64, &kib) != 1)
		return 0;
	return kib * 1024;
}

static int add_offline(struct ram *ram, uint64_t start, uint64_t size)
{
	struct byte_range range = { start, start + size - 1 };
	struct byte_range *last =
		ram->offline.count ? &ram->offline.items[ram->offline.count - 1] : NULL;

	if (last && last->end + 1 == start) {
		last->end = range.end;
		return 0;
	}
	return list_append(&ram->offline, range);
}

static int capture_blocks(const char *root, struct ram *ram)
{
	_cleanup_names_ struct tree_names names = { 0 };
	struct memory_pages *pages = &ram->pages;
	int r = 0;

	if (!tree_hex(root, &pages->block_size, BLOCKS_PATH "/block_size_bytes") ||
	    !is_power_of_two(pages->block_size))
		return 0;
	r = tree_list(root, BLOCKS_PATH, &names);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		uint64_t index, start;
		char state[24];

		if (!tree_hex(root, &index, BLOCKS_PATH "/%s/phys_index", names.items[i]) ||
		    !tree_text(root, state, sizeof(state), BLOCKS_PATH "/%s/state",
			       names.items[i]) ||
		    !checked_mul(index, pages->block_size, &start))
			continue;
		pages->blocks++;
		if (strcmp(state, "online") == 0)
			pages->blocks_online++;
		else if (ram->offline.count < RAM_RANGES_MAX)
			r = add_offline(ram, start, pages->block_size);
	}
	ram->offline.known = r == 0;
	return r == -ENOMEM ? r : 0;
}

/* An offline block is in /proc/iomem as before, but nothing uses it. */
static void subtract_offline(struct ram *ram)
{
	for (size_t i = 0; i < ram->virtio.count; i++) {
		struct virtio_mem *device = &ram->virtio.items[i];

		for (size_t n = 0; n < ram->offline.count; n++) {
			const struct byte_range *range = &ram->offline.items[n];
			uint64_t start = max_u64(range->start, device->start);
			uint64_t end = min_u64(range->end, device->end);

			if (start <= end)
				device->plugged -= min_u64(device->plugged, end - start + 1);
		}
	}
}

/* A file that may be absent (*ret stays NULL). A lack of memory does not count as
 * absence: the record would describe another machine. 0 or -ENOMEM. */
static int read_if_there(const char *root, const char *path, char **ret)
{
	return io_read_file(root, path, FILE_LIMIT, ret, NULL) == -ENOMEM ? -ENOMEM : 0;
}

static uint32_t capture_offlining(const char *root)
{
	uint64_t enabled = 1;

	if (!tree_exists(root, BLOCKS_PATH "/soft_offline_page"))
		return OFFLINING_ABSENT;
	tree_u64(root, &enabled, "/proc/sys/vm/enable_soft_offline");
	return enabled ? OFFLINING_POSSIBLE : OFFLINING_DISABLED;
}

int ram_capture(const char *root, struct ram *ret)
{
	_cleanup_free_ char *iomem = NULL, *zones = NULL, *meminfo = NULL;
	struct ram ram = { 0 };
	int r = read_if_there(root, "/proc/iomem", &iomem);

	ram.pages.page_size = page_size();
	if (r == 0)
		r = read_if_there(root, "/proc/zoneinfo", &zones);
	if (r == 0)
		r = read_if_there(root, "/proc/meminfo", &meminfo);
	if (r == 0 && iomem)
		r = ram_parse_iomem(iomem, &ram);
	if (zones)
		ram.pages.present = parse_zoneinfo(zones);
	if (r == 0 && zones)
		r = zones_parse(zones, &ram.zones);
	if (meminfo)
		ram.pages.available = available_bytes(meminfo);
	ram.pages.offlining = capture_offlining(root);
	drop_other_virtio(root, &ram);
	if (r == 0)
		r = capture_blocks(root, &ram);
	subtract_offline(&ram);
	if (r < 0) {
		ram_free(&ram);
		return r;
	}
	*ret = ram;
	return 0;
}
