/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Will the next boot find the image: arguments and devices. (s2disk's own checks,
 * which are made too, look into the initramfs.) */
#include "swapfile_check.h"

#include "base/cleanup.h"
#include "kernel/kernel_cmdline.h"
#include "swapfile_boot.h"
#include "swapfile_site.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void check_boot_cmdline(struct swapfile_check *check)
{
	struct kernel_cmdline cmdline;
	struct check *added;

	if (kernel_cmdline_read(check->swapfile->system.root, &cmdline) < 0)
		return;
	if (cmdline.noresume) {
		added = preflight_add(&check->context, "command-line", CHECK_WARNING,
				      "this system was booted with noresume, or something like it");
		preflight_advise(added, "see that the next boot does not have it");
	} else if (!cmdline.resume[0]) {
		added = preflight_add(&check->context, "command-line", CHECK_WARNING,
				      "this system was booted without resume=");
		preflight_advise(added, "reboot once, if the boot loader is set up (next check)");
	} else if (names_the_place(check, cmdline.resume, cmdline.resume_offset)) {
		preflight_add(&check->context, "command-line", CHECK_OK,
			      "this system was booted with the right resume= and resume_offset=");
	} else {
		added = preflight_add(&check->context, "command-line", CHECK_WARNING,
				      "this system was booted with resume=%s resume_offset=%" PRIu64
				      ", which is not the place of %s",
				      cmdline.resume, cmdline.resume_offset, check->place.path);
		preflight_advise(added, "reboot once, if the boot loader is set up (next check)");
	}
}

/* Is there something that setting up would change? */
static bool would_change(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind == STEP_FILE || plan->steps[i].command)
			return true;
	return false;
}

void check_boot_loader(struct swapfile_check *check)
{
	const struct swapfile_system *system = &check->swapfile->system;
	enum boot_loader loader = boot_detect(system);
	struct plan plan = { 0 };
	struct why w = { "" };
	struct check *added;
	const char *config;
	int r;

	if (loader == BOOT_NONE) {
		added = preflight_add(&check->context, "boot-loader", CHECK_WARNING,
				      "no boot loader that is known here was found");
		preflight_advise(added, "see that it gives the kernel: %s", check->arguments);
		return;
	}
	r = boot_plan(&plan, system, loader, check->arguments, &w);
	if (r < 0) {
		preflight_add(&check->context, "boot-loader", CHECK_WARNING, "%s: %s",
			      boot_name(loader), why_text(&w, r));
	} else if (would_change(&plan)) {
		added = preflight_add(&check->context, "boot-loader", CHECK_FAILED,
				      "%s does not give the kernel %s", boot_name(loader),
				      check->arguments);
		preflight_advise(added, "s2disk-swapfile enable %s", check->place.path);
	} else if ((loader == BOOT_GRUB_FOLDER || loader == BOOT_GRUB_FILE) &&
		   !boot_grub_says(system, check->arguments, &config)) {
		added = preflight_add(&check->context, "boot-loader", CHECK_FAILED,
				      "%s was not made anew since it was set up", config);
		preflight_advise(added, "run update-grub, or grub2-mkconfig -o %s", config);
	} else {
		preflight_add(&check->context, "boot-loader", CHECK_OK, "%s gives the kernel %s",
			      boot_name(loader), check->arguments);
	}
	plan_close(&plan);
}

static bool has_early_option(char *options)
{
	char *option;

	while ((option = strsep(&options, ",")))
		if (strcmp(option, "initramfs") == 0 || strcmp(option, "x-initrd.attach") == 0)
			return true;
	return false;
}

/* Does crypttab say that the initramfs unlocks this mapping? A line: name,
 * device, key, options. */
static bool unlocked_early(const struct swapfile_system *system, const char *mapper)
{
	static const char blanks[] = " \t";
	_cleanup_free_ char *text = NULL;
	char *at, *line;

	if (system_read(system, "/etc/crypttab", &text) < 0 || !text)
		return false;
	at = text;
	while ((line = strsep(&at, "\n"))) {
		char *rest, *field = strtok_r(line, blanks, &rest);

		if (!field || strcmp(field, mapper) != 0)
			continue;
		for (int i = 0; i < 3 && field; i++)
			field = strtok_r(NULL, blanks, &rest);
		if (field && has_early_option(field))
			return true;
	}
	return false;
}

struct search {
	const char *root;
	dev_t dev;
	bool found;
};

static int look_below(void *context, dev_t dev)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	struct search *search = context;

	if (!stack || device_stack_read(search->root, dev, stack, NULL) < 0)
		return 0;
	for (size_t i = 0; i < stack->count; i++)
		search->found |= stack->layers[i].dev == search->dev;
	return 0;
}

/* The root file system's devices are there early in any case. */
static bool is_below_root(const struct swapfile_check *check, dev_t dev)
{
	struct search search = { .root = check->swapfile->system.root, .dev = dev };

	return site_each_device("/", look_below, &search, NULL) == 0 && search.found;
}

void check_early_device(struct swapfile_check *check)
{
	const struct swapfile_system *system = &check->swapfile->system;
	struct check *added;
	char text[256];

	if (check->stack.count == 0) {
		preflight_add(&check->context, "early-device", CHECK_WARNING,
			      "what lies under %s could not be looked at, so whether the initramfs "
			      "sees it is not known",
			      check->place.area.device);
		return;
	}
	for (size_t i = 0; i < check->stack.count; i++) {
		const struct device_layer *layer = &check->stack.layers[i];

		if (layer->kind != LAYER_CRYPT || is_below_root(check, layer->dev) ||
		    unlocked_early(system, layer->mapper))
			continue;
		added = preflight_add(&check->context, "early-device", CHECK_WARNING,
				      "%s must be unlocked before the image can be read, but "
				      "neither is it below the root file system nor does "
				      "/etc/crypttab say that the initramfs unlocks it",
				      layer->mapper);
		preflight_advise(added,
				 "add the option initramfs (Debian) or x-initrd.attach to its "
				 "line in /etc/crypttab, then make the initramfs anew");
		return;
	}
	preflight_add(&check->context, "early-device", CHECK_OK,
		      "no encryption below %s (%s) is known to be locked in the initramfs",
		      check->place.area.device,
		      device_stack_text(&check->stack, text, sizeof(text)));
}
