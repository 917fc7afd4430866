/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of PCI. The saved kernel restores those of each function, with or without a driver
 * (pci_pm_restore_noirq(), pci_restore_config_space()), so where a function is now does not matter;
 * what is at its old addresses does. */
#include "verdict/verdict_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The worst conflict at the old addresses of one function. */
struct conflict {
	enum verdict_class class;
	const struct pci_resource *then;
	const struct device *other; /* NULL: memory, or no root window */
	bool ram;
};

struct matching {
	const struct device **now_of;  /* of then's devices, by index; NULL: missing */
	const struct device **then_of; /* of now's */
	struct conflict *conflicts;    /* of then's devices */
	const struct device *
		*place; /* by index of now's: whose old place it has; NULL: it may stay */
	bool *crosses;	/* now's: that place is a range of bus numbers */
	bool *stayed;	/* now's resources that the same function had then */
};

static void matching_free(struct matching *matching)
{
	free(matching->now_of);
	free(matching->then_of);
	free(matching->conflicts);
	free(matching->place);
	free(matching->crosses);
	free(matching->stayed);
}

/* A range that the function had then, too: sharing it is no conflict. */
static bool has_stayed(const struct devices *then, const struct device *device,
		       const struct pci_resource *now)
{
	for (size_t i = 0; device && i < then->pci.resources.count; i++) {
		const struct pci_resource *old = &then->pci.resources.items[i];

		if (old->kind == now->kind && old->start == now->start && old->end == now->end &&
		    &then->items.items[old->device] == device)
			return true;
	}
	return false;
}

static int match_devices(const struct devices *then, const struct devices *now,
			 struct matching *ret)
{
	struct matching matching = {
		.now_of = calloc(then->items.count + 1, sizeof(*matching.now_of)),
		.then_of = calloc(now->items.count + 1, sizeof(*matching.then_of)),
		.conflicts = calloc(then->items.count + 1, sizeof(*matching.conflicts)),
		.place = calloc(now->items.count + 1, sizeof(*matching.place)),
		.crosses = calloc(now->items.count + 1, sizeof(*matching.crosses)),
		.stayed = calloc(now->pci.resources.count + 1, sizeof(*matching.stayed)),
	};

	if (!matching.now_of || !matching.then_of || !matching.conflicts || !matching.place ||
	    !matching.crosses || !matching.stayed) {
		matching_free(&matching);
		return -ENOMEM;
	}
	for (size_t i = 0; i < then->items.count; i++)
		matching.now_of[i] = devices_match(now, &then->items.items[i]);
	for (size_t i = 0; i < now->items.count; i++)
		matching.then_of[i] = devices_match(then, &now->items.items[i]);
	for (size_t i = 0; i < now->pci.resources.count; i++) {
		const struct pci_resource *resource = &now->pci.resources.items[i];

		matching.stayed[i] = has_stayed(then, matching.then_of[resource->device], resource);
	}
	*ret = matching;
	return 0;
}

static bool touch(uint64_t a_start, uint64_t a_end, uint64_t b_start, uint64_t b_end)
{
	return a_start <= b_end && b_start <= a_end;
}

/* Does the firmware or the kernel have RAM in a range? */
static bool holds_ram(const struct platform *platform, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < platform->map.entries.count; i++) {
		const struct memory_entry *entry = &platform->map.entries.items[i];

		if (entry->type == MEMORY_RAM && touch(start, end, entry->start, entry->end))
			return true;
	}
	for (size_t i = 0; i < platform->ram.used.count; i++)
		if (touch(start, end, platform->ram.used.items[i].start,
			  platform->ram.used.items[i].end))
			return true;
	return false;
}

static bool is_window(const struct pci_resource *resource)
{
	return resource->flags & PCI_RESOURCE_WINDOW;
}

/* A bridge's window contains the devices behind it. If the path is unknown, any window is assumed
 * to. */
