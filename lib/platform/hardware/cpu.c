/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/hardware/cpu.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "base/tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CPUINFO_LIMIT (64u << 20)

void cpu_free(struct cpu *cpu)
{
	list_free(&cpu->words);
	list_free(&cpu->named);
}

/* x86's names first, then arm64's. */
static const struct {
	const char *key;
	size_t offset;
	size_t size;
} fields[] = {
#define FIELD(key, member)                                                                     \
	{                                                                                      \
		key, offsetof(struct cpu_info, member), sizeof(((struct cpu_info *)0)->member) \
	}
	FIELD("vendor_id", vendor),
	FIELD("cpu family", family),
	FIELD("model", model),
	FIELD("model name", model_name),
	FIELD("stepping", stepping),
	FIELD("microcode", microcode),
	FIELD("address sizes", addresses),
	FIELD("flags", flags),
	FIELD("CPU implementer", vendor),
	FIELD("CPU architecture", family),
	FIELD("CPU part", model),
	FIELD("CPU revision", stepping),
	FIELD("Features", flags),
#undef FIELD
};

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Kernels list flags in the order of their own tables; sorted, they can be compared. */
static int sort_words(char *text, size_t size)
{
	_cleanup_free_ char *copy = strdup(text);
	char *words[1024], *at = copy, *word;
	size_t count = 0, used = 0;

	if (!copy)
		return -ENOMEM;
	while (count < ARRAY_SIZE(words) && (word = strsep(&at, " ")))
		if (*word)
			words[count++] = word;
	qsort(words, count, sizeof(words[0]), compare_words);
	text[0] = '\0';
	for (size_t i = 0; i < count && used + strlen(words[i]) + 2 <= size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "", words[i]);
	return 0;
}

static void take_field(struct cpu_info *info, const char *key, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		char *to = (char *)info + fields[i].offset;

		/* The first processor stands for all. */
		if (strcmp(key, fields[i].key) != 0 || *to)
			continue;
		text_copy(to, fields[i].size, value);
		text_make_line(to, ' ');
	}
}

int cpu_parse(const char *cpuinfo, struct cpu_info *ret)
{
	_cleanup_free_ char *copy = strdup(cpuinfo);
	char *at = copy, *line;

	if (!copy)
		return -ENOMEM;
	while ((line = strsep(&at, "\n"))) {
		char *key = strsep(&line, ":");

		if (!line)
			continue;
		key = text_trim(key);
		if (strcmp(key, "processor") == 0)
			ret->online++;
		else
			take_field(ret, key, text_trim(line));
	}
	return sort_words(ret->flags, sizeof(ret->flags));
}

uint32_t cpu_count_list(const char *text)
{
	uint32_t total = 0;

	while (*text) {
		unsigned int first, last;
		int used = 0;

		if (sscanf(text, "%u%n", &first, &used) != 1)
			return 0;
		text += used;
		last = first;
		if (*text == '-') {
			if (sscanf(text, "-%u%n", &last, &used) != 1 || last < first)
				return 0;
			text += used;
		}
		total += last - first + 1;
		if (*text == ',')
			text++;
		else if (*text)
			return 0;
	}
	return total;
}

bool cpu_has_flag(const char *flags, const char *word, size_t length)
{
	for (const char *at = flags; (at = strstr(at, word)) != NULL; at++) {
		if ((at == flags || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
			return true;
	}
	return false;
}

int cpu_capture(const char *root, struct cpu *ret)
{
	_cleanup_free_ char *text = NULL;
	struct cpu cpu = { 0 };
	char present[64];
	int r = io_read_file(root, "/proc/cpuinfo", CPUINFO_LIMIT, &text, NULL);

	if (r == 0)
		r = cpu_parse(text, &cpu.info);
	if (r == -ENOMEM)
		return r;
	if (tree_text(root, present, sizeof(present), "/sys/devices/system/cpu/present"))
		cpu.info.present = cpu_count_list(present);
	if (!*root && cpuid_capture(&cpu) < 0) {
		cpu_free(&cpu);
		return -ENOMEM;
	}
	*ret = cpu;
	return 0;
}
