/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole life: a machine hibernates, is off, boots, and continues. The code of s2disk and resume
 * runs unchanged on a simulated kernel and disk, and any single operation of these can be made to
 * fail.
 *
 * A snapshot is a fork: the parent waits, like memory in an image, while the child writes the image
 * and powers off. If a boot, in a process of its own, restores all of it, the parent continues as
 * the resumed system.
 */
#ifndef S2DISK_TESTS_SIM_H
#define S2DISK_TESTS_SIM_H

#include "config/settings.h"
#include "../replay/disk_state.h"
#include "../replay/write_log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_PAGE 4096u
#define SIM_DISK_PAGES 640u
#define SIM_DISK_BYTES ((uint64_t)SIM_DISK_PAGES * SIM_PAGE)

/* What can fail; each class is counted separately, over the whole life. */
enum sim_class {
	SIM_IO,	   /* reads, writes and flushes of the swap device */
	SIM_CALL,  /* calls of /dev/snapshot */
	SIM_ALLOC, /* allocations of memory, including digests */
	SIM_CLASSES,
};

enum sim_fault {
	SIM_FAIL,      /* it returns an error and has done nothing */
	SIM_FAIL_DONE, /* it returns an error, but was done anyway */
	SIM_DEAD,      /* from here on all writes and flushes fail */
	SIM_CUT,       /* power cut */
	SIM_SIGNAL,    /* a signal arrives, then the call works */
	SIM_DAMAGE,    /* the call works, but a block on the disk is damaged */
	SIM_FLIP,      /* a boot's read works, with one bit flipped in transit */
};

/* Ways to open a sealed image; bits. */
enum sim_ways {
	SIM_PLAIN = 0,
	SIM_PASSPHRASE = 1,
	SIM_KEY_PAIR = 2,
};

/* At which point a boot's kernel and drivers refuse an image that fits. */
enum sim_veto {
	SIM_VETO_OPEN,	  /* a PM notifier's EPERM */
	SIM_VETO_FREEZE,  /* a process that does not freeze */
	SIM_VETO_RESTORE, /* a device's EOPNOTSUPP */
	SIM_VETO_RELEASE, /* a driver hangs that is to let go of its device */
};

struct sim_plan {
	enum sim_class class;
	uint64_t at; /* number of the failing operation, from 1; 0: none */
	enum sim_fault fault;
	int number;	     /* of the signal */
	uint64_t second_at;  /* another one that fails (SIM_FAIL), 0: none */
	uint64_t full_after; /* pages of swap until it is full, 0: never */
	enum method method;
	bool cannot_switch_off;
	bool kernel_makes_room; /* for the snapshot: s2disk cannot */
	unsigned int unfrozen;	/* this many times a task does not freeze */
	/* From this CREATE_IMAGE on it does nothing, as with pm_test; 0: never. Its
	 * answer is the previous one's. */
	unsigned int no_snapshot;
	unsigned int workers; /* threads; 0: the serial twin */
	enum mismatch_action action;
	bool noresume;
	unsigned int refused_before;  /* this many boots, the first ones, without noresume */
	bool verify;		      /* verify the image before the commit */
	unsigned int max_attempts;    /* of loading it, 0: as ever */
	unsigned int other_boots;     /* this many boots, the first ones, are of another machine */
	bool other_processor;	      /* and have another processor, too */
	unsigned int ways;	      /* enum sim_ways */
	unsigned int vetoing_boots;   /* this many boots, the first ones, do not restore it … */
	enum sim_veto veto;	      /* … and fail at this point */
	unsigned int wakeups;	      /* this many freezes of a boot are ended by a wakeup */
	bool hungry;		      /* the kernel waits for more pages than there are */
	unsigned int failed_restores; /* this many restores fail in the kernel, in addition */
	unsigned int keyless_boots;   /* this many boots, the first ones, get no passphrase … */
	int no_phrase;		      /* … with this error */
	unsigned int wrong_phrases;   /* this many passphrases, the first ones, are mistyped */
	unsigned int
		no_ciphers;	/* this many boots, the first ones: libgcrypt refuses the ciphers */
	unsigned int bad_sysfs; /* this many boots, the first ones: sysfs is unreadable */
	uint64_t short_disk;	/* four boots see this many bytes of the disk; 0: all of it */
	bool sealed_only;	/* the boot's settings demand encryption in any case */
	/* Changes to the disk while the machine is off; NULL: none. The result may be an
	 * image unknown to the sim, so it is not judged. */
	void (*change)(unsigned char *disk);
	uint64_t seed; /* for what a power cut loses; not 0 */
	/* Firmware maps: of the boot that hibernates, then of each that follows, the last
	 * one for all others; NULL: always 'A'. A, B and C each have one reserved page,
	 * at different places, where memory is unused at first. */
	const char *maps;
	/* Boots that the history knows, whose maps fit, and do not; fitting 0: it is empty. */
	unsigned int fitting, unfitting;
	bool never_fits;     /* the maps of all boots refuse it, so it may be lost */
	unsigned int times;  /* this many hibernations in one session, 0: one */
	bool boot_frozen;    /* /boot's file system does not thaw */
	bool cannot_offline; /* the kernel has no soft_offline_page */
	/* All boots have huge pages, which leave no room for an image; there is none even
	 * without them. */
	bool huge_pages, no_room;
};

enum sim_fate {
	SIM_NOTHING,
	SIM_OFF,      /* powered off, an image on the disk */
	SIM_POWERCUT, /* power cut */
	SIM_REBOOT,   /* the boot asks for another one */
	SIM_RESTORED, /* the boot gave the whole image to the kernel */
	/* Ends of a life: */
	SIM_RUNS_ON, /* did not hibernate: everything is as before */
	SIM_RESUMED, /* hibernated and resumed, unchanged */
	SIM_WOKE,    /* slept and woke */
	SIM_FRESH,   /* the boot went on without the session */
	SIM_KEPT,    /* the boot powered off and kept the image; booted again unless changed */
};

struct sim_outcome {
	enum sim_fate fate;
	char broken[400]; /* what must never happen and did; "": nothing */
	char said[16000]; /* by the programs */
	uint64_t counts[SIM_CLASSES];
	unsigned int boots, powered_off; /* powered_off: boots that ended that way */
	unsigned int resumes;
	unsigned int records; /* of boots that resumed, handed over */
	/* Boots that the restored systems learned of: they refused the image, or restored it. */
	unsigned int learned_refusals, learned_resumes;
	unsigned int left_refusals; /* left to the system when the image was discarded */
	bool may_lose;		    /* a boot began with swap: the session was lost before */
	bool dead;		    /* the disk rejects writes */
};

struct sim;

/* The disk is freshly made swap. */
struct sim *sim_create(void);
void sim_destroy(struct sim *sim);

/* A life from the beginning. */
void sim_live(struct sim *sim, const struct sim_plan *plan, struct sim_outcome *ret);

/* The disk at the end of the life. */
const unsigned char *sim_disk(const struct sim *sim);

/* What was written to the disk in the last life. The caller frees the entries; their data
 * belong to the sim. */
void sim_log(struct sim *sim, struct write_log *ret);

/* A disk as at the beginning of every life, and the keys for images written to it. */
int sim_fresh_disk(struct disk_state *ret);

#endif
