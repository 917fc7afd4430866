/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_steps.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "swapfile_kernel.h"
#include "swapfile_run.h"
#include "swapfile_subvolume.h"
#include "swapfile_text.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0644
#define FOLDER_MODE 0755

void plan_drop(struct step *step)
{
	for (size_t i = 0; i < TEXTS; i++)
		free(step->text[i]);
	*step = (struct step){ 0 };
}

int plan_open(struct plan *plan, const char *name, const char *path)
{
	*plan = (struct plan){ .name = strdup(name), .path = strdup(path) };
	return plan->name && plan->path ? 0 : -ENOMEM;
}

void plan_close(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		plan_drop(&plan->steps[i]);
	free(plan->steps);
	free(plan->name);
	free(plan->path);
	*plan = (struct plan){ 0 };
}

/* Takes the step's text over, also when it fails, as for what could not be copied. */
static int append(struct plan *plan, struct step step, bool copied)
{
	struct step *more =
		copied ? reallocarray(plan->steps, plan->count + 1, sizeof(*more)) : NULL;

	if (!more) {
		plan_drop(&step);
		return -ENOMEM;
	}
	plan->steps = more;
	plan->steps[plan->count++] = step;
	return 0;
}

int plan_add(struct plan *plan, enum step_kind kind, const char *path)
{
	struct step step = { .kind = kind, .text[TEXT_PATH] = strdup(path) };

	return append(plan, step, step.text[TEXT_PATH]);
}

int plan_run(struct plan *plan, const char *command, const char *undo)
{
	struct step step = { .kind = STEP_RUN };

	if (command)
		step.text[TEXT_DO] = strdup(command);
	if (undo)
		step.text[TEXT_UNDO] = strdup(undo);
	return append(plan, step,
		      (!command || step.text[TEXT_DO]) && (!undo || step.text[TEXT_UNDO]));
}

static bool has_folder_step(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind == STEP_FOLDER &&
		    strcmp(plan->steps[i].text[TEXT_PATH], path) == 0)
			return true;
	return false;
}

/* The folders above path that are missing, the outermost first. */
static int add_folders(struct plan *plan, const struct swapfile_system *system, const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	char *folder;
	int r;

	if (!copy)
		return -ENOMEM;
	folder = dirname(copy);
	if (strcmp(folder, "/") == 0 || system_has(system, folder) || has_folder_step(plan, folder))
		return 0;
	r = add_folders(plan, system, folder);
	return r < 0 ? r : plan_add(plan, STEP_FOLDER, folder);
}

int plan_file(struct plan *plan, const struct swapfile_system *system, const char *path,
	      char *new_text, struct why *w)
{
	struct step step = { .kind = STEP_FILE, .text[TEXT_NEW] = new_text };
	char *old = NULL;
	int r = new_text ? system_read(system, path, &old) : -ENOMEM;

	step.text[TEXT_OLD] = old;
	if (r < 0)
		why(w, r, "%s: %s", path, r == -EINVAL ? "is not a text file" : strerror(-r));
	if (r < 0 || (old && strcmp(old, new_text) == 0)) {
		plan_drop(&step);
		return r;
	}
	step.text[TEXT_PATH] = strdup(path);
	r = step.text[TEXT_PATH] ? add_folders(plan, system, path) : -ENOMEM;
	return append(plan, step, r == 0);
}

bool plan_changes_files(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind == STEP_FILE)
			return true;
	return false;
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static int do_file(const struct swapfile_system *system, const struct plan *plan,
		   const struct step *step, struct why *w)
{
	const char *path = step->text[TEXT_PATH];
	_cleanup_free_ char *current = NULL;
	int r = system_read(system, path, &current);

	(void)plan;
	if (r == 0 && !same(current, step->text[TEXT_OLD]))
		return why(w, -EAGAIN, "%s was changed by another program just now; try again",
			   path);
	if (r == 0)
		r = system_write(system, path, step->text[TEXT_NEW], FILE_MODE);
	return r < 0 ? why(w, r, "%s cannot be written: %s", path, strerror(-r)) : 0;
}

/* The file without what was done to it: "" where nothing would be left of one that was not
 * there; NULL where that is not to be told any more. */
static char *take_out(char *const *text, const char *current)
{
	const char *path = text[TEXT_PATH], *old = text[TEXT_OLD];
	char *before;

	if (same(current, text[TEXT_NEW]) || (!old && text_starts(current, TEXT_OWN)))
		return strdup(old ? old : "");
	before = text_take_back(old ? old : "", text[TEXT_NEW], current);
	if (!before && (before = text_drop_block(current)))
		log_warning("%s was edited since; all between the marks is taken out", path);
	return before;
}

static int put_back(const struct swapfile_system *system, char *const *text, const char *current)
{
	_cleanup_free_ char *before = take_out(text, current);
	const char *path = text[TEXT_PATH], *old = text[TEXT_OLD];
	struct text_hunk hunk = text_changed(old ? old : "", text[TEXT_NEW]);
	char lines[200], line[200];

	if (before)
		return !old && !before[0] ? system_unlink(system, path)
					  : system_write(system, path, before, FILE_MODE);
	snprintf(lines, sizeof(lines), "%.*s", (int)hunk.new_length, text[TEXT_NEW] + hunk.start);
	text_make_printable(lines);
	swapfile_run_text(lines, line, sizeof(line));
	log_warning("%s was edited since, where this program had changed it, and stays as it is; "
		    "take out what is left of: %s",
		    path, text_trim(line));
	return 0;
}

