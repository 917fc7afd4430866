/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/kept_memory.h"

#include "base/bytes.h"
#include "base/io.h"
#include "base/text.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

/* With nodes, the per-node numbers show where the pages are; a kernel without nodes has
 * only the global ones. */
#define OF_NODES "/sys/devices/system/node/node[0-9]*/hugepages/hugepages-*/nr_hugepages"
#define OF_ALL "/sys/kernel/mm/hugepages/hugepages-*/nr_hugepages"
#define CRASH_SIZE "/sys/kernel/kexec_crash_size"

static uint64_t read_number(const char *root, const char *path)
{
	char text[32];
	uint64_t number;

	if (io_read_text(root, path, text, sizeof(text)) <= 0 ||
	    text_parse_u64(text_trim(text), &number) < 0)
		return 0;
	return number;
}

static int write_number(const char *root, const char *path, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu\n", (unsigned long long)number);
	return io_write_text(root, path, text);
}

/* Of ".../hugepages-2048kB/nr_hugepages". */
static uint64_t size_of_pages(const char *path)
{
	const char *at = strstr(path, "hugepages-");
	unsigned long long kib;

	return at && sscanf(at, "hugepages-%llukB", &kib) == 1 ? kib * 1024 : 0;
}

static uint64_t give_one(struct kept_memory *kept, const char *root, const char *path)
{
	uint64_t before = read_number(root, path), after, bytes;

	if (before == 0 || kept->count == KEPT_MEMORY_MAX ||
	    !text_copy(kept->given[kept->count].path, sizeof(kept->given[0].path), path) ||
	    write_number(root, path, 0) < 0)
		return 0;
	after = read_number(root, path);
	if (after >= before)
		return 0;
	kept->given[kept->count++].pages = before;
	return checked_mul(before - after, size_of_pages(path), &bytes) ? bytes : 0;
}

static uint64_t give_matching(struct kept_memory *kept, const char *root, const char *pattern)
{
	char whole[512];
	uint64_t bytes = 0;
	glob_t found;

	if (snprintf(whole, sizeof(whole), "%s%s", root, pattern) >= (int)sizeof(whole) ||
	    glob(whole, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++)
		bytes += give_one(kept, root, found.gl_pathv[i] + strlen(root));
	globfree(&found);
	return bytes;
}

uint64_t kept_memory_give_huge(struct kept_memory *kept, const char *root)
{
	uint64_t bytes = give_matching(kept, root, OF_NODES);

	return bytes + give_matching(kept, root, OF_ALL);
}

bool kept_memory_take_back(struct kept_memory *kept, const char *root)
{
	bool all = true;

	for (size_t i = 0; i < kept->count; i++) {
		const char *path = kept->given[i].path;

		if (write_number(root, path, kept->given[i].pages) < 0 ||
		    read_number(root, path) < kept->given[i].pages)
			all = false;
	}
	kept->count = 0;
	return all;
}

uint64_t kept_memory_give_crash(const char *root)
{
	uint64_t before = read_number(root, CRASH_SIZE), after;

	if (before == 0 || write_number(root, CRASH_SIZE, 0) < 0)
		return 0;
	after = read_number(root, CRASH_SIZE);
	return before > after ? before - after : 0;
}
