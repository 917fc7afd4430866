/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel or the machine cannot carry through a hibernation is released before the
 * snapshot and given back after it. The plan is the list of it, in order: what, why, and by whom.
 * What holds a mounted file system, swap, the way to the root file system or the only display
 * (release_guard.h) is in it as well, with the reason why it is not released.
 */
#ifndef S2DISK_RELEASE_PLAN_H
#define S2DISK_RELEASE_PLAN_H

#include "base/why.h"
#include "platform/list.h"
#include "platform/platform.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum release_kind {
	RELEASE_UNBIND,	 /* a device from its driver; bound again */
	RELEASE_REMOVE,	 /* a PCI function; its bus is scanned again */
	RELEASE_OFFLINE, /* a memory block; online again */
	RELEASE_UNLOAD,	 /* a module; loaded again */
};

#define RELEASE_BUILT_IN "built in"

struct release_entry {
	enum release_kind kind;
	char bus[16];	       /* UNBIND */
	char name[64];	       /* of the device on its bus; memory32; of the module */
	char driver[40];       /* UNBIND: its driver; REMOVE: the same, "" for none */
	unsigned int virtuals; /* of a PCI function: how many it has (sriov_numvfs) */
	char zone[20];	       /* OFFLINE: what the block's file gets to bring it online */
	uint64_t start, end;   /* OFFLINE: bytes, inclusive */
	unsigned int group;    /* entries that are of use together only have the same number */
	bool needed;	       /* without it there is no hibernation */
	bool lasting;	       /* cannot be given back before the next boot */
	bool taken;	       /* it is released now */
	bool lost;	       /* it was, and cannot be given back */
	bool left;	       /* it could not be given back, or hangs: the journal keeps it */
	char what[160];	       /* for people: "network adapter 8086:10d3 at 0000:01:00.0" */
	char note[32];	       /* more for lists: "eth0 is up"; "": nothing */
	const char *reason;    /* lives as long as the program */
	const char *source;    /* RELEASE_BUILT_IN, or FILE:LINE; the settings' */
	char blocked[200];     /* why it is not released; "": it is */
	pid_t waiting;	       /* blocked: a child that waits for it (release_child_runs()); or 0 */
};

/* More is not planned: 8192 blocks of 128 MiB are one TiB. */
#define RELEASE_MAX 8192

struct release_plan {
	LIST_OF(struct release_entry) entries;
	char absent[256]; /* words of "release devices" that name nothing of this machine */
	bool cut; /* there would be more than RELEASE_MAX; blocked is what goes with those left out
		   */
	bool hanging; /* a step has not ended: those after it may wait for the same lock */
};

/* The settings for it. */
struct release_config {
	char devices[256];    /* "release devices": release_rules.h */
	char devices_by[280]; /* no key: the FILE:LINE that set it */
	bool virtio_mem;      /* "release virtio-mem": what is plugged, until the next boot */
	unsigned int wait;    /* "release wait": seconds for the host to take it */
	dev_t keep;	      /* no key: device_users_look()'s */
};

/* Plans for the machine that was captured below root. config must live as long as the plan. A
 * value of "release devices" that cannot be parsed plans nothing. 0 or -ENOMEM. */
int release_plan_make(const char *root, const struct platform *platform,
		      const struct release_config *config, struct release_plan *ret);

/* Harmless on a zeroed struct. */
void release_plan_free(struct release_plan *plan);

/* Pure: changes what was captured into what would be captured with all of it released. */
void release_plan_apply(const struct release_plan *plan, struct platform *platform);

/* Does it release all devices of that driver (of a bus) that the machine below root has? False if
 * there is none. */
bool release_plan_covers_driver(const struct release_plan *plan, const char *root, const char *bus,
				const char *driver);

#endif