static bool one_holds_other(const struct pci_resource *then, const struct device *a,
			    const struct pci_resource *now, const struct device *b)
{
	if (!is_window(then) && !is_window(now))
		return false;
	if (!*a->path || !*b->path)
		return true;
	return pci_path_behind(a->path, b->path) || pci_path_behind(b->path, a->path);
}

/* Does a function that the saved kernel does not know still answer at its addresses after the saved
 * kernel has restored the windows of its own bridges? Not if it is behind a known bridge that the
 * old function is not behind. */
static bool is_reached(const struct judge *judge, const struct matching *matching,
		       const struct device *other, const struct device *device)
{
	const struct devices *now = &judge->now->devices;

	for (size_t i = 0; i < now->items.count; i++) {
		const struct device *bridge = matching->then_of[i];

		if (bridge && *bridge->path && pci_path_behind(other->path, bridge->path) &&
		    *device->path && !pci_path_behind(device->path, bridge->path))
			return false;
	}
	return true;
}

/* Two functions that the saved kernel knows conflict only until both are restored. The only early
 * write is to a table of message interrupts (__pci_restore_msix_state()), if the driver kept it;
 * virtio drivers release it before the snapshot (virtio_device_freeze() and each driver's del_vqs).
 * Sockets of CardBus bridges are written as early (pcmcia_socket_dev_resume_noirq()). */
static bool is_written_early(const struct pci_resource *then, const struct device *device)
{
	if (strcmp(device->driver, "yenta_cardbus") == 0)
		return !is_window(then);
	return (then->flags & PCI_RESOURCE_MSIX) && strcmp(device->driver, "virtio-pci") != 0;
}

static void note(struct conflict *conflict, enum verdict_class class,
		 const struct pci_resource *then, const struct device *other, bool ram)
{
	if (class > conflict->class)
		*conflict = (struct conflict){ class, then, other, ram };
}

static void meet_devices(const struct judge *judge, const struct matching *matching,
			 const struct pci_resource *then)
{
	const struct device *device = &judge->then->devices.items.items[then->device];
	const struct devices *now = &judge->now->devices;
	struct conflict *conflict = &matching->conflicts[then->device];

	for (size_t i = 0; i < now->pci.resources.count; i++) {
		const struct pci_resource *there = &now->pci.resources.items[i];
		const struct device *other = &now->items.items[there->device];
		const struct device *known = matching->then_of[there->device];

		if (there->kind != then->kind || matching->stayed[i] ||
		    (there->flags & PCI_RESOURCE_OFF) ||
		    !touch(then->start, then->end, there->start, there->end) ||
		    other == matching->now_of[then->device] ||
		    one_holds_other(then, device, there, other))
			continue;
		if (!known && is_reached(judge, matching, other, device))
			matching->place[there->device] = device;
		else if (known && is_written_early(then, device))
			note(conflict, VERDICT_RISKY, then, other, false);
	}
}

static void report_crossing(struct judge *judge, const struct device *bridge,
			    const struct device *device)
{
	struct finding *finding = judge_add(judge, ABOUT_PCI_SPACE, VERDICT_RISKY);

	SAY(finding->now, "%s %s", bridge->id, device_kind(bridge));
	SAY(finding->text,
	    "The %s %s at %s has the bus numbers %02x to %02x, which lead the saved kernel to the "
	    "%s %s at %s behind another bridge. Until both bridges are restored, one may receive "
	    "accesses to the other.",
	    device_kind(bridge), bridge->id, bridge->address, bridge->first_bus, bridge->last_bus,
	    device_kind(device), device->id, device->address);
	SAY(finding->advice, "Restore the devices that the machine had when it hibernated.");
}

static bool has_bus_of(const struct device *bridge, uint32_t domain, const struct device *device)
{
	uint32_t other, bus;

	return strcmp(device->bus, "pci") == 0 && pci_bus_of(device->address, &other, &bus) &&
	       other == domain && bus >= bridge->first_bus && bus <= bridge->last_bus;
}

