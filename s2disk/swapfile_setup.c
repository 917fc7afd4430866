/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enable, disable. */
#include "swapfile_commands.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "settings.h"
#include "swapfile_enable.h"
#include "swapfile_kernel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line for people, and a value of JSON. */
struct warnings {
	char text[2048];
};

static void warn(struct warnings *warnings, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void warn(struct warnings *warnings, const char *format, ...)
{
	size_t used = strlen(warnings->text);
	va_list args;

	if (used > 0)
		used += (size_t)snprintf(warnings->text + used, sizeof(warnings->text) - used,
					 "; ");
	if (used >= sizeof(warnings->text))
		return;
	va_start(args, format);
	vsnprintf(warnings->text + used, sizeof(warnings->text) - used, format, args);
	va_end(args);
	log_warning("%s", warnings->text + used);
}

/* A drop-in that is read after ours has the last word. True: ours has it. */
static bool has_last_word(const struct swapfile *s, const struct enable *enable,
			  struct warnings *warnings)
{
	struct settings settings;

	settings_defaults(&settings);
	if (settings_load(&settings, s->system.root, NULL, NULL, NULL) < 0 ||
	    enable_is_named(&settings, enable->path, enable->area))
		return true;
	warn(warnings,
	     "another file of s2disk's configuration has the last word, with \"resume device = "
	     "%s\" (%s) and \"resume offset = %" PRIu64
	     "\", so that no boot looks for the image; take that "
	     "out, then run s2disk-swapfile check",
	     settings.resume_device, settings.resume_device_by, settings.resume_offset);
	return false;
}

/* True: all is well. */
static bool look_after_enable(struct swapfile *s, const struct enable *enable,
			      const struct initramfs_site *initramfs, struct warnings *warnings)
{
	const struct swap_area *area = enable->area;
	char arguments[400], objection[512];
	bool good = initramfs_looks(&s->system, initramfs, objection, sizeof(objection));

	if (!good)
		warn(warnings, "%s. The kernel's own hibernation needs these arguments: %s",
		     objection, enable_arguments(enable, arguments, sizeof(arguments)));
	if (area && !s->dry_run)
		good &= has_last_word(s, enable, warnings);
	if (area && swapfile_kernel_other(&s->system, area, arguments, sizeof(arguments))[0])
		warn(warnings,
		     "the kernel command line names another place, which the kernel's own "
		     "hibernation and systemd go by from the next boot on; take this out of the "
		     "boot loader's configuration: %s",
		     arguments);
	if (text_starts(enable->device, "/dev/") && !text_starts(enable->device, "/dev/mapper/"))
		warn(warnings,
		     "the device has neither a UUID nor another name that holds, and may be called "
		     "otherwise at the next boot; give its file system a UUID, then enable it "
		     "again");
	return good;
}

static void tell_after_enable(struct swapfile *s, const struct enable *enable,
			      const struct initramfs_site *initramfs)
{
	struct warnings warnings = { "" };
	char arguments[400];
	bool good = look_after_enable(s, enable, initramfs, &warnings);

	report_value(&s->report, "arguments",
		     enable_arguments(enable, arguments, sizeof(arguments)));
	report_value(&s->report, "warning", warnings.text[0] ? warnings.text : NULL);
	if (good && !s->dry_run)
		report_line(&s->report, "Done. This system can hibernate now, without a reboot; "
					"'s2disk-swapfile check' tells whether all is well.");
}

/* Would carrying it out change anything? */
static bool does_something(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind != STEP_PLACE &&
		    (plan->steps[i].kind != STEP_RUN || plan->steps[i].text[TEXT_DO]))
			return true;
	return false;
}

int command_find_enabled(const struct swapfile *s, struct state *state, struct plan **ret,
			 struct why *w)
{
	struct plan plan;
	int r;

	*ret = state_find(state, "enable", NULL);
	if (*ret)
		return 0;
	r = plan_open(&plan, "enable", "what is marked");
	if (r == 0)
		r = enable_plan_marked(&plan, &s->system, w);
	if (r == 0 && plan_changes_files(&plan)) {
		log_warning("%s is lost; going by the marks in the files", SWAPFILE_STATE);
		*ret = state_add(state, &plan);
		r = *ret ? 0 : -ENOMEM;
	}
	plan_close(&plan);
	return r;
}

static int plan_enable(const struct swapfile *s, const struct enable *enable, struct plan *ret,
		       struct initramfs_site *ret_initramfs, struct why *w)
{
	int r = plan_open(ret, "enable", enable->path);

	return r < 0 ? r : enable_plan(ret, &s->system, enable, ret_initramfs, w);
}

