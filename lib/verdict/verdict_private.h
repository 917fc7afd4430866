/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of the verdict only. */
#ifndef S2DISK_VERDICT_VERDICT_PRIVATE_H
#define S2DISK_VERDICT_VERDICT_PRIVATE_H

#include "verdict/map_diff.h"
#include "verdict/verdict.h"

struct judge {
	const struct platform *then;
	const struct platform *now;
	const struct verdict_image *image; /* NULL: none */
	uint64_t page_size;
	/* The kernel's tables: without hot-plugged entries, unknown types of
	 * now's taken from then's. then_table borrows, now_table owns. */
	struct memory_map then_table;
	struct memory_map now_table;
	struct frame_list then_ram;
	struct frame_list now_ram;
	struct frame_list lost;	     /* image pages that are not in now_ram */
	struct frame_list explained; /* frames that a fatal finding already covers */
	uint64_t outside;	     /* pages in lost */
	struct frame_list kept;	     /* image pages that judge_kept_frames() took from lost */
	struct verdict *verdict;
	struct finding spare; /* receives findings beyond the limit */
	int error;
};

/* A new finding, both sides empty. Never NULL. */
struct finding *judge_add(struct judge *judge, enum verdict_about about, enum verdict_class class);

/* Writes one of a finding's texts, cut to fit. */
void judge_say(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
#define SAY(member, ...) judge_say((member), sizeof(member), __VA_ARGS__)

/* A finding of class same: this subject was compared, and nothing differs. */
void judge_same(struct judge *judge, enum verdict_about about, const char *text);

/* A text field that differs; true when a finding was added. Unknown on either
 * side ("") is no difference. */
struct finding *judge_text(struct judge *judge, enum verdict_about about, enum verdict_class class,
			   const char *then, const char *now);

uint64_t judge_pages(const struct judge *judge, uint64_t start, uint64_t end);

/* Bytes start … end have been reported as fatal. */
void judge_explained(struct judge *judge, uint64_t start, uint64_t end);

/* Removes from judge->lost pages that are RAM after all: this kernel reserved them for a table that
 * the firmware left there. 0 or -ENOMEM. */
int judge_kept_frames(struct judge *judge);

void judge_regions(struct judge *judge);
/* Without the firmware's map on either side: compares what was RAM and what is. */
void judge_without_map(struct judge *judge);
/* Reports each change. */
void judge_map_diff(struct judge *judge, const struct map_diff *diff);
void judge_image_pages(struct judge *judge);
void judge_hotplug(struct judge *judge);
void judge_kernel_check(struct judge *judge);
void judge_page_count(struct judge *judge);
void judge_memory_size(struct judge *judge);
void judge_acpi(struct judge *judge);
void judge_efi(struct judge *judge);
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
		     const struct page_range *run, struct quarantine_doubt *ret);

/* "the reserved page", "the ACPI NVS region of 512 KiB". */
void region_words(const struct memory_entry *entry, char *text, size_t size);
void size_words(uint64_t bytes, char *text, size_t size);

#endif
