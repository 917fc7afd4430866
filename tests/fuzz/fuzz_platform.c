/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What /proc, /sys and the kernel's log say about a machine, and decompressing a block.
 * The first byte selects.
 */
#include "fuzz.h"

#include "base/bytes.h"
#include "format/codec.h"
#include "platform/memory/memory_map.h"
#include "platform/firmware/acpi.h"
#include "platform/hardware/cpu.h"
#include "platform/memory/e820.h"
#include "platform/firmware/kernel_dmi.h"
#include "platform/memory/ram.h"

#include <errno.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_assert(crypto_init(NULL) == 0);
	return 0;
}

static void fuzz_map(const char *text)
{
	struct memory_map map = { 0 }, copy = { 0 };
	unsigned char sum[E820_CHECKSUM_MAX];

	if (memory_map_parse(text, &map) < 0)
		return;
	for (size_t i = 0; i < map.entries.count; i++)
		memory_map_find(&map, map.entries.items[i].start);
	fuzz_assert(memory_map_copy(&map, &copy) == 0);
	fuzz_assert(memory_map_equal(&map, &copy));
	fuzz_assert(e820_checksum(E820_CHECK_CRC32, &map, sum) == 0);
	e820_apply_boot_params(&copy, text, strlen(text));
	memory_map_free(&map);
	memory_map_free(&copy);
}

/* A map that fits, and bytes that a boot loader may have left. */
static void fuzz_boot_params(const unsigned char *data, size_t size)
{
	static unsigned char params[4096];
	struct memory_map map = { 0 };

	fuzz_assert(memory_map_parse("0x0 0x9fbff System RAM\n0x9fc00 0xfffff Reserved\n"
				     "0x100000 0x7ffffff Unknown E820 type\n",
				     &map) == 0);
	memset(params, 0, sizeof(params));
	params[0x1e8] = size ? data[0] : 0;
	memcpy(params + 0x2d0, data, min_u64(size, sizeof(params) - 0x2d0));
	e820_apply_boot_params(&map, params, sizeof(params));
	e820_apply_boot_params(&map, data, size);
	fuzz_assert(memory_map_valid(&map));
	memory_map_free(&map);
}

static void fuzz_texts(const char *text)
{
	static struct cpu_info info;
	struct acpi acpi = { 0 };
	struct ram ram = { 0 };

	fuzz_assert(acpi_add_areas(&acpi, text, "MSFT0101:00") == 0);
	fuzz_assert(acpi.tpm.count <= ACPI_TPM_MAX);
	acpi_free(&acpi);
	memset(&info, 0, sizeof(info));
	fuzz_assert(cpu_parse(text, &info) == 0);
	fuzz_assert(memchr(info.flags, 0, sizeof(info.flags)));
	cpu_has_flag(info.flags, "hypervisor", strlen("hypervisor"));
	cpu_count_list(text);
	kernel_flags_of(text);
	kernel_at_least(text, 6, 1);
	ram_parse_iomem(text, &ram);
	ram_free(&ram);
	fuzz_assert(zones_parse(text, &ram.zones) == 0);
	for (size_t i = 0; i < ram.zones.items.count; i++)
		fuzz_assert(zone_valid(&ram.zones.items.items[i]));
	ram_free(&ram);
	acpi_apply_log(&acpi, text);
	acpi_free(&acpi);
}

static void fuzz_block(const unsigned char *data, size_t size)
{
	static unsigned char raw[1u << 16];
	size_t raw_size = size ? 1 + (size_t)data[0] * 257 : 1;
	int r = codec_decompress(data, size, raw, raw_size);

	fuzz_assert(r == 0 || r == -EBADMSG);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	text = malloc(size);
	fuzz_assert(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % 4) {
	case 0:
		fuzz_map(text);
		break;
	case 1:
		fuzz_boot_params(data + 1, size - 1);
		break;
	case 2:
		fuzz_texts(text);
		break;
	default:
		fuzz_block(data + 1, size - 1);
		break;
	}
	free(text);
	return 0;
}
