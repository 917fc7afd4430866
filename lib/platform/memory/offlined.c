/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/memory/offlined.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/memory.h"
#include "base/text.h"
#include "platform/memory/offlined_own.h"
#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FLAGS "/proc/kpageflags"
#define SOFT_OFFLINE "/sys/devices/system/memory/soft_offline_page"
#define NODES "/sys/devices/system/node"

/* Missing from the kernel's exported numbers (include/linux/kernel-page-flags.h). */
#define KPF_RESERVED 32

#define BIT(number) (1ULL << (number))

/* Flags that an offlined frame has lost. Others may remain: a frame whose content was
 * moved elsewhere is poisoned before it is freed, and then free_pages_prepare()
 * (mm/page_alloc.c) does not clear its flags. KPF_KSM says nothing: since 6.10 stable_page_flags()
 * (fs/proc/page.c) sets it for all anonymous memory; what is in use is mapped, or on an LRU list.
 */
#define IN_USE                                                                                    \
	(BIT(KPF_LOCKED) | BIT(KPF_LRU) | BIT(KPF_SLAB) | BIT(KPF_WRITEBACK) | BIT(KPF_BUDDY) |   \
	 BIT(KPF_MMAP) | BIT(KPF_SWAPCACHE) | BIT(KPF_COMPOUND_HEAD) | BIT(KPF_COMPOUND_TAIL) |   \
	 BIT(KPF_HUGE) | BIT(KPF_NOPAGE) | BIT(KPF_THP) | BIT(KPF_OFFLINE) | BIT(KPF_ZERO_PAGE) | \
	 BIT(KPF_PGTABLE) | BIT(KPF_RESERVED))

/* Such a frame get_any_page() (mm/memory-failure.c) refuses, after it has shaken the page. */
#define KERNELS_OWN (BIT(KPF_SLAB) | BIT(KPF_PGTABLE) | BIT(KPF_RESERVED))

/* What HWPoisonHandlable() (mm/memory-failure.c) demands, or a flag of pages that have it. */
#define MOVABLE (BIT(KPF_LRU) | BIT(KPF_MMAP) | BIT(KPF_ANON) | BIT(KPF_SWAPCACHE) | BIT(KPF_THP))

/* Frames per read. */
#define FRAMES_A_READ 512

bool offlined_flags(uint64_t flags)
{
	return (flags & BIT(KPF_HWPOISON)) && !(flags & IN_USE);
}

bool offlined_are_shown(const char *root)
{
	return tree_exists(root, FLAGS);
}

/* Frames that the kernel counts as poisoned; 0 also if that is unknown. */
static uint64_t poisoned_frames(const char *root, uint64_t page_size)
{
	_cleanup_free_ char *text = NULL;
	const char *at;
	uint64_t kib;

	if (io_read_file(root, "/proc/meminfo", 1u << 16, &text, NULL) < 0)
		return 0;
	at = strstr(text, "HardwareCorrupted:");
	if (!at || sscanf(at, "HardwareCorrupted: %" SCNu64, &kib) != 1)
		return 0;
	return kib * 1024 / page_size;
}

/* Errors after which a poisoned frame may still be in use. *ret_known: every node counts them. */
static int check_failures(const char *root, bool *ret_known, struct why *w)
{
	static const char *const kinds[] = { "ignored", "failed", "delayed" };
	_cleanup_names_ struct tree_names nodes = { 0 };
	size_t counts = 0, missing = 0;
	int r = tree_list(root, NODES, &nodes);

	if (r == -ENOMEM)
		return r;
	for (size_t i = 0; i < nodes.count; i++) {
		for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
			uint64_t count = 0;

			if (!text_starts(nodes.items[i], "node"))
				continue;
			if (tree_u64(root, &count, NODES "/%s/memory_failure/%s", nodes.items[i],
				     kinds[kind]))
				counts++;
			else
				missing++;
			if (count > 0)
				return why(w, -EBUSY,
					   "the kernel counts %" PRIu64 " memory errors as %s, so "
					   "a poisoned frame may still be in use",
					   count, kinds[kind]);
		}
	}
	*ret_known = counts > 0 && missing == 0;
	return 0;
}

/* Which poisoned frames are looked for, and how many more there may be. */
struct search {
	bool used; /* those that are in use as well */
	uint64_t left;
};

