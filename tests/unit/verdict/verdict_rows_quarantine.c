/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of doc/platform-verdict.md, Memory: claimed frames without a page of the image,
 * by their zone and place. PLAIN has DMA and DMA32, up to frame 0x40000. */
#include "verdict_rows.h"

#define HERE (PLACE / PAGE)
#define DONE "it is offlined after the resume"

static void lose(uint64_t frame, uint64_t count)
{
	now_has(frame * PAGE, count * PAGE, MEMORY_RESERVED);
}

/* A GiB above 4 GiB, from which the saved kernel allocates first. */
static void add_normal(void)
{
	both_have(0x100000000, 1 << 30, MEMORY_RAM);
	add_zones(&then);
}

/* Of Normal, 261 blocks of 512 are free; of the others, more pages have copies there. */
static void use_most(uint64_t others)
{
	hold(0x300, others - 6);
	have_pieces(0x10000);
	hold(0x100000, 251 * 512);
}

/* Frames of DMA32 that are in no block of 16, from HERE on. */
static void make_pieces(uint64_t frames)
{
	static struct frame_range held[600];
	size_t count = image.range_count;

	memcpy(held, image.ranges, count * sizeof(held[0]));
	for (uint64_t left = frames + 1, at = HERE; left > 0; at += 16) {
		uint64_t piece = left < 15 ? left : 15;

		held[count++] = (struct frame_range){ at + piece, 16 - piece };
		left -= piece;
	}
	image.ranges = held;
	image.range_count = count;
}

ROW("RAM → not RAM, no image page there, and the saved kernel hardly has reason to use any of it "
    "before it is offlined (zone and place, below)");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_CORRECTED, DONE, .quarantine = 4, .plan = CHECKSUM)
{
	lose(HERE, 4);
	hold(HERE - 1, 1); /* in another block of 512, as the next one */
	hold(HERE + 512, 1);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_CORRECTED, DONE, .quarantine = 1024, .plan = CHECKSUM)
{
	lose(HERE, 1024);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_CORRECTED, DONE, .quarantine = 1, .plan = CHECKSUM)
{
	now_has(PLACE + 1024, 1, MEMORY_RESERVED); /* a byte is enough */
}

/* An eighth of the zone and 1,024 frames are free above. */
LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_CORRECTED, DONE, .quarantine = 4, .plan = CHECKSUM)
{
	lose(0x37dfc, 4);
}

/* One of 50 free ones, without 64: of 72 blocks of 512. */
LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_CORRECTED, DONE, .quarantine = 673, .plan = CHECKSUM)
{
	lose(HERE, 673);
	hold(0x1000, HERE - 0x1000);
	hold(HERE + 72 * 512, 0x40000 - HERE - 72 * 512);
}

/* At the top, but of a zone that is spared: a copy of each page of the image, and 1,024
 * pages four times, fit into Normal. */
LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_CORRECTED, DONE, .quarantine = 16, .plan = CHECKSUM)
{
	add_normal();
	lose(0x3fff0, 16);
	use_most(736);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_CORRECTED, DONE, .quarantine = 4, .plan = CHECKSUM)
{
	add_normal();
	lose(HERE, 4);
	have_pieces(0x10000);
	hold(HERE - 1, 1);
	hold(HERE + 16, 1);
}

/* In DMA, which DMA32 spares. */
LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_CORRECTED, DONE, .quarantine = 16, .plan = CHECKSUM)
{
	lose(0x400, 16);
	have_pieces(0x800);
}

/* A small piece among many. */
LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_CORRECTED, DONE, .quarantine = 1, .plan = CHECKSUM)
{
	add_normal();
	lose(HERE, 1);
	make_pieces(800);
}

ROW("the same, in a small piece of free memory");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY,
     "4 pages of it lie in a small piece of free memory (zone DMA32 of node 0)", .quarantine = 4,
     .plan = CHECKSUM, .advice = "memmap=16K$0x20000000")
{
	lose(HERE, 4);
	hold(HERE + 511, 1);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "1 page of it lies in a small piece",
     .quarantine = 1, .plan = CHECKSUM, .advice = "policy = tolerant")
{
	lose(HERE + 512, 1);
	hold(HERE + 1023, 1);
}

/* What was offlined before is not free either. */
LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "4 pages of it lie in a small piece",
     .quarantine = 4, .plan = CHECKSUM)
{
	lose(HERE, 4);
	then.ram.poisoned.known = true;
	ck_assert_int_eq(list_append(&then.ram.poisoned, ((struct frame_range){ HERE + 100, 1 })),
			 0);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "4 pages of it lie in a small piece",
     .quarantine = 4, .plan = CHECKSUM)
{
	add_normal();
	lose(HERE, 4);
	hold(HERE + 15, 1);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "1 page of it lies in a small piece",
     .quarantine = 1, .plan = CHECKSUM)
{
	add_normal();
	lose(HERE, 1);
	make_pieces(799);
}

