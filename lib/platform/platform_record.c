/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The records of a struct platform, and its conversion to bytes and back. */
#include "platform/platform.h"

#include "base/bytes.h"
#include "platform/record_codec.h"

#include <string.h>

#define RECORD_HEADER 16

/* Numbers are never reused. */
enum record_type {
	RECORD_KERNEL = 1,
	RECORD_DMI = 2,
	RECORD_MEMORY_MAP = 3,
	RECORD_MEMORY_TABLE = 4,
	RECORD_RAM = 5,
	RECORD_RAM_OFFLINE = 6,
	RECORD_VIRTIO_MEM = 7,
	RECORD_PAGES = 8,
	RECORD_ACPI_TABLES = 9,
	RECORD_ACPI_FACS = 10,
	RECORD_EFI = 11,
	RECORD_EFI_RUNTIME = 12,
	RECORD_CPU = 13,
	RECORD_CPUID = 14,
	RECORD_GUEST = 15,
	RECORD_DEVICES = 16,
	RECORD_BUSES = 17,
	RECORD_HIBERNATION = 18,
	RECORD_FILE_SYSTEMS = 19,
	RECORD_RAM_POISONED = 20,
	RECORD_SWAPS = 21,
	RECORD_PCI_RESOURCES = 22,
	RECORD_PCI_ROOTS = 23,
	RECORD_ZONES = 24,
	RECORD_TPM = 25,
	RECORD_CPUID_NAMED = 26,
	RECORD_MAPS_MET = 27,
	RECORD_MAPS_MET_FRAMES = 28,
	RECORD_MAPS_MET_LOGS = 29,
	RECORD_DEVICE_TREE = 30,
};

#define MEMBER_SIZE(type, member) sizeof(((type *)0)->member)
#define U32(type, member)                             \
	{                                             \
		RECORD_U32, offsetof(type, member), 4 \
	}
#define U64(type, member)                             \
	{                                             \
		RECORD_U64, offsetof(type, member), 8 \
	}
#define TEXT(type, member)                                                     \
	{                                                                      \
		RECORD_TEXT, offsetof(type, member), MEMBER_SIZE(type, member) \
	}
#define BYTES(type, member)                                                     \
	{                                                                       \
		RECORD_BYTES, offsetof(type, member), MEMBER_SIZE(type, member) \
	}

