/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this program has changed: the plans that were carried out, kept in
 * /var/lib/s2disk/swapfile.state so that they can be undone exactly.
 */
#ifndef S2DISK_SWAPFILE_STATE_H
#define S2DISK_SWAPFILE_STATE_H

#include "swapfile_report.h"
#include "swapfile_steps.h"

#define SWAPFILE_STATE "/var/lib/s2disk/swapfile.state"

struct state {
	struct plan *plans;
	size_t count;
};

/* Pure: lines of fields. encode: free; NULL for no memory. decode: -EBADMSG
 * with the line in w. */
char *state_encode(const struct state *state);
int state_decode(const char *text, struct state *ret, struct why *w);

/* Keeps other runs from changing the system until the descriptor is closed (-1
 * where there is no /run for the lock); -EAGAIN where one is at work. */
int state_lock(const struct swapfile_system *system, int *ret_fd, struct why *w);

/* None is an empty state. */
int state_load(const struct swapfile_system *system, struct state *ret, struct why *w);
void state_free(struct state *state);

/* The newest plan of that name, and where path is not NULL, of that swap area;
 * NULL. */
struct plan *state_find(const struct state *state, const char *name, const char *path);

/* Makes the plan the state's last; it is empty then. NULL: no memory. */
struct plan *state_add(struct state *state, struct plan *plan);

/* Carries a plan out (in a dry run: tells it), step by step, each written down first. When one
 * fails, those done are undone again, and the state is as it was. The plan becomes the state's (and
 * is empty then), or stays the caller's when there is no memory. */
int state_do(const struct swapfile_system *system, struct state *state, struct plan *plan,
	     struct report *report, struct why *w);

/* Undoes a plan of the state and forgets it; in a dry run tells that. When the swap area cannot be
 * switched off, nothing was changed. Other steps that fail do not keep the rest
 * from being undone; they stay written down, to be tried again. */
int state_undo(const struct swapfile_system *system, struct state *state, struct plan *plan,
	       struct report *report, struct why *w);

#endif
