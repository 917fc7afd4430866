/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the judged image to the restored system: everything that involves /dev/snapshot. */
#include "area.h"
#include "restore_private.h"
#include "witness.h"
#include "base/bytes.h"
#include "base/io.h"
#include "base/log.h"
#include "base/stopwatch.h"
#include "history/boot_record_file.h"
#include "kernel/snapshot_device.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int write_snapshot(void *context, const void *buffer, size_t length)
{
	struct restore *restore = context;
	size_t head = (size_t)min_u64(restore->head_left, length);
	int r = head > 0 ? snapshot_write(restore->snapshot, buffer, head, 1) : 0;

	restore->head_left -= head;
	if (r < 0 || head == length)
		return r;
	return snapshot_write(restore->snapshot, (const char *)buffer + head, length - head,
			      SNAPSHOT_PAGES_A_CALL);
}

static int watch_loading(void *context, uint64_t done)
{
	struct restore *restore = context;

	progress_update(&restore->progress, done);
	return 0;
}

/* The kernel must have the whole image before it is consumed. */
static int end_load(struct restore *restore, struct why *w)
{
	int r = snapshot_write_end(restore->snapshot);

	if (r == -ENODATA)
		return why(w, r, "the kernel expects more pages than the image has");
	return r < 0 ? why(w, r, "the kernel rejects the end of the image: %s", strerror(-r)) : 0;
}

static int load(struct restore *restore, struct why *w)
{
	const struct page_sink sink = { .write = write_snapshot, .context = restore };
	const struct stream_watch watch = { .progress = watch_loading, .context = restore };
	const struct image_header *header = image_reader_header(restore->reader);
	int r;

	/* Its header, metadata, and the first page of data. */
	restore->head_left = (2 + header->metadata_pages) * page_size();
	progress_begin(&restore->progress, "Loading", header->stream_size,
		       log_level() < LOG_LEVEL_NOTICE);
	r = image_reader_load(restore->reader, &sink, restore->decision.first_page, &watch, w);
	progress_end(&restore->progress);
	/* Keys must not stay in memory. */
	image_reader_forget_keys(restore->reader);
	if (r == 0)
		return end_load(restore, w);
	/* The kernel checks its header page on the write after it. */
	if (r == -EPERM || r == -EINVAL || r == -ENODEV)
		why_prefix(w, r,
			   "the kernel refuses the image: it was made on a machine or with a "
			   "firmware memory map that differs from this boot's");
	else if (r == -EFAULT)
		why_prefix(w, r, "the image has pages where this machine has no memory");
	else if (r == -ENOMEM)
		why_prefix(w, r, "the image does not fit into this machine's memory");
	return r;
}

/* After this the image is consumed: the area is swap, and what could open a sealed image is
 * wiped. In this order, since a power cut must not leave an image that cannot be opened. */
static int consume(struct restore *restore, struct why *w)
{
	/* The flush of this write covers the earlier ones. */
	int r = image_clear(&restore->signature, w);

	if (r == 0 && header_sealed(image_reader_header(restore->reader)))
		r = sealed_header_wipe(&restore->header, restore->device, page_size(),
				       &restore->record, w);
	return r;
}

/* Takes all memory that is needed once the image is loaded: none is left then, and the OOM
 * killer cannot free any while all processes are frozen. */
static int take_memory(struct restore *restore, struct why *w)
{
	int r = restore->handover_page.base ? 0
					    : arena_create(&restore->handover_page, page_size());

	if (r == 0)
		r = digest_open(&restore->crc, DIGEST_CRC32);
	if (r < 0)
		return why(w, r, "memory for the hand-over page: %s", strerror(-r));
	return header_sealed(image_reader_header(restore->reader))
		       ? sealed_header_prepare(&restore->header, restore->device, page_size(),
					       &restore->record, w)
		       : 0;
}

/* The hand-over is the only way for this boot's record into the restored system. It is optional:
 * what does not fit, or cannot be read, is left out. */
static void take_record(struct restore *restore)
{
	struct handover *handover = &restore->handover;

	witness_keys(restore->run, restore->settings);
	seen_hand_over(restore);
	boot_record_hand_over("", restore->run, handover->record,
			      handover_record_room(handover) + 1);
}

static int hand_over(struct restore *restore, struct why *w)
{
	unsigned char *page = restore->handover_page.base;
	uint64_t place = image_reader_header(restore->reader)->handover;
	int r = 0;

	handover_encode(&restore->handover, &restore->crc, page, page_size());
	if (place)
		r = io_pwrite_full(restore->device, page, page_size(), place);
	return r < 0 ? why(w, r, "the hand-over page cannot be written: %s", strerror(-r)) : 0;
}

static int open_snapshot(struct restore *restore, struct why *w)
{
	const char *path = restore->settings->snapshot_device;

	restore->snapshot = snapshot_open(path, true);
	if (restore->snapshot >= 0)
		return 0;
	restore->vetoed = true;
	return why(w, restore->snapshot, "%s cannot be opened: %s", path,
		   strerror(-restore->snapshot));
}

/* Retried: a wake-up event aborts the freeze, but does not matter here. */
static int freeze(struct restore *restore, struct why *w)
{
	int tries = 0, r;

	do {
		r = snapshot_freeze(restore->snapshot);
	} while (r == -EBUSY && once_more(&tries));
	restore->frozen = r == 0;
	restore->vetoed = r < 0;
	return r < 0 ? why(w, r, "the boot's processes cannot be frozen: %s", strerror(-r)) : 0;
}

/* After 0 only the restore itself can fail: the snapshot is in memory, all else is frozen, and
 * the signature is swap again. */
static int load_and_consume(struct restore *restore, struct why *w)
{
	uint64_t begun;
	int r = take_memory(restore, w);

	take_record(restore);
	if (r == 0)
		r = open_snapshot(restore, w);
	if (r < 0)
		return r;
	/* An image that crashes the machine must not do so forever. */
	restore->record.attempts++;
	r = image_update_record(&restore->signature, &restore->record, w);
	if (r < 0)
		return r;
	restore->attempted = true;
	restore->handover.attempts = restore->record.attempts;
	begun = now_usec();
	r = load(restore, w);
	if (r < 0)
		return r;
	restore->handover.load_usec = now_usec() - begun;

	r = freeze(restore, w);
	if (r == 0)
		r = hand_over(restore, w);
	return r < 0 ? r : consume(restore, w);
}

static void leave_kernel(struct restore *restore)
{
	if (restore->snapshot < 0)
		return;
	if (restore->frozen) {
		snapshot_free(restore->snapshot);
		snapshot_unfreeze(restore->snapshot);
		restore->frozen = false;
	}
	close(restore->snapshot);
	restore->snapshot = -1;
}

int load_and_restore(struct restore *restore, struct why *w)
{
	int r;

	veto_watch_begin(&restore->veto, "");
	r = load_and_consume(restore, w);
	if (r == 0)
		r = snapshot_set_platform(restore->snapshot, restore->decision.platform_mode);
	if (r == 0) {
		r = snapshot_restore(restore->snapshot);
		restore->vetoed = true;
		why(w, r, "the kernel could not restore the image: %s", strerror(-r));
	}
	/* The restore failed, and nothing is mounted. */
	leave_kernel(restore);
	if (restore->vetoed)
		veto_explain(&restore->veto, "", r, w);
	veto_watch_end(&restore->veto);
	return r;
}
