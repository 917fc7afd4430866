/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What boots that refused the image saw, from one to the next, until one restores it. */
#include "area.h"
#include "restore_private.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "history/maps/boots_left.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t place_of(const struct restore *restore)
{
	return restore->reader ? image_reader_header(restore->reader)->handover
			       : restore->place_unread;
}

static int take_page(struct restore *restore)
{
	return restore->handover_page.base ? 0 : arena_create(&restore->handover_page, page_size());
}

/* Of an image that is discarded unread: its header may be sealed. Who can write to the disk may
 * have chosen the place; it is only read, and a page there counts only with the image's id. */
static uint64_t find_unread(const struct restore *restore)
{
	uint64_t place = restore->record.handover;
	uint64_t end = restore->area->dev_bytes;

	if (!restore->decoded || restore->signature.size != page_size() || end < page_size() ||
	    place % page_size() || place > end - page_size())
		return 0;
	return place;
}

static int read_page(struct restore *restore)
{
	int tries = 0, r = take_page(restore);

	if (r < 0)
		return r;
	do {
		r = io_pread_full(restore->device, restore->handover_page.base, page_size(),
				  place_of(restore));
	} while (r < 0 && once_more(&tries));
	return r;
}

/* Once, before this boot writes the page. Whatever cannot be read is forgotten. */
static void read_left(struct restore *restore)
{
	_cleanup_free_ struct handover *left = NULL;
	struct why w = { 0 };
	int r;

	if (restore->seen_read)
		return;
	restore->seen_read = true;
	left = malloc(sizeof(*left));
	r = left ? read_page(restore) : -ENOMEM;
	restore->place_ours =
		r == 0 && handover_place_is_ours(restore->handover_page.base, page_size(),
						 restore->record.image_id);
	if (r == 0)
		r = handover_decode_left(restore->handover_page.base, page_size(),
					 restore->record.image_id, left, &w);
	if (r == 0)
		r = boots_seen_decode(left->boots, left->boots_length, &restore->seen, &w);
	if (r == 0)
		r = boots_seen_decode(left->boots, left->boots_length, &restore->left, &w);
	if (r < 0 && r != -ENODATA)
		log_debug("what earlier boots saw is not known: %s", why_text(&w, r));
	boots_seen_refuse_all(&restore->seen);
	boots_seen_refuse_all(&restore->left);
}

/* Adds this boot, and fills the hand-over's part. */
static void put_boots(struct restore *restore, enum boot_outcome outcome, struct handover *handover)
{
	size_t length = 0;
	int r = 0;

	if (!restore->seen_added)
		r = boots_seen_add(&restore->seen, &restore->decision.boot, outcome);
	restore->seen_added = true;
	if (r == 0)
		r = boots_seen_encode(&restore->seen, handover->boots,
				      handover_boots_room(handover), &length);
	if (r < 0)
		log_debug("this boot's memory map cannot be handed over: %s", strerror(-r));
	handover->boots_length = (uint32_t)length;
}

void seen_hand_over(struct restore *restore)
{
	if (place_of(restore) == 0)
		return;
	read_left(restore);
	put_boots(restore, BOOT_RESUMED, &restore->handover);
}

static int write_page(struct restore *restore, const struct handover *handover)
{
	struct digest crc = { 0 };
	int r = digest_open(&crc, DIGEST_CRC32);

	if (r < 0)
		return r;
	handover_encode(handover, &crc, restore->handover_page.base, page_size());
	digest_close(&crc);
	r = io_pwrite_full(restore->device, restore->handover_page.base, page_size(),
			   place_of(restore));
	return r == 0 && fdatasync(restore->device) < 0 ? -errno : r;
}

void seen_leave(struct restore *restore)
{
	_cleanup_free_ struct handover *handover = NULL;
	int r;

	if (place_of(restore) == 0 || restore->decision.boot.map.entries.count == 0)
		return;
	read_left(restore);
	if (!restore->place_ours) {
		log_debug("this boot's memory map is not left for the system in the image: its "
			  "page may be another file's");
		return;
	}
	handover = calloc(1, sizeof(*handover));
	if (!handover)
		return;
	handover->refused = true;
	memcpy(handover->image_id, restore->record.image_id, IMAGE_ID_SIZE);
	boots_seen_refuse_all(&restore->seen);
	put_boots(restore, BOOT_REFUSED, handover);
	r = write_page(restore, handover);
	if (r < 0)
		log_debug("this boot's memory map is not left for the system in the image: %s",
			  strerror(-r));
}

void seen_discard(struct restore *restore)
{
	struct why w = { 0 };
	int r;

	if (!restore->reader)
		restore->place_unread = find_unread(restore);
	if (place_of(restore) == 0)
		return;
	read_left(restore);
	r = boots_left_put("", &restore->left, &w);
	if (r < 0)
		log_debug("what earlier boots saw is lost: %s", why_text(&w, r));
}
