/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the parts of the simulated machine. */
#ifndef S2DISK_TESTS_SIM_PRIVATE_H
#define S2DISK_TESTS_SIM_PRIVATE_H

#include "sim.h"
#include "fixtures/image/fake_loader.h"

#include <stdio.h>
#include <sys/types.h>

#define SIM_LOG_BYTES (48u << 20)
#define SIM_LOG_ENTRIES 20000u
#define SIM_FULL_PAGES 230u   /* of data, when all of memory is in the image */
#define SIM_LAST_ZEROS 3u     /* page frames of zeros at the end of an image */
#define SIM_SMALL_PAGES 120u  /* when it is as small as can be */
#define SIM_UNFROZEN_LINES 4u /* of the log, where a task does not freeze */
#define SIM_PHRASE "a phrase"
#define SIM_TYPING_USEC 600000000u
#define SIM_OFFLINED_MAX 8u
#define SIM_STREAM_PAGES (2 + SIM_FULL_PAGES + SIM_OFFLINED_MAX)

struct sim_log_entry {
	enum log_kind kind;
	uint64_t offset;
	size_t length, data; /* data: where in log_bytes */
};

/* Shared by all processes of a life. */
struct sim_shared {
	struct sim_plan plan;
	struct sim_outcome outcome;
	unsigned int restores;		       /* tried */
	unsigned int phrases;		       /* questions at boots */
	size_t log_count, log_used, unflushed; /* unflushed: first entry that may be lost */
	struct sim_log_entry log[SIM_LOG_ENTRIES];
};

/* A file of memory, shared by all processes of a life. They write it by requests and read what is
 * mapped: a process of its own touches each page once, and a fault for each costs more. */
struct sim_bytes {
	int fd;
	unsigned char *at;
};

struct sim {
	struct sim_shared *shared;
	struct sim_bytes disk, durable; /* durable: the flushed data */
	struct sim_bytes log;		/* what was written, one after the other */
	int said;			/* stderr of the programs */
	pid_t owner;			/* the test's process */
};

/* The life that continues in this process. */
extern struct sim *sim;

/* The kernel's memory in this process; copied by the snapshot's fork. */
struct sim_kernel {
	int device;	      /* opened by swap_area_open, -1 */
	int snapshot;	      /* /dev/snapshot, -1 */
	size_t line, lines;   /* of its log: read, written */
	unsigned int freezes; /* tried */
	bool display_set;     /* by kernel_settings_wake_display */
	unsigned int created; /* CREATE_IMAGE, tried */
	int in_suspend;	      /* of kernel/power/hibernate.c: never reset */
	bool resuming, frozen, image, is_boot;
	bool no_swapping;		     /* vm.swappiness is 0 */
	bool room;			     /* was made, so that it can be */
	bool image_stays;		     /* freeing it failed */
	bool threads_frozen;		     /* the kernel's, by a snapshot that failed */
	bool finalized;			     /* a restore of what was loaded was requested */
	bool restored, renewed;		     /* restored and not thawed yet; and reseeded */
	unsigned char taken[SIM_DISK_PAGES]; /* pages of swap that are allocated */
	uint64_t given;			     /* how many in all */
	uint64_t data_pages;
	char map;			     /* of the firmware, when this kernel booted */
	uint64_t offlined[SIM_OFFLINED_MAX]; /* page frames, ascending */
	size_t offlined_count;
	bool asked;			  /* attempts to offline one, since the restore */
	uint64_t noted[SIM_OFFLINED_MAX]; /* those of them in s2disk's file */
	size_t noted_count;
	size_t at;	      /* of the stream: read or written */
	unsigned int wakeups; /* so far */
	uint64_t typed_usec;  /* how long the user took to type */
	struct fake_loader loader;
	bool huge_given;  /* its huge pages, to an image */
	bool released;	  /* devices, for an image */
	bool memory_gone; /* to an image that is loaded; atomic */
	unsigned char stream[SIM_STREAM_PAGES * SIM_PAGE];
};

extern struct sim_kernel kernel;
extern bool sim_active; /* counting, and failing */

/* Counts one; true: it has to fail, in the plan's way. */
bool sim_due(enum sim_class class);

/* Does this boot refuse there, by the plan? */
bool sim_vetoed(enum sim_veto where);

/* Does a call fail somewhere in this life? */
bool sim_calls_fail(void);

/* Is there a key or a passphrase in the memory of this process? */
bool sim_secrets_left(void);

/* The content is another system's now. */
void sim_forget_secrets(void);

/* sim_snapshot.c: the pages of data in an image of about this many bytes. */
uint64_t sim_image_pages(uint64_t bytes);

/* What each life would make again. */
void sim_snapshot_begin(void);

/* Something happened that must never happen; ends the process. */
void sim_broken(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Ends the process. */
void sim_end(enum sim_fate fate) __attribute__((noreturn));

/* The disk after a power cut: what was flushed, and some of the rest. */
void sim_lose(void);

/* Is there an image in the first page of these bytes? */
bool sim_live_image(const unsigned char *disk);

/* Is anything left that a key could open, such as the header of a sealed image? */
bool sim_sealed_header(const unsigned char *disk);

/* sim_memory_map.c: the firmware's answer to a boot with the map of this letter. */
struct memory_map;
void sim_memory_maps_begin(void);
void sim_memory_map_apply(char letter, struct memory_map *map);
uint64_t sim_memory_map_checksum(char letter); /* as a kernel keeps it */
bool sim_memory_map_reserves(char letter, uint64_t frame);
bool sim_memory_map_moves(uint64_t frame); /* reserved by one of the maps */

/* Directory of the simulated machine that this process sees. */
const char *sim_machine(char *tree, size_t size);

/* The machine powered off, or was reset: returns if that is not allowed. */
void sim_switched_off(enum sim_fate fate);

/* One boot, in a process of its own; returns how it ended. */
enum sim_fate sim_boots(void);

#endif
