/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_enable.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "swap/swap_area.h"
#include "swapfile_kernel.h"
#include "swapfile_text.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FSTAB "/etc/fstab"

/* logind looks for active swap before it offers to hibernate, and systemd-sleep
 * before it does; with --hibernate-only there is none yet then. */
#define UNIT_FILE(unit) "/etc/systemd/system/" unit ".service.d/90-s2disk-swap.conf"
static const char *const unit_files[] = { UNIT_FILE("systemd-logind"),
					  UNIT_FILE("systemd-hibernate"),
					  UNIT_FILE("systemd-hybrid-sleep"),
					  UNIT_FILE("systemd-suspend-then-hibernate") };

const char *enable_arguments(const struct enable *enable, char *buffer, size_t size)
{
	snprintf(buffer, size, "resume=%s%s%s", enable->device,
		 enable->offset ? " resume_offset=" : "", enable->offset ? enable->offset : "");
	return buffer;
}

static const char *const drop_ins[] = { "/etc/suspend.conf.d" ENABLE_DROP_IN,
					"/etc/uswsusp.conf.d" ENABLE_DROP_IN };

/* Drop-ins belong to the file that is read. */
static bool is_uswsusp(const struct swapfile_system *system)
{
	return !system_has(system, "/etc/suspend.conf") && system_has(system, "/etc/uswsusp.conf");
}

bool enable_has_drop_in(const struct swapfile_system *system)
{
	return system_has(system, drop_ins[is_uswsusp(system)]);
}

bool enable_is_named(const struct settings *settings, const char *path,
		     const struct swap_area *area)
{
	uint64_t offset = settings->resume_offset_set ? settings->resume_offset : 0;
	struct swap_area named;

	if (!settings->resume_device[0])
		return false;
	return strcmp(settings->resume_device, path) == 0 ||
	       (offset == area->offset &&
		swap_area_resolve(settings->resume_device, offset, false, &named, NULL) == 0 &&
		named.dev == area->dev);
}

static int plan_config(struct plan *plan, const struct swapfile_system *system,
		       const struct enable *enable, struct why *w)
{
	char *text;

	if (asprintf(&text,
		     TEXT_OWN "# The swap %s %s.\n"
			      "resume device = %s\n"
			      "resume offset = %s\n"
			      "%s%s%s",
		     enable->offset ? "file" : "device", enable->path, enable->device,
		     enable->offset ? enable->offset : "0",
		     enable->hibernate_only ? "swap on demand = \"" : "",
		     enable->hibernate_only ? enable->path : "",
		     enable->hibernate_only ? "\"\n" : "") < 0)
		text = NULL;
	return plan_file(plan, system, drop_ins[is_uswsusp(system)], text, w);
}

/* What fstab entries are compared with. */
struct wanted {
	const struct swapfile_system *system;
	const struct enable *enable;
};

static bool is_wanted(const void *context, const char *name)
{
	const struct wanted *wanted = context;
	const struct enable *enable = wanted->enable;
	struct swap_area area;

	if (strcmp(name, enable->path) == 0)
		return true;
	if (enable->offset)
		return name[0] == '/' && system_same_file(wanted->system, name, enable->path);
	return swap_area_resolve(name, 0, false, &area, NULL) == 0 && area.dev == enable->dev;
}

static int plan_fstab(struct plan *plan, const struct swapfile_system *system,
		      const struct enable *enable, struct why *w)
{
	_cleanup_free_ char *text = NULL, *escaped = text_fstab_escape(enable->path), *body = NULL;
	_cleanup_free_ char *others = NULL;
	const struct wanted wanted = { system, enable };
	int r = system_read(system, FSTAB, &text);

	if (r < 0)
		return why(w, r, FSTAB ": %s", strerror(-r));
	others = text ? text_drop_block(text) : NULL;
	if (text && text_fstab_has_swap(others ? others : text, is_wanted, &wanted))
		return enable->hibernate_only
			       ? why(w, -EINVAL,
				     FSTAB " switches %s on at every boot; take that line out, or "
					   "enable it without --hibernate-only",
				     enable->path)
			       : 0;
	if (enable->hibernate_only)
		return 0;
	if (!escaped || asprintf(&body, "%s none swap defaults 0 0\n", escaped) < 0)
		return -ENOMEM;
	return plan_file(plan, system, FSTAB, text_put_block(text ? text : "", body), w);
}

