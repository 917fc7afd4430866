/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate_fixture.h"

#include "base/bytes.h"
#include "base/log.h"
#include "made_root.h"
#include "platform/device_cut.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/blkpg.h>
#include <linux/dm-ioctl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SHUT_DOWN _IOR('X', 125, uint32_t)

/* What was asked of the kernel, a line each, and what it refuses. */
char asked[4000];
char said[4000];
unsigned int pauses, flushes, time_zones;
bool no_shut_down, no_resize;

__attribute__((format(printf, 1, 2))) static void ask(const char *format, ...)
{
	size_t used = strlen(asked);
	va_list args;

	va_start(args, format);
	vsnprintf(asked + used, sizeof(asked) - used, format, args);
	va_end(args);
}

/* Below the root. */
static void path_of(int fd, char path[PATH_MAX])
{
	char link[64], full[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, full, sizeof(full) - 1);
	ck_assert_int_gt(n, 0);
	full[n] = '\0';
	strcpy(path,
	       strncmp(full, made_root, strlen(made_root)) == 0 ? full + strlen(made_root) : full);
}

static int answer(bool refused)
{
	ask("%s\n", refused ? " refused" : "");
	errno = ENOTTY;
	return refused ? -1 : 0;
}

static int answer_blkpg(const char *path, const struct blkpg_ioctl_arg *argument)
{
	const struct blkpg_partition *partition = argument->data;

	ck_assert_int_eq(argument->op, BLKPG_RESIZE_PARTITION);
	ck_assert_uint_eq((size_t)argument->datalen, sizeof(*partition));
	ask("resize %s %d %lld+%lld", path, partition->pno, partition->start, partition->length);
	return answer(no_resize);
}

static int answer_mapper(unsigned long request, const struct dm_ioctl *head)
{
	const struct dm_target_spec *target =
		(const struct dm_target_spec *)((const char *)head + head->data_start);

	ck_assert_uint_eq(head->version[0], DM_VERSION_MAJOR);
	if (request == DM_TABLE_LOAD) {
		ck_assert_uint_ge(head->data_size, head->data_start + sizeof(*target) + 1);
		ask("table %llx %llu+%llu %s", (unsigned long long)head->dev,
		    (unsigned long long)target->sector_start, (unsigned long long)target->length,
		    target->target_type);
	} else {
		ck_assert_uint_eq(request, DM_DEV_SUSPEND);
		ck_assert_uint_eq(head->flags, DM_NOFLUSH_FLAG | DM_SKIP_LOCKFS_FLAG);
		ask("resume %llx", (unsigned long long)head->dev);
	}
	return answer(false);
}

int __wrap_ioctl(int fd, unsigned long request, void *argument);
int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
	char path[PATH_MAX];

	path_of(fd, path);
	if (request == BLKPG)
		return answer_blkpg(path, argument);
	if (strcmp(path, "/dev/mapper/control") == 0)
		return answer_mapper(request, argument);
	ck_assert_uint_eq(request, SHUT_DOWN);
	ck_assert_uint_eq(*(const uint32_t *)argument, 2);
	ask("shut down %s", path);
	return answer(no_shut_down);
}

int __wrap_syncfs(int fd);
int __wrap_syncfs(int fd)
{
	char path[PATH_MAX];

	path_of(fd, path);
	ask("sync %s\n", path);
	return 0;
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	char path[PATH_MAX];

	path_of(fd, path);
	ck_assert(strncmp(path, "/dev/", 5) == 0);
	flushes++;
	return 0;
}

void __wrap_tzset(void);
void __wrap_tzset(void)
{
	time_zones++;
}

/* The mount's number is written into its directory. */
int __wrap_statx(int fd, const char *path, int flags, unsigned int mask, struct statx *ret);
int __wrap_statx(int fd, const char *path, int flags, unsigned int mask, struct statx *ret)
{
	char text[16] = "";
	int id = openat(fd, "id", O_RDONLY);

	ck_assert_str_eq(path, "");
	ck_assert_int_eq(flags, AT_EMPTY_PATH);
	ck_assert_uint_eq(mask, STATX_MNT_ID);
	ck_assert(id < 0 || read(id, text, sizeof(text) - 1) >= 0);
	if (id >= 0)
		close(id);
	*ret = (struct statx){ .stx_mask = mask, .stx_mnt_id = strtoul(text, NULL, 10) };
	return 0;
}

