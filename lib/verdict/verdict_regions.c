/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The firmware's memory map: each difference, and what it means for this image. RAM is judged by
 * page frames, everything else by the types. */
#include "verdict/verdict_private.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "platform/memory/map_diff.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Pages; advice to reserve more than this with memmap= makes no sense. */
#define KEEP_FREE_MAX 32768

/* What one segment of the difference means. */
struct segment_judgement {
	enum verdict_class class;
	uint64_t image_pages;
	uint64_t quarantined;
	bool in_doubt;	  /* only by the place and the number of the pages */
	char reason[224]; /* continues "The reserved page at … moved to …" */
};

static const char *adjective(uint32_t type, char *buffer, size_t size)
{
	switch (type) {
	case MEMORY_RAM:
		return "RAM";
	case MEMORY_RESERVED:
		return "reserved";
	case MEMORY_ACPI:
		return "ACPI tables";
	case MEMORY_NVS:
		return "ACPI NVS";
	case MEMORY_UNUSABLE:
		return "unusable";
	case MEMORY_PMEM:
	case MEMORY_PRAM:
		return "persistent memory";
	case MEMORY_SOFT_RESERVED:
		return "soft reserved";
	default:
		return memory_type_name(type, buffer, size);
	}
}

/* "the reserved page", "the ACPI NVS region of 512 KiB". */
static void region_words(const struct memory_entry *entry, char *text, size_t size)
{
	uint64_t bytes = entry->end - entry->start + 1;
	char type[24], amount[24];
	const char *name = adjective(entry->type, type, sizeof(type));

	size_words(bytes, amount, sizeof(amount));
	if (bytes == 4096)
		snprintf(text, size, "%s page at 0x%llx", name, (unsigned long long)entry->start);
	else
		snprintf(text, size, "%s region of %s at 0x%llx", name, amount,
			 (unsigned long long)entry->start);
}

static void side_words(const struct memory_map *map, ssize_t first, size_t count, char *text,
		       size_t size)
{
	char type[24];
	const struct memory_entry *entry;

	if (first < 0)
		return;
	entry = &map->entries.items[first];
	snprintf(text, size, "%s 0x%llx-0x%llx%s", adjective(entry->type, type, sizeof(type)),
		 (unsigned long long)entry->start, (unsigned long long)entry->end,
		 count > 1 ? " and more" : "");
}

static const struct memory_entry *region_at(const struct memory_map *map, ssize_t index)
{
	return index < 0 ? NULL : &map->entries.items[index];
}

/* How a region changed that is there on both sides. */
static void pair_words(const struct map_change *change, const char *old,
		       const struct memory_entry *now, char *text, size_t size)
{
	unsigned long long start = now->start, end = now->end;
	char type[24];

	switch (change->kind) {
	case CHANGE_MOVED:
		snprintf(text, size, "The %s moved to 0x%llx", old, start);
		break;
	case CHANGE_GREW:
		snprintf(text, size, "The %s grew to 0x%llx-0x%llx", old, start, end);
		break;
	case CHANGE_SHRANK:
		snprintf(text, size, "The %s shrank to 0x%llx-0x%llx", old, start, end);
		break;
	case CHANGE_RESIZED:
		snprintf(text, size, "The %s moved and changed its size, to 0x%llx-0x%llx", old,
			 start, end);
		break;
	case CHANGE_SPLIT:
		snprintf(text, size, "The %s was split into %zu", old, change->now_count);
		break;
	case CHANGE_MERGED:
		snprintf(text, size, "%zu regions, the first the %s, were merged into one",
			 change->then_count, old);
		break;
	case CHANGE_RETYPED:
		snprintf(text, size, "The %s became %s", old,
			 adjective(now->type, type, sizeof(type)));
		break;
	default:
		snprintf(text, size, "%zu regions between 0x%llx and 0x%llx became %zu others",
			 change->then_count, (unsigned long long)change->start,
			 (unsigned long long)change->end, change->now_count);
		break;
	}
}

