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

enum step_kind {
	STEP_FILE,	/* a file's text changes */
	STEP_FOLDER,	/* a folder is made; undone only while it is empty */
	STEP_RUN,	/* a program runs, or runs when this is undone, or both */
	STEP_SWAP,	/* the area is switched on */
	STEP_MADE,	/* the swap file is made (by the plan's maker) */
	STEP_SUBVOLUME, /* a btrfs subvolume is made */
	STEP_PLACE,	/* the kernel is told of the area; see swapfile_kernel.h */
	/* Only in states of the version that edited boot loaders; not undone, but told: */
	STEP_KERNELS, /* kernel-install ran for each kernel */
	STEP_ENTRIES, /* boot loader entries made since have arguments */
	STEP_KINDS,
};

/* The texts of a step, in the order of the state file; NULL where it has none. */
enum step_text {
	/* Below the root, but for SWAP and PLACE (which may be a tag, too), MADE and SUBVOLUME.
	 * RUN: it is undone only while this is there. */
	TEXT_PATH,
	TEXT_OLD,  /* FILE: NULL when it was not there */
	TEXT_NEW,  /* FILE: never NULL */
	TEXT_DO,   /* RUN: arguments separated by newlines */
	TEXT_UNDO, /* the same when undone. ENTRIES: the kernel arguments */
	TEXTS,
};

struct step {
	enum step_kind kind;
	char *text[TEXTS];
};

/* What one command does. */
struct plan {
	char *name;	 /* "create" or "enable" */
	char *path;	 /* the swap file, or the device's lasting name */
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

int plan_add(struct plan *plan, enum step_kind kind, const char *path);
/* Either command may be NULL. */
int plan_run(struct plan *plan, const char *command, const char *undo);
/* Adds nothing when the file's text is new_text already. new_text is taken
 * over (freed also on failure; NULL is -ENOMEM). Also adds the folders that
 * are missing. */
int plan_file(struct plan *plan, const struct swapfile_system *system, const char *path,
	      char *new_text, struct why *w);

bool plan_changes_files(const struct plan *plan);

/* What a kind of step is called in the state file, and what it does in words (with
 * "would" they must still be right; NULL: nothing that is to be told). act() does a step;
 * undo() undoes one, also one that was not or only half done, and logs what cannot be taken
 * back as it should be. */
struct step_kind_ops {
	const char *name, *verb, *undo_verb;
	int (*act)(const struct swapfile_system *system, const struct plan *plan,
		   const struct step *step, struct why *w);
	int (*undo)(const struct swapfile_system *system, const struct step *step, struct why *w);
};

extern const struct step_kind_ops step_kinds[STEP_KINDS];

#endif
