/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules of the verdict share: the sides that they compare, and how they add findings. */
#ifndef S2DISK_VERDICT_FINDING_PRIVATE_H
#define S2DISK_VERDICT_FINDING_PRIVATE_H

#include "verdict/finding.h"

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

/* "512 KiB". */
void size_words(uint64_t bytes, char *text, size_t size);

#endif
