/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "restore.h"

#include "area.h"
#include "mismatch.h"
#include "restore_private.h"
#include "base/bytes.h"
#include "base/io.h"
#include "base/log.h"
#include "base/text.h"
#include "image/pipeline/work_pool.h"
#include "config/image_keys.h"
#include "ui/plymouth.h"
#include "witness.h"

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

/* Leaves time to read the messages before the screen goes dark. */
#define REBOOT_PAUSE_SECONDS 3

static void set_handover_facts(struct restore *restore)
{
	const struct image_header *header = image_reader_header(restore->reader);

	memcpy(restore->handover.image_id, header->image_id, IMAGE_ID_SIZE);
	restore->handover.write_usec = header->write_usec;
	restore->handover.stream_bytes = header->stream_size;
	restore->handover.stored_bytes = image_reader_stored_bytes(restore->reader);
}

/* Verifies the image's metadata; not yet its blocks. */
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

static void log_image(const struct restore *restore)
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

static void wipe_header(struct restore *restore)
{
	struct why reason = { 0 };
	int r;

	/* Without a sound record its place is unknown. */
	if (!restore->record.header_offset ||
	    (restore->reader && !header_sealed(image_reader_header(restore->reader))))
		return;
	r = sealed_header_wipe(&restore->header, restore->device, restore->signature.size,
			       &restore->record, &reason);
	if (r < 0)
		log_warning("%s: %s; if it is encrypted, its key could still open it",
			    restore->area->name, why_text(&reason, r));
}

static bool is_kernels(const struct restore *restore)
{
	return swap_signature_kind(restore->signature.page, restore->signature.size) ==
	       SWAP_IS_KERNEL_IMAGE;
}

/* Makes the area swap again and logs it, with the reason unless that was logged already. */
static int discard(struct restore *restore, const char *reason, struct why *w)
{
	bool kernels = is_kernels(restore);
	int tries = 0, r;

	do {
		r = kernels ? image_clear_kernels(&restore->signature, w)
			    : image_clear(&restore->signature, w);
	} while (r < 0 && once_more(&tries));
	if (r < 0)
		return why_prefix(w, r, "%s: the image cannot be discarded", restore->area->name);
	wipe_header(restore);
	seen_discard(restore);
	log_error("%s: %s%simage discarded, swap signature restored, continuing boot",
		  restore->area->name, reason ? reason : "", reason ? "; " : "");
	restore->run->fate = FATE_DISCARDED;
	text_copy(restore->run->reason, sizeof(restore->run->reason),
		  reason ? reason : restore->refused);
	witness_record(restore->run);
	return 0;
}

/* Makes the image valid with the current counters, whether or not it was consumed; changed: do
 * they differ from those on the disk? */
static bool keep(struct restore *restore, bool changed)
{
	struct why w = { 0 };
	int tries = 0, r;

	/* A reset does not wipe memory. */
	if (restore->reader)
		image_reader_forget_keys(restore->reader);
	if (!changed && !restore->attempted)
		return true;
	do {
		r = sealed_header_put_back(&restore->header, restore->device, page_size(), &w);
		if (r == 0)
			r = image_update_record(&restore->signature, &restore->record, &w);
	} while (r < 0 && once_more(&tries));
	/* Else it is the only copy of a header that is zeros on the disk. */
	if (r == 0)
		sealed_header_free(&restore->header);
	else
		log_error("%s: %s", restore->area->name, why_text(&w, r));
	return r == 0;
}

/* Before what may take for ever: a restore that failed has consumed the image. Should the machine
 * be reset meanwhile, that was an attempt. */
static void make_valid(struct restore *restore)
{
	if (!restore->attempted)
		return;
	restore->record.attempts += restore->vetoed;
	keep(restore, false);
	restore->record.attempts -= restore->vetoed;
}

/* Or in a way that comes after it, since a boot that continues has to discard the image. Returns
 * only if all fail. */
static void end_boot(int command)
{
	static const struct {
		int command;
		const char *done;
	} ways[] = { { RB_AUTOBOOT, "rebooted" },
		     { RB_POWER_OFF, "powered off" },
		     { (int)RB_HALT_SYSTEM, "halted" } };
	size_t i = 0;

	sleep(REBOOT_PAUSE_SECONDS);
	while (ways[i].command != command)
		i++;
	for (; i < ARRAY_SIZE(ways); i++) {
		reboot(ways[i].command);
		log_error("the machine cannot be %s: %s", ways[i].done, strerror(errno));
	}
}