/* A sentence without a full stop: what changed, not what follows from it. */
static void change_words(const struct judge *judge, const struct map_change *change, char *text,
			 size_t size)
{
	const struct memory_entry *then = region_at(&judge->then_table, change->then);
	const struct memory_entry *now = region_at(&judge->now_table, change->now);
	unsigned long long start = change->start;
	char old[96] = "", new[96] = "", amount[24];

	if (then)
		region_words(then, old, sizeof(old));
	if (now)
		region_words(now, new, sizeof(new));
	size_words(change->end - change->start + 1, amount, sizeof(amount));
	if (then && now)
		pair_words(change, old, now, text, size);
	else if (change->kind == CHANGE_VANISHED)
		snprintf(text, size, "The %s is gone", old);
	else if (change->kind == CHANGE_APPEARED)
		snprintf(text, size, "A new %s appeared", new);
	else if (change->kind == CHANGE_RAM_ADDED)
		snprintf(text, size, "%s of RAM were added at 0x%llx", amount, start);
	else if (change->kind == CHANGE_RAM_REMOVED)
		snprintf(text, size, "%s of RAM at 0x%llx are gone", amount, start);
	else
		snprintf(text, size, "%zu regions at 0x%llx and above became %zu others",
			 change->then_count, start, change->now_count);
}

static bool overlaps(uint64_t a_start, uint64_t a_end, uint64_t b_start, uint64_t b_end)
{
	return a_start <= b_end && b_start <= a_end;
}

static void set_reason(struct segment_judgement *ret, enum verdict_class class, const char *reason)
{
	ret->class = class;
	snprintf(ret->reason, sizeof(ret->reason), "%s", reason);
}

/* The table that the saved kernel reads within a segment, if one is known to be
 * there; *ret_all_known: all addresses are known. */
static const struct acpi_table *table_in(const struct judge *judge,
					 const struct map_segment *segment, bool *ret_all_known)
{
	const struct acpi *acpi = &judge->then->acpi;

	*ret_all_known = acpi->tables.known;
	for (size_t i = 0; i < acpi->tables.count; i++) {
		const struct acpi_table *table = &acpi->tables.items[i];
		uint64_t end;

		if (acpi_use_of(table->name) != ACPI_IN_PLACE)
			continue;
		if (table->address == 0 || table->length == 0 ||
		    !checked_add(table->address, table->length - 1, &end))
			*ret_all_known = false;
		else if (overlaps(segment->start, segment->end, table->address, end))
			return table;
	}
	return NULL;
}

/* The saved kernel keeps reading its ACPI tables at their old addresses; some firmware has them in
 * memory that is merely reserved. False: does not apply. */
static bool judge_was_table(const struct judge *judge, const struct map_segment *segment,
			    struct segment_judgement *ret)
{
	bool free_now = segment->now == MEMORY_RAM || segment->now == MEMORY_NONE, all_known;
	const struct acpi_table *table = table_in(judge, segment, &all_known);

	if (table && (free_now || segment->then == MEMORY_ACPI)) {
		ret->class = VERDICT_FATAL;
		snprintf(ret->reason, sizeof(ret->reason),
			 "The ACPI table %s was there, and the saved kernel keeps reading it",
			 table->name);
		return true;
	}
	if (segment->then != MEMORY_ACPI)
		return false;
	/* Regions of this type without a table are scratch space: an RNG seed, the log of a
	 * measured boot. */
	if (all_known)
		set_reason(ret, VERDICT_HARMLESS, "No ACPI table was there");
	else
		set_reason(ret, VERDICT_RISKY,
			   "ACPI tables may have been there: their addresses were not recorded");
	return true;
}

static void judge_was_nvs(const struct judge *judge, struct segment_judgement *ret)
{
	if (judge->then->hibernation.platform_mode && !(judge->then->kernel.flags & KERNEL_NO_NVS))
		set_reason(ret, VERDICT_FATAL,
			   "When it resumes in platform mode, the kernel writes the saved ACPI NVS "
			   "memory back to its old address");
	else
		set_reason(ret, VERDICT_RISKY,
			   "The firmware keeps its state in ACPI NVS memory, and the saved kernel "
			   "knows its old address");
}

static bool was_efi_runtime(const struct judge *judge, const struct map_segment *segment)
{
	const struct efi *efi = &judge->then->efi;

	for (size_t i = 0; i < efi->regions.count; i++)
		if (efi_region_is_firmware(&efi->regions.items[i]) &&
		    overlaps(segment->start, segment->end, efi->regions.items[i].start,
			     efi_region_end(&efi->regions.items[i])))
			return true;
	return false;
}

/* Without the firmware's map, RAM that EFI firmware released just appears as new RAM; what was
 * there is unknown. */
static bool moved_unseen(const struct judge *judge)
{
	return !judge->then_table.entries.known && judge->then->efi.state.booted;
}

