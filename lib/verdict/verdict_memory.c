/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is every page of the image RAM here, and will the kernel's own checks pass? */
#include "verdict/verdict_private.h"

#include "base/bytes.h"
#include "base/text.h"
#include "kernel/image_info.h"

#include <stdio.h>
#include <string.h>

/* RAM by the firmware's map and hot-plugged memory. */
static int firmware_frames(const struct judge *judge, struct frame_list *ret)
{
	struct platform bare = { .map = judge->now->map, .ram.offline = judge->now->ram.offline };

	return verdict_ram_frames(&bare, judge->page_size, ret);
}

/* Boot-time memory of the firmware that is in the runtime map because the kernel reserved it for
 * itself (efi_mem_reserve()). */
static int left_over_frames(const struct judge *judge, struct frame_list *ret)
{
	const struct efi *efi = &judge->now->efi;
	int r = 0;

	for (size_t i = 0; r == 0 && i < efi->regions.count; i++) {
		const struct efi_region *region = &efi->regions.items[i];
		uint64_t first = div_round_up(region->start, judge->page_size);
		uint64_t end = efi_region_end(region) / judge->page_size;

		/* A partial last page does not count. */
		if ((efi_region_end(region) + 1) % judge->page_size != 0)
			continue;
		if (!efi_region_is_firmware(region) && end >= first)
			r = frames_append(ret, first, end - first + 1);
	}
	frames_normalize(ret);
	return r;
}

int judge_kept_frames(struct judge *judge)
{
	struct frame_list left = { 0 }, firmware = { 0 }, usable = { 0 }, rest = { 0 };
	int r;

	/* memmap= removes memory before the kernel maps it. */
	if (judge->lost.count == 0 || !judge->now->map.entries.known ||
	    (judge->now->kernel.flags & KERNEL_MEMMAP))
		return 0;
	r = left_over_frames(judge, &left);
	if (r == 0)
		r = firmware_frames(judge, &firmware);
	if (r == 0)
		r = frames_select(&left, &firmware, true, &usable);
	if (r == 0)
		r = frames_select(&judge->lost, &usable, true, &judge->kept);
	if (r == 0)
		r = frames_select(&judge->lost, &usable, false, &rest);
	if (r == 0) {
		free(judge->lost.items);
		judge->lost = rest;
		rest = (struct frame_list){ 0 };
	}
	free(left.items);
	free(firmware.items);
	free(usable.items);
	free(rest.items);
	return r;
}

static void report_kept(struct judge *judge)
{
	uint64_t pages = frames_total(judge->kept.items, judge->kept.count);
	struct finding *finding = judge_add(judge, ABOUT_IMAGE_PAGES, VERDICT_HARMLESS);

	finding->has_range = true;
	finding->start = judge->kept.items[0].first * judge->page_size;
	finding->end = finding->start + judge->page_size - 1;
	finding->image_pages = pages;
	SAY(finding->text,
	    "%llu page%s of the image %s where this boot's firmware left a table for the kernel, "
	    "the first at 0x%llx. It is RAM, and the firmware does not use it.",
	    (unsigned long long)pages, pages == 1 ? "" : "s", pages == 1 ? "lies" : "lie",
	    (unsigned long long)finding->start);
}

static void report_outside(struct judge *judge, const struct frame_list *lost, bool barred)
{
	/* Without memmap= or mem=, the kernel itself reserved a piece of the firmware's RAM for a
	 * table; such pieces are mapped anyway. */
	bool fatal = barred || (judge->now->kernel.flags & KERNEL_MEMMAP);
	struct finding *finding =
		judge_add(judge, ABOUT_IMAGE_PAGES, fatal ? VERDICT_FATAL : VERDICT_RISKY);
	uint64_t pages = frames_total(lost->items, lost->count);

	finding->has_range = true;
	finding->start = lost->items[0].first * judge->page_size;
	finding->end = finding->start + judge->page_size - 1;
	finding->image_pages = pages;
	SAY(finding->text,
	    "%s%llu page%s of the image %s not in memory that this kernel uses, the first at "
	    "0x%llx.%s",
	    judge->image->coarse ? "Up to " : "", (unsigned long long)pages, pages == 1 ? "" : "s",
	    pages == 1 ? "is" : "are", (unsigned long long)finding->start,
	    fatal ? " Loading them would crash the kernel." : "");
	if (!barred && fatal)
		SAY(finding->advice, "Remove memmap= and mem= from the kernel command line.");
}