ROW("the same, near the top of a zone that is not spared");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY,
     "1 page of it lies near the top of zone DMA32 of node 0 (33279 free above, of 33280 needed)",
     .quarantine = 1, .plan = CHECKSUM, .advice = "memmap=4K$0x37e00000")
{
	lose(0x37e00, 1);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "4 pages of it lie near the top", .quarantine = 4,
     .plan = CHECKSUM)
{
	lose(0x37dfc, 4);
	hold(0x3ffff, 1);
}

/* Normal is used first, but what is asked of DMA32 alone finds no smaller block. */
LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "16 pages of it lie near the top of zone DMA32",
     .quarantine = 16, .plan = CHECKSUM)
{
	add_normal();
	lose(0x3fff0, 16);
}

/* The lists of four processors hold more. */
LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "of 34304 needed", .quarantine = 4,
     .plan = CHECKSUM)
{
	lose(0x37dfc, 4);
	then.cpu.info.online = now.cpu.info.online = 4;
}

/* Normal would be used up by the snapshot's own pages. */
LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "near the top of zone DMA32", .quarantine = 16,
     .plan = CHECKSUM)
{
	add_normal();
	lose(0x3fff0, 16);
	use_most(737);
}

/* … or has enough, but for its watermark. */
LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "near the top of zone DMA32", .quarantine = 16,
     .plan = CHECKSUM)
{
	add_normal();
	lose(0x3fff0, 16);
	have_pieces(0x10000);
	then.ram.zones.items.items[2].high = 0x15000;
}

/* … or is in a balloon. */
LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "near the top of zone DMA32", .quarantine = 16,
     .plan = CHECKSUM)
{
	add_normal();
	lose(0x3fff0, 16);
	have_pieces(0x10000);
	then.ram.zones.items.items[2].managed = 0x126 + 4095;
}

/* Another node's, or one from which only programs allocate. */
LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "near the top of zone DMA32", .quarantine = 16,
     .plan = CHECKSUM)
{
	add_normal();
	lose(0x3fff0, 16);
	have_pieces(0x10000);
	then.ram.zones.items.items[2].node = 1;
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "near the top of zone DMA32", .quarantine = 16,
     .plan = CHECKSUM)
{
	add_normal();
	lose(0x3fff0, 16);
	have_pieces(0x10000);
	SET(then.ram.zones.items.items[2].name, "Movable");
}

ROW("the same, and more than one in fifty of the free pages there");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY,
     "674 of 36864 free pages of zone DMA32 of node 0 are gone, so one may", .quarantine = 674,
     .plan = CHECKSUM)
{
	lose(HERE, 674);
	hold(0x1000, HERE - 0x1000);
	hold(HERE + 72 * 512, 0x40000 - HERE - 72 * 512);
}

ROW("the same, not within one zone");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "not within one zone", .quarantine = 4,
     .plan = CHECKSUM)
{
	lose(HERE, 4);
	list_free(&then.ram.zones.items);
	add_zone(&then, "DMA32", 0x1000, HERE + 2);
	add_zone(&then, "Normal", HERE + 2, 0x40000);
}

/* In one, and partly in another that overlaps it. */
LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "not within one zone", .quarantine = 4,
     .plan = CHECKSUM)
{
	lose(HERE, 4);
	list_free(&then.ram.zones.items);
	add_zone(&then, "DMA32", 0x1000, 0x40000);
	add_zone(&then, "Normal", HERE + 2, 0x40000);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "not within one zone", .quarantine = 4,
     .plan = CHECKSUM)
{
	lose(HERE, 4);
	add_zone(&then, "DMA32", HERE, HERE + 4); /* of two nodes */
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "not within one zone", .quarantine = 4,
     .plan = CHECKSUM)
{
	lose(HERE, 4);
	then.ram.zones.items.count = 1;
}

ROW("the same, and the image does not say which zones its kernel has (written by an s2disk that "
    "did "
    "not record it)");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "does not record the zones", .quarantine = 4,
     .plan = CHECKSUM, .advice = "policy = tolerant")
{
	lose(HERE, 4);
	list_free(&then.ram.zones.items);
}

ROW("the same, more than 1,024 pages (4 MiB), or at more than 100 places");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL, "more memory is gone than can be offlined",
     .quarantine = 1025, .plan = CHECKSUM)
{
	lose(HERE, 1025);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL, "more memory is gone than can be offlined",
     .quarantine = 1025, .plan = CHECKSUM)
{
	lose(HERE, 1025);
	then.kernel.flags = KERNEL_WIPES_FREE;
}
