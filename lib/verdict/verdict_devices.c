/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which VMBus devices and PCI functions are present. */
#include "verdict/verdict_private.h"

#include <stdio.h>
#include <string.h>

/* Base classes: include/linux/pci_ids.h. */
#define PCI_CLASS_STORAGE 0x01
#define PCI_CLASS_BRIDGE 0x06

/* A device of the same kind with another id where one is missing: the usual case on a recreated
 * VM. */
static const struct device *newcomer_like(const struct judge *judge, const struct device *device)
{
	const struct devices *now = &judge->now->devices;

	for (size_t i = 0; i < now->items.count; i++) {
		const struct device *other = &now->items.items[i];

		if (strcmp(other->bus, device->bus) == 0 && strcmp(other->id, device->id) == 0 &&
		    !devices_find(&judge->then->devices, other->bus, other->address))
			return other;
	}
	return NULL;
}

static bool is_adapter(const struct device *device)
{
	return strcmp(device_kind(device), "network adapter") == 0;
}

/* The session uses disks behind it, or the system's files come over it. What is behind a bridge is
 * compared itself. */
static bool is_needed(const struct device *device)
{
	return (device->flags & DEVICE_IN_USE) &&
	       (strcmp(device->bus, "pci") != 0 || device->class >> 16 != PCI_CLASS_BRIDGE);
}

/* Images of an older s2disk do not say what lay on its disks. */
static bool may_be_needed(const struct device *device)
{
	return is_needed(device) ||
	       (device_is_vmbus_storage(device) && !(device->flags & DEVICE_USE_KNOWN));
}

static const char *without_vmbus(const struct device *device)
{
	if (!*device->driver)
		return "it refuses to hibernate until the next boot, but no driver used the device";
	if (is_needed(device))
		return is_adapter(device) ? "the file systems that come over it fail"
					  : "the disks of the session behind it fail";
	if (device_is_vmbus_storage(device) && !may_be_needed(device))
		return "its driver may crash when its disks are accessed, though no file system "
		       "on them was mounted, and no swap active";
	return "its users fail";
}

static void report_vmbus(struct judge *judge, const struct device *device)
{
	const struct device *other = newcomer_like(judge, device);
	bool unused = !*device->driver; /* or released before the snapshot */
	struct finding *finding = judge_add(judge, ABOUT_VMBUS_DEVICE,
					    unused		    ? VERDICT_HARMLESS
					    : may_be_needed(device) ? VERDICT_FATAL
								    : VERDICT_RISKY);

	finding->accept = ACCEPT_VMBUS_DEVICE;
	SAY(finding->then, "%s %s", device_kind(device), device->address);
	if (other)
		SAY(finding->now, "%s %s", device_kind(other), other->address);
	SAY(finding->text,
	    "The %s %s on the VMBus is missing%s. The kernel waits 10 seconds for it; then %s.",
	    device_kind(device), device->address,
	    other ? " (one of the same kind is present with another id)" : "",
	    without_vmbus(device));
	if (finding->class == VERDICT_FATAL)
		SAY(finding->advice,
		    "Restore the devices that the machine had when it hibernated.");
	if (device_is_vmbus_pci(device) && !unused)
		SAY(finding->advice, "Remove passed-through devices and virtual functions before "
				     "hibernating: on a new virtual machine they have other ids.");
}

/* Its restore resets the device and waits for status 0, of a device that is gone without end:
 * vp_reset() in drivers/virtio/virtio_pci_modern.c does not ask whether it is there, and a port
 * that has noticed waits for the device's lock, which the restore holds. */
static bool waits_without_end(const struct device *device)
{
	return strcmp(device->driver, "virtio-pci") == 0;
}

/* pciehp of Linux 6.12 or later (not 6.1) detects another device in its slot and keeps the old
 * driver away from it (pciehp_device_replaced(), called before the device is resumed). */
static bool port_handles(const struct judge *judge, const struct device *device, bool other)
{
	return (device->flags & DEVICE_REMOVABLE) && !waits_without_end(device) &&
	       (!other || kernel_at_least(judge->then->kernel.release, 6, 12));
}

static const char *without_pci(const struct device *device, bool replaced)
{
	if (!*device->driver)
		return replaced ? ": the saved kernel writes the old one's addresses to it"
				: "; no driver used it";
	if (is_needed(device))
		return is_adapter(device) ? ": file systems that the session needs come over it"
					  : ": disks that the session uses are behind it";
	if (waits_without_end(device))
		return ": its driver may wait for it without end";
	if (device->class >> 16 == PCI_CLASS_STORAGE && (device->flags & DEVICE_USE_KNOWN))
		return ": no file system on its disks was mounted, and no swap active, but its "
		       "driver may hang";
	return ": its driver will fail to resume it";
}

