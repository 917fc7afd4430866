/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verdict/report/verdict_report.h"

#include "base/bytes.h"
#include "base/text.h"
#include "platform/memory/map_diff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void verdict_summary(const struct verdict *verdict, char *text, size_t size)
{
	size_t counts[VERDICT_FATAL + 1] = { 0 }, different = 0, used;

	for (size_t i = 0; i < verdict->count; i++)
		counts[verdict->findings[i].class]++;
	for (size_t class = VERDICT_HARMLESS; class <= VERDICT_FATAL; class ++)
		different += counts[class];
	if (different == 0) {
		snprintf(text, size, "no differences");
		return;
	}
	used = (size_t)snprintf(text, size, "%zu difference%s:", different + verdict->omitted,
				different + verdict->omitted == 1 ? "" : "s");
	for (size_t class = VERDICT_FATAL; class >= VERDICT_HARMLESS; class --)
		if (counts[class] && used < size)
			used += (size_t)snprintf(text + used, size - used, " %zu %s,",
						 counts[class],
						 verdict_class_name((enum verdict_class) class));
	if (used < size)
		text[used - 1] = '\0'; /* the last comma */
}

static void print_plan(const struct verdict_plan *plan, FILE *out)
{
	const struct frame_list *quarantine = &plan->quarantine;

	if (plan->patch_page_count)
		fprintf(out, "  to do      page count of the header: %" PRIu64 " -> %" PRIu64 "\n",
			plan->old_page_count, plan->new_page_count);
	if (plan->patch_checksum) {
		fprintf(out, "  to do      checksum of the header: ");
		for (size_t i = plan->checksum_size; i-- > 0;)
			fprintf(out, "%02x", plan->old_checksum[i]);
		fprintf(out, " -> ");
		for (size_t i = plan->checksum_size; i-- > 0;)
			fprintf(out, "%02x", plan->new_checksum[i]);
		fprintf(out, "\n");
	}
	if (quarantine->count > 0)
		fprintf(out, "  to do      offline %" PRIu64 " page%s after the resume\n",
			frames_total(quarantine->items, quarantine->count),
			frames_total(quarantine->items, quarantine->count) == 1 ? "" : "s");
	for (size_t i = 0; i < plan->disable.count; i++)
		fprintf(out, "  to do      disable the PCI device %s before the resume\n",
			plan->disable.items[i].text);
}

void verdict_print(const struct verdict *verdict, bool all, FILE *out)
{
	char summary[160];

	for (size_t i = 0; i < verdict->count; i++) {
		const struct finding *finding = &verdict->findings[i];

		if (finding->class == VERDICT_SAME && !all)
			continue;
		fprintf(out, "  %-9s  %s\n", verdict_class_name(finding->class), finding->text);
		if (*finding->then || *finding->now)
			fprintf(out, "             then: %s\n             now:  %s\n",
				*finding->then ? finding->then : "-",
				*finding->now ? finding->now : "-");
		if (*finding->advice)
			fprintf(out, "             %s\n", finding->advice);
	}
	if (verdict->omitted > 0)
		fprintf(out, "  ... and %zu more\n", verdict->omitted);
	print_plan(&verdict->plan, out);
	verdict_summary(verdict, summary, sizeof(summary));
	fprintf(out, "Verdict: %s (%s).\n", verdict_class_name(verdict->worst), summary);
}

static uint64_t row_pages(const struct verdict_image *image, uint64_t page_size,
			  const struct map_segment *row)
{
	if (!image || page_size == 0)
		return 0;
	return frames_in_bytes(image->ranges, image->range_count, page_size, row->start, row->end);
}

static uint64_t page_size_of(const struct platform *platform)
{
	return is_power_of_two(platform->ram.pages.page_size) ? platform->ram.pages.page_size
							      : 4096;
}

static void print_row(const struct map_segment *row, bool both, uint64_t pages, FILE *out)
{
	char then[24], now[24], amount[24];
	const char *old = memory_type_name(row->then, then, sizeof(then));
	const char *new = memory_type_name(row->now, now, sizeof(now));
	const char *last = !both ? old : row->then == row->now ? "=" : new;

	if (row->start == 0 && row->end == UINT64_MAX)
		snprintf(amount, sizeof(amount), "16 EiB");
	else
		text_size(row->end - row->start + 1, amount, sizeof(amount));
	fprintf(out, "%c 0x%012" PRIx64 " 0x%012" PRIx64 " %9s  ",
		row->then == row->now ? ' ' : '*', row->start, row->end, amount);
	if (both)
		fprintf(out, "%-26s ", old);
	if (pages > 0)
		fprintf(out, "%-26s %10" PRIu64 "\n", last, pages);
	else
		fprintf(out, "%s\n", last);
}

