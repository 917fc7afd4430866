/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/hardware/devices.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/look.h"
#include "base/text.h"
#include "base/tree.h"
#include "platform/hardware/device_users.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define IOMEM_LIMIT (16u << 20)

void devices_free(struct devices *devices)
{
	list_free(&devices->items);
	pci_space_free(&devices->pci);
	*devices = (struct devices){ 0 };
}

/* include/linux/hyperv.h */
static const struct {
	const char *class_id;
	const char *kind;
} vmbus_kinds[] = {
	{ "ba6163d9-04a1-4d29-b605-72e2ffb1dc7f", "SCSI controller" },
	{ "32412632-86cb-44a2-9b5c-50d1417354f5", "IDE controller" },
	{ "2f9bcc4a-0069-4af3-b76b-6fd0be528cda", "Fibre Channel controller" },
	{ "f8615163-df3e-46c5-913f-f2d2f965ed0e", "network adapter" },
	{ "44c4f61d-4444-4400-9d52-802e27ede19f", "passed-through PCI device" },
	{ "f912ad6d-2b17-48ea-bd65-f927a61c7684", "keyboard" },
	{ "cfa8b69e-5b4a-4cc0-b98b-8ba1a1f3f95a", "mouse" },
	{ "da0a7802-e377-4aac-8e77-0558eb1073f8", "display" },
	{ "1cca14e0-0b5e-4fce-b4ee-9f8ce5a53a9c", "memory balloon" },
	{ "525074dc-8985-46e2-8057-a307dc18a502", "memory balloon" },
	{ "0e0b6031-5213-4934-818b-38d90ced39db", "shutdown service" },
	{ "9527e630-d0ae-497b-adce-e80ab0175caf", "time service" },
	{ "57164f39-9115-4e78-ab55-382f3bd5422d", "heartbeat service" },
	{ "a9a0f4e7-5a45-4d96-b827-8a841e8c03e6", "key-value service" },
	{ "35fa2e29-ea23-4236-96ae-3a6ebacba440", "backup service" },
};

static const struct {
	uint32_t base;
	const char *kind;
} pci_kinds[] = {
	{ 0x01, "storage controller" },	  { 0x02, "network adapter" },
	{ 0x03, "graphics adapter" },	  { 0x04, "multimedia device" },
	{ 0x05, "memory controller" },	  { 0x06, "bridge" },
	{ 0x07, "communication device" }, { 0x08, "system device" },
	{ 0x09, "input device" },	  { 0x0c, "serial bus controller" },
	{ 0x0d, "wireless adapter" },	  { 0x12, "accelerator" },
};

const char *device_kind(const struct device *device)
{
	if (strcmp(device->bus, "vmbus") == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(vmbus_kinds); i++)
			if (strcasecmp(device->id, vmbus_kinds[i].class_id) == 0)
				return vmbus_kinds[i].kind;
	} else if (strcmp(device->bus, "pci") == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(pci_kinds); i++)
			if (device->class >> 16 == pci_kinds[i].base)
				return pci_kinds[i].kind;
	}
	return "device";
}

bool device_is_vmbus_storage(const struct device *device)
{
	const char *kind = device_kind(device);

	return strcmp(device->bus, "vmbus") == 0 &&
	       (strcmp(kind, "SCSI controller") == 0 || strcmp(kind, "IDE controller") == 0 ||
		strcmp(kind, "Fibre Channel controller") == 0);
}

bool device_is_vmbus_pci(const struct device *device)
{
	return strcmp(device->bus, "vmbus") == 0 &&
	       strcmp(device_kind(device), "passed-through PCI device") == 0;
}

bool device_is_uio(const struct device *device)
{
	return strcmp(device->bus, "vmbus") == 0 && text_starts(device->driver, "uio_hv_generic");
}