static const struct record_field kernel_fields[] = {
	TEXT(struct kernel, release),
	TEXT(struct kernel, build),
	TEXT(struct kernel, machine),
	U32(struct kernel, flags),
};
static const struct record_field dmi_fields[] = {
	TEXT(struct dmi, vendor),	   TEXT(struct dmi, product),
	TEXT(struct dmi, version),	   TEXT(struct dmi, board),
	TEXT(struct dmi, firmware_vendor), TEXT(struct dmi, firmware_version),
	TEXT(struct dmi, firmware_date),
};
static const struct record_field map_fields[] = {
	U64(struct memory_entry, start),
	U64(struct memory_entry, end),
	U32(struct memory_entry, type),
	U32(struct memory_entry, unknown),
};
static const struct record_field table_fields[] = {
	U32(struct memory_map, table_count),
	U32(struct memory_map, table_known),
};
static const struct record_field range_fields[] = {
	U64(struct byte_range, start),
	U64(struct byte_range, end),
};
static const struct record_field poisoned_fields[] = {
	U64(struct frame_range, first),
	U64(struct frame_range, count),
};
static const struct record_field zone_fields[] = {
	U32(struct memory_zone, node),	  TEXT(struct memory_zone, name),
	U64(struct memory_zone, start),	  U64(struct memory_zone, spanned),
	U64(struct memory_zone, present), U64(struct memory_zone, managed),
	U64(struct memory_zone, high),
};
static const struct record_field virtio_fields[] = {
	TEXT(struct virtio_mem, device),
	U64(struct virtio_mem, start),
	U64(struct virtio_mem, end),
	U64(struct virtio_mem, plugged),
};
static const struct record_field pages_fields[] = {
	U64(struct memory_pages, page_size), U64(struct memory_pages, present),
	U64(struct memory_pages, available), U64(struct memory_pages, block_size),
	U64(struct memory_pages, blocks),    U64(struct memory_pages, blocks_online),
	U32(struct memory_pages, offlining),
};
static const struct record_field acpi_fields[] = {
	TEXT(struct acpi_table, name),	       U64(struct acpi_table, address),
	U64(struct acpi_table, length),	       BYTES(struct acpi_table, sha256),
	BYTES(struct acpi_table, used_sha256),
};
static const struct record_field facs_fields[] = {
	U32(struct acpi_facs, present),
	U32(struct acpi_facs, hardware_signature),
};
static const struct record_field tree_fields[] = {
	U32(struct device_tree, present),
	U32(struct device_tree, properties),
	TEXT(struct device_tree, model),
	BYTES(struct device_tree, sha256),
};
static const struct record_field efi_fields[] = {
	U32(struct efi_state, booted),
	U64(struct efi_state, runtime),
	U64(struct efi_state, config_table),
};
static const struct record_field region_fields[] = {
	U32(struct efi_region, type),	   U64(struct efi_region, start),
	U64(struct efi_region, pages),	   U64(struct efi_region, virtual_start),
	U64(struct efi_region, attribute),
};
static const struct record_field cpu_fields[] = {
	TEXT(struct cpu_info, vendor),	  TEXT(struct cpu_info, family),
	TEXT(struct cpu_info, model),	  TEXT(struct cpu_info, model_name),
	TEXT(struct cpu_info, stepping),  TEXT(struct cpu_info, microcode),
	TEXT(struct cpu_info, addresses), TEXT(struct cpu_info, flags),
	U32(struct cpu_info, online),	  U32(struct cpu_info, present),
};
static const struct record_field cpuid_fields[] = {
	U32(struct cpuid_word, leaf),
	U32(struct cpuid_word, subleaf),
	U32(struct cpuid_word, reg),
	U32(struct cpuid_word, value),
};
static const struct record_field guest_fields[] = {
	U32(struct guest, hypervisor), U32(struct guest, kind),
	TEXT(struct guest, name),      TEXT(struct guest, version),
	U32(struct guest, s4_offered), U32(struct guest, hyperv_hibernation),
	U32(struct guest, balloon),
};
static const struct record_field device_fields[] = {
	TEXT(struct device, bus),    TEXT(struct device, address), TEXT(struct device, id),
	TEXT(struct device, driver), U32(struct device, class),	   U32(struct device, flags),
	TEXT(struct device, path),
};
static const struct record_field resource_fields[] = {
	U32(struct pci_resource, device), U32(struct pci_resource, number),
	U32(struct pci_resource, kind),	  U32(struct pci_resource, flags),
	U64(struct pci_resource, start),  U64(struct pci_resource, end),
};
static const struct record_field window_fields[] = {
	TEXT(struct pci_window, bus),
	U64(struct pci_window, start),
	U64(struct pci_window, end),
};
static const struct record_field buses_fields[] = {
	U32(struct devices, pci_known),
	U32(struct devices, vmbus_known),
};
static const struct record_field hibernation_fields[] = {
	U64(struct hibernation, magic),	     U32(struct hibernation, checksum),
	U32(struct hibernation, page_count), U32(struct hibernation, platform_mode),
	U32(struct hibernation, last_gate),
};

