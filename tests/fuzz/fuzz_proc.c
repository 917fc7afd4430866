/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text of /proc and /run: the kernel command line, the list of swap areas, and the
 * boot record. */
#include "fuzz.h"

#include "history/boot_record.h"
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

/* Whatever is read can be written, and then reads the same. */
static void fuzz_record(const char *text)
{
	static struct boot_record first, second;
	char *written, *again;
	size_t length, second_length;

	if (boot_record_parse(text, &first, NULL) < 0)
		return;
	fuzz_assert(first.run_count <= BOOT_RUNS_MAX);
	fuzz_assert(boot_record_encode(&first, &written, &length) == 0);
	fuzz_assert(boot_record_parse(written, &second, NULL) == 0);
	fuzz_assert(boot_record_encode(&second, &again, &second_length) == 0);
	fuzz_assert(strcmp(written, again) == 0);
	free(written);
	free(again);
	boot_record_free(&first);
	boot_record_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char head[] = "Filename Type Size Used Priority\n";
	static const char title[] = "s2disk boot record 1\n";
	char *text = malloc(size + 1), *swaps = malloc(sizeof(head) + size);
	char *record = malloc(sizeof(title) + size);

	fuzz_assert(text && swaps && record);
	memcpy(text, data, size);
	text[size] = '\0';
	memcpy(swaps, head, sizeof(head) - 1);
	memcpy(swaps + sizeof(head) - 1, text, size + 1);
	fuzz_cmdline(text);
	fuzz_swaps(text);
	fuzz_swaps(swaps);
	memcpy(record, title, sizeof(title) - 1);
	memcpy(record + sizeof(title) - 1, text, size + 1);
	fuzz_record(text);
	fuzz_record(record);
	free(record);
	free(text);
	free(swaps);
	return 0;
}