/* The directory of a function among the devices, as sysfs links to it. */
static void take_place(const char *root, const char *name, struct device *device)
{
	char path[PATH_MAX], target[PATH_MAX];

	if (snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", name) >= (int)sizeof(path) ||
	    !tree_target(root, path, target))
		return;
	if (strcasestr(target, "/vmbus"))
		device->flags |= DEVICE_VIRTUAL_PCI;
	pci_path_parse(target, device->path, sizeof(device->path));
}

static void capture_pci(const char *root, const char *name, struct device *device)
{
	char word[16];
	uint64_t vendor = 0, id = 0, class = 0;

	tree_u64(root, &vendor, "/sys/bus/pci/devices/%s/vendor", name);
	tree_u64(root, &id, "/sys/bus/pci/devices/%s/device", name);
	tree_u64(root, &class, "/sys/bus/pci/devices/%s/class", name);
	snprintf(device->id, sizeof(device->id), "%04x:%04x", (unsigned int)vendor,
		 (unsigned int)id);
	device->class = (uint32_t) class;
	if (tree_text(root, word, sizeof(word), "/sys/bus/pci/devices/%s/removable", name) &&
	    strcmp(word, "removable") == 0)
		device->flags |= DEVICE_REMOVABLE;
	if (tree_link(root, word, sizeof(word), "/sys/bus/pci/devices/%s/physfn", name))
		device->flags |= DEVICE_VIRTUAL_FUNCTION;
	take_place(root, name, device);
}

/* "{f8615163-…}" without its braces. */
static void strip_braces(char *text)
{
	size_t length = strlen(text);

	if (length > 1 && text[0] == '{' && text[length - 1] == '}') {
		memmove(text, text + 1, length - 2);
		text[length - 2] = '\0';
	}
}

static void capture_vmbus(const char *root, const char *name, struct device *device)
{
	char instance[sizeof(device->address)];

	tree_text(root, device->id, sizeof(device->id), "/sys/bus/vmbus/devices/%s/class_id", name);
	strip_braces(device->id);
	if (tree_text(root, instance, sizeof(instance), "/sys/bus/vmbus/devices/%s/device_id",
		      name)) {
		strip_braces(instance);
		text_copy(device->address, sizeof(device->address), instance);
	}
}

static void capture_virtio(const char *root, const char *name, struct device *device)
{
	uint64_t id = 0;

	tree_u64(root, &id, "/sys/bus/virtio/devices/%s/device", name);
	snprintf(device->id, sizeof(device->id), "%04x", (unsigned int)id);
}

typedef void capture_device(const char *root, const char *name, struct device *device);

/* 1: the bus exists, 0: it does not. */
static int capture_bus(const char *root, const char *bus, capture_device *capture,
		       struct devices *devices)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/sys/bus/%s/devices", bus);
	r = tree_list(root, path, &names);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < names.count && devices->items.count < DEVICES_MAX; i++) {
		struct device device = { 0 };

		text_copy(device.bus, sizeof(device.bus), bus);
		text_copy(device.address, sizeof(device.address), names.items[i]);
		text_make_line(device.address, ' ');
		tree_link(root, device.driver, sizeof(device.driver),
			  "/sys/bus/%s/devices/%s/driver", bus, names.items[i]);
		capture(root, names.items[i], &device);
		if (list_append(&devices->items, device) < 0)
			return -ENOMEM;
	}
	return 1;
}

static int compare_devices(const void *a, const void *b)
{
	const struct device *x = a, *y = b;
	int order = strcmp(x->bus, y->bus);

	return order ? order : strcmp(x->address, y->address);
}

static void mark_behind(struct devices *devices, const char *port)
{
	const struct device *bridge = devices_find(devices, "pci", port);

	if (!bridge || !*bridge->path)
		return;
	for (size_t i = 0; i < devices->items.count; i++)
		if (pci_path_behind(devices->items.items[i].path, bridge->path))
			devices->items.items[i].flags |= DEVICE_REMOVABLE;
}

