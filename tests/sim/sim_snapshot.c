/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /dev/snapshot, by its system calls (kernel/power/user.c): the kernel's answers, and
 * what it never does. Linked with --wrap for each of them. */
#include "sim_private.h"

#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/suspend_ioctls.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

struct sim_kernel kernel;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap___open_2(const char *path, int flags);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
ssize_t __real_readv(int fd, const struct iovec *pieces, int count);
ssize_t __wrap_readv(int fd, const struct iovec *pieces, int count);
ssize_t __real_writev(int fd, const struct iovec *pieces, int count);
ssize_t __wrap_writev(int fd, const struct iovec *pieces, int count);

/* Offset of the memory map's checksum in the header page (arch/x86/power/hibernate.c). */
#define MAP_CHECKSUM 32u

/* A page frame of zeros, as the kernel marks it in its list. */
#define ZERO_FRAME (1ull << 63)

/* Content of a page frame that is not all zeros; the same in every snapshot. */
static void fill_page(unsigned char *page, uint64_t frame)
{
	uint64_t random = 88172645463325252u + frame * 2654435761u;

	for (size_t at = 0; at < SIM_PAGE; at += 8) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		put_le64(page + at, frame / 16 % 2 ? random : frame * 5 + at / 900);
	}
}

/* Runs of nine page frames, some of them all zeros; so are the last ones. Between them
 * are offlined ones, which the kernel saves like any other: a third of these is zeros.
 * Returns how many have data. */
static uint64_t make_list(unsigned char *list, uint64_t data_pages, const uint64_t *offlined,
			  size_t offlined_count)
{
	uint64_t entries = 0, placed = 0, data = 0, all = 0;
	size_t taken = 0;

	while (placed < data_pages + SIM_LAST_ZEROS || taken < offlined_count) {
		bool ended = placed >= data_pages + SIM_LAST_ZEROS;
		uint64_t frame = 256 + entries + entries / 9 * 30;
		bool zero = placed >= data_pages || entries % 16 == 15;

		if (taken < offlined_count && (ended || offlined[taken] < frame)) {
			frame = offlined[taken++];
			zero = frame % 3 == 0;
		} else {
			placed += placed >= data_pages || !zero;
			entries++;
		}
		put_le64(list + 8 * all++, frame | (zero ? ZERO_FRAME : 0));
		data += !zero;
	}
	put_le64(list + 8 * all, UINT64_MAX);
	return data;
}

/* The kernel's stream of this many data pages, and those of the frames that it has
 * offlined; returns its bytes. */
static size_t make_stream(unsigned char *stream, uint64_t data_pages, const uint64_t *offlined,
			  size_t offlined_count)
{
	unsigned char *list = stream + SIM_PAGE, *page = list + SIM_PAGE;
	uint64_t data;
	size_t size;

	memset(stream, 0, 2 * (size_t)SIM_PAGE);
	data = make_list(list, data_pages, offlined, offlined_count);
	size = (2 + (size_t)data) * SIM_PAGE;
	put_le64(stream + 24, 0x23456789ABCDEF02u);
	put_le64(stream + MAP_CHECKSUM, sim_memory_map_checksum(kernel.map));
	put_le64(stream + 400, 131072);
	put_le32(stream + 408, 2);
	put_le64(stream + 416, data);
	put_le64(stream + 424, 2 + data);
	put_le64(stream + 432, size);
	for (; get_le64(list) != UINT64_MAX; list += 8)
		if (!(get_le64(list) & ZERO_FRAME)) {
			fill_page(page, get_le64(list));
			page += SIM_PAGE;
		}
	return size;
}

/* What is loaded, without offlined frames: in most lives all of memory. */
static struct {
	unsigned char stream[SIM_STREAM_PAGES * SIM_PAGE];
	uint64_t data_pages;
	size_t size;
} expected;

static void expect(uint64_t data_pages)
{
	if (expected.data_pages == data_pages)
		return;
	expected.size = make_stream(expected.stream, data_pages, NULL, 0);
	expected.data_pages = data_pages;
}

