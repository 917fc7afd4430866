/* SPDX-License-Identifier: GPL-2.0-or-later */
/* At hibernation, and in the restored system. */
#include "platform/filesystems/other_swaps.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/memory.h"
#include "base/text.h"
#include "platform/filesystems/other_swaps_private.h"
#include "platform/filesystems/block_device.h"
#include "platform/hardware/device_drivers.h"
#include "base/tree.h"
#include "swap/file_place.h"
#include "format/swap_signature.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Size of /proc/swaps: more than 32 areas with the longest paths of a usual system. */
#define TEXT_SIZE 65536

int other_swaps_read_header(int fd, unsigned char *page, struct swap_use *area)
{
	struct swap_header header;
	int r;

	if (area->offset % page_size() != 0)
		return -EINVAL;
	r = io_pread_full(fd, page, page_size(), area->offset);
	/* One without a size is no smaller one: it has no medium, or its mapping has no table yet.
	 */
	if (r == -ENODATA)
		return lseek(fd, 0, SEEK_END) == 0 ? -ENOMEDIUM : 0;
	if (r < 0)
		return r;
	if (swap_signature_kind(page, page_size()) != SWAP_IS_SWAP ||
	    swap_header_parse(page, page_size(), &header) < 0)
		return 0;
	memcpy(area->uuid, header.uuid, sizeof(area->uuid));
	text_copy(area->label, sizeof(area->label), header.label);
	area->last_page = header.last_page;
	area->bad_pages = header.bad_pages;
	return 1;
}

/* Where an area lies: the kernel's name of the device, and pages. */
struct place {
	char name[64];
	uint64_t offset;
};

static bool name_of(const char *root, dev_t dev, char *name, size_t size)
{
	return tree_link(root, name, size, "/sys/dev/block/%u:%u", major(dev), minor(dev));
}

static bool find_file(const char *root, const char *path, struct place *ret)
{
	_cleanup_close_ int fd = -1;
	struct file_place place;
	char full[PATH_MAX];
	struct stat st;

	/* Check before opening: opening a fifo would block. */
	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full) ||
	    stat(full, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || file_place_find(fd, page_size(), &place, NULL) < 0)
		return false;
	ret->offset = place.offset;
	return name_of(root, place.dev, ret->name, sizeof(ret->name));
}

static bool find_place(const char *root, const struct swap_entry *entry, struct place *ret)
{
	_cleanup_close_ int fd = -1;

	*ret = (struct place){ 0 };
	if (!entry->path[0] || entry->deleted)
		return false;
	if (entry->file)
		return find_file(root, entry->path, ret);
	fd = block_device_open(root, entry->path);
	return fd >= 0 && block_device_name(root, fd, entry->path, ret->name, sizeof(ret->name));
}

/* If its identity is that of the device below it (bcache has none of its own), the two
 * would be confused. */
static void identify(const char *root, const char *name, struct swap_use *area)
{
	_cleanup_names_ struct tree_names slaves = { 0 };
	char path[300], lower[DEVICE_IDENTITY_SIZE];

	device_identity(root, name, area->identity);
	snprintf(path, sizeof(path), "/sys/class/block/%s/slaves", name);
	if (tree_list(root, path, &slaves) < 0 || slaves.count == 0)
		return;
	area->stacked = 1;
	device_identity(root, slaves.items[0], lower);
	if (strcmp(area->identity, lower) == 0)
		area->identity[0] = '\0';
}

static void open_area(const char *root, struct other_swaps *others, struct other_swap *other,
		      struct swap_use *area)
{
	_cleanup_close_ int fd = -1;

	block_device_path(other->name, area->device, sizeof(area->device));
	identify(root, other->name, area);
	device_drivers(root, other->name, area->drivers, sizeof(area->drivers));
	if (!block_device_answers_frozen(root, other->name)) {
		area->sight = SWAP_BLOCKED;
		return;
	}
	fd = block_device_open(root, area->device);
	if (fd < 0 || other_swaps_read_header(fd, others->page, area) != 1)
		return;
	area->sight = SWAP_SEEN;
	other->device = steal_fd(&fd);
}

