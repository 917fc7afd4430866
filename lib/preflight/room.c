/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is there room for the image in the area, and for the snapshot in memory? */
#include "preflight/preflight_private.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "preflight/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ", 99 MiB of it held by zram, 300 MiB of it moved to swap first", or nothing. */
static const char *parts_text(const struct meminfo *meminfo, const struct swap_need *need,
			      char *buffer, size_t size)
{
	char zram[48] = "", pushed[64] = "";

	if (meminfo->zram > 0)
		snprintf(zram, sizeof(zram), ", %" PRIu64 " MiB of it held by zram",
			 preflight_mib(meminfo->zram));
	if (need->pushed > 0)
		snprintf(pushed, sizeof(pushed), ", %" PRIu64 " MiB of it moved to swap first",
			 preflight_mib(need->pushed));
	snprintf(buffer, size, "%s%s", zram, pushed);
	return buffer;
}

static void add_swap_size(struct preflight_context *context, const struct meminfo *meminfo,
			  uint64_t must, const struct swap_need *need)
{
	const char *name = context->target->area->name;
	uint64_t free_mib = preflight_mib(context->area_free);
	bool compress = context->settings->compress;
	struct check *check;
	char pushed[112];

	parts_text(meminfo, need, pushed, sizeof(pushed));
	if (need->plain <= context->area_free) {
		preflight_add(context, "swap-size", CHECK_OK,
			      "%" PRIu64 " MiB are free in %s; at least %" PRIu64
			      " MiB must be saved%s, which fits even uncompressed",
			      free_mib, name, preflight_mib(must), pushed);
		return;
	}
	if (need->least <= context->area_free) {
		check = preflight_add(context, "swap-size", CHECK_WARNING,
				      "%" PRIu64 " MiB are free in %s; at least %" PRIu64
				      " MiB must be saved%s, which needs %" PRIu64
				      " MiB uncompressed: it fits only if it compresses well",
				      free_mib, name, preflight_mib(must), pushed,
				      preflight_mib(need->plain));
	} else {
		check = preflight_add(context, "swap-size", CHECK_FAILED,
				      "%" PRIu64 " MiB are free in %s; at least %" PRIu64
				      " MiB must be saved%s, which needs %" PRIu64 " MiB %s",
				      free_mib, name, preflight_mib(must), pushed,
				      preflight_mib(need->least),
				      compress ? "even compressed 4 to 1" : "uncompressed");
	}
	preflight_advise(check,
			 "use a larger swap area (s2disk-swapfile creates one), or close programs "
			 "that use much memory%s",
			 compress ? "" : ", or set \"compress = y\"");
}

static void add_zram_first(struct preflight_context *context, uint64_t pushed)
{
	const char *name = context->target->area->name;
	struct check *check;

	check = preflight_add(
		context, "zram", CHECK_WARNING,
		"%" PRIu64
		" MiB must be swapped out before the image is made, and the kernel swaps to %s "
		"first, which is itself in memory: its priority is not below that of %s",
		preflight_mib(pushed), context->zram_first, name);
	preflight_advise(check,
			 "give %s a higher priority than %s (pri= in /etc/fstab; or now: swapoff "
			 "%s, then swapon -p 200 %s)",
			 name, context->zram_first, name, name);
}

void check_swap_size(struct preflight_context *context)
{
	struct meminfo meminfo;
	struct swap_need need;
	uint64_t must;

	/* Without an active area there is no size to judge. */
	if (!context->free_known || meminfo_read(context->root, &meminfo) < 0)
		return;
	must = meminfo_must_save(&meminfo);
	swap_need_for(must, meminfo.total, context->other_free, context->settings->compress, &need);
	add_swap_size(context, &meminfo, must, &need);
	/* Only a warning: memory may still have room for these pages in zram. */
	if (need.pushed > 0 && context->zram_first[0])
		add_zram_first(context, need.pushed);
}

/* Advice for each part that takes an eighth of memory or more, in this order. */
static void advise_fixed(struct check *check, const struct meminfo *meminfo)
{
	const struct {
		uint64_t bytes;
		const char *advice;
	} parts[] = {
		{ meminfo->huge_pages,
		  "stop what uses huge pages (virtual machines), then release them: write 0 to "
		  "each /sys/kernel/mm/hugepages/*/nr_hugepages" },
		{ meminfo->unevictable,
		  "close programs that lock memory (VmLck in /proc/PID/status)" },
		{ meminfo->zram, "close programs, or give swap on a disk a higher priority than "
				 "zram (swapon -p)" },
		{ meminfo_kernel(meminfo),
		  "find out what the kernel uses its memory for (slabtop)" },
	};
	char text[sizeof(check->advice)] = "";
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i].bytes >= meminfo->total / 8 && used < sizeof(text))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
						 used ? "; " : "", parts[i].advice);
	preflight_advise(check, "%s", text);
}

static void add_fixed(struct preflight_context *context, const struct meminfo *meminfo)
{
	struct check *check;

	check = preflight_add(
		context, "memory", CHECK_FAILED,
		"%" PRIu64 " of %" PRIu64 " MiB can neither be dropped nor moved to swap (huge "
		"pages %" PRIu64 ", locked %" PRIu64 ", held by zram %" PRIu64 ", the kernel's own "
		"%" PRIu64 " MiB): more than half, so no image can be made",
		preflight_mib(meminfo_fixed(meminfo)), preflight_mib(meminfo->total),
		preflight_mib(meminfo->huge_pages), preflight_mib(meminfo->unevictable),
		preflight_mib(meminfo->zram), preflight_mib(meminfo_kernel(meminfo)));
	advise_fixed(check, meminfo);
}

void check_memory(struct preflight_context *context)
{
	struct meminfo meminfo;
	struct check *check;
	uint64_t must, used;
	int r = meminfo_read(context->root, &meminfo);

	if (r < 0) {
		check = preflight_add(context, "memory", CHECK_WARNING,
				      "/proc/meminfo cannot be used: %s", strerror(-r));
		preflight_advise(
			check,
			"make sure that /proc is mounted; the size of the image was not checked");
		return;
	}
	if (meminfo_fixed(&meminfo) > meminfo.total / 2) {
		add_fixed(context, &meminfo);
		return;
	}
	must = meminfo_must_save(&meminfo);
	used = meminfo.total - min_u64(meminfo.free, meminfo.total);
	if (must <= meminfo.total / 2) {
		preflight_add(context, "memory", CHECK_OK,
			      "%" PRIu64 " of %" PRIu64 " MiB are in use; at least %" PRIu64
			      " MiB of them must be saved",
			      preflight_mib(used), preflight_mib(meminfo.total),
			      preflight_mib(must));
		return;
	}
	check = preflight_add(context, "memory", CHECK_WARNING,
			      "%" PRIu64 " of %" PRIu64 " MiB are in use and at least %" PRIu64
			      " MiB of them must be saved: more than half, so the kernel must swap "
			      "out the rest first, which takes time",
			      preflight_mib(used), preflight_mib(meminfo.total),
			      preflight_mib(must));
	preflight_advise(check, "close programs that use much memory");
}
