/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "release/release_plan_private.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/tree.h"
#include "release/release_rules.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

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
		release_guard_is_claimed(planner->root, path, why, sizeof(entry->blocked),
					 &entry->waiting);
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

/* Of an adapter that nothing mounted needs, the user may know of one. */
static void note_interfaces(const char *root, const char *path, struct release_entry *entry)
{
	_cleanup_names_ struct tree_names names = { 0 };

	if (tree_list(root, "/sys/class/net", &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		_cleanup_free_ char *real = NULL;
		char link[PATH_MAX], state[16];

		snprintf(link, sizeof(link), "/sys/class/net/%s", names.items[i]);
		real = tree_path(root, link);
		if (real && device_path_within(real, path) &&
		    tree_text(root, state, sizeof(state), "%s/operstate", link) &&
		    strcmp(state, "up") == 0)
			snprintf(entry->note, sizeof(entry->note), "%.15s is up", names.items[i]);
	}
}

int plan_guard(struct planner *planner, const char *link, struct release_entry *entry)
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
	if (entry->blocked[0])
		return 0;
	release_guard_let_go(&planner->guard, path);
	note_interfaces(planner->root, path, entry);
	return 0;
}

/* Half of what is of use together only is not taken. */
static void block_group(struct release_plan *plan, unsigned int group)
{
	for (size_t i = plan->entries.count; i > 0; i--) {
		struct release_entry *entry = &plan->entries.items[i - 1];

		if (entry->group == group && !entry->blocked[0])
			snprintf(entry->blocked, sizeof(entry->blocked),
				 "with what goes with it there would be more than %d steps",
				 RELEASE_MAX);
	}
}

int plan_append(struct planner *planner, const struct release_entry *entry)
{
	planner->found = true;
	if (has_same(planner->plan, entry))
		return 0;
	if (planner->plan->entries.count == RELEASE_MAX) {
		if (!planner->plan->cut || planner->cut_group != entry->group)
			block_group(planner->plan, entry->group);
		planner->plan->cut = true;
		planner->cut_group = entry->group;
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
	r = plan_guard(planner, link, entry);
	return r < 0 ? r : plan_append(planner, entry);
}

void plan_describe(const struct device *device, char *text, size_t size)
{
	if (strcmp(device->bus, "pci") == 0)
		snprintf(text, size, "%s %s at %s", device_kind(device), device->id,
			 device->address);
	else
		snprintf(text, size, "%s %s", device_kind(device), device->address);
}

struct release_entry plan_wanted(const struct planner *planner, enum release_kind kind)
{
	return (struct release_entry){ .kind = kind,
				       .reason = "the settings name it",
				       .source = planner->config->devices_by };
}

static bool has_virtual_functions(const char *root, const char *bus, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s/virtfn0", bus, name);
	return tree_exists(root, path);
}

/* Has its driver made a PCI bus ("pci10000:e0"), as those of VMD and Hyper-V do? */
static bool hosts_functions(const char *root, const char *bus, const char *name)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char path[PATH_MAX];
	bool found = false;

	snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s", bus, name);
	if (tree_list(root, path, &names) < 0)
		return false;
	for (size_t i = 0; !found && i < names.count; i++)
		found = text_starts(names.items[i], "pci") && strchr(names.items[i], ':');
	return found;
}

/* The functions on that bus go with the driver: blocks the entry where they lose what would not
 * come back. */
static int keep_hosted(const struct planner *planner, const char *bus, const char *name,
		       struct release_entry *entry)
{
	struct release_entry host = { .kind = RELEASE_UNBIND };
	int r;

	if (entry->blocked[0] || !hosts_functions(planner->root, bus, name) ||
	    !text_copy(host.bus, sizeof(host.bus), bus) ||
	    !text_copy(host.name, sizeof(host.name), name))
		return 0;
	r = plan_settings(planner, &host);
	text_copy(entry->blocked, sizeof(entry->blocked), host.blocked);
	entry->waiting = host.waiting;
	return r;
}

/* Unbinds one device of a bus from its driver, if it has one. */
static int plan_unbinding(struct planner *planner, const char *bus, const char *name)
{
	struct release_entry entry = plan_wanted(planner, RELEASE_UNBIND);
	const struct device *device = devices_find(&planner->platform->devices, bus, name);
	int r;

	if (!tree_link(planner->root, entry.driver, sizeof(entry.driver),
		       "/sys/bus/%s/devices/%s/driver", bus, name) ||
	    !text_copy(entry.bus, sizeof(entry.bus), bus) ||
	    !text_copy(entry.name, sizeof(entry.name), name))
		return 0;
	if (device)
		plan_describe(device, entry.what, sizeof(entry.what));
	else
		snprintf(entry.what, sizeof(entry.what), "device %s/%s", bus, name);
	/* Its driver removes them. */
	r = has_virtual_functions(planner->root, bus, name)
		    ? plan_settings(planner, &entry)
		    : keep_hosted(planner, bus, name, &entry);
	return r < 0 ? r : plan_device(planner, &entry);
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
	char path[PATH_MAX], bus[16];
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
		snprintf(bus, sizeof(bus), "%.*s", (int)strcspn(drivers.items[i], ":"),
			 drivers.items[i]);
		for (size_t n = 0; r == 0 && n < names.count; n++) {
			char link[2 * PATH_MAX];

			if (!entry->blocked[0] &&
			    has_virtual_functions(planner->root, "pci", names.items[n]))
				snprintf(entry->blocked, sizeof(entry->blocked),
					 "%.40s has virtual functions, which would be lost",
					 names.items[n]);
			snprintf(link, sizeof(link), "%s/%s", path, names.items[n]);
			r = keep_hosted(planner, bus, names.items[n], entry);
			if (r == 0)
				r = plan_guard(planner, link, entry);
		}
	}
	return r;
}

static int plan_module(struct planner *planner, const char *name)
{
	struct release_entry entry = plan_wanted(planner, RELEASE_UNLOAD);
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

static int plan_rule(struct planner *planner, const struct release_rule *rule)
{
	char path[128];

	switch (rule->by) {
	case RELEASE_BY_MODULE:
		return plan_module(planner, rule->text);
	case RELEASE_BY_DRIVER:
		return plan_driver(planner, rule->text);
	case RELEASE_BY_DEVICE:
		snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s", rule->bus, rule->text);
		planner->found = tree_exists(planner->root, path);
		return planner->found ? plan_unbinding(planner, rule->bus, rule->text) : 0;
	case RELEASE_BY_ADDRESS:
	case RELEASE_BY_ID:
	case RELEASE_BY_CLASS:
		return plan_functions(planner, rule);
	}
	return 0;
}

/* It is written wrong, or not there at present. The buffer has room for all of the setting. */
static void note_absent(struct release_plan *plan, const struct release_rule *rule)
{
	size_t used = strlen(plan->absent);

	snprintf(plan->absent + used, sizeof(plan->absent) - used, "%s%s", used ? " " : "",
		 rule->word);
}

static int plan_rules(struct planner *planner)
{
	struct release_rules rules;
	int r = 0;

	if (release_rules_parse(planner->config->devices, &rules, NULL) < 0)
		return 0;
	for (size_t i = 0; r == 0 && i < rules.count; i++) {
		planner->found = false;
		r = plan_rule(planner, &rules.items[i]);
		if (!planner->found)
			note_absent(planner->plan, &rules.items[i]);
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