void sim_snapshot_begin(void)
{
	kernel.map = 'A'; /* its checksum is replaced by what is loaded */
	expect(SIM_FULL_PAGES);
}

bool sim_vetoed(enum sim_veto where)
{
	const struct sim_plan *plan = &sim->shared->plan;

	return kernel.is_boot && plan->veto == where &&
	       sim->shared->outcome.boots <= plan->vetoing_boots;
}

static void forget_load(void)
{
	kernel.finalized = false;
	kernel.loader = (struct fake_loader){ 0 };
	kernel.at = 0;
	__atomic_store_n(&kernel.memory_gone, false, __ATOMIC_RELAXED);
}

/* Unless the plan prevents it, opens /dev/snapshot. */
static int open_snapshot(int flags)
{
	if (sim_due(SIM_CALL) || sim_vetoed(SIM_VETO_OPEN))
		return -EPERM;
	kernel.snapshot = __real_open("/dev/null", O_RDONLY | O_CLOEXEC);
	kernel.resuming = (flags & O_ACCMODE) == O_WRONLY;
	forget_load();
	return kernel.snapshot;
}

static int in_errno(int r)
{
	if (r >= 0)
		return r;
	errno = -r;
	return -1;
}

int __wrap_open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (!sim_active || strcmp(path, "/dev/snapshot") != 0)
		return __real_open(path, flags, mode);
	return in_errno(open_snapshot(flags));
}

/* open() in hardened builds. */
int __wrap___open_2(const char *path, int flags)
{
	return __wrap_open(path, flags);
}

static int freeze(void)
{
	if (sim_due(SIM_CALL) || sim_vetoed(SIM_VETO_FREEZE))
		return -EBUSY;
	if (kernel.is_boot && kernel.wakeups < sim->shared->plan.wakeups) {
		kernel.wakeups++;
		return -EBUSY;
	}
	kernel.lines = 1;
	if (kernel.freezes++ < sim->shared->plan.unfrozen) {
		kernel.lines = SIM_UNFROZEN_LINES;
		kernel.line = 0;
		return -EBUSY;
	}
	kernel.frozen = true;
	return 0;
}

/* A restored system would generate again the random numbers that its image's key was made
 * of, and has what they were mixed with. No other process may get either. */
static void check_secrets(void)
{
	if (!kernel.restored)
		return;
	if (!kernel.renewed)
		sim_broken("processes continue with random numbers from before the restore");
	if (sim_secrets_left())
		sim_broken("processes continue with what the image's key was made of in memory");
}

/* From here on other processes write to file systems: an image of the state before must
 * not be on the disk, nor return to it. */
static void check_thaw(void)
{
	check_secrets();
	if (kernel.display_set)
		sim_broken("processes continue with another setting of /sys/power/disk");
	if (sim->shared->outcome.dead)
		return;
	if (sim_live_image(sim->disk.at) || sim_live_image(sim->durable.at))
		sim_broken("processes continue with a live image on the disk");
}

static void thaw(void)
{
	if (!kernel.is_boot)
		check_thaw();
	kernel.frozen = kernel.restored = false;
}

static int unfreeze(void)
{
	if (sim_due(SIM_CALL))
		return -EIO;
	/* Like the kernel: does nothing while an image exists. */
	if (!kernel.image && kernel.frozen)
		thaw();
	return 0;
}

uint64_t sim_image_pages(uint64_t bytes)
{
	return min_u64(max_u64(bytes / SIM_PAGE, SIM_SMALL_PAGES + 2) - 2, SIM_FULL_PAGES);
}

static int set_image_size(uint64_t bytes)
{
	if (sim_due(SIM_CALL))
		return -EINVAL;
	if (kernel.room && sim_image_pages(bytes) < SIM_FULL_PAGES)
		sim_broken("the kernel is asked to free memory though there is room");
	if (!kernel.room)
		kernel.data_pages = sim_image_pages(bytes);
	return 0;
}

