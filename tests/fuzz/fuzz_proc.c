/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text of /proc: the kernel command line and the list of swap areas. */
#include "fuzz.h"

#include "kernel/kernel_cmdline.h"
#include "swap/swap_area.h"

#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void fuzz_cmdline(const char *text)
{
	struct kernel_cmdline cmdline;

	memset(&cmdline, 0xff, sizeof(cmdline));
	kernel_cmdline_parse(text, &cmdline);
	fuzz_assert(memchr(cmdline.resume, 0, sizeof(cmdline.resume)));
	fuzz_assert(memchr(cmdline.bad_offset, 0, sizeof(cmdline.bad_offset)));
	fuzz_assert(!cmdline.nohibernate || cmdline.noresume);
	fuzz_assert(!cmdline.bad_offset[0] || cmdline.resume_offset == 0);
	fuzz_assert(!cmdline.resume[0] || strstr(text, "resume"));
}

static void fuzz_swaps(const char *text)
{
	struct swap_entry entries[4];
	int count;

	memset(entries, 0xee, sizeof(entries));
	count = swaps_parse(text, entries, 3);
	for (size_t i = 0; i < sizeof(entries[3]); i++)
		fuzz_assert(((unsigned char *)&entries[3])[i] == 0xee);
	for (int i = 0; i < count && i < 3; i++) {
		fuzz_assert(memchr(entries[i].path, 0, sizeof(entries[i].path)));
		fuzz_assert(entries[i].size % 1024 == 0 && entries[i].used % 1024 == 0);
		if (swap_entry_suitable(&entries[i]))
			fuzz_assert(entries[i].path[0] && !entries[i].deleted);
	}
	fuzz_assert(swaps_parse(text, NULL, 0) == count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char head[] = "Filename Type Size Used Priority\n";
	char *text = malloc(size + 1), *swaps = malloc(sizeof(head) + size);

	fuzz_assert(text && swaps);
	memcpy(text, data, size);
	text[size] = '\0';
	memcpy(swaps, head, sizeof(head) - 1);
	memcpy(swaps + sizeof(head) - 1, text, size + 1);
	fuzz_cmdline(text);
	fuzz_swaps(text);
	fuzz_swaps(swaps);
	free(text);
	free(swaps);
	return 0;
}
