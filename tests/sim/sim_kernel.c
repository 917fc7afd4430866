/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel: /dev/snapshot, and what else the programs ask of a system. Each
 * __wrap_ function stands for the one of that name (linked with --wrap). */
#include "sim_private.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "boot/boot_settle.h"
#include "boot/set_aside.h"
#include "kernel/boot_log.h"
#include "kernel/kernel_log.h"
#include "kernel/knobs.h"
#include "kernel/snapshot_device.h"
#include "made_data.h"
#include "platform/platform.h"
#include "swap/swap_area.h"
#include "ui/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct sim_kernel kernel;

/* One declaration for each that is replaced. */
int __wrap_snapshot_open(const char *path, bool resuming);
int __wrap_snapshot_set_swap_area(int fd, dev_t dev, uint64_t offset);
int __wrap_snapshot_freeze(int fd);
int __wrap_snapshot_unfreeze(int fd);
int __wrap_snapshot_set_platform(int fd, bool platform);
int __wrap_snapshot_set_image_size(int fd, uint64_t bytes);
int __wrap_snapshot_create(int fd, bool *ret_resumed);
int __wrap_snapshot_free(int fd);
int __wrap_snapshot_size(int fd, uint64_t *ret);
int __wrap_snapshot_avail_swap(int fd, uint64_t *ret);
int __wrap_snapshot_alloc_page(int fd, uint64_t *ret);
int __wrap_snapshot_free_swap_pages(int fd);
int __wrap_snapshot_restore(int fd);
int __wrap_snapshot_power_off(int fd);
int __wrap_snapshot_suspend_to_ram(int fd);
ssize_t __wrap_snapshot_read(int fd, void *buffer, size_t length);
int __wrap_snapshot_write(int fd, const void *buffer, size_t length, unsigned int pages_a_call);
int __wrap_swap_area_open(const struct swap_area *area, int flags, struct why *w);
int __wrap_reboot(int command);
int __wrap_mlockall(int flags);
void __wrap_knobs_save(struct knobs *knobs, const char *root);
int __wrap_knobs_set_console_loglevel(struct knobs *knobs, int level);
int __wrap_knobs_wake_display(struct knobs *knobs);
int __wrap_knobs_restore(struct knobs *knobs, int max_loglevel);
int __wrap_kernel_log_open(const char *root, bool new_only);
int __wrap_kernel_log_next(int fd, char *text, size_t size, unsigned int *ret_level);
int __wrap_boot_settle(const char *root, struct why *w);
int __wrap_boot_log_read(const char *root, char **ret);
int __wrap_set_aside_write(const char *root, const struct set_aside *note);
unsigned int __wrap_sleep(unsigned int seconds);
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);
int __wrap_passphrase_ask(const struct passphrase_places *places, const char *prompt,
			  unsigned int seconds, char *buffer, size_t *ret_length, struct why *w);
int __real_madvise(void *at, size_t size, int advice);
int __wrap_madvise(void *at, size_t size, int advice);
long __real_sysconf(int name);
long __wrap_sysconf(int name);
int __real_mounted_open(const char *root, struct mounted *mounted, struct filesystems *ret);
int __wrap_mounted_open(const char *root, struct mounted *mounted, struct filesystems *ret);
int __real_platform_capture(const char *root, const char *log, struct platform *ret, struct why *w);
int __wrap_platform_capture(const char *root, const char *log, struct platform *ret, struct why *w);

size_t sim_make_stream(unsigned char *stream, uint64_t data_pages)
{
	size_t pages = 2 + (size_t)data_pages, size = pages * SIM_PAGE;
	uint64_t random = 88172645463325252u;

	memset(stream, 0, size);
	put_le64(stream + 24, 0x23456789ABCDEF02u);
	put_le64(stream + 400, 131072);
	put_le32(stream + 408, 2);
	put_le64(stream + 416, data_pages);
	put_le64(stream + 424, pages);
	put_le64(stream + 432, size);
	for (uint64_t i = 0; i < data_pages; i++)
		put_le64(stream + SIM_PAGE + 8 * i, 256 + i + i / 9 * 30);
	put_le64(stream + SIM_PAGE + 8 * data_pages, UINT64_MAX);
	for (size_t at = 2 * (size_t)SIM_PAGE; at < size; at += 8) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		put_le64(stream + at, at / SIM_PAGE / 16 % 2 ? random : at / 900);
	}
	return size;
}

