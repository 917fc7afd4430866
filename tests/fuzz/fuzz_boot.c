/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an initramfs, a unified kernel image and a table of encrypted devices may hold. */
#include "fuzz.h"

#include "boot/boot_files.h"
#include "boot/cpio.h"
#include "boot/initramfs.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void fuzz_unified(const uint8_t *data, size_t size)
{
	const uint64_t file_size = 3 * size;
	struct unified_image image;

	if (!unified_image_parse(data, size, file_size, &image))
		return;
	fuzz_assert(image.initrd.length > 0);
	fuzz_assert(image.initrd.offset <= file_size &&
		    image.initrd.length <= file_size - image.initrd.offset);
	fuzz_assert(image.cmdline.offset <= file_size &&
		    image.cmdline.length <= file_size - image.cmdline.offset);
}

/* A crypttab, a zero byte, a command line. */
static void fuzz_opens(char *table, const char *cmdline)
{
	struct initramfs initramfs = { .files = { { "etc/crypttab", table } }, .count = 1 };

	for (int i = 0; i < 2; i++)
		if (initramfs_opens(&initramfs, cmdline, "swap", "bd6056f3000040008000000000000002",
				    i == 1))
			fuzz_assert(strlen(table) + strlen(cmdline) >= 4);
}

static void fuzz_cpio(uint8_t *data, size_t size)
{
	FILE *file = size ? fmemopen(data, size, "r") : NULL;
	struct cpio_entry entry;
	uint64_t before = 0;
	struct cpio cpio;

	if (!file)
		return;
	cpio_begin(&cpio, file, size);
	fuzz_assert(cpio_first(&cpio) != 0 || cpio.position == size);
	while (cpio_next(&cpio, &entry) == 1) {
		fuzz_assert(memchr(entry.name, 0, sizeof(entry.name)));
		fuzz_assert(cpio.position > before);
		before = cpio.position;
		if (cpio_content(&cpio, NULL, entry.size) < 0)
			break;
	}
	fuzz_assert(cpio.position <= size);
	fclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 2);

	fuzz_assert(text);
	memcpy(text, data, size);
	text[size] = text[size + 1] = '\0';
	fuzz_opens(text, text + strnlen(text, size) + (strlen(text) < size));
	fuzz_cpio((uint8_t *)text, size);
	free(text);
	fuzz_unified(data, size);
	return 0;
}