/* The most important rule: each page of the image must be RAM here. Most violations follow from
 * differences of the memory map or missing devices; this also covers memmap=, mem= and offline
 * blocks. */
void judge_image_pages(struct judge *judge)
{
	struct frame_list firmware = { 0 }, rest = { 0 }, barred = { 0 };
	int r;

	if (!judge->image)
		return;
	if (judge->now_ram.count == 0) {
		SAY(judge_add(judge, ABOUT_IMAGE_PAGES, VERDICT_RISKY)->text,
		    "The RAM of this machine could not be determined.");
		return;
	}
	if (judge->kept.count > 0)
		report_kept(judge);
	if (judge->outside == 0) {
		if (judge->kept.count == 0)
			judge_same(judge, ABOUT_IMAGE_PAGES,
				   "Every page of the image is RAM on this machine.");
		return;
	}
	frames_normalize(&judge->explained);
	r = frames_select(&judge->lost, &judge->explained, false, &rest);
	if (r == 0 && judge->now->map.entries.known)
		r = firmware_frames(judge, &firmware);
	if (r == 0)
		r = frames_select(&rest, &firmware, false, &barred);
	if (r < 0)
		judge->error = r;
	if (barred.count > 0)
		report_outside(judge, &barred, true);
	else if (rest.count > 0)
		report_outside(judge, &rest, false);
	free(firmware.items);
	free(rest.items);
	free(barred.items);
}

static void report_virtio(struct judge *judge, const struct virtio_mem *then, uint64_t plugged)
{
	bool fewer = plugged < then->plugged;
	struct finding *finding =
		judge_add(judge, ABOUT_VIRTIO_MEM, fewer ? VERDICT_FATAL : VERDICT_HARMLESS);
	char had[24], has[24];

	size_words(then->plugged, had, sizeof(had));
	size_words(plugged, has, sizeof(has));
	SAY(finding->then, "%s plugged", had);
	SAY(finding->now, "%s plugged", has);
	SAY(finding->text,
	    "The virtio-mem device at 0x%llx had %llu MiB plugged and now has %llu MiB.%s",
	    (unsigned long long)then->start, (unsigned long long)(then->plugged >> 20),
	    (unsigned long long)(plugged >> 20),
	    fewer ? " The saved kernel would use memory that is not there." : "");
	if (fewer)
		SAY(finding->advice, "Unplug the memory before hibernating: after a restart "
				     "virtio-mem begins with nothing plugged.");
	finding->has_range = true;
	finding->start = then->start;
	finding->end = then->end;
	finding->image_pages = judge_pages(judge, then->start, then->end);
	if (fewer)
		judge_explained(judge, then->start, then->end);
}

static void judge_virtio(struct judge *judge)
{
	const struct ram *then = &judge->then->ram, *now = &judge->now->ram;

	for (size_t i = 0; i < then->virtio.count; i++) {
		const struct virtio_mem *device = &then->virtio.items[i];
		uint64_t plugged = 0;

		for (size_t j = 0; j < now->virtio.count; j++)
			if (now->virtio.items[j].start == device->start)
				plugged = now->virtio.items[j].plugged;
		if (plugged != device->plugged)
			report_virtio(judge, device, plugged);
	}
}

static void report_hotplug(struct judge *judge, const struct frame_range *range)
{
	struct finding *finding = judge_add(judge, ABOUT_HOTPLUG_MEMORY, VERDICT_FATAL);
	uint64_t start = range->first * judge->page_size;
	uint64_t bytes = range->count * judge->page_size;

	SAY(finding->then, "%llu MiB", (unsigned long long)(bytes >> 20));
	SAY(finding->text,
	    "%llu MiB of hot-plugged memory at 0x%llx are missing. "
	    "The saved kernel would use memory that is not there.",
	    (unsigned long long)(bytes >> 20), (unsigned long long)start);
	SAY(finding->advice, "Give the machine that memory again before it starts, or unplug it "
			     "before hibernating.");
	finding->has_range = true;
	finding->start = start;
	finding->end = start + bytes - 1;
	finding->image_pages = judge_pages(judge, start, finding->end);
	judge_explained(judge, start, finding->end);
}