/* What is enabled already makes room. *ret_same: it is the same, and whole. */
static int make_room(struct swapfile *s, struct state *state, const struct plan *plan,
		     bool *ret_same, struct why *w)
{
	bool lost = !state_find(state, "enable", NULL);
	struct plan *old;
	int r = command_find_enabled(s, state, &old, w);

	*ret_same = r == 0 && old && !lost && !does_something(plan) && !old->unfinished &&
		    strcmp(old->path, plan->path) == 0;
	if (r < 0 || !old || *ret_same)
		return r;
	report_line(&s->report, "%s is enabled already, and is disabled first%s", old->path,
		    s->dry_run ? "; what comes then is told as from now" : "");
	return state_undo(&s->system, state, old, &s->report, w);
}

/* The kernel may have been told of another place since. */
static void tell_kernel(const struct swapfile *s, const struct plan *plan)
{
	for (size_t i = 0; i < plan->count && !s->dry_run; i++)
		if (plan->steps[i].kind == STEP_PLACE)
			swapfile_kernel_do(&s->system, plan, &plan->steps[i], NULL);
}

static int enable_place(struct swapfile *s, struct state *state, const struct enable *enable,
			struct why *w)
{
	struct initramfs_site initramfs;
	struct plan plan;
	bool same = false;
	/* Twice: a refusal comes before anything is changed. */
	int r = plan_enable(s, enable, &plan, &initramfs, w);

	if (r == 0)
		r = make_room(s, state, &plan, &same, w);
	if (r == 0 && same) {
		report_line(&s->report, "%s is enabled already; there is nothing to do",
			    enable->path);
		tell_kernel(s, &plan);
	} else if (r == 0) {
		plan_close(&plan);
		r = plan_enable(s, enable, &plan, &initramfs, w);
		if (r == 0)
			r = state_do(&s->system, state, &plan, &s->report, w);
	}
	if (r == 0)
		tell_after_enable(s, enable, &initramfs);
	plan_close(&plan);
	return r;
}

enum outcome swapfile_do_enable(struct swapfile *s, struct why *w)
{
	struct swapfile_place place = { 0 };
	struct state state = { 0 };
	char offset[24];
	struct enable enable = {
		.path = place.path,
		.device = place.device,
		.hibernate_only = s->hibernate_only,
	};
	enum outcome outcome = command_failed(command_need_root(s, w), w);
	int r;

	if (outcome == OUTCOME_DONE)
		outcome = swapfile_find(s, false, &place, w);
	if (outcome == OUTCOME_DONE && s->hibernate_only && !place.area.file)
		outcome = command_refused(
			why(w, -EINVAL, "--hibernate-only is for swap files, and %s is a device",
			    s->path),
			w);
	if (outcome == OUTCOME_DONE)
		outcome = command_failed(state_load(&s->system, &state, w), w);
	if (outcome != OUTCOME_DONE)
		return outcome;
	snprintf(offset, sizeof(offset), "%" PRIu64, place.area.offset);
	enable.offset = place.area.file ? offset : NULL;
	enable.dev = place.area.dev;
	enable.area = &place.area;
	r = enable_place(s, &state, &enable, w);
	state_free(&state);
	return r == -EINVAL ? OUTCOME_REFUSED : command_failed(r, w);
}

enum outcome command_foretell_enable(struct swapfile *s, const struct site *site, struct why *w)
{
	struct initramfs_site initramfs;
	const struct enable enable = {
		.path = site->path,
		.device = "DEVICE",
		.dev = site->dev,
		.offset = "OFFSET",
		.hibernate_only = s->hibernate_only,
	};
	struct plan plan = { 0 };
	int r = plan_enable(s, &enable, &plan, &initramfs, w);

	if (r == 0) {
		report_plan(&s->report, &plan);
		report_line(&s->report, "where DEVICE and OFFSET are known when the file is there");
		tell_after_enable(s, &enable, &initramfs);
	}
	plan_close(&plan);
	return r == -EINVAL ? OUTCOME_REFUSED : command_failed(r, w);
}

enum outcome swapfile_do_disable(struct swapfile *s, struct why *w)
{
	struct state state = { 0 };
	struct plan *plan = NULL;
	int r = command_need_root(s, w);

	if (r == 0)
		r = state_load(&s->system, &state, w);
	if (r == 0)
		r = command_find_enabled(s, &state, &plan, w);
	if (r == 0 && plan)
		r = state_undo(&s->system, &state, plan, &s->report, w);
	else if (r == 0)
		report_line(&s->report, "no swap area is enabled; there is nothing to do");
	state_free(&state);
	return command_failed(r, w);
}
