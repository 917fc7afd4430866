/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enable, disable: marks in the system's files, and what is generated from them. */
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/replace.h"
#include "base/text.h"
#include "base/tree.h"
#include "boot/initramfs.h"
#include "kernel/kernel_cmdline.h"
#include "kernel/kernel_resume.h"
#include "preflight/preflight.h"
#include "swapfile.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Former versions recorded there what they changed. */
#define FORMER_STATE "/var/lib/s2disk/swapfile.state"

static void print_lines(struct swapfile *s, char sign, const char *text)
{
	for (; text && *text; text += strcspn(text, "\n"), text += *text == '\n')
		swapfile_line(s, "    %c %.*s", sign, (int)strcspn(text, "\n"), text);
}

static int put(struct swapfile *s, const struct mark *mark, struct why *w)
{
	s->sleep_key |= strcmp(mark->path, wanted_files[WANTED_SLEEP_KEY]) == 0;
	swapfile_step(s, "write", mark->path);
	print_lines(s, '-', mark->was);
	print_lines(s, '+', mark->body);
	return s->dry_run ? 0 : marks_put(s->root, mark, w);
}

static int take(struct swapfile *s, const char *path, const struct marks *marks, struct why *w)
{
	if (marks->found) {
		swapfile_step(s, marks->made && !marks->rest[0] ? "delete" : "write", path);
		print_lines(s, '-', marks->body);
	}
	return s->dry_run ? 0 : marks_take(s->root, path, marks, w);
}

/* One file; 1 if it differed. */
static int apply_to(struct swapfile *s, const char *path, const struct mark_list *list, bool look,
		    struct why *w)
{
	size_t needed = 0, there = 0;
	struct marks marks;
	int r = marks_read(s->root, path, &marks, w);
	bool same;

	if (r < 0)
		return r;
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].path, path) == 0) {
			needed++;
			there += strstr(marks.body, list->items[i].body) != NULL;
		}
	same = there == needed && marks.found == (needed > 0);
	/* Also tidies up where nothing is marked. */
	if (!look && !(same && marks.found))
		r = take(s, path, &marks, w);
	marks_free(&marks);
	for (size_t i = 0; i < list->count && r == 0 && !same && !look; i++)
		if (strcmp(list->items[i].path, path) == 0)
			r = put(s, &list->items[i], w);
	return r < 0 ? r : !same;
}

/* Former versions changed boot loaders' files, and only these have marks. */
static void report_former(struct swapfile *s, bool boot_files)
{
	char state[PATH_MAX];
	bool former = tree_exists(s->root, FORMER_STATE);

	if (boot_files || former)
		log_warning(
			"an earlier version set this up: regenerate the boot loader's "
			"configuration (update-grub, grub-mkconfig or u-boot-update), and where "
			"/etc/kernel/cmdline or boot loader entries name this place, remove "
			"resume= and resume_offset= (then run kernel-install add-all)");
	if (!former)
		return;
	swapfile_step(s, "delete", FORMER_STATE);
	snprintf(state, sizeof(state), "%s" FORMER_STATE, s->root);
	if (!s->dry_run && unlink(state) == 0)
		rmdir(dirname(state)); /* if it is empty */
}

/* Makes the marks in all files exactly those of the list; look: changes nothing. Returns how many
 * files differed. With an empty list a file that fails does not stop the others. */
static int apply(struct swapfile *s, const struct mark_list *list, bool look, struct why *w)
{
	bool boot_files = false, all = list->count == 0;
	int result = 0, count = 0;

	for (size_t i = 0; i < WANTED_FILES && (result == 0 || all); i++) {
		struct why reason = { "" };
		int r = apply_to(s, wanted_files[i], list, look, &reason);

		s->sleep_key |= !look && r > 0 && i == WANTED_SLEEP_KEY;
		count += r > 0;
		boot_files |= r > 0 && i >= WANTED_OF_BOOT_LOADER;
		if (r >= 0 && !all)
			r = swapfile_stopped(&reason);
		if (r < 0 && result == 0)
			result = why(w, r, "%s", why_text(&reason, r));
	}
	if (result == 0 && !look)
		report_former(s, boot_files);
	return result < 0 ? result : count;
}

