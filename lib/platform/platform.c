/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/platform.h"

#include "base/bytes.h"
#include "kernel/image_info.h"
#include "platform/hardware/encryption.h"

void platform_free(struct platform *platform)
{
	memory_map_free(&platform->map);
	ram_free(&platform->ram);
	acpi_free(&platform->acpi);
	efi_free(&platform->efi);
	cpu_free(&platform->cpu);
	devices_free(&platform->devices);
	filesystems_free(&platform->filesystems);
	swaps_free(&platform->swaps);
	maps_met_free(&platform->met);
	*platform = (struct platform){ 0 };
}

static int capture_memory(const char *root, struct platform *platform, struct why *w)
{
	int r = memory_map_capture(root, &platform->map);

	if (r < 0)
		return why_prefix(w, r, "/sys/firmware/memmap");
	r = e820_capture_boot_params(root, &platform->map);
	if (r == 0)
		r = ram_capture(root, &platform->ram);
	return r < 0 ? why_prefix(w, r, "the list of memory") : 0;
}

int platform_capture(const char *root, const char *kernel_log, struct platform *ret, struct why *w)
{
	struct platform platform = { 0 };
	int r = capture_memory(root, &platform, w);

	if (r == 0)
		r = acpi_capture(root, kernel_log, &platform.acpi);
	/* arm64 uses one of them, though firmware may have both (acpi_boot_table_init()). */
	if (r == 0 && !platform.acpi.tables.known)
		r = device_tree_capture(root, &platform.device_tree);
	if (r == 0)
		r = efi_capture(root, &platform.efi);
	if (r == 0)
		r = cpu_capture(root, &platform.cpu);
	if (r == 0)
		r = devices_capture(root, &platform.devices);
	if (r == 0)
		r = kernel_capture(root, kernel_log, &platform.kernel);
	if (r == 0)
		r = guest_capture(root, kernel_log, platform.cpu.info.flags, &platform.guest);
	if (r < 0) {
		platform_free(&platform);
		*ret = platform;
		return r;
	}
	dmi_capture(root, &platform.dmi);
	encryption_find(root, kernel_log, platform.kernel.release, &platform.cpu.info,
			platform.encryption, sizeof(platform.encryption));
	*ret = platform;
	return 0;
}

int platform_look_for(const char *root, const struct platform *then, struct platform *now)
{
	devices_look_at_buses(root, &now->devices);
	filesystems_free(&now->filesystems);
	return filesystems_look(root, &then->filesystems, &now->filesystems);
}

int platform_calibrate(struct platform *platform, const void *header, size_t length)
{
	struct hibernation *hibernation = &platform->hibernation;
	const unsigned char *page = header;
	uint64_t pages;
	int r = 0;

	if (length < IMAGE_INFO_END)
		return 0;
	pages = get_le64(page + IMAGE_INFO_PHYSPAGES);
	hibernation->page_count = platform->ram.pages.present == 0	 ? CALIBRATION_NOT_TRIED
				  : platform->ram.pages.present == pages ? CALIBRATION_MATCHED
									 : CALIBRATION_FAILED;
	hibernation->magic = get_le64(page + IMAGE_INFO_MAGIC);
	if (platform->map.entries.known)
		r = e820_calibrate(&platform->map, hibernation->magic, page + IMAGE_INFO_CHECKSUM,
				   &hibernation->checksum);
	return r;
}
