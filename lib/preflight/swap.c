/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The swap area that the image goes to: is it there, active, and plain swap? */
#include "preflight/preflight_private.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/look.h"
#include "base/memory.h"
#include "base/text.h"
#include "kernel/kernel_cmdline.h"
#include "format/swap_signature.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define SWAPS_MAX 32		 /* more than the kernel allows */
#define ON_DEMAND_PRIORITY 32767 /* as swap_on_demand.h says: the highest */

static const char how_to_make[] =
	"create a swap file with \"s2disk-swapfile create --enable /swapfile\" (on btrfs "
	"/swap/swapfile), or name a swap partition as large as the memory with -r";

/* What names the area; NULL: nothing does. */
static const char *named_where(const struct preflight_context *context)
{
	const struct settings *settings = context->settings;
	struct kernel_cmdline cmdline = { 0 };

	if (settings->resume_device[0])
		return settings->resume_device_by[0] ? settings->resume_device_by
						     : "the option -r or -P";
	kernel_cmdline_read(context->root, &cmdline);
	return cmdline.resume[0] ? "resume= of the kernel command line, which the boot loader's "
				   "configuration sets"
				 : NULL;
}

/* A mistyped name needs a correction, not a new swap file. */
static void advise_missing(const struct preflight_context *context, struct check *check)
{
	int error = context->target->area_error;
	const char *where = named_where(context);

	if (error == 0 && context->settings->swap_on_demand[0])
		preflight_advise(check, "run s2disk-swapfile check to see what is wrong with that "
					"file; \"swap on demand\" in the configuration names it");
	else if (error == -ENOTUNIQ)
		preflight_advise(check, "\"swapon --show\" lists them with their sizes");
	else if (error == -EACCES || error == -EPERM)
		preflight_advise(check, "run it as root, for example with sudo");
	else if (error == 0 || error == -ENOENT || !where)
		preflight_advise(check, "activate an existing swap partition with swapon; or %s",
				 how_to_make);
	else if (error == -ENODEV)
		preflight_advise(check,
				 "correct the name in %s, or attach the device; \"lsblk -f\" and "
				 "\"blkid\" list all devices with UUID and label",
				 where);
	else
		preflight_advise(check,
				 "name a swap partition or a swap file in %s; \"swapon --show\" "
				 "lists the active ones, \"lsblk -f\" all partitions",
				 where);
}

/* The area's line in /proc/swaps, and the free space of the other areas. */
struct listing {
	bool listed;
	struct swap_entry entry;
	uint64_t all_free;	/* on disks */
	struct swap_entry zram; /* with free space, the one used first; no path: none */
};

static uint64_t entry_free(const struct swap_entry *entry)
{
	return entry->size - min_u64(entry->used, entry->size);
}

/* Free space of zram does not count: pages swapped to it stay in memory. */
static void add_free(struct listing *listing, const struct swap_entry *entry)
{
	uint64_t free = entry_free(entry);

	if (!swap_entry_in_memory(entry))
		listing->all_free += free;
	else if (free > 0 && (!listing->zram.path[0] || entry->priority > listing->zram.priority))
		listing->zram = *entry;
}

static void find_listing(const struct preflight_context *context, struct listing *ret)
{
	const struct swap_area *area = context->target->area;
	struct swap_entry entries[SWAPS_MAX];
	int n = swaps_read(context->root, entries, SWAPS_MAX);
	size_t count = n < 0 ? 0 : min_u64((uint64_t)n, SWAPS_MAX);

	*ret = (struct listing){ 0 };
	for (size_t i = 0; i < count; i++)
		add_free(ret, &entries[i]);
	ret->listed = context->system->find_entry(area, entries, count, &ret->entry);
	if (!ret->listed) {
		ret->entry.file = area->file;
		text_copy(ret->entry.path, sizeof(ret->entry.path), area->device);
	}
}

/* /proc/swaps has only paths, so the kernel is asked where possible. Errors other than -ENODEV say
 * nothing about the area. */
static bool is_active(const struct preflight_context *context, const struct listing *listing)
{
	const struct swap_area *area = context->target->area;
	int r = context->snapshot_fd < 0 ? -EBADF
					 : context->system->set_swap_area(context->snapshot_fd,
									  area->dev, area->offset);

	return r == 0 || (r != -ENODEV && listing->listed);
}

/* The kernel fills the areas of the highest priority first. */
static void set_zram_first(struct preflight_context *context, const struct listing *listing,
			   int area_priority)
{
	if (listing->zram.path[0] && listing->zram.priority >= area_priority)
		text_copy(context->zram_first, sizeof(context->zram_first), listing->zram.path);
}

static void set_free(struct preflight_context *context, const struct listing *listing)
{
	if (listing->listed) {
		context->area_free = entry_free(&listing->entry);
		context->free_known = true;
	} else {
		context->free_known =
			context->system->avail_swap(context->snapshot_fd, &context->area_free) == 0;
	}
	if (context->free_known)
		context->other_free =
			listing->all_free - min_u64(listing->all_free, context->area_free);
	set_zram_first(context, listing, listing->listed ? listing->entry.priority : INT_MIN);
}

