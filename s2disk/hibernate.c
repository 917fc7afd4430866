/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hibernate.h"

#include "s2disk/aftermath/aftermath.h"
#include "base/bytes.h"
#include "crypto/crypto.h"
#include "base/io.h"
#include "base/log.h"
#include "base/memory.h"
#include "crypto/secret.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "boot/boot_settle.h"
#include "format/handover.h"
#include "image/image_writer.h"
#include "image/pipeline/work_pool.h"
#include "config/image_keys.h"
#include "kernel/kernel_random.h"
#include "kernel/snapshot_device.h"
#include "kernel_watch.h"
#include "s2disk/aftermath/last_gate.h"
#include "s2disk/prepare/keep_free.h"
#include "s2disk/prepare/left_out.h"
#include "s2disk/prepare/make_room.h"
#include "s2disk/prepare/platform_section.h"
#include "s2disk/aftermath/quarantine.h"
#include "s2disk/aftermath/reseed.h"
#include "session.h"
#include "s2disk/aftermath/swap_gate.h"
#include "power_off.h"
#include "ui/abort_watch.h"
#include "ui/progress.h"
#include "verify_own.h"
#include "s2disk/prepare/image_size.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* The first attempt, one that should fit according to the first, and one as small as the kernel
 * can make it. */
#define ATTEMPTS 3

/* Snapshots of each, until no thread of the kernel wrote to a file system between its stamp
 * and the snapshot: xfs covers its log up to twice, half a minute apart. */
#define SNAPSHOTS 3

/* Header, metadata and data, a page each: snapshot_get_image_size() of the kernel says
 * 1 where there is none. */
#define SNAPSHOT_PAGES_MIN 3

#define READ_TRIES 3

/* Small allocations (digest handles, the platform section) happen while memory is scarce. */
#define HEAP_RESERVE (4u << 20)

struct hibernate {
	const struct settings *settings;
	struct session session;
	struct image_writer *writer;
	struct platform_section *section;
	struct last *last;
	struct key_ways *keys; /* NULL: a plain image */
	int random;	       /* kernel_random_open */
	struct kernel_watch kernel;
	enum method method;
	const char *device_name; /* for messages */
	uint64_t device_bytes;
	uint64_t memory; /* bytes */
	uint64_t size;	 /* of the image, for the first attempt */
	struct make_room room;
	char writer_text[640];
	struct arena page; /* one page, for the hand-over */
	struct progress progress;
	struct left_out left_out;

	unsigned char image_ids[ATTEMPTS][IMAGE_ID_SIZE]; /* one for each attempt */
	const unsigned char *image_id;			  /* of this one */
	uint64_t handover;				  /* bytes on the device */
	int handover_error;				  /* of reading it when resumed */
	struct image_written written;
	bool resumed;		      /* this is the restored system */
	struct quarantine quarantine; /* in it */
	struct boots_seen seen;	      /* that found the image */
};

static int create_writer(struct hibernate *h, struct why *w)
{
	const struct settings *s = h->settings;
	struct utsname uts;
	struct image_writer_config config = {
		.fd = h->session.device,
		.page_size = page_size(),
		.block_size = s->block_kib << 10,
		.workers = s->threads ? work_pool_workers(s->workers) : 0,
		.buffer_bytes = (uint64_t)s->buffer_mib << 20,
		.max_stream = h->memory,
		.compress = s->compress,
		.writer = h->writer_text,
		.keys = h->keys,
	};

	if (h->keys) {
		config.cipher = image_keys_cipher(s);
		log_info("the image is encrypted with %s", cipher_name(config.cipher));
	}

	uname(&uts);
	snprintf(h->writer_text, sizeof(h->writer_text),
		 "s2disk %s, %s %s %s, on %s at page %" PRIu64, PACKAGE_VERSION, uts.sysname,
		 uts.release, uts.machine, h->device_name,
		 h->session.area ? h->session.area->offset : 0);
	return image_writer_create(&config, &h->writer, w);
}

/* Drawn before the freeze: with everything else frozen, a kernel without entropy would take long
 * to gather it. An id is not secret and only has to be new; it is in the snapshot, so the
 * restored system can check the hand-over page by it. The key of a sealed image must not be
 * drawn here: it would be in the image, and each attempt needs a new one. Its seed is drawn
 * before the freeze, too: see key_seed.h. */
