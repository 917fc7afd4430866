/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_steps.h"

#include "base/cleanup.h"
#include "swapfile_kernels.h"
#include "swapfile_subvolume.h"
#include "swapfile_text.h"

#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MODE 0644
#define FOLDER_MODE 0755

void plan_drop(struct step *step)
{
	free(step->path);
	free(step->old_text);
	free(step->new_text);
	free(step->command);
	free(step->undo);
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
	free(plan->device);
	free(plan->offset);
	*plan = (struct plan){ 0 };
}

/* Takes the step's text over, also when it fails. */
static int append(struct plan *plan, struct step step)
{
	struct step *more = reallocarray(plan->steps, plan->count + 1, sizeof(*more));

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
	struct step step = { .kind = kind, .path = strdup(path) };

	return step.path ? append(plan, step) : -ENOMEM;
}

/* text may be NULL. */
static char *copy_of(const char *text, bool *failed)
{
	char *copy = text ? strdup(text) : NULL;

	*failed |= text && !copy;
	return copy;
}

/* failed: a text of it could not be copied. */
static int append_unless(struct plan *plan, struct step step, bool failed)
{
	if (!failed)
		return append(plan, step);
	plan_drop(&step);
	return -ENOMEM;
}

int plan_run(struct plan *plan, const char *command, const char *undo)
{
	bool failed = false;
	struct step step = {
		.kind = STEP_RUN,
		.command = copy_of(command, &failed),
		.undo = copy_of(undo, &failed),
	};

	return append_unless(plan, step, failed);
}

int plan_undo_while(struct plan *plan, const char *path, const char *undo)
{
	bool failed = false;
	struct step step = {
		.kind = STEP_RUN,
		.path = copy_of(path, &failed),
		.undo = copy_of(undo, &failed),
	};

	return append_unless(plan, step, failed);
}

int plan_kernels(struct plan *plan, const char *command, const char *undo)
{
	bool failed = false;
	struct step step = {
		.kind = STEP_KERNELS,
		.command = copy_of(command, &failed),
		.undo = copy_of(undo, &failed),
	};

	return append_unless(plan, step, failed);
}

int plan_entries(struct plan *plan, const char *arguments, const char *before)
{
	bool failed = false;
	struct step step = {
		.kind = STEP_ENTRIES,
		.old_text = copy_of(before, &failed),
		.undo = copy_of(arguments, &failed),
	};

	return append_unless(plan, step, failed);
}

bool step_runs(const struct step *step)
{
	return step->kind == STEP_RUN || step->kind == STEP_KERNELS || step->kind == STEP_ENTRIES;
}

static bool has_folder_step(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind == STEP_FOLDER && strcmp(plan->steps[i].path, path) == 0)
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
	struct step step = { .kind = STEP_FILE, .new_text = new_text };
	int r = new_text ? system_read(system, path, &step.old_text) : -ENOMEM;

	if (r < 0)
		why(w, r, "%s: %s", path, r == -EINVAL ? "is not a text file" : strerror(-r));
	if (r < 0 || (step.old_text && strcmp(step.old_text, new_text) == 0)) {
		plan_drop(&step);
		return r;
	}
	step.path = strdup(path);
	r = step.path ? add_folders(plan, system, path) : -ENOMEM;
	if (r < 0) {
		plan_drop(&step);
		return r;
	}
	return append(plan, step);
}

bool plan_changes_files(const struct plan *plan, size_t before)
{
	for (size_t i = 0; i < before && i < plan->count; i++)
		if (plan->steps[i].kind == STEP_FILE)
			return true;
	return false;
}

static int do_file(const struct swapfile_system *system, const struct step *step, struct why *w)
{
	_cleanup_free_ char *current = NULL;
	int r = system_read(system, step->path, &current);

	if (r == 0 &&
	    (!current != !step->old_text || (current && strcmp(current, step->old_text) != 0)))
		return why(w, -EAGAIN, "%s was changed by somebody else just now; try again",
			   step->path);
	if (r == 0)
		r = system_write(system, step->path, step->new_text, FILE_MODE);
	return r < 0 ? why(w, r, "%s cannot be written: %s", step->path, strerror(-r)) : 0;
}

static int do_folder(const struct swapfile_system *system, const struct step *step, struct why *w)
{
	_cleanup_free_ char *full = system_path(system, step->path);

	if (!full)
		return -ENOMEM;
	if (mkdir(full, FOLDER_MODE) < 0 && errno != EEXIST)
		return why(w, -errno, "%s cannot be made: %s", step->path, strerror(errno));
	return 0;
}

static int do_swap(const struct swapfile_system *system, const struct step *step, struct why *w)
{
	int r = system->swap_on(step->path, -1);

	return r < 0 ? why(w, r, "%s cannot be switched on (swapon): %s; dmesg may say more",
			   step->path, strerror(-r))
		     : 0;
}

