/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line, or several, for each row of the findings in doc/platform-verdict.md.
 *
 * To add a row: write it into the document, and into the file of its section
 *
 *	ROW("the row's first cell, as it stands in the document");
 *
 *	LINE(OVMF, ABOUT_CPU, VERDICT_RISKY, "family is 7")
 *	{
 *		SET(now.cpu.info.family, "7");
 *	}
 *
 * and below the same ROW a LINE for each case that the row bundles. A line begins
 * with two machines that are the same (enum base), and an image that holds frames
 * 0x10 to 0x2f and 0x200 to 0x2ff (hold() adds, in ascending order). Its function
 * makes one difference, in what verdict_fixture.h declares, with the helpers
 * below, or by hand. Then there must be one finding about that, of that class,
 * with these words in its text, and no other difference.
 *
 * What else it brings about is said after the words, in any order:
 *
 *	.advice = "memmap="	words in the advice
 *	.accept = ACCEPT_PCI_DEVICE	if risky, the settings may accept it
 *	.plan = CHECKSUM	the plan replaces the checksum (then the finding of
 *				the kernel's check, corrected, is expected as well),
 *	.plan = PAGE_COUNT	the page count, or both (|)
 *	.quarantine = 4		it has this many page frames offlined
 *	.pages = 1		the finding's image_pages
 *	.hopeless = true	no other boot can resume the image either
 *	.of_command_line = true	another kernel command line changes it
 *	.also = { { ABOUT_PAGE_COUNT, VERDICT_FATAL } }
 *				other findings that come with it
 *	.silent = true		the difference is not reported, nor any other
 *
 * The class of each line must be named in its row's second cell, and each class
 * that is named there must have a line.
 */
#ifndef S2DISK_TESTS_VERDICT_ROWS_H
#define S2DISK_TESTS_VERDICT_ROWS_H

#include "verdict_fixture.h"

enum base {
	PLAIN,	    /* nothing but memory (a GiB), with a file system */
	OVMF,	    /* recorded machines: tests/data/platform */
	HYPERV,	    /* with devices on a VMBus */
	VIRTIO_MEM, /* with a DIMM and a virtio-mem device, plugged in */
	XEN,	    /* a guest whose hypervisor reports its version */
};

enum row_plan {
	CHECKSUM = 1,
	PAGE_COUNT = 2,
};

struct expected {
	enum verdict_about about;
	enum verdict_class class; /* VERDICT_SAME ends a list */
};

struct line {
	enum base base;
	struct expected finding;
	const char *words;
	const char *advice;
	enum verdict_accept accept;
	unsigned int plan;
	uint64_t quarantine;
	uint64_t pages;
	bool hopeless;
	bool of_command_line;
	bool silent;
	struct expected also[4];
};

void add_row(const char *cell);
void add_line(const struct line *line, void (*change)(void), const char *file, int number);

/* Both put themselves into the table before main() begins, in their file's order. */
#define ROW(cell) ROW_AT(__LINE__, cell)
#define ROW_AT(number, cell) ROW_AS(number, cell)
#define ROW_AS(number, cell)                                              \
	__attribute__((constructor)) static void begin_row_##number(void) \
	{                                                                 \
		add_row(cell);                                            \
	}                                                                 \
	struct line

#define LINE(base, about, class, ...) LINE_AT(__LINE__, base, about, class, __VA_ARGS__)
#define LINE_AT(number, base, about, class, ...) LINE_AS(number, base, about, class, __VA_ARGS__)
#define LINE_AS(number, base, about, class, ...)                                         \
	static void change_##number(void);                                               \
	__attribute__((constructor)) static void begin_line_##number(void)               \
	{                                                                                \
		static const struct line line = { base, { about, class }, __VA_ARGS__ }; \
                                                                                         \
		add_line(&line, change_##number, __FILE__, number);                      \
	}                                                                                \
	static void change_##number(void)

/* A text of a platform. */
#define SET(member, value) snprintf((member), sizeof(member), "%s", (value))

/* In the middle of PLAIN's RAM, without pages of the image. */
#define PLACE 0x20000000u
#define PAGE 4096u

/* Bytes of the memory map get another type: of this boot's only, or of both (the
 * kernel's header is that of the machine that is so). MEMORY_NONE: a hole. */
void now_has(uint64_t start, uint64_t bytes, enum memory_type type);
void both_have(uint64_t start, uint64_t bytes, enum memory_type type);

/* System RAM of /proc/iomem; what no call names is not in use. */
void kernel_uses(struct platform *platform, uint64_t start, uint64_t end);

/* There is no image yet. */
void no_image(void);

#endif