/* A function that replaces another one is given its BARs, used or not: pci_pm_restore_noirq() needs
 * no driver. */
static void report_pci(struct judge *judge, const struct device *device, const struct device *now)
{
	bool unused = !*device->driver && !now, handled = port_handles(judge, device, now);
	struct finding *finding = judge_add(judge, ABOUT_PCI_DEVICE,
					    unused || handled	? VERDICT_HARMLESS
					    : is_needed(device) ? VERDICT_FATAL
								: VERDICT_RISKY);

	/* Another device gets the addresses of the one that was there. */
	finding->accept = now ? ACCEPT_NOTHING : ACCEPT_PCI_DEVICE;
	SAY(finding->then, "%s %s (%s)", device->id, device_kind(device), device->driver);
	if (now)
		SAY(finding->now, "%s %s", now->id, device_kind(now));
	SAY(finding->text, "The %s %s at %s is %s%s.", device_kind(device), device->id,
	    device->address, now ? "a different one now" : "missing",
	    handled ? "; its port supports hot-plugging and handles that"
		    : without_pci(device, now));
	if (finding->class == VERDICT_FATAL)
		SAY(finding->advice,
		    "Restore the devices that the machine had when it hibernated.");
}

/* virtio devices and Hyper-V's PCI devices appear only with their drivers, which an initramfs may
 * not have loaded, so the device below them is compared. Virtual functions are created by their
 * physical one, also when the saved kernel resumes it (sriov_restore_state() in
 * drivers/pci/iov.c). */
static bool is_compared(const struct device *device)
{
	return strcmp(device->bus, "vmbus") == 0 ||
	       (strcmp(device->bus, "pci") == 0 &&
		!(device->flags & (DEVICE_VIRTUAL_PCI | DEVICE_VIRTUAL_FUNCTION)));
}

/* Those behind a VMD controller have a domain of their own, 0x10000 or above, which is there with
 * its driver only (vmd_find_free_domain() in drivers/pci/controller/vmd.c). The saved kernel has
 * that driver, and the controller itself is compared. */
static bool may_be_hidden(const struct judge *judge, const struct device *device)
{
	const struct devices *now = &judge->now->devices;
	uint32_t domain, other, bus;

	if (is_needed(device) || strcmp(device->bus, "pci") != 0 ||
	    !pci_bus_of(device->address, &domain, &bus) || domain < 0x10000)
		return false;
	for (size_t i = 0; i < now->items.count; i++)
		if (strcmp(now->items.items[i].bus, "pci") == 0 &&
		    pci_bus_of(now->items.items[i].address, &other, &bus) && other == domain)
			return false;
	return true;
}

static void compare_device(struct judge *judge, const struct device *then)
{
	const struct device *now = devices_match(&judge->now->devices, then);
	bool there = now && strcmp(now->id, then->id) == 0;

	if (!is_compared(then) || there || may_be_hidden(judge, then))
		return;
	if (strcmp(then->bus, "pci") == 0)
		report_pci(judge, then, now);
	else if (judge->now->devices.vmbus_known)
		report_vmbus(judge, then);
}

static void report_new(struct judge *judge, const struct device *now)
{
	bool vmbus = strcmp(now->bus, "vmbus") == 0;
	struct finding *finding;

	if (!is_compared(now) || devices_match(&judge->then->devices, now))
		return;
	finding = judge_add(judge, vmbus ? ABOUT_VMBUS_DEVICE : ABOUT_PCI_DEVICE, VERDICT_HARMLESS);
	SAY(finding->now, "%s %s", now->id, device_kind(now));
	SAY(finding->text, "The %s %s is new; the saved kernel does not know it%s.",
	    device_kind(now), now->address, vmbus ? " and will find it" : "");
}

void judge_devices(struct judge *judge)
{
	const struct devices *then = &judge->then->devices, *now = &judge->now->devices;
	size_t before = judge->verdict->count;
	struct finding *finding;

	if (!then->items.known || !now->items.known)
		return;
	if (then->vmbus_known && !now->vmbus_known) {
		finding = judge_add(judge, ABOUT_VMBUS_DEVICE, VERDICT_RISKY);
		SAY(finding->text, "VMBus devices are not visible here.");
		SAY(finding->advice, "Add the module hv_vmbus to the initramfs.");
	}
	for (size_t i = 0; i < then->items.count; i++)
		compare_device(judge, &then->items.items[i]);
	if (then->pci_known || then->vmbus_known)
		for (size_t i = 0; i < now->items.count; i++)
			report_new(judge, &now->items.items[i]);
	if (judge->verdict->count == before)
		judge_same(judge, ABOUT_PCI_DEVICE, "All devices are present.");
}