/* Without a record nothing can be counted. Returns only on failure. */
static void boot_again(struct restore *restore, const struct mismatch *mismatch)
{
	uint32_t *counter = mismatch_counter(mismatch, &restore->record);

	*counter += mismatch->counted;
	if (!keep(restore, mismatch->counted))
		return;
	seen_leave(restore);
	if (mismatch->class == WHY_DAMAGED)
		log_error("The image is kept and the machine reboots: if the next boot finds it "
			  "damaged, too, it is discarded");
	else if (mismatch->counted)
		log_error("The image is kept and the machine reboots: the next boot may be able "
			  "to resume it (refusal %u of %u before %s)",
			  *counter, mismatch_boots(restore->settings, mismatch),
			  mismatch_keeps(mismatch) ? "the machine powers off" : "it is discarded");
	else
		log_error("The image is kept and the machine reboots");
	end_boot(RB_AUTOBOOT);
}

/* Returns only on failure. */
static void power_off(struct restore *restore)
{
	if (!keep(restore, false))
		return;
	seen_leave(restore);
	log_error("The image is kept and the machine powers off. The next boot tries again: "
		  "correct the cause above first. To discard the image instead, answer d before "
		  "the machine powers off, or boot with noresume on the kernel command line");
	end_boot(RB_POWER_OFF);
}

/* What was released or disabled for the restored system. */
static void give_devices_back(struct restore *restore)
{
	vetoers_give(&restore->vetoers, "");
	if (!pci_decoding_restore(&restore->disabled, ""))
		log_warning("not all PCI devices that were disabled for the image work again; see "
			    "above, and reboot");
}

/* The choice of the settings, or of the user if it asks. */
static enum mismatch_choice choose(struct restore *restore, const struct mismatch *mismatch)
{
	bool asks, screen;
	enum mismatch_choice choice = mismatch_choose(restore->settings, mismatch, &asks);

	if (!asks)
		return choice;
	make_valid(restore);
	/* The keyboard and the screen may be among them. A driver may take long, or for ever. */
	if (restore->vetoers.tried || restore->disabled.count > 0)
		log_notice("giving back the devices that were released for the restore");
	give_devices_back(restore);
	screen = plymouth_step_back();
	choice = mismatch_ask("/dev/console", "The hibernated session cannot be resumed.",
			      restore->decision.fatal, choice, ASK_SECONDS);
	if (screen)
		plymouth_return();
	return choice;
}

static void log_refusal(const struct restore *restore, const char *reason)
{
	char words[160];

	log_error("%s: this boot cannot %s: %s", restore->area->name,
		  restore->vetoed ? "restore the image, which is sound" : "resume the image",
		  reason);
	if (restore->vetoed)
		veto_advise(&restore->veto);
	if (restore->decision.memory_missing)
		log_error("No reboot brings back what is missing: the machine must have that "
			  "memory when it starts");
	if (restore->decision.other_machine)
		log_error("The same boot entry would not change the machine, its processor or its "
			  "firmware: start the machine and the entry that hibernated%s",
			  *verdict_acceptable(&restore->decision.verdict, words, sizeof(words))
				  ? ", or accept the difference (accept in suspend.conf(5))"
				  : "");
}

static bool is_lasting(const struct decision *decision)
{
	return decision->memory_missing || decision->other_machine;
}

/* By the boots that the image knows of: memory is the matter in which boots of one machine differ
 * by chance. */
static void weigh_odds(const struct restore *restore, struct mismatch *mismatch)
{
	const struct decision *decision = &restore->decision;
	char text[400];

	if (!decision->map_refused || decision->hopeless || is_lasting(decision) ||
	    decision->odds.boots == 0 || restore->settings->mismatch_action == MISMATCH_DISCARD)
		return;
	mismatch->worth = maps_met_worth(&decision->odds, 0);
	mismatch_odds(&decision->odds, decision->odds_at_least,
		      mismatch_boots(restore->settings, mismatch), text, sizeof(text));
	log_error("%s", text);
}

/* This boot cannot resume the image, which is sound as far as is known. 0: it was discarded, or
 * (*ret_try) the user wants to load it anyway. Does not return if the machine reboots or powers
 * off. */