/* Not RAM then: none of it is in the image, but the saved kernel may use what was there. */
static void judge_not_ram(const struct judge *judge, const struct map_segment *segment,
			  struct segment_judgement *ret)
{
	bool ram = segment->now == MEMORY_RAM;
	enum verdict_class class;
	const char *reason;

	if (segment->then == MEMORY_NONE && ram && moved_unseen(judge)) {
		set_reason(ret, VERDICT_RISKY,
			   "The firmware used it in the saved boot, and what it had there is "
			   "elsewhere now");
	} else if (segment->then == MEMORY_NONE) {
		class = judge_hole(judge, segment->start, segment->end, ram, &reason);
		set_reason(ret, class, reason);
	} else if (was_efi_runtime(judge, segment))
		set_reason(
			ret, VERDICT_FATAL,
			"EFI runtime services were there, and the saved kernel keeps calling them");
	else if (judge_was_table(judge, segment, ret))
		return;
	else if (segment->then == MEMORY_NVS)
		judge_was_nvs(judge, ret);
	else if (segment->then == MEMORY_PMEM || segment->then == MEMORY_PRAM)
		set_reason(ret, VERDICT_FATAL, "A file system may be mounted from it");
	else if (segment->then == MEMORY_SOFT_RESERVED)
		set_reason(ret, VERDICT_RISKY, "A driver may have been using it");
	else if (!ram && segment->now != MEMORY_NONE &&
		 judge_had_pci(judge, segment->start, segment->end))
		set_reason(ret, VERDICT_RISKY,
			   "A PCI device had its addresses there, and the firmware claims them for "
			   "something else now");
	else if (efi_is_unseen(judge->then))
		set_reason(ret, VERDICT_RISKY,
			   "EFI runtime services may have been there: their map was not recorded");
	else
		set_reason(ret, VERDICT_HARMLESS, "It was not RAM, so the image has nothing of it");
}

/* Frames touched by a segment that are no longer RAM. (Memory that is gone from the firmware's map
 * may be there anyway, hot-plugged.) */
static struct frame_list frames_lost(struct judge *judge, const struct map_segment *segment)
{
	uint64_t first = segment->start / judge->page_size;
	struct frame_range touched = { first, segment->end / judge->page_size - first + 1 };
	struct frame_list all = { &touched, 1 }, lost = { 0 };

	if (frames_select(&all, &judge->now_ram, false, &lost) < 0)
		judge->error = -ENOMEM;
	return lost;
}

/* Frames of gone that the saved kernel could allocate: not those hidden by memmap=, nor those it
 * has offlined. */
static struct frame_list frames_at_risk(struct judge *judge, const struct frame_list *gone)
{
	const struct frame_list poisoned = {
		.items = judge->then->ram.poisoned.items,
		.count = judge->then->ram.poisoned.count,
	};
	struct frame_list used = { 0 }, ret = { 0 };

	if (frames_select(gone, &judge->then_ram, true, &used) < 0 ||
	    frames_select(&used, &poisoned, false, &ret) < 0)
		judge->error = -ENOMEM;
	free(used.items);
	return ret;
}

/* Why frames cannot be offlined in the restored system; NULL: they can. */
static const char *no_quarantine(const struct judge *judge)
{
	if (judge->image->no_handover)
		return "The image has no page there, but no hand-over page either, so the restored "
		       "system would not know that it must not use it";
	switch (judge->then->ram.pages.offlining) {
	case OFFLINING_POSSIBLE:
		return NULL;
	case OFFLINING_ABSENT:
		return "The image has no page there, but the saved kernel may use it and cannot "
		       "offline it (it was built without CONFIG_MEMORY_FAILURE)";
	case OFFLINING_DISABLED:
		return "The image has no page there, but the saved kernel may use it and may not "
		       "offline it (vm.enable_soft_offline was 0)";
	default:
		return "The image has no page there, but it does not say whether the saved kernel "
		       "can offline it";
	}
}

/* RAM then, and now something else. */
static void judge_lost_ram(struct judge *judge, const struct map_segment *segment,
			   struct segment_judgement *ret)
{
	struct frame_list gone = frames_lost(judge, segment), lost;
	struct frame_list *quarantine = &judge->verdict->plan.quarantine;

