/* SPDX-License-Identifier: GPL-2.0-or-later */
/* release_plan: PCI functions that are removed, and found again by a scan of their bus. */
#include "release/release_plan_private.h"

#include "base/cleanup.h"
#include "base/look.h"
#include "base/text.h"
#include "base/tree.h"
#include "release/release_child.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SETTINGS_SECONDS 5

static bool names_function(const struct release_rule *rule, const struct device *device)
{
	if (strcmp(device->bus, "pci") != 0)
		return false;
	switch (rule->by) {
	case RELEASE_BY_ADDRESS:
		return strcmp(device->address, rule->text) == 0;
	case RELEASE_BY_ID:
		return strcmp(device->id, rule->text) == 0;
	case RELEASE_BY_CLASS:
		return device->class >> rule->shifted == rule->class;
	case RELEASE_BY_DRIVER:
	case RELEASE_BY_DEVICE:
	case RELEASE_BY_MODULE:
		return false;
	}
	return false;
}

/* The port that a function is below, where pciehp drives it: the name of its service. */
static bool find_slot(const struct planner *planner, const struct tree_names *services,
		      const char *address, char *name, size_t size)
{
	_cleanup_free_ char *path = NULL;
	char link[128], driver[16], *port;

	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s", address);
	path = tree_path(planner->root, link);
	if (!path)
		return false;
	*strrchr(path, '/') = '\0';
	port = strrchr(path, '/');
	for (size_t i = 0; port && i < services->count; i++) {
		const char *service = services->items[i];

		if (text_starts(service, port + 1) && service[strlen(port + 1)] == ':' &&
		    tree_link(planner->root, driver, sizeof(driver),
			      "/sys/bus/pci_express/devices/%s/driver", service) &&
		    strcmp(driver, "pciehp") == 0)
			return text_copy(name, size, service);
	}
	return false;
}

/* When the system is restored, pciehp takes a slot without a device for one whose device was
 * replaced, and powers it off (pciehp_device_replaced() in drivers/pci/hotplug/pciehp_core.c);
 * a virtual machine may then take the device away. So it lets go of the slot first. */
static int plan_slot(struct planner *planner, const struct release_entry *function)
{
	_cleanup_names_ struct tree_names services = { 0 };
	struct release_entry entry = {
		.kind = RELEASE_UNBIND,
		.bus = "pci_express",
		.driver = "pciehp",
		.group = function->group,
		.reason = "it would power off a slot whose device was removed",
		.source = RELEASE_BUILT_IN,
	};
	int r = tree_list(planner->root, "/sys/bus/pci_express/devices", &services);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (!find_slot(planner, &services, function->name, entry.name, sizeof(entry.name)))
		return 0;
	snprintf(entry.what, sizeof(entry.what), "hot-plug slot of %.50s", entry.name);
	return plan_device(planner, &entry);
}

struct settings_read {
	const struct planner *planner;
	const struct release_entry *entry;
	bool removed; /* not only unbound */
};

/* Is the function at that path on a bus that the driver of the device has made: VMD's, Hyper-V's?
 * Then it goes with the driver (vmd_remove() and hv_pci_remove() in drivers/pci/controller). A
 * bridge's are made by the PCI core, and stay. */
static bool is_hosted(const char *function, const char *device)
{
	return device_path_within(function, device) &&
	       text_starts(function + strlen(device), "/pci");
}

/* The path of a function in sysfs, or of the physical one of a virtual function; to be freed. NULL:
 * there is none. */
static char *function_path(const struct planner *planner, const char *address, const char *file)
{
	char link[128];

	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s%s", address, file);
	return tree_path(planner->root, link);
}

static bool has_override(const char *root, const char *address, char *driver, size_t size)
{
	return tree_text(root, driver, size, "/sys/bus/pci/devices/%s/driver_override", address) &&
	       *driver && strcmp(driver, "(null)") != 0;
}

/* Of one that is given away: no scan binds it again before the driver of the function's id, even
 * where its file "new_id" has the id. */
