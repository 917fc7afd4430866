/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verdict/forecast.h"

#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* In a full list, a certain item replaces a likely one. */
static struct forecast_item *place(struct forecast *forecast, bool certain)
{
	if (forecast->count < FORECAST_MAX)
		return &forecast->items[forecast->count++];
	forecast->left_out++;
	for (size_t i = FORECAST_MAX; certain && i > 0; i--)
		if (!forecast->items[i - 1].certain)
			return &forecast->items[i - 1];
	return NULL;
}

__attribute__((format(printf, 5, 6))) static void add(struct forecast *forecast, const char *id,
						      bool certain, const char *advice,
						      const char *format, ...)
{
	struct forecast_item *item;
	va_list args;

	item = place(forecast, certain);
	if (!item)
		return;
	*item = (struct forecast_item){ .id = id, .certain = certain };
	snprintf(item->advice, sizeof(item->advice), "%s", advice);
	va_start(args, format);
	vsnprintf(item->text, sizeof(item->text), format, args);
	va_end(args);
}

static uint64_t overlap(const struct byte_range *range, const struct memory_entry *entry)
{
	uint64_t start = max_u64(range->start, entry->start);
	uint64_t end = min_u64(range->end, entry->end);

	return start <= end ? end - start + 1 : 0;
}

/* Is nothing of it in an image? The blocks may be listed one by one, in any order. */
static bool is_offline(const struct ram *ram, const struct memory_entry *entry)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < ram->offline.count; i++)
		bytes += overlap(&ram->offline.items[i], entry);
	return bytes == entry->end - entry->start + 1;
}

static void forecast_memory(const struct platform *platform, struct forecast *ret)
{
	const struct memory_map *map = &platform->map;

	for (size_t i = 0; i < platform->ram.virtio.count; i++) {
		const struct virtio_mem *device = &platform->ram.virtio.items[i];
		/* An older s2disk did not note what is offline. */
		uint64_t bytes = max_u64(device->plugged, device->added);

		if (bytes > 0)
			add(ret, "virtio-mem", true,
			    "Unplug it first: set the device's requested size to 0 on the host. Or "
			    "set \"release virtio-mem = y\" (suspend.conf(5)): it is gone then "
			    "until the next boot.",
			    "The virtio-mem device %s has %llu MiB plugged; after a restart it has "
			    "none.",
			    device->device, (unsigned long long)(bytes >> 20));
	}
	for (size_t i = map->table_count; i < map->entries.count; i++) {
		if (is_offline(&platform->ram, &map->entries.items[i]))
			continue;
		add(ret, "hot-plugged-memory", false,
		    "Make sure that the machine has this memory when it restarts.",
		    "%llu MiB of memory at 0x%llx were hot-plugged.",
		    (unsigned long long)((map->entries.items[i].end - map->entries.items[i].start +
					  1) >>
					 20),
		    (unsigned long long)map->entries.items[i].start);
	}
}

static void forecast_devices(const struct platform *platform, struct forecast *ret)
{
	for (size_t i = 0; i < platform->devices.items.count; i++) {
		const struct device *device = &platform->devices.items.items[i];

		if (device_is_uio(device))
			add(ret, "vmbus-uio", true, "Unbind it from uio_hv_generic first.",
			    "The VMBus %s %s is bound to the driver %s, which cannot hibernate.",
			    device_kind(device), device->address, device->driver);
		else if (device_is_vmbus_pci(device) && *device->driver)
			add(ret, "vmbus-pci", false,
			    "Start hibernation from the host, which removes the device first, or "
			    "remove it yourself.",
			    "The virtual machine has a passed-through PCI device or virtual "
			    "function "
			    "(%s). On a new virtual machine it has another id.",
			    device->address);
	}
}

static void forecast_guest(const struct platform *platform, struct forecast *ret)
{
	const struct guest *guest = &platform->guest;

	if (guest->kind == GUEST_HYPERV && guest->hyperv_hibernation == 0)
		add(ret, "hyperv-s4", false,
		    "Have the host's administrator enable the virtual S4 state of this virtual "
		    "machine.",
		    "The host has not enabled hibernation for this virtual machine, so it may add "
		    "memory while it runs.");
	if (guest->kind == GUEST_XEN && !(platform->kernel.flags & KERNEL_NOKASLR))
		add(ret, "xen-kaslr", false, "Add nokaslr to the kernel command line.",
		    "On Xen, about 3 of 100 resumes fail while the kernel's address is randomized "
		    "(KASLR).");
	if (guest->kind == GUEST_HYPERV && guest->balloon && !guest->s4_offered)
		add(ret, "balloon", false, "Give the virtual machine a fixed amount of memory.",
		    "A memory balloon may change how much memory this guest has.");
}

/* Without a memory map there is no region that could move. */
static void forecast_offlining(const struct platform *platform, struct forecast *ret)
{
	uint32_t offlining = platform->ram.pages.offlining;

	if (!platform->map.entries.known || offlining == OFFLINING_POSSIBLE ||
	    offlining == OFFLINING_UNKNOWN)
		return;
	add(ret, "no-offlining", false,
	    offlining == OFFLINING_DISABLED ? "Set vm.enable_soft_offline to 1 (sysctl)."
					    : "Boot a kernel that has CONFIG_MEMORY_FAILURE.",
	    "This kernel %s, so a firmware region that moved cannot be corrected.",
	    offlining == OFFLINING_DISABLED ? "may not offline memory pages "
					      "(vm.enable_soft_offline is 0)"
					    : "cannot offline memory pages (it was built without "
					      "CONFIG_MEMORY_FAILURE)");
}

void platform_forecast(const struct platform *platform, struct forecast *ret)
{
	ret->count = ret->left_out = 0;
	forecast_memory(platform, ret);
	forecast_devices(platform, ret);
	forecast_guest(platform, ret);
	if (platform->kernel.flags & KERNEL_WIPES_FREE)
		add(ret, "wipes-free", false, "",
		    "This kernel overwrites free memory when it resumes (init_on_free or "
		    "page_poison), so a firmware region that moved cannot be corrected.");
	else
		forecast_offlining(platform, ret);
}