static const struct record_field filesystem_fields[] = {
	TEXT(struct filesystem, type),	  TEXT(struct filesystem, device),
	TEXT(struct filesystem, place),	  BYTES(struct filesystem, uuid),
	BYTES(struct filesystem, stamp),  TEXT(struct filesystem, identity),
	BYTES(struct filesystem, member), U32(struct filesystem, unstamped),
	BYTES(struct filesystem, log),	  U32(struct filesystem, read_only),
};
static const struct record_field swap_fields[] = {
	TEXT(struct swap_use, path),	 TEXT(struct swap_use, device),
	TEXT(struct swap_use, identity), TEXT(struct swap_use, drivers),
	TEXT(struct swap_use, label),	 BYTES(struct swap_use, uuid),
	U64(struct swap_use, offset),	 U64(struct swap_use, size),
	U64(struct swap_use, used),	 U64(struct swap_use, last_page),
	U32(struct swap_use, bad_pages), U32(struct swap_use, file),
	U32(struct swap_use, stacked),	 U32(struct swap_use, sight),
};

static const struct record_field met_fields[] = {
	BYTES(struct map_met, digest),	   U64(struct map_met, boots), U64(struct map_met, last),
	U32(struct map_met, tables_moved), U32(struct map_met, own),
};
static const struct record_field met_log_fields[] = {
	BYTES(struct met_log, files), U64(struct met_log, boots), U64(struct met_log, last),
	U64(struct met_log, first),   U64(struct met_log, count), U32(struct met_log, own),
};
static const struct record_field met_frames_fields[] = {
	U32(struct met_frames, map),
	U64(struct met_frames, first),
	U64(struct met_frames, count),
};

/* A list is described by the offsets of its three members; for a single struct they are NO_LIST. */
#define NO_LIST SIZE_MAX

struct part {
	struct record_layout layout;
	size_t items; /* of the pointer, or of the struct itself */
	size_t count;
	size_t known;
};

#define LIST_PART(number, text, member, type, max, table)                      \
	{                                                                      \
		{ number, text, sizeof(type), max, table, ARRAY_SIZE(table) }, \
			offsetof(struct platform, member.items),               \
			offsetof(struct platform, member.count),               \
			offsetof(struct platform, member.known)                \
	}
#define SINGLE_PART(number, text, member, type, table)                       \
	{                                                                    \
		{ number, text, sizeof(type), 1, table, ARRAY_SIZE(table) }, \
			offsetof(struct platform, member), NO_LIST, NO_LIST  \
	}