static bool is_given_away(const char *driver)
{
	return text_starts(driver, "vfio") || strcmp(driver, "pci-stub") == 0 ||
	       strcmp(driver, "pciback") == 0 || strcmp(driver, "uio_pci_generic") == 0;
}

/* A bridge's functions go with it, those on a bus that its driver has made, and a physical one's
 * virtual ones. Neither a scan nor that driver brings back virtual functions of the former, nor the
 * settings of any. */
static int check_other(const struct settings_read *read, const struct device *other,
		       const char *path, struct why *w)
{
	const struct planner *planner = read->planner;
	_cleanup_free_ char *real = function_path(planner, other->address, "");
	_cleanup_free_ char *physical = function_path(planner, other->address, "/physfn");
	bool below = real && strcmp(real, path) != 0 && device_path_within(real, path);
	bool goes = below && (read->removed || is_hosted(real, path));
	char driver[40];

	if (goes && physical)
		return why(w, -ENOTEMPTY,
			   "%s below it is a virtual function, which would not come back; "
			   "name its physical one instead",
			   other->address);
	if (!(physical && strcmp(physical, path) == 0) && !goes)
		return 0;
	if (has_override(planner->root, other->address, driver, sizeof(driver)))
		return why(w, -ENOTEMPTY, "%s goes with it, and its driver_override would be lost",
			   other->address);
	if (is_given_away(other->driver))
		return why(w, -ENOTEMPTY, "%s goes with it, and might come back without %s",
			   other->address, other->driver);
	return 0;
}

static int check_others(const struct settings_read *read, const char *path, struct why *w)
{
	const struct devices *devices = &read->planner->platform->devices;
	int r = 0;

	for (size_t i = 0; r == 0 && i < devices->items.count; i++)
		if (strcmp(devices->items.items[i].bus, "pci") == 0)
			r = check_other(read, &devices->items.items[i], path, w);
	return r;
}

/* Some drivers leave them when they are unbound: then the kernel keeps the function that was
 * removed, and a scan makes a second one (pci_iov_remove() in drivers/pci/iov.c). */
static int check_virtuals(const struct settings_read *read, struct why *w)
{
	const char *driver = read->entry->driver;
	uint64_t probes = 1;

	if (read->removed && (!*driver || strcmp(driver, "pci-pf-stub") == 0))
		return why(w, -ENOTEMPTY, "it has virtual functions, which no driver would remove");
	if (read->removed &&
	    tree_u64(read->planner->root, &probes,
		     "/sys/bus/pci/devices/%s/sriov_drivers_autoprobe", read->entry->name) &&
	    probes == 0)
		return why(w, -ENOTEMPTY,
			   "its virtual functions are kept from their drivers "
			   "(sriov_drivers_autoprobe), and would get them");
	return 0;
}

/* "4 vfio-pci" in w, which is what comes back from a child. */
static int read_settings(void *context, struct why *w)
{
	struct settings_read *read = context;
	const struct release_entry *entry = read->entry;
	const char *root = read->planner->root;
	_cleanup_free_ char *path = NULL;
	char override[40], link[128];
	uint64_t virtuals = 0;
	int r = 0;

	snprintf(link, sizeof(link), "/sys/bus/%s/devices/%s", *entry->bus ? entry->bus : "pci",
		 entry->name);
	path = tree_path(root, link);
	if (!has_override(root, entry->name, override, sizeof(override)))
		text_copy(override, sizeof(override),
			  is_given_away(entry->driver) ? entry->driver : "");
	if (!tree_u64(root, &virtuals, "/sys/bus/pci/devices/%s/sriov_numvfs", entry->name) ||
	    virtuals > UINT16_MAX)
		virtuals = 0;
	read->removed = entry->kind == RELEASE_REMOVE && !*override;
	if (virtuals > 0)
		r = check_virtuals(read, w);
	if (r == 0 && path)
		r = check_others(read, path, w);
	return r < 0 ? r : why(w, 0, "%u %s", (unsigned int)virtuals, override);
}