	for (size_t i = 0; judge->image && i < gone.count; i++)
		ret->image_pages += frames_within(judge->image->ranges, judge->image->range_count,
						  gone.items[i].first,
						  gone.items[i].first + gone.items[i].count - 1);
	if (ret->image_pages > 0) {
		snprintf(ret->reason, sizeof(ret->reason),
			 "The image has %s%llu page%s there: loading it would crash the kernel",
			 judge->image->coarse ? "up to " : "", (unsigned long long)ret->image_pages,
			 ret->image_pages == 1 ? "" : "s");
		ret->class = VERDICT_FATAL;
		judge_explained(judge, segment->start, segment->end);
		free(gone.items);
		return;
	}
	lost = frames_at_risk(judge, &gone);
	for (size_t i = 0; i < lost.count; i++) {
		if (frames_append(quarantine, lost.items[i].first, lost.items[i].count) < 0)
			judge->error = -ENOMEM;
		ret->quarantined += lost.items[i].count;
	}
	free(lost.items);
	free(gone.items);
	if (ret->quarantined == 0)
		set_reason(ret, VERDICT_HARMLESS, "No memory that the saved kernel used is gone");
	else if (!judge->image)
		set_reason(ret, VERDICT_RISKY, "Whether an image has pages there is unknown");
	else if (judge->then->kernel.flags & KERNEL_WIPES_FREE)
		set_reason(
			ret, VERDICT_RISKY,
			"The image has no page there, but this kernel overwrites free memory when "
			"it resumes (init_on_free or page_poison), before it can be offlined");
	else if (no_quarantine(judge))
		set_reason(ret, VERDICT_RISKY, no_quarantine(judge));
	else
		set_reason(ret, VERDICT_CORRECTED,
			   "The image has no page there; it is offlined after the resume");
}

/* memmap= arguments for each range that is RAM on one side only. None where the kernel shows no
 * map: arm64 has no such argument. */
static void advise_memmap(const struct judge *judge, const struct map_diff *diff, uint32_t change,
			  const char *image, struct finding *finding)
{
	char arguments[200] = "", escaped[240] = "";
	size_t used = 0, used_escaped = 0;

	if (!judge->now_table.entries.known) {
		SAY(finding->advice, "%s; rebooting may bring it back.", image);
		return;
	}
	for (size_t i = 0; i < diff->segment_count; i++) {
		const struct map_segment *segment = &diff->segments[i];
		uint64_t mask = judge->page_size - 1, start = segment->start & ~mask;
		unsigned long long kib = ((segment->end | mask) - start) / 1024 + 1;

		if (segment->change != change ||
		    (segment->then != MEMORY_RAM && segment->now != MEMORY_RAM))
			continue;
		if (used > sizeof(arguments) - 48 || used_escaped > sizeof(escaped) - 52)
			break;
		used += (size_t)snprintf(arguments + used, sizeof(arguments) - used,
					 "%smemmap=%lluK$0x%llx", used ? " " : "", kib,
					 (unsigned long long)start);
		used_escaped +=
			(size_t)snprintf(escaped + used_escaped, sizeof(escaped) - used_escaped,
					 "%smemmap=%lluK\\\\\\$0x%llx", used_escaped ? " " : "",
					 kib, (unsigned long long)start);
	}
	SAY(finding->advice,
	    "Keep the area free on every boot with the kernel argument %s (in /etc/default/grub, "
	    "where $ needs three backslashes: %s). %s; rebooting may bring it back.",
	    arguments, escaped, image);
}

static void report_change(struct judge *judge, const struct map_diff *diff, uint32_t index,
			  const struct segment_judgement *judgements)
{
	const struct map_change *change = &diff->changes[index];
	const struct segment_judgement *worst = NULL;
	const struct map_segment *worst_at = NULL;
	struct finding *finding;
	uint64_t pages = 0;
	char what[256];

	for (size_t i = 0; i < diff->segment_count; i++) {
		if (diff->segments[i].change != index)
			continue;
		pages += judgements[i].image_pages;
		if (!worst || judgements[i].class > worst->class) {
			worst = &judgements[i];
			worst_at = &diff->segments[i];
		}
	}
	if (!worst)
		return;
	change_words(judge, change, what, sizeof(what));
	finding = judge_add(judge, ABOUT_MEMORY_REGION, worst->class);
	side_words(&judge->then_table, change->then, change->then_count, finding->then,
		   sizeof(finding->then));
	side_words(&judge->now_table, change->now, change->now_count, finding->now,
		   sizeof(finding->now));
	SAY(finding->text, "%s. %s.", what, worst->reason);
	finding->has_range = true;
	finding->start = worst_at->start;
	finding->end = worst_at->end;
	finding->image_pages = pages;
	if (pages == 0 && worst->in_doubt)
		advise_memmap(judge, diff, index,
			      "This image resumes safely with the old map (\"platform policy = "
			      "tolerant\" accepts the risk)",
			      finding);
	if (pages == 0)
		return;
	if (!judge->now_table.entries.known && (judge->now->kernel.flags & KERNEL_MEMMAP))
		SAY(finding->advice, "Remove mem= from the kernel command line.");
	else if (change->kind == CHANGE_RAM_REMOVED || pages > KEEP_FREE_MAX)
		SAY(finding->advice, "Give the machine its memory back, and reboot.");
	else
		advise_memmap(judge, diff, index, "This image resumes only with the old map",
			      finding);
}

