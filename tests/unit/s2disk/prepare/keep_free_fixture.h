/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boots of a made-up machine of 512 MiB, whose firmware has a region of some pages at one place or
 * another, and a kernel that offlines pages, or holds some. */
#ifndef TESTS_KEEP_FREE_FIXTURE_H
#define TESTS_KEEP_FREE_FIXTURE_H

#include "base/cleanup.h"
#include "base/io.h"
#include "fixtures/machine/made_root.h"
#include "fixtures/said.h"
#include "platform/memory/offlined.h"
#include "platform/memory/offlined_own.h"
#include "s2disk/prepare/keep_free.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kernel-page-flags.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FRAMES 0x20000
#define ASK "/sys/devices/system/memory/soft_offline_page"
#define EFI_LOG \
	"6,1,2,-;efi: ACPI=0x7000014 TPMEventLog=0x%x\n6,2,3,-;ACPI: DSDT 0x7000040 000100\n"

static struct settings settings;
static struct platform platform;
static struct keep_free keep;
static struct why w;
static char *kernel_log;
static unsigned int asked, opened;
static uint64_t refused_from, refused_end; /* frames that the kernel holds */
static unsigned int refuse;		   /* this many requests for them fail */
static uint64_t slow_usec, clock_usec;	   /* what a request takes */
static uint64_t lied_about;		   /* a frame that is not taken */
static uint64_t unlocked;		   /* one that is free after a pause */
static unsigned int pauses;
static uint64_t own_when_asked; /* in the list, at the first request */

int __real_offlined_ask(const struct offlined_access *access, uint64_t frame, size_t page);
int __wrap_offlined_ask(const struct offlined_access *access, uint64_t frame, size_t page);
void __real_offlined_open(const char *root, struct offlined_access *ret);
void __wrap_offlined_open(const char *root, struct offlined_access *ret);
int __wrap_clock_gettime(clockid_t id, struct timespec *ret);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);

static inline void set_flags(uint64_t frame, uint64_t flags)
{
	_cleanup_close_ int fd = io_open_below(made_root, "/proc/kpageflags", O_WRONLY);

	ck_assert_int_eq(io_pwrite_full(fd, &flags, 8, frame * 8), 0);
}

static inline uint64_t total(const struct frame_list *frames)
{
	return frames_total(frames->items, frames->count);
}

static inline uint64_t own(void)
{
	struct frame_list frames = { 0 };
	uint64_t ret;

	ck_assert_int_eq(offlined_own_read(made_root, &frames), 0);
	ret = total(&frames);
	free(frames.items);
	return ret;
}

int __wrap_offlined_ask(const struct offlined_access *access, uint64_t frame, size_t page)
{
	if (asked++ == 0)
		own_when_asked = own();
	clock_usec += slow_usec;
	if (frame >= refused_from && frame < refused_end && refuse > 0) {
		refuse--;
		return -EBUSY;
	}
	if (access->flags >= 0 && frame != lied_about)
		set_flags(frame, 1ull << KPF_HWPOISON);
	return __real_offlined_ask(access, frame, page);
}

void __wrap_offlined_open(const char *root, struct offlined_access *ret)
{
	opened++;
	__real_offlined_open(root, ret);
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
	(void)time;
	(void)left;
	pauses++;
	if (unlocked)
		set_flags(unlocked, 1ull << KPF_LRU);
	return 0;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *ret)
{
	(void)id;
	*ret = (struct timespec){ .tv_sec = (time_t)(clock_usec / 1000000),
				  .tv_nsec = (long)(clock_usec % 1000000) * 1000 };
	return 0;
}

static inline void put_entry(int number, uint64_t start, uint64_t end, const char *type)
{
	char path[80], text[40];

	snprintf(path, sizeof(path), "/sys/firmware/memmap/%d/start", number);
	snprintf(text, sizeof(text), "0x%" PRIx64 "\n", start);
	made_put(path, text);
	snprintf(path, sizeof(path), "/sys/firmware/memmap/%d/end", number);
	snprintf(text, sizeof(text), "0x%" PRIx64 "\n", end);
	made_put(path, text);
	snprintf(path, sizeof(path), "/sys/firmware/memmap/%d/type", number);
	made_put(path, type);
}

/* RAM that the kernel uses: all but those frames. */
static inline void put_iomem(uint64_t first, uint64_t count)
{
	char text[200];

	snprintf(text, sizeof(text),
		 "00100000-%08" PRIx64 " : System RAM\n%08" PRIx64 "-1fffffff : System RAM\n",
		 first * 4096 - 1, (first + count) * 4096);
	made_put("/proc/iomem", text);
}

/* The machine is off, and boots with those frames taken. */
static inline void boot(const char *id, uint64_t first, uint64_t count, const char *type)
{
	_cleanup_free_ char *flags = calloc(FRAMES, 8);

	made_shell("rm -rf run/s2disk sys/firmware/memmap");
	made_put("/proc/sys/kernel/random/boot_id", id);
	put_entry(0, 0x100000, first * 4096 - 1, "System RAM");
	put_entry(1, first * 4096, (first + count) * 4096 - 1, type);
	put_entry(2, (first + count) * 4096, 0x1fffffff, "System RAM");
	put_iomem(first, count);
	made_put_bytes("/proc/kpageflags", flags, FRAMES * 8);
	said_begin(LOG_LEVEL_DEBUG, true);
	asked = opened = 0;
}

/* What s2disk does then; the level of the result is the caller's to judge. */
static inline int run(void)
{
	int r;

	keep_free_end(&keep);
	platform_free(&platform);
	ck_assert_int_eq(keep_free_capture(made_root, kernel_log, &platform, &w), 0);
	w = (struct why){ 0 };
	r = keep_free(made_root, &settings, &platform, kernel_log, &keep, &w);
	return r;
}

static inline bool noted(struct kept_free *ret)
{
	int r = kept_free_read(made_root, ret);

	ck_assert(r == 0 || r == -ENOENT);
	return r == 0;
}

static inline void begin(void)
{
	made_root_create();
	made_directory("/run");
	made_directory("/var");
	made_directory("/var/lib");
	made_put(ASK, "");
	settings_defaults(&settings);
	boot("boot-1", 0x10000, 1, "Reserved");
}

static inline void end(void)
{
	keep_free_end(&keep);
	platform_free(&platform);
	free(kernel_log);
	kernel_log = NULL;
	made_root_remove();
}

#endif