/* The attribute "removable" is only for ports outside the case (pci_set_removable() in
 * drivers/pci/probe.c). An internal slot is one whose port pciehp drives: the service
 * "ADDRESS:pcieTTS", where bit 2 of S means hot-plug (get_descriptor_id() in
 * drivers/pci/pcie/portdrv.c). */
static int mark_slots(const char *root, struct devices *devices)
{
	_cleanup_names_ struct tree_names names = { 0 };
	int r = tree_list(root, "/sys/bus/pci_express/devices", &names);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < names.count; i++) {
		char *service = strstr(names.items[i], ":pcie"), driver[16];

		if (!service ||
		    !tree_link(root, driver, sizeof(driver),
			       "/sys/bus/pci_express/devices/%s/driver", names.items[i]) ||
		    strcmp(driver, "pciehp") != 0)
			continue;
		*service = '\0';
		mark_behind(devices, names.items[i]);
	}
	return 0;
}

/* Hyper-V's devices get their addresses from the hypervisor, and virtual functions have
 * theirs in a BAR of their physical function. */
static bool has_own_resources(const struct device *device)
{
	return strcmp(device->bus, "pci") == 0 &&
	       !(device->flags & (DEVICE_VIRTUAL_PCI | DEVICE_VIRTUAL_FUNCTION));
}

/* MSI-X, whose table is in a BAR. Which BAR is in the configuration space only, and
 * reading that would wake a device that is off. */
static bool uses_msix(const char *root, const char *address)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char path[128], mode[8];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/msi_irqs", address);
	return tree_list(root, path, &names) == 0 && names.count > 0 &&
	       tree_text(root, mode, sizeof(mode), "%s/%s", path, names.items[0]) &&
	       strcmp(mode, "msix") == 0;
}

static void mark_msix(struct pci_space *space, size_t first)
{
	for (size_t i = first; i < space->resources.count; i++) {
		struct pci_resource *resource = &space->resources.items[i];

		if (resource->kind == PCI_RESOURCE_MEMORY &&
		    !(resource->flags & (PCI_RESOURCE_WINDOW | PCI_RESOURCE_OFF)))
			resource->flags |= PCI_RESOURCE_MSIX;
	}
}

/* The ranges of one function: 0, -ENOMEM, or another negative errno, with none of them. */
static int capture_ranges(const char *root, const char *address, uint32_t index,
			  struct pci_space *space)
{
	size_t first = space->resources.count;
	char path[128], text[4096];
	int r;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", address);
	r = io_read_text(root, path, text, sizeof(text)) < 0 ? -EIO : 0;
	if (r == 0)
		r = pci_parse_resources(text, index, space);
	if (r < 0)
		space->resources.count = first;
	else if (uses_msix(root, address))
		mark_msix(space, first);
	return r;
}

/* Of a function that cannot be read only that is noted; not of all. 0 or -ENOMEM. */
static int capture_resources(const char *root, struct devices *devices)
{
	bool some = false;

	for (size_t i = 0; i < devices->items.count; i++) {
		struct device *device = &devices->items.items[i];
		int r;

		if (!has_own_resources(device))
			continue;
		r = capture_ranges(root, device->address, (uint32_t)i, &devices->pci);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			device->flags |= DEVICE_ADDRESSES_UNKNOWN;
		some = some || r == 0;
	}
	for (size_t i = 0; !some && i < devices->items.count; i++)
		devices->items.items[i].flags &= ~(uint32_t)DEVICE_ADDRESSES_UNKNOWN;
	devices->pci.resources.known = some;
	return 0;
}

bool devices_know_addresses(const struct devices *devices)
{
	for (size_t i = 0; i < devices->items.count; i++)
		if (devices->items.items[i].flags & DEVICE_ADDRESSES_UNKNOWN)
			return false;
	return devices->pci.resources.known;
}