static int undo_file(const struct swapfile_system *system, const struct step *step, struct why *w)
{
	const char *path = step->text[TEXT_PATH];
	_cleanup_free_ char *current = NULL;
	int r = system_read(system, path, &current);

	system_tidy(system, path);
	/* Else it was deleted since, or never done. */
	if (r == 0 && current && !same(current, step->text[TEXT_OLD]))
		r = put_back(system, step->text, current);
	return r < 0 ? why(w, r, "%s cannot be put back: %s", path, strerror(-r)) : 0;
}

static int do_folder(const struct swapfile_system *system, const struct plan *plan,
		     const struct step *step, struct why *w)
{
	_cleanup_free_ char *full = system_path(system, step->text[TEXT_PATH]);

	(void)plan;
	if (!full)
		return -ENOMEM;
	return mkdir(full, FOLDER_MODE) < 0 && errno != EEXIST
		       ? why(w, -errno, "%s cannot be made: %s", full, strerror(errno))
		       : 0;
}

static int undo_folder(const struct swapfile_system *system, const struct step *step, struct why *w)
{
	_cleanup_free_ char *full = system_path(system, step->text[TEXT_PATH]);

	(void)w;
	if (full)
		rmdir(full); /* one that others use stays */
	return full ? 0 : -ENOMEM;
}

static int do_run(const struct swapfile_system *system, const struct plan *plan,
		  const struct step *step, struct why *w)
{
	(void)plan;
	return step->text[TEXT_DO] ? system->run(system, step->text[TEXT_DO], w) : 0;
}

static int undo_run(const struct swapfile_system *system, const struct step *step, struct why *w)
{
	return step->text[TEXT_UNDO] ? system->run(system, step->text[TEXT_UNDO], w) : 0;
}

static int do_swap(const struct swapfile_system *system, const struct plan *plan,
		   const struct step *step, struct why *w)
{
	int r = system->swap_on(step->text[TEXT_PATH]);

	(void)plan;
	return r < 0 ? why(w, r, "%s cannot be switched on (swapon): %s; dmesg may say more",
			   step->text[TEXT_PATH], strerror(-r))
		     : 0;
}

static int undo_swap(const struct swapfile_system *system, const struct step *step, struct why *w)
{
	const char *path = step->text[TEXT_PATH];
	int r = system->is_active(path) ? system->swap_off(path) : 0;

	return r < 0 ? why(w, r, "%s cannot be switched off (swapoff): %s%s", path, strerror(-r),
			   r == -ENOMEM ? "; what is in it does not fit into memory, end some "
					  "programs"
					: "")
		     : 0;
}

static int do_made(const struct swapfile_system *system, const struct plan *plan,
		   const struct step *step, struct why *w)
{
	(void)system;
	return plan->make(plan->context, step->text[TEXT_PATH], w);
}

static int undo_made(const struct swapfile_system *system, const struct step *step, struct why *w)
{
	const char *path = step->text[TEXT_PATH];

	if (system->is_active(path))
		return why(w, -EBUSY, "%s is in use as swap; swapoff it first", path);
	return unlink(path) < 0 && errno != ENOENT
		       ? why(w, -errno, "%s cannot be deleted: %s", path, strerror(errno))
		       : 0;
}

static int do_subvolume(const struct swapfile_system *system, const struct plan *plan,
			const struct step *step, struct why *w)
{
	(void)system;
	(void)plan;
	return swapfile_subvolume_make(step->text[TEXT_PATH], w);
}

static int undo_subvolume(const struct swapfile_system *system, const struct step *step,
			  struct why *w)
{
	(void)system;
	return swapfile_subvolume_delete(step->text[TEXT_PATH], w);
}

/* Of the version that edited boot loaders. */
static int tell_boot_loader(const struct swapfile_system *system, const struct step *step,
			    struct why *w)
{
	(void)system;
	(void)w;
	if (step->kind == STEP_ENTRIES)
		log_warning("take this out of the boot loader's configuration and entries, where "
			    "former versions of this program put it: %s",
			    step->text[TEXT_UNDO]);
	else if (step->text[TEXT_UNDO])
		log_warning("/etc/kernel/cmdline is put back, but installed kernels keep resume= "
			    "and resume_offset= until they are installed again: run "
			    "kernel-install add-all");
	return 0;
}

const struct step_kind_ops step_kinds[STEP_KINDS] = {
	[STEP_FILE] = { "file", "write", "write", do_file, undo_file },
	[STEP_FOLDER] = { "folder", "make the folder", "delete the folder", do_folder,
			  undo_folder },
	[STEP_RUN] = { "run", "run", "run", do_run, undo_run },
	[STEP_SWAP] = { "swap", "switch on", "switch off", do_swap, undo_swap },
	[STEP_MADE] = { "made", "make", "delete", do_made, undo_made },
	[STEP_SUBVOLUME] = { "subvolume", "make the subvolume", "delete the subvolume",
			     do_subvolume, undo_subvolume },
	[STEP_PLACE] = { "place", "tell the kernel of", NULL, swapfile_kernel_do,
			 swapfile_kernel_undo },
	[STEP_KERNELS] = { "kernels", NULL, NULL, NULL, tell_boot_loader },
	[STEP_ENTRIES] = { "entries", NULL, NULL, NULL, tell_boot_loader },
};
