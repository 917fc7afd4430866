/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of the verdict, for its own files only. */
#ifndef S2DISK_VERDICT_VERDICT_PRIVATE_H
#define S2DISK_VERDICT_VERDICT_PRIVATE_H

#include "verdict/finding_private.h"

/* Page frames of RAM on a machine: what the kernel uses (or where that is not
 * known, what the firmware calls RAM), never what the firmware calls something
 * else, never offline blocks. */
int verdict_ram_frames(const struct platform *platform, uint64_t page_size, struct frame_list *ret);

/* Removes from judge->lost pages that are RAM after all: this kernel reserved them for a table that
 * the firmware left there. 0 or -ENOMEM. */
int judge_kept_frames(struct judge *judge);

/* Reports each difference of two maps; same: the sentence if there is none. */
void judge_maps(struct judge *judge, const struct memory_map *then, const struct memory_map *now,
		const char *same);

void judge_regions(struct judge *judge);
/* Without the firmware's map on either side: compares what was RAM and what is. */
void judge_without_map(struct judge *judge);
void judge_image_pages(struct judge *judge);
void judge_hotplug(struct judge *judge);
void judge_kernel_check(struct judge *judge);
void judge_page_count(struct judge *judge);
void judge_memory_size(struct judge *judge);
void judge_acpi(struct judge *judge);
void judge_device_tree(struct judge *judge);
void judge_efi(struct judge *judge);

/* Does its kernel call EFI runtime services without showing where they are? Only x86 has
 * /sys/firmware/efi/runtime-map (CONFIG_EFI_RUNTIME_MAP); arm64 calls them as well. */
bool efi_is_unseen(const struct platform *platform);
void judge_machine(struct judge *judge);
void judge_kernel(struct judge *judge);
void judge_cpu(struct judge *judge);
void judge_guest(struct judge *judge);
void judge_devices(struct judge *judge);
void judge_pci_space(struct judge *judge);
void judge_filesystems(struct judge *judge);
void judge_swaps(struct judge *judge);

/* Had a PCI device addresses there? */
bool judge_had_pci(const struct judge *judge, uint64_t start, uint64_t end);

/* The class, with its reason, of something new (RAM or not) at addresses that were in no entry of
 * the map. */
enum verdict_class judge_hole(const struct judge *judge, uint64_t start, uint64_t end, bool ram,
			      const char **ret_reason);

/* Why it is not proven that claimed frames can be offlined in time. */
struct quarantine_doubt {
	char reason[224]; /* a sentence as in verdict_regions.c; "": proven */
};

/* The free frames of the saved kernel right after it is restored, without offlined ones, by
 * address. There must be an image. 0 or -ENOMEM. */
int judge_free_frames(const struct judge *judge, struct frame_list *ret);

/* Judges the frames of the plan's quarantine that are within a run, by their zone and their place
 * in it. 0 or -ENOMEM. */
int judge_quarantine(const struct judge *judge, const struct frame_list *free_frames,
		     const struct frame_range *run, struct quarantine_doubt *ret);

#endif
