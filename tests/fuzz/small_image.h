/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small device with an image on it, as image_writer makes it. */
#ifndef S2DISK_TESTS_SMALL_IMAGE_H
#define S2DISK_TESTS_SMALL_IMAGE_H

#include "image/image_writer.h"

#include <stddef.h>

#define SMALL_PAGE 4096u
#define SMALL_PAGES 160u
#define SMALL_BYTES (SMALL_PAGES * (size_t)SMALL_PAGE)

/* Fills device, which has SMALL_BYTES. fd is an empty file for the writer's use. */
void small_image_make(int fd, unsigned char *device);

/* The same with this platform section; maker NULL: none. */
void small_image_make_with(int fd, unsigned char *device, const struct platform_maker *maker);

#endif