static int refuse(struct restore *restore, enum why_class class, const char *reason, bool *ret_try,
		  struct why *w)
{
	struct mismatch mismatch = {
		.class = class,
		.vetoed = restore->vetoed,
		.counted = restore->decoded,
		.hopeless = restore->decision.hopeless,
		.lasting = is_lasting(&restore->decision),
		.of_map = restore->decision.map_refused,
		.mendable =
			restore->decision.user_can_mend && restore->settings->mismatch_retries > 0,
	};
	enum mismatch_choice choice;

	mismatch.refusals = *mismatch_counter(&mismatch, &restore->record);
	log_refusal(restore, reason);
	weigh_odds(restore, &mismatch);
	restore->refused = reason;
	choice = choose(restore, &mismatch);
	*ret_try = choice == CHOICE_TRY;
	if (choice == CHOICE_TRY)
		return 0;
	if (choice == CHOICE_REBOOT)
		boot_again(restore, &mismatch);
	if (choice == CHOICE_POWER_OFF)
		power_off(restore);
	return discard(restore, NULL, w);
}

/* May another boot find the image sound? */
static bool damage_may_pass(const struct restore *restore)
{
	const struct mismatch damage = {
		.class = WHY_DAMAGED,
		.counted = restore->decoded,
		.refusals = restore->record.damages,
	};
	bool ask;

	return mismatch_choose(restore->settings, &damage, &ask) == CHOICE_REBOOT;
}

/* Opening, loading or restoring failed, and the kernel has released everything. Any failure may
 * be this boot's (a cable, the kernel, its memory, which a page was read into twice), so the
 * image is kept for another boot; but an image that two boots find damaged is useless. */
static int give_up(struct restore *restore, int error, const struct why *reason, struct why *w)
{
	bool try;

	if (reason->class == WHY_DAMAGED && !damage_may_pass(restore))
		return discard(restore, why_text(reason, error), w);
	/* A vetoed load did not crash the machine, so it is not an attempt. */
	if (restore->vetoed)
		restore->record.attempts -= restore->attempted;
	restore->decision.fatal = true; /* it was tried */
	restore->decision.map_refused = false;
	return refuse(restore, reason->class, why_text(reason, error), &try, w);
}

/* Header, verdict, and if that refuses, the choice of the settings or the user. *ret_done:
 * nothing is left to do; else 0 means that the image is to be loaded. */
static int open_and_decide(struct restore *restore, bool *ret_done, struct why *w)
{
	struct settings settings = *restore->settings;
	struct why reason = { 0 };
	bool try = true;
	int r = open_image(restore, &reason);

	*ret_done = false;
	if (r == 0)
		log_image(restore);
	while (r == 0 && try) {
		try = false;
		r = decide_image(restore->reader, &settings, &restore->handover, &restore->kept,
				 &restore->decision, &reason);
		if (r != -EPERM)
			break;
		*ret_done = true;
		r = refuse(restore, WHY_NOW, why_text(&reason, r), &try, w);
		if (try) {
			decision_free(&restore->decision);
			settings.platform_policy = POLICY_TOLERANT;
			restore->handover.text[0] = '\0';
			*ret_done = false;
		}
	}
	if (r == 0 || *ret_done)
		return r;
	*ret_done = true;
	return give_up(restore, r, &reason, w);
}

/* Does what the verdict relies on. */
static int disable_functions(struct restore *restore, struct why *w)
{
	const struct verdict_plan *plan = &restore->decision.verdict.plan;
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->disable.count; i++) {
		const char *address = plan->disable.items[i].text;

		r = pci_decoding_disable(&restore->disabled, "", address, restore->area->dev, w);
		if (r == 0)
			log_notice("PCI device %s is disabled for the restored system", address);
	}
	return r;
}

static int restore_image(struct restore *restore, struct why *w)
{
	struct why reason = { 0 };
	bool done;
	int r = open_and_decide(restore, &done, w);

	if (done)
		return r;
	if (restore->settings->resume_pause)
		sleep(restore->settings->resume_pause);
	r = disable_functions(restore, &reason);
	if (r == 0) {
		r = vetoers_take(&restore->vetoers, restore->settings, restore->area->dev, "",
				 &reason);
		restore->vetoed = r < 0;
	}
	if (r == 0)
		r = load_and_restore(restore, &reason);
	return give_up(restore, r, &reason, w);
}