/* Of one frame. */
static int take(struct search *search, uint64_t frame, uint64_t flags, struct frame_list *ret)
{
	int r;

	if (!(flags & BIT(KPF_HWPOISON)))
		return 0;
	search->left -= search->left > 0;
	if (!search->used && !offlined_flags(flags))
		return 0;
	r = frames_append(ret, frame, 1);
	if (r == 0 && ret->count > OFFLINED_RANGES_MAX) {
		ret->count = OFFLINED_RANGES_MAX;
		search->left = 0;
	}
	return r;
}

/* Frames first … end - 1; stops when all poisoned ones have been seen. */
static int scan(int fd, uint64_t first, uint64_t end, struct search *search, struct frame_list *ret)
{
	unsigned char flags[FRAMES_A_READ * sizeof(uint64_t)];

	while (first < end && search->left > 0) {
		uint64_t count = min_u64(end - first, FRAMES_A_READ);
		int r = io_pread_full(fd, flags, (size_t)count * 8, first * 8);

		for (uint64_t i = 0; r == 0 && i < count; i++)
			r = take(search, first + i, get_le64(flags + i * 8), ret);
		if (r < 0)
			return r;
		first += count;
	}
	return 0;
}

static int scan_ram(int fd, const struct ram *ram, struct search search, struct frame_list *ret)
{
	uint64_t size = ram->pages.page_size;
	int r = 0;

	/* Ascending; the frames of different ranges do not overlap. */
	for (size_t i = 0; r == 0 && i < ram->used.count; i++)
		r = scan(fd, div_round_up(ram->used.items[i].start, size),
			 ram->used.items[i].end / size + 1, &search, ret);
	return r;
}

void offlined_open(const char *root, struct offlined_access *ret)
{
	ret->ask = io_open_below(root, SOFT_OFFLINE, O_WRONLY);
	ret->flags = io_open_below(root, FLAGS, O_RDONLY);
}

void offlined_close(struct offlined_access *access)
{
	if (access->ask >= 0)
		close(access->ask);
	if (access->flags >= 0)
		close(access->flags);
	access->ask = access->flags = -EBADF;
}

int offlined_ask(const struct offlined_access *access, uint64_t frame, size_t page_size)
{
	char text[32];

	if (access->ask < 0)
		return access->ask;
	snprintf(text, sizeof(text), "0x%" PRIx64 "\n", frame * page_size);
	return io_pwrite_full(access->ask, text, strlen(text), 0);
}

static int flags_of(const struct offlined_access *access, uint64_t frame, uint64_t *ret)
{
	unsigned char flags[8];
	int r = access->flags < 0 ? access->flags
				  : io_pread_full(access->flags, flags, sizeof(flags), frame * 8);

	if (r == 0)
		*ret = get_le64(flags);
	return r;
}

int offlined_is_poisoned(const struct offlined_access *access, uint64_t frame)
{
	uint64_t flags = 0;
	int r = flags_of(access, frame, &flags);

	return r < 0 ? r : (flags & BIT(KPF_HWPOISON)) != 0;
}

enum offlined_prospect offlined_prospect(const struct offlined_access *access, uint64_t frame)
{
	uint64_t flags = 0;

	if (flags_of(access, frame, &flags) < 0)
		return PROSPECT_UNKNOWN;
	if (flags & BIT(KPF_HWPOISON))
		return PROSPECT_POISONED;
	if (flags & BIT(KPF_HUGE))
		return PROSPECT_HUGE;
	if (flags & KERNELS_OWN)
		return PROSPECT_KERNELS;
	if (flags & (BIT(KPF_LOCKED) | BIT(KPF_WRITEBACK)))
		return PROSPECT_WAIT;
	return flags & (BIT(KPF_BUDDY) | MOVABLE) ? PROSPECT_GOOD : PROSPECT_NO_FLAG;
}

int offlined_is_used(const struct offlined_access *access, uint64_t frame)
{
	uint64_t flags = 0;
	int r = flags_of(access, frame, &flags);

	return r < 0 ? r : !(flags & (BIT(KPF_HWPOISON) | BIT(KPF_BUDDY))) && (flags & IN_USE) != 0;
}

