/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "make_room.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "base/tree.h"
#include "platform/memory/zones.h"
#include "preflight/memory.h"
#include "swap/device_stack.h"
#include "ui/abort_watch.h"
#include "ui/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#define PROC_LIMIT (1u << 20)

/* PAGES_FOR_IO and SPARE_PAGES of the kernel, in bytes. */
#define FOR_IO (4ull << 20)
#define SPARE (1ull << 20)

/* The image's bitmaps: two, of a bit for each page frame, and their radix tree, which is far less
 * than a tenth of them (snapshot_additional_pages()). */
#define BITMAPS(pages) ((pages) / 8 * 2 * 11 / 10)

/* Beside what the page allocator manages, in bytes: the kernel itself, page structs and tables made
 * at boot. More is memory that a balloon or virtio-mem has taken, which is not in
 * the image. */
#define BESIDE_MAX(managed) ((managed) / 32 + (128ull << 20))

/* Freed at once, between two looks at a requested stop; and what counts as progress. */
#define PIECE (32ull << 20)
#define PROGRESS (1ull << 20)

/* Freeing it takes no longer than this. */
#define FREEING_USEC 600000000

/* Writes that make no progress for this long are not waited for: those of a network file system
 * whose server does not answer, for example. Nor are those that never end: of a file server, whose
 * threads run until the snapshot. */
#define STALLED_USEC 5000000
#define OTHERS_USEC 60000000

/* If some of them may be of what was swapped out: in addition, with or without progress. */
#define SWAPPED_USEC 120000000

#define POLL_USEC 20000

/* The root cgroup's directory, also where nothing mounts it. */
static int open_reclaim(const char *root)
{
	_cleanup_close_ int context = -1, directory = -1;
	int fd = io_open_below(root, "/sys/fs/cgroup/memory.reclaim", O_WRONLY);

	if (fd >= 0 || *root)
		return fd;
	context = fsopen("cgroup2", FSOPEN_CLOEXEC);
	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	directory = fsmount(context, FSMOUNT_CLOEXEC, 0);
	if (directory < 0)
		return -errno;
	fd = openat(directory, "memory.reclaim", O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool is_layered(const char *root, dev_t own, const struct swaps *others)
{
	struct device_stack stack;

	if (device_stack_read(root, own, &stack, NULL) == 0)
		for (size_t i = 0; i < stack.count; i++)
			if (stack.layers[i].kind != LAYER_DISK &&
			    stack.layers[i].kind != LAYER_PARTITION)
				return true;
	for (size_t i = 0; i < others->items.count; i++)
		if (others->items.items[i].stacked)
			return true;
	return false;
}

struct look {
	uint64_t free, writing; /* bytes */
	uint64_t out;		/* pages that were ever swapped out */
};

/* Each processor counts on its own, and adds that up once a second: reading stat_refresh makes them
 * do it. */
static struct look look(const char *root)
{
	_cleanup_free_ char *meminfo = NULL, *vmstat = NULL;
	struct look look = { 0 };
	const char *line = NULL;
	char ignored[8];

	(void)io_read_text(root, "/proc/sys/vm/stat_refresh", ignored, sizeof(ignored));
	if (io_read_file(root, "/proc/meminfo", PROC_LIMIT, &meminfo, NULL) == 0) {
		(void)meminfo_line(meminfo, "MemFree", &look.free);
		(void)meminfo_line(meminfo, "Writeback", &look.writing);
	}
	if (io_read_file(root, "/proc/vmstat", PROC_LIMIT, &vmstat, NULL) == 0)
		line = strstr(vmstat, "\npswpout ");
	if (line)
		look.out = strtoull(line + strlen("\npswpout "), NULL, 10);
	return look;
}

void make_room_prepare(struct make_room *room, const char *root, dev_t own,
		       const struct swaps *others)
{
	*room = (struct make_room){ .root = root, .reclaim = -1 };
	if (!is_layered(root, own, others))
		return;
	room->swapped_out = look(root).out;
	room->reclaim = open_reclaim(root);
	if (room->reclaim < 0)
		log_debug("memory cannot be freed before the kernel does it: %s",
			  strerror(-room->reclaim));
}

void make_room_end(struct make_room *room)
{
	if (room->reclaim >= 0)
		close(room->reclaim);
	room->reclaim = -1;
}

/* What the page allocator holds back in each zone from those that may also use another: the last
 * number of "protection: (0, 2902, 15773)" (calculate_totalreserve_pages() in mm/page_alloc.c). */
static uint64_t zone_protection(const char *line)
{
	uint64_t most = 0;

	line = strchr(line, '(');
	for (; line && *line != ')' && *line != '\n' && *line; line++)
		if (line[0] == '(' || line[0] == ' ')
			most = max_u64(most, strtoull(line + 1, NULL, 10));
	return most;
}

/* The kernel's totalreserve_pages; more where a zone is small. */
static uint64_t total_reserve(const char *zoneinfo, const struct zones *zones)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < zones->items.count; i++)
		sum += zones->items.items[i].high;
	for (const char *at = zoneinfo; (at = strstr(at, "protection: (")); at++)
		sum += zone_protection(at);
	return sum;
}

