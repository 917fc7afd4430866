/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "release/release_step.h"

#include "base/io.h"
#include "base/program.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "base/tree.h"
#include "release/release_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BLOCKS "/sys/devices/system/memory/"
#define FUNCTIONS "/sys/bus/pci/devices/"
#define OFFLINE_SECONDS 30
#define DRIVER_SECONDS 10 /* some drivers are bound in the background */
#define LINK_SECONDS 2
#define TURN_MSEC 100

static bool device_is_there(const char *root, const char *bus, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s", bus, name);
	return tree_exists(root, path);
}

static bool has_driver(const char *root, const struct release_entry *entry, char *driver,
		       size_t size)
{
	return tree_link(root, driver, size, "/sys/bus/%s/devices/%s/driver", entry->bus,
			 entry->name);
}

static int write_to_driver(const char *root, const struct release_entry *entry, const char *file)
{
	char path[160];

	snprintf(path, sizeof(path), "/sys/bus/%s/drivers/%s/%s", entry->bus, entry->driver, file);
	return io_write_text(root, path, entry->name);
}

static int take_driver(const char *root, const struct release_entry *entry, struct why *w)
{
	char driver[sizeof(entry->driver)];
	int r;

	if (!has_driver(root, entry, driver, sizeof(driver)))
		return 1;
	if (strcmp(driver, entry->driver) != 0)
		return why(w, -ESTALE, "its driver is %s now, not %s", driver, entry->driver);
	r = write_to_driver(root, entry, "unbind");
	if (r == 0 && has_driver(root, entry, driver, sizeof(driver)))
		r = -EBUSY;
	return r < 0 ? why(w, r, "it cannot be unbound from %s: %s", entry->driver, strerror(-r))
		     : 0;
}

static int bind_driver(const char *root, const struct release_entry *entry, struct why *w)
{
	char driver[sizeof(entry->driver)];
	int r;

	if (!device_is_there(root, entry->bus, entry->name))
		return why(w, -ENODEV, "it is not there any more");
	if (has_driver(root, entry, driver, sizeof(driver)))
		return 1;
	r = write_to_driver(root, entry, "bind");
	if (r == 0 && !has_driver(root, entry, driver, sizeof(driver)))
		r = -EIO;
	/* -ENODEV is for what is not there. */
	return r < 0 ? why(w, r == -ENODEV ? -EIO : r, "it cannot be bound to %s again: %s",
			   entry->driver, strerror(-r))
		     : 0;
}

/* Those that are there already are of its driver, or of its owner, and may be in use. */
static int give_virtuals(const char *root, const struct release_entry *entry, struct why *w)
{
	const struct timespec turn = { .tv_nsec = TURN_MSEC * 1000000 };
	char driver[sizeof(entry->driver)], value[12];
	char path[128];
	uint64_t now = 0;
	int r;

	if (entry->virtuals == 0)
		return 0;
	for (int i = 0; i < DRIVER_SECONDS * 1000 / TURN_MSEC; i++) {
		if (tree_link(root, driver, sizeof(driver), FUNCTIONS "%s/driver", entry->name))
			break;
		nanosleep(&turn, NULL);
	}
	tree_u64(root, &now, FUNCTIONS "%s/sriov_numvfs", entry->name);
	if (now > 0)
		return 0;
	snprintf(path, sizeof(path), FUNCTIONS "%s/sriov_numvfs", entry->name);
	snprintf(value, sizeof(value), "%u", entry->virtuals);
	r = io_write_text(root, path, value);
	return r < 0 ? why(w, r == -ENODEV ? -EIO : r,
			   "its sriov_numvfs cannot be set to %s again: %s", value, strerror(-r))
		     : 0;
}

/* What a driver that is there already is without, it may be on purpose. */
static int give_driver(const char *root, const struct release_entry *entry, struct why *w)
{
	int bound = bind_driver(root, entry, w), r = bound;

	if (bound == 0)
		r = give_virtuals(root, entry, w);
	return r < 0 ? r : bound;
}

static int take_function(const char *root, const struct release_entry *entry, struct why *w)
{
	char path[160];
	int r;

	if (!device_is_there(root, "pci", entry->name))
		return 1;
	snprintf(path, sizeof(path), FUNCTIONS "%s/remove", entry->name);
	r = io_write_text(root, path, "1");
	if (r == 0 && device_is_there(root, "pci", entry->name))
		r = -EBUSY;
	return r < 0 ? why(w, r, "it cannot be removed: %s", strerror(-r)) : 0;
}

