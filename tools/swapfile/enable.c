/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enable, disable: marks in the system's files, and what is generated from them. */
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/text.h"
#include "base/tree.h"
#include "boot/initramfs.h"
#include "kernel/kernel_cmdline.h"
#include "kernel/kernel_resume.h"
#include "preflight/preflight.h"
#include "swapfile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A version that changed boot loaders' files recorded it there. */
#define FORMER_STATE "/var/lib/s2disk/swapfile.state"

static void print_lines(struct swapfile *s, char sign, const char *text)
{
	for (; text && *text; text += strcspn(text, "\n"), text += *text == '\n')
		swapfile_line(s, "    %c %.*s", sign, (int)strcspn(text, "\n"), text);
}

/* After a file that fails, none is marked, but marks are still taken out of the others. */
static int apply(struct swapfile *s, const struct edit edits[EDITS], struct why *w)
{
	int result = 0;

	for (size_t i = 0; i < EDITS; i++) {
		const struct edit *edit = &edits[i];
		int r;

		if (result < 0 && edit->mark)
			continue;
		if (edit_differs(edit)) {
			swapfile_step(s, edit->want ? "write" : "delete", edit->path);
			print_lines(s, '-', edit->body);
			print_lines(s, '+', edit->mark);
		}
		r = s->dry_run ? 0 : edit_write(s->root, edit, result == 0 ? w : NULL);
		result = result < 0 ? result : r;
	}
	return result;
}

/* area NULL: none. */
static int deactivate(struct swapfile *s, const char *area, struct why *w)
{
	if (!area)
		return 0;
	swapfile_step(s, "deactivate", area);
	return s->dry_run ? 0 : swapfile_deactivate(area, w);
}

static int run_step(struct swapfile *s, const char *command, struct why *w)
{
	swapfile_step(s, "run", command);
	return s->dry_run ? 0 : swapfile_run(s->root, command, NULL, w);
}

/* Regenerates what is built from the files. command NULL: this program cannot rebuild the
 * initramfs. */
static int refresh(struct swapfile *s, const struct edit edits[EDITS], const char *command,
		   struct why *w)
{
	/* Restarting logind could end sessions. */
	static const char read_again[] = "systemctl kill -s HUP systemd-logind.service";
	struct why reason = { "" };
	bool systemd = tree_exists(s->root, "/run/systemd/system");
	int r = systemd ? run_step(s, "systemctl daemon-reload", w) : 0;

