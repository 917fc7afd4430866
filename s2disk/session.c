/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session.h"

#include "base/io.h"
#include "base/log.h"
#include "kernel/snapshot_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TAKE_BACK_TRIES 3

static int open_signature(struct session *session, struct why *w)
{
	const struct swap_area *area = session->area;
	enum swap_signature_kind kind;
	int r = signature_page_open(&session->signature, session->device, swap_area_start(area),
				    page_size(), w);

	if (r < 0)
		return r;
	kind = swap_signature_kind(session->signature.page, page_size());
	if (kind == SWAP_IS_SWAP)
		return 0;
	return why(w, -EINVAL, "its first page (byte %llu of %s) %s",
		   (unsigned long long)swap_area_start(area), area->device,
		   kind == SWAP_IS_NOTHING ? "has no swap signature; is the offset right?"
					   : "holds an image");
}

static int open_snapshot(struct session *session, const struct settings *settings, struct why *w)
{
	session->snapshot = snapshot_open(settings->snapshot_device, false);
	if (session->snapshot < 0)
		return why(w, session->snapshot, "%s cannot be opened: %s%s",
			   settings->snapshot_device, strerror(-session->snapshot),
			   session->snapshot == -EBUSY
				   ? "; another program, or the kernel itself, is hibernating"
				   : "");
	return 0;
}

int session_open_test(struct session *session, const struct settings *settings, struct why *w)
{
	const char *file = settings->test_file;
	struct stat st;
	int r;

	*session = (struct session){
		.settings = settings,
		.snapshot = -1,
		.device = -1,
		.test = true,
	};
	r = open_snapshot(session, settings, w);
	if (r < 0)
		return r;
	/* O_EXCL on a block device: it is not mounted, not swap, and not open exclusively
	 * elsewhere. A file is refused: no file system may be written to while a snapshot
	 * exists. */
	session->device = open(file, O_RDWR | O_DIRECT | O_EXCL | O_CLOEXEC);
	if (session->device < 0)
		return why(w, -errno, "debug test file: %s: %s", file, strerror(errno));
	if (fstat(session->device, &st) < 0 || !S_ISBLK(st.st_mode) ||
	    ioctl(session->device, BLKGETSIZE64, &session->test_end) < 0)
		return why(w, -ENOTBLK,
			   "debug test file: %s is not a block device; an unused partition is "
			   "needed (its content will be lost)",
			   file);
	session->test_next = page_size();
	kernel_settings_save(&session->kernel_settings, "");
	return 0;
}

int session_allocate_page(struct session *session, uint64_t *ret)
{
	if (!session->test) {
		session->pages = true;
		return snapshot_alloc_page(session->snapshot, ret);
	}
	if (session->test_end - session->test_next < page_size())
		return -ENOSPC;
	*ret = session->test_next;
	session->test_next += page_size();
	return 0;
}

uint64_t session_room(const struct session *session)
{
	uint64_t room;

	if (session->test)
		return session->test_end - session->test_next;
	return snapshot_avail_swap(session->snapshot, &room) == 0 ? room : 0;
}

int session_open(struct session *session, const struct settings *settings,
		 const struct swap_area *area, struct why *w)
{
	int r;

	*session = (struct session){
		.settings = settings,
		.area = area,
		.snapshot = -1,
		.device = -1,
	};
	r = open_snapshot(session, settings, w);
	if (r < 0)
		return r;
	r = snapshot_set_swap_area(session->snapshot, area->dev, area->offset);
	if (r == -ENODEV)
		return why(w, r,
			   "%s is not an active swap area (offset %llu pages); s2disk --check says "
			   "what to do",
			   area->name, (unsigned long long)area->offset);
	if (r < 0)
		return why(w, r, "the kernel does not accept %s: %s", area->name, strerror(-r));
	session->device = swap_area_open(area, O_RDWR, w);
	if (session->device < 0)
		return session->device;
	r = open_signature(session, w);
	if (r < 0)
		return why_prefix(w, r, "%s", area->name);
	kernel_settings_save(&session->kernel_settings, "");
	return 0;
}