/* The scan of a bus finds what is on it and below it, and nothing elsewhere that was removed on
 * purpose (bus_rescan_store() in drivers/pci/pci-sysfs.c). */
static const char *bus_of(const struct release_entry *entry, char *path, size_t size)
{
	const char *end = strrchr(entry->name, ':');

	snprintf(path, size, "/sys/class/pci_bus/%.*s", end ? (int)(end - entry->name) : 0,
		 entry->name);
	return path;
}

/* Without a device below it a port is suspended, and no scan of its bus wakes it: all reads fail,
 * and nothing is found (pcie_port_runtime_idle() in drivers/pci/pcie/portdrv.c; only
 * pci_scan_bridge_extend() in drivers/pci/probe.c wakes one, for a scan of the bus above). path
 * gets the file that lets it be suspended again, by "auto". False: it need not be woken. */
static bool wake_port(const char *root, const struct release_entry *entry, char *path, size_t size)
{
	char bus[128], control[8], vendor[160];

	bus_of(entry, bus, sizeof(bus));
	/* Not that of a bus without a bridge. */
	snprintf(vendor, sizeof(vendor), "%s/device/vendor", bus);
	snprintf(path, size, "%s/device/power/control", bus);
	return tree_exists(root, vendor) && tree_text(root, control, sizeof(control), "%s", path) &&
	       strcmp(control, "auto") == 0 && io_write_text(root, path, "on") == 0;
}

/* The link of a port that had no power is trained again first; the kernel does not wait for that
 * where it knows no device below it (pci_bridge_wait_for_secondary_bus() in drivers/pci/pci.c). */
static int scan_bus(const char *root, const struct release_entry *entry, const char *file)
{
	const struct timespec turn = { .tv_nsec = TURN_MSEC * 1000000 };
	char control[160];
	bool woken = wake_port(root, entry, control, sizeof(control));
	uint64_t end = now_usec() + LINK_SECONDS * UINT64_C(1000000);
	int r = io_write_text(root, file, "1");

	while (r == 0 && woken && now_usec() < end && !device_is_there(root, "pci", entry->name)) {
		nanosleep(&turn, NULL);
		r = io_write_text(root, file, "1");
	}
	if (woken)
		(void)io_write_text(root, control, "auto");
	return r;
}

/* A slot that supports hot-plugging may have brought it back already. */
static int scan_for(const char *root, const struct release_entry *entry, struct why *w)
{
	char path[128];
	int r;

	if (device_is_there(root, "pci", entry->name))
		return 1;
	if (!tree_exists(root, bus_of(entry, path, sizeof(path))))
		return why(w, -ENODEV, "its bus is not there any more");
	strcat(path, "/rescan");
	r = scan_bus(root, entry, path);
	if (r < 0)
		return why(w, r == -ENODEV ? -EIO : r, "its PCI bus cannot be scanned: %s",
			   strerror(-r));
	if (!device_is_there(root, "pci", entry->name))
		return why(w, -ENODEV, "it is not there any more");
	return 0;
}

static int give_function(const char *root, const struct release_entry *entry, struct why *w)
{
	int found = scan_for(root, entry, w), r = found;

	/* What another has brought back may be without them on purpose. */
	if (found == 0)
		r = give_virtuals(root, entry, w);
	return r < 0 ? r : found;
}

static bool block_state(const char *root, const struct release_entry *entry, char *state,
			size_t size)
{
	return tree_text(root, state, size, BLOCKS "%s/state", entry->name);
}

static bool block_is_offline(const char *root, const struct release_entry *entry)
{
	char state[24];

	return block_state(root, entry, state, sizeof(state)) && strcmp(state, "offline") == 0;
}

static int take_block(const char *root, const struct release_entry *entry, struct why *w)
{
	char path[160], state[24];
	int r;

	if (!block_state(root, entry, state, sizeof(state)) || strcmp(state, "online") != 0)
		return 1;
	snprintf(path, sizeof(path), BLOCKS "%s/state", entry->name);
	r = io_write_text(root, path, "offline");
	if (r == 0 && !block_is_offline(root, entry))
		r = -EBUSY;
	return r < 0 ? why(w, r, "%s cannot be offlined: %s", entry->name,
			   r == -EBUSY ? "what is in it cannot be moved" : strerror(-r))
		     : 0;
}

