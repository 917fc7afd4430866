/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "preflight/memory.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "base/tree.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEST_COMPRESSION 4
#define MEMINFO_LIMIT 65536

/* "      1528 kB" */
static int parse_kib(const char *text, uint64_t *ret)
{
	char *end;
	unsigned long long value;

	while (*text == ' ')
		text++;
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || !text_starts(end, " kB") || !checked_mul(value, 1024, ret))
		return -EINVAL;
	return 0;
}

int meminfo_line(const char *text, const char *name, uint64_t *ret)
{
	size_t length = strlen(name);

	while (*text) {
		if (strncmp(text, name, length) == 0 && text[length] == ':')
			return parse_kib(text + length + 1, ret);
		text = strchrnul(text, '\n');
		if (*text)
			text++;
	}
	return -ENOENT;
}

int meminfo_parse(const char *text, struct meminfo *ret)
{
	struct meminfo meminfo = { 0 };
	const struct {
		const char *name;
		uint64_t *value;
		bool optional;
	} lines[] = {
		{ "MemTotal", &meminfo.total, false },
		{ "MemFree", &meminfo.free, false },
		{ "Active(anon)", &meminfo.active_anon, false },
		{ "Inactive(anon)", &meminfo.inactive_anon, false },
		{ "Unevictable", &meminfo.unevictable, false },
		{ "SUnreclaim", &meminfo.slab_unreclaimable, false },
		{ "KernelStack", &meminfo.kernel_stack, false },
		{ "PageTables", &meminfo.page_tables, false },
		{ "SwapCached", &meminfo.swap_cached, true }, /* no CONFIG_SWAP */
		{ "VmallocUsed", &meminfo.vmalloc_used, true },
		{ "SecPageTables", &meminfo.secondary_page_tables, true }, /* 6.0 */
		{ "Percpu", &meminfo.percpu, true },
		{ "Hugetlb", &meminfo.huge_pages, true },
		{ "Zswap", &meminfo.zswap, true }, /* 5.19 */
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		int r = meminfo_line(text, lines[i].name, lines[i].value);

		if (r < 0 && !(r == -ENOENT && lines[i].optional))
			return -EINVAL;
	}
	*ret = meminfo;
	return 0;
}

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return checked_add(a, b, &sum) ? sum : UINT64_MAX;
}

static uint64_t add_all(const uint64_t *parts, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum = add_saturating(sum, parts[i]);
	return sum;
}

uint64_t meminfo_kernel(const struct meminfo *meminfo)
{
	const uint64_t parts[] = {
		meminfo->slab_unreclaimable,
		/* Stacks may be part of the vmalloc area, or not. */
		max_u64(meminfo->kernel_stack, meminfo->vmalloc_used),
		meminfo->page_tables,
		meminfo->secondary_page_tables,
		meminfo->percpu,
	};

	return add_all(parts, ARRAY_SIZE(parts));
}

uint64_t meminfo_fixed(const struct meminfo *meminfo)
{
	const uint64_t parts[] = {
		meminfo->unevictable,
		meminfo->huge_pages,
		meminfo_kernel(meminfo),
		meminfo->zram,
	};

	return add_all(parts, ARRAY_SIZE(parts));
}

uint64_t meminfo_must_save(const struct meminfo *meminfo)
{
	/* The lists of pages are disjoint, which AnonPages, Shmem and Mlocked are
	 * not. A page in the swap cache has its place in swap already. */
	uint64_t anon = add_saturating(meminfo->active_anon, meminfo->inactive_anon);
	const uint64_t parts[] = {
		anon - min_u64(anon, meminfo->swap_cached),
		meminfo->zswap,
		meminfo_fixed(meminfo),
	};

	return add_all(parts, ARRAY_SIZE(parts));
}

uint64_t zram_memory(const char *root)
{
	char path[PATH_MAX], text[256];
	unsigned long long used;
	uint64_t sum = 0;
	_cleanup_names_ struct tree_names names = { 0 };

	if (tree_list(root, "/sys/block", &names) < 0)
		return 0;
	for (size_t i = 0; i < names.count; i++) {
		snprintf(path, sizeof(path), "/sys/block/%s/mm_stat", names.items[i]);
		if (text_starts(names.items[i], "zram") &&
		    io_read_text(root, path, text, sizeof(text)) > 0 &&
		    sscanf(text, "%*u %*u %20llu", &used) == 1)
			sum = add_saturating(sum, used);
	}
	return sum;
}

int meminfo_read(const char *root, struct meminfo *ret)
{
	_cleanup_free_ char *text = NULL;
	int r = io_read_file(root, "/proc/meminfo", MEMINFO_LIMIT, &text, NULL);

	if (r == 0)
		r = meminfo_parse(text, ret);
	if (r == 0)
		ret->zram = zram_memory(root);
	return r;
}

void swap_need_for(uint64_t must, uint64_t total, uint64_t other_free, bool compress,
		   struct swap_need *ret)
{
	struct swap_need need = { .image = min_u64(must, total / 2) };
	uint64_t here;

	need.pushed = must - need.image;
	here = need.pushed - min_u64(need.pushed, other_free);
	need.least = here + (compress ? need.image / BEST_COMPRESSION : need.image);
	need.plain = here + need.image;
	*ret = need;
}