/* Damage counts only when it was read more than once. */
static int decode_record(struct restore *restore, struct why *reason)
{
	struct signature_page *sp = &restore->signature;
	int tries = 0, r;

	for (;;) {
		*reason = (struct why){ 0 };
		r = signature_record_decode(sp->page, sp->size, &restore->record, reason);
		restore->decoded = r == 0;
		if (r == 0 || reason->class == WHY_TOO_NEW || !once_more(&tries))
			return r;
		io_drop_cache(restore->device);
		signature_page_read(sp, NULL);
	}
}

/* "encrypt = y" promises that only images sealed with this machine's key are resumed, so the
 * kernel's loader must not get a plain image. */
static int refuse_kernels(struct restore *restore, struct why *w)
{
	bool try;

	restore->decision.fatal = true;
	return refuse(restore, WHY_FOREIGN,
		      "it is one of the kernel's own, which is not encrypted, and the settings ask "
		      "for encryption",
		      &try, w);
}

/* An image is there: may it be tried? */
static int decide_signature(struct restore *restore, const char *unwanted, struct why *w)
{
	const struct settings *s = restore->settings;
	struct why reason = { 0 };
	char text[200];
	int r;

	if (is_kernels(restore))
		return unwanted ? discard(restore, unwanted, w) : refuse_kernels(restore, w);
	r = crypto_init(&reason);
	if (r == 0)
		r = decode_record(restore, &reason);
	if (unwanted)
		return discard(restore, unwanted, w);
	if (r == 0 && restore->signature.size != page_size())
		r = why_class(
			&reason, WHY_FOREIGN, -EPERM,
			"it was made by a kernel with pages of %zu bytes, this one has pages of "
			"%zu",
			restore->signature.size, page_size());
	if (r < 0)
		return give_up(restore, r, &reason, w);
	if (restore->record.attempts >= s->max_attempts) {
		snprintf(text, sizeof(text),
			 "the image was tried %u times (\"max attempts\" is %u)",
			 restore->record.attempts, s->max_attempts);
		return discard(restore, text, w);
	}
	return restore_image(restore, w);
}

void restore_ignore_signals(void)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		signal(numbers[i], SIG_IGN);
}

static void record_found(struct boot_run *run, const struct signature_page *signature, bool image)
{
	struct swap_header header;

	run->found = area_found(signature);
	run->fate = image ? FATE_STILL_THERE : FATE_NONE; /* until it is discarded */
	/* After wipefs(8) the header is still there. */
	if (run->found != FOUND_NO_SWAP &&
	    swap_header_parse(signature->page, signature->size, &header) == 0)
		text_uuid(header.uuid, run->uuid);
}

int restore(const struct settings *settings, const struct swap_area *area, const char *unwanted,
	    struct boot_run *run, struct why *w)
{
	/* Static: an allocation could fail here. */
	static struct restore only;
	struct restore *restore = &only;
	bool image = false;
	int r;

	*restore = (struct restore){
		.settings = settings,
		.area = area,
		.run = run,
		.snapshot = -1,
	};
	restore_ignore_signals();
	/* Read-only first: most boots have no image, and a disk may be read-only. */
	r = area_open(area, O_RDONLY, &restore->device, &restore->signature, w);
	if (r == 0) {
		image = area_holds_image(&restore->signature, area->name);
		record_found(run, &restore->signature, image);
		area_close(restore->device, &restore->signature);
	}
	/* Recorded now: the next steps may crash. */
	if (run->fate == FATE_STILL_THERE)
		witness_record(run);
	/* The kernel resumes it, if the caller sets its place (kernel_place.h). */
	if (run->found == FOUND_KERNEL_IMAGE && !settings->encrypt && !unwanted)
		image = false;
	if (image)
		r = area_open(area, O_RDWR, &restore->device, &restore->signature, w);
	if (r == 0 && image) {
		r = decide_signature(restore, unwanted, w);
		if (!kept_memory_take_back(&restore->kept, ""))
			log_warning("not all huge pages of this boot could be reserved again; see "
				    "/proc/meminfo");
		give_devices_back(restore);
		decision_free(&restore->decision);
		boots_seen_free(&restore->seen);
		boots_seen_free(&restore->left);
		image_reader_close(restore->reader);
		sealed_header_free(&restore->header);
		digest_close(&restore->crc);
		arena_destroy(&restore->handover_page);
		area_close(restore->device, &restore->signature);
	}
	return r;
}
