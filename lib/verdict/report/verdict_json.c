/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verdict/report/verdict_report.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* Addresses are strings: JSON has no hexadecimal numbers, and many readers lose bits above 2^53. */
static void json_address(struct json *json, const char *key, uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	json_string(json, key, text);
}

static void json_bytes(struct json *json, const char *key, const unsigned char *bytes, size_t size)
{
	char text[2 * 64 + 1];

	text_hex(bytes, size < 64 ? size : 64, text);
	json_string(json, key, text);
}

static void json_finding(struct json *json, const struct finding *finding)
{
	json_object_begin(json, NULL);
	json_string(json, "about", verdict_about_name(finding->about));
	json_string(json, "class", verdict_class_name(finding->class));
	if (finding->class == VERDICT_RISKY && finding->accept != ACCEPT_NOTHING)
		json_string(json, "accept", verdict_accept_name(finding->accept));
	if (*finding->then)
		json_string(json, "then", finding->then);
	if (*finding->now)
		json_string(json, "now", finding->now);
	json_string(json, "text", finding->text);
	if (*finding->advice)
		json_string(json, "advice", finding->advice);
	if (finding->has_range) {
		json_address(json, "start", finding->start);
		json_address(json, "end", finding->end);
		json_u64(json, "image_pages", finding->image_pages);
	}
	json_object_end(json);
}

static void json_plan(struct json *json, const struct verdict_plan *plan)
{
	json_object_begin(json, "plan");
	json_bool(json, "patch_checksum", plan->patch_checksum);
	if (plan->patch_checksum) {
		json_bytes(json, "old_checksum", plan->old_checksum, plan->checksum_size);
		json_bytes(json, "new_checksum", plan->new_checksum, plan->checksum_size);
	}
	json_bool(json, "patch_page_count", plan->patch_page_count);
	if (plan->patch_page_count) {
		json_u64(json, "old_page_count", plan->old_page_count);
		json_u64(json, "new_page_count", plan->new_page_count);
	}
	json_array_begin(json, "quarantine");
	for (size_t i = 0; i < plan->quarantine.count; i++) {
		json_object_begin(json, NULL);
		json_u64(json, "first_pfn", plan->quarantine.items[i].first);
		json_u64(json, "pages", plan->quarantine.items[i].count);
		json_object_end(json);
	}
	json_array_end(json);
	json_array_begin(json, "disable_pci");
	for (size_t i = 0; i < plan->disable.count; i++)
		json_string(json, NULL, plan->disable.items[i].text);
	json_array_end(json);
	json_object_end(json);
}

void verdict_json(struct json *json, const char *key, const struct verdict *verdict)
{
	json_object_begin(json, key);
	json_string(json, "worst", verdict_class_name(verdict->worst));
	json_object_begin(json, "allowed");
	for (int policy = POLICY_STRICT; policy <= POLICY_TOLERANT; policy++)
		json_bool(json, verdict_policy_name((enum verdict_policy)policy),
			  verdict_allows(verdict, (enum verdict_policy)policy));
	json_object_end(json);
	json_array_begin(json, "findings");
	for (size_t i = 0; i < verdict->count; i++)
		json_finding(json, &verdict->findings[i]);
	json_array_end(json);
	json_u64(json, "omitted", verdict->omitted);
	json_plan(json, &verdict->plan);
	json_object_end(json);
}

static void json_map(struct json *json, const struct memory_map *map)
{
	char type[24];

	json_array_begin(json, "memory_map");
	for (size_t i = 0; i < map->entries.count; i++) {
		const struct memory_entry *entry = &map->entries.items[i];

		json_object_begin(json, NULL);
		json_address(json, "start", entry->start);
		json_address(json, "end", entry->end);
		json_string(json, "type", memory_type_name(entry->type, type, sizeof(type)));
		json_u64(json, "number", entry->type);
		json_bool(json, "hot_plugged", i >= map->table_count);
		json_object_end(json);
	}
	json_array_end(json);
}

static void json_memory(struct json *json, const struct ram *ram)
{
	json_object_begin(json, "memory");
	json_u64(json, "page_size", ram->pages.page_size);
	json_u64(json, "pages", ram->pages.present);
	json_u64(json, "block_size", ram->pages.block_size);
	json_u64(json, "blocks", ram->pages.blocks);
	json_u64(json, "blocks_online", ram->pages.blocks_online);
	json_array_begin(json, "virtio_mem");
	for (size_t i = 0; i < ram->virtio.count; i++) {
		const struct virtio_mem *device = &ram->virtio.items[i];

		json_object_begin(json, NULL);
		json_string(json, "device", device->device);
		json_address(json, "start", device->start);
		json_address(json, "end", device->end);
		json_u64(json, "plugged", device->plugged);
		json_object_end(json);
	}
	json_array_end(json);
	json_object_end(json);
}