struct first_page {
	enum swap_signature_kind kind;
	bool header_known; /* it is, or was, a swap header */
	struct swap_header header;
};

static int read_first_page(struct preflight_context *context, struct first_page *ret)
{
	const struct swap_area *area = context->target->area;
	_cleanup_free_ unsigned char *page = aligned_alloc(page_size(), page_size());
	/* The disk, not a stale page cache. */
	_cleanup_close_ int fd =
		preflight_open(context, area->device, O_RDONLY | O_DIRECT, S_IFBLK);
	int r;

	if (!page)
		return -ENOMEM;
	if (fd < 0)
		return fd;
	r = io_pread_full(fd, page, page_size(), swap_area_start(area));
	if (r < 0)
		return r;
	ret->kind = swap_signature_kind(page, page_size());
	ret->header_known = swap_header_parse(page, page_size(), &ret->header) == 0;
	if (ret->header_known)
		text_uuid(ret->header.uuid, context->area_uuid);
	return 0;
}

/* The area by the path of its swap file, if only device and offset were given and /proc/swaps lists
 * the file. */
static struct swap_area by_path(const struct preflight_context *context,
				const struct listing *listing)
{
	struct swap_area area = *context->target->area;

	if (listing->listed && listing->entry.file && !area.file_named &&
	    text_copy(area.name, sizeof(area.name), listing->entry.path))
		area.file = area.file_named = true;
	return area;
}

static void advise_renewal(struct check *check, const struct swap_area *area,
			   const struct first_page *page, const char *first)
{
	char renewal[800];

	swap_area_renewal(area, page->header_known ? &page->header : NULL, renewal,
			  sizeof(renewal));
	preflight_advise(check, "%s%s%s", first, renewal,
			 page->header_known || swap_area_operand(area) == NULL || area->file_named
				 ? ", and swapon it"
				 : "");
}

/* The active swap area that could be named instead, if there is exactly one. */
static bool other_swap(const struct preflight_context *context, char *path, size_t size)
{
	struct swap_entry entries[SWAPS_MAX];
	int n = swaps_read(context->root, entries, SWAPS_MAX);
	size_t suitable = 0;

	for (int i = 0; i < n && i < SWAPS_MAX; i++)
		if (swap_entry_suitable(&entries[i]) && suitable++ == 0)
			text_copy(path, size, entries[i].path);
	return suitable == 1;
}

/* Advise swapon only for what is swap: on the device of a file system, which resume= names together
 * with resume_offset=, swapon fails and mkswap would destroy it. */
static void advise_inactive(struct preflight_context *context, struct check *check)
{
	const struct swap_area *area = context->target->area;
	struct first_page page;
	char path[256];
	int r = read_first_page(context, &page);

	if (r == 0 && page.kind == SWAP_IS_SWAP && swap_area_operand(area))
		preflight_advise(check, "swapon %s", swap_area_operand(area));
	else if (r == 0 && page.kind != SWAP_IS_NOTHING && page.kind != SWAP_IS_SWAP &&
		 swap_area_operand(area))
		advise_renewal(check, area, &page,
			       "it holds an image (see s2disk-inspect); to discard it: ");
	else if (other_swap(context, path, sizeof(path)))
		preflight_advise(
			check, "name the active swap area, %s, with -r or \"resume device\"", path);
	else if (swap_area_operand(area) && !area->file)
		preflight_advise(check,
				 "there is no swap; name a swap partition, or the path of a swap "
				 "file, with -r or \"resume device\", and activate it with swapon");
	else
		preflight_advise(check,
				 "is page %" PRIu64 " of %s the beginning of a swap file? "
				 "Name the file with -r, and activate it with swapon",
				 area->offset, area->device);
}

static void add_inactive(struct preflight_context *context, const struct listing *listing)
{
	const struct swap_area *area = context->target->area;
	struct check *check;

	if (listing->listed && area->offset == 0) {
		/* swapoff is in progress: the kernel lists the area until its last page is read
		 * back. */
		check = preflight_add(context, "swap-area", CHECK_FAILED,
				      "%s is being deactivated (swapoff)", area->name);
		preflight_advise(check, "wait until that is done, then swapon %s", area->device);
		return;
	}
	if (listing->listed) {
		check = preflight_add(context, "swap-area", CHECK_FAILED,
				      "%s is active, but the kernel knows no swap at page %" PRIu64
				      " of %s",
				      area->name, area->offset, area->device);
		preflight_advise(check, "if swapoff is in progress, swapon it when that is done; "
					"otherwise let s2disk find the offset of a swap file (-r "
					"PATH), and correct resume_offset= and \"resume offset\"");
		return;
	}
	advise_inactive(context, preflight_add(context, "swap-area", CHECK_FAILED,
					       "%s is not active as swap", area->name));
}

