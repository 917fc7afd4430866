/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Made-up systems with boot loaders, and a swap file that is enabled on them. */
#ifndef TESTS_MADE_ENABLE_H
#define TESTS_MADE_ENABLE_H

#include "swapfile_enable.h"
#include "swapfile_state.h"

#define ARGS "resume=UUID=1-2 resume_offset=34816"
#define BEGIN "# s2disk-swapfile begin (\"s2disk-swapfile disable\" takes this out)\n"
#define END "# s2disk-swapfile end\n"

extern const struct enable wanted; /* /swapfile, with ARGS */
extern char warnings[2048];
extern const struct step_teller teller; /* puts warnings there */

/* With an fstab and no boot loader; take it away with made_root_remove(). */
void make_system(void);

/* Each adds a boot loader. */
void make_grub_folder(void);
void make_grub_file(void);
void make_grubby(void);
void make_entries(void);
void make_kernel_install(void);

int enable(struct state *state, const struct enable *how, enum boot_loader *ret, struct why *w);
/* The state as another run would find it. */
void reload(struct state *state);
/* Asserts that all of it can be undone. */
void disable(struct state *state);

#endif
