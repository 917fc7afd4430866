/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/filesystems/filesystems.h"

#include "base/bytes.h"
#include "base/io.h"
#include "base/text.h"
#include "platform/filesystems/block_device.h"
#include "base/tree.h"

#include <string.h>
#include <unistd.h>

void filesystems_free(struct filesystems *filesystems)
{
	list_free(&filesystems->items);
}

static int read_page(void *context, uint64_t offset, unsigned char *page)
{
	return io_pread_full(*(const int *)context, page, FILESYSTEM_PAGE, offset);
}

static int identify(int fd, unsigned char *page, struct filesystem *ret)
{
	const struct filesystem_source source = { .read = read_page, .context = &fd };

	return filesystem_identify(&source, page, ret);
}

/* State of a search. */
struct search {
	const char *root;
	const struct filesystems *wanted;
	bool *met; /* for each wanted: found with its stamp */
	unsigned char *page;
	struct filesystems *ret;
};

bool filesystem_on_same_device(const struct filesystem *then, const struct filesystem *now)
{
	return !*then->identity || strcmp(then->identity, now->identity) == 0;
}

static bool all_met(const struct search *search)
{
	for (size_t i = 0; i < search->wanted->items.count; i++)
		if (!search->met[i] &&
		    search->wanted->items.items[i].unstamped == FILESYSTEM_STAMPED)
			return false;
	return true;
}

static bool is_wanted(const struct search *search, const struct filesystem *found)
{
	for (size_t i = 0; i < search->wanted->items.count; i++)
		if (filesystem_same(&search->wanted->items.items[i], found))
			return true;
	return false;
}

static int take_found(struct search *search, const struct filesystem *found)
{
	for (size_t i = 0; i < search->wanted->items.count; i++) {
		const struct filesystem *item = &search->wanted->items.items[i];

		if (filesystem_same(item, found) && filesystem_on_same_device(item, found) &&
		    filesystem_unchanged(item, found))
			search->met[i] = true;
	}
	return list_append(&search->ret->items, *found);
}

static int look_at(struct search *search, const char *device)
{
	struct filesystem found = { 0 };
	int fd = block_device_open(search->root, device), r;
	char name[64];
	bool named;

	if (fd < 0)
		return 0;
	r = identify(fd, search->page, &found);
	named = block_device_name(search->root, fd, device, name, sizeof(name));
	close(fd);
	if (r < 0 || !is_wanted(search, &found))
		return 0;
	if (named)
		device_identity(search->root, name, found.identity);
	text_copy(found.device, sizeof(found.device), device);
	return take_found(search, &found);
}

static int search_all(struct search *search)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char path[300];
	int r = 0;

	for (size_t i = 0; i < search->wanted->items.count && r == 0; i++)
		if (!search->met[i] &&
		    search->wanted->items.items[i].unstamped == FILESYSTEM_STAMPED &&
		    text_starts(search->wanted->items.items[i].device, "/dev/"))
			r = look_at(search, search->wanted->items.items[i].device);
	if (r < 0 || all_met(search))
		return r;
	if (tree_list(search->root, "/sys/class/block", &names) == -ENOMEM)
		return -ENOMEM;
	for (size_t i = 0; i < names.count && r == 0 && !all_met(search); i++) {
		block_device_path(names.items[i], path, sizeof(path));
		if (block_device_worth_a_look(names.items[i]))
			r = look_at(search, path);
	}
	return r;
}

int filesystems_look(const char *root, const struct filesystems *wanted, struct filesystems *ret)
{
	struct search search = { .root = root, .wanted = wanted, .ret = ret };
	int r = -ENOMEM;

	*ret = (struct filesystems){ 0 };
	if (!wanted->items.known)
		return 0;
	search.met = calloc(wanted->items.count + 1, sizeof(*search.met));
	search.page = aligned_alloc(FILESYSTEM_PAGE, FILESYSTEM_PAGE);
	if (search.met && search.page)
		r = search_all(&search);
	free(search.met);
	free(search.page);
	if (r < 0)
		filesystems_free(ret);
	else
		ret->items.known = true;
	return r;
}
