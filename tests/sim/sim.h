/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole life: a machine hibernates, is off, boots, and goes on. The code of
 * s2disk and resume runs as it is; the kernel and the disk below it are made
 * up, and any one thing that they do can be made to go wrong.
 *
 * A snapshot is a fork: the parent stands still, as memory in an image does,
 * while the child writes the image and switches off. If a boot, in a process
 * of its own, restores all of it, the parent goes on as the resumed system.
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

/* What can go wrong, each kind counted on its own, from the beginning of the
 * life to its end. */
enum sim_class {
	SIM_IO,	   /* reads, writes and flushes of the swap device */
	SIM_CALL,  /* calls of /dev/snapshot */
	SIM_ALLOC, /* allocations of memory, digests among them */
	SIM_CLASSES,
};

enum sim_fault {
	SIM_FAIL,      /* it returns an error, and did nothing */
	SIM_FAIL_DONE, /* it returns an error, and did it all the same */
	SIM_DEAD,      /* from here on no write and no flush works any more */
	SIM_CUT,       /* the power goes */
	SIM_SIGNAL,    /* a signal arrives, and then it works */
	SIM_DAMAGE,    /* nothing fails now, but a block is damaged on the disk */
	SIM_FLIP,      /* a boot's read works, and one bit is flipped on the way */
};

/* What opens a sealed image; bits. */
enum sim_ways {
	SIM_PLAIN = 0,
	SIM_PASSPHRASE = 1,
	SIM_KEY_PAIR = 2,
};

/* Where a boot's kernel and drivers say no, to an image that fits. */
enum sim_veto {
	SIM_VETO_OPEN,	  /* a PM notifier's EPERM */
	SIM_VETO_FREEZE,  /* a process that does not stop */
	SIM_VETO_RESTORE, /* a device's EOPNOTSUPP */
};

struct sim_plan {
	enum sim_class class;
	uint64_t at; /* number of what goes wrong, from 1; 0: nothing */
	enum sim_fault fault;
	int number;	     /* of the signal */
	uint64_t second_at;  /* another that fails (SIM_FAIL), 0: none */
	uint64_t full_after; /* pages of swap until there are no more, 0: enough */
	enum method method;
	bool cannot_switch_off;
	unsigned int unfrozen; /* so often a task does not freeze */
	/* From this CREATE_IMAGE on it does nothing, as with pm_test; 0: never. What it
	 * says is left from the one before. */
	unsigned int no_snapshot;
	unsigned int workers; /* threads; 0: the serial twin */
	enum mismatch_action action;
	bool noresume;
	bool verify;		      /* what was written is read back before the commit */
	unsigned int max_attempts;    /* of loading it, 0: as ever */
	unsigned int other_boots;     /* so many boots, the first ones, are of another machine */
	unsigned int ways;	      /* enum sim_ways */
	unsigned int vetoing_boots;   /* so many boots, the first ones, do not restore it … */
	enum sim_veto veto;	      /* … and say so here */
	unsigned int wakeups;	      /* so many freezes of a boot are ended by one */
	bool hungry;		      /* the kernel waits for more pages than there are */
	unsigned int failed_restores; /* so many that the kernel cannot do, whatever else */
	unsigned int keyless_boots;   /* so many boots, the first ones, get no passphrase … */
	int no_phrase;		      /* … for this error */
	unsigned int wrong_phrases;   /* so many passphrases, the first ones, are mistyped */
	unsigned int no_ciphers;      /* so many boots, the first ones: libgcrypt refuses them */
	unsigned int bad_sysfs;	      /* so many boots, the first ones: it cannot be read */
	uint64_t short_disk;	      /* four boots find so many bytes of the disk; 0: all of it */
	bool sealed_only; /* the boot's settings ask for encryption, whatever there is */
	/* What somebody does to the disk while the machine is off; NULL: nothing. Then it
	 * may be no image that the sim knows, and is not judged. */
	void (*change)(unsigned char *disk);
	uint64_t seed; /* of what a power cut loses; not 0 */
	/* Firmware maps: of the boot that hibernates, then of each that follows, the
	 * last one for all others; NULL: always 'A'. A, B and C have a reserved page
	 * each, at another place, where memory at first holds nothing. */
	const char *maps;
	unsigned int times;  /* so often it hibernates in one session, 0: once */
	bool boot_frozen;    /* /boot's file system does not thaw */
	bool cannot_offline; /* the kernel has no soft_offline_page */
	/* All boots have huge pages, which leave no room for an image; and without
	 * them there still is none. */
	bool huge_pages, no_room;
};

enum sim_fate {
	SIM_NOTHING,
	SIM_OFF,      /* switched off, an image on the disk */
	SIM_POWERCUT, /* the power went */
	SIM_REBOOT,   /* the boot wants another one */
	SIM_RESTORED, /* the boot gave all of the image to the kernel */
	/* Ends of a life: */
	SIM_RUNS_ON, /* did not hibernate: everything is as before */
	SIM_RESUMED, /* hibernated and resumed, as it was */
	SIM_WOKE,    /* slept and woke */
	SIM_FRESH,   /* the boot went on without the session */
	SIM_KEPT,    /* the boot powered off and kept the image; booted again unless changed */
};

struct sim_outcome {
	enum sim_fate fate;
	char broken[400]; /* what must never happen and did; "": nothing */
	char said[16000]; /* by the programs */
	uint64_t counts[SIM_CLASSES];
	unsigned int boots, powered_off; /* powered_off: boots that ended so */
	unsigned int resumes;
	unsigned int records; /* of boots that resumed, taken over */
	bool may_lose;	      /* a boot began with swap: the session was lost before */
	bool dead;	      /* the disk takes no writes */
};

struct sim;

/* The disk is freshly made swap. */
struct sim *sim_create(void);
void sim_destroy(struct sim *sim);

/* A life from the beginning. */
void sim_live(struct sim *sim, const struct sim_plan *plan, struct sim_outcome *ret);

/* The disk as it is after it. */
const unsigned char *sim_disk(const struct sim *sim);

/* What was written to the disk in the last life. The entries are to be freed,
 * their data belong to the sim. */
void sim_log(struct sim *sim, struct write_log *ret);

/* A disk as it was at the beginning of every life, and what opens the images
 * that come to it. */
int sim_fresh_disk(struct disk_state *ret);

#endif
