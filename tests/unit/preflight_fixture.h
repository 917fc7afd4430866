/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine for the tests of the pre-flight: recorded trees, and what no file stands for. */
#ifndef TESTS_PREFLIGHT_FIXTURE_H
#define TESTS_PREFLIGHT_FIXTURE_H

#include "preflight.h"

#include "base/io.h"
#include "base/memory.h"
#include "made_data.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MIB 1048576ULL

/* A machine whose answers each test sets; as it stands, all is well. */
static struct {
	uid_t uid;
	int snapshot;	       /* 0 or what opening /dev/snapshot gives */
	int read, write;       /* the same for the block device */
	int active;	       /* what SET_SWAP_AREA gives */
	uint64_t avail;	       /* what AVAIL_SWAP_SIZE gives */
	const char *signature; /* at the end of the area's first page */
	bool header;	       /* … which has mkswap's header */
	struct swap_area area;
	struct settings settings;
	char root[PATH_MAX];
	struct preflight result;
} machine;

static inline uid_t fake_euid(void)
{
	return machine.uid;
}

static inline int fake_block_device(void)
{
	int fd = memfd_create("block", MFD_CLOEXEC);
	off_t end = (off_t)((machine.area.offset + 1) * page_size());

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, end), 0);
	ck_assert_int_eq(io_pwrite_full(fd, machine.signature, strlen(machine.signature),
					(uint64_t)end - 10),
			 0);
	if (machine.header) {
		const uint32_t version = 1, last_page = 1000;
		const char uuid[] = "ABCDEFGHIJKLMNOP";
		uint64_t page = (uint64_t)end - page_size();

		ck_assert_int_eq(io_pwrite_full(fd, &version, 4, page + 1024), 0);
		ck_assert_int_eq(io_pwrite_full(fd, &last_page, 4, page + 1028), 0);
		ck_assert_int_eq(io_pwrite_full(fd, uuid, 16, page + 1036), 0);
	}
	return fd;
}

static inline int fake_open_device(const char *path, int flags, mode_t kind)
{
	const char *device = path + strlen(machine.root);

	ck_assert_int_eq(strncmp(path, machine.root, strlen(machine.root)), 0);
	if (kind == S_IFCHR) {
		ck_assert_str_eq(device, machine.settings.snapshot_device);
		ck_assert_int_eq(flags & O_ACCMODE, O_RDONLY);
		return machine.snapshot ? machine.snapshot : open("/dev/null", O_RDONLY);
	}
	ck_assert_uint_eq(kind, S_IFBLK);
	ck_assert_str_eq(device, machine.area.device);
	if ((flags & O_ACCMODE) == O_RDWR)
		return machine.write ? machine.write : open("/dev/null", O_RDWR);
	return machine.read ? machine.read : fake_block_device();
}

static inline int fake_set_swap_area(int fd, dev_t dev, uint64_t offset)
{
	ck_assert_int_ge(fd, 0);
	ck_assert_uint_eq(dev, machine.area.dev);
	ck_assert_uint_eq(offset, machine.area.offset);
	return machine.active;
}

static inline int fake_avail_swap(int fd, uint64_t *ret)
{
	ck_assert_int_ge(fd, 0);
	*ret = machine.avail;
	return 0;
}

static inline bool fake_find_entry(const struct swap_area *area, const struct swap_entry *entries,
				   size_t count, struct swap_entry *ret)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(entries[i].path, area->name) == 0) {
			*ret = entries[i];
			return true;
		}
	}
	return false;
}

/* As blkid(8) writes that of fake_block_device(). */
#define MKSWAP "mkswap -U 41424344-4546-4748-494a-4b4c4d4e4f50 "

static const struct preflight_system fake_system = {
	.euid = fake_euid,
	.open_device = fake_open_device,
	.set_swap_area = fake_set_swap_area,
	.avail_swap = fake_avail_swap,
	.find_entry = fake_find_entry,
	.entry_device = preflight_entry_device,
};

static inline void tree(const char *name)
{
	snprintf(machine.root, sizeof(machine.root), "%s/preflight/%s", test_data(), name);
	ck_assert_msg(access(machine.root, R_OK) == 0, "%s: no such test data", machine.root);
}

static inline void use_swap_file(void)
{
	machine.area.file = true;
	machine.area.file_named = true;
	machine.area.offset = 3;
	strcpy(machine.area.name, "/swapfile");
	strcpy(machine.area.device, "/dev/vda1");
}

static inline void setup(void)
{
	memset(&machine, 0, sizeof(machine));
	machine.signature = "SWAPSPACE2";
	machine.area.dev = makedev(254, 2);
	strcpy(machine.area.name, "/dev/vda2");
	strcpy(machine.area.device, "/dev/vda2");
	settings_defaults(&machine.settings);
	strcpy(machine.settings.snapshot_device, "/dev/snapshot");
	machine.settings.method = METHOD_PLATFORM;
	machine.settings.compress = true;
	machine.settings.encrypt = false;
	machine.settings.way_back = WAY_BACK_IGNORE; /* has a test of its own */
	tree("good");
}

static inline enum check_level run_for(const struct preflight_target *target)
{
	preflight_run_on(&fake_system, &machine.settings, target, machine.root, &machine.result);
	return preflight_worst(&machine.result);
}

static inline enum check_level run(void)
{
	const struct preflight_target target = { .area = &machine.area };

	return run_for(&target);
}

static inline const struct check *find(const char *id)
{
	for (size_t i = 0; i < machine.result.count; i++)
		if (strcmp(machine.result.checks[i].id, id) == 0)
			return &machine.result.checks[i];
	return NULL;
}

static inline void expect(const char *id, enum check_level level, const char *text,
			  const char *advice)
{
	const struct check *check = find(id);

	ck_assert_msg(check != NULL, "no check %s", id);
	ck_assert_msg(check->level == level, "%s: level %d: %s", id, check->level, check->text);
	ck_assert_msg(strstr(check->text, text) != NULL, "%s: text: %s", id, check->text);
	ck_assert_msg(strstr(check->advice, advice) != NULL, "%s: advice: %s", id, check->advice);
	/* Nobody is left alone with bad news, and no sentence was cut off. */
	ck_assert_msg(level == CHECK_OK || check->advice[0], "%s: no advice", id);
	ck_assert_uint_lt(strlen(check->text), sizeof(check->text) - 1);
	ck_assert_uint_lt(strlen(check->advice), sizeof(check->advice) - 1);
}

/* Everything but this check is as it should be. */
static inline void expect_only(const char *id, enum check_level level, const char *text,
			       const char *advice)
{
	expect(id, level, text, advice);
	for (size_t i = 0; i < machine.result.count; i++) {
		const struct check *check = &machine.result.checks[i];

		ck_assert_msg(check->level == CHECK_OK || strcmp(check->id, id) == 0, "%s: %s",
			      check->id, check->text);
	}
}

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

#endif