uint64_t make_room_needed(const char *zoneinfo, uint64_t reserved, uint64_t crash, uint64_t image,
			  size_t page)
{
	struct zones zones = { 0 };
	uint64_t present = 0, managed = 0, overhead, most, memory;

	if (zones_parse(zoneinfo, &zones) == 0)
		for (size_t i = 0; i < zones.items.count; i++) {
			present += zones.items.items[i].present;
			managed += zones.items.items[i].managed;
		}
	overhead = total_reserve(zoneinfo, &zones) * page + BITMAPS(present) + FOR_IO;
	list_free(&zones.items);
	memory = managed * page +
		 min_u64((present - managed) * page, BESIDE_MAX(managed * page) + crash);
	/* The numbers are not those of a kernel. */
	if (present > UINT64_MAX / 2 / page || overhead > memory / 2)
		return 0;
	most = (memory - overhead) / 2;
	most -= min_u64(most, 2 * reserved);
	/* The margin for what the kernel allocates meanwhile. */
	return memory - min_u64(most, image) + memory / 128;
}

static uint64_t read_number(const char *root, const char *path, uint64_t otherwise)
{
	char text[32];
	uint64_t value;

	if (io_read_text(root, path, text, sizeof(text)) <= 0)
		return otherwise;
	text[strcspn(text, "\n")] = '\0';
	return text_parse_u64(text, &value) == 0 ? value : otherwise;
}

/* What must be free, in bytes, or 0 where it cannot be computed. */
struct needs {
	uint64_t image; /* for one of the size to aim at */
	uint64_t least; /* for the largest image */
};

/* The memory of graphics cards: amdgpu moves it to the system's after the kernel has made room
 * (amdgpu_pmops_prepare()), and there it is in the image. Its copy needs no more than that: what is
 * free beyond half of memory counts twice (enough_free_mem()). */
static uint64_t held_by_cards(const char *root)
{
	_cleanup_names_ struct tree_names names = { 0 };
	uint64_t held, sum = 0;

	(void)tree_list(root, "/sys/class/drm", &names);
	for (size_t i = 0; i < names.count; i++)
		if (strncmp(names.items[i], "card", 4) == 0 &&
		    tree_u64(root, &held, "/sys/class/drm/%s/device/mem_info_vram_used",
			     names.items[i]))
			sum += held;
	return sum;
}

static struct needs read_needs(const char *root, uint64_t image)
{
	uint64_t reserved = read_number(root, "/sys/power/reserved_size", SPARE);
	uint64_t crash = read_number(root, "/sys/kernel/kexec_crash_size", 0), moved;
	_cleanup_free_ char *text = NULL;
	struct needs needs;

	if (io_read_file(root, "/proc/zoneinfo", PROC_LIMIT, &text, NULL) < 0)
		return (struct needs){ 0 };
	needs.image = make_room_needed(text, reserved, crash, image, page_size());
	needs.least = make_room_needed(text, reserved, crash, UINT64_MAX, page_size());
	if (needs.least > 0) {
		moved = held_by_cards(root);
		needs.image += moved;
		needs.least += moved;
	}
	return needs;
}

