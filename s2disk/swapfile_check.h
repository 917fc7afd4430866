/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of "s2disk-swapfile check" share; nobody else includes this. */
#ifndef S2DISK_SWAPFILE_CHECK_H
#define S2DISK_SWAPFILE_CHECK_H

#include "preflight_checks.h"
#include "swap/device_stack.h"
#include "swapfile.h"
#include "swapfile_state.h"

struct swapfile_check {
	const struct swapfile *swapfile;
	struct settings settings;
	struct preflight list;
	/* So that preflight_add can be used: only its list is filled in. */
	struct preflight_context context;
	struct swapfile_place place;
	struct device_stack stack;
	char arguments[400]; /* resume= and resume_offset= as they should be */
};

/* Each adds one or two checks. */
void check_boot_cmdline(struct swapfile_check *check);
void check_boot_loader(struct swapfile_check *check);
void check_early_device(struct swapfile_check *check);

/* Do these name the area's place? spec may be any form of resume=. */
bool names_the_place(const struct swapfile_check *check, const char *spec, uint64_t offset);

#endif