/* RAM that then's kernel had besides that of the firmware's map and virtio-mem. */
static int hot_added(const struct judge *judge, struct frame_list *ret)
{
	struct platform bare = { .map = judge->then_table };
	struct frame_list firmware = { 0 }, beyond = { 0 }, virtio = { 0 };
	int r = verdict_ram_frames(&bare, judge->page_size, &firmware);

	for (size_t i = 0; r == 0 && i < judge->then->ram.virtio.count; i++) {
		const struct virtio_mem *device = &judge->then->ram.virtio.items[i];
		uint64_t first = device->start / judge->page_size;

		r = frames_append(&virtio, first, device->end / judge->page_size - first + 1);
	}
	frames_normalize(&virtio);
	if (r == 0)
		r = frames_select(&judge->then_ram, &firmware, false, &beyond);
	if (r == 0)
		r = frames_select(&beyond, &virtio, false, ret);
	free(firmware.items);
	free(beyond.items);
	free(virtio.items);
	return r;
}

/* Hot-plugged memory contains the kernel's page descriptors for itself and free pages, so its loss
 * is fatal even if the image has no pages there. */
void judge_hotplug(struct judge *judge)
{
	struct frame_list added = { 0 }, missing = { 0 };
	int r = 0;

	judge_virtio(judge);
	if (judge->then_table.entries.known)
		r = hot_added(judge, &added);
	if (r == 0)
		r = frames_select(&added, &judge->now_ram, false, &missing);
	if (r < 0)
		judge->error = r;
	for (size_t i = 0; i < missing.count; i++)
		report_hotplug(judge, &missing.items[i]);
	free(added.items);
	free(missing.items);
}

/* The kernel loads all of the image into memory before it restores it. */
void judge_memory_size(struct judge *judge)
{
	uint64_t frames, available = judge->now->ram.pages.available;
	struct finding *finding;
	char need[24], have[24];

	if (!judge->image || available == 0)
		return;
	frames = frames_total(judge->image->ranges, judge->image->range_count);
	if (judge->image->coarse || frames <= available / judge->page_size)
		return;
	finding = judge_add(judge, ABOUT_MEMORY_SIZE, VERDICT_FATAL);
	text_size(frames * judge->page_size, need, sizeof(need));
	text_size(available, have, sizeof(have));
	SAY(finding->then, "%s", need);
	SAY(finding->now, "%s", have);
	SAY(finding->text, "The image needs %s of memory, and only %s are available.", need, have);
}

static void plan_checksum(struct judge *judge, const unsigned char *old, const unsigned char *new,
			  enum e820_check check)
{
	struct verdict_plan *plan = &judge->verdict->plan;

	plan->patch_checksum = true;
	plan->checksum_size = e820_checksum_size(check);
	memcpy(plan->old_checksum, old, plan->checksum_size);
	memcpy(plan->new_checksum, new, plan->checksum_size);
}

static void checksum_words(const unsigned char *sum, size_t size,
			   char text[2 * E820_CHECKSUM_MAX + 1])
{
	if (size == sizeof(uint64_t))
		snprintf(text, 2 * E820_CHECKSUM_MAX + 1, "0x%08llx",
			 (unsigned long long)get_le64(sum));
	else
		text_hex(sum, size, text);
}

/* A check that fails and cannot be corrected. */
static void report_refusal(struct judge *judge, const char *reason)
{
	struct finding *finding = judge_add(judge, ABOUT_KERNEL_CHECK, VERDICT_FATAL);

	SAY(finding->text, "The memory map differs, and the kernel will refuse the image: %s.",
	    reason);
}

/* If the map changed, the stored checksum may be replaced only if user space computes it as the
 * kernel did. That is verified again here, with the table and the header of the image. */
static void judge_changed_checksum(struct judge *judge, enum e820_check check)
{
	const unsigned char *header = judge->image->header;
	const unsigned char *stored = header + IMAGE_INFO_CHECKSUM;
	unsigned char then[E820_CHECKSUM_MAX], now[E820_CHECKSUM_MAX];
	size_t size = e820_checksum_size(check);
	struct finding *finding;

	if (e820_checksum(check, &judge->then_table, then) < 0 ||
	    e820_checksum(check, &judge->now_table, now) < 0) {
		report_refusal(judge, "its checksum cannot be computed on this system");
		return;
	}
	if (judge->then->hibernation.checksum != CALIBRATION_MATCHED ||
	    memcmp(then, stored, size) != 0) {
		report_refusal(judge,
			       "its checksum could not be reproduced when the image was made");
		return;
	}
	if (memcmp(then, now, size) == 0) {
		judge_same(judge, ABOUT_KERNEL_CHECK,
			   "The kernel's own check of the memory map will pass.");
		return;
	}
	plan_checksum(judge, stored, now, check);
	finding = judge_add(judge, ABOUT_KERNEL_CHECK, VERDICT_CORRECTED);
	checksum_words(stored, size, finding->then);
	checksum_words(now, size, finding->now);
	SAY(finding->text, "The kernel's checksum of the memory map differs; it has to be replaced "
			   "in the image's header.");
}