int __wrap_snapshot_open(const char *path, bool resuming)
{
	(void)path;
	if (sim_due(SIM_CALL))
		return -EBUSY;
	kernel.snapshot = open("/dev/null", O_RDONLY | O_CLOEXEC);
	kernel.resuming = resuming;
	kernel.at = 0;
	return kernel.snapshot;
}

int __wrap_snapshot_set_swap_area(int fd, dev_t dev, uint64_t offset)
{
	(void)fd;
	(void)dev;
	(void)offset;
	return sim_due(SIM_CALL) ? -ENODEV : 0;
}

/* What the kernel says of a task that waits for a frozen server. */
static const char *const unfrozen_lines[] = {
	"Freezing user space processes",
	("Freezing user space processes failed after 20.009 seconds (1 tasks refusing to freeze, "
	 "wq_busy=0):"),
	"task:udisksd         state:D stack:0     pid:33315 tgid:33315 ppid:9245",
	" request_wait_answer+0xd8/0x260",
};

int __wrap_snapshot_freeze(int fd)
{
	(void)fd;
	if (sim_due(SIM_CALL))
		return -EBUSY;
	kernel.lines = 1;
	if (kernel.freezes++ < sim->shared->plan.unfrozen) {
		kernel.lines = ARRAY_SIZE(unfrozen_lines);
		kernel.line = 0;
		return -EBUSY;
	}
	kernel.frozen = true;
	return 0;
}

/* From here on other processes write to file systems: an image of how it was
 * before must not be on the disk, nor come back to it. */
static void check_thaw(void)
{
	if (sim->shared->outcome.dead)
		return;
	if (sim_live_image(sim->disk) || sim_live_image(sim->shared->durable))
		sim_broken("processes go on with a live image on the disk");
}

int __wrap_snapshot_unfreeze(int fd)
{
	(void)fd;
	if (sim_due(SIM_CALL))
		return -EIO;
	if (kernel.image || !kernel.frozen)
		return 0; /* as the kernel: nothing happens while an image exists */
	if (!kernel.is_boot)
		check_thaw();
	kernel.frozen = false;
	return 0;
}

int __wrap_snapshot_set_platform(int fd, bool platform)
{
	(void)fd;
	(void)platform;
	return sim_due(SIM_CALL) ? -EINVAL : 0;
}

int __wrap_snapshot_set_image_size(int fd, uint64_t bytes)
{
	(void)fd;
	if (sim_due(SIM_CALL))
		return -EINVAL;
	kernel.data_pages =
		min_u64(max_u64(bytes / SIM_PAGE, SIM_SMALL_PAGES + 2) - 2, SIM_FULL_PAGES);
	return 0;
}

/* The parent of the snapshot's fork is the image: it goes on only when a boot
 * restored it. */
static int stand_still(pid_t child, bool *ret_resumed)
{
	enum sim_fate fate;
	int status;

	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status))
		sim_broken("hibernating ended with status 0x%x", status);
	fate = sim->shared->outcome.fate;
	if (fate != SIM_OFF && fate != SIM_POWERCUT)
		_exit(0); /* the child went on by itself */
	fate = sim_boots();
	if (fate != SIM_RESTORED)
		_exit(0);
	*ret_resumed = true;
	return 0;
}

int __wrap_snapshot_create(int fd, bool *ret_resumed)
{
	pid_t child;

	(void)fd;
	if (sim_due(SIM_CALL))
		return -ENOMEM;
	if (!kernel.frozen)
		sim_broken("a snapshot with processes running");
	kernel.image = true;
	kernel.at = 0;
	*ret_resumed = true;
	if (sim->shared->plan.no_snapshot)
		return 0;
	sim_make_stream(kernel.stream, kernel.data_pages);
	child = fork();
	if (child < 0)
		sim_broken("fork: %d", errno);
	*ret_resumed = false;
	return child ? stand_still(child, ret_resumed) : 0;
}

