/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files that implement release_plan.h. */
#ifndef S2DISK_RELEASE_PLAN_PRIVATE_H
#define S2DISK_RELEASE_PLAN_PRIVATE_H

#include "release/release_guard.h"
#include "release/release_plan.h"
#include "release/release_rules.h"

struct planner {
	const char *root;
	const struct platform *platform;
	const struct release_config *config;
	struct release_plan *plan;
	struct release_guard guard;
	bool found;		/* the rule at hand names something */
	bool looked;		/* guard is filled: only where something is to be released */
	unsigned int groups;	/* numbers given */
	unsigned int cut_group; /* the last one for which the plan has no place */
	uint64_t offlined;	/* bytes of memory that are to be */
};

/* Appends an entry, unless the plan has it already; its rule has found something. 0 or -ENOMEM. */
int plan_append(struct planner *planner, const struct release_entry *entry);

/* The same for a device that is unbound, blocked if it is in use; in a group of its own if it has
 * none. */
int plan_device(struct planner *planner, struct release_entry *entry);

/* Blocks an entry if what is at that link of sysfs, or goes with it, is in use. 0 or -ENOMEM. */
int plan_guard(struct planner *planner, const char *link, struct release_entry *entry);

/* For people: "network adapter 8086:10d3 at 0000:01:00.0". */
void plan_describe(const struct device *device, char *text, size_t size);

/* What a rule of the settings asks for, one entry each. */
struct release_entry plan_wanted(const struct planner *planner, enum release_kind kind);

/* release_functions.c: those that a rule names by address, id or class. 0 or -ENOMEM. */
int plan_functions(struct planner *planner, const struct release_rule *rule);

/* release_functions.c: notes what is lost with a PCI function that is removed or unbound. Blocks
 * the entry where that is more than can be given back, and makes one that has an override, or is
 * given away, an entry that is unbound. 0 or -ENOMEM. */
int plan_settings(const struct planner *planner, struct release_entry *entry);

/* release_memory.c: blocks an entry whose step would take the driver from a virtio-mem device that
 * has memory, and leave that memory online. path: the device's, in sysfs. */
void plan_keep_memory(const struct planner *planner, const char *path, struct release_entry *entry);

/* release_known.c: blocks an entry for PCI devices at or below that path which a virtual machine
 * uses through vfio: the kernel lets no driver go before the machine does, and the one who asks
 * cannot be killed until then (vfio_unregister_group_dev() in drivers/vfio/vfio_main.c). */
void plan_keep_users(const struct planner *planner, const char *path, struct release_entry *entry);

/* release_known.c: devices that are known not to hibernate. */
int plan_known_devices(struct planner *planner);

/* release_memory.c: memory that was added to the running machine, and that of virtio-mem. */
int plan_memory(struct planner *planner);

#endif
