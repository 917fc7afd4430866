/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Full reads and writes, and the small files of /proc and /sys. All functions
 * return 0 (or a length) or a negative errno.
 */
#ifndef S2DISK_BASE_IO_H
#define S2DISK_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads or writes exactly length bytes at offset; a short read at the end of
 * the file is -ENODATA. Interrupted calls are taken up again. */
int io_pread_full(int fd, void *buffer, size_t length, uint64_t offset);
int io_pwrite_full(int fd, const void *buffer, size_t length, uint64_t offset);

/* The next reads come from the device: what the kernel keeps of it in memory,
 * and was not changed there, is dropped. Does nothing where it was opened with
 * O_DIRECT, since then they do in any case. */
void io_drop_cache(int fd);

/* Writes exactly length bytes at the current position. */
int io_write_full(int fd, const void *buffer, size_t length);

/* Opens root/path. The fd, with O_CLOEXEC, or a negative errno. */
int io_open_below(const char *root, const char *path, int flags);

/* Reads a whole small file into buffer, always ended by a zero byte; a file
 * longer than size - 1 is cut. root is put before path ("" for none), so that
 * tests can point at a recorded tree. Returns the length. */
ssize_t io_read_text(const char *root, const char *path, char *buffer, size_t size);

/* Reads a whole file of unknown size, at most limit bytes (-EFBIG beyond).
 * *ret_text is ended by a zero byte and belongs to the caller (free). */
int io_read_file(const char *root, const char *path, size_t limit, char **ret_text,
		 size_t *ret_length);

/* Sees to it that the descriptors 0, 1 and 2 are open, so that no device opened
 * later gets one of these numbers, and with it what is printed. */
void io_open_standard(void);

/* From now on what is read is a tree that is not this machine's: links in it do not
 * lead out of it where a file is read, nothing but files is opened, and whoever keeps something
 * below a root for the next time asks first. */
void io_set_only_looks(bool only_looks);
bool io_only_looks(void);

/* Writes text to an existing file (of /proc, /sys) in one call. */
int io_write_text(const char *root, const char *path, const char *text);

#endif