int __wrap_snapshot_free(int fd)
{
	(void)fd;
	if (sim_due(SIM_CALL))
		return -EIO;
	kernel.image = false;
	return 0;
}

int __wrap_snapshot_size(int fd, uint64_t *ret)
{
	(void)fd;
	if (sim_due(SIM_CALL))
		return -ENODATA;
	*ret = (2 + kernel.data_pages) * SIM_PAGE;
	return 0;
}

int __wrap_snapshot_avail_swap(int fd, uint64_t *ret)
{
	(void)fd;
	*ret = SIM_DISK_BYTES;
	return 0;
}

/* One page of each of eight clusters in turn, as Linux 6.15 gives them from an area
 * in use; every sixth is somebody else's. */
int __wrap_snapshot_alloc_page(int fd, uint64_t *ret)
{
	const struct sim_plan *plan = &sim->shared->plan;

	(void)fd;
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
		*ret = page * SIM_PAGE;
		return 0;
	}
	return -ENOSPC;
}

int __wrap_snapshot_free_swap_pages(int fd)
{
	(void)fd;
	if (sim_due(SIM_CALL))
		return -EIO;
	memset(kernel.taken, 0, sizeof(kernel.taken));
	return 0;
}

int __wrap_snapshot_restore(int fd)
{
	size_t size = (size_t)get_le64(kernel.stream + 432);

	(void)fd;
	if (sim_due(SIM_CALL) || ++sim->shared->restores <= sim->shared->plan.failed_restores)
		return -EIO;
	if (!kernel.frozen || kernel.at != size)
		return -ENODATA;
	if (sim_live_image(sim->shared->durable) && !sim->shared->outcome.dead)
		sim_broken("restored, and the image could be used a second time");
	if (sim_sealed_header(sim->shared->durable) && !sim->shared->outcome.dead)
		sim_broken("restored, and what was sealed could still be opened");
	sim_end(SIM_RESTORED);
}

static void switched_off(void)
{
	if (sim->shared->plan.cannot_switch_off)
		return;
	sim_end(kernel.is_boot ? SIM_REBOOT : SIM_OFF);
}

int __wrap_snapshot_power_off(int fd)
{
	(void)fd;
	if (sim_due(SIM_CALL))
		return -EAGAIN;
	switched_off();
	return 0;
}

int __wrap_reboot(int command)
{
	(void)command;
	if (!sim_due(SIM_CALL))
		switched_off();
	errno = EPERM;
	return -1;
}

int __wrap_snapshot_suspend_to_ram(int fd)
{
	(void)fd;
	return sim_due(SIM_CALL) || sim->shared->plan.cannot_switch_off ? -EBUSY : 0;
}

ssize_t __wrap_snapshot_read(int fd, void *buffer, size_t length)
{
	size_t size = (size_t)get_le64(kernel.stream + 432);
	size_t n = min_u64(length, size - kernel.at);

	(void)fd;
	if (sim_due(SIM_CALL))
		return -EIO;
	memcpy(buffer, kernel.stream + kernel.at, n);
	kernel.at += n;
	return (ssize_t)n;
}

/* What is restored must be what was read, byte by byte. */
int __wrap_snapshot_write(int fd, const void *buffer, size_t length, unsigned int pages_a_call)
{
	static unsigned char expected[sizeof(kernel.stream)];
	size_t size;

	(void)fd;
	if (sim_due(SIM_CALL))
		return -ENOMEM;
	if (length > sizeof(kernel.stream) - kernel.at)
		sim_broken("too much is loaded");
	/* What it does not take of header, metadata and the first page it must be able to say. */
	if (kernel.at < 3 * SIM_PAGE && pages_a_call != 1)
		sim_broken("what the kernel may refuse is loaded with other pages");
	memcpy(kernel.stream + kernel.at, buffer, length);
	size = sim_make_stream(expected, get_le64(kernel.stream + 416));
	if (kernel.at + length > size ||
	    memcmp(expected + kernel.at, kernel.stream + kernel.at, length) != 0)
		sim_broken("what is loaded at byte %zu is not what was saved", kernel.at);
	kernel.at += length;
	return 0;
}

