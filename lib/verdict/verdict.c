/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verdict/verdict_private.h"

#include "base/bytes.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HEADER_NUM_PHYSPAGES 400

static const char *const class_names[] = { "same", "harmless", "corrected", "risky", "fatal" };
static const char *const policy_names[] = { "strict", "proven", "tolerant" };

static const char *const about_names[] = {
	[ABOUT_MEMORY_MAP] = "memory-map",
	[ABOUT_MEMORY_REGION] = "memory-region",
	[ABOUT_IMAGE_PAGES] = "image-pages",
	[ABOUT_HOTPLUG_MEMORY] = "hot-plugged-memory",
	[ABOUT_VIRTIO_MEM] = "virtio-mem",
	[ABOUT_MEMORY_SIZE] = "memory-size",
	[ABOUT_KERNEL_CHECK] = "kernel-check",
	[ABOUT_PAGE_COUNT] = "page-count",
	[ABOUT_ACPI_TABLES] = "acpi-tables",
	[ABOUT_ACPI_SIGNATURE] = "acpi-signature",
	[ABOUT_EFI_RUNTIME] = "efi-runtime",
	[ABOUT_FIRMWARE] = "firmware",
	[ABOUT_MACHINE] = "machine",
	[ABOUT_KERNEL] = "kernel",
	[ABOUT_CPU] = "processor",
	[ABOUT_CPU_FEATURES] = "processor-features",
	[ABOUT_CPU_COUNT] = "processor-count",
	[ABOUT_MICROCODE] = "microcode",
	[ABOUT_HYPERVISOR] = "hypervisor",
	[ABOUT_VMBUS_DEVICE] = "vmbus-device",
	[ABOUT_PCI_DEVICE] = "pci-device",
	[ABOUT_PCI_SPACE] = "pci-addresses",
	[ABOUT_FILE_SYSTEM] = "file-system",
	[ABOUT_SWAP_AREA] = "swap-area",
};

_Static_assert(ARRAY_SIZE(about_names) == ABOUT_COUNT, "one name each");

const char *verdict_class_name(enum verdict_class class)
{
	return class_names[class];
}

const char *verdict_about_name(enum verdict_about about)
{
	return about_names[about];
}

const char *verdict_policy_name(enum verdict_policy policy)
{
	return policy_names[policy];
}

int verdict_policy_parse(const char *text, enum verdict_policy *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(policy_names); i++) {
		if (strcasecmp(text, policy_names[i]) == 0) {
			*ret = (enum verdict_policy)i;
			return 0;
		}
	}
	return -EINVAL;
}

bool verdict_allows(const struct verdict *verdict, enum verdict_policy policy)
{
	switch (policy) {
	case POLICY_STRICT:
		return verdict->worst == VERDICT_SAME;
	case POLICY_TOLERANT:
		return verdict->worst <= VERDICT_RISKY;
	default:
		return verdict->worst <= VERDICT_CORRECTED;
	}
}

void verdict_free(struct verdict *verdict)
{
	free(verdict->findings);
	free(verdict->plan.quarantine.items);
	free(verdict->plan.disable.items);
	*verdict = (struct verdict){ 0 };
}

int verdict_correct_header(const struct verdict_plan *plan, void *header, size_t length)
{
	unsigned char *page = header;

	if (length < HEADER_BYTES_NEEDED || plan->checksum_size > E820_CHECKSUM_MAX)
		return -EINVAL;
	if (plan->patch_checksum &&
	    memcmp(page + E820_CHECKSUM_OFFSET, plan->old_checksum, plan->checksum_size) != 0)
		return -EINVAL;
	if (plan->patch_page_count && get_le64(page + HEADER_NUM_PHYSPAGES) != plan->old_page_count)
		return -EINVAL;
	if (plan->patch_checksum)
		memcpy(page + E820_CHECKSUM_OFFSET, plan->new_checksum, plan->checksum_size);
	if (plan->patch_page_count)
		put_le64(page + HEADER_NUM_PHYSPAGES, plan->new_page_count);
	return 0;
}

struct finding *judge_add(struct judge *judge, enum verdict_about about, enum verdict_class class)
{
	struct verdict *verdict = judge->verdict;
	struct finding *findings, *finding = &judge->spare;

	if (class > verdict->worst)
		verdict->worst = class;
	if (verdict->count < FINDINGS_MAX) {
		findings = list_grow(verdict->findings, verdict->count, sizeof(*findings));
		if (findings) {
			verdict->findings = findings;
			finding = &findings[verdict->count++];
		} else {
			judge->error = -ENOMEM;
		}
	} else {
		verdict->omitted++;
	}
	*finding = (struct finding){ .about = about, .class = class };
	return finding;
}

void judge_say(char *text, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, size, format, args);
	va_end(args);
}

void judge_same(struct judge *judge, enum verdict_about about, const char *text)
{
	struct finding *finding = judge_add(judge, about, VERDICT_SAME);

	SAY(finding->text, "%s", text);
}

struct finding *judge_text(struct judge *judge, enum verdict_about about, enum verdict_class class,
			   const char *then, const char *now)
{
	struct finding *finding;

	if (!*then || !*now || strcmp(then, now) == 0)
		return NULL;
	finding = judge_add(judge, about, class);
	SAY(finding->then, "%s", then);
	SAY(finding->now, "%s", now);
	return finding;
}

uint64_t judge_pages(const struct judge *judge, uint64_t start, uint64_t end)
{
	if (!judge->image)
		return 0;
	return frames_in_bytes(judge->image->ranges, judge->image->range_count, judge->page_size,
			       start, end);
}

void judge_explained(struct judge *judge, uint64_t start, uint64_t end)
{
	uint64_t first = start / judge->page_size;

	if (frames_append(&judge->explained, first, end / judge->page_size - first + 1) < 0)
		judge->error = -ENOMEM;
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
	held.items = (struct page_range *)image->ranges;
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
	if (image->header_length < HEADER_BYTES_NEEDED)
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
	judge_regions(judge);
	judge_hotplug(judge);
	judge_image_pages(judge);
	judge_memory_size(judge);
	judge_kernel_check(judge);
	judge_page_count(judge);
	judge_acpi(judge);
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