static const struct part parts[] = {
	SINGLE_PART(RECORD_KERNEL, "kernel", kernel, struct kernel, kernel_fields),
	SINGLE_PART(RECORD_DMI, "dmi", dmi, struct dmi, dmi_fields),
	LIST_PART(RECORD_MEMORY_MAP, "memory map", map.entries, struct memory_entry, MEMORY_MAP_MAX,
		  map_fields),
	SINGLE_PART(RECORD_MEMORY_TABLE, "memory table", map, struct memory_map, table_fields),
	LIST_PART(RECORD_RAM, "ram", ram.used, struct byte_range, RAM_RANGES_MAX, range_fields),
	LIST_PART(RECORD_RAM_OFFLINE, "offline ram", ram.offline, struct byte_range, RAM_RANGES_MAX,
		  range_fields),
	LIST_PART(RECORD_VIRTIO_MEM, "virtio-mem", ram.virtio, struct virtio_mem, VIRTIO_MEM_MAX,
		  virtio_fields),
	LIST_PART(RECORD_RAM_POISONED, "offlined frames", ram.poisoned, struct frame_range,
		  RAM_RANGES_MAX, poisoned_fields),
	LIST_PART(RECORD_ZONES, "zones", ram.zones.items, struct memory_zone, ZONES_MAX,
		  zone_fields),
	SINGLE_PART(RECORD_PAGES, "pages", ram.pages, struct memory_pages, pages_fields),
	LIST_PART(RECORD_ACPI_TABLES, "acpi tables", acpi.tables, struct acpi_table,
		  ACPI_TABLES_MAX, acpi_fields),
	SINGLE_PART(RECORD_ACPI_FACS, "facs", acpi.facs, struct acpi_facs, facs_fields),
	LIST_PART(RECORD_TPM, "tpm", acpi.tpm, struct byte_range, ACPI_TPM_MAX, range_fields),
	SINGLE_PART(RECORD_DEVICE_TREE, "device tree", device_tree, struct device_tree,
		    tree_fields),
	SINGLE_PART(RECORD_EFI, "efi", efi.state, struct efi_state, efi_fields),
	LIST_PART(RECORD_EFI_RUNTIME, "efi runtime", efi.regions, struct efi_region,
		  EFI_REGIONS_MAX, region_fields),
	SINGLE_PART(RECORD_CPU, "cpu", cpu.info, struct cpu_info, cpu_fields),
	LIST_PART(RECORD_CPUID, "cpuid", cpu.words, struct cpuid_word, CPUID_WORDS_MAX,
		  cpuid_fields),
	LIST_PART(RECORD_CPUID_NAMED, "named cpuid", cpu.named, struct cpuid_word, CPUID_WORDS_MAX,
		  cpuid_fields),
	SINGLE_PART(RECORD_GUEST, "guest", guest, struct guest, guest_fields),
	LIST_PART(RECORD_DEVICES, "devices", devices.items, struct device, DEVICES_MAX,
		  device_fields),
	LIST_PART(RECORD_PCI_RESOURCES, "PCI resources", devices.pci.resources, struct pci_resource,
		  PCI_RESOURCES_MAX, resource_fields),
	LIST_PART(RECORD_PCI_ROOTS, "PCI root windows", devices.pci.roots, struct pci_window,
		  PCI_WINDOWS_MAX, window_fields),
	SINGLE_PART(RECORD_BUSES, "buses", devices, struct devices, buses_fields),
	LIST_PART(RECORD_FILE_SYSTEMS, "file systems", filesystems.items, struct filesystem,
		  FILESYSTEMS_MAX, filesystem_fields),
	LIST_PART(RECORD_SWAPS, "swap areas", swaps.items, struct swap_use, SWAP_USES_MAX,
		  swap_fields),
	LIST_PART(RECORD_MAPS_MET, "maps met", met.maps, struct map_met, MAPS_MET_MAX, met_fields),
	LIST_PART(RECORD_MAPS_MET_FRAMES, "frames of maps met", met.frames, struct met_frames,
		  MAPS_MET_FRAMES_MAX, met_frames_fields),
	LIST_PART(RECORD_MAPS_MET_LOGS, "event logs met", met.logs, struct met_log,
		  MAPS_MET_LOGS_MAX, met_log_fields),
	SINGLE_PART(RECORD_HIBERNATION, "hibernation", hibernation, struct hibernation,
		    hibernation_fields),
};

static void encode_part(struct record_writer *writer, const struct part *part,
			const struct platform *platform)
{
	const unsigned char *base = (const unsigned char *)platform;
	const void *items = base + part->items;
	size_t count = 1, mark;
	bool known = true;

	if (part->count != NO_LIST) {
		memcpy(&items, base + part->items, sizeof(items));
		memcpy(&count, base + part->count, sizeof(count));
		memcpy(&known, base + part->known, sizeof(known));
	}
	if (!known)
		return;
	record_begin(writer, part->layout.type, &mark);
	record_put_items(writer, &part->layout, items, count);
	record_end(writer, mark);
}

int platform_encode(const struct platform *platform, unsigned char **ret, size_t *ret_length)
{
	struct record_writer writer = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		encode_part(&writer, &parts[i], platform);
	if (writer.error) {
		free(writer.data);
		return writer.error;
	}
	*ret = writer.data;
	*ret_length = writer.length;
	return 0;
}

static int decode_part(const struct part *part, const unsigned char *payload, size_t length,
		       struct platform *platform, struct why *w)
{
	unsigned char *base = (unsigned char *)platform;
	size_t count;
	bool known = true;
	void *items;
	int r;

	if (part->count == NO_LIST)
		return record_get_single(&part->layout, payload, length, base + part->items, w);
	r = record_get_items(&part->layout, payload, length, &items, &count, w);
	if (r < 0)
		return r;
	memcpy(base + part->items, &items, sizeof(items));
	memcpy(base + part->count, &count, sizeof(count));
	memcpy(base + part->known, &known, sizeof(known));
	return 0;
}