int verdict_print_maps(const struct platform *then, const struct platform *now,
		       const struct verdict_image *image, FILE *out)
{
	struct map_segment *rows;
	size_t count;
	int r = map_align(&then->map, &now->map, &rows, &count);

	if (r < 0)
		return r;
	fprintf(out, "  %-14s %-14s %9s  %-26s %-26s %10s\n", "from", "to", "size", "then", "now",
		image ? "pages" : "");
	for (size_t i = 0; i < count; i++)
		print_row(&rows[i], true, row_pages(image, page_size_of(now), &rows[i]), out);
	free(rows);
	return 0;
}

void platform_print_map(const struct platform *platform, const struct verdict_image *image,
			FILE *out)
{
	fprintf(out, "  %-14s %-14s %9s  %-26s %10s\n", "from", "to", "size", "type",
		image ? "pages" : "");
	for (size_t i = 0; i < platform->map.entries.count; i++) {
		const struct memory_entry *entry = &platform->map.entries.items[i];
		struct map_segment row = { entry->start, entry->end, entry->type, entry->type, 0 };

		print_row(&row, false, row_pages(image, page_size_of(platform), &row), out);
	}
}

static void print_line(FILE *out, const char *label, const char *text)
{
	if (*text)
		fprintf(out, "  %-11s %s\n", label, text);
}

static void print_filesystems(const struct filesystems *filesystems, FILE *out)
{
	for (size_t i = 0; i < filesystems->items.count; i++) {
		const struct filesystem *item = &filesystems->items.items[i];
		char words[120], text[400];

		filesystem_words(item, words, sizeof(words));
		snprintf(text, sizeof(text), "%s%s%s: %s", item->device, *item->place ? " on " : "",
			 item->place, words);
		print_line(out, i == 0 ? "mounted" : "", text);
	}
}

void platform_print(const struct platform *platform, FILE *out)
{
	const struct cpu_info *cpu = &platform->cpu.info;
	char text[320], size[24];

	print_line(out, "kernel", platform->kernel.build);
	snprintf(text, sizeof(text), "%s%s%s", platform->dmi.vendor,
		 *platform->dmi.vendor ? " " : "", platform->dmi.product);
	print_line(out, "machine", text);
	snprintf(text, sizeof(text), "%s%s%s", platform->dmi.firmware_vendor,
		 *platform->dmi.firmware_vendor ? " " : "", platform->dmi.firmware_version);
	print_line(out, "firmware", text);
	snprintf(text, sizeof(text), "%s (%s family %s model %s stepping %s), %u present",
		 cpu->model_name, cpu->vendor, cpu->family, cpu->model, cpu->stepping,
		 cpu->present);
	print_line(out, "processor", *cpu->vendor ? text : "");
	if (platform->guest.kind != GUEST_NONE) {
		snprintf(text, sizeof(text), "%s %s", guest_kind_name(platform->guest.kind),
			 platform->guest.version);
		print_line(out, "hypervisor", text_trim(text));
	}
	snprintf(text, sizeof(text), "%" PRIu64 " page frames (%s)", platform->ram.pages.present,
		 text_size(platform->ram.pages.present * page_size_of(platform), size,
			   sizeof(size)));
	print_line(out, "memory", text);
	snprintf(text, sizeof(text), "%zu ACPI tables, %s%zu EFI runtime regions, %zu devices",
		 platform->acpi.tables.count,
		 platform->device_tree.present ? "a device tree, " : "",
		 platform->efi.regions.count, platform->devices.items.count);
	print_line(out, "described by", text);
	snprintf(text, sizeof(text), "%s: %s",
		 e820_check_name(e820_check_of_magic(platform->hibernation.magic)),
		 calibration_name(platform->hibernation.checksum));
	print_line(out, "kernel check", platform->hibernation.magic ? text : "");
	print_filesystems(&platform->filesystems, out);
}
