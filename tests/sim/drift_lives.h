/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lives of machines whose firmware moves memory from boot to boot. The verdict, the history and
 * the choice of frames are the real ones; the machine's memory, its kernel and its user are made
 * up. doc/drift.md has what is modelled, and the results.
 */
#ifndef S2DISK_TESTS_DRIFT_LIVES_H
#define S2DISK_TESTS_DRIFT_LIVES_H

#include "history/maps/boot_memory.h"
#include "history/maps/map_history.h"
#include "kernel/image_info.h"
#include "platform/memory/frames.h"
#include "platform/platform.h"

#include <stdbool.h>
#include <stdint.h>

#define LIFE_HIBERNATIONS 20

/* Page frames: a page table's worth, as the kernel groups its own pages (pageblock). */
#define DRIFT_BLOCK 512

#define DRIFT_BOOTS_MAX 256

/* A boot that the machine can have. */
struct drift_boot {
	struct platform platform;	      /* calibrated, as if it had hibernated */
	unsigned char header[IMAGE_INFO_END]; /* of the kernel's image, made of that */
	struct boot_memory memory;	      /* what the history sees */
	struct frame_list ram;
	unsigned int files; /* which kernel and initramfs it has: 0, 1, … */
};

struct drift_machine {
	LIST_OF(struct drift_boot) boots;
	struct frame_list detail; /* whole blocks around all frames that are not RAM at all boots */
	unsigned int files;	  /* kinds of boot files that count; 1: they do not */
	bool fresh;		  /* those that were replaced never come back */
};

/* A kind of machine. */
struct drift_class {
	char name[80];
	void (*make)(const struct drift_class *class, uint64_t seed, struct drift_machine *ret);
	unsigned int number; /* for make */
	bool recorded;	     /* the same machine for all lives */
};

/* Why a session was lost. */
enum drift_loss {
	LOSS_PAGES,    /* the image has pages at frames that are not RAM any more */
	LOSS_KERNEL,   /* the same, and these are the kernel's: they cannot be moved */
	LOSS_DOUBT,    /* no pages there, but the frames may be used before they are offlined */
	LOSS_TABLES,   /* ACPI tables lie elsewhere: no image resumes */
	LOSS_FIRMWARE, /* another version of the firmware */
	LOSS_MEMORY,   /* more memory is gone than is kept free */
	LOSS_OTHER,
	LOSS_COUNT,
};

struct drift_tally {
	uint64_t lives, hibernations, boots;
	uint64_t lost;
	uint64_t lost_after; /* of these, when each place had been seen */
	uint64_t avoidable;  /* of these again, for what keeping frames free prevents */
	uint64_t cause[LOSS_COUNT];
};

struct drift_plan {
	uint64_t seed;
	bool remembers;	   /* has a history, and keeps frames free */
	bool movable;	   /* the kernel has no pages of its own where it matters */
	unsigned int fill; /* per cent of memory in use around the places; 0: drawn */
};

/* Pure: a number that depends on all of these. */
uint64_t drift_draw(uint64_t seed, uint64_t what, uint64_t a, uint64_t b);

/* Does the user install another kernel or initramfs before this hibernation of that life? */
bool drift_updates(uint64_t seed, unsigned int hibernation);

/* drift_machine.c: takes platform and log; the boot is added to the machine. */
void drift_add_boot(struct drift_machine *machine, struct platform *platform, char *log,
		    unsigned int files);
/* After the last boot. */
void drift_finish(struct drift_machine *machine);
void drift_machine_free(struct drift_machine *machine);

/* Appends a list to another; both stay valid lists. */
void drift_unite(struct frame_list *list, const struct frame_list *more);
/* Those of a that are in b, or for !wanted are not; the caller frees ret.items. */
struct frame_list drift_select(const struct frame_list *a, const struct frame_list *b, bool wanted);

/* drift_classes.c: the classes; the list is static. */
const struct drift_class *drift_classes(size_t *ret_count);

/* drift_memory.c: what the kernel of a session keeps for itself; key: of the session. */
struct frame_list drift_kernel_frames(const struct drift_machine *machine,
				      const struct drift_boot *session, uint64_t key);
/* Memory in use where all boots have RAM, in a few large ranges; share in per cent. */
struct frame_list drift_elsewhere(const struct drift_machine *machine,
				  const struct drift_boot *session, unsigned int share);
/* Memory in use within the machine's detail, whatever is RAM; fill in per cent. */
struct frame_list drift_detail(const struct drift_machine *machine, uint64_t seed,
			       unsigned int fill);

/* drift_lives.c: adds to the tally. */
void drift_live(const struct drift_machine *machine, const struct drift_plan *plan,
		struct drift_tally *tally);

#endif
