/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "release/release_plan_private.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/tree.h"
#include "release/release_child.h"
#include "release/release_rules.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define SETTINGS_SECONDS 5

/* Two buses may have devices of one name ("1-2" on usb is another one than on i2c). */
static bool is_same(const struct release_entry *entry, const struct release_entry *other)
{
	if (strcmp(other->name, entry->name) != 0)
		return false;
	if (other->kind == RELEASE_REMOVE && entry->kind == RELEASE_UNBIND)
		return strcmp(entry->bus, "pci") == 0;
	return other->kind == entry->kind && strcmp(other->bus, entry->bus) == 0;
}

static bool has_same(const struct release_plan *plan, const struct release_entry *entry)
{
	for (size_t i = 0; i < plan->entries.count; i++) {
		const struct release_entry *other = &plan->entries.items[i];

		/* What one rule may not do, another entry may. */
		if (other->blocked[0] && !entry->blocked[0])
			continue;
		if (is_same(entry, other))
			return true;
	}
	return false;
}

/* May what is at that path, or below it, not be released? */
static void block_if_used(const struct planner *planner, const char *path,
			  struct release_entry *entry)
{
	char *why = entry->blocked;

	if (!*why && !release_guard_holds(&planner->guard, path, why, sizeof(entry->blocked)))
		release_guard_is_claimed(planner->root, path, why, sizeof(entry->blocked));
	if (!*why)
		plan_keep_memory(planner, path, entry);
	if (!*why)
		plan_keep_users(planner, path, entry);
}

/* Virtual functions lie beside their physical one, and go with it. */
static void block_if_functions_used(const struct planner *planner, const char *path,
				    struct release_entry *entry)
{
	const struct devices *devices = &planner->platform->devices;

	for (size_t i = 0; i < devices->items.count && !entry->blocked[0]; i++) {
		const struct device *device = &devices->items.items[i];
		_cleanup_free_ char *function = NULL, *physical = NULL;
		char link[128];

		if (strcmp(device->bus, "pci") != 0)
			continue;
		snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/physfn", device->address);
		physical = tree_path(planner->root, link);
		if (!physical || !device_path_within(physical, path))
			continue;
		*strrchr(link, '/') = '\0';
		function = tree_path(planner->root, link);
		if (function)
			block_if_used(planner, function, entry);
	}
}

static int guard(struct planner *planner, const char *link, struct release_entry *entry)
{
	_cleanup_free_ char *path = tree_path(planner->root, link);
	int r = 0;

	if (!planner->looked)
		r = release_guard_look(planner->root, &planner->platform->devices,
				       planner->config->keep, &planner->guard);
	planner->looked = r == 0;
	if (r < 0 || !path)
		return r;
	block_if_used(planner, path, entry);
	block_if_functions_used(planner, path, entry);
	if (!entry->blocked[0])
		release_guard_let_go(&planner->guard, path);
	return 0;
}

int plan_append(struct planner *planner, const struct release_entry *entry)
{
	if (has_same(planner->plan, entry))
		return 0;
	if (planner->plan->entries.count == RELEASE_MAX) {
		planner->plan->cut = true;
		return 0;
	}
	return list_append(&planner->plan->entries, *entry);
}

int plan_device(struct planner *planner, struct release_entry *entry)
{
	char link[128];
	int r;

	snprintf(link, sizeof(link), "/sys/bus/%s/devices/%s", entry->bus, entry->name);
	if (entry->group == 0)
		entry->group = ++planner->groups;
	r = guard(planner, link, entry);
	return r < 0 ? r : plan_append(planner, entry);
}

static void describe(const struct device *device, char *text, size_t size)
{
	if (strcmp(device->bus, "pci") == 0)
		snprintf(text, size, "%s %s at %s", device_kind(device), device->id,
			 device->address);
	else
		snprintf(text, size, "%s %s", device_kind(device), device->address);
}

/* What a rule asks for, one entry each. */
static struct release_entry wanted(const struct planner *planner, enum release_kind kind)
{
	return (struct release_entry){ .kind = kind,
				       .reason = "the settings name it",
				       .source = planner->config->devices_by };
}

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
	const char *root, *path;
};

