/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write_log.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define LOG_MAGIC 0x6a736677736872ull
#define FLAG_FLUSH 1u
#define FLAG_FUA 2u
#define FLAG_DISCARD 4u
#define FLAG_MARK 8u

/* Sector sizes of the log and of the disk's addresses. */
#define SECTOR_MIN 512u
#define SECTOR_MAX 65536u
#define WRITE_MAX (64u << 20)

static struct log_entry *new_entry(struct write_log *log)
{
	if (log->count == log->room) {
		size_t room = log->room ? 2 * log->room : 256;
		struct log_entry *more = realloc(log->entries, room * sizeof(*more));

		if (!more)
			return NULL;
		log->entries = more;
		log->room = room;
	}
	log->entries[log->count] = (struct log_entry){ 0 };
	return &log->entries[log->count++];
}

int write_log_add_write(struct write_log *log, uint64_t offset, const void *data, size_t length)
{
	unsigned char *copy = malloc(length ? length : 1);
	struct log_entry *entry = copy ? new_entry(log) : NULL;

	if (!entry) {
		free(copy);
		return -ENOMEM;
	}
	memcpy(copy, data, length);
	*entry = (struct log_entry){
		.kind = LOG_WRITE,
		.offset = offset,
		.length = length,
		.data = copy,
	};
	return 0;
}

int write_log_add_flush(struct write_log *log)
{
	struct log_entry *entry = new_entry(log);

	if (!entry)
		return -ENOMEM;
	entry->kind = LOG_FLUSH;
	return 0;
}

/* The part of a write within the area of interest. */
static int add_part(struct write_log *log, uint64_t at, const unsigned char *data, uint64_t length,
		    uint64_t start, uint64_t size)
{
	uint64_t first = max_u64(at, start), end = min_u64(at + length, start + size);

	if (first >= end)
		return 0;
	return write_log_add_write(log, first - start, data + (first - at), (size_t)(end - first));
}

struct log_file {
	int fd;
	uint32_t sector;
	uint64_t entries;
	uint64_t at; /* of the next entry, bytes */
};

static int open_log(struct log_file *file, const char *path, struct why *w)
{
	unsigned char super[32];
	int r;

	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0)
		return why(w, -errno, "%s: %s", path, strerror(errno));
	r = io_pread_full(file->fd, super, sizeof(super), 0);
	if (r < 0)
		return why(w, r, "%s cannot be read: %s", path, strerror(-r));
	file->entries = get_le64(super + 16);
	file->sector = get_le32(super + 24);
	if (get_le64(super) != LOG_MAGIC || get_le64(super + 8) != 1 ||
	    !is_power_of_two(file->sector) || file->sector < SECTOR_MIN ||
	    file->sector > SECTOR_MAX)
		return why(w, -EBADMSG, "%s is not a log of writes", path);
	file->at = file->sector;
	return 0;
}

static int read_entry(struct write_log *log, struct log_file *file, uint64_t start, uint64_t size,
		      struct why *w)
{
	_cleanup_free_ unsigned char *data = NULL;
	unsigned char head[32];
	uint64_t offset, length, flags;
	int r = io_pread_full(file->fd, head, sizeof(head), file->at);

	if (r < 0)
		return why(w, r, "the log ends at byte %" PRIu64, file->at);
	offset = get_le64(head) * file->sector;
	length = get_le64(head + 8) * file->sector;
	flags = get_le64(head + 16);
	file->at += file->sector;
	if (flags & FLAG_MARK)
		return why(w, -ENOTSUP, "the log has a mark at byte %" PRIu64, file->at);
	if (flags & FLAG_DISCARD || length > WRITE_MAX)
		return why(w, -ENOTSUP, "the log has a discard or a huge write at byte %" PRIu64,
			   file->at);
	/* A flush with data comes before the data. */
	r = flags & FLAG_FLUSH ? write_log_add_flush(log) : 0;
	if (r < 0 || length == 0)
		return r;
	data = malloc((size_t)length);
	if (!data)
		return -ENOMEM;
	r = io_pread_full(file->fd, data, (size_t)length, file->at);
	if (r < 0)
		return why(w, r, "the log ends in the data at byte %" PRIu64, file->at);
	file->at += length;
	r = add_part(log, offset, data, length, start, size);
	return r == 0 && flags & FLAG_FUA ? write_log_add_flush(log) : r;
}

int write_log_load(struct write_log *log, const char *path, uint64_t start, uint64_t size,
		   struct why *w)
{
	struct log_file file = { .fd = -1 };
	int r = open_log(&file, path, w);

	for (uint64_t i = 0; r == 0 && i < file.entries; i++)
		r = read_entry(log, &file, start, size, w);
	if (file.fd >= 0)
		close(file.fd);
	return r;
}

void write_log_free(struct write_log *log)
{
	for (size_t i = 0; i < log->count; i++)
		free(log->entries[i].data);
	free(log->entries);
	*log = (struct write_log){ 0 };
}
