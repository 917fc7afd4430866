/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a device mapper device consists of: the targets of its table. */
#ifndef S2DISK_SWAP_MAPPER_TARGETS_H
#define S2DISK_SWAP_MAPPER_TARGETS_H

#include <stddef.h>
#include <sys/types.h>

#define MAPPER_TARGETS_SIZE 128

/* Pure: the types of targets in the result of DM_TABLE_STATUS (struct dm_ioctl with its
 * data; linux/dm-ioctl.h), each once, separated by blanks: "linear thin". Reads at most
 * length bytes. -EINVAL if the buffer contradicts itself, -ENOBUFS if the kernel or ret
 * has no room for all of them (ret untouched). */
int mapper_targets_parse(const void *buffer, size_t length, char *ret, size_t size);

/* Asks the kernel ("" as the root; needs CAP_SYS_ADMIN). The table itself is not
 * requested, since it contains the keys of dm-crypt. Below another root, the file /mapper
 * stands for the kernel: lines of "MAJOR:MINOR TARGET [TARGET...]". -ENOENT if that has
 * no line for it; another negative errno if the kernel fails. */
int mapper_targets_read(const char *root, dev_t dev, char *ret, size_t size);

#endif
