/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by way_back.c, way_back_weigh.c and drift.c only. */
#ifndef S2DISK_PREFLIGHT_WAY_BACK_PRIVATE_H
#define S2DISK_PREFLIGHT_WAY_BACK_PRIVATE_H

#include "boot/boot_files.h"
#include "boot/initramfs.h"
#include "history/boot_record.h"
#include "preflight/preflight_private.h"
#include "swap/device_stack.h"

enum way_verdict { /* the worse, the greater */
		   WAY_GOOD,
		   WAY_UNKNOWN, /* it could not be read, or only in part */
		   WAY_BAD
};

struct way_answer {
	enum way_verdict verdict;
	char text[1024]; /* what was found and, unless it is good, after a line feed what to do */
	bool stays;	 /* good, but this boot looked there without success */
};

struct way {
	struct preflight_context *context;
	enum check_level bad;	   /* the level of a check that failed */
	struct device_stack stack; /* under the area; count 0: unknown */
	struct boot_files files;
	struct boot_record record;
	const struct boot_run *run;	      /* the relevant one of the record; NULL: none */
	bool proven;			      /* this boot looked at the place */
	char cmdline[INITRAMFS_CMDLINE_SIZE]; /* of this boot */
	char command[80];		      /* that regenerates the initramfs */
	uint64_t deadline;		      /* of reading initramfs, now_usec() */
	const char *subject;		      /* what is weighed, */
	struct way_answer answer;	      /* … what it is, */
	char named[256];		      /* … and what it calls the place that it finds */
};

/* Boot files changed since then are of another boot than the last one; 0: unknown, so all are.
 * record: of this boot, zeroed where there is none. */
time_t way_changes_begin(const char *root, const struct boot_record *record);

/* Can only key files open the image? */
bool way_needs_key_file(const struct settings *settings);

/* The most relevant run of the record: one that looked at the place, else elsewhere, else
 * nowhere. */
const struct boot_run *way_best_run(const struct way *way);

/* Would a boot that does what this run did find the image, and open it? Sets way->answer. */
void way_weigh_run(struct way *way, const struct boot_run *run, const char *subject);

/* The same for the run of resume in an initramfs that has not booted yet. */
void way_weigh_initramfs(struct way *way, const struct boot_file *file);

/* As initramfs_read(). */
int way_read_initramfs(const struct way *way, const struct boot_file *file, struct initramfs *ret,
		       struct why *w);

#endif