/* The parent of the snapshot's fork is the image: it continues only if a boot restored it. */
static int stand_still(pid_t child, int *ret_in_suspend)
{
	enum sim_fate fate;
	int status;

	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status))
		sim_broken("hibernating ended with status 0x%x", status);
	fate = sim->shared->outcome.fate;
	if (fate != SIM_OFF && fate != SIM_POWERCUT)
		_exit(0); /* the child continued on its own */
	fate = sim_boots();
	if (fate != SIM_RESTORED)
		_exit(0);
	sim->shared->outcome.resumes++;
	kernel.restored = true;
	kernel.renewed = kernel.asked = false;
	*ret_in_suspend = 0;
	return 0;
}

static int create_image(int *ret_in_suspend)
{
	unsigned int none_from = sim->shared->plan.no_snapshot;
	pid_t child;

	if (!kernel.frozen)
		sim_broken("a snapshot with processes running");
	/* A call may fail that would have made it so. */
	if (kernel.room && !kernel.no_swapping && !sim_calls_fail())
		sim_broken("the kernel can swap out as the devices stop");
	if (sim_due(SIM_CALL)) {
		kernel.threads_frozen = true;
		return -ENOMEM;
	}
	kernel.image = true;
	kernel.at = 0;
	*ret_in_suspend = kernel.in_suspend;
	if (none_from && ++kernel.created >= none_from) {
		put_le64(kernel.stream + 432, SIM_PAGE);
		return 0;
	}
	make_stream(kernel.stream, kernel.data_pages, kernel.offlined, kernel.offlined_count);
	child = fork();
	if (child < 0)
		sim_broken("fork: %d", errno);
	*ret_in_suspend = kernel.in_suspend = child ? 0 : 1;
	return child ? stand_still(child, ret_in_suspend) : 0;
}

static int free_image(void)
{
	kernel.threads_frozen = false;
	kernel.image_stays = sim_due(SIM_CALL);
	if (kernel.image_stays)
		return -EIO;
	kernel.image = false;
	forget_load();
	return 0;
}

static int image_bytes(__kernel_loff_t *ret)
{
	if (sim_due(SIM_CALL))
		return -ENODATA;
	*ret = (__kernel_loff_t)get_le64(kernel.stream + 432);
	return 0;
}

/* One page of each of eight clusters in turn, as Linux 6.15 gives them from an area in
 * use; every sixth is already taken. */
static int alloc_page(__kernel_loff_t *ret)
{
	const struct sim_plan *plan = &sim->shared->plan;

	if (sim_due(SIM_CALL))
		return -EIO;
	for (uint64_t turn = 0; turn < (SIM_DISK_PAGES - 1) / 8 * 8; turn++) {
		uint64_t page = 1 + turn % 8 * ((SIM_DISK_PAGES - 1) / 8) + turn / 8, in_use = 0;

		if (page % 6 == 0 || kernel.taken[page])
			continue;
		for (uint64_t i = 1; i < SIM_DISK_PAGES; i++)
			in_use += kernel.taken[i];
		if (plan->full_after && in_use >= plan->full_after)
			return -ENOSPC;
		kernel.taken[page] = 1;
		*ret = (__kernel_loff_t)(page * SIM_PAGE);
		return 0;
	}
	return -ENOSPC;
}

static int free_swap_pages(void)
{
	if (sim_due(SIM_CALL))
		return -EIO;
	memset(kernel.taken, 0, sizeof(kernel.taken));
	return 0;
}

/* snapshot_write_finalize() recycles a bitmap of what was loaded. The second time it
 * turns the list of safe pages into a ring, and loops over it for ever. */
static void finalize(void)
{
	if (kernel.finalized)
		sim_broken("a second restore of one load, which never returns");
	kernel.finalized = fake_loader_complete(&kernel.loader);
}