int __wrap_swap_area_open(const struct swap_area *area, int flags, struct why *w)
{
	(void)area;
	(void)flags;
	if (sim_due(SIM_CALL))
		return why(w, -EACCES, "the device cannot be opened");
	kernel.device = dup(sim->device);
	return kernel.device;
}

/* Locking memory is for real machines. */
int __wrap_mlockall(int flags)
{
	(void)flags;
	if (!sim_due(SIM_ALLOC))
		return 0;
	errno = ENOMEM;
	return -1;
}

void __wrap_knobs_save(struct knobs *knobs, const char *root)
{
	knobs->root = root;
}

int __wrap_knobs_set_console_loglevel(struct knobs *knobs, int level)
{
	(void)knobs;
	(void)level;
	return 0;
}

int __wrap_knobs_wake_display(struct knobs *knobs)
{
	if (kernel.frozen)
		sim_broken("the display's setting comes too late for drivers");
	knobs->mode_changed = true;
	return 0;
}

int __wrap_knobs_restore(struct knobs *knobs, int max_loglevel)
{
	knobs->mode_changed = false;
	(void)knobs;
	(void)max_loglevel;
	return 0;
}

int __wrap_kernel_log_open(const char *root, bool new_only)
{
	(void)root;
	(void)new_only;
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int __wrap_kernel_log_next(int fd, char *text, size_t size, unsigned int *ret_level)
{
	(void)fd;
	if (kernel.line >= kernel.lines)
		return 0;
	snprintf(text, size, "%s", unfrozen_lines[kernel.line++]);
	*ret_level = 6;
	return 1;
}

/* A frozen system could not thaw it. */
int __wrap_boot_settle(const char *root, struct why *w)
{
	(void)root;
	if (kernel.frozen || kernel.is_boot)
		sim_broken("/boot is settled at the wrong time");
	return sim_due(SIM_CALL) ? why(w, -EIO, "/boot cannot be settled") : 0;
}

int __wrap_boot_log_read(const char *root, char **ret)
{
	(void)root;
	(void)ret;
	return -ENOENT;
}

int __wrap_set_aside_write(const char *root, const struct set_aside *note)
{
	(void)root;
	(void)note;
	return 0;
}

unsigned int __wrap_sleep(unsigned int seconds)
{
	(void)seconds;
	return 0;
}

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
	(void)wanted;
	(void)left;
	return 0;
}

/* A small machine needs little memory for its block table. */
long __wrap_sysconf(int name)
{
	return name == _SC_PHYS_PAGES ? 2 * (long)SIM_STREAM_PAGES : __real_sysconf(name);
}

static const char *made_up_machine(char *tree, size_t size)
{
	bool other = kernel.is_boot && sim->shared->outcome.boots <= sim->shared->plan.other_boots;

	snprintf(tree, size, "%s/platform/%s", test_data(), other ? "virtio-mem" : "microvm");
	if (access(tree, X_OK) < 0)
		sim_broken("%s is not there", tree);
	return tree;
}

/* Nothing is mounted there. */
int __wrap_mounted_open(const char *root, struct mounted *mounted, struct filesystems *ret)
{
	char tree[400];

	(void)root;
	return __real_mounted_open(made_up_machine(tree, sizeof(tree)), mounted, ret);
}

int __wrap_platform_capture(const char *root, const char *log, struct platform *ret, struct why *w)
{
	char tree[400];

	(void)root;
	made_up_machine(tree, sizeof(tree));
	return __real_platform_capture(tree, log, ret, w);
}

/* The user, who does not mistype. */
int __wrap_passphrase_ask(const struct passphrase_places *places, const char *prompt,
			  unsigned int seconds, char *buffer, size_t *ret_length, struct why *w)
{
	(void)places;
	(void)prompt;
	(void)seconds;
	(void)w;
	*ret_length = strlen(SIM_PHRASE);
	memcpy(buffer, SIM_PHRASE, *ret_length + 1);
	return 0;
}

/* A snapshot has memory that no fork has; here it is a fork. */
int __wrap_madvise(void *at, size_t size, int advice)
{
	return advice == MADV_DONTFORK ? 0 : __real_madvise(at, size, advice);
}
