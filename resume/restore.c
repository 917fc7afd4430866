/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "restore.h"

#include "mismatch.h"
#include "restore_private.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "boot/set_aside.h"
#include "image/work_pool.h"
#include "image_keys.h"
#include "ui/plymouth.h"

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

/* A boot that goes on with a live image is the worst that can happen here, so
 * what may have failed for this once (a disk that is not quite awake, memory)
 * is tried again, this often in all. */
#define TRIES 3

bool once_more(int *tries)
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

/* Has the image be one, with the counters as they are now, whether or not it was
 * consumed. */
static bool keep(struct restore *restore)
{
	struct why w = { 0 };
	int tries = 0, r;

	/* Nor is memory wiped by a reset. */
	if (restore->reader)
		image_reader_forget_keys(restore->reader);
	do {
		r = sealed_header_put_back(&restore->header, restore->device, page_size(), &w);
		if (r == 0)
			r = image_update_record(&restore->signature, &restore->record, &w);
	} while (r < 0 && once_more(&tries));
	sealed_header_free(&restore->header);
	if (r < 0)
		log_error("%s: %s", restore->area->name, why_text(&w, r));
	return r == 0;
}

/* Returns only when that did not work. */
static void end_boot(int command)
{
	sleep(REBOOT_PAUSE_SECONDS);
	reboot(command);
	log_error("the machine cannot be %s: %s",
		  command == RB_POWER_OFF ? "powered off" : "rebooted", strerror(errno));
}

/* What the settings say, or the user where they say that he is asked. */
static enum mismatch_choice ask(const struct restore *restore, enum mismatch_choice choice)
{
	bool screen = plymouth_step_back();

	choice = mismatch_ask("/dev/console", "The hibernated session cannot be resumed.",
			      restore->judgement.fatal, choice, ASK_SECONDS);
	if (screen)
		plymouth_return();
	return choice;
}

/* Does what was chosen but trying; counter is the one of the record that counts
 * why this boot did not take the image. */
static int carry_out(struct restore *restore, enum mismatch_choice choice, uint32_t *counter,
		     struct why *w)
{
	if (choice == CHOICE_REBOOT) {
		++*counter;
		if (keep(restore)) {
			log_error("The image is kept and the machine is booted again: the next "
				  "boot may fit (refusal %u of %u before %s)",
				  *counter, restore->settings->mismatch_retries,
				  restore->vetoed ? "you are asked" : "it is set aside");
			end_boot(RB_AUTOBOOT);
		}
	}
	if (choice == CHOICE_POWER_OFF && keep(restore)) {
		log_error("The image is kept and the machine is powered off. At the next boot it "
			  "is tried again; with noresume on the kernel command line it is "
			  "discarded");
		end_boot(RB_POWER_OFF);
	}
	return set_aside(restore, NULL, w);
}

/* This boot cannot take the image, which is sound as far as is known. 0: it was
 * set aside, or (*ret_try) the user wants it all the same. Does not return when
 * the machine is booted again. */
static int refuse(struct restore *restore, const char *reason, bool *ret_try, struct why *w)
{
	bool asks;
	enum mismatch_choice choice = mismatch_choose(restore->settings, restore->record.refusals,
						      restore->judgement.hopeless, &asks);

	*ret_try = false;
	log_error("%s: this boot cannot take the image: %s", restore->area->name, reason);
	restore->refused = reason;
	if (asks)
		choice = ask(restore, choice);
	if (choice == CHOICE_TRY) {
		*ret_try = true;
		return 0;
	}
	return carry_out(restore, choice, &restore->record.refusals, w);
}

/* The image fits, but this boot's kernel or one of its drivers does not restore
 * it: nothing to lose a session for, since a boot without that driver can. */
static int veto(struct restore *restore, const char *reason, struct why *w)
{
	bool asks;
	enum mismatch_choice choice =
		mismatch_choose_vetoed(restore->settings, restore->record.vetoes, &asks);

	/* It came back, so it is not one that crashes the machine. */
	restore->record.attempts -= restore->attempted;
	restore->judgement.fatal = true; /* it has been tried */
	restore->refused = reason;
	log_error("%s: this boot cannot restore the image, which is sound: %s", restore->area->name,
		  reason);
	veto_advise(&restore->veto);
	if (asks)
		choice = ask(restore, choice);
	return carry_out(restore, choice, &restore->record.vetoes, w);
}

/* Loading failed, and the kernel has let go of everything. A damaged image is of
 * no use to anybody; any other failure may be this boot's (a cable, its memory),
 * so the image is kept for another. */
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
	r = load_and_restore(restore, &reason);
	return restore->vetoed ? veto(restore, why_text(&reason, r), w)
			       : give_up(restore, r, why_text(&reason, r), w);
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
