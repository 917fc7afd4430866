/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/filesystems/device_cut.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "platform/filesystems/block_device.h"
#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEPTH_MAX 8
#define SECTOR 512

static int cut_partition(const char *root, const char *name, uint64_t number)
{
	_cleanup_close_ int fd = -1;
	struct blkpg_partition partition = { .pno = (int)number };
	struct blkpg_ioctl_arg argument = {
		.op = BLKPG_RESIZE_PARTITION,
		.datalen = sizeof(partition),
		.data = &partition,
	};
	char disk[64], path[300];
	uint64_t start, sector;

	if (!block_device_whole(root, name, disk, sizeof(disk)) ||
	    !tree_u64(root, &start, "/sys/class/block/%s/start", name))
		return -ENODEV;
	if (!tree_u64(root, &sector, "/sys/class/block/%s/queue/logical_block_size", disk))
		sector = 4096; /* more than any has */
	partition.start = (long long)(start * SECTOR);
	partition.length = (long long)sector;
	block_device_path(disk, path, sizeof(path));
	fd = block_device_open(root, path);
	if (fd < 0)
		return fd;
	return ioctl(fd, BLKPG, &argument) < 0 ? -errno : (int)sector;
}

/* One target over the whole length; the kernel takes them as one block of memory. */
struct mapper_table {
	struct dm_ioctl head;
	struct dm_target_spec target;
	char parameters[8];
};

static void mapper_head(struct dm_ioctl *head, size_t size, unsigned int high, unsigned int low,
			uint32_t flags)
{
	*head = (struct dm_ioctl){
		.version = { DM_VERSION_MAJOR, 0, 0 },
		.data_size = (uint32_t)size,
		.data_start = sizeof(*head),
		.flags = flags,
		/* huge_encode_dev() of the kernel */
		.dev = (low & 0xff) | high << 8 | (uint64_t)(low & ~0xffu) << 12,
	};
}

static int cut_mapper(const char *root, const char *name)
{
	_cleanup_close_ int fd = -1;
	struct mapper_table table = { .target = { .target_type = "error" } };
	struct dm_ioctl resume;
	char path[300], number[40];
	unsigned int high, low;
	uint64_t sectors;

	if (!tree_text(root, number, sizeof(number), "/sys/class/block/%s/dev", name) ||
	    sscanf(number, "%u:%u", &high, &low) != 2 ||
	    !tree_u64(root, &sectors, "/sys/class/block/%s/size", name))
		return -ENODEV;
	snprintf(path, sizeof(path), "%s/dev/mapper/control", root);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	mapper_head(&table.head, sizeof(table), high, low, 0);
	table.head.target_count = 1;
	table.target.length = sectors;
	if (ioctl(fd, DM_TABLE_LOAD, &table) < 0)
		return -errno;
	/* Requests in flight are not waited for, and its file system is not frozen: that
	 * would write. */
	mapper_head(&resume, sizeof(resume), high, low, DM_NOFLUSH_FLAG | DM_SKIP_LOCKFS_FLAG);
	return ioctl(fd, DM_DEV_SUSPEND, &resume) < 0 ? -errno : 0;
}

static int cut_device(const char *root, const char *name, unsigned int depth);

/* What MD keeps on a member mostly follows its own superblock. */
static int cut_slave(const char *root, const char *name, const char *slave, unsigned int depth)
{
	uint64_t offset;
	int left = cut_device(root, slave, depth + 1);

	return left > 0 &&
			       tree_u64(root, &offset, "/sys/class/block/%s/md/dev-%s/offset", name,
					slave) &&
			       offset >= (uint64_t)left / SECTOR
		       ? 0
		       : left;
}

/* Every device below it that nothing else uses. */
static int cut_slaves(const char *root, const char *name, unsigned int depth)
{
	_cleanup_names_ struct tree_names slaves = { 0 };
	char path[300];
	int r = 0;

	snprintf(path, sizeof(path), "/sys/class/block/%s/slaves", name);
	if (depth == DEPTH_MAX || tree_list(root, path, &slaves) < 0 || slaves.count == 0)
		return -EOPNOTSUPP;
	for (size_t i = 0; i < slaves.count; i++) {
		_cleanup_names_ struct tree_names holders = { 0 };

		snprintf(path, sizeof(path), "/sys/class/block/%s/holders", slaves.items[i]);
		if (tree_list(root, path, &holders) < 0 || holders.count != 1)
			return -EOPNOTSUPP;
	}
	for (size_t i = 0; i < slaves.count; i++) {
		int one = cut_slave(root, name, slaves.items[i], depth);

		if (r >= 0 && (one < 0 || one > r))
			r = one;
	}
	return r;
}

static int cut_device(const char *root, const char *name, unsigned int depth)
{
	char path[300];
	uint64_t number;

	snprintf(path, sizeof(path), "/sys/class/block/%s/dm", name);
	if (tree_exists(root, path))
		return cut_mapper(root, name);
	if (tree_u64(root, &number, "/sys/class/block/%s/partition", name))
		return cut_partition(root, name, number);
	snprintf(path, sizeof(path), "/sys/class/block/%s/device/scsi_level", name);
	if (tree_exists(root, path)) {
		snprintf(path, sizeof(path), "/sys/class/block/%s/device/state", name);
		return io_write_text(root, path, "offline\n");
	}
	return cut_slaves(root, name, depth);
}

int device_cut(const char *root, const char *name)
{
	return cut_device(root, name, 0);
}