static int capture_space(const char *root, struct devices *devices)
{
	_cleanup_free_ char *iomem = NULL;
	int r = capture_resources(root, devices);

	if (r == 0 && io_read_file(root, "/proc/iomem", IOMEM_LIMIT, &iomem, NULL) == -ENOMEM)
		r = -ENOMEM;
	return r == 0 && iomem ? pci_parse_roots(iomem, &devices->pci) : r;
}

int devices_capture(const char *root, struct devices *ret)
{
	struct devices devices = { 0 };
	int pci = capture_bus(root, "pci", capture_pci, &devices);
	int vmbus = pci < 0 ? pci : capture_bus(root, "vmbus", capture_vmbus, &devices);
	int r = vmbus < 0 ? vmbus : capture_bus(root, "virtio", capture_virtio, &devices);

	if (r >= 0 && devices.items.count > 0)
		qsort(devices.items.items, devices.items.count, sizeof(*devices.items.items),
		      compare_devices);
	if (r >= 0)
		r = mark_slots(root, &devices);
	if (r >= 0)
		r = capture_space(root, &devices);
	if (r < 0) {
		devices_free(&devices);
		return r;
	}
	devices.items.known = true;
	devices.pci_known = pci > 0;
	devices.vmbus_known = vmbus > 0;
	*ret = devices;
	return 0;
}

static void note_use(const char *root, const struct device_users *users, struct device *device)
{
	_cleanup_free_ char *path = NULL;
	char link[128];

	if (strcmp(device->bus, "pci") != 0 && strcmp(device->bus, "vmbus") != 0)
		return;
	snprintf(link, sizeof(link), "/sys/bus/%s/devices/%s", device->bus, device->address);
	path = tree_path(root, link);
	if (!path)
		return;
	device->flags |= DEVICE_USE_KNOWN;
	if (device_users_need(users, path))
		device->flags |= DEVICE_IN_USE;
}

int devices_note_use(const char *root, struct devices *devices)
{
	struct device_users users;
	int r = device_users_look(root, 0, &users);

	if (r < 0)
		return r;
	for (size_t i = 0; i < devices->items.count; i++) {
		devices->items.items[i].flags &= ~(uint32_t)(DEVICE_USE_KNOWN | DEVICE_IN_USE);
		if (users.items.known)
			note_use(root, &users, &devices->items.items[i]);
	}
	device_users_free(&users);
	return 0;
}

void devices_look_at_buses(const char *root, struct devices *devices)
{
	for (size_t i = 0; i < devices->items.count; i++) {
		struct device *device = &devices->items.items[i];
		uint64_t first, last;

		if (!has_own_resources(device) ||
		    !tree_u64(root, &first, "/sys/bus/pci/devices/%s/secondary_bus_number",
			      device->address) ||
		    !tree_u64(root, &last, "/sys/bus/pci/devices/%s/subordinate_bus_number",
			      device->address) ||
		    first == 0 || first > last || last > PCI_BUS_MAX)
			continue;
		device->first_bus = (uint32_t)first;
		device->last_bus = (uint32_t)last;
	}
}

const struct device *devices_find(const struct devices *devices, const char *bus,
				  const char *address)
{
	/* A list from a disk may be unsorted. */
	for (size_t i = 0; i < devices->items.count; i++) {
		const struct device *device = &devices->items.items[i];

		if (strcmp(device->bus, bus) == 0 && strcmp(device->address, address) == 0)
			return device;
	}
	return NULL;
}

const struct device *devices_match(const struct devices *devices, const struct device *like)
{
	const struct device *found;

	if (strcmp(like->bus, "pci") != 0 || !*like->path)
		return devices_find(devices, like->bus, like->address);
	for (size_t i = 0; i < devices->items.count; i++) {
		const struct device *device = &devices->items.items[i];

		if (strcmp(device->bus, "pci") == 0 && strcmp(device->path, like->path) == 0)
			return device;
	}
	found = devices_find(devices, like->bus, like->address);
	return found && !*found->path ? found : NULL;
}