/* "swap on demand": inactive now, activated for hibernation, so its size is that of the file. */
static bool comes_on_demand(struct preflight_context *context, const struct listing *listing)
{
	const char *path = context->settings->swap_on_demand;
	char full[PATH_MAX];
	struct stat st;

	if (path[0])
		look_note(context->root, path, LOOK_NAME);
	if (!path[0] || listing->listed ||
	    snprintf(full, sizeof(full), "%s%s", context->root, path) >= (int)sizeof(full) ||
	    stat(full, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < (off_t)page_size())
		return false;
	context->area_free = (uint64_t)st.st_size - page_size();
	context->other_free = listing->all_free;
	context->free_known = true;
	set_zram_first(context, listing, ON_DEMAND_PRIORITY);
	return true;
}

/* False, with a check added, if the first page of the area is not plain swap. */
static bool signature_fine(struct preflight_context *context, const struct listing *listing)
{
	const struct swap_area *area = context->target->area, named = by_path(context, listing);
	struct first_page page;
	struct check *check;
	int r = read_first_page(context, &page);

	if (r < 0) {
		check = preflight_add(context, "swap-area", CHECK_FAILED,
				      "the first page of %s cannot be read from %s: %s", area->name,
				      area->device, strerror(-r));
		preflight_advise(check, "make sure that the device exists and works (dmesg), or "
					"name another one with -r");
		return false;
	}
	if (page.kind == SWAP_IS_SWAP)
		return true;
	if (page.kind == SWAP_IS_NOTHING) {
		check = preflight_add(context, "swap-area", CHECK_FAILED,
				      "there is no swap signature at page %" PRIu64 " of %s",
				      area->offset, area->device);
		advise_renewal(check, &named, &page,
			       "correct the device or the offset; if they are right, ");
		return false;
	}
	check = preflight_add(context, "swap-area", CHECK_FAILED,
			      "%s is in use but holds a hibernation image", area->name);
	advise_renewal(check, &named, &page, "the image is stale: ");
	return false;
}

void check_swap_area(struct preflight_context *context)
{
	const struct preflight_target *target = context->target;
	struct listing listing;
	struct check *check;

	if (!target->area) {
		check = preflight_add(context, "swap-area", CHECK_FAILED, "%s",
				      target->area_problem ? target->area_problem
							   : "no swap area was found");
		advise_missing(context, check);
		return;
	}
	find_listing(context, &listing);
	if (!swap_entry_suitable(&listing.entry)) {
		check = preflight_add(
			context, "swap-area", CHECK_FAILED,
			"%s cannot hold an image while the machine is off (zram and RAM disks are "
			"memory; loop and network devices are not there at boot)",
			target->area->name);
		preflight_advise(check, "%s", how_to_make);
		context->refused_already = true;
		return;
	}
	if (is_active(context, &listing)) {
		set_free(context, &listing);
	} else if (comes_on_demand(context, &listing)) {
		if (signature_fine(context, &listing))
			preflight_add(context, "swap-area", CHECK_OK,
				      "%s is inactive; it is activated for hibernation (%s, page "
				      "%" PRIu64 ")",
				      context->settings->swap_on_demand, target->area->device,
				      target->area->offset);
		return;
	} else {
		add_inactive(context, &listing);
		return;
	}
	if (!signature_fine(context, &listing))
		return;
	preflight_add(context, "swap-area", CHECK_OK, "%s is active (%s, page %" PRIu64 ")",
		      target->area->name, target->area->device, target->area->offset);
}

void check_mounted_device(struct preflight_context *context)
{
	const struct swap_area *area = context->target->area;
	_cleanup_close_ int fd = -1;
	struct check *check;

	/* A swap partition is written to directly; a swap file is on a mounted file system. */
	if (!area || (!area->file && area->offset == 0))
		return;
	fd = preflight_open(context, area->device, O_RDWR, S_IFBLK);
	if (fd >= 0) {
		preflight_add(context, "mounted-device", CHECK_OK,
			      "the blocks of %s can be written to below its file system",
			      area->device);
		return;
	}
	if (fd != -EBUSY && fd != -EPERM) {
		check = preflight_add(context, "mounted-device", CHECK_FAILED,
				      "%s cannot be opened for writing: %s", area->device,
				      strerror(-fd));
		preflight_advise(
			check,
			"make sure that the device is not read-only, and that this runs as root");
		return;
	}
	check = preflight_add(context, "mounted-device", CHECK_FAILED,
			      "the kernel does not permit writing to %s, where the swap file is, "
			      "while its file system is mounted (CONFIG_BLK_DEV_WRITE_MOUNTED=n)",
			      area->device);
	preflight_advise(check, "boot with bdev_allow_write_mounted=1 on the kernel command line, "
				"or use a swap partition");
}
