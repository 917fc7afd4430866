/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/boot_words.h"

#include "base/bytes.h"

#include <string.h>

static const char *const named_words[] = {
	[NAMED_BY_UNKNOWN] = "",
	[NAMED_BY_NOTHING] = "nothing",
	[NAMED_BY_FILE] = "file",
	[NAMED_BY_ARGUMENT] = "argument",
	[NAMED_BY_KERNEL] = "command-line",
	[NAMED_BY_DEFAULT] = "default",
	[NAMED_BY_FIRMWARE] = "firmware",
};

static const char *const found_words[] = {
	[FOUND_UNKNOWN] = "",
	[FOUND_NOTHING_NAMED] = "nothing-named",
	[FOUND_NO_DEVICE] = "no-device",
	[FOUND_NOT_LOOKED] = "not-looked",
	[FOUND_UNUSABLE] = "unusable",
	[FOUND_NO_SWAP] = "no-swap",
	[FOUND_SWAP] = "swap",
	[FOUND_OTHER_SWAP] = "other-swap",
	[FOUND_KERNEL_IMAGE] = "kernel-image",
	[FOUND_IMAGE] = "image",
};

static const char *const fate_words[] = {
	[FATE_UNKNOWN] = "",
	[FATE_NONE] = "none",
	[FATE_DISCARDED] = "discarded",
	[FATE_STILL_THERE] = "still-there",
	[FATE_RESTORED] = "restored",
};

static size_t find(const char *const *words, size_t count, const char *word)
{
	for (size_t i = 1; i < count; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return 0;
}

const char *boot_named_word(enum boot_named by)
{
	return named_words[by];
}

const char *boot_found_word(enum boot_found found)
{
	return found_words[found];
}

const char *boot_fate_word(enum boot_fate fate)
{
	return fate_words[fate];
}

enum boot_named boot_named_parse(const char *word)
{
	return (enum boot_named)find(named_words, ARRAY_SIZE(named_words), word);
}

enum boot_found boot_found_parse(const char *word)
{
	return (enum boot_found)find(found_words, ARRAY_SIZE(found_words), word);
}

enum boot_fate boot_fate_parse(const char *word)
{
	return (enum boot_fate)find(fate_words, ARRAY_SIZE(fate_words), word);
}
