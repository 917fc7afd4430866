/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verdict/verdict.h"

#include "base/bytes.h"
#include "kernel/image_info.h"
#include "verdict/verdict_private.h"

#include <errno.h>
#include <string.h>

int verdict_correct_header(const struct verdict_plan *plan, void *header, size_t length)
{
	unsigned char *page = header;

	if (length < IMAGE_INFO_END || plan->checksum_size > E820_CHECKSUM_MAX)
		return -EINVAL;
	if (plan->patch_checksum &&
	    memcmp(page + IMAGE_INFO_CHECKSUM, plan->old_checksum, plan->checksum_size) != 0)
		return -EINVAL;
	if (plan->patch_page_count && get_le64(page + IMAGE_INFO_PHYSPAGES) != plan->old_page_count)
		return -EINVAL;
	if (plan->patch_checksum)
		memcpy(page + IMAGE_INFO_CHECKSUM, plan->new_checksum, plan->checksum_size);
	if (plan->patch_page_count)
		put_le64(page + IMAGE_INFO_PHYSPAGES, plan->new_page_count);
	return 0;
}

static struct memory_map table_of(const struct memory_map *map)
{
	struct memory_map table = *map;

	table.entries.count = map->table_count;
	return table;
}

/* The number of a type that sysfs could not name: that of then's entry at the same place, else that
 * of any of then's unknown entries. */
static void settle_unknown(const struct memory_map *then, struct memory_entry *entry)
{
	for (size_t i = 0; i < then->entries.count; i++) {
		const struct memory_entry *old = &then->entries.items[i];

		if (!old->unknown)
			continue;
		entry->type = old->type;
		if (old->start == entry->start && old->end == entry->end)
			return;
	}
}

/* Where hot-plugged entries could not be distinguished from the table's, then's table decides. */
static void settle_length(const struct memory_map *then, struct memory_map *now)
{
	uint32_t full = now->table_count;

	while (!now->table_known) {
		now->entries.count = now->table_count;
		if (memory_map_equal(then, now))
			return;
		if (now->table_count == 0 ||
		    now->entries.items[now->table_count - 1].type != MEMORY_RAM)
			break;
		now->table_count--;
	}
	now->table_count = full;
	now->entries.count = full;
}

static int prepare_tables(struct judge *judge)
{
	judge->then_table = table_of(&judge->then->map);
	if (memory_map_copy(&judge->now->map, &judge->now_table) < 0)
		return -ENOMEM;
	judge->now_table.entries.count = judge->now_table.table_count;
	for (size_t i = 0; i < judge->now_table.entries.count; i++)
		if (judge->now_table.entries.items[i].unknown)
			settle_unknown(&judge->then_table, &judge->now_table.entries.items[i]);
	settle_length(&judge->then_table, &judge->now_table);
	return 0;
}

static int prepare(struct judge *judge)
{
	const struct verdict_image *image = judge->image;
	struct frame_list held = { 0 };
	int r = prepare_tables(judge);

	if (r == 0)
		r = verdict_ram_frames(judge->then, judge->page_size, &judge->then_ram);
	if (r == 0)
		r = verdict_ram_frames(judge->now, judge->page_size, &judge->now_ram);
	if (r < 0 || !image)
		return r;
	/* The cast is safe: the caller's list is only read. */
	held.items = (struct frame_range *)image->ranges;
	held.count = image->range_count;
	r = frames_select(&held, &judge->now_ram, false, &judge->lost);
	if (r == 0)
		r = judge_kept_frames(judge);
	judge->outside = frames_total(judge->lost.items, judge->lost.count);
	return r;
}

static int check_image(const struct verdict_image *image, struct why *w)
{
	if (!frames_valid(image->ranges, image->range_count))
		return why(w, -EINVAL, "the image's list of pages is not sorted");
	if (image->header_length < IMAGE_INFO_END)
		return why(w, -EINVAL, "the kernel's header page is missing");
	return 0;
}

static int compare_findings(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->class != y->class)
		return x->class < y->class ? 1 : -1;
	if (x->about != y->about)
		return x->about < y->about ? -1 : 1;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return strcmp(x->text, y->text);
}

/* Images of another page size have been refused earlier. */
static uint64_t usable_page_size(uint64_t size)
{
	return is_power_of_two(size) && size >= 4096 && size <= 65536 ? size : 4096;
}

static void judge_all(struct judge *judge)
{
	if (judge->then_table.entries.known || judge->now_table.entries.known)
		judge_regions(judge);
	else
		judge_without_map(judge);
	judge_hotplug(judge);
	judge_image_pages(judge);
	judge_memory_size(judge);
	judge_kernel_check(judge);
	judge_page_count(judge);
	judge_acpi(judge);
	judge_device_tree(judge);
	judge_efi(judge);
	judge_machine(judge);
	judge_kernel(judge);
	judge_cpu(judge);
	judge_guest(judge);
	judge_devices(judge);
	judge_pci_space(judge);
	judge_filesystems(judge);
	judge_swaps(judge);
}

int verdict_judge(const struct platform *then, const struct platform *now,
		  const struct verdict_image *image, struct verdict *ret, struct why *w)
{
	struct verdict verdict = { 0 };
	struct judge judge = { .then = then, .now = now, .image = image, .verdict = &verdict };
	int r = image ? check_image(image, w) : 0;

	if (r < 0)
		return r;
	judge.page_size = usable_page_size(now->ram.pages.page_size);
	r = prepare(&judge);
	if (r == 0) {
		judge_all(&judge);
		r = judge.error;
	}
	memory_map_free(&judge.now_table);
	free(judge.then_ram.items);
	free(judge.now_ram.items);
	free(judge.lost.items);
	free(judge.kept.items);
	free(judge.explained.items);
	if (r < 0) {
		verdict_free(&verdict);
		return r;
	}
	qsort(verdict.findings, verdict.count, sizeof(*verdict.findings), compare_findings);
	*ret = verdict;
	return 0;
}
