/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of the system as steps: each can be told, done and undone. A plan is
 * made without changing anything; doing it writes every step into the state
 * file before the step is done, so that also what was cut off can be undone.
 */
#ifndef S2DISK_SWAPFILE_STEPS_H
#define S2DISK_SWAPFILE_STEPS_H

#include "base/why.h"
#include "swapfile_system.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum step_kind {
	STEP_FILE,	/* a file's text changes */
	STEP_FOLDER,	/* a folder is made; undone only while it is empty */
	STEP_RUN,	/* a program runs, or runs when this is undone, or both */
	STEP_SWAP,	/* the swap file is switched on */
	STEP_MADE,	/* the swap file is made (by the plan's maker) */
	STEP_SUBVOLUME, /* a btrfs subvolume is made */
	STEP_KERNELS,	/* kernel-install runs for each kernel that is there then */
	STEP_ENTRIES,	/* undoing only: boot loader entries made since lose the arguments */
};

/* All text belongs to the step; NULL where it does not apply. */
struct step {
	enum step_kind kind;
	/* Below the root, but for SWAP, MADE and SUBVOLUME. RUN: undone only while
	 * this is there; NULL: always. None for KERNELS and ENTRIES. */
	char *path;
	char *old_text; /* FILE: NULL when it was not there. ENTRIES: arguments of before, or NULL
			 */
	char *new_text; /* FILE: never NULL */
	char *command;	/* RUN: when done; arguments separated by newlines. KERNELS: the program */
	char *undo;	/* the same when undone. ENTRIES: the kernel arguments */
};

/* What one command does, under the file's path. */
struct plan {
	char *name;   /* "create" or "enable" */
	char *path;   /* the swap file */
	char *device; /* resume device for the boot; NULL for create */
	char *offset; /* in pages, decimal */
	bool hibernate_only;
	bool unfinished; /* was begun, doing it or undoing it, and not ended */
	struct step *steps;
	size_t count;
	/* Makes the file of a STEP_MADE; not stored. */
	int (*make)(void *context, const char *path, struct why *w);
	void *context;
};

/* All these copy their text; -ENOMEM. */
int plan_open(struct plan *plan, const char *name, const char *path);
void plan_close(struct plan *plan);

/* Frees a step's text; it must be out of the plan's count then. */
void plan_drop(struct step *step);

/* Adds nothing when the file's text is new_text already. new_text is taken
 * over (freed also on failure; NULL is -ENOMEM). Also adds the folders that
 * are missing. */
int plan_file(struct plan *plan, const struct swapfile_system *system, const char *path,
	      char *new_text, struct why *w);
/* plan_run(): either may be NULL. plan_undo_while(): undone only while path is
 * there. plan_kernels(): program of each, or NULL. plan_entries(): before may be
 * NULL. */
int plan_run(struct plan *plan, const char *command, const char *undo);
int plan_undo_while(struct plan *plan, const char *path, const char *undo);
int plan_kernels(struct plan *plan, const char *command, const char *undo);
int plan_entries(struct plan *plan, const char *arguments, const char *before);
int plan_add(struct plan *plan, enum step_kind kind, const char *path);

/* Does it only run something, which may be nothing when it is done? */
bool step_runs(const struct step *step);

/* Whether a step before that index changes a file. */
bool plan_changes_files(const struct plan *plan, size_t before);

/* Told about every step before it is done (or undone). */
struct step_teller {
	void (*tell)(void *context, const struct step *step, bool undo);
	/* A step could not be taken back as it should; the rest goes on. */
	void (*warn)(void *context, const char *message);
	void *context;
};

/* Does one step. */
int step_do(const struct swapfile_system *system, const struct plan *plan, const struct step *step,
	    struct why *w);

/* Undoes one step, also one that was not or only half done. *ret_changed (may
 * be NULL): whether it changed anything. */
int step_undo(const struct swapfile_system *system, const struct step *step,
	      const struct step_teller *teller, bool *ret_changed, struct why *w);

#endif
