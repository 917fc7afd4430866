/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel_place.h"

#include "area.h"
#include "base/io.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "history/boot_record_file.h"
#include "kernel/kernel_cmdline.h"
#include "kernel/kernel_resume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static bool another_is_named(const struct swap_area *area, const struct boot_run *run)
{
	struct kernel_cmdline cmdline = { 0 };
	struct swap_area other;

	if (run->by == NAMED_BY_KERNEL)
		return false;
	kernel_cmdline_read("", &cmdline);
	if (!cmdline.resume[0] ||
	    swap_area_resolve(cmdline.resume, cmdline.resume_offset, false, &other, NULL) < 0)
		return false;
	return other.dev != area->dev || other.offset != area->offset;
}

/* What the kernel left there: it takes its signature away before it loads anything
 * (swsusp_check() in kernel/power/swap.c), and does so behind the cache. */
static enum boot_found look_again(const struct swap_area *area)
{
	struct signature_page signature;
	enum boot_found found = FOUND_UNKNOWN;
	struct why w = { 0 };
	int device;

	if (area_open(area, O_RDONLY, &device, &signature, &w) < 0)
		return found;
	io_drop_cache(device);
	if (signature_page_read(&signature, &w) == 0)
		found = area_found(&signature);
	area_close(device, &signature);
	return found;
}

static void hand_to_kernel(const struct swap_area *area, struct boot_run *run)
{
	int r;

	log_notice("%s holds an image of the kernel's own, which the kernel is to resume now",
		   area->name);
	r = kernel_resume_name("", area->dev, area->offset);
	if (look_again(area) == FOUND_SWAP) {
		run->fate = FATE_DISCARDED;
		text_copy(run->reason, sizeof(run->reason),
			  "it was of the kernel's own, and the kernel could not resume it");
		log_error("%s: the kernel could not resume its image and has discarded it, see its "
			  "messages; the area is swap again",
			  area->name);
		return;
	}
	snprintf(run->reason, sizeof(run->reason), "the kernel did not take it%s%s",
		 r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
	log_error("%s: it is an image of the kernel's own, and %s", area->name, run->reason);
}

void kernel_place_tell(const struct settings *settings, const struct swap_area *area,
		       struct boot_run *run)
{
	bool plain = run->found == FOUND_SWAP || run->fate == FATE_DISCARDED;
	bool image = run->found == FOUND_KERNEL_IMAGE && run->fate == FATE_LEFT_ALONE &&
		     !settings->encrypt;
	int r;

	if ((!plain && !image) || run->noresume || !boot_in_initramfs(""))
		return;
	/* With encryption no other script is left to tell the kernel anything. */
	if (!image && !settings->encrypt && another_is_named(area, run))
		return;
	if (image) {
		hand_to_kernel(area, run);
		return;
	}
	r = kernel_resume_name("", area->dev, area->offset);
	if (r < 0)
		log_debug("the kernel does not take %s for its images: %s", area->name,
			  strerror(-r));
}