static int restore_image(void)
{
	finalize();
	/* Like a device that does not stop, the most common failure. */
	if (sim_due(SIM_CALL) || ++sim->shared->restores <= sim->shared->plan.failed_restores)
		return -EBUSY;
	if (sim_vetoed(SIM_VETO_RESTORE))
		return -EOPNOTSUPP;
	if (!kernel.frozen || !kernel.finalized)
		return -EPERM;
	if (sim_live_image(sim->durable.at) && !sim->shared->outcome.dead)
		sim_broken("restored, and the image could be used a second time");
	if (sim_sealed_header(sim->durable.at) && !sim->shared->outcome.dead)
		sim_broken("restored, and what was sealed could still be opened");
	if (sim_secrets_left())
		sim_broken("restored, with keys in memory");
	sim_end(SIM_RESTORED);
}

void sim_switched_off(enum sim_fate fate)
{
	if (sim->shared->plan.cannot_switch_off)
		return;
	if (kernel.is_boot && sim_secrets_left())
		sim_broken("powered off, with keys in memory");
	sim_end(fate);
}

static int power_off(void)
{
	if (sim_due(SIM_CALL))
		return -EAGAIN;
	sim_switched_off(SIM_OFF);
	return 0;
}

static int suspend_to_ram(void)
{
	return sim_due(SIM_CALL) || sim->shared->plan.cannot_switch_off ? -EBUSY : 0;
}

static int control(unsigned long request, uintptr_t argument)
{
	void *at = (void *)argument; /* if it is not a number */

	switch (request) {
	case SNAPSHOT_FREEZE:
		return freeze();
	case SNAPSHOT_UNFREEZE:
		return unfreeze();
	case SNAPSHOT_SET_SWAP_AREA:
		return sim_due(SIM_CALL) ? -ENODEV : 0;
	case SNAPSHOT_PLATFORM_SUPPORT:
		return sim_due(SIM_CALL) ? -EINVAL : 0;
	case SNAPSHOT_PREF_IMAGE_SIZE:
		return set_image_size(argument);
	case SNAPSHOT_CREATE_IMAGE:
		return create_image(at);
	case SNAPSHOT_FREE:
		return free_image();
	case SNAPSHOT_GET_IMAGE_SIZE:
		return image_bytes(at);
	case SNAPSHOT_AVAIL_SWAP_SIZE:
		*(__kernel_loff_t *)at = SIM_DISK_BYTES;
		return 0;
	case SNAPSHOT_ALLOC_SWAP_PAGE:
		return alloc_page(at);
	case SNAPSHOT_FREE_SWAP_PAGES:
		return free_swap_pages();
	case SNAPSHOT_ATOMIC_RESTORE:
		return restore_image();
	case SNAPSHOT_POWER_OFF:
		return power_off();
	case SNAPSHOT_S2RAM:
		return suspend_to_ram();
	default:
		sim_broken("ioctl 0x%lx of /dev/snapshot", request);
	}
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	uintptr_t argument;

	va_start(args, request);
	argument = va_arg(args, uintptr_t);
	va_end(args);
	if (!sim_active || fd != kernel.snapshot)
		return __real_ioctl(fd, request, argument);
	return in_errno(control(request, argument));
}

/* The kernel frees everything that the device held. */
int __wrap_close(int fd)
{
	if (sim_active && fd >= 0 && fd == kernel.snapshot) {
		kernel.snapshot = -1;
		kernel.image = false;
		forget_load();
		if (kernel.frozen)
			thaw();
	}
	return __real_close(fd);
}

/* At most one page per vector, like the kernel. */
static ssize_t read_page(void *buffer, size_t length)
{
	size_t size = (size_t)get_le64(kernel.stream + 432);
	size_t n = min_u64(min_u64(length, SIM_PAGE), size - kernel.at);

	if (sim_due(SIM_CALL))
		return -EIO;
	memcpy(buffer, kernel.stream + kernel.at, n);
	kernel.at += n;
	return (ssize_t)n;
}

/* check_header() and arch_hibernation_header_restore(): the header that was written
 * before must have the checksum of this boot's map. */