int step_do(const struct swapfile_system *system, const struct plan *plan, const struct step *step,
	    struct why *w)
{
	switch (step->kind) {
	case STEP_FILE:
		return do_file(system, step, w);
	case STEP_FOLDER:
		return do_folder(system, step, w);
	case STEP_RUN:
		return step->command ? system->run(system, step->command, NULL, w) : 0;
	case STEP_SWAP:
		return do_swap(system, step, w);
	case STEP_MADE:
		return plan->make(plan->context, step->path, w);
	case STEP_SUBVOLUME:
		return swapfile_subvolume_make(step->path, w);
	case STEP_KERNELS:
		return step->command ? kernels_install(system, step->command, w) : 0;
	case STEP_ENTRIES:
		return 0;
	}
	return -EINVAL;
}

static void warn(const struct step_teller *teller, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void warn(const struct step_teller *teller, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list args;
	int r;

	if (!teller || !teller->warn)
		return;
	va_start(args, format);
	r = vasprintf(&message, format, args);
	va_end(args);
	if (r < 0)
		message = NULL;
	else
		teller->warn(teller->context, message);
}

/* A file that we made and somebody changed is kept under another name, where
 * nobody reads it as what it was. */
static int set_aside(const struct swapfile_system *system, const struct step *step,
		     const struct step_teller *teller)
{
	_cleanup_free_ char *full = system_path(system, step->path), *saved = NULL;

	if (!full || asprintf(&saved, "%s.save", full) < 0)
		return -ENOMEM;
	warn(teller, "%s was edited since it was made; it is kept as %s.save", step->path,
	     step->path);
	return rename(full, saved) < 0 ? -errno : 0;
}

static int put_back(const struct swapfile_system *system, const struct step *step,
		    const char *current, const struct step_teller *teller)
{
	_cleanup_free_ char *before = NULL;
	int r;

	if (!step->old_text)
		return strcmp(current, step->new_text) == 0 ? system_unlink(system, step->path)
							    : set_aside(system, step, teller);
	r = text_take_back(step->old_text, step->new_text, current, &before);
	if (r == -ENOENT && (before = text_drop_block(current))) {
		warn(teller, "%s was edited since; all between the marks is taken out", step->path);
		r = 0;
	}
	if (r == -ENOENT) {
		warn(teller,
		     "%s was edited since, where this program had changed it; look at "
		     "it, and take out what is left of resume=, resume_offset= and the swap file",
		     step->path);
		return 0;
	}
	return r < 0 ? r : system_write(system, step->path, before, FILE_MODE);
}

static int undo_file(const struct swapfile_system *system, const struct step *step,
		     const struct step_teller *teller, bool *ret_changed, struct why *w)
{
	_cleanup_free_ char *current = NULL;
	int r = system_read(system, step->path, &current);

	system_tidy(system, step->path);
	/* Deleted since, or never done. */
	if (r == 0 && (!current || (step->old_text && strcmp(current, step->old_text) == 0)))
		return 0;
	if (r == 0)
		r = put_back(system, step, current, teller);
	if (r < 0)
		return why(w, r, "%s cannot be put back: %s", step->path, strerror(-r));
	*ret_changed = true;
	return 0;
}

static int undo_folder(const struct swapfile_system *system, const struct step *step)
{
	_cleanup_free_ char *full = system_path(system, step->path);

	if (!full)
		return -ENOMEM;
	rmdir(full); /* one that others use stays */
	return 0;
}

static int undo_swap(const struct swapfile_system *system, const struct step *step,
		     bool *ret_changed, struct why *w)
{
	int r;

	if (!system->is_active(step->path))
		return 0;
	r = system->swap_off(step->path);
	if (r < 0)
		return why(w, r, "%s cannot be switched off (swapoff): %s%s", step->path,
			   strerror(-r),
			   r == -ENOMEM ? "; what is in it does not fit into memory, end some "
					  "programs"
					: "");
	*ret_changed = true;
	return 0;
}

static int undo_made(const struct swapfile_system *system, const struct step *step,
		     bool *ret_changed, struct why *w)
{
	if (system->is_active(step->path))
		return why(w, -EBUSY, "%s is in use as swap; swapoff it first", step->path);
	if (unlink(step->path) < 0)
		return errno == ENOENT ? 0
				       : why(w, -errno, "%s cannot be deleted: %s", step->path,
					     strerror(errno));
	*ret_changed = true;
	return 0;
}

int step_undo(const struct swapfile_system *system, const struct step *step,
	      const struct step_teller *teller, bool *ret_changed, struct why *w)
{
	bool changed = false;
	int r = 0;

	switch (step->kind) {
	case STEP_FILE:
		r = undo_file(system, step, teller, &changed, w);
		break;
	case STEP_FOLDER:
		r = undo_folder(system, step);
		break;
	case STEP_RUN:
		r = step->undo ? system->run(system, step->undo, NULL, w) : 0;
		/* Then what belongs to it is to be taken back, too. */
		changed = step->command && step->undo;
		break;
	case STEP_SWAP:
		r = undo_swap(system, step, &changed, w);
		break;
	case STEP_MADE:
		r = undo_made(system, step, &changed, w);
		break;
	case STEP_SUBVOLUME:
		r = swapfile_subvolume_delete(step->path, w);
		break;
	case STEP_KERNELS:
		r = step->undo ? kernels_install(system, step->undo, w) : 0;
		break;
	case STEP_ENTRIES:
		r = kernels_undo_entries(system, step->undo, step->old_text, w);
		break;
	}
	if (ret_changed)
		*ret_changed = changed;
	return r;
}