/* A bridge forwards configuration accesses by bus number, whatever its command register says. The
 * saved kernel restores the numbers of bridges it knows, and accesses the devices behind one as
 * soon as it is restored. Another bridge must not forward these accesses, too. */
static void meet_buses(struct judge *judge, const struct matching *matching, size_t index)
{
	const struct devices *then = &judge->then->devices;
	const struct device *bridge = &judge->now->devices.items.items[index];
	uint32_t domain, bus;

	if (bridge->first_bus == 0 || !*bridge->path || !pci_bus_of(bridge->address, &domain, &bus))
		return;
	for (size_t i = 0; i < then->items.count; i++) {
		const struct device *device = &then->items.items[i];

		if (!has_bus_of(bridge, domain, device) || !*device->path ||
		    pci_path_behind(device->path, bridge->path) ||
		    !is_reached(judge, matching, bridge, device))
			continue;
		if (matching->then_of[index]) {
			report_crossing(judge, bridge, device);
		} else {
			matching->place[index] = device;
			matching->crosses[index] = true;
		}
		return;
	}
}

/* In a window of one root bus, or in one of any (""). */
static const struct pci_window *root_of(const struct pci_space *space, const char *bus,
					const struct pci_resource *resource)
{
	for (size_t i = 0; i < space->roots.count; i++) {
		const struct pci_window *window = &space->roots.items[i];

		if (resource->start >= window->start && resource->end <= window->end &&
		    (!*bus || strcmp(bus, window->bus) == 0))
			return window;
	}
	return NULL;
}

static void meet_memory(const struct judge *judge, struct conflict *conflict,
			const struct pci_resource *then)
{
	const struct pci_space *old = &judge->then->devices.pci, *new = &judge->now->devices.pci;
	const struct pci_window *root = root_of(old, "", then);

	if (then->kind != PCI_RESOURCE_MEMORY)
		return;
	/* A window that held RAM then, too, is odd, but no difference. */
	if (holds_ram(judge->now, then->start, then->end) &&
	    !holds_ram(judge->then, then->start, then->end))
		note(conflict, then->flags & PCI_RESOURCE_OFF ? VERDICT_RISKY : VERDICT_FATAL, then,
		     NULL, true);
	else if (new->roots.known && root && !root_of(new, root->bus, then))
		note(conflict, VERDICT_RISKY, then, NULL, false);
}

static void report_conflict(struct judge *judge, const struct device *device,
			    const struct conflict *conflict)
{
	const struct pci_resource *then = conflict->then;
	struct finding *finding = judge_add(judge, ABOUT_PCI_SPACE, conflict->class);
	char what[160] = "the host bridge has no window";

	if (conflict->ram)
		snprintf(what, sizeof(what), "this boot has RAM");
	else if (conflict->other)
		snprintf(what, sizeof(what), "this boot has the %s %s at %s",
			 device_kind(conflict->other), conflict->other->id,
			 conflict->other->address);
	SAY(finding->then, "%s %s", device->id, device_kind(device));
	if (conflict->other)
		SAY(finding->now, "%s %s", conflict->other->id, device_kind(conflict->other));
	SAY(finding->text,
	    "The %s %s at %s had %s%s 0x%llx-0x%llx, where %s now. The saved kernel uses its old "
	    "addresses.",
	    device_kind(device), device->id, device->address,
	    then->kind == PCI_RESOURCE_IO ? "I/O ports" : "addresses",
	    is_window(then) ? " for the devices behind it," : "", (unsigned long long)then->start,
	    (unsigned long long)then->end, what);
	SAY(finding->advice, "Restore the devices, the memory and the firmware settings that the "
			     "machine had when it hibernated.");
	finding->has_range = then->kind == PCI_RESOURCE_MEMORY;
	if (!finding->has_range)
		return;
	finding->start = then->start;
	finding->end = then->end;
}

