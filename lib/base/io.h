/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Complete reads and writes, and small files of /proc and /sys. All functions return 0
 * (or a length) or a negative errno.
 */
#ifndef S2DISK_BASE_IO_H
#define S2DISK_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads or writes exactly length bytes at offset; a short read at the end of the file is
 * -ENODATA. Interrupted calls are continued. */
int io_pread_full(int fd, void *buffer, size_t length, uint64_t offset);
int io_pwrite_full(int fd, const void *buffer, size_t length, uint64_t offset);

/* Makes the next reads come from the device: clean pages in the kernel's cache are
 * dropped. Does nothing for a descriptor opened with O_DIRECT, which reads the device
 * anyway. */
void io_drop_cache(int fd);

/* Writes exactly length bytes at the current position. */
int io_write_full(int fd, const void *buffer, size_t length);

/* Opens root/path. The fd, with O_CLOEXEC, or a negative errno. */
int io_open_below(const char *root, const char *path, int flags);

/* Reads a small file into buffer and terminates it with a zero byte; anything beyond size
 * - 1 is cut off. root is put before path ("" for none), so that tests can point at a
 * recorded tree. Returns the length. */
ssize_t io_read_text(const char *root, const char *path, char *buffer, size_t size);

/* Reads a whole file of unknown size, at most limit bytes (-EFBIG beyond). *ret_text ends
 * with a zero byte; the caller frees it. */
int io_read_file(const char *root, const char *path, size_t limit, char **ret_text,
		 size_t *ret_length);

/* Makes sure that descriptors 0, 1 and 2 are open. Otherwise a device opened later could
 * get one of these numbers, and messages would be written to it. */
void io_open_standard(void);

/* From now on the tree that is read is not this machine's: its links are resolved within
 * it, and only regular files are opened. */
void io_set_only_looks(bool only_looks);

/* Writes text to an existing file (in /proc or /sys) in one call. */
int io_write_text(const char *root, const char *path, const char *text);

#endif
