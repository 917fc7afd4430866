/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "made_initramfs.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void pad(FILE *out, long unit)
{
	while (ftell(out) % unit)
		putc(0, out);
}

static void add(FILE *out, const char *name, unsigned int inode, unsigned int links,
		unsigned int mode, const char *text)
{
	fprintf(out, "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X", inode, mode, 0,
		0, links, 0, strlen(text), 0, 0, 0, 0, strlen(name) + 1, 0);
	fwrite(name, 1, strlen(name) + 1, out);
	pad(out, 4);
	fputs(text, out);
	pad(out, 4);
}

void made_cpio_add(FILE *out, const char *name, const char *text)
{
	add(out, name, 1, 1, text ? 0100644 : 0040755, text ? text : "");
}

void made_cpio_add_link(FILE *out, const char *name, unsigned int inode, const char *text)
{
	add(out, name, inode, 2, 0100644, text ? text : "");
}

void made_cpio_end(FILE *out)
{
	made_cpio_add(out, "TRAILER!!!", "");
	pad(out, 512);
}

void made_initramfs(const char *path, const char *packer, const char *const *files)
{
	char command[1200], part[300];
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	made_cpio_add(out, "kernel", NULL);
	made_cpio_add(out, "kernel/x86/microcode/AuthenticAMD.bin", "microcode");
	made_cpio_end(out);
	fclose(out);
	snprintf(part, sizeof(part), "%s.part", path);
	out = fopen(part, "w");
	ck_assert_ptr_nonnull(out);
	made_cpio_add(out, ".", NULL);
	for (; files[0]; files += 2)
		made_cpio_add(out, files[0], files[1]);
	made_cpio_end(out);
	fclose(out);
	snprintf(command, sizeof(command), "%s <%s >>%s && rm %s", packer[0] ? packer : "cat", part,
		 path, part);
	ck_assert_int_eq(system(command), 0);
}

static void put(unsigned char *at, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (unsigned char)(value >> (8 * i));
}

static void section(unsigned char *at, const char *name, uint32_t size, uint32_t offset)
{
	strncpy((char *)at, name, 8);
	put(at + 8, size, 4);
	put(at + 16, (size + 511) & ~511U, 4); /* in the file it is padded */
	put(at + 20, offset, 4);
}

size_t made_unified_header(unsigned char header[1024], const char *cmdline, size_t initrd_size)
{
	size_t length = strlen(cmdline);

	memset(header, 0, 1024);
	memcpy(header, "MZ", 2);
	put(header + 60, 128, 4);
	memcpy(header + 128, "PE\0\0\x64\x86", 6);
	put(header + 134, 3, 2);
	put(header + 148, 112, 2); /* the optional header */
	section(header + 264, ".cmdline", (uint32_t)length, 512);
	section(header + 304, ".initrd", (uint32_t)initrd_size, 1024);
	section(header + 344, ".linux", 512, 1024 + (((uint32_t)initrd_size + 511) & ~511U));
	ck_assert_uint_lt(length, 512);
	memcpy(header + 512, cmdline, length);
	return 1024;
}

void made_unified(const char *path, const char *cmdline, const char *packer,
		  const char *const *files)
{
	unsigned char header[1024];
	static unsigned char content[65536];
	size_t length;
	FILE *file;

	made_initramfs(path, packer, files);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	length = fread(content, 1, sizeof(content), file);
	ck_assert_uint_lt(length, sizeof(content));
	fclose(file);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fwrite(header, 1, made_unified_header(header, cmdline, length), file);
	fwrite(content, 1, length, file);
	pad(file, 512);
	for (int i = 0; i < 512; i++)
		putc('k', file); /* the kernel */
	fclose(file);
}
