/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random machines, what became of them, and images: on small address spaces, for the
 * tests of what must hold for all. */
#ifndef S2DISK_TESTS_VERDICT_WORLD_H
#define S2DISK_TESTS_VERDICT_WORLD_H

#include "kernel/image_info.h"
#include "verdict/verdict.h"

#include <stdbool.h>
#include <stdint.h>

#define PAGE 4096u
#define UNIT 1024u /* boundaries need not be at pages */
#define FRAMES 96u
#define UNITS (FRAMES * PAGE / UNIT)

/* RAM then and now, above them, that the image holds every second frame of, up to some
 * place: free memory in small pieces. */
#define PIECES_FRAME 0x1000u
#define PIECES_FRAMES 256u

extern uint64_t seed;

/* 0 … below - 1. */
unsigned int pick(unsigned int below);

struct memory_map random_map(void);

/* A neighbour of a map: some region of it moved, grew, changed its type. */
struct memory_map mutate(const struct memory_map *map);

/* The slow way. */
bool frame_is_ram(const struct platform *platform, uint64_t frame);
uint64_t count_ram(const struct platform *platform);

bool holds(const struct frame_list *list, uint64_t frame);

/* Some of the frames that are RAM, this many of eight; rarely one that is not. */
struct frame_list random_image(const struct platform *platform, unsigned int density);

struct world {
	struct platform then, now;
	struct frame_list held;
	unsigned char header[IMAGE_INFO_END];
	struct verdict_image image;
	struct verdict verdict;
};

/* Judged. */
void make_world(struct world *world);
void free_world(struct world *world);

#endif
