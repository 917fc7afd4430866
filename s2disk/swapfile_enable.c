/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_enable.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "swapfile_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FSTAB "/etc/fstab"
#define DROP_IN "/90-swapfile.conf"
#define TAKES_AWAY "# Written by s2disk-swapfile; \"s2disk-swapfile disable\" takes it away.\n"

const char *enable_arguments(const struct enable *enable, char *buffer, size_t size)
{
	snprintf(buffer, size, "resume=%s resume_offset=%s", enable->device, enable->offset);
	return buffer;
}

const char *enable_config_path(const struct swapfile_system *system)
{
	/* Drop-ins belong to the file that is read. */
	if (!system_has(system, "/etc/suspend.conf") && system_has(system, "/etc/uswsusp.conf"))
		return "/etc/uswsusp.conf.d" DROP_IN;
	return "/etc/suspend.conf.d" DROP_IN;
}

static int plan_config(struct plan *plan, const struct swapfile_system *system,
		       const struct enable *enable, struct why *w)
{
	char *text;

	if (asprintf(&text,
		     TAKES_AWAY "# The swap file %s.\n"
				"resume device = %s\n"
				"resume offset = %s\n"
				"%s%s%s",
		     enable->path, enable->device, enable->offset,
		     enable->hibernate_only ? "swap on demand = \"" : "",
		     enable->hibernate_only ? enable->path : "",
		     enable->hibernate_only ? "\"\n" : "") < 0)
		text = NULL;
	return plan_file(plan, system, enable_config_path(system), text, w);
}

/* What fstab entries are compared with. */
struct wanted {
	const struct swapfile_system *system;
	const char *path;
};

static bool is_wanted(const void *context, const char *path)
{
	const struct wanted *wanted = context;

	return path[0] == '/' && system_same_file(wanted->system, path, wanted->path);
}

static int plan_fstab(struct plan *plan, const struct swapfile_system *system,
		      const struct enable *enable, struct why *w)
{
	_cleanup_free_ char *text = NULL, *escaped = text_fstab_escape(enable->path), *body = NULL;
	const struct wanted wanted = { system, enable->path };
	int r = system_read(system, FSTAB, &text);

	if (r < 0)
		return why(w, r, FSTAB ": %s", strerror(-r));
	if (text && text_fstab_has_swap(text, is_wanted, &wanted)) {
		if (!enable->hibernate_only)
			return 0;
		return why(w, -EINVAL,
			   FSTAB " switches %s on at every boot; take that line out, or enable it "
				 "without --hibernate-only",
			   enable->path);
	}
	if (enable->hibernate_only)
		return 0;
	if (!escaped || asprintf(&body, "%s none swap defaults 0 0\n", escaped) < 0)
		return -ENOMEM;
	return plan_file(plan, system, FSTAB, text_put_block(text ? text : "", body), w);
}

/* logind looks for active swap before it offers to hibernate, and systemd-sleep
 * before it does; there is none yet then. systemd documents this variable in
 * its docs/ENVIRONMENT.md. */
static int plan_logind(struct plan *plan, const struct swapfile_system *system, struct why *w)
{
	static const char *const units[] = { "systemd-logind", "systemd-hibernate",
					     "systemd-hybrid-sleep",
					     "systemd-suspend-then-hibernate" };
	static const char text[] =
		TAKES_AWAY "# The swap file is off but while hibernating: do not look for it.\n"
			   "[Service]\n"
			   "Environment=SYSTEMD_BYPASS_HIBERNATION_MEMORY_CHECK=1\n";
	int r = 0;

	if (!system_has(system, "/etc/systemd") && !system_has(system, "/run/systemd/system"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(units) && r == 0; i++) {
		char path[128];

		snprintf(path, sizeof(path), "/etc/systemd/system/%s.service.d/90-s2disk-swap.conf",
			 units[i]);
		r = plan_file(plan, system, path, strdup(text), w);
	}
	return r;
}

static int plan_values(struct plan *plan, const struct enable *enable)
{
	plan->hibernate_only = enable->hibernate_only;
	plan->device = strdup(enable->device);
	plan->offset = strdup(enable->offset);
	return plan->device && plan->offset ? 0 : -ENOMEM;
}

static int plan_files(struct plan *plan, const struct swapfile_system *system,
		      const struct enable *enable, enum boot_loader loader, struct why *w)
{
	char arguments[400];
	int r = plan_config(plan, system, enable, w);

	if (r == 0)
		r = plan_fstab(plan, system, enable, w);
	if (r == 0 && enable->hibernate_only)
		r = plan_logind(plan, system, w);
	if (r == 0)
		r = boot_plan(plan, system, loader,
			      enable_arguments(enable, arguments, sizeof(arguments)), w);
	return r;
}

/* Undoing goes backwards: what stands first is made anew last. The swap file
 * is switched on after all files, so that it is off before any is put back. */
int enable_plan(struct plan *plan, const struct swapfile_system *system,
		const struct enable *enable, enum boot_loader *ret_loader, struct why *w)
{
	const char *initramfs = boot_initramfs_command(system);
	char program[64], reload[96] = "";
	int r = plan_values(plan, enable);

	*ret_loader = boot_detect(system);
	if (system_has(system, "/run/systemd/system") &&
	    system_find_program(system, "systemctl", program, sizeof(program)))
		snprintf(reload, sizeof(reload), "%s\ndaemon-reload", program);
	if (r == 0 && initramfs)
		r = plan_run(plan, NULL, initramfs);
	if (r == 0 && reload[0])
		r = plan_run(plan, NULL, reload);
	if (r == 0)
		r = plan_files(plan, system, enable, *ret_loader, w);
	if (r == 0 && !enable->hibernate_only && !system->is_active(enable->path))
		r = plan_add(plan, STEP_SWAP, enable->path);
	if (r == 0 && reload[0] && plan_changes_files(plan, plan->count))
		r = plan_run(plan, reload, NULL);
	if (r == 0 && initramfs && plan_changes_files(plan, plan->count))
		r = plan_run(plan, initramfs, NULL);
	return r;
}