/* Until nothing is being written, and nothing new was at a second look, or until that much is free:
 * true. False after stalled microseconds without progress, at that time, or if a stop is
 * requested. */
static bool wait_for_writes(const char *root, uint64_t enough, uint64_t stalled, uint64_t until)
{
	const struct timespec pause = { .tv_nsec = POLL_USEC * 1000 };
	struct look now, last = look(root);
	uint64_t time, moved = now_usec();

	while (!abort_requested()) {
		nanosleep(&pause, NULL);
		now = look(root);
		if (now.free >= enough ||
		    (now.writing == 0 && last.writing == 0 && now.out == last.out))
			return true;
		time = now_usec();
		if (now.writing != last.writing || now.out != last.out)
			moved = time;
		if (time - moved >= stalled || time >= until)
			return false;
		last = now;
	}
	return false;
}

/* What was swapped out since out must be written, also to a slow disk. */
static void end_writes(const char *root, uint64_t out)
{
	bool written = wait_for_writes(root, UINT64_MAX, STALLED_USEC, now_usec() + OTHERS_USEC);
	bool swapped = look(root).out != out;

	if (!written && swapped && !abort_requested()) {
		log_notice("waiting until what was swapped out is written");
		written =
			wait_for_writes(root, UINT64_MAX, SWAPPED_USEC, now_usec() + SWAPPED_USEC);
	}
	if (!written && !abort_requested())
		log_message(swapped ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG,
			    "%" PRIu64 " KiB are still being written; hibernating anyway",
			    look(root).writing >> 10);
}

/* 0: all of it. -EAGAIN: less, or none; what is being written is not free yet. Another negative
 * errno: this does not work. */
static int reclaim(const struct make_room *room, uint64_t bytes)
{
	char text[24];
	int length = snprintf(text, sizeof(text), "%" PRIu64, bytes);

	if (write(room->reclaim, text, (size_t)length) == length)
		return 0;
	return errno == EINTR ? -EAGAIN : -errno;
}

/* Until that much is free, or no more can be: twice in a row it is not more than before. */
static void free_memory(const struct make_room *room, uint64_t needed, bool quiet)
{
	uint64_t begun = look(room->root).free, now = begun, most = begun, piece, asked = 0;
	uint64_t until = now_usec() + FREEING_USEC;
	struct progress progress;
	int r = 0;

	if (begun >= needed)
		return;
	progress_begin(&progress, "Making room", needed - begun, quiet);
	/* Twice what is needed: some of it goes to the processors' own lists first. */
	for (int failed = 0; now < needed && asked < 2 * needed && failed < 2; asked += piece) {
		piece = min_u64(PIECE, max_u64(needed - now, PROGRESS));
		r = reclaim(room, piece);
		if (r == -EAGAIN)
			wait_for_writes(room->root, min_u64(now + piece, needed), STALLED_USEC,
					min_u64(until, now_usec() + OTHERS_USEC));
		now = look(room->root).free;
		failed = r == 0 || now >= most + PROGRESS ? 0 : failed + 1;
		most = max_u64(most, now);
		progress_update(&progress, now - min_u64(now, begun));
		if ((r < 0 && r != -EAGAIN) || now_usec() >= until || abort_requested())
			break;
	}
	progress_end(&progress);
}

int make_room(struct make_room *room, uint64_t image, bool quiet, struct why *w)
{
	struct needs needs;
	uint64_t now;

	if (room->reclaim < 0)
		return 0;
	needs = read_needs(room->root, image);
	free_memory(room, needs.image, quiet);
	end_writes(room->root, room->swapped_out);
	now = look(room->root).free;
	log_debug("%" PRIu64 " MiB are free, of %" PRIu64, now >> 20, needs.image >> 20);
	if (abort_requested())
		return why(w, -ECANCELED, "%s", abort_requested());
	return needs.least > 0 && now >= needs.least;
}
