/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resume/place/kernel_place.h"

#include "base/log.h"
#include "base/text.h"
#include "resume/place/firmware_place.h"
#include "history/boot_record_file.h"
#include "kernel/kernel_cmdline.h"
#include "kernel/kernel_resume.h"
#include "platform/filesystems/mounted.h"
#include "resume/restore.h"

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

/* Given the place, the kernel clears its signature before it loads anything (swsusp_check() in
 * kernel/power/swap.c). If it does not (lockdown, /dev/snapshot open, no such device), the boot
 * would continue with an image that a later boot resumes over what was written since. */
static int hand_to_kernel(const struct settings *settings, const struct swap_area *area,
			  struct boot_run *run, struct why *w)
{
	char reason[200] = "it is the kernel's own, and file systems are mounted already";
	int r;

	if (!mounted_any("")) {
		log_notice("%s holds an image of the kernel's own; the kernel resumes it now",
			   area->name);
		/* systemd-sleep does not, once it is restored. */
		firmware_place_clear("", settings, area, true);
		r = kernel_resume_name("", area->dev, area->offset);
		snprintf(reason, sizeof(reason),
			 "it is the kernel's own, and the kernel did not accept it%s%s",
			 r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
	}
	r = restore(settings, area, reason, run, w);
	if (r < 0 || run->found != FOUND_SWAP)
		return r;
	run->found = FOUND_KERNEL_IMAGE;
	run->fate = FATE_DISCARDED;
	text_copy(run->reason, sizeof(run->reason),
		  "it was the kernel's own, and the kernel could not resume it");
	log_error("%s: the kernel could not resume its image and has discarded it, see its "
		  "messages; the area is swap again",
		  area->name);
	return 0;
}

int kernel_place_tell(const struct settings *settings, const struct swap_area *area,
		      struct boot_run *run, struct why *w)
{
	bool plain = run->found == FOUND_SWAP || run->fate == FATE_DISCARDED;
	bool image = run->found == FOUND_KERNEL_IMAGE && run->fate == FATE_STILL_THERE;
	int r;

	if ((!plain && !image) || !boot_in_initramfs("")) {
		if (image)
			log_notice("%s holds an image of the kernel's own", area->name);
		return 0;
	}
	if (image)
		return hand_to_kernel(settings, area, run, w);
	/* With encryption no other script writes the kernel's resume device. */
	if (run->noresume || mounted_any("") || (!settings->encrypt && another_is_named(area, run)))
		return 0;
	r = kernel_resume_name("", area->dev, area->offset);
	if (r < 0)
		log_debug("the kernel does not accept %s as its resume device: %s", area->name,
			  strerror(-r));
	return 0;
}
