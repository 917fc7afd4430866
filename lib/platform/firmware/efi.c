/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/firmware/efi.h"

#include "base/bytes.h"
#include "base/tree.h"

#define EFI_PATH "/sys/firmware/efi"
#define EFI_PAGE 4096

void efi_free(struct efi *efi)
{
	list_free(&efi->regions);
}

uint64_t efi_region_end(const struct efi_region *region)
{
	uint64_t size, end;

	if (!checked_mul(region->pages, EFI_PAGE, &size) || !checked_add(region->start, size, &end))
		return UINT64_MAX;
	return end ? end - 1 : 0;
}

bool efi_region_is_firmware(const struct efi_region *region)
{
	switch (region->type) {
	case 1: /* loader code and data */
	case 2:
	case 3: /* boot services code and data */
	case 4:
	case 7: /* conventional memory */
		return false;
	default:
		return true;
	}
}

const char *efi_type_name(uint32_t type)
{
	switch (type) {
	case 3:
	case 4:
		return "boot services memory";
	case 5:
		return "runtime code";
	case 6:
		return "runtime data";
	case 11:
	case 12:
		return "device memory";
	default:
		return "firmware memory";
	}
}

static int capture_region(const char *root, const char *name, struct efi *efi)
{
	struct efi_region region = { 0 };
	uint64_t type;

	if (!tree_u64(root, &type, EFI_PATH "/runtime-map/%s/type", name) ||
	    !tree_u64(root, &region.start, EFI_PATH "/runtime-map/%s/phys_addr", name) ||
	    !tree_u64(root, &region.pages, EFI_PATH "/runtime-map/%s/num_pages", name))
		return 0;
	tree_u64(root, &region.virtual_start, EFI_PATH "/runtime-map/%s/virt_addr", name);
	tree_u64(root, &region.attribute, EFI_PATH "/runtime-map/%s/attribute", name);
	region.type = (uint32_t)type;
	if (efi->regions.count == EFI_REGIONS_MAX)
		return 0;
	return list_append(&efi->regions, region);
}

static int compare_regions(const void *a, const void *b)
{
	const struct efi_region *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

int efi_capture(const char *root, struct efi *ret)
{
	_cleanup_names_ struct tree_names names = { 0 };
	struct efi efi = { .state.booted = tree_exists(root, EFI_PATH) };
	int r = tree_list(root, EFI_PATH "/runtime-map", &names);

	if (r == -ENOMEM)
		return r;
	efi.regions.known = r == 0;
	r = 0;
	tree_u64(root, &efi.state.runtime, EFI_PATH "/runtime");
	tree_u64(root, &efi.state.config_table, EFI_PATH "/config_table");
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = capture_region(root, names.items[i], &efi);
	if (r < 0) {
		efi_free(&efi);
		return r;
	}
	if (efi.regions.count > 0)
		qsort(efi.regions.items, efi.regions.count, sizeof(*efi.regions.items),
		      compare_regions);
	*ret = efi;
	return 0;
}