/* Index in parts, or ARRAY_SIZE(parts). */
static size_t find_part(uint32_t type)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(parts) && parts[i].layout.type != type)
		i++;
	return i;
}

static int decode_records(const unsigned char *data, size_t length, struct platform *platform,
			  struct why *w)
{
	bool seen[ARRAY_SIZE(parts)] = { false };

	while (length > 0) {
		uint64_t size;
		size_t index;
		int r = 0;

		if (length < RECORD_HEADER)
			return why_damaged(w, "platform records end within a header");
		size = get_le64(data + 8);
		if (size > length - RECORD_HEADER)
			return why_damaged(w, "platform record of type %u is cut off",
					   get_le32(data));
		index = find_part(get_le32(data));
		if (index < ARRAY_SIZE(parts)) {
			if (seen[index])
				return why_damaged(w, "platform record \"%s\" is there twice",
						   parts[index].layout.name);
			seen[index] = true;
			r = decode_part(&parts[index], data + RECORD_HEADER, (size_t)size, platform,
					w);
		}
		if (r < 0)
			return r;
		/* Padding after the last record may be missing. */
		size = min_u64(round_up(size, 8), length - RECORD_HEADER);
		data += RECORD_HEADER + size;
		length -= RECORD_HEADER + (size_t)size;
	}
	return 0;
}

static int check_pci(const struct devices *devices, struct why *w)
{
	const struct pci_space *pci = &devices->pci;

	for (size_t i = 0; i < pci->resources.count; i++) {
		const struct pci_resource *resource = &pci->resources.items[i];

		if (resource->start > resource->end || resource->device >= devices->items.count)
			return why_damaged(w, "the recorded list of PCI resources is damaged");
	}
	for (size_t i = 0; i < pci->roots.count; i++)
		if (pci->roots.items[i].start > pci->roots.items[i].end)
			return why_damaged(w, "the recorded list of PCI root windows is damaged");
	return 0;
}

/* What the judging code relies on. */
static int check_platform(const struct platform *platform, struct why *w)
{
	if (!memory_map_valid(&platform->map))
		return why_damaged(w, "the recorded memory map is damaged");
	for (size_t i = 0; i < platform->ram.used.count; i++)
		if (platform->ram.used.items[i].start > platform->ram.used.items[i].end)
			return why_damaged(w, "the recorded list of RAM is damaged");
	for (size_t i = 0; i < platform->ram.offline.count; i++)
		if (platform->ram.offline.items[i].start > platform->ram.offline.items[i].end)
			return why_damaged(w, "the recorded list of offline memory is damaged");
	for (size_t i = 0; i < platform->ram.virtio.count; i++)
		if (platform->ram.virtio.items[i].start > platform->ram.virtio.items[i].end)
			return why_damaged(w, "the recorded virtio-mem devices are damaged");
	for (size_t i = 0; i < platform->acpi.tpm.count; i++)
		if (platform->acpi.tpm.items[i].start > platform->acpi.tpm.items[i].end)
			return why_damaged(w, "the recorded places of the TPM are damaged");
	if (!frames_valid(platform->ram.poisoned.items, platform->ram.poisoned.count))
		return why_damaged(w, "the recorded list of offlined frames is damaged");
	if (!zones_valid(&platform->ram.zones))
		return why_damaged(w, "the recorded list of zones is damaged");
	if (!maps_met_valid(&platform->met))
		return why_damaged(w, "the recorded memory maps that were met are damaged");
	return check_pci(&platform->devices, w);
}

int platform_decode(const void *data, size_t length, struct platform *ret, struct why *w)
{
	struct platform platform = { 0 };
	int r = decode_records(data, length, &platform, w);

	if (r == 0)
		r = check_platform(&platform, w);
	if (r < 0) {
		platform_free(&platform);
		return r;
	}
	*ret = platform;
	return 0;
}
