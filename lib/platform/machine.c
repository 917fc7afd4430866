/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/machine.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "platform/tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

static uint32_t flag_of_word(const char *word)
{
	if (strcmp(word, "nokaslr") == 0)
		return KERNEL_NOKASLR;
	if (text_starts(word, "memmap=") || text_starts(word, "mem="))
		return KERNEL_MEMMAP;
	if (strcmp(word, "noefi") == 0 || (text_starts(word, "efi=") && strstr(word, "noruntime")))
		return KERNEL_NO_EFI_RUNTIME;
	if (strcmp(word, "init_on_free=1") == 0 || strcmp(word, "init_on_free=y") == 0 ||
	    strcmp(word, "init_on_free=on") == 0 || strcmp(word, "page_poison=1") == 0 ||
	    strcmp(word, "page_poison=on") == 0)
		return KERNEL_WIPES_FREE;
	if (text_starts(word, "acpi_sleep=") && strstr(word, "nonvs"))
		return KERNEL_NO_NVS;
	return 0;
}

uint32_t kernel_flags_of(const char *cmdline)
{
	uint32_t flags = 0;

	while (*cmdline) {
		size_t length = strcspn(cmdline, " \t\n");
		char word[256];

		/* What is longer is none of them. */
		if (length < sizeof(word)) {
			memcpy(word, cmdline, length);
			word[length] = '\0';
			flags |= flag_of_word(word);
		}
		cmdline += length + (cmdline[length] != '\0');
	}
	return flags;
}

int kernel_capture(const char *root, const char *kernel_log, struct kernel *ret)
{
	_cleanup_free_ char *cmdline = NULL;
	struct kernel kernel = { 0 };
	struct utsname uts;
	int r;

	tree_text(root, kernel.release, sizeof(kernel.release), "/proc/sys/kernel/osrelease");
	tree_text(root, kernel.build, sizeof(kernel.build), "/proc/version");
	if (!tree_text(root, kernel.machine, sizeof(kernel.machine), "/proc/sys/kernel/arch") &&
	    !*root && uname(&uts) == 0)
		text_copy(kernel.machine, sizeof(kernel.machine), uts.machine);
	r = io_read_file(root, "/proc/cmdline", 1u << 16, &cmdline, NULL);
	if (r == -ENOMEM)
		return r;
	if (r == 0)
		kernel.flags = kernel_flags_of(cmdline);
	/* A kernel built to wipe says so only here. */
	if (kernel_log && strstr(kernel_log, "heap free:on"))
		kernel.flags |= KERNEL_WIPES_FREE;
	*ret = kernel;
	return 0;
}

void dmi_capture(const char *root, struct dmi *ret)
{
	struct dmi dmi = { 0 };

#define TAKE(member, name) \
	tree_text(root, dmi.member, sizeof(dmi.member), "/sys/class/dmi/id/" name)
	TAKE(vendor, "sys_vendor");
	TAKE(product, "product_name");
	TAKE(version, "product_version");
	TAKE(board, "board_name");
	TAKE(firmware_vendor, "bios_vendor");
	TAKE(firmware_version, "bios_version");
	TAKE(firmware_date, "bios_date");
#undef TAKE
	*ret = dmi;
}

int kernel_at_least(const char *release, unsigned int major, unsigned int minor)
{
	unsigned int have_major, have_minor;

	if (sscanf(release, "%u.%u", &have_major, &have_minor) != 2)
		return 0;
	return have_major > major || (have_major == major && have_minor >= minor);
}