/* The frames among these that s2disk offlined itself. */
static int only_own(const char *root, struct frame_list *frames)
{
	struct frame_list own = { 0 }, both = { 0 };
	int r = offlined_own_read(root, &own);

	if (r == 0)
		r = frames_select(frames, &own, true, &both);
	free(own.items);
	if (r < 0)
		return r;
	free(frames->items);
	*frames = both;
	return 0;
}

int offlined_find(const char *root, const struct ram *ram, struct frame_list *ret, int *ret_flags,
		  struct why *w)
{
	struct search search = { .left = poisoned_frames(root, ram->pages.page_size) };
	struct frame_list found = { 0 };
	_cleanup_close_ int fd = -1;
	bool known = false;
	int r;

	*ret_flags = -1;
	if (search.left == 0)
		return 0;
	fd = io_open_below(root, FLAGS, O_RDONLY);
	if (fd < 0)
		return why(w, fd, FLAGS ": %s", strerror(-fd));
	r = scan_ram(fd, ram, search, &found);
	if (r < 0 && r != -ENOMEM)
		why(w, r, FLAGS ": %s", strerror(-r));
	/* After all that was found had been poisoned. */
	if (r == 0)
		r = check_failures(root, &known, w);
	if (r == 0 && !known)
		r = only_own(root, &found);
	if (r < 0) {
		free(found.items);
		return r;
	}
	*ret = found;
	if (found.count > 0)
		*ret_flags = steal_fd(&fd);
	return 0;
}

int offlined_poisoned(const char *root, const struct ram *ram, struct frame_list *ret)
{
	struct search search = { .used = true };
	_cleanup_frames_ struct frame_list found = { 0 };
	_cleanup_close_ int fd = -1;
	int r;

	if (ram->pages.page_size > 0)
		search.left = poisoned_frames(root, ram->pages.page_size);
	fd = search.left > 0 ? io_open_below(root, FLAGS, O_RDONLY) : -1;
	if (search.left > 0 && fd < 0)
		return fd == -ENOENT ? -ENOTSUP : fd;
	r = scan_ram(fd, ram, search, &found);
	if (r == 0 && found.count == OFFLINED_RANGES_MAX)
		r = -E2BIG;
	if (r < 0)
		return r;
	free(ret->items);
	*ret = found;
	found = (struct frame_list){ 0 };
	return 0;
}

int offlined_among(const char *root, const struct frame_list *frames, struct frame_list *ret,
		   struct why *w)
{
	_cleanup_close_ int fd = io_open_below(root, FLAGS, O_RDONLY);
	_cleanup_frames_ struct frame_list found = { 0 };
	struct search search = { .left = UINT64_MAX };
	bool known = false;
	int r = 0;

	if (fd < 0)
		return why(w, fd, FLAGS ": %s", strerror(-fd));
	if (poisoned_frames(root, page_size()) == 0)
		frames = &found;
	for (size_t i = 0; r == 0 && i < frames->count; i++)
		r = scan(fd, frames->items[i].first,
			 frames->items[i].first + frames->items[i].count, &search, &found);
	if (r < 0 && r != -ENOMEM)
		why(w, r, FLAGS ": %s", strerror(-r));
	if (r == 0)
		r = check_failures(root, &known, w);
	if (r == 0 && !known)
		r = only_own(root, &found);
	if (r < 0)
		return r;
	*ret = found;
	found = (struct frame_list){ 0 };
	return 0;
}

static bool still_offlined(int fd, const struct frame_range *range)
{
	unsigned char flags[FRAMES_A_READ * sizeof(uint64_t)];

	for (uint64_t done = 0; done < range->count;) {
		uint64_t count = min_u64(range->count - done, FRAMES_A_READ);

		if (io_pread_full(fd, flags, (size_t)count * 8, (range->first + done) * 8) < 0)
			return false;
		for (uint64_t i = 0; i < count; i++)
			if (!offlined_flags(get_le64(flags + i * 8)))
				return false;
		done += count;
	}
	return true;
}

void offlined_confirm(const char *root, int flags, struct frame_list *frames)
{
	struct why w = { 0 };
	bool known;
	size_t kept = 0;

	/* An error that the kernel was handling has been counted by now. */
	if (frames->count > 0 && check_failures(root, &known, &w) < 0)
		frames->count = 0;
	for (size_t i = 0; i < frames->count; i++)
		if (flags >= 0 && still_offlined(flags, &frames->items[i]))
			frames->items[kept++] = frames->items[i];
	frames->count = kept;
}