	if (r == 0 && systemd && edit_differs(&edits[EDIT_SLEEP_KEY]) &&
	    run_step(s, read_again, &reason) < 0)
		log_warning("%s; logind reads what it does at the sleep key at its next start",
			    reason.text);
	return r == 0 && command ? run_step(s, command, w) : r;
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

/* The kernel's own hibernation and systemd's do not read this program's configuration. */
static void warn_of_other_name(const struct swapfile *s, const struct swap_area *area)
{
	struct kernel_cmdline cmdline = { 0 };
	struct swap_area other;

	kernel_cmdline_read(s->root, &cmdline);
	text_make_printable(cmdline.resume);
	if (cmdline.resume[0] &&
	    (swap_area_resolve(cmdline.resume, cmdline.resume_offset, false, &other, NULL) < 0 ||
	     other.dev != area->dev || other.offset != area->offset))
		log_warning("the kernel command line names another place, which the kernel's own "
			    "hibernation and systemd use from the next boot on; remove this from "
			    "the boot loader's configuration: resume=%s resume_offset=%" PRIu64,
			    cmdline.resume, cmdline.resume_offset);
}

/* Runs the pre-flight check of the way back with the current initramfs, and prints it, or is as
 * strict as it can be. CHECK_FAILED: no boot would find the image. */
static enum check_level look_back(const struct swapfile *s, const struct swapfile_place *place,
				  bool print)
{
	_cleanup_free_ struct preflight *list = calloc(1, sizeof(*list));
	const struct preflight_target target = { .area = &place->area };
	enum check_level worst = CHECK_OK;
	struct why reason = { "" };
	struct settings settings;

	settings_defaults(&settings);
	if (!list || settings_load(&settings, s->root, NULL, NULL, &reason) < 0) {
		if (print)
			log_warning("%s", why_text(&reason, -ENOMEM));
		return CHECK_FAILED;
	}
	if (!print)
		settings.way_back = WAY_BACK_REQUIRE;
	preflight_run(&settings, &target, s->root, list);
	for (size_t i = 0; i < list->count; i++) {
		const struct check *check = &list->checks[i];

		if (strcmp(check->id, "way-back") != 0)
			continue;
		worst = check->level > worst ? check->level : worst;
		if (print && check->level == CHECK_OK)
			swapfile_line(s, "%s: %s", check->id, check->text);
		else if (print)
			log_warning("%s%s%s", check->text, check->advice[0] ? ": " : "",
				    check->advice);
	}
	return worst;
}

/* What was done before a step that fails stays: enabling again goes on, disabling undoes it. */
static int carry_out(struct swapfile *s, const struct swapfile_place *place,
		     const struct edit edits[EDITS], const char *command, struct why *w)
{
	int r = apply(s, edits, w);

	if (r == 0 && !s->hibernate_only && !swapfile_is_active(&place->area)) {
		swapfile_step(s, "activate", place->path);
		r = s->dry_run ? 0 : swapfile_activate(place->path, w);
	}
	if (r == 0)
		r = refresh(s, edits, command, w);
	if (r < 0)
		log_warning(
			"what was done before stays: enable again when the cause is removed, or "
			"run s2disk-swapfile disable");
	return r;
}

static int enable(struct swapfile *s, const struct swapfile_place *place,
		  const struct edit edits[EDITS], const char *command, struct why *w)
{
	_cleanup_free_ char *former =
		edit_differs(&edits[EDIT_FSTAB]) ? edits_activated(edits) : NULL;
	int r;

	/* A warning may mean that regenerating failed: of several initramfs some are good. */
	if (!edits_differ(edits) && (s->hibernate_only || swapfile_is_active(&place->area)) &&
	    look_back(s, place, false) == CHECK_OK) {
		swapfile_line(s, "%s is enabled already; there is nothing to do", place->path);
		return 0;
	}
	if (former)
		swapfile_line(s, "%s is enabled already, and is disabled first", former);
	r = deactivate(s, former, w);
	return r == 0 ? carry_out(s, place, edits, command, w) : r;
}

int swapfile_enable_place(struct swapfile *s, const struct swapfile_place *place, struct why *w)
{
	const char *command = swapfile_initramfs(s, place, w);
	struct edit edits[EDITS];
	int r;

	if (!command)
		return -EINVAL;
	r = edits_read(s->root, edits, w);
	if (r == 0)
		r = edits_want(s, place, edits, w);
	if (r == 0)
		r = enable(s, place, edits, command, w);
	edits_free(edits);
	if (r < 0)
		return r;
	warn_of_other_name(s, &place->area);
	/* A dry run makes no initramfs. */
	if (!s->dry_run && look_back(s, place, true) == CHECK_FAILED)
		return 1;
	set_kernel_place(s, place);
	if (!s->dry_run)
		swapfile_line(s, "Done. This system can hibernate now, without a reboot; "
				 "'s2disk-swapfile check' verifies it.");
	return 0;
}

int swapfile_do_enable(struct swapfile *s, struct why *w)
{
	struct swapfile_place place = { 0 };
	int r = swapfile_find(s, &place, w);

	if (r == 0 && s->hibernate_only && !place.area.file)
		r = why(w, -EINVAL, "--hibernate-only is for swap files, and %s is a device",
			s->path);
	return r == 0 ? swapfile_enable_place(s, &place, w) : r;
}

/* If the area cannot be deactivated, nothing is changed. */
static int disable(struct swapfile *s, struct edit edits[EDITS], struct why *w)
{
	_cleanup_free_ char *activated = edits_activated(edits);
	const char *command = initramfs_command(s->root);
	int r = deactivate(s, activated, w);

	if (r == 0)
		r = apply(s, edits, w);
	if (r < 0)
		return r;
	r = refresh(s, edits, command, w);
	/* No mark is left that says so at the next run. */
	if (r < 0 && command)
		log_warning("the initramfs still leads to the area; when the cause is removed, "
			    "run: %s",
			    command);
	return r;
}

int swapfile_do_disable(struct swapfile *s, struct why *w)
{
	struct edit edits[EDITS];
	int unread = edits_read(s->root, edits, w), r = 0;
	char known[64];

	if (edits_differ(edits))
		r = disable(s, edits, w);
	else if (unread == 0)
		swapfile_line(s, "no swap area is enabled; there is nothing to do");
	if (r == 0 && tree_exists(s->root, FORMER_STATE))
		log_warning(
			"an earlier version set this up: remove what it marked in "
			"/etc/default/grub "
			"and /etc/default/u-boot, /etc/default/grub.d/95-s2disk-swapfile.cfg, and, "
			"where /etc/kernel/cmdline or boot loader entries name this place, resume= "
			"and resume_offset=; then regenerate the boot loader's configuration, and "
			"delete " FORMER_STATE);
	if (r == 0 && edits_differ(edits) && !s->dry_run &&
	    io_read_text(s->root, "/sys/power/resume", known, sizeof(known)) > 0 &&
	    !text_starts(known, "0:0"))
		log_notice("the kernel's resume device stays %s until the next boot",
			   text_trim(known));
	edits_free(edits);
	return r == 0 ? unread : r;
}
