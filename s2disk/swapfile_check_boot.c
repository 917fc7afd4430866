/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Will the next boot find the image: arguments, initramfs, devices. */
#include "swapfile_check.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "kernel/kernel_cmdline.h"
#include "swapfile_boot.h"
#include "swapfile_enable.h"
#include "swapfile_site.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

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

static const char *find_initramfs(const struct swapfile_system *system, char *path, size_t size)
{
	static const struct {
		const char *before, *after;
	} forms[] = {
		{ "/boot/initrd.img-", "" },
		{ "/boot/initramfs-", ".img" },
		{ "/boot/initrd-", "" },
		{ "/boot/initrd-", ".img" },
	};
	struct utsname uts;

	uname(&uts);
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		snprintf(path, size, "%s%s%s", forms[i].before, uts.release, forms[i].after);
		if (system_has(system, path))
			return path;
	}
	snprintf(path, size, "/boot/initramfs-linux.img");
	return system_has(system, path) ? path : NULL;
}

/* What is in it, as the generator's own tool lists it; NULL where there is
 * none. */
static char *list_initramfs(const struct swapfile_system *system, const char *path)
{
	static const char *const tools[] = { "lsinitramfs", "lsinitrd", "lsinitcpio" };
	char program[64], command[512], *output = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
		if (!system_find_program(system, tools[i], program, sizeof(program)))
			continue;
		snprintf(command, sizeof(command), "%s\n%s", program, path);
		if (system->run(system, command, &output, NULL) == 0)
			return output;
	}
	return NULL;
}

static bool is_older(const struct swapfile_system *system, const char *path, const char *than)
{
	_cleanup_free_ char *first = system_path(system, path), *second = system_path(system, than);
	struct stat a, b;

	return first && second && stat(first, &a) == 0 && stat(second, &b) == 0 &&
	       (a.st_mtim.tv_sec < b.st_mtim.tv_sec);
}

void check_initramfs(struct swapfile_check *check)
{
	const struct swapfile_system *system = &check->swapfile->system;
	_cleanup_free_ char *list = NULL;
	struct check *added;
	char path[160];

	if (!find_initramfs(system, path, sizeof(path)) || !(list = list_initramfs(system, path))) {
		added = preflight_add(&check->context, "initramfs", CHECK_WARNING,
				      "what is in the initramfs of this kernel could not be seen");
		preflight_advise(added, "see that /usr/lib/uswsusp/resume is in it");
		return;
	}
	if (!strstr(list, "uswsusp/resume")) {
		added = preflight_add(&check->context, "initramfs", CHECK_FAILED,
				      "resume is not in %s, so nothing would read the image", path);
		preflight_advise(added,
				 "install s2disk's hooks for the initramfs, then make it "
				 "anew: %s",
				 boot_initramfs_command(system)
					 ? "update-initramfs -u, dracut -f or "
					   "mkinitcpio -P"
					 : "as your distribution does");
		return;
	}
	if (is_older(system, path, enable_config_path(system))) {
		added = preflight_add(&check->context, "initramfs", CHECK_WARNING,
				      "%s is older than the configuration", path);
		preflight_advise(added, "make it anew: update-initramfs -u, dracut -f or "
					"mkinitcpio -P");
		return;
	}
	preflight_add(&check->context, "initramfs", CHECK_OK, "resume is in %s", path);
}

/* Does crypttab say that the initramfs unlocks this mapping? */
static bool unlocked_early(const struct swapfile_system *system, const char *mapper)
{
	_cleanup_free_ char *text = NULL;
	char *at, *line;

	if (system_read(system, "/etc/crypttab", &text) < 0 || !text)
		return false;
	at = text;
	while ((line = strsep(&at, "\n"))) {
		size_t length = strlen(mapper);

		if (strncmp(line, mapper, length) == 0 &&
		    (line[length] == ' ' || line[length] == '\t') &&
		    (strstr(line + length, "initramfs") ||
		     strstr(line + length, "x-initrd.attach")))
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
		      "nothing keeps the initramfs from seeing %s (%s)", check->place.area.device,
		      device_stack_text(&check->stack, text, sizeof(text)));
}
