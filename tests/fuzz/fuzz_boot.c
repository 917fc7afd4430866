/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a boot loader's files and an initramfs may hold. */
#include "fuzz.h"

#include "boot/boot_entry.h"
#include "boot/cpio.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void check_entry(const struct boot_entry *entry)
{
	fuzz_assert(memchr(entry->title, 0, sizeof(entry->title)));
	fuzz_assert(memchr(entry->kernel, 0, sizeof(entry->kernel)));
	fuzz_assert(memchr(entry->initramfs, 0, sizeof(entry->initramfs)));
	fuzz_assert(memchr(entry->arguments, 0, sizeof(entry->arguments)));
	fuzz_assert(entry->kernel[0]);
}

/* Configuration, a zero byte, grubenv. */
static void fuzz_texts(const char *config, const char *environment)
{
	struct boot_entry entry;

	memset(&entry, 0xff, sizeof(entry));
	if (boot_entry_from_grub(config, environment, &entry) == 0)
		check_entry(&entry);
	memset(&entry, 0xff, sizeof(entry));
	if (boot_entry_from_file(config, environment, &entry) == 0)
		check_entry(&entry);
}

static void fuzz_cpio(const uint8_t *data, size_t size)
{
	struct cpio *cpio = malloc(sizeof(*cpio));
	int fd = memfd_create("cpio", 0);
	struct cpio_entry entry;
	uint64_t before = 0;

	fuzz_assert(cpio && fd >= 0 && write(fd, data, size) == (ssize_t)size &&
		    lseek(fd, 0, SEEK_SET) == 0);
	cpio_begin(cpio, fd);
	while (cpio_next(cpio, &entry) == 1) {
		fuzz_assert(memchr(entry.name, 0, sizeof(entry.name)));
		fuzz_assert(cpio->position > before);
		before = cpio->position;
		if (cpio_content(cpio, &entry, NULL) < 0)
			break;
	}
	fuzz_assert(cpio->position <= size);
	close(fd);
	free(cpio);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 2);

	fuzz_assert(text);
	memcpy(text, data, size);
	text[size] = text[size + 1] = '\0';
	fuzz_texts(text, text + strnlen(text, size) + (strlen(text) < size));
	free(text);
	fuzz_cpio(data, size);
	return 0;
}