/* systemd documents this variable in its docs/ENVIRONMENT.md. */
static int plan_logind(struct plan *plan, const struct swapfile_system *system, struct why *w)
{
	static const char text[] =
		TEXT_OWN "# The swap file is off but while hibernating: do not look for it.\n"
			 "[Service]\n"
			 "Environment=SYSTEMD_BYPASS_HIBERNATION_MEMORY_CHECK=1\n";
	int r = 0;

	if (!system_has(system, "/etc/systemd") && !system_has(system, "/run/systemd/system"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(unit_files) && r == 0; i++)
		r = plan_file(plan, system, unit_files[i], strdup(text), w);
	return r;
}

/* "systemctl daemon-reload", "" without systemd. */
static const char *reload_command(const struct swapfile_system *system, char *buffer, size_t size)
{
	char program[64];

	buffer[0] = '\0';
	if (system_has(system, "/run/systemd/system") &&
	    system_find_program(system, "systemctl", program, sizeof(program)))
		snprintf(buffer, size, "%s\ndaemon-reload", program);
	return buffer;
}

/* Undoing goes backwards: what stands first is made anew last. The area
 * is switched on after all files, so that it is off before any is put back. */
int enable_plan(struct plan *plan, const struct swapfile_system *system,
		const struct enable *enable, struct initramfs_site *ret_initramfs, struct why *w)
{
	_cleanup_free_ char *line = NULL;
	char arguments[400], reload[96], objection[512];
	int r;

	if (asprintf(&line, "%s none swap defaults 0 0", enable->path) < 0)
		return -ENOMEM;
	reload_command(system, reload, sizeof(reload));
	r = initramfs_find(system, enable_arguments(enable, arguments, sizeof(arguments)),
			   enable->hibernate_only ? NULL : line, ret_initramfs, w);
	if (r == 0)
		r = plan_run(plan, NULL, ret_initramfs->command);
	if (r == 0 && reload[0])
		r = plan_run(plan, NULL, reload);
	if (r == 0)
		r = plan_config(plan, system, enable, w);
	if (r == 0)
		r = plan_fstab(plan, system, enable, w);
	if (r == 0 && enable->hibernate_only)
		r = plan_logind(plan, system, w);
	if (r == 0)
		r = initramfs_plan_unlock(plan, system, enable->dev, ret_initramfs, w);
	/* With no boot to look for an image, logind had better not offer it. */
	if (r == 0 && initramfs_looks(system, ret_initramfs, objection, sizeof(objection)))
		r = swapfile_plan_kernel(plan, system, enable->path, enable->dev,
					 enable->offset ? enable->offset : "0");
	if (r == 0 && !enable->hibernate_only && !system->is_active(enable->path))
		r = plan_add(plan, STEP_SWAP, enable->path);
	if (r == 0 && plan_changes_files(plan) && reload[0])
		r = plan_run(plan, reload, NULL);
	if (r == 0 && plan_changes_files(plan))
		r = plan_run(plan, ret_initramfs->command, NULL);
	return r;
}

/* A file that is this program's as a whole, or a block of it. ret_text: what the plan has of
 * it, untouched for none. */
static int plan_marked(struct plan *plan, const struct swapfile_system *system, const char *path,
		       const char **ret_text, struct why *w)
{
	_cleanup_free_ char *text = NULL, *without = NULL, *folder = strdup(path);
	bool own;
	int r = system_read(system, path, &text);

	if (r < 0 || !text || !folder)
		return r < 0 ? why(w, r, "%s: %s", path, strerror(-r)) : folder ? 0 : -ENOMEM;
	own = text_starts(text, TEXT_OWN);
	without = own ? NULL : text_drop_block(text);
	if (!own && !without)
		return 0;
	r = own ? plan_add(plan, STEP_FOLDER, dirname(folder)) : 0;
	if (r == 0)
		r = plan_add(plan, STEP_FILE, path);
	if (r < 0)
		return r;
	plan->steps[plan->count - 1].text[TEXT_OLD] = steal_pointer(&without);
	plan->steps[plan->count - 1].text[TEXT_NEW] = text;
	if (ret_text)
		*ret_text = text;
	text = NULL;
	return 0;
}

/* What stands behind some words at the beginning of a line, without `end` at its end; free. */
static char *value_behind(const char *text, const char *words, const char *end)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (text_starts(text, words)) {
			size_t length = strcspn(text += strlen(words), "\n"), less = strlen(end);

			if (length >= less && strncmp(text + length - less, end, less) == 0)
				return strndup(text, length - less);
		}
	return NULL;
}