static bool map_has(const struct memory_map *map, const struct release_entry *entry)
{
	uint64_t at = entry->start;

	/* Entries may be adjacent. */
	while (at <= entry->end) {
		ssize_t i = memory_map_find(map, at);

		if (i < 0 || map->entries.items[i].type != MEMORY_RAM)
			return false;
		if (map->entries.items[i].end >= entry->end)
			return true;
		at = map->entries.items[i].end + 1;
	}
	return true;
}

/* Online memory that does not exist crashes the kernel. ACPI's device of the memory is asked
 * anew each time (status_show() in drivers/acpi/device_sysfs.c). */
static int check_memory(const char *root, const struct release_entry *entry,
			const struct release_here *here, struct why *w)
{
	uint64_t status = 0;
	bool asked = tree_u64(root, &status, BLOCKS "%s/firmware_node/status", entry->name);

	if (asked && status == 0)
		return why(w, -ENODEV, "the machine does not have it any more");
	if (!here->restarted && (asked || !here->unsure))
		return 0;
	if (!here->map)
		return why(w, -EPERM, "it is not known whether the machine still has it");
	return map_has(here->map, entry)
		       ? 0
		       : why(w, -ENODEV, "the machine did not have it when it started");
}

static int give_block(const char *root, const struct release_entry *entry,
		      const struct release_here *here, struct why *w)
{
	char path[160], state[24];
	int r;

	if (!block_state(root, entry, state, sizeof(state)))
		return why(w, -ENODEV, "the machine does not have it any more");
	if (strcmp(state, "online") == 0)
		return 1;
	r = check_memory(root, entry, here, w);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), BLOCKS "%s/state", entry->name);
	r = io_write_text(root, path, entry->zone);
	if (r == 0 &&
	    (!block_state(root, entry, state, sizeof(state)) || strcmp(state, "online") != 0))
		r = -EIO;
	return r < 0 ? why(w, r == -ENODEV ? -EIO : r, "%s cannot be set online: %s", entry->name,
			   strerror(-r))
		     : 0;
}

static bool module_is_loaded(const char *root, const struct release_entry *entry)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s", entry->name);
	return tree_exists(root, path);
}

static int take_module(const char *root, const struct release_entry *entry, struct why *w)
{
	if (!module_is_loaded(root, entry))
		return 1;
	if (syscall(SYS_delete_module, entry->name, O_NONBLOCK) < 0)
		return why(w, -errno, "it cannot be unloaded: %s",
			   errno == EWOULDBLOCK ? "it is in use" : strerror(errno));
	return module_is_loaded(root, entry) ? why(w, -EBUSY, "it is still loaded") : 0;
}

static int give_module(const char *root, const struct release_entry *entry, struct why *w)
{
	const char *const arguments[] = { "modprobe", entry->name, NULL };
	int r;

	if (module_is_loaded(root, entry))
		return 1;
	r = program_run(arguments[0], arguments, NULL, -1);
	if (r == 0 && module_is_loaded(root, entry))
		return 0;
	return r < 0 ? why(w, r, "modprobe cannot be run: %s", strerror(-r))
		     : why(w, -EIO, "modprobe ended with %d and did not load it", r);
}

struct step {
	const char *root;
	const struct release_entry *entry;
	const struct release_here *here;
};

static int take(void *context, struct why *w)
{
	const struct step *step = context;

	switch (step->entry->kind) {
	case RELEASE_UNBIND:
		return take_driver(step->root, step->entry, w);
	case RELEASE_REMOVE:
		return take_function(step->root, step->entry, w);
	case RELEASE_OFFLINE:
		return take_block(step->root, step->entry, w);
	case RELEASE_UNLOAD:
		return take_module(step->root, step->entry, w);
	}
	return -EINVAL;
}

static int give(void *context, struct why *w)
{
	const struct step *step = context;

	switch (step->entry->kind) {
	case RELEASE_UNBIND:
		return give_driver(step->root, step->entry, w);
	case RELEASE_REMOVE:
		return give_function(step->root, step->entry, w);
	case RELEASE_OFFLINE:
		return give_block(step->root, step->entry, step->here, w);
	case RELEASE_UNLOAD:
		return give_module(step->root, step->entry, w);
	}
	return -EINVAL;
}