static bool header_fits(void)
{
	return get_le64(kernel.stream + MAP_CHECKSUM) == sim_memory_map_checksum(kernel.map);
}

/* A real kernel would write to an address without memory anyway, and crash. */
static void check_list(void)
{
	const unsigned char *entry = kernel.stream + SIM_PAGE;

	for (; get_le64(entry) != UINT64_MAX; entry += 8) {
		uint64_t frame = get_le64(entry) & ~ZERO_FRAME;

		if (sim_memory_map_reserves(kernel.map, frame))
			sim_broken("page frame %llu is loaded and is not memory here",
				   (unsigned long long)frame);
		if (sim_memory_map_moves(frame))
			sim_broken("page frame %llu was offlined, and is loaded",
				   (unsigned long long)frame);
	}
}

/* What is restored must be what was read, byte by byte, except for the offlined frames
 * and the map's checksum, which the kernel checks itself. */
static void check_loaded(size_t length)
{
	if (kernel.at == 0) {
		uint64_t data_pages = get_le64(kernel.stream + 416);

		if (data_pages > SIM_FULL_PAGES + SIM_OFFLINED_MAX)
			sim_broken("more is loaded than memory can have");
		expect(data_pages);
		memcpy(expected.stream + MAP_CHECKSUM, kernel.stream + MAP_CHECKSUM, 8);
	}
	if (kernel.at == SIM_PAGE)
		check_list();
	if (kernel.at + length > expected.size ||
	    memcmp(expected.stream + kernel.at, kernel.stream + kernel.at, length) != 0)
		sim_broken("what is loaded at byte %zu is not what was saved", kernel.at);
}

static ssize_t write_page(const void *buffer, size_t length)
{
	if (sim_due(SIM_CALL))
		return -ENOMEM;
	length = min_u64(length, SIM_PAGE);
	if (length < SIM_PAGE && kernel.at < 2 * SIM_PAGE)
		sim_broken("part of a page of header or metadata");
	if (kernel.at == SIM_PAGE && !header_fits())
		return -EPERM;
	if (fake_loader_take(&kernel.loader, buffer, SIM_PAGE) == 0)
		return sim->shared->plan.hungry ? (ssize_t)length : 0;
	/* The kernel allocates everything before the first page of data. */
	if (kernel.loader.pages > 1 + kernel.loader.metadata_pages)
		__atomic_store_n(&kernel.memory_gone, true, __ATOMIC_RELAXED);
	if (length > sizeof(kernel.stream) - kernel.at)
		sim_broken("too much is loaded");
	memcpy(kernel.stream + kernel.at, buffer, length);
	check_loaded(length);
	kernel.at += length;
	return (ssize_t)length;
}

/* do_loop_readv_writev of the kernel. */
static ssize_t each_piece(const struct iovec *pieces, int count, bool write)
{
	ssize_t done = 0;

	for (int i = 0; i < count; i++) {
		ssize_t n = write ? write_page(pieces[i].iov_base, pieces[i].iov_len)
				  : read_page(pieces[i].iov_base, pieces[i].iov_len);

		if (n < 0 && done == 0)
			return in_errno((int)n);
		if (n > 0)
			done += n;
		if (n < 0 || (size_t)n != pieces[i].iov_len)
			break;
	}
	return done;
}

ssize_t __wrap_readv(int fd, const struct iovec *pieces, int count)
{
	if (!sim_active || fd != kernel.snapshot)
		return __real_readv(fd, pieces, count);
	return each_piece(pieces, count, false);
}

ssize_t __wrap_writev(int fd, const struct iovec *pieces, int count)
{
	if (!sim_active || fd != kernel.snapshot)
		return __real_writev(fd, pieces, count);
	/* The kernel must be able to report a rejected header, metadata page or first data page. */
	if (kernel.at < 3 * SIM_PAGE && count != 1)
		sim_broken("what the kernel may refuse is loaded with other pages");
	return each_piece(pieces, count, true);
}