int __wrap_nanosleep(const struct timespec *pause, struct timespec *left);
int __wrap_nanosleep(const struct timespec *pause, struct timespec *left)
{
	(void)pause;
	(void)left;
	pauses++;
	return 0;
}

void __wrap_log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void __wrap_log_message(enum log_level level, const char *format, ...)
{
	size_t used = strlen(said);
	va_list args;

	snprintf(said + used, sizeof(said) - used, "<%d>", (int)level);
	used = strlen(said);
	va_start(args, format);
	vsnprintf(said + used, sizeof(said) - used, format, args);
	va_end(args);
	strcat(said, "\n");
}

unsigned char disk[GATE_DISK_SIZE];

void put_disk(const char *path)
{
	made_put_bytes(path, disk, sizeof(disk));
}

void put_ext(const char *path, unsigned char uuid, unsigned int mounts)
{
	memset(disk, 0, sizeof(disk));
	put_le16(disk + 1024 + 0x38, 0xef53);
	put_le16(disk + 1024 + 0x34, (uint16_t)mounts);
	memset(disk + 1024 + 0x68, uuid, 16);
	put_disk(path);
}

/* vda1: a partition; dm-3; sda: a whole SCSI disk; vdb: a whole disk that cannot be cut
 * off; md0 on vdc1 and sdb. */
void make_gate(void)
{
	made_root_create();
	asked[0] = said[0] = '\0';
	pauses = flushes = time_zones = 0;
	no_shut_down = no_resize = false;
	made_link("/sys/dev/block/254:1", "../../devices/x/block/vda/vda1");
	made_link("/sys/dev/block/253:3", "../../devices/virtual/block/dm-3");
	made_link("/sys/dev/block/8:0", "../../devices/x/block/sda");
	made_link("/sys/dev/block/254:16", "../../devices/x/block/vdb");
	made_link("/sys/dev/block/9:0", "../../devices/virtual/block/md0");
	made_put("/sys/devices/x/block/vda/queue/logical_block_size", "512\n");
	made_put("/sys/devices/x/block/vda/vda1/partition", "1\n");
	made_put("/sys/devices/x/block/vda/vda1/start", "2048\n");
	made_put("/sys/devices/x/block/vdc/queue/logical_block_size", "4096\n");
	made_put("/sys/devices/x/block/vdc/vdc1/partition", "1\n");
	made_put("/sys/devices/x/block/vdc/vdc1/start", "16\n");
	made_put("/sys/devices/x/block/vdc/vdc1/holders/md0/x", "");
	made_put("/sys/devices/x/block/sda/device/scsi_level", "6\n");
	made_put("/sys/devices/x/block/sda/device/state", "running\n");
	made_put("/sys/devices/x/block/sdb/device/scsi_level", "6\n");
	made_put("/sys/devices/x/block/sdb/device/state", "running\n");
	made_put("/sys/devices/x/block/sdb/holders/md0/x", "");
	made_put("/sys/devices/x/block/vdb/size", "2000\n");
	made_put("/sys/devices/virtual/block/dm-3/dm/uuid", "CRYPT-LUKS2-abc-home\n");
	made_put("/sys/devices/virtual/block/dm-3/dev", "253:3\n");
	made_put("/sys/devices/virtual/block/dm-3/size", "8192\n");
	made_put("/sys/devices/virtual/block/md0/md/dev-vdc1/offset", "2048\n");
	made_put("/sys/devices/virtual/block/md0/slaves/vdc1/x", "");
	made_put("/sys/devices/virtual/block/md0/slaves/sdb/x", "");
	made_link("/sys/class/block/vda", "../../devices/x/block/vda");
	made_link("/sys/class/block/vda1", "../../devices/x/block/vda/vda1");
	made_link("/sys/class/block/vdb", "../../devices/x/block/vdb");
	made_link("/sys/class/block/vdc", "../../devices/x/block/vdc");
	made_link("/sys/class/block/vdc1", "../../devices/x/block/vdc/vdc1");
	made_link("/sys/class/block/sda", "../../devices/x/block/sda");
	made_link("/sys/class/block/sdb", "../../devices/x/block/sdb");
	made_link("/sys/class/block/dm-3", "../../devices/virtual/block/dm-3");
	made_link("/sys/class/block/md0", "../../devices/virtual/block/md0");
	made_put("/dev/mapper/control", "");
	put_ext("/dev/vda", 0, 0);
	put_ext("/dev/vdc", 0, 0);
}