/* More than fits the hand-over page cannot be offlined, so resume refuses such an image. */
static bool fits_plan(const struct judge *judge, const struct map_diff *diff,
		      struct segment_judgement *judgements)
{
	const struct frame_list *quarantine = &judge->verdict->plan.quarantine;

	if (quarantine->count <= PLAN_RUNS_MAX &&
	    frames_total(quarantine->items, quarantine->count) <= PLAN_FRAMES_MAX)
		return true;
	for (size_t i = 0; i < diff->segment_count; i++)
		if (judgements[i].quarantined > 0)
			set_reason(&judgements[i], VERDICT_FATAL,
				   "The image has no page there, but more memory is gone than can "
				   "be offlined (1,024 pages in 100 ranges)");
	return false;
}

/* Offlining helps only if the kernel has not used the frames before. */
static void doubt_quarantine(struct judge *judge, const struct map_diff *diff,
			     struct segment_judgement *judgements)
{
	struct frame_list free_frames = { 0 };
	int r = 0;

	if (!judge->image || judge->verdict->plan.quarantine.count == 0 ||
	    !fits_plan(judge, diff, judgements))
		return;
	r = judge_free_frames(judge, &free_frames);
	for (size_t i = 0; r == 0 && i < diff->segment_count; i++) {
		const struct map_segment *segment = &diff->segments[i];
		uint64_t first = segment->start / judge->page_size;
		struct frame_range run = { first, segment->end / judge->page_size - first + 1 };
		struct quarantine_doubt doubt;

		if (judgements[i].class != VERDICT_CORRECTED)
			continue;
		r = judge_quarantine(judge, &free_frames, &run, &doubt);
		if (r < 0 || !doubt.reason[0])
			continue;
		set_reason(&judgements[i], VERDICT_RISKY, doubt.reason);
		judgements[i].in_doubt = true;
	}
	free(free_frames.items);
	if (r < 0)
		judge->error = r;
}

void judge_maps(struct judge *judge, const struct memory_map *then, const struct memory_map *now,
		const char *same)
{
	_cleanup_free_ struct segment_judgement *judgements = NULL;
	struct map_diff diff = { 0 };

	if (map_diff(then, now, &diff) == 0)
		judgements = calloc(diff.segment_count + 1, sizeof(*judgements));
	if (!judgements) {
		judge->error = -ENOMEM;
		map_diff_free(&diff);
		return;
	}
	if (diff.change_count == 0)
		judge_same(judge, ABOUT_MEMORY_MAP, same);
	/* By address: the quarantine list must ascend. */
	for (size_t i = 0; i < diff.segment_count; i++) {
		if (diff.segments[i].then == MEMORY_RAM)
			judge_lost_ram(judge, &diff.segments[i], &judgements[i]);
		else
			judge_not_ram(judge, &diff.segments[i], &judgements[i]);
	}
	frames_normalize(&judge->verdict->plan.quarantine);
	doubt_quarantine(judge, &diff, judgements);
	for (size_t i = 0; i < diff.change_count; i++)
		report_change(judge, &diff, (uint32_t)i, judgements);
	map_diff_free(&diff);
}

void judge_regions(struct judge *judge)
{
	char same[64];

	if (!judge->then_table.entries.known || !judge->now_table.entries.known) {
		SAY(judge_add(judge, ABOUT_MEMORY_MAP, VERDICT_RISKY)->text,
		    "The firmware's memory map is known only %s.",
		    judge->now_table.entries.known ? "of this boot" : "of the boot that was saved");
		return;
	}
	snprintf(same, sizeof(same), "The firmware's memory map is the same (%u entries).",
		 judge->now_table.table_count);
	judge_maps(judge, &judge->then_table, &judge->now_table, same);
}
