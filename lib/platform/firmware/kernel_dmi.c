/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/firmware/kernel_dmi.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "base/tree.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

/* Of a word that does not depend on others. */
static uint32_t flag_of_word(const char *word)
{
	if (strcmp(word, "nokaslr") == 0)
		return KERNEL_NOKASLR;
	if (text_starts(word, "memmap=") || text_starts(word, "mem="))
		return KERNEL_MEMMAP;
	if (text_starts(word, "acpi_sleep=") && strstr(word, "nonvs"))
		return KERNEL_NO_NVS;
	return 0;
}

/* kstrtobool(): does the value mean no? */
static bool says_no(const char *value)
{
	return strchr("nN0", *value)
		       ? *value != '\0'
		       : (*value == 'o' || *value == 'O') && (value[1] == 'f' || value[1] == 'F');
}

/* NAME or NAME=VALUE; *ret then is the value ("" for a bare word). */
static bool is_parameter(const char *word, const char *name, const char **ret)
{
	if (!text_starts(word, name))
		return false;
	word += strlen(name);
	*ret = *word == '=' ? word + 1 : word;
	return *word == '=' || *word == '\0';
}

/* The last of several words counts. */
struct last_words {
	bool wiped;   /* init_on_free */
	bool poisons; /* page_poison */
	bool no_efi;
	uint32_t signature;
};

static bool has_option(const char *list, const char *option)
{
	size_t length = strlen(option);

	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, option, length) == 0 && (at[length] == ',' || !at[length]))
			return true;
	}
	return false;
}

/* "runtime" of the same word comes last (parse_efi_cmdline() in drivers/firmware/efi/efi.c). */
static void hear_efi(const char *options, struct last_words *last)
{
	if (has_option(options, "noruntime"))
		last->no_efi = true;
	if (has_option(options, "runtime"))
		last->no_efi = false;
}

static void hear(const char *word, struct last_words *last)
{
	const char *value;

	if (is_parameter(word, "init_on_free", &value))
		last->wiped = !says_no(value);
	else if (is_parameter(word, "page_poison", &value))
		last->poisons = !says_no(value);
	else if (strcmp(word, "noefi") == 0)
		last->no_efi = true;
	else if (text_starts(word, "efi="))
		hear_efi(word + strlen("efi="), last);
	else if (text_starts(word, "acpi_sleep=") && strstr(word, "s4_hwsig"))
		last->signature = KERNEL_SIGNATURE;
	else if (text_starts(word, "acpi_sleep=") && strstr(word, "s4_nohwsig"))
		last->signature = KERNEL_NO_SIGNATURE;
}

static void same_dashes(char *word)
{
	for (; *word && *word != '='; word++)
		if (*word == '-')
			*word = '_';
}

uint32_t kernel_flags_of(const char *cmdline)
{
	struct last_words last = { 0 };
	uint32_t flags = 0;

	while (*cmdline) {
		size_t length = strcspn(cmdline, " \t\n");
		char word[256];

		if (length == 2 && strncmp(cmdline, "--", 2) == 0)
			break;
		/* Anything longer is none of them. */
		if (length < sizeof(word)) {
			memcpy(word, cmdline, length);
			word[length] = '\0';
			same_dashes(word);
			flags |= flag_of_word(word);
			hear(word, &last);
		}
		cmdline += length + (cmdline[length] != '\0');
	}
	if (last.wiped || last.poisons)
		flags |= KERNEL_WIPES_FREE;
	if (last.no_efi)
		flags |= KERNEL_NO_EFI_RUNTIME;
	return flags | last.signature;
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
	/* A kernel built to wipe reports that only here. */
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