/* "4 vfio-pci" in w, which is what comes back from a child. */
static int read_settings(void *context, struct why *w)
{
	const struct settings_read *read = context;
	char override[40];
	uint64_t virtuals = 0;

	if (!tree_text(read->root, override, sizeof(override), "%s/driver_override", read->path) ||
	    strcmp(override, "(null)") == 0)
		override[0] = '\0';
	if (!tree_u64(read->root, &virtuals, "%s/sriov_numvfs", read->path) ||
	    virtuals > UINT16_MAX)
		virtuals = 0;
	return why(w, 0, "%u %s", (unsigned int)virtuals, override);
}

/* What is lost with a function that is removed. A scan would bind one with an override to the
 * driver of its id first, and a disk that a virtual machine has would be assembled and mounted
 * here: it is unbound instead, and keeps its override. Both reads wait for the device's lock
 * (driver_override_show() and sriov_numvfs_show() in drivers/pci), which a step that hangs holds;
 * so a child makes them. */
static int note_settings(const char *root, const char *path, struct release_entry *entry)
{
	const struct child_limits limits = { .seconds = SETTINGS_SECONDS };
	struct settings_read read = { root, path };
	struct why w = { "" };
	int r = release_child_run(read_settings, &read, &limits, &w);
	char override[2];

	if (r < 0)
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
	r = guard(planner, link, entry);
	if (r == 0 && !entry->blocked[0])
		r = note_settings(planner->root, link, entry);
	if (r == 0 && entry->kind == RELEASE_REMOVE && !entry->blocked[0])
		r = plan_slot(planner, entry);
	/* Without a driver there is nothing to take from it. */
	if (r < 0 || (entry->kind == RELEASE_UNBIND && !*entry->driver))
		return r;
	if (entry->kind == RELEASE_UNBIND)
		text_copy(entry->bus, sizeof(entry->bus), "pci");
	return plan_append(planner, entry);
}

static int plan_functions(struct planner *planner, const struct release_rule *rule)
{
	const struct devices *devices = &planner->platform->devices;
	int r = 0;

	for (size_t i = 0; r == 0 && i < devices->items.count; i++) {
		const struct device *device = &devices->items.items[i];
		struct release_entry entry = wanted(planner, RELEASE_REMOVE);

		if (!names_function(rule, device))
			continue;
		text_copy(entry.name, sizeof(entry.name), device->address);
		text_copy(entry.driver, sizeof(entry.driver), device->driver);
		describe(device, entry.what, sizeof(entry.what));
		r = plan_function(planner, &entry);
	}
	return r;
}

/* Unbinds one device of a bus from its driver, if it has one. */
static int plan_unbinding(struct planner *planner, const char *bus, const char *name)
{
	struct release_entry entry = wanted(planner, RELEASE_UNBIND);
	const struct device *device = devices_find(&planner->platform->devices, bus, name);

	if (!tree_link(planner->root, entry.driver, sizeof(entry.driver),
		       "/sys/bus/%s/devices/%s/driver", bus, name) ||
	    !text_copy(entry.bus, sizeof(entry.bus), bus) ||
	    !text_copy(entry.name, sizeof(entry.name), name))
		return 0;
	if (device)
		describe(device, entry.what, sizeof(entry.what));
	else
		snprintf(entry.what, sizeof(entry.what), "device %s/%s", bus, name);
	return plan_device(planner, &entry);
}

static int plan_driver_on(struct planner *planner, const char *bus, const char *driver)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "/sys/bus/%s/drivers/%s", bus, driver);
	r = tree_list(planner->root, path, &names);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s", bus, names.items[i]);
		if (tree_exists(planner->root, path))
			r = plan_unbinding(planner, bus, names.items[i]);
	}
	return r;
}

static int plan_driver(struct planner *planner, const char *driver)
{
	_cleanup_names_ struct tree_names buses = { 0 };
	int r = tree_list(planner->root, "/sys/bus", &buses);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; r == 0 && i < buses.count; i++)
		r = plan_driver_on(planner, buses.items[i], driver);
	return r;
}

