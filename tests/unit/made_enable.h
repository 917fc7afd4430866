/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A made-up system, and a swap file that is enabled on it. */
#ifndef TESTS_MADE_ENABLE_H
#define TESTS_MADE_ENABLE_H

#include "swapfile_enable.h"
#include "swapfile_state.h"

#define BEGIN "# s2disk-swapfile begin (\"s2disk-swapfile disable\" takes this out)\n"
#define END "# s2disk-swapfile end\n"
#define OWN "# Written by s2disk-swapfile; \"s2disk-swapfile disable\" takes it away.\n"

extern const struct enable wanted; /* /swapfile */
extern char warnings[4096];	   /* that were logged */

/* With an fstab and update-initramfs; take it away with made_root_remove(). */
void make_system(void);

int enable(struct state *state, const struct enable *how, struct why *w);
/* The state as another run would find it. */
void reload(struct state *state);
/* Asserts that all of it can be undone. */
void disable(struct state *state);

#endif