static int take(const char *root, const struct swap_entry *entry, const struct place *place,
		struct other_swaps *others, struct swaps *ret)
{
	struct other_swap *other = &others->items[others->count];
	struct swap_use area = {
		.offset = place->offset * page_size(),
		.size = entry->size,
		.used = entry->used,
		.file = entry->file,
		.sight = SWAP_UNREADABLE,
	};
	int r;

	*other = (struct other_swap){ .device = -1 };
	text_copy(other->path, sizeof(other->path), entry->path);
	text_copy(other->name, sizeof(other->name), place->name);
	text_copy(area.path, sizeof(area.path), *entry->path ? entry->path : "?");
	text_make_line(area.path, ' ');
	if (*other->name)
		open_area(root, others, other, &area);
	r = list_append(&ret->items, area);
	/* Counted first: it may have a descriptor. */
	others->count++;
	return r;
}

/* The text has been cut if it fills the buffer. */
static int read_entries(struct other_swaps *others)
{
	size_t length = 0;
	ssize_t n = 1;
	int count;

	if (!others->text || others->list < 0 || lseek(others->list, 0, SEEK_SET) < 0)
		return -EBADF;
	while (n > 0 && length < TEXT_SIZE - 1) {
		n = read(others->list, others->text + length, TEXT_SIZE - 1 - length);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			length += (size_t)n;
	}
	if (n != 0)
		return -EIO;
	others->text[length] = '\0';
	count = swaps_parse(others->text, others->entries, SWAP_USES_MAX);
	return count > SWAP_USES_MAX ? SWAP_USES_MAX : count;
}

static int take_all(const char *root, const struct swap_area *own, struct other_swaps *others,
		    struct swaps *ret)
{
	char own_name[64] = "";
	int count = read_entries(others), r = 0;

	if (count < 0)
		return 0; /* a kernel without swap */
	ret->items.known = true;
	if (own)
		name_of(root, own->dev, own_name, sizeof(own_name));
	for (int i = 0; i < count && r == 0; i++) {
		const struct swap_entry *entry = &others->entries[i];
		struct place place;
		bool found = find_place(root, entry, &place);

		if (found && !entry->file && block_device_is_memory(place.name))
			continue;
		if (found && own && strcmp(place.name, own_name) == 0 &&
		    place.offset == own->offset)
			continue;
		if (!found)
			place = (struct place){ 0 };
		r = take(root, entry, &place, others, ret);
	}
	return r;
}

int other_swaps_open(const char *root, const struct swap_area *own, struct other_swaps *others,
		     struct swaps *ret)
{
	int r = -ENOMEM;

	*others = (struct other_swaps){ .list = -1 };
	*ret = (struct swaps){ 0 };
	others->text = malloc(TEXT_SIZE);
	others->entries = calloc(SWAP_USES_MAX, sizeof(*others->entries));
	others->page = aligned_alloc(page_size(), page_size());
	if (others->text && others->entries && others->page) {
		others->list = io_open_below(root, "/proc/swaps", O_RDONLY);
		r = take_all(root, own, others, ret);
	}
	if (r < 0) {
		other_swaps_close(others);
		swaps_free(ret);
	}
	return r;
}

void other_swaps_count(struct other_swaps *others, struct swaps *swaps)
{
	int count = read_entries(others);

	for (size_t i = 0; i < others->count && i < swaps->items.count; i++)
		for (int n = 0; n < count; n++)
			if (strcmp(others->entries[n].path, others->items[i].path) == 0)
				swaps->items.items[i].used = others->entries[n].used;
}

int other_swaps_look_again(struct other_swaps *others, size_t index, const struct swap_use *then)
{
	struct swap_use now = *then;
	int r;

	if (others->items[index].device < 0)
		return -EBADF;
	r = other_swaps_read_header(others->items[index].device, others->page, &now);
	/* What comes back there later would not be looked at. */
	if (r == -ENOMEDIUM)
		return 1;
	if (r < 0)
		return r;
	return r == 0 || !swap_same_header(then, &now);
}

void other_swaps_close(struct other_swaps *others)
{
	for (size_t i = 0; i < others->count; i++)
		if (others->items[i].device >= 0)
			close(others->items[i].device);
	/* A zeroed struct has none, whatever its list says. */
	if (others->text && others->list >= 0)
		close(others->list);
	free(others->text);
	free(others->entries);
	free(others->page);
	*others = (struct other_swaps){ .list = -1 };
}
