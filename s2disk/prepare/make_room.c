/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "make_room.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/memory.h"
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

/* Freed at once, between two looks at a requested stop. */
#define PIECE (32ull << 20)

/* Writes that make no progress for this long are not waited for: those of a network file system
 * whose server does not answer, for example. Nor are those that never end: of a file server, whose
 * threads run until the snapshot. */
#define STALLED_MS 5000
#define WAIT_MS 60000
#define POLL_MS 20

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

void make_room_prepare(struct make_room *room, const char *root, dev_t own,
		       const struct swaps *others)
{
	*room = (struct make_room){ .root = root, .reclaim = -1 };
	if (!is_layered(root, own, others))
		return;
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

/* A line of /proc/meminfo, in bytes; 0 where it cannot be read. */
static uint64_t meminfo_of(const char *root, const char *name)
{
	_cleanup_free_ char *text = NULL;
	uint64_t value;

	if (io_read_file(root, "/proc/meminfo", PROC_LIMIT, &text, NULL) < 0)
		return 0;
	return meminfo_line(text, name, &value) == 0 ? value : 0;
}

/* What must be free, in bytes, or 0 where it cannot be computed. */
struct needs {
	uint64_t image; /* for one of the size to aim at */
	uint64_t least; /* for the largest image */
};

/* The memory of graphics cards: amdgpu moves it to the system's after the kernel has made room
 * (amdgpu_pmops_prepare()), and there it is in the image. */
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
		moved = 2 * held_by_cards(root); /* with its copy */
		needs.image += moved;
		needs.least += moved;
	}
	return needs;
}

/* What is being written, in bytes, and in *ret_out how much was ever swapped out. Each processor
 * counts on its own, and adds that up once a second: reading stat_refresh makes them do it. */
static uint64_t on_the_way(const char *root, uint64_t *ret_out)
{
	_cleanup_free_ char *text = NULL;
	const char *line = NULL;
	char ignored[8];

	(void)io_read_text(root, "/proc/sys/vm/stat_refresh", ignored, sizeof(ignored));
	if (io_read_file(root, "/proc/vmstat", PROC_LIMIT, &text, NULL) == 0)
		line = strstr(text, "\npswpout ");
	*ret_out = line ? strtoull(line + strlen("\npswpout "), NULL, 10) : 0;
	return meminfo_of(root, "Writeback");
}

/* Until nothing is being written, and nothing new was at a second look. */
static void wait_for_writes(const char *root)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000 };
	uint64_t out, last_out, last = on_the_way(root, &last_out), now = last;

	for (int waited = 0, still = 0;
	     waited < WAIT_MS && still < STALLED_MS && !abort_requested(); waited += POLL_MS) {
		nanosleep(&pause, NULL);
		now = on_the_way(root, &out);
		if (now == 0 && last == 0 && out == last_out)
			return;
		still = now == last && out == last_out ? still + POLL_MS : 0;
		last = now;
		last_out = out;
	}
	log_debug("%" PRIu64 " KiB are still being written", now >> 10);
}

/* Pages that are still being written are not free yet, so it may take a second try. */
static bool reclaim(const struct make_room *room, uint64_t bytes)
{
	char text[24];
	int length = snprintf(text, sizeof(text), "%" PRIu64, bytes);

	for (int i = 0; i < 2 && !abort_requested(); i++) {
		if (write(room->reclaim, text, (size_t)length) == length)
			return true;
		if (errno != EAGAIN && errno != EINTR)
			return false;
		wait_for_writes(room->root);
	}
	return false;
}

int make_room(struct make_room *room, uint64_t image, bool quiet, struct why *w)
{
	uint64_t now, begun, piece, asked = 0;
	struct progress progress;
	struct needs needs;
	bool more = true;

	if (room->reclaim < 0)
		return 0;
	needs = read_needs(room->root, image);
	begun = now = meminfo_of(room->root, "MemFree");
	if (now < needs.image) {
		progress_begin(&progress, "Making room", needs.image - begun, quiet);
		/* Twice what is needed: some of it goes to the processors' own lists first. */
		while (more && now < needs.image && asked < 2 * needs.image && !abort_requested()) {
			piece = min_u64(PIECE, needs.image - now);
			asked += piece;
			more = reclaim(room, piece);
			now = meminfo_of(room->root, "MemFree");
			progress_update(&progress, now - min_u64(now, begun));
		}
		progress_end(&progress);
	}
	wait_for_writes(room->root);
	log_debug("%" PRIu64 " MiB are free, of %" PRIu64, now >> 20, needs.image >> 20);
	if (abort_requested())
		return why(w, -ECANCELED, "%s", abort_requested());
	return needs.least > 0 && now >= needs.least;
}
