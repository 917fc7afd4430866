/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disk_state.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "format/handover.h"
#include "format/swap_signature.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define BUFFER_BYTES (8u << 20)

int disk_state_map(struct disk_state *state, int fd, uint64_t size, uint64_t area, struct why *w)
{
	void *bytes;

	if (area > size || size - area < STATE_PAGE)
		return why(w, -EINVAL, "no swap area at byte %" PRIu64 " of %" PRIu64, area, size);
	bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		return why(w, -errno, "the disk's state cannot be mapped: %s", strerror(errno));
	*state = (struct disk_state){ .fd = fd, .bytes = bytes, .size = size, .area = area };
	memcpy(state->kept, state->bytes + area, STATE_KEPT);
	return 0;
}

/* Copies everything except holes. */
static int copy_data(int from, uint64_t start, int to, uint64_t size)
{
	_cleanup_free_ unsigned char *buffer = malloc(1u << 20);
	off_t at = (off_t)start;

	if (!buffer)
		return -ENOMEM;
	while ((at = lseek(from, at, SEEK_DATA)) >= 0 && (uint64_t)at < start + size) {
		off_t hole = lseek(from, at, SEEK_HOLE);
		uint64_t end = min_u64((uint64_t)hole, start + size);

		while ((uint64_t)at < end) {
			size_t part = (size_t)min_u64(end - (uint64_t)at, 1u << 20);
			int r = io_pread_full(from, buffer, part, (uint64_t)at);

			if (r == 0)
				r = io_pwrite_full(to, buffer, part, (uint64_t)at - start);
			if (r < 0)
				return r;
			at += (off_t)part;
		}
	}
	return at < 0 && errno != ENXIO ? -errno : 0;
}

int disk_state_load(struct disk_state *state, const char *path, uint64_t start, uint64_t size,
		    uint64_t area, struct why *w)
{
	_cleanup_close_ int from = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int memory = memfd_create("disk", MFD_CLOEXEC);
	int r;

	if (from < 0)
		return why(w, -errno, "%s: %s", path, strerror(errno));
	if (memory < 0 || ftruncate(memory, (off_t)size) < 0)
		return why(w, -errno, "no memory for the disk's state: %s", strerror(errno));
	r = copy_data(from, start, memory, size);
	if (r < 0)
		return why(w, r, "%s cannot be read: %s", path, strerror(-r));
	r = disk_state_map(state, memory, size, area, w);
	if (r == 0)
		steal_fd(&memory);
	return r;
}

void disk_state_free(struct disk_state *state)
{
	if (state->bytes)
		munmap(state->bytes, state->size);
	close(state->fd);
	*state = (struct disk_state){ .fd = -1 };
}

int disk_examine_page(const struct disk_state *state, const unsigned char *page,
		      enum disk_kind *ret, struct signature_record *ret_record, struct why *w)
{
	if (memcmp(page, state->kept, STATE_KEPT) != 0)
		return why(w, -EBADMSG, "the swap header is not what mkswap wrote");
	if (swap_signature_kind(page, STATE_PAGE) == SWAP_IS_SWAP) {
		if (!bytes_all_zero(page + STATE_KEPT,
				    STATE_PAGE - SWAP_SIGNATURE_SIZE - STATE_KEPT))
			return why(w, -EBADMSG, "swap, with something left in its record's place");
		*ret = DISK_SWAP;
		return 0;
	}
	if (swap_signature_kind(page, STATE_PAGE) != SWAP_IS_USER_IMAGE)
		return why(w, -EBADMSG, "neither swap nor an image");
	*ret = DISK_IMAGE;
	return signature_record_decode(page, STATE_PAGE, ret_record, w);
}

static int hash_sink(void *context, const void *buffer, size_t length)
{
	digest_update(context, buffer, length);
	return 0;
}

static int hash_image(struct disk_state *state, const struct signature_record *record,
		      unsigned char content[SHA256_SIZE], struct why *w)
{
	const struct image_reader_config config = {
		.fd = state->fd,
		.page_size = STATE_PAGE,
		.device_bytes = state->size,
		.buffer_bytes = BUFFER_BYTES,
		.unlocker = state->unlocker,
	};
	struct image_reader *reader = NULL;
	struct digest digest = { 0 };
	const struct page_sink sink = { .write = hash_sink, .context = &digest };
	int r = digest_open(&digest, DIGEST_SHA256);

	if (r == 0)
		r = image_reader_open(&config, record, &reader, w);
	if (r == 0)
		r = image_reader_load(reader, &sink, NULL, NULL, w);
	if (r == 0)
		digest_final(&digest, content);
	image_reader_close(reader);
	digest_close(&digest);
	return r;
}

int disk_verify_image(struct disk_state *state, const struct signature_record *record,
		      struct why *w)
{
	unsigned char content[SHA256_SIZE];
	int r = hash_image(state, record, content, w);

	if (r < 0)
		return why_prefix(w, r, "a live image that is not complete");
	state->verified++;
	if (!state->known || memcmp(state->image_id, record->image_id, IMAGE_ID_SIZE) != 0) {
		state->known = true;
		memcpy(state->image_id, record->image_id, IMAGE_ID_SIZE);
		memcpy(state->content, content, SHA256_SIZE);
	}
	if (memcmp(state->content, content, SHA256_SIZE) != 0)
		return why(w, -EBADMSG, "the image would restore something else than before");
	return 0;
}

int disk_verify_handover(const struct disk_state *state, const struct signature_record *record,
			 struct why *w)
{
	struct image_header header;
	struct handover *handover;
	int r;

	if (record->header_offset > state->size - STATE_PAGE)
		return why(w, -EBADMSG, "no header");
	r = header_page_decode(state->bytes + record->header_offset, STATE_PAGE, state->size,
			       &header, w);
	if (r < 0)
		return r;
	if (header.handover == 0)
		return -ENODATA;
	handover = malloc(sizeof(*handover));
	if (!handover)
		return -ENOMEM;
	r = handover_decode(state->bytes + header.handover, STATE_PAGE, record->image_id, handover,
			    w);
	free(handover);
	return r;
}