/* The devices of all of the module's drivers must be free. */
static int guard_module(struct planner *planner, struct release_entry *entry)
{
	_cleanup_names_ struct tree_names drivers = { 0 };
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "/sys/module/%s/drivers", entry->name);
	r = tree_list(planner->root, path, &drivers);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; r == 0 && i < drivers.count; i++) {
		_cleanup_names_ struct tree_names names = { 0 };

		snprintf(path, sizeof(path), "/sys/module/%s/drivers/%s", entry->name,
			 drivers.items[i]);
		if (tree_list(planner->root, path, &names) == -ENOMEM)
			return -ENOMEM;
		for (size_t n = 0; r == 0 && n < names.count; n++) {
			char link[2 * PATH_MAX];

			snprintf(link, sizeof(link), "%s/%s", path, names.items[n]);
			r = guard(planner, link, entry);
		}
	}
	return r;
}

static int plan_module(struct planner *planner, const char *name)
{
	struct release_entry entry = wanted(planner, RELEASE_UNLOAD);
	char path[128];
	int r;

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	if (!tree_exists(planner->root, path))
		return 0;
	text_copy(entry.name, sizeof(entry.name), name);
	snprintf(entry.what, sizeof(entry.what), "module %s", name);
	entry.group = ++planner->groups;
	snprintf(path, sizeof(path), "/sys/module/%s/initstate", name);
	if (!tree_exists(planner->root, path))
		text_copy(entry.blocked, sizeof(entry.blocked), "it is built into the kernel");
	r = guard_module(planner, &entry);
	return r < 0 ? r : plan_append(planner, &entry);
}

static int plan_rules(struct planner *planner)
{
	struct release_rules rules;
	int r = 0;

	if (release_rules_parse(planner->config->devices, &rules, NULL) < 0)
		return 0;
	for (size_t i = 0; r == 0 && i < rules.count; i++) {
		const struct release_rule *rule = &rules.items[i];
		char path[128];

		if (rule->by == RELEASE_BY_MODULE) {
			r = plan_module(planner, rule->text);
		} else if (rule->by == RELEASE_BY_DRIVER) {
			r = plan_driver(planner, rule->text);
		} else if (rule->by == RELEASE_BY_DEVICE) {
			snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s", rule->bus,
				 rule->text);
			if (tree_exists(planner->root, path))
				r = plan_unbinding(planner, rule->bus, rule->text);
		} else {
			r = plan_functions(planner, rule);
		}
	}
	return r;
}

int release_plan_make(const char *root, const struct platform *platform,
		      const struct release_config *config, struct release_plan *ret)
{
	struct release_plan plan = { 0 };
	struct planner planner = {
		.root = root, .platform = platform, .config = config, .plan = &plan
	};
	int r = plan_rules(&planner);

	if (r == 0)
		r = plan_known_devices(&planner);
	if (r == 0)
		r = plan_memory(&planner);
	release_guard_free(&planner.guard);
	if (r < 0) {
		release_plan_free(&plan);
		return r;
	}
	*ret = plan;
	return 0;
}

void release_plan_free(struct release_plan *plan)
{
	list_free(&plan->entries);
}

bool release_plan_covers_driver(const struct release_plan *plan, const char *root, const char *bus,
				const char *driver)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char path[PATH_MAX];
	size_t devices = 0, released = 0;

	snprintf(path, sizeof(path), "/sys/bus/%s/drivers/%s", bus, driver);
	if (tree_list(root, path, &names) < 0)
		return false;
	for (size_t i = 0; i < names.count; i++) {
		snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s", bus, names.items[i]);
		devices += tree_exists(root, path);
	}
	for (size_t i = 0; i < plan->entries.count; i++) {
		const struct release_entry *entry = &plan->entries.items[i];

		released += entry->kind == RELEASE_UNBIND && !entry->blocked[0] &&
			    strcmp(entry->bus, bus) == 0 && strcmp(entry->driver, driver) == 0;
	}
	return devices > 0 && released == devices;
}
