/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inspect.h"

#include "base/memory.h"
#include "base/text.h"
#include "format/block_table.h"
#include "image/signature_find.h"
#include "image/pipeline/work_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES (32u << 20)

static int device_size(int fd, uint64_t *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISBLK(st.st_mode))
		return ioctl(fd, BLKGETSIZE64, ret) < 0 ? -errno : 0;
	if (!S_ISREG(st.st_mode))
		return -ENOTBLK;
	*ret = (uint64_t)st.st_size;
	return 0;
}

/* An active swap area's pages may differ in the page cache from the disk, so a
 * device is read directly; a file may be on a file system that cannot. */
static int open_source(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);

	if (fd < 0 && errno == EINVAL)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* What a sealed image reveals without its key. */
static int look_at_front(struct inspection *inspection, const struct image_reader_config *config,
			 struct why *w)
{
	struct header_front front;
	struct arena page = { 0 };
	int r = arena_create(&page, config->page_size);

	if (r < 0)
		return r;
	r = image_read_front(config, &inspection->record, page.base, &front, w);
	if (r == 0 && front.sealed) {
		inspection->sealed = true;
		inspection->cipher = front.cipher;
		r = key_slots_decode(&front, &inspection->slots, w);
	}
	for (uint32_t i = 0; i < inspection->slots.count; i++)
		inspection->slots.slots[i].at = NULL; /* pointed into the page */
	arena_destroy(&page);
	return r;
}

static int open_image(struct inspection *inspection, const unsigned char *page,
		      uint64_t device_bytes, struct image_unlock *unlock, struct why *w)
{
	struct image_reader_config config = {
		.fd = inspection->fd,
		.page_size = inspection->page_size,
		.device_bytes = device_bytes,
		.workers = work_pool_workers(0),
		.buffer_bytes = BUFFER_BYTES,
	};
	int r = signature_record_decode(page, inspection->page_size, &inspection->record, w);

	if (unlock)
		config.unlocker = image_unlocker_of(unlock);
	if (r == 0)
		r = look_at_front(inspection, &config, w);
	inspection->locked = r == 0 && inspection->sealed && !unlock;
	if (inspection->locked)
		return 0;
	if (r == 0)
		r = image_reader_open(&config, &inspection->record, &inspection->reader, w);
	if (r == 0)
		r = verdict_input_open(image_reader_sections(inspection->reader),
				       &inspection->input, w);
	if (r == 0)
		inspection->input.image.no_handover =
			image_reader_header(inspection->reader)->handover == 0;
	return r;
}

int inspect_open(const char *path, const char *name, uint64_t offset, struct image_unlock *unlock,
		 struct inspection *ret, struct why *w)
{
	struct signature_page sp = { 0 };
	uint64_t device_bytes = 0;
	int r;

	*ret = (struct inspection){ .area_offset = offset };
	text_copy(ret->name, sizeof(ret->name), name);
	ret->fd = open_source(path);
	if (ret->fd < 0)
		return why(w, ret->fd, "%s: %s", path, strerror(-ret->fd));
	r = device_size(ret->fd, &device_bytes);
	if (r < 0) {
		r = why(w, r, "%s is neither a block device nor a file", path);
	} else {
		r = signature_page_find(&sp, ret->fd, offset / page_size(), page_size(), w);
		if (r < 0)
			why_prefix(w, r, "%s", path);
	}
	if (r < 0) {
		inspect_close(ret);
		return r;
	}
	ret->area_offset = sp.offset;
	ret->page_size = sp.size;
	ret->kind = swap_signature_kind(sp.page, sp.size);
	ret->header_known = swap_header_parse(sp.page, sp.size, &ret->header) == 0;
	ret->record_present = signature_record_present(sp.page, sp.size);
	if (ret->kind == SWAP_IS_USER_IMAGE || ret->record_present)
		ret->problem = open_image(ret, sp.page, device_bytes, unlock, &ret->problem_text);
	signature_page_close(&sp);
	if (ret->problem != -EKEYREJECTED)
		return 0;
	/* The image itself may be sound. */
	why_prefix(&ret->problem_text, ret->problem, "%s", name);
	r = why(w, ret->problem, "%s", why_text(&ret->problem_text, ret->problem));
	inspect_close(ret);
	return r;
}

void inspect_close(struct inspection *inspection)
{
	verdict_input_close(&inspection->input);
	image_reader_close(inspection->reader);
	if (inspection->fd >= 0)
		close(inspection->fd);
	inspection->reader = NULL;
	inspection->fd = -1;
}

struct block_statistics inspect_blocks(const struct inspection *inspection)
{
	const struct image_header *header = image_reader_header(inspection->reader);
	const struct section *table = &image_reader_sections(inspection->reader)->block_table;
	struct block_statistics statistics = { 0 };

	for (uint64_t i = 0; i < header->blocks; i++) {
		struct block_entry entry = block_table_entry(table->data, i);

		statistics.stored_bytes += entry.stored_size;
		if (entry.codec == CODEC_RAW)
			statistics.raw_blocks++;
		else
			statistics.lz4_blocks++;
	}
	return statistics;
}