/* Former versions told boot loaders of the place, and no mark says where: the user is told. */
static int plan_arguments(struct plan *plan, const char *config)
{
	_cleanup_free_ char *device = value_behind(config, "resume device = ", ""),
			    *offset = value_behind(config, "resume offset = ", "");
	struct step *step;
	char arguments[400];
	int r;

	if (!device || !offset)
		return 0;
	r = plan_run(plan, NULL,
		     enable_arguments(&(struct enable){ .device = device, .offset = offset },
				      arguments, sizeof(arguments)));
	if (r == 0) {
		step = &plan->steps[plan->count - 1];
		step->kind = STEP_ENTRIES;
	}
	return r;
}

/* Whose marks they are: what fstab switches on, else as the drop-in says. */
static int take_path(struct plan *plan, const char *fstab, const char *config)
{
	char *area = fstab ? text_block_word(fstab) : NULL;
	int r = area ? plan_add(plan, STEP_SWAP, area) : 0;

	if (!area && config)
		area = value_behind(config, "# The swap file ", ".");
	if (!area && config)
		area = value_behind(config, "# The swap device ", ".");
	if (area) {
		free(plan->path);
		plan->path = area;
	}
	return r;
}

int enable_plan_marked(struct plan *plan, const struct swapfile_system *system, struct why *w)
{
	/* Of the version that edited them. */
	static const char *const boot_files[] = { "/etc/default/grub.d/95-s2disk-swapfile.cfg",
						  "/etc/default/grub", "/etc/default/u-boot" };
	struct initramfs_site initramfs = { .command = "" };
	const char *fstab = NULL, *config = NULL;
	char reload[96];
	size_t before;
	int r = 0;

	reload_command(system, reload, sizeof(reload));
	if (initramfs_find(system, "", NULL, &initramfs, NULL) == 0)
		r = plan_run(plan, NULL, initramfs.command);
	if (r == 0 && reload[0])
		r = plan_run(plan, NULL, reload);
	for (size_t i = 0; i < ARRAY_SIZE(drop_ins) && r == 0; i++)
		r = plan_marked(plan, system, drop_ins[i], &config, w);
	if (r == 0 && config)
		r = plan_arguments(plan, config);
	for (size_t i = 0; i < ARRAY_SIZE(unit_files) && r == 0; i++)
		r = plan_marked(plan, system, unit_files[i], NULL, w);
	before = plan->count;
	for (size_t i = 0; i < ARRAY_SIZE(boot_files) && r == 0; i++)
		r = plan_marked(plan, system, boot_files[i], NULL, w);
	if (plan->count > before)
		log_warning("the boot loader's configuration is still to be made anew afterwards: "
			    "update-grub, grub-mkconfig or u-boot-update");
	if (r == 0)
		r = plan_marked(plan, system, FSTAB, &fstab, w);
	return r == 0 ? take_path(plan, fstab, config) : r;
}