/* From here on the area cannot be deactivated. If it just was, and another area took its number
 * in the kernel, the kernel would allocate pages of that one, and the image would be written
 * here. */
static int still_active(const struct session *session, struct why *w)
{
	const struct swap_area *area = session->area;

	if (session->test ||
	    snapshot_set_swap_area(session->snapshot, area->dev, area->offset) != -ENODEV)
		return 0;
	return why(w, -ENODEV, "%s was deactivated as swap in the meantime; swapon %s", area->name,
		   swap_area_operand(area) ? swap_area_operand(area) : "the swap file");
}

int session_freeze(struct session *session, struct why *w)
{
	int r;

	/* Device messages would hide ours on the console. */
	if (log_level() < LOG_LEVEL_DEBUG && session->settings->suspend_loglevel >= 0)
		kernel_settings_set_console_loglevel(&session->kernel_settings,
						     session->settings->suspend_loglevel);
	r = kernel_settings_wake_display(&session->kernel_settings);
	if (r < 0)
		log_debug("/sys/power/disk cannot be set: %s", strerror(-r));
	log_hold();
	r = snapshot_freeze(session->snapshot);
	if (r < 0)
		return why(w, r,
			   "cannot freeze the other processes: %s; dmesg names those that did not "
			   "freeze, or what woke the machine",
			   strerror(-r));
	session->frozen = true;
	return still_active(session, w);
}

/* Wipes what could open the image that was written. */
static void wipe_header(struct session *session)
{
	struct sealed_header header = { 0 };
	struct why w = { 0 };
	int r;

	if (!session->sealed)
		return;
	r = sealed_header_wipe(&header, session->device, page_size(), &session->sealed_record, &w);
	if (r < 0)
		log_warning("%s; the unused image could still be opened with its key",
			    why_text(&w, r));
	sealed_header_free(&header);
	session->sealed = false;
}

void session_drop_image(struct session *session)
{
	wipe_header(session);
	session->test_next = page_size();
	if (session->pages && snapshot_free_swap_pages(session->snapshot) == 0)
		session->pages = false;
	if (session->image && snapshot_free(session->snapshot) == 0)
		session->image = false;
}

int session_invalidate(struct session *session)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	struct why w = { 0 };
	struct swap_header header;
	char renewal[800];
	bool known;
	int r = 0;

	if (!session->maybe_committed)
		return 0;
	for (int i = 0; i < TAKE_BACK_TRIES; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		r = image_clear(&session->signature, &w);
		if (r == 0) {
			session->maybe_committed = false;
			return 0;
		}
	}
	known = swap_header_parse(session->signature.page, session->signature.size, &header) == 0;
	log_error("%s: the image cannot be invalidated: %s. This system runs on, so the image must "
		  "never be resumed: before the next boot, %s",
		  session->area->name, why_text(&w, r),
		  swap_area_renewal(session->area, known ? &header : NULL, renewal,
				    sizeof(renewal)));
	return r;
}

void session_close(struct session *session)
{
	int r;

	/* The disk first: once processes run again, no crash may lead to resuming this image. */
	session_invalidate(session);
	if (session->snapshot >= 0) {
		session_drop_image(session);
		if (session->frozen) {
			kernel_settings_restore_display(&session->kernel_settings);
			r = snapshot_unfreeze(session->snapshot);
			if (r < 0)
				log_error("cannot thaw the other processes: %s", strerror(-r));
			session->frozen = false;
		}
	}
	log_release();
	r = kernel_settings_restore(&session->kernel_settings, session->settings->max_loglevel);
	if (r < 0)
		log_warning("vm.swappiness or another setting of the kernel was not restored: %s",
			    strerror(-r));
	signature_page_close(&session->signature);
	if (session->device >= 0)
		close(session->device);
	if (session->snapshot >= 0)
		close(session->snapshot); /* thaws, and frees what is left */
	session->device = -1;
	session->snapshot = -1;
}
