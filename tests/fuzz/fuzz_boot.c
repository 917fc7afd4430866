/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contents of an initramfs, a unified kernel image, a table of encrypted devices, and the
 * firmware's variable HibernateLocation. */
#include "fuzz.h"

#include "boot/boot_files.h"
#include "boot/hibernate_location.h"
#include "boot/initramfs.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void fuzz_unified(const uint8_t *data, size_t size)
{
	const uint64_t file_size = 3 * size;
	struct boot_file image = { 0 };

	if (!boot_file_parse(data, size, file_size, &image))
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
		if (initramfs_opens(&initramfs, cmdline, "swap",
				    "bd6056f3-0000-4000-8000-000000000002", i == 1))
			fuzz_assert(strlen(table) + strlen(cmdline) >= 4);
}

/* Instead of the decompressors: the unpacked content is the file itself. */
static FILE *unpacked;

FILE *popen(const char *command, const char *type)
{
	(void)command, (void)type;
	return unpacked;
}

int pclose(FILE *file)
{
	(void)file;
	return 0;
}

static void fuzz_initramfs(uint8_t *data, size_t size)
{
	const struct initramfs_secrets secrets = { { "etc/swap.key" }, 1 };
	int fd = memfd_create("initramfs", 0);
	struct boot_file file = { .changed = 0 };
	struct initramfs initramfs;

	fuzz_assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	unpacked = fmemopen(data, size, "r");
	snprintf(file.path, sizeof(file.path), "/proc/self/fd/%d", fd);
	if (initramfs_read("", &file, &secrets, 0, &initramfs, NULL) == 0) {
		fuzz_assert(initramfs.count <= INITRAMFS_FILES_MAX);
		for (size_t i = 0; i < initramfs.count; i++) {
			fuzz_assert(initramfs.files[i].text);
			fuzz_assert(i == 0 || strcmp(initramfs.files[i - 1].name,
						     initramfs.files[i].name) < 0);
		}
	}
	initramfs_free(&initramfs);
	if (unpacked)
		fclose(unpacked);
	close(fd);
}

static void fuzz_location(const uint8_t *data, size_t size)
{
	struct hibernate_location location;

	if (hibernate_location_parse(data, size, &location) == 0)
		fuzz_assert(strspn(location.uuid, "-0123456789abcdef") == TEXT_UUID_SIZE - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 2);

	fuzz_assert(text);
	memcpy(text, data, size);
	text[size] = text[size + 1] = '\0';
	fuzz_opens(text, text + strnlen(text, size) + (strlen(text) < size));
	fuzz_initramfs((uint8_t *)text, size);
	free(text);
	fuzz_unified(data, size);
	fuzz_location(data, size);
	return 0;
}
