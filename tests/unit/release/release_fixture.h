/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine in a directory, for the tests of lib/release: its sysfs has devices with drivers,
 * disks, and memory blocks. */
#ifndef TESTS_RELEASE_FIXTURE_H
#define TESTS_RELEASE_FIXTURE_H

#include "fixtures/machine/made_sysfs.h"
#include "release/release_plan.h"

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT_PORT "0000:00:1c.0"
#define NIC "0000:01:00.0"
#define DISKS "0000:00:1f.2"
#define GPU "0000:00:02.0"
#define PORT_PATH "/sys/devices/pci0000:00/" ROOT_PORT
#define NIC_PATH PORT_PATH "/" NIC
#define DISKS_PATH "/sys/devices/pci0000:00/" DISKS
#define GPU_PATH "/sys/devices/pci0000:00/" GPU
#define BLOCK (UINT64_C(128) << 20)
#define ADDED UINT64_C(0x100000000) /* memory32 and memory33 */

static struct platform platform;
static struct release_config config;
static struct release_plan plan;

static inline void add_memory(unsigned int number, const char *state, const char *zones)
{
	char path[100], text[32];

	snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%u/state", number);
	made_put(path, state);
	snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%u/valid_zones", number);
	made_put(path, zones);
	snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%u/phys_index", number);
	snprintf(text, sizeof(text), "%08x", number);
	made_put(path, text);
}

/* Captures it, and plans. */
static inline void make_plan(void)
{
	struct why w = { 0 };

	release_plan_free(&plan);
	platform_free(&platform);
	ck_assert_int_eq(platform_capture(made_root, NULL, &platform, &w), 0);
	ck_assert_int_eq(release_plan_make(made_root, &platform, &config, &plan), 0);
}

static inline void ask_for(const char *devices)
{
	strcpy(config.devices, devices);
	strcpy(config.devices_by, "/etc/suspend.conf:3");
	make_plan();
}

static inline const struct release_entry *entry(size_t i)
{
	ck_assert_uint_lt(i, plan.entries.count);
	return &plan.entries.items[i];
}

static inline void expect_only(enum release_kind kind, const char *name, const char *blocked)
{
	ck_assert_uint_eq(plan.entries.count, 1);
	ck_assert_int_eq(entry(0)->kind, kind);
	ck_assert_str_eq(entry(0)->name, name);
	ck_assert_msg(*blocked ? strstr(entry(0)->blocked, blocked) != NULL : !entry(0)->blocked[0],
		      "%s", entry(0)->blocked);
}

static char full[PATH_MAX];

static inline const char *below(const char *path)
{
	snprintf(full, sizeof(full), "%s%s", made_root, path);
	return full;
}

static inline bool is_there(const char *path)
{
	struct stat st;

	return lstat(below(path), &st) == 0;
}

/* close_range(2), but that the numbers stay in use: one is Check's, which a child's assertions
 * write to. */
static inline long close_range_here(unsigned int first, unsigned int last)
{
	int null = open("/dev/null", O_RDWR);

	for (unsigned int fd = first; fd <= last && fd < 1024; fd++)
		if (fcntl((int)fd, F_GETFD) >= 0)
			dup2(null, (int)fd);
	return 0;
}

/* What the kernel does with a device that is written to its driver's bind or unbind. */
static inline void bind_device(const char *path, const char *name, const char *file)
{
	char link[300], target[400], directory[200];

	snprintf(directory, sizeof(directory), "%.*s", (int)(strlen(path) - strlen(file) - 1),
		 path);
	snprintf(link, sizeof(link), "%.*s/devices/%s/driver",
		 (int)(strstr(path, "/drivers/") - path), path, name);
	if (strcmp(file, "unbind") == 0) {
		unlink(below(link));
		return;
	}
	snprintf(target, sizeof(target), "%s%s", made_root, directory);
	ck_assert_int_eq(symlink(target, below(link)), 0);
}

/* A network adapter behind a root port, disks of which sda1 holds /, a display. */
static inline void setup(void)
{
	made_root_create();
	memset(&config, 0, sizeof(config));
	made_put("/proc/sys/kernel/random/boot_id", "11111111-2222-3333-4444-555555555555\n");
	made_put("/proc/self/mountinfo", "36 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
					 "37 36 0:5 / /proc rw - proc proc rw\n");
	made_put("/proc/swaps", "Filename Type Size Used Priority\n");
	add_function(ROOT_PORT, PORT_PATH, "pcieport", "8086:3420", "0x060400");
	add_function(NIC, NIC_PATH, "e1000e", "8086:10d3", "0x020000");
	add_function(DISKS, DISKS_PATH, "ahci", "8086:2922", "0x010601");
	add_function(GPU, GPU_PATH, "bochs-drm", "1234:1111", "0x030000");
	add_block("sda", "8:0", DISKS_PATH "/ata1/block");
	add_block("sda1", "8:1", DISKS_PATH "/ata1/block/sda");
	made_put(DISKS_PATH "/ata1/block/sda/sda1/partition", "1\n");
	made_put("/sys/devices/system/memory/block_size_bytes", "8000000\n");
	made_put("/run/lock", "");
}

/* Two blocks; lasting: and the device that they are of. */
static inline void plan_memory_blocks(bool lasting)
{
	const struct release_entry block = {
		.kind = RELEASE_OFFLINE,
		.name = "memory32",
		.zone = "online_movable",
		.start = ADDED,
		.end = ADDED + BLOCK - 1,
		.group = 1,
		.lasting = lasting,
		.needed = lasting,
		.what = "128 MiB of memory at 0x100000000",
		.reason = "",
		.source = RELEASE_BUILT_IN,
	};
	struct release_entry device = { .kind = RELEASE_UNBIND,
					.bus = "platform",
					.name = "refuser.0",
					.driver = "refuser",
					.group = 1,
					.lasting = lasting,
					.needed = lasting,
					.what = "device platform/refuser.0" };

	release_plan_free(&plan);
	ck_assert_int_eq(list_append(&plan.entries, block), 0);
	ck_assert_int_eq(list_append(&plan.entries, block), 0);
	strcpy(plan.entries.items[1].name, "memory33");
	plan.entries.items[1].start += BLOCK;
	plan.entries.items[1].end += BLOCK;
	if (lasting)
		ck_assert_int_eq(list_append(&plan.entries, device), 0);
	add_memory(32, "online\n", "Movable\n");
	add_memory(33, "online\n", "Movable\n");
}

static inline void teardown(void)
{
	release_plan_free(&plan);
	platform_free(&platform);
	made_root_remove();
}

#endif