static void json_firmware(struct json *json, const struct platform *platform)
{
	json_array_begin(json, "acpi_tables");
	for (size_t i = 0; i < platform->acpi.tables.count; i++) {
		const struct acpi_table *table = &platform->acpi.tables.items[i];

		json_object_begin(json, NULL);
		json_string(json, "name", table->name);
		json_u64(json, "length", table->length);
		if (table->address)
			json_address(json, "address", table->address);
		json_bytes(json, "sha256", table->sha256, sizeof(table->sha256));
		json_object_end(json);
	}
	json_array_end(json);
	if (platform->device_tree.present) {
		const struct device_tree *tree = &platform->device_tree;

		json_object_begin(json, "device_tree");
		json_string(json, "model", tree->model);
		json_u64(json, "properties", tree->properties);
		json_bytes(json, "sha256", tree->sha256, sizeof(tree->sha256));
		json_object_end(json);
	}
	json_array_begin(json, "efi_runtime");
	for (size_t i = 0; i < platform->efi.regions.count; i++) {
		const struct efi_region *region = &platform->efi.regions.items[i];

		json_object_begin(json, NULL);
		json_u64(json, "type", region->type);
		json_address(json, "start", region->start);
		json_address(json, "end", efi_region_end(region));
		json_address(json, "virtual_start", region->virtual_start);
		json_object_end(json);
	}
	json_array_end(json);
}

static void json_devices(struct json *json, const struct devices *devices)
{
	json_array_begin(json, "devices");
	for (size_t i = 0; i < devices->items.count; i++) {
		const struct device *device = &devices->items.items[i];

		json_object_begin(json, NULL);
		json_string(json, "bus", device->bus);
		json_string(json, "address", device->address);
		json_string(json, "id", device->id);
		json_string(json, "kind", device_kind(device));
		if (*device->driver)
			json_string(json, "driver", device->driver);
		json_object_end(json);
	}
	json_array_end(json);
}

static void json_names(struct json *json, const struct platform *platform)
{
	const struct cpu_info *cpu = &platform->cpu.info;

	json_string(json, "kernel", platform->kernel.release);
	json_string(json, "kernel_build", platform->kernel.build);
	json_string(json, "architecture", platform->kernel.machine);
	json_string(json, "vendor", platform->dmi.vendor);
	json_string(json, "product", platform->dmi.product);
	json_string(json, "firmware_version", platform->dmi.firmware_version);
	json_object_begin(json, "processor");
	json_string(json, "vendor", cpu->vendor);
	json_string(json, "family", cpu->family);
	json_string(json, "model", cpu->model);
	json_string(json, "name", cpu->model_name);
	json_string(json, "stepping", cpu->stepping);
	json_string(json, "microcode", cpu->microcode);
	json_string(json, "flags", cpu->flags);
	json_u64(json, "present", cpu->present);
	json_object_end(json);
	json_string(json, "hypervisor", guest_kind_name(platform->guest.kind));
	json_string(json, "hypervisor_version", platform->guest.version);
}

static void json_filesystems(struct json *json, const struct filesystems *filesystems)
{
	char words[120];

	json_array_begin(json, "file_systems");
	for (size_t i = 0; i < filesystems->items.count; i++) {
		const struct filesystem *item = &filesystems->items.items[i];

		filesystem_words(item, words, sizeof(words));
		json_object_begin(json, NULL);
		json_string(json, "type", item->type);
		json_string(json, "device", item->device);
		json_string(json, "place", item->place);
		json_bytes(json, "uuid", item->uuid, sizeof(item->uuid));
		json_string(json, "state", words);
		json_object_end(json);
	}
	json_array_end(json);
}

void platform_json(struct json *json, const char *key, const struct platform *platform)
{
	json_object_begin(json, key);
	json_names(json, platform);
	json_object_begin(json, "kernel_check");
	json_string(json, "kind",
		    e820_check_name(e820_check_of_magic(platform->hibernation.magic)));
	json_string(json, "checksum", calibration_name(platform->hibernation.checksum));
	json_string(json, "page_count", calibration_name(platform->hibernation.page_count));
	json_object_end(json);
	json_map(json, &platform->map);
	json_memory(json, &platform->ram);
	json_firmware(json, platform);
	json_devices(json, &platform->devices);
	json_filesystems(json, &platform->filesystems);
	json_object_end(json);
}
