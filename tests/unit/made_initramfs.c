/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "made_initramfs.h"

#include <check.h>
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
