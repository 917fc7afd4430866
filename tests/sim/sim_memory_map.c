/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The firmware's memory map, with a reserved page at a different place in each of three
 * kinds of boots; and the frames that a kernel has offlined. */
#include "sim_private.h"

#include "base/bytes.h"
#include "base/io.h"
#include "platform/memory/e820.h"
#include "platform/memory/memory_map.h"
#include "platform/memory/offlined.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

void *__real_calloc(size_t count, size_t size);
void __wrap_offlined_open(const char *root, struct offlined_access *ret);
int __wrap_offlined_ask(const struct offlined_access *access, uint64_t frame, size_t page_size);
int __wrap_offlined_is_poisoned(const struct offlined_access *access, uint64_t frame);
int __wrap_offlined_is_used(const struct offlined_access *access, uint64_t frame);
int __wrap_offlined_own_add(const char *root, const uint64_t *frames, size_t count, struct why *w);
int __wrap_offlined_find(const char *root, const struct ram *ram, struct frame_list *ret,
			 int *ret_flags, struct why *w);
void __wrap_offlined_confirm(const char *root, int flags, struct frame_list *frames);

/* Page frames between the runs of sim_snapshot.c, so they are in a snapshot only if they
 * were offlined; each within a block of 16 free ones. */
static const uint64_t places[] = { 360, 280, 310 };
static unsigned char checksums[ARRAY_SIZE(places)][E820_CHECKSUM_MAX];

static size_t index_of(char letter)
{
	size_t index = (size_t)(letter - 'A');

	if (index >= ARRAY_SIZE(places))
		sim_broken("there is no map %c", letter);
	return index;
}

bool sim_memory_map_reserves(char letter, uint64_t frame)
{
	return places[index_of(letter)] == frame;
}

bool sim_memory_map_moves(uint64_t frame)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (places[i] == frame)
			return true;
	return false;
}

uint64_t sim_memory_map_checksum(char letter)
{
	return get_le64(checksums[index_of(letter)]);
}

void sim_memory_map_apply(char letter, struct memory_map *map)
{
	uint64_t start = places[index_of(letter)] * SIM_PAGE;
	/* Not from the programs' memory, which may run out. */
	struct memory_entry *items = __real_calloc(map->entries.count + 2, sizeof(*items));
	size_t count = 0;

	if (!items)
		abort();
	for (size_t i = 0; i < map->entries.count; i++) {
		struct memory_entry entry = map->entries.items[i];

		if (entry.type == MEMORY_RAM && start > entry.start && start < entry.end) {
			items[count++] =
				(struct memory_entry){ entry.start, start - 1, MEMORY_RAM, 0 };
			items[count++] = (struct memory_entry){ start, start + SIM_PAGE - 1,
								MEMORY_RESERVED, 0 };
			entry.start = start + SIM_PAGE;
		}
		items[count++] = entry;
	}
	free(map->entries.items);
	map->entries.items = items;
	map->entries.count = count;
	map->table_count += 2;
}

void sim_memory_maps_begin(void)
{
	char tree[400];

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct memory_map map = { 0 };

		if (memory_map_capture(sim_machine(tree, sizeof(tree)), &map) < 0)
			abort();
		sim_memory_map_apply((char)('A' + (int)i), &map);
		if (e820_checksum(E820_CHECK_CRC32, &map, checksums[i]) < 0)
			abort();
		memory_map_free(&map);
	}
}

static bool noted(uint64_t frame)
{
	for (size_t i = 0; i < kernel.noted_count; i++)
		if (kernel.noted[i] == frame)
			return true;
	return false;
}

void __wrap_offlined_open(const char *root, struct offlined_access *ret)
{
	(void)root;
	*ret = (struct offlined_access){ -EBADF, -EBADF };
}

static bool is_poisoned(uint64_t frame)
{
	for (size_t i = 0; i < kernel.offlined_count; i++)
		if (kernel.offlined[i] == frame)
			return true;
	return false;
}

int __wrap_offlined_is_poisoned(const struct offlined_access *access, uint64_t frame)
{
	(void)access;
	return is_poisoned(frame);
}

int __wrap_offlined_is_used(const struct offlined_access *access, uint64_t frame)
{
	(void)access;
	(void)frame;
	return 0;
}

int __wrap_offlined_own_add(const char *root, const uint64_t *frames, size_t count, struct why *w)
{
	(void)root;
	(void)w;
	if (kernel.frozen || kernel.image)
		sim_broken("a file is written with processes frozen");
	for (size_t i = 0; i < count; i++) {
		if (!is_poisoned(frames[i]) || noted(frames[i]))
			sim_broken("a frame is noted that was not offlined now");
		kernel.noted[kernel.noted_count++] = frames[i];
	}
	return 0;
}

/* The kernel's lists of offlined frames, and offlining one. A frame that it refuses stays
 * free, and is then in no image. */
int __wrap_offlined_find(const char *root, const struct ram *ram, struct frame_list *ret,
			 int *ret_flags, struct why *w)
{
	int r = 0;

	(void)root;
	(void)ram;
	(void)w;
	*ret_flags = -1;
	/* This kernel does not count memory errors. */
	for (size_t i = 0; r == 0 && i < kernel.offlined_count; i++)
		if (noted(kernel.offlined[i]))
			r = frames_append(ret, kernel.offlined[i], 1);
	if (r == 0 && ret->count > 0)
		*ret_flags = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (r < 0) {
		free(ret->items);
		*ret = (struct frame_list){ 0 };
	}
	return r;
}

void __wrap_offlined_confirm(const char *root, int flags, struct frame_list *frames)
{
	(void)root;
	if (!kernel.frozen || kernel.image)
		sim_broken("offlined frames are looked at too early or too late");
	if (frames->count > 0 && flags < 0)
		sim_broken("offlined frames are not looked at again");
}

int __wrap_offlined_ask(const struct offlined_access *access, uint64_t frame, size_t page_size)
{
	size_t at = kernel.offlined_count;

	(void)access;
	if (page_size != SIM_PAGE)
		sim_broken("a frame is asked for by another page size");
	/* Together with the image the kernel frees its threads, and they allocate. */
	if (kernel.restored && !kernel.asked && !kernel.image)
		sim_broken("a frame is offlined only after the image was freed");
	kernel.asked = true;
	if (sim->shared->plan.cannot_offline)
		return -ENOENT;
	if (sim_due(SIM_CALL))
		return -EBUSY;
	/* Not an error to the kernel. */
	for (size_t i = 0; i < at; i++)
		if (kernel.offlined[i] == frame)
			return 0;
	if (at == SIM_OFFLINED_MAX)
		sim_broken("too many frames are offlined");
	for (; at > 0 && kernel.offlined[at - 1] > frame; at--)
		kernel.offlined[at] = kernel.offlined[at - 1];
	kernel.offlined[at] = frame;
	kernel.offlined_count++;
	return 0;
}
