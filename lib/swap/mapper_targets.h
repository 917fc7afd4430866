/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a device of the device mapper is made of: the targets of its table. */
#ifndef S2DISK_SWAP_MAPPER_TARGETS_H
#define S2DISK_SWAP_MAPPER_TARGETS_H

#include <stddef.h>
#include <sys/types.h>

#define MAPPER_TARGETS_SIZE 128

/* Pure: the types of targets in what DM_TABLE_STATUS gave (struct dm_ioctl with its
 * data; linux/dm-ioctl.h), each once, with a blank between them: "linear thin". At most
 * length bytes are read. -EINVAL where the buffer contradicts itself, -ENOBUFS where the
 * kernel or ret has no room for all of them (ret untouched). */
int mapper_targets_parse(const void *buffer, size_t length, char *ret, size_t size);

/* Asks the kernel ("" as the root; needs CAP_SYS_ADMIN). The table itself is not asked
 * for, since it has the keys of dm-crypt. Below another root, the file /mapper stands for
 * the kernel: lines of "MAJOR:MINOR TARGET [TARGET...]". -ENOENT where that says nothing;
 * a negative errno where the kernel does not answer. */
int mapper_targets_read(const char *root, dev_t dev, char *ret, size_t size);

#endif
