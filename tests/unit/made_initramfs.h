/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes initramfs images for tests: cpio archives, packed by the system. */
#ifndef TESTS_MADE_INITRAMFS_H
#define TESTS_MADE_INITRAMFS_H

#include <stdio.h>

/* Appends a regular file, or, where text is NULL, a folder. */
void made_cpio_add(FILE *out, const char *name, const char *text);

/* Appends one of several names of a file: text NULL for all but the last. */
void made_cpio_add_link(FILE *out, const char *name, unsigned int inode, const char *text);

/* Appends the archive's end and zeros to the next 512 bytes. */
void made_cpio_end(FILE *out);

/* Writes an initramfs as distributions make them: microcode in an archive of
 * its own, then the rest, packed with the command ("" for not at all). files:
 * pairs of name and text, ended by NULL. */
void made_initramfs(const char *path, const char *packer, const char *const *files);

/* A unified kernel image (PE): the command line, then such an initramfs, then a kernel. */
void made_unified(const char *path, const char *cmdline, const char *packer,
		  const char *const *files);

/* Its headers and command line, 1024 bytes, which it returns. The table of sections is at 264. */
size_t made_unified_header(unsigned char header[1024], const char *cmdline, size_t initrd_size);

#endif