static int draw_ids(struct hibernate *h, struct why *w)
{
	int r = crypto_random(h->image_ids, sizeof(h->image_ids));

	return r < 0 ? why(w, r, "cannot get random numbers: %s", strerror(-r)) : 0;
}

static ssize_t read_snapshot(void *context, void *buffer, size_t length)
{
	const struct hibernate *h = context;

	return snapshot_read(h->session.snapshot, buffer, length);
}

static int allocate_page(void *context, uint64_t *ret)
{
	struct hibernate *h = context;

	return session_allocate_page(&h->session, ret);
}

static int watch_writing(void *context, uint64_t done)
{
	struct hibernate *h = context;

	progress_update(&h->progress, done);
	return abort_requested() ? -ECANCELED : 0;
}

/* Allocated before the snapshot: the restored kernel then knows that the page is in use and does
 * not swap to it before it is read. */
static int prepare_handover(struct hibernate *h, struct why *w)
{
	int r = allocate_page(h, &h->handover);

	if (r < 0)
		return why(w, r,
			   r == -ENOSPC ? "the swap area is full"
					: "cannot allocate a page of swap: %s",
			   strerror(-r));
	memset(h->page.base, 0, page_size());
	r = io_pwrite_full(h->session.device, h->page.base, page_size(), h->handover);
	if (r < 0)
		return why(w, r, "writing at byte %" PRIu64 " of %s failed: %s", h->handover,
			   h->device_name, strerror(-r));
	return 0;
}

static int made_no_snapshot(struct why *w)
{
	return why(w, -EAGAIN,
		   "the kernel made no snapshot: something woke the machine in that moment, or "
		   "/sys/power/pm_test is set");
}

static int write_image(struct hibernate *h, struct why *w)
{
	struct image_writer_run run = {
		.created = (uint64_t)time(NULL),
		.handover = h->handover,
		.room = session_room(&h->session),
		.source = { .read = read_snapshot, .context = h },
		.allocator = { .allocate = allocate_page, .context = h },
		.platform = platform_section_maker(h->section),
		.watch = { .progress = watch_writing, .context = h },
	};
	int r = snapshot_size(h->session.snapshot, &run.stream_size);

	/* The kernel's in_suspend may be left over from an earlier attempt. */
	if (r == -ENODATA || (r == 0 && run.stream_size < SNAPSHOT_PAGES_MIN * page_size()))
		return made_no_snapshot(w);
	if (r < 0)
		return why(w, r, "cannot read the snapshot's size: %s", strerror(-r));
	r = left_out_begin(&h->left_out, &run.source, &run.stream_size, w);
	if (r < 0)
		return r;
	memcpy(run.image_id, h->image_id, IMAGE_ID_SIZE);
	progress_begin(&h->progress, "Writing", run.stream_size, log_level() < LOG_LEVEL_NOTICE);
	r = image_writer_run(h->writer, &run, &h->written, w);
	progress_end(&h->progress);
	/* To be wiped if the image is not used; also after a failed write, since it may be on
	 * the disk anyway. */
	if (h->keys && h->written.record.header_offset) {
		h->session.sealed = true;
		h->session.sealed_record = h->written.record;
	}
	if (r == -ECANCELED && abort_requested())
		why(w, r, "%s", abort_requested());
	if (r == 0 && (h->settings->verify_image || h->session.test))
		r = verify_own(h->writer, &h->written.record, h->session.device, h->device_bytes,
			       h->keys, w);
	image_writer_forget_key(h->writer);
	return r;
}

static const char *snapshot_advice(int r)
{
	if (r == -ENOMEM)
		return "; too much memory is in use, close some programs";
	if (r == -EBUSY || r == -EAGAIN)
		return "; a device did not suspend, or something woke the machine; dmesg says more";
	return "; dmesg says more";
}

/* Kernel threads are frozen as part of the snapshot. */
static int no_snapshot(const struct hibernate *h, int r, struct why *w)
{
	char tasks[400];

	if (h->kernel.freeze.count > 0)
		return why(w, r, "the kernel could not make the snapshot; tasks did not freeze: %s",
			   freeze_log_text(&h->kernel.freeze, tasks, sizeof(tasks)));
	return why(w, r, "the kernel could not make the snapshot: %s%s", strerror(-r),
		   snapshot_advice(r));
}

/* A disk that was just resumed may not answer at once. */
static int read_handover(const struct hibernate *h)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	int r = -EIO;

	for (int i = 0; i < READ_TRIES && r < 0; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		r = io_pread_full(h->session.device, h->page.base, page_size(), h->handover);
	}
	return r;
}

