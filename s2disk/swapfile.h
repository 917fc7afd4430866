/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of s2disk-swapfile(8). */
#ifndef S2DISK_SWAPFILE_H
#define S2DISK_SWAPFILE_H

#include "base/why.h"
#include "swap/swap_area.h"
#include "swapfile_report.h"
#include "swapfile_system.h"

#include <stdbool.h>
#include <stdint.h>

struct swapfile {
	struct swapfile_system system;
	struct report report;
	const char *path;  /* as the user named it, UUID=..., too; NULL */
	uint64_t size;	   /* 0: auto */
	bool no_subvolume; /* create: on btrfs, too */
	bool enable;	   /* create: and enable */
	bool hibernate_only;
	bool dry_run;
	bool uswsusp; /* offset: as uswsusp's program of that name says it */
};

/* Why a command ended; the exit code is made of it. */
enum outcome {
	OUTCOME_DONE,
	OUTCOME_FAILED,
	OUTCOME_REFUSED, /* it cannot work here; nothing was changed */
};

/* Each tells what it does, logs nothing, and leaves the reason in w when it is
 * not done. */
enum outcome swapfile_do_create(struct swapfile *s, struct why *w);
enum outcome swapfile_do_offset(struct swapfile *s, struct why *w);
enum outcome swapfile_do_check(struct swapfile *s, struct why *w);
enum outcome swapfile_do_enable(struct swapfile *s, struct why *w);
enum outcome swapfile_do_disable(struct swapfile *s, struct why *w);
enum outcome swapfile_do_remove(struct swapfile *s, struct why *w);

/* A swap file's absolute path without links, its place, and its device as
 * resume= shall name it; the path of a partition is that name, too. */
struct swapfile_place {
	char path[256];
	char device[256];
	char objection[512]; /* why it cannot be resumed from; "" where it can */
	struct swap_area area;
};

/* tolerant: a file that cannot be resumed from where it is found too, with the
 * reason in the objection. */
enum outcome swapfile_find(const struct swapfile *s, bool tolerant, struct swapfile_place *ret,
			   struct why *w);

#endif