/* What our line in fstab activates. */
static int deactivate(struct swapfile *s, struct why *w)
{
	_cleanup_free_ char *activated = wanted_activated(s->root);

	if (!activated)
		return 0;
	swapfile_step(s, "deactivate", activated);
	return s->dry_run ? 0 : swapfile_deactivate(activated, w);
}

/* Deactivates the area, then removes all marks: if the former fails, nothing is changed. Returns
 * how many files had some. */
static int undo(struct swapfile *s, struct why *w)
{
	int r = deactivate(s, w);

	return r < 0 ? r : apply(s, &(struct mark_list){ 0 }, false, w);
}

/* logind reads its configuration again. Restarting it could end sessions. */
static void read_sleep_key(struct swapfile *s)
{
	static const char command[] = "systemctl kill -s HUP systemd-logind.service";
	struct why w = { "" };

	if (!s->sleep_key)
		return;
	swapfile_step(s, "run", command);
	if (!s->dry_run && swapfile_run(s->root, command, NULL, &w) < 0)
		log_warning("%s; logind reads what it does at the sleep key at its next start",
			    w.text);
}

/* Regenerates what is built from the files. command NULL: this program cannot rebuild the
 * initramfs. */
static int refresh(struct swapfile *s, const char *command, struct why *w)
{
	int r = 0;

	if (tree_exists(s->root, "/run/systemd/system")) {
		swapfile_step(s, "run", "systemctl daemon-reload");
		r = s->dry_run ? 0 : swapfile_run(s->root, "systemctl daemon-reload", NULL, w);
		if (r == 0)
			read_sleep_key(s);
	}
	if (r < 0 || !command)
		return r;
	swapfile_step(s, "run", command);
	return s->dry_run ? 0 : swapfile_run(s->root, command, NULL, w);
}

/* logind then offers to hibernate at once. Not after noresume, which this would undo. The area
 * was just found to be plain swap, since the kernel resumes an image of its own there. */
static void set_kernel_place(struct swapfile *s, const struct swapfile_place *place)
{
	struct kernel_cmdline cmdline = { 0 };
	int r;

	kernel_cmdline_read(s->root, &cmdline);
	if (cmdline.noresume || !tree_exists(s->root, "/sys/power/resume"))
		return;
	swapfile_step(s, "set the kernel's resume device to", place->path);
	r = s->dry_run ? 0 : kernel_resume_name(s->root, place->area.dev, place->area.offset);
	if (r < 0)
		log_warning("the kernel's resume device was not set: %s", strerror(-r));
}

static void check_other_name(struct preflight_context *context)
{
	const struct swap_area *area = context->target->area;
	struct kernel_cmdline cmdline = { 0 };
	struct swap_area other;

	kernel_cmdline_read(context->root, &cmdline);
	text_make_printable(cmdline.resume);
	if (cmdline.resume[0] &&
	    (swap_area_resolve(cmdline.resume, cmdline.resume_offset, false, &other, NULL) < 0 ||
	     other.dev != area->dev || other.offset != area->offset))
		preflight_advise(
			preflight_add(context, "command-line", CHECK_WARNING,
				      "the kernel command line names another place, which the "
				      "kernel's own hibernation and systemd use from the next boot "
				      "on"),
			"remove this from the boot loader's configuration: resume=%s "
			"resume_offset=%" PRIu64,
			cmdline.resume, cmdline.resume_offset);
}

static void print_checks(const struct swapfile *s, const struct preflight *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct check *check = &list->checks[i];

		if (check->level == CHECK_OK)
			swapfile_line(s, "%s: %s", check->id, check->text);
		else
			log_warning("%s%s%s", check->text, check->advice[0] ? ": " : "",
				    check->advice);
	}
}

/* Runs the pre-flight check of the way back with the current initramfs. False: no boot would find
 * the image. */
static bool look_back(const struct swapfile *s, const struct swapfile_place *place, bool way_back,
		      bool print)
{
	_cleanup_free_ struct preflight *list = calloc(1, sizeof(*list));
	const struct preflight_target target = { .area = &place->area };
	struct settings settings;
	struct preflight_context context = { .system = &preflight_real_system,
					     .settings = &settings,
					     .target = &target,
					     .root = s->root,
					     .preflight = list,
					     .snapshot_fd = -1 };

	settings_defaults(&settings);
	if (!list || settings_load(&settings, s->root, NULL, NULL, NULL) < 0)
		return false;
	if (way_back) {
		check_swap_area(&context); /* finds what the way-back check uses */
		list->count = 0;
		check_way_back(&context);
	}
	check_other_name(&context);
	if (print)
		print_checks(s, list);
	return preflight_worst(list) != CHECK_FAILED;
}