/* CREATE_IMAGE returns 0 in the restored system, but also when it made no snapshot: with a level
 * in /sys/power/pm_test, or after a late wake-up event (create_image() in
 * kernel/power/hibernate.c). The page was zeroed just before, and only a boot that found the image
 * writes it: one that restores it always does. */
static int confirm_resume(struct hibernate *h, struct why *w)
{
	h->handover_error = read_handover(h);
	if (h->handover_error < 0 || !bytes_all_zero(h->page.base, page_size()))
		return 0;
	h->resumed = false;
	return made_no_snapshot(w);
}

static int take_snapshot(struct hibernate *h, uint64_t size, struct why *w)
{
	struct kernel_settings *kernel = &h->session.kernel_settings;
	int fd = h->session.snapshot;
	int r, room = 0;

	w->text[0] = '\0'; /* of the previous attempt */
	r = prepare_handover(h, w);
	if (r == 0) {
		/* Where that fails, less can be freed. */
		(void)kernel_settings_set_swapping(kernel, SWAPPING_ON);
		r = room = make_room(&h->room, size, log_level() < LOG_LEVEL_NOTICE, w);
	}
	if (r >= 0) {
		/* Without room, the kernel must swap out what exceeds the snapshot; with it, it
		 * must not try. */
		(void)kernel_settings_set_swapping(kernel, room ? SWAPPING_OFF : SWAPPING_OWN);
		/* Last of what takes time: no stamp must move until the snapshot. */
		platform_section_stamp(h->section);
		r = snapshot_set_image_size(fd, room ? h->memory : size);
	}
	if (r == 0)
		r = snapshot_set_platform(fd, h->method == METHOD_PLATFORM);
	if (r < 0)
		return w->text[0] ? r
				  : why(w, r, "the kernel rejects the settings: %s", strerror(-r));
	r = snapshot_create(fd, &h->resumed);
	/* To be freed after a failure, too: its kernel threads may be frozen still
	 * (hibernation_snapshot() in kernel/power/hibernate.c), and memory is not freed then. */
	h->session.image = true;
	kernel_watch_read(&h->kernel);
	return r < 0 ? no_snapshot(h, r, w) : 0;
}

/* Takes a snapshot of about that size and writes it. After 0 either it is complete on the disk
 * (not committed), or h->resumed is set. */
static int attempt(struct hibernate *h, uint64_t size, struct why *w)
{
	for (int i = 0; i < SNAPSHOTS; i++) {
		int r;

		if (i > 0)
			session_drop_image(&h->session);
		r = take_snapshot(h, size, w);
		if (r < 0)
			return r;
		if (h->resumed)
			return confirm_resume(h, w);
		/* Checked first: with a moved stamp the image would be useless. */
		if (platform_section_has_stamps(h->section))
			return write_image(h, w);
	}
	return -ESTALE;
}

static int attempts(struct hibernate *h, struct why *w)
{
	uint64_t size = h->size;
	int r = -ENOSPC;

	for (int i = 0; i < ATTEMPTS; i++) {
		char text[24];

		h->image_id = h->image_ids[i];
		r = attempt(h, size, w);
		if (r != -ENOSPC && r != -ENOMEM && r != -ESTALE)
			return r;
		session_drop_image(&h->session);
		if (r == -ESTALE)
			continue;
		if (i + 1 == ATTEMPTS || !image_size_next(&size, i + 1, r, h->written.raw_bytes,
							  h->written.stored_bytes))
			break;
		log_notice("%s; retrying with a smaller image (%s)", why_text(w, r),
			   size ? text_size(size, text, sizeof(text)) : "as small as possible");
	}
	if (r == -ENOSPC)
		why(w, r,
		    "%s is too small for what memory holds, even for the smallest image; close "
		    "some programs or make it larger",
		    h->device_name);
	if (r == -ESTALE)
		why(w, r, "the kernel wrote to a file system during the freeze; try again");
	return r;
}

/* In the restored system: does and reports what resume handed over. Frames that the firmware
 * claims come first: every page that the kernel allocates meanwhile may be one of them.
 * hibernation_snapshot() has freed the image by itself when it returns here
 * (kernel/power/hibernate.c), so session_drop_image() frees none of them; it thaws the kernel's
 * threads, which may release frames that were refused before. */