/* Backwards: devices behind a bridge have higher bus numbers, and must be disabled before it. The
 * list is sorted. */
static void plan_disable(struct judge *judge, const struct matching *matching)
{
	const struct devices *now = &judge->now->devices;
	struct verdict_plan *plan = &judge->verdict->plan;

	for (size_t i = now->items.count; i-- > 0;) {
		const struct device *device = &now->items.items[i];
		struct pci_address address = { "" };
		bool off = matching->place[i] != NULL;

		for (size_t k = 0; !off && k < now->items.count; k++)
			off = matching->place[k] && *device->path && *now->items.items[k].path &&
			      pci_path_behind(device->path, now->items.items[k].path);
		if (!off || strcmp(device->bus, "pci") != 0)
			continue;
		memcpy(address.text, device->address, sizeof(address.text));
		if (list_append(&plan->disable, address) < 0)
			judge->error = -ENOMEM;
	}
}

static void report_disabled(struct judge *judge, const struct device *device,
			    const struct device *place, bool crosses)
{
	struct finding *finding = judge_add(judge, ABOUT_PCI_SPACE, VERDICT_CORRECTED);

	SAY(finding->now, "%s %s", device->id, device_kind(device));
	SAY(finding->text,
	    "The %s %s at %s is new and has %s the %s %s at %s; it is disabled before the image is "
	    "restored.",
	    device_kind(device), device->id, device->address,
	    crosses ? "bus numbers by which the saved kernel reaches"
		    : "addresses that the saved kernel restores for",
	    device_kind(place), place->id, place->address);
	SAY(finding->advice, "After the resume, \"echo 1 > /sys/bus/pci/rescan\" should find it "
			     "again; otherwise reboot.");
}

/* Is this resource at other addresses on this boot? */
static bool has_moved(const struct judge *judge, const struct matching *matching,
		      const struct pci_resource *then)
{
	const struct devices *now = &judge->now->devices;
	const struct device *device = matching->now_of[then->device];

	for (size_t i = 0; device && i < now->pci.resources.count; i++) {
		const struct pci_resource *there = &now->pci.resources.items[i];

		if (there->number == then->number && there->kind == then->kind &&
		    &now->items.items[there->device] == device)
			return there->start != then->start || there->end != then->end;
	}
	return false;
}

static void report_moved(struct judge *judge, const struct device *first, size_t count)
{
	struct finding *finding = judge_add(judge, ABOUT_PCI_SPACE, VERDICT_HARMLESS);
	char more[40] = "";

	if (count > 1)
		snprintf(more, sizeof(more), " and %zu more", count - 1);
	SAY(finding->text,
	    "The %s %s at %s%s %s different addresses now: the saved kernel restores the old "
	    "ones.",
	    device_kind(first), first->id, first->address, more, count > 1 ? "have" : "has");
}

/* A missing function that no driver used does not matter. */
static bool is_missed(const struct judge *judge, const struct matching *matching, uint32_t device)
{
	return matching->now_of[device] || *judge->then->devices.items.items[device].driver;
}

/* Functions at other addresses whose old ones are free. */
static void judge_moved(struct judge *judge, const struct matching *matching)
{
	const struct devices *devices = &judge->then->devices;
	const struct device *first = NULL, *last = NULL;
	size_t moved = 0;

	for (size_t i = 0; i < devices->pci.resources.count; i++) {
		const struct pci_resource *then = &devices->pci.resources.items[i];
		const struct device *device = &devices->items.items[then->device];

		if (device == last || matching->conflicts[then->device].then ||
		    !has_moved(judge, matching, then))
			continue;
		first = first ? first : device;
		last = device;
		moved++;
	}
	if (moved > 0)
		report_moved(judge, first, moved);
}

