/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "restore.h"

#include "judge.h"
#include "mismatch.h"
#include "base/bytes.h"
#include "base/crypto.h"
#include "base/io.h"
#include "base/log.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "boot/set_aside.h"
#include "image/handover.h"
#include "image/image_commit.h"
#include "image/image_reader.h"
#include "image/work_pool.h"
#include "image_keys.h"
#include "kernel/snapshot_device.h"
#include "ui/plymouth.h"
#include "ui/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

#define ASK_SECONDS 60

/* So that what was said can be read before the screen goes dark. */
#define REBOOT_PAUSE_SECONDS 3

struct restore {
	const struct settings *settings;
	const struct swap_area *area;
	int device;   /* the area's block device, O_DIRECT */
	int snapshot; /* /dev/snapshot, -1 while it is closed */
	bool frozen;
	struct signature_page signature;
	struct signature_record record;
	struct image_reader *reader;
	struct sealed_header header; /* wiped */
	struct handover handover;
	struct arena handover_page;
	struct digest crc; /* for it */
	struct judgement judgement;
	struct progress progress;
	uint64_t head_left;  /* bytes of the snapshot that the kernel may refuse */
	const char *refused; /* why, while a refusal is dealt with */
};

/* A boot that goes on with a live image is the worst that can happen here, so
 * what may have failed for this once (a disk that is not quite awake, memory)
 * is tried again, this often in all. */
#define TRIES 3

/* After a try that failed: waits, and tells whether there is another. */
static bool once_more(int *tries)
{
	const struct timespec pause = { .tv_nsec = 200000000 };

	if (++*tries >= TRIES)
		return false;
	nanosleep(&pause, NULL);
	return true;
}

static void set_handover_facts(struct restore *restore)
{
	const struct image_header *header = image_reader_header(restore->reader);

	memcpy(restore->handover.image_id, header->image_id, IMAGE_ID_SIZE);
	restore->handover.write_usec = header->write_usec;
	restore->handover.stream_bytes = header->stream_size;
	restore->handover.stored_bytes = image_reader_stored_bytes(restore->reader);
}

/* Verifies what the image says of itself; not yet its blocks. */
static int open_image(struct restore *restore, struct why *w)
{
	const struct settings *s = restore->settings;
	struct image_unlock unlock = {
		.settings = s,
		.places = &passphrase_system,
		.name = restore->area->name,
	};
	struct image_reader_config config = {
		.fd = restore->device,
		.page_size = page_size(),
		.device_bytes = restore->area->dev_bytes,
		.workers = s->threads ? work_pool_workers(s->workers) : 0,
		.buffer_bytes = (uint64_t)s->buffer_mib << 20,
		.unlocker = image_unlocker_of(&unlock),
		.sealed_only = s->encrypt,
	};
	int r = image_reader_open(&config, &restore->record, &restore->reader, w);

	if (r == 0)
		set_handover_facts(restore);
	return r;
}