static void finish_resume(struct hibernate *h)
{
	struct handover *handover = calloc(1, sizeof(*handover));
	struct why w = { 0 };
	int r = handover ? h->handover_error : -ENOMEM;

	if (r == 0)
		r = handover_decode(h->page.base, page_size(), h->image_id, handover, &w);
	if (r == 0) {
		quarantine_begin(&h->quarantine, handover);
		quarantine_take(&h->quarantine, "", page_size());
	}
	last_gate_close(&h->section->mounted, "", h->last);
	swap_gate_close(&h->section->others, &h->section->platform.swaps, "", h->last);
	session_drop_image(&h->session);
	last_gate_shut_down(&h->section->mounted);
	if (r == 0) {
		quarantine_take(&h->quarantine, "", page_size());
		last_take_handover(h->last, handover, quarantine_taken(&h->quarantine));
		quarantine_report(&h->quarantine, page_size(), h->last->alarm,
				  sizeof(h->last->alarm));
		aftermath_take_record(handover, "");
		aftermath_take_boots(handover, &h->seen);
		aftermath_take_map(&h->seen, &h->section->restored);
		aftermath_report(handover);
	} else {
		log_warning(
			"resumed, but the hand-over from resume cannot be read: %s; pages that the "
			"firmware claims since this boot may not be offlined: reboot when you can",
			why_text(&w, r));
	}
	last_end(h->last, LAST_RESUMED, r < 0 ? why_text(&w, r) : NULL);
	free(handover);
}

/* The image is complete on the disk: commits it and powers off. Returns when the machine did not
 * power off, or woke. */
static int commit_and_power_off(struct hibernate *h, struct why *w)
{
	uint64_t asleep = 0;
	char text[200];
	int r;

	aftermath_describe(text, sizeof(text), h->written.stream_size, h->written.stored_bytes,
			   h->written.usec);
	/* The last chance to stop: after the commit the image is valid. */
	if (abort_requested())
		return why(w, -ECANCELED, "%s", abort_requested());
	h->session.maybe_committed = true;
	r = image_commit(&h->session.signature, &h->written.record, w);
	if (r < 0)
		return why_prefix(w, r, "%s", h->session.area->name);
	log_notice("%s in %" PRIu64 " extent%s, %s", text, h->written.extents,
		   h->written.extents == 1 ? "" : "s",
		   h->method == METHOD_SUSPEND	? "going to sleep"
		   : h->method == METHOD_REBOOT ? "rebooting"
						: "powering off");
	r = power_off(h->session.snapshot, h->method, &asleep, w);
	if (r < 0)
		return r;
	r = session_invalidate(&h->session);
	if (r < 0)
		return why(w, r, "the machine woke, but its image could not be invalidated");
	power_off_report_woke(asleep, text);
	last_end(h->last, LAST_WOKE, NULL);
	return 0;
}

/* "debug test file": written and verified, but never committed. */
static int finish_test(struct hibernate *h)
{
	char text[200];

	aftermath_describe(text, sizeof(text), h->written.stream_size, h->written.stored_bytes,
			   h->written.usec);
	log_notice("test: %s, verified on %s; the system runs on", text, h->device_name);
	last_end(h->last, LAST_TESTED, NULL);
	return 0;
}

/* A task does not freeze while it waits for a FUSE or NFS server that froze before it replied.
 * After the thaw it gets its reply, so a second try mostly works. It is made only if the kernel
 * names such tasks, not after a wake-up event. */
static int freeze(struct hibernate *h, struct why *w)
{
	const struct timespec pause = { .tv_sec = 1 };
	char tasks[400];
	int r = session_freeze(&h->session, w);

	kernel_watch_read(&h->kernel);
	if (r == 0 || h->kernel.freeze.count == 0)
		return r;
	log_notice("did not freeze: %s; retrying once",
		   freeze_log_text(&h->kernel.freeze, tasks, sizeof(tasks)));
	nanosleep(&pause, NULL);
	if (abort_requested())
		return why(w, -ECANCELED, "%s", abort_requested());
	/* Tasks that do not freeze now are named again; after a wake-up event there are none. */
	h->kernel.freeze = (struct freeze_log){ 0 };
	r = session_freeze(&h->session, w);
	kernel_watch_read(&h->kernel);
	if (r < 0 && h->kernel.freeze.count > 0)
		why(w, r, "processes did not freeze: %s",
		    freeze_log_text(&h->kernel.freeze, tasks, sizeof(tasks)));
	return r;
}