static void note_read(const char *root, const char *address, const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", address, file);
	look_note(root, path, LOOK_READ);
}

/* For reports: what a child reads is not noted. */
static void note_reads(const struct planner *planner, const char *address)
{
	const struct devices *devices = &planner->platform->devices;
	const struct device *own = devices_find(devices, "pci", address);

	note_read(planner->root, address, "driver_override");
	note_read(planner->root, address, "sriov_numvfs");
	note_read(planner->root, address, "sriov_drivers_autoprobe");
	for (size_t i = 0; own && i < devices->items.count; i++) {
		const struct device *other = &devices->items.items[i];

		if ((other->flags & DEVICE_VIRTUAL_FUNCTION) ||
		    (*own->path && *other->path && pci_path_behind(other->path, own->path)))
			note_read(planner->root, other->address, "driver_override");
	}
}

/* Both reads wait for the device's lock (driver_override_show() and sriov_numvfs_show() in
 * drivers/pci), which a step that hangs holds; so a child makes them. */
int plan_settings(const struct planner *planner, struct release_entry *entry)
{
	const struct child_limits limits = { .seconds = SETTINGS_SECONDS, .left = &entry->waiting };
	struct settings_read read = { .planner = planner, .entry = entry };
	struct why w = { "" };
	int r = release_child_run(read_settings, &read, &limits, &w);
	char override[2];

	note_reads(planner, entry->name);
	if (r == -ENOTEMPTY)
		text_copy(entry->blocked, sizeof(entry->blocked), w.text);
	else if (r < 0)
		snprintf(entry->blocked, sizeof(entry->blocked),
			 "its driver_override and sriov_numvfs cannot be read: %s",
			 r == -EINPROGRESS ? "the kernel does not answer" : strerror(-r));
	else if (sscanf(w.text, "%u %1s", &entry->virtuals, override) == 2)
		entry->kind = RELEASE_UNBIND;
	return r == -ENOMEM ? r : 0;
}

static int plan_function(struct planner *planner, struct release_entry *entry)
{
	char link[128];
	int r;

	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s", entry->name);
	entry->group = ++planner->groups;
	r = plan_guard(planner, link, entry);
	/* A scan would bind one with an override, or that is given away, to the driver of its id
	 * first, and a disk that a virtual machine has would be assembled and mounted here: it is
	 * unbound instead, and keeps its override. */
	if (r == 0 && !entry->blocked[0] && entry->kind == RELEASE_REMOVE)
		r = plan_settings(planner, entry);
	if (r == 0 && entry->kind == RELEASE_REMOVE && !entry->blocked[0])
		r = plan_slot(planner, entry);
	/* Without a driver there is nothing to take from it. */
	if (r < 0 || (entry->kind == RELEASE_UNBIND && !*entry->driver))
		return r;
	if (entry->kind == RELEASE_UNBIND)
		text_copy(entry->bus, sizeof(entry->bus), "pci");
	return plan_append(planner, entry);
}

int plan_functions(struct planner *planner, const struct release_rule *rule)
{
	const struct devices *devices = &planner->platform->devices;
	int r = 0;

	for (size_t i = 0; r == 0 && i < devices->items.count; i++) {
		const struct device *device = &devices->items.items[i];
		struct release_entry entry = plan_wanted(planner, RELEASE_REMOVE);

		if (!names_function(rule, device))
			continue;
		planner->found = true;
		/* No scan finds a virtual function: its vendor reads as none (virtfn is made by
		 * pci_iov_add_virtfn() in drivers/pci/iov.c only). It goes and comes with its
		 * physical one. */
		if (device->flags & DEVICE_VIRTUAL_FUNCTION)
			entry.kind = RELEASE_UNBIND;
		text_copy(entry.name, sizeof(entry.name), device->address);
		text_copy(entry.driver, sizeof(entry.driver), device->driver);
		plan_describe(device, entry.what, sizeof(entry.what));
		r = plan_function(planner, &entry);
	}
	return r;
}