static void tell_image(const struct restore *restore)
{
	const struct image_header *header = image_reader_header(restore->reader);
	time_t created = (time_t)header->created;
	char size[24], stored[24], when[64] = "an unknown time";
	struct tm tm;

	/* The initramfs knows no time zone. */
	if (gmtime_r(&created, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	log_notice("resuming from %s: %s of memory (%s stored), hibernated at %s",
		   restore->area->name, text_size(header->stream_size, size, sizeof(size)),
		   text_size(image_reader_stored_bytes(restore->reader), stored, sizeof(stored)),
		   when);
}

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

/* The kernel must have all before the image is consumed. */
static int end_load(struct restore *restore, struct why *w)
{
	int r = snapshot_write_end(restore->snapshot);

	if (r == -ENODATA)
		return why(w, r, "the kernel waits for more pages than the image has");
	return r < 0 ? why(w, r, "the kernel does not take the end of the image: %s", strerror(-r))
		     : 0;
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
	r = image_reader_load(restore->reader, &sink, restore->judgement.first_page, &watch, w);
	progress_end(&restore->progress);
	/* The restored system must not find them in its memory. */
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

/* After this the image is used up: the area is swap, and what could open a
 * sealed image is gone. In this order, so that no power cut leaves an image
 * that cannot be opened. */
static int consume(struct restore *restore, struct why *w)
{
	/* The flush of this write covers those before it. */
	int r = image_clear(&restore->signature, w);

	if (r == 0 && header_sealed(image_reader_header(restore->reader)))
		r = sealed_header_wipe(&restore->header, restore->device, page_size(),
				       &restore->record, w);
	return r;
}

/* All that is needed once the image is loaded: then it has the memory, and with
 * all processes frozen none can be made free by ending one. */
static int take_memory(struct restore *restore, struct why *w)
{
	int r = arena_create(&restore->handover_page, page_size());

	if (r == 0)
		r = digest_open(&restore->crc, DIGEST_CRC32);
	if (r < 0)
		return why(w, r, "memory for the hand-over page: %s", strerror(-r));
	return header_sealed(image_reader_header(restore->reader))
		       ? sealed_header_prepare(&restore->header, restore->device, page_size(),
					       &restore->record, w)
		       : 0;
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

/* Everything that may go wrong must have gone wrong before this returns 0: the
 * snapshot is in memory, all else is frozen, the signature is swap's again. */
static int load_and_consume(struct restore *restore, struct why *w)
{
	uint64_t begun;
	int r = take_memory(restore, w);

	if (r < 0)
		return r;
	restore->snapshot = snapshot_open(restore->settings->snapshot_device, true);
	if (restore->snapshot < 0)
		return why(w, restore->snapshot, "%s cannot be opened: %s",
			   restore->settings->snapshot_device, strerror(-restore->snapshot));
	/* An image that crashes the machine must not do so for ever. */
	restore->record.attempts++;
	r = image_update_record(&restore->signature, &restore->record, w);
	if (r < 0)
		return r;
	restore->handover.attempts = restore->record.attempts;
	begun = now_usec();
	r = load(restore, w);
	if (r < 0)
		return r;
	restore->handover.load_usec = now_usec() - begun;

	r = snapshot_freeze(restore->snapshot);
	if (r < 0)
		return why(w, r, "the boot's processes cannot be frozen: %s", strerror(-r));
	restore->frozen = true;
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

/* For "s2disk --last" in the system that starts now. */
static void note_set_aside(const struct restore *restore, const char *reason)
{
	struct set_aside note = { .time = (uint64_t)time(NULL) };

	text_copy(note.area, sizeof(note.area), restore->area->name);
	text_copy(note.reason, sizeof(note.reason), reason);
	set_aside_write("", &note);
}

static void wipe_header(struct restore *restore)
{
	struct why reason = { 0 };
	int r;

	/* Without a sound record there is no telling where it is. */
	if (!restore->record.header_offset ||
	    (restore->reader && !header_sealed(image_reader_header(restore->reader))))
		return;
	r = sealed_header_wipe(&restore->header, restore->device, page_size(), &restore->record,
			       &reason);
	if (r < 0)
		log_warning("%s: %s; if it is encrypted, whoever has its key could still open it",
			    restore->area->name, why_text(&reason, r));
}

/* Makes the area swap again and says so, with the reason unless it was told. */
static int set_aside(struct restore *restore, const char *reason, struct why *w)
{
	int tries = 0, r;

	do {
		r = image_clear(&restore->signature, w);
	} while (r < 0 && once_more(&tries));
	if (r < 0)
		return why_prefix(w, r, "%s: the image cannot be set aside", restore->area->name);
	wipe_header(restore);
	log_error("%s: %s%sthe image is set aside, the boot goes on and the area is swap again",
		  restore->area->name, reason ? reason : "", reason ? "; " : "");
	note_set_aside(restore, reason ? reason : restore->refused);
	return 0;
}

/* Counts a refusal and boots again with the image kept; returns only when that
 * did not work. */
static void keep_and_reboot(struct restore *restore)
{
	struct why w = { 0 };
	int tries = 0, r;

	/* Nor is memory wiped by a reset. */
	if (restore->reader)
		image_reader_forget_keys(restore->reader);
	restore->record.refusals++;
	do {
		r = sealed_header_put_back(&restore->header, restore->device, page_size(), &w);
		if (r == 0)
			r = image_update_record(&restore->signature, &restore->record, &w);
	} while (r < 0 && once_more(&tries));
	sealed_header_free(&restore->header);
	if (r < 0) {
		log_error("%s: %s", restore->area->name, why_text(&w, r));
		return;
	}
	log_error("The image is kept and the machine is booted again: the next boot may fit "
		  "(refusal %u of %u before it is set aside)",
		  restore->record.refusals, restore->settings->mismatch_retries);
	sleep(REBOOT_PAUSE_SECONDS);
	reboot(RB_AUTOBOOT);
	log_error("the machine cannot be rebooted: %s", strerror(errno));
}

/* This boot cannot take the image, which is sound as far as is known. 0: it was
 * set aside, or (*ret_try) the user wants it all the same. Does not return when
 * the machine is booted again. */
static int refuse(struct restore *restore, const char *reason, bool *ret_try, struct why *w)
{
	bool ask;
	enum mismatch_choice choice = mismatch_choose(restore->settings, restore->record.refusals,
						      restore->judgement.hopeless, &ask);

	*ret_try = false;
	log_error("%s: this boot cannot take the image: %s", restore->area->name, reason);
	restore->refused = reason;
	if (ask) {
		bool screen = plymouth_step_back();

		choice = mismatch_ask("/dev/console", "The hibernated session cannot be resumed.",
				      restore->judgement.fatal, choice, ASK_SECONDS);
		if (screen)
			plymouth_return();
	}
	if (choice == CHOICE_TRY) {
		*ret_try = true;
		return 0;
	}
	if (choice == CHOICE_REBOOT)
		keep_and_reboot(restore);
	return set_aside(restore, NULL, w);
}

/* Loading or restoring failed, and the kernel has let go of everything. A
 * damaged image is of no use to anybody; any other failure may be this boot's
 * (a cable, the kernel, its memory), so the image is kept for another. */
static int give_up(struct restore *restore, int error, const char *reason, struct why *w)
{
	bool try;

	if (error == -EBADMSG || error == -ENOTSUP)
		return set_aside(restore, reason, w);
	restore->judgement.fatal = true; /* it has been tried */
	return refuse(restore, reason, &try, w);
}

/* Header, verdict, and where that says no, what the settings or the user say.
 * 0: to be loaded; else *ret_done tells that nothing is left to do. */
static int open_and_judge(struct restore *restore, bool *ret_done, struct why *w)
{
	struct settings settings = *restore->settings;
	struct why reason = { 0 };
	bool try = true;
	int r = open_image(restore, &reason);

	*ret_done = false;
	if (r == 0)
		tell_image(restore);
	while (r == 0 && try) {
		try = false;
		r = judge_image(restore->reader, &settings, &restore->handover, &restore->judgement,
				&reason);
		if (r != -EPERM)
			break;
		*ret_done = true;
		r = refuse(restore, why_text(&reason, r), &try, w);
		if (try) {
			judgement_free(&restore->judgement);
			settings.platform_policy = POLICY_TOLERANT;
			restore->handover.text[0] = '\0';
			*ret_done = false;
		}
	}
	if (r == 0 || *ret_done)
		return r;
	*ret_done = true;
	return give_up(restore, r, why_text(&reason, r), w);
}

static int restore_image(struct restore *restore, struct why *w)
{
	struct why reason = { 0 };
	bool done;
	int r = open_and_judge(restore, &done, w);

	if (done)
		return r;
	if (restore->settings->resume_pause)
		sleep(restore->settings->resume_pause);
	r = load_and_consume(restore, &reason);
	if (r == 0)
		r = snapshot_set_platform(restore->snapshot, restore->judgement.platform_mode);
	if (r == 0) {
		r = snapshot_restore(restore->snapshot);
		why(&reason, r, "the kernel could not restore the image: %s", strerror(-r));
	}
	/* Still here: nothing was restored and nothing is mounted. Where the image
	 * was consumed, keeping it makes it valid again. */
	leave_kernel(restore);
	return give_up(restore, r, why_text(&reason, r), w);
}

/* Is there an image that is ours to deal with? */
static bool holds_image(const struct restore *restore)
{
	const char *name = restore->area->name;

	switch (swap_signature_kind(restore->signature.page, page_size())) {
	case SWAP_IS_KERNEL_IMAGE:
		log_notice("%s holds an image of the kernel's own; it is left alone", name);
		return false;
	case SWAP_IS_NOTHING:
		/* Ours, with its signature damaged? */
		if (signature_record_present(restore->signature.page, page_size()))
			return true;
		log_notice("%s has no swap signature; nothing to resume", name);
		return false;
	case SWAP_IS_SWAP:
		log_debug("%s holds no image", name);
		return false;
	case SWAP_IS_USER_IMAGE:
		break;
	}
	return true;
}

/* An image is there: may it be tried? */
static int judge_signature(struct restore *restore, const char *unwanted, struct why *w)
{
	const struct settings *s = restore->settings;
	struct why reason = { 0 };
	int tries = 0, r;
	char text[200];

	do {
		r = signature_record_decode(restore->signature.page, page_size(), &restore->record,
					    &reason);
	} while (r < 0 && r != -EBADMSG && once_more(&tries));
	if (unwanted)
		return set_aside(restore, unwanted, w);
	if (r < 0)
		return set_aside(restore, why_text(&reason, r), w);
	if (restore->record.attempts >= s->max_attempts) {
		snprintf(text, sizeof(text),
			 "the image was tried %u times (\"max attempts\" is %u)",
			 restore->record.attempts, s->max_attempts);
		return set_aside(restore, text, w);
	}
	return restore_image(restore, w);
}

/* Opens the area for reading, or for changing it too, and reads its first page. */
static int try_open_area(struct restore *restore, int flags, struct why *w)
{
	int r;

	w->text[0] = '\0'; /* of the try before */
	restore->device = swap_area_open(restore->area, flags, w);
	if (restore->device < 0)
		return restore->device;
	r = signature_page_open(&restore->signature, restore->device,
				swap_area_start(restore->area), page_size(), w);
	if (r < 0) {
		why_prefix(w, r, "%s", restore->area->name);
		close(restore->device);
		restore->device = -1;
	}
	return r;
}

static int open_area(struct restore *restore, int flags, struct why *w)
{
	int tries = 0, r;

	do {
		r = try_open_area(restore, flags, w);
	} while (r < 0 && once_more(&tries));
	return r;
}

static void close_area(struct restore *restore)
{
	signature_page_close(&restore->signature);
	close(restore->device);
}

void restore_ignore_signals(void)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		signal(numbers[i], SIG_IGN);
}

int restore(const struct settings *settings, const struct swap_area *area, const char *unwanted,
	    struct why *w)
{
	/* Not from the heap: that there is no memory must not be found here. */
	static struct restore only;
	struct restore *restore = &only;
	bool image = false;
	int r;

	*restore = (struct restore){
		.settings = settings,
		.area = area,
		.snapshot = -1,
	};
	restore_ignore_signals();
	/* Most boots have no image, and a disk may be read-only. */
	r = open_area(restore, O_RDONLY, w);
	if (r == 0) {
		image = holds_image(restore);
		close_area(restore);
	}
	if (image)
		r = open_area(restore, O_RDWR, w);
	if (r == 0 && image) {
		r = judge_signature(restore, unwanted, w);
		judgement_free(&restore->judgement);
		image_reader_close(restore->reader);
		sealed_header_free(&restore->header);
		digest_close(&restore->crc);
		arena_destroy(&restore->handover_page);
		close_area(restore);
	}
	return r;
}