/* The next boot loader reads /boot without replaying its journal. Not worth failing for: mostly
 * nothing has changed there. But a file system that stays frozen must be reported now: its
 * writers block, and would in the restored system, too. */
static int settle_boot_files(const struct hibernate *h, struct why *w)
{
	struct why reason = { 0 };
	bool frozen = false;
	int r = h->session.test ? 0 : boot_settle("", &frozen, &reason);

	if (r < 0 && frozen)
		return why(w, r, "%s", why_text(&reason, r));
	if (r < 0)
		log_warning("%s; the boot loader may not see what was written there last",
			    why_text(&reason, r));
	return 0;
}

static int run(struct hibernate *h, struct why *w)
{
	int r = create_writer(h, w);

	if (r == 0)
		r = arena_create(&h->page, page_size());
	if (r == 0)
		r = left_out_prepare(&h->left_out, &h->section->platform, w);
	if (r == 0)
		r = memory_lock(HEAP_RESERVE, w);
	if (r == 0)
		r = draw_ids(h, w);
	if (r == 0)
		r = settle_boot_files(h, w);
	if (r == 0)
		r = platform_section_open_mounts(h->section, w);
	if (r == 0)
		r = platform_section_open_swaps(h->section, h->session.area, w);
	if (r == 0) {
		make_room_prepare(&h->room, "", h->session.area ? h->session.area->dev : 0,
				  &h->section->platform.swaps);
		r = freeze(h, w);
	}
	if (r == 0) {
		left_out_confirm(&h->left_out, h->last);
		r = attempts(h, w);
	}
	if (h->resumed)
		reseed_kernel(h->random, h->keys ? &h->keys->seed : NULL);
	/* Written, failed or restored: the keys are no longer needed. */
	if (h->keys)
		secret_wipe(h->keys, sizeof(*h->keys));
	if (r < 0)
		return r;
	if (h->resumed) {
		finish_resume(h);
		return 0;
	}
	return h->session.test ? finish_test(h) : commit_and_power_off(h, w);
}

static int open_session(struct hibernate *h, const struct swap_area *area, struct why *w)
{
	int r;

	if (h->settings->test_file[0]) {
		r = session_open_test(&h->session, h->settings, w);
		h->device_name = h->settings->test_file;
		h->device_bytes = h->session.test_end;
		return r;
	}
	r = session_open(&h->session, h->settings, area, w);
	h->device_name = area->name;
	h->device_bytes = area->dev_bytes;
	return r;
}

/* After the thaw, since it writes files. */
static void learn_from_resume(const struct hibernate *h)
{
	struct why w = { 0 };
	int r;

	quarantine_note(&h->quarantine, "");
	r = keep_free_resumed("", h->settings, &h->section->platform, &h->seen, &w);
	if (r < 0)
		log_warning("the memory map of this boot is not remembered: %s", why_text(&w, r));
}

int hibernate(const struct settings *settings, const struct swap_area *area,
	      struct platform_section *section, struct key_ways *keys, struct last *last,
	      struct why *w)
{
	struct hibernate h = {
		.settings = settings,
		.section = section,
		.last = last,
		.keys = keys,
		.method = power_off_method(settings->method, ""),
		.random = kernel_random_open(),
		.room = MAKE_ROOM_NONE,
		.memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * page_size(),
	};
	int r;

	kernel_watch_open(&h.kernel, "");
	r = open_session(&h, area, w);

	section->platform.hibernation.platform_mode = h.method == METHOD_PLATFORM;
	h.size = image_size_first(settings, keys, "", area ? area->dev : 0, h.memory);

	abort_watch_begin();
	if (r == 0)
		r = run(&h, w);
	session_close(&h.session);
	learn_from_resume(&h);
	boots_seen_free(&h.seen);
	munlockall();
	image_writer_destroy(h.writer);
	left_out_end(&h.left_out);
	make_room_end(&h.room);
	kernel_watch_close(&h.kernel);
	if (h.random >= 0)
		close(h.random);
	arena_destroy(&h.page);
	if (!last->image_bytes) {
		last->image_bytes = h.written.stream_size;
		last->stored_bytes = h.written.stored_bytes;
		last->write_usec = h.written.usec;
	}
	if (r < 0)
		last_end(last, LAST_FAILED, why_text(w, r));
	return r;
}