void judge_kernel_check(struct judge *judge)
{
	bool changed = !memory_map_equal(&judge->then_table, &judge->now_table);
	uint64_t magic = judge->then->hibernation.magic;
	const unsigned char *header = judge->image ? judge->image->header : NULL;
	enum e820_check check;

	if (!judge->then_table.entries.known && !judge->now_table.entries.known)
		return;
	if (header)
		magic = get_le64(header + IMAGE_INFO_MAGIC);
	check = e820_check_of_magic(magic);
	if (!changed)
		judge_same(judge, ABOUT_KERNEL_CHECK,
			   "The kernel's own check of the memory map will pass.");
	else if (!judge->then_table.entries.known || !judge->now_table.entries.known)
		report_refusal(judge, "one of the maps is unknown");
	else if (check == E820_CHECK_UNKNOWN)
		report_refusal(judge, "this kernel uses an unknown check");
	else if (!header)
		SAY(judge_add(judge, ABOUT_KERNEL_CHECK, VERDICT_CORRECTED)->text,
		    "The kernel's checksum of the memory map would be replaced.");
	else if (check == E820_CHECK_MD5 &&
		 bytes_all_zero(header + IMAGE_INFO_CHECKSUM, E820_CHECKSUM_MAX))
		SAY(judge_add(judge, ABOUT_KERNEL_CHECK, VERDICT_HARMLESS)->text,
		    "This kernel does not check the memory map.");
	else
		judge_changed_checksum(judge, check);
}

static struct finding *report_pages(struct judge *judge, enum verdict_class class, uint64_t then,
				    const char *text)
{
	struct finding *finding = judge_add(judge, ABOUT_PAGE_COUNT, class);

	SAY(finding->then, "%llu pages", (unsigned long long)then);
	if (judge->now->ram.pages.present)
		SAY(finding->now, "%llu pages", (unsigned long long)judge->now->ram.pages.present);
	SAY(finding->text, "%s", text);
	return finding;
}

/* The kernel also compares the number of its page frames (num_physpages). */
void judge_page_count(struct judge *judge)
{
	struct verdict_plan *plan = &judge->verdict->plan;
	const unsigned char *header = judge->image ? judge->image->header : NULL;
	uint64_t recorded = judge->then->ram.pages.present, now = judge->now->ram.pages.present;
	uint64_t then = header ? get_le64(header + IMAGE_INFO_PHYSPAGES) : recorded;

	/* The counts recorded then and now can be compared even if the kernel counts
	 * differently. */
	if (then == now || (recorded != 0 && recorded == now) || (!header && then == 0)) {
		judge_same(judge, ABOUT_PAGE_COUNT, "The number of page frames is the same.");
	} else if (now == 0) {
		if (recorded == 0)
			return; /* neither side could be counted; the kernel checks */
		report_pages(judge, VERDICT_RISKY, then, "The page frames could not be counted.");
	} else if (judge->outside > 0) {
		report_pages(
			judge, VERDICT_FATAL, then,
			"The number of page frames differs, and not all pages of the image are "
			"RAM on this machine: the kernel will refuse it.");
	} else if (!header) {
		report_pages(
			judge, VERDICT_CORRECTED, then,
			"The number of page frames differs; it would be replaced in the image's "
			"header.");
	} else if (judge->then->hibernation.page_count != CALIBRATION_MATCHED || recorded != then) {
		report_pages(
			judge, VERDICT_FATAL, then,
			"The number of page frames differs, and the kernel will refuse the image: "
			"its count could not be reproduced when the image was made.");
	} else {
		plan->patch_page_count = true;
		plan->old_page_count = then;
		plan->new_page_count = now;
		report_pages(
			judge, VERDICT_CORRECTED, then,
			"The number of page frames differs, and every page of the image is RAM: "
			"the number has to be replaced in the image's header.");
	}
}