static int still_at_it(const struct child_limits *limits, struct why *w)
{
	return why(w, -EINPROGRESS, "the kernel has not finished it within %u s", limits->seconds);
}

/* The kernel tries to empty a block until a signal comes (offline_pages() in
 * mm/memory_hotplug.c), so that child is killed. All else is left to finish: half a step is no
 * better. */
int release_step_take(const char *root, const struct release_entry *entry,
		      const struct release_limits *limits, struct why *w)
{
	struct step step = { .root = root, .entry = entry };
	struct child_limits child = { .seconds = limits->seconds };
	int r;

	if (entry->kind == RELEASE_OFFLINE)
		child = (struct child_limits){ OFFLINE_SECONDS, true, limits->stop,
					       limits->context };
	r = release_child_run(take, &step, &child, w);
	if (r == -EINPROGRESS)
		return still_at_it(&child, w);
	/* The kernel may have been done before the child was killed, by this program or another:
	 * then it is to be given back. */
	if ((r == -EINTR || (r < 0 && entry->kind == RELEASE_OFFLINE)) &&
	    release_step_may_be_made(root, entry))
		return 0;
	if (r == -ETIMEDOUT)
		return why(w, r, "%s cannot be offlined: it is not empty after %d s", entry->name,
			   OFFLINE_SECONDS);
	return r == -ECANCELED ? why(w, r, "interrupted") : r;
}

int release_step_give(const char *root, const struct release_entry *entry,
		      const struct release_here *here, const struct release_limits *limits,
		      struct why *w)
{
	struct step step = { .root = root, .entry = entry, .here = here };
	const struct child_limits child = { .seconds = limits->seconds };
	int r = release_child_run(give, &step, &child, w);

	return r == -EINPROGRESS ? still_at_it(&child, w) : r;
}

bool release_step_may_be_made(const char *root, const struct release_entry *entry)
{
	char driver[sizeof(entry->driver)];

	switch (entry->kind) {
	case RELEASE_UNBIND:
		return !has_driver(root, entry, driver, sizeof(driver));
	case RELEASE_REMOVE:
		return !device_is_there(root, "pci", entry->name);
	case RELEASE_OFFLINE:
		return block_is_offline(root, entry);
	case RELEASE_UNLOAD:
		return !module_is_loaded(root, entry);
	}
	return true;
}

#define WORD_SIZE (64 + 2) /* a name and its quotes */

/* For a shell; buffer: WORD_SIZE. */
static const char *quoted(const char *text, char *buffer)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-.:";

	if (text[strspn(text, plain)] == '\0')
		return text;
	snprintf(buffer, WORD_SIZE, "'%s'", text);
	return buffer;
}

/* What follows the command itself; "" for what has no virtual functions. */
static void virtuals_by_hand(const struct release_entry *entry, char *buffer, size_t size)
{
	buffer[0] = '\0';
	if (entry->virtuals > 0)
		snprintf(buffer, size, "; echo %u >" FUNCTIONS "%s/sriov_numvfs", entry->virtuals,
			 entry->name);
}

const char *release_step_by_hand(const struct release_entry *entry, char *buffer, size_t size)
{
	char name[WORD_SIZE], driver[WORD_SIZE], path[128], virtuals[128];

	virtuals_by_hand(entry, virtuals, sizeof(virtuals));
	switch (entry->kind) {
	case RELEASE_UNBIND:
		snprintf(buffer, size, "echo %s >/sys/bus/%s/drivers/%s/bind%s",
			 quoted(entry->name, name), entry->bus, quoted(entry->driver, driver),
			 virtuals);
		break;
	case RELEASE_REMOVE:
		snprintf(buffer, size, "echo 1 >%s/rescan%s", bus_of(entry, path, sizeof(path)),
			 virtuals);
		break;
	case RELEASE_OFFLINE:
		snprintf(buffer, size, "echo %s >" BLOCKS "%s/state", entry->zone, entry->name);
		break;
	case RELEASE_UNLOAD:
		snprintf(buffer, size, "modprobe %s", entry->name);
		break;
	}
	return buffer;
}
