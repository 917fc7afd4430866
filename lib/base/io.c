/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/io.h"

#include "base/cleanup.h"
#include "base/look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int io_pread_full(int fd, void *buffer, size_t length, uint64_t offset)
{
	char *at = buffer;

	while (length > 0) {
		ssize_t n = pread(fd, at, length, (off_t)offset);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			return -ENODATA;
		at += n;
		offset += (uint64_t)n;
		length -= (size_t)n;
	}
	return 0;
}

int io_pwrite_full(int fd, const void *buffer, size_t length, uint64_t offset)
{
	const char *at = buffer;

	while (length > 0) {
		ssize_t n = pwrite(fd, at, length, (off_t)offset);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			return -EIO;
		at += n;
		offset += (uint64_t)n;
		length -= (size_t)n;
	}
	return 0;
}

void io_drop_cache(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	/* With O_DIRECT reads come from the device anyway, and this would write back
	 * other dirty pages, which may belong to a file system that must not change while
	 * a snapshot exists. */
	if (flags >= 0 && !(flags & O_DIRECT))
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

int io_write_full(int fd, const void *buffer, size_t length)
{
	const char *at = buffer;

	while (length > 0) {
		ssize_t n = write(fd, at, length);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

static bool only_looks;

/* Symbolic links of another system's tree are resolved within that tree, absolute ones
 * too. -ENOSYS before Linux 5.6. */
static int open_in_root(const char *root, const char *path, int flags)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	_cleanup_close_ int top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), place = -1;
	struct stat st;
	long fd;

	if (top < 0)
		return -errno;
	/* Reading a pipe could block, and opening a device may have side effects. */
	place = (int)syscall(SYS_openat2, top, path, &how, sizeof(how));
	if (place < 0 || fstat(place, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return -ENXIO;
	/* openat2(2) rejects O_PATH together with any of the flags below. */
	if (flags & O_PATH)
		return steal_fd(&place);
	how.flags = (unsigned int)(flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	fd = syscall(SYS_openat2, top, path, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

int io_open_below(const char *root, const char *path, int flags)
{
	char full[PATH_MAX];
	int fd;

	if (only_looks && *root) {
		fd = open_in_root(root, path, flags);
		if (fd != -ENOSYS)
			return fd;
	}

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_noted(const char *root, const char *path)
{
	look_note(root, path, LOOK_READ);
	return io_open_below(root, path, O_RDONLY);
}

/* Reads until the buffer is full or the file ends; returns the bytes read. */
static ssize_t read_up_to(int fd, char *buffer, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t n = read(fd, buffer + used, size - used);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

ssize_t io_read_text(const char *root, const char *path, char *buffer, size_t size)
{
	_cleanup_close_ int fd = open_noted(root, path);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read_up_to(fd, buffer, size - 1);
	if (n >= 0)
		buffer[n] = '\0';
	return n;
}

int io_read_file(const char *root, const char *path, size_t limit, char **ret_text,
		 size_t *ret_length)
{
	_cleanup_close_ int fd = open_noted(root, path);
	_cleanup_free_ char *text = NULL;
	size_t size = 4096, used = 0;

	if (fd < 0)
		return fd;
	/* Files of /proc and /sys report no size. */
	for (;;) {
		ssize_t n;
		char *more = realloc(text, size + 1);

		if (!more)
			return -ENOMEM;
		text = more;
		n = read_up_to(fd, text + used, size - used);
		if (n < 0)
			return (int)n;
		used += (size_t)n;
		if (used < size)
			break;
		if (used > limit)
			return -EFBIG;
		size *= 2;
	}
	if (used > limit)
		return -EFBIG;
	text[used] = '\0';
	*ret_text = steal_pointer(&text);
	if (ret_length)
		*ret_length = used;
	return 0;
}

void io_set_only_looks(bool wanted)
{
	only_looks = wanted;
}

int io_write_text(const char *root, const char *path, const char *text)
{
	_cleanup_close_ int fd = io_open_below(root, path, O_WRONLY);

	if (fd < 0)
		return fd;
	return io_write_full(fd, text, strlen(text));
}

void io_open_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* open() returned the lowest free number, which is this one. Early at
		 * boot there may be no /dev; writing to a descriptor opened with O_PATH
		 * always fails. */
		if (open("/dev/null", O_RDWR) < 0 && open("/", O_PATH) < 0)
			return;
	}
}
