/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the commands share; nobody else includes this. */
#ifndef S2DISK_SWAPFILE_COMMANDS_H
#define S2DISK_SWAPFILE_COMMANDS_H

#include "swapfile.h"
#include "swapfile_site.h"
#include "swapfile_state.h"

/* The outcome that a negative errno stands for, which becomes the reason where
 * none was given. refused: a full disk or a file that cannot be is something else
 * than a broken one. */
enum outcome command_failed(int r, struct why *w);
enum outcome command_refused(int r, struct why *w);

/* -EPERM without root where something is to be changed. */
int command_need_root(const struct swapfile *s, struct why *w);

/* What is enabled, by the state, or where that is lost by the marks in the files (then it
 * becomes the state's); NULL for nothing. */
int command_find_enabled(const struct swapfile *s, struct state *state, struct plan **ret,
			 struct why *w);

/* Tells what enabling a file would do that is yet to be made at that place. */
enum outcome command_foretell_enable(struct swapfile *s, const struct site *site, struct why *w);

#endif
