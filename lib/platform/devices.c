/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/devices.h"

#include "base/bytes.h"
#include "base/text.h"
#include "platform/tree.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

void devices_free(struct devices *devices)
{
	list_free(&devices->items);
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

static void capture_pci(const char *root, const char *name, struct device *device)
{
	char full[PATH_MAX], target[PATH_MAX], removable[16];
	uint64_t vendor = 0, id = 0, class = 0;
	ssize_t n;

	tree_u64(root, &vendor, "/sys/bus/pci/devices/%s/vendor", name);
	tree_u64(root, &id, "/sys/bus/pci/devices/%s/device", name);
	tree_u64(root, &class, "/sys/bus/pci/devices/%s/class", name);
	snprintf(device->id, sizeof(device->id), "%04x:%04x", (unsigned int)vendor,
		 (unsigned int)id);
	device->class = (uint32_t) class;
	if (tree_text(root, removable, sizeof(removable), "/sys/bus/pci/devices/%s/removable",
		      name) &&
	    strcmp(removable, "removable") == 0)
		device->flags |= DEVICE_REMOVABLE;
	if (snprintf(full, sizeof(full), "%s/sys/bus/pci/devices/%s", root, name) >=
	    (int)sizeof(full))
		return;
	n = readlink(full, target, sizeof(target) - 1);
	if (n < 0)
		return;
	target[n] = '\0';
	if (strcasestr(target, "/vmbus"))
		device->flags |= DEVICE_VIRTUAL_PCI;
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

/* 1: the bus is there, 0: not. */
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
		tree_one_line(device.address);
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

int devices_capture(const char *root, struct devices *ret)
{
	struct devices devices = { 0 };
	int pci = capture_bus(root, "pci", capture_pci, &devices);
	int vmbus = pci < 0 ? pci : capture_bus(root, "vmbus", capture_vmbus, &devices);
	int virtio = vmbus < 0 ? vmbus : capture_bus(root, "virtio", capture_virtio, &devices);

	if (virtio < 0) {
		devices_free(&devices);
		return virtio;
	}
	if (devices.items.count > 0)
		qsort(devices.items.items, devices.items.count, sizeof(*devices.items.items),
		      compare_devices);
	devices.items.known = true;
	devices.pci_known = pci > 0;
	devices.vmbus_known = vmbus > 0;
	*ret = devices;
	return 0;
}

const struct device *devices_find(const struct devices *devices, const char *bus,
				  const char *address)
{
	/* A list from a disk need not be sorted. */
	for (size_t i = 0; i < devices->items.count; i++) {
		const struct device *device = &devices->items.items[i];

		if (strcmp(device->bus, bus) == 0 && strcmp(device->address, address) == 0)
			return device;
	}
	return NULL;
}