static void judge_resources(struct judge *judge, const struct matching *matching)
{
	const struct devices *devices = &judge->then->devices, *now = &judge->now->devices;

	for (size_t i = 0; i < devices->pci.resources.count; i++) {
		const struct pci_resource *then = &devices->pci.resources.items[i];

		if (!is_missed(judge, matching, then->device))
			continue;
		meet_memory(judge, &matching->conflicts[then->device], then);
		meet_devices(judge, matching, then);
	}
	for (size_t i = 0; i < now->items.count; i++)
		meet_buses(judge, matching, i);
	for (size_t i = 0; i < devices->items.count; i++)
		if (matching->conflicts[i].then)
			report_conflict(judge, &devices->items.items[i], &matching->conflicts[i]);
	for (size_t i = 0; i < now->items.count; i++)
		if (matching->place[i])
			report_disabled(judge, &now->items.items[i], matching->place[i],
					matching->crosses[i]);
	plan_disable(judge, matching);
	judge_moved(judge, matching);
}

/* It may be at those of any other function. Of then that is not known to matter: as with an image
 * that does not record them. */
static void judge_unknown(struct judge *judge)
{
	const struct devices *now = &judge->now->devices;

	for (size_t i = 0; i < now->items.count; i++) {
		const struct device *device = &now->items.items[i];
		struct finding *finding;

		if (!(device->flags & DEVICE_ADDRESSES_UNKNOWN))
			continue;
		finding = judge_add(judge, ABOUT_PCI_SPACE, VERDICT_RISKY);
		SAY(finding->now, "%s %s", device->id, device_kind(device));
		SAY(finding->text, "The addresses of the %s %s at %s are not visible here.",
		    device_kind(device), device->id, device->address);
	}
}

void judge_pci_space(struct judge *judge)
{
	const struct devices *then = &judge->then->devices, *now = &judge->now->devices;
	size_t before = judge->verdict->count;
	struct matching matching;
	struct finding *finding;

	/* Written by an older s2disk that did not record this. */
	if (!then->pci.resources.known)
		return;
	if (!now->pci.resources.known) {
		finding = judge_add(judge, ABOUT_PCI_SPACE, VERDICT_RISKY);
		SAY(finding->text, "The addresses of PCI devices are not visible here.");
		return;
	}
	if (match_devices(then, now, &matching) < 0) {
		judge->error = -ENOMEM;
		return;
	}
	judge_unknown(judge);
	judge_resources(judge, &matching);
	matching_free(&matching);
	if (judge->verdict->count == before)
		judge_same(
			judge, ABOUT_PCI_SPACE,
			devices_know_addresses(then)
				? "All PCI devices have their old addresses."
				: "All PCI devices have their old addresses, as far as the image "
				  "has these.");
}

/* VMBus drivers (vmbus_allocate_mmio()) and Xen's balloon also allocate addresses in holes, which
 * are not recorded. */
static bool others_place(const struct judge *judge)
{
	return judge->then->devices.vmbus_known || judge->then->guest.kind == GUEST_HYPERV ||
	       judge->then->guest.kind == GUEST_XEN;
}

bool judge_had_pci(const struct judge *judge, uint64_t start, uint64_t end)
{
	return pci_resource_in(&judge->then->devices.pci, start, end);
}

enum verdict_class judge_hole(const struct judge *judge, uint64_t start, uint64_t end, bool ram,
			      const char **ret_reason)
{
	enum verdict_class class = VERDICT_RISKY;

	if (judge_had_pci(judge, start, end)) {
		*ret_reason =
			"A PCI device had its addresses there, and the saved kernel restores them";
	} else if (ram) {
		*ret_reason = "The saved kernel does not know it";
		class = VERDICT_HARMLESS;
	} else if (!devices_know_addresses(&judge->then->devices) || others_place(judge)) {
		*ret_reason = "The firmware now claims addresses at which the saved kernel may "
			      "have placed devices";
	} else {
		*ret_reason = "No PCI device and no bridge had addresses there";
		class = VERDICT_HARMLESS;
	}
	return class;
}
