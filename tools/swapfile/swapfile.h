/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of s2disk-swapfile(8), and what they share. */
#ifndef S2DISK_SWAPFILE_SWAPFILE_H
#define S2DISK_SWAPFILE_SWAPFILE_H

#include "base/why.h"
#include "preflight/memory.h"
#include "swap/swap_area.h"
#include "marks.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct swapfile {
	const char *root; /* prefix of the paths of the system's files and programs; "" */
	const char *path; /* as the user named it, UUID=..., too; NULL */
	uint64_t size;	  /* 0: auto */
	bool no_subvolume;
	bool enable; /* create: enable it, too */
	bool hibernate_only;
	bool dry_run;
	bool uswsusp;  /* offset: print it as uswsusp's swap-offset does */
	bool use_json; /* check */
	bool quiet;
};

/* Each prints what it does and returns 0; a negative errno with the reason in w; or 1 for a
 * failed check, which was printed: of enabling, that no boot would find the image. */
int swapfile_do_create(struct swapfile *s, struct why *w);
int swapfile_do_offset(struct swapfile *s, struct why *w);
int swapfile_do_check(struct swapfile *s, struct why *w);
int swapfile_do_enable(struct swapfile *s, struct why *w);
int swapfile_do_disable(struct swapfile *s, struct why *w);
int swapfile_do_remove(struct swapfile *s, struct why *w);

/* A swap file's absolute path without links, its place, and its device as resume= should name
 * it; the path of a partition is that name, too. */
struct swapfile_place {
	char path[256];
	char device[256];
	char offset[24]; /* in pages, decimal */
	struct swap_area area;
	char label[17]; /* in its header, if any */
};

/* Finds the area that the user named. -EINVAL, with the reason, if it cannot be resumed from or
 * holds an image. */
int swapfile_find(const struct swapfile *s, struct swapfile_place *ret, struct why *w);

/* The place for a swap file: its file system. */
struct site {
	char path[256];	      /* absolute; links in its directories followed */
	char directory[256];  /* the directory that it is in */
	uint32_t magic;	      /* of the file system */
	dev_t dev;	      /* its device; major number 0 if there is not exactly one */
	uint64_t free, total; /* bytes for data */
};

/* Examines the directory of path (which need not exist itself). -EINVAL, with the reason and
 * what to do, if a swap file there could not be resumed from: the file systems above, /home and
 * /root under systemd, devices of device_stack_check() (for btrfs, which may have several, they are
 * checked once the file exists). */
int site_examine(const char *root, const char *path, struct site *ret, struct why *w);

/* Pure: a size in bytes. wanted 0: slightly larger than memory, which is always enough; if the
 * file system has no room for that, as much as it has, down to what is needed with half of
 * memory in use. Some space always stays free. *ret_reason explains the size ("" if it was
 * wanted). -ENOSPC, or -EINVAL for an impossible size. */
int site_choose_size(const struct site *site, const struct meminfo *meminfo, uint64_t wanted,
		     uint64_t *ret, const char **ret_reason, struct why *w);

/* create writes this label into the header, and remove recognizes it. */
#define SWAPFILE_LABEL "s2disk"

/* Enables a place; in a dry run for a file that does not exist yet, device and offset are
 * placeholders. Refuses what it cannot do; returns as the commands do. */
int swapfile_enable_place(struct swapfile *s, const struct swapfile_place *place, struct why *w);

/* The path or tag of the area that the marks name; NULL: none. free() it. */
char *swapfile_marked_area(const char *root);

/* The command that regenerates the initramfs. NULL if this program cannot do that, with the
 * exact commands for this place in w. */
const char *swapfile_initramfs(const struct swapfile *s, const struct swapfile_place *place,
			       struct why *w);

/* A line, made printable. */
void swapfile_line(const struct swapfile *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A step, right before it is done ("would ..." in a dry run). */
void swapfile_step(const struct swapfile *s, const char *verb, const char *what);

/* The running system: programs, swap. */

/* Runs a program of the system with blank-separated arguments, and one more that may contain
 * blanks (NULL: none). */
int swapfile_run(const char *root, const char *command, const char *operand, struct why *w);

/* path: a swap file, a device, or a tag. Activating an active area or deactivating an inactive
 * one is not an error. */
int swapfile_activate(const char *path, struct why *w);
int swapfile_deactivate(const char *path, struct why *w);
bool swapfile_is_active(const struct swap_area *area);

/* The files that enabling may mark, the drop-ins side by side. */
enum {
	EDIT_FSTAB,
	EDIT_DROP_IN,
	EDIT_DROP_IN_USWSUSP,
	EDIT_LOGIND,
	EDIT_SLEEP_KEY,
	EDIT_FORMER,
	EDITS = EDIT_FORMER + 3
};

/* Reads all; those that fail are not changed: edited marks, and drop-ins of ours that have other
 * settings, of which the body remains. The reason for the first, in w. edits_free() in any case. */
int edits_read(const char *root, struct edit edits[EDITS], struct why *w);

/* Adds what is to be marked for this place. -EINVAL if the set-up conflicts with it. */
int edits_want(const struct swapfile *s, const struct swapfile_place *place,
	       struct edit edits[EDITS], struct why *w);

bool edits_differ(const struct edit edits[EDITS]);
void edits_free(struct edit edits[EDITS]);

/* The area that our line of fstab activates; NULL. free() it. */
char *edits_activated(const struct edit edits[EDITS]);

#endif