static int carry_out(struct swapfile *s, const struct swapfile_place *place,
		     const struct mark_list *list, const char *command, struct why *w)
{
	int r = apply(s, list, false, w);

	if (r >= 0 && !s->hibernate_only && !swapfile_is_active(&place->area)) {
		swapfile_step(s, "activate", place->path);
		r = s->dry_run ? 0 : swapfile_activate(place->path, w);
	}
	if (r >= 0)
		r = refresh(s, command, w);
	return r == 0 ? swapfile_stopped(w) : r;
}

/* All or nothing: after a failure everything is undone. */
static int enable(struct swapfile *s, const struct swapfile_place *place,
		  const struct mark_list *list, const char *command, struct why *w)
{
	_cleanup_free_ char *former = swapfile_marked_area(s->root);
	bool active = swapfile_is_active(&place->area);
	struct why reason = { "" };
	int changes = apply(s, list, true, w), r = changes < 0 ? changes : 0;

	if (changes == 0 && (s->hibernate_only || active) && look_back(s, place, true, false)) {
		swapfile_line(s, "%s is enabled already; there is nothing to do", place->path);
		return 0;
	}
	if (changes > 0 && former) {
		swapfile_line(s, "%s is enabled already, and is disabled first", former);
		r = deactivate(s, w);
	}
	if (r < 0)
		return r;
	r = carry_out(s, place, list, command, w);
	if (r == 0 || changes == 0)
		return r;
	if ((active ? apply(s, &(struct mark_list){ 0 }, false, &reason) : undo(s, &reason)) < 0 ||
	    refresh(s, command, &reason) < 0)
		log_warning("%s", reason.text);
	return r;
}

int swapfile_enable_place(struct swapfile *s, const struct swapfile_place *place, struct why *w)
{
	struct mark_list list = { 0 };
	const char *command;
	int r = wanted_list(s, place, &command, &list, w);

	if (r == 0)
		r = enable(s, place, &list, command, w);
	marks_list_free(&list);
	if (r < 0)
		return r;
	if (wanted_by_agent(s->root))
		log_warning(
			"EC2's agent (ec2-hibinit-agent) answers the sleep key, by which EC2 asks "
			"to "
			"hibernate, and uses the kernel's own hibernation; remove it, and enable "
			"again");
	if (!place->area.device[0]) {
		swapfile_line(s, "DEVICE and OFFSET are known once the file exists");
		return 0;
	}
	/* A dry run makes no initramfs. */
	if (!look_back(s, place, !s->dry_run, true))
		return 0;
	set_kernel_place(s, place);
	if (!s->dry_run)
		swapfile_line(s, "Done. This system can hibernate now, without a reboot; "
				 "'s2disk-swapfile check' verifies it.");
	return 0;
}

int swapfile_do_enable(struct swapfile *s, struct why *w)
{
	struct swapfile_place place = { 0 };
	int r = swapfile_find(s, false, &place, w);

	if (r == 0 && s->hibernate_only && !place.area.file)
		r = why(w, -EINVAL, "--hibernate-only is for swap files, and %s is a device",
			s->path);
	return r == 0 ? swapfile_enable_place(s, &place, w) : r;
}

int swapfile_is_set_up(struct swapfile *s, const struct swapfile_place *place, struct why *w)
{
	struct mark_list list = { 0 };
	const char *command;
	int r = wanted_list(s, place, &command, &list, w);

	if (r == 0)
		r = apply(s, &list, true, w);
	marks_list_free(&list);
	return r < 0 ? r : r == 0;
}

int swapfile_do_disable(struct swapfile *s, struct why *w)
{
	char known[64];
	int r = undo(s, w);

	if (r == 0) {
		swapfile_line(s, "no swap area is enabled; there is nothing to do");
		return 0;
	}
	if (r > 0)
		r = refresh(s, initramfs_command(s->root), w);
	if (r == 0 && !s->dry_run &&
	    io_read_text(s->root, "/sys/power/resume", known, sizeof(known)) > 0 &&
	    !text_starts(known, "0:0"))
		log_notice("the kernel's resume device stays %s until the next boot",
			   text_trim(known));
	return r;
}
