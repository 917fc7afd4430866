/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/pci_decoding.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DEVICES "/sys/bus/pci/devices/"
#define COMMAND 4	/* offset of the command register */
#define COMMAND_BITS 7u /* I/O, memory, bus master */
#define HEADER_TYPE 14
#define HEADER_TYPE_MASK 0x7f
#define BUS_NUMBERS 0x18 /* of a bridge: its own bus number, first and last one below it */
#define CLASS_DISPLAY 3
#define NO_DRIVER "(disabled)"

/* Is the link's target a device of the function, or of one below it? */
static bool leads_through(const char *root, const char *link, const char *address)
{
	char target[PATH_MAX], component[64];

	tree_target(root, link, target);
	snprintf(component, sizeof(component), "/%s/", address);
	return strstr(target, component) != NULL;
}

static bool any(const char *root, const char *pattern)
{
	char full[PATH_MAX];
	bool some = false;
	glob_t found;

	if (snprintf(full, sizeof(full), "%s%s", root, pattern) >= (int)sizeof(full) ||
	    glob(full, 0, NULL, &found) != 0)
		return false;
	some = found.gl_pathc > 0;
	globfree(&found);
	return some;
}

/* Does something use the disk: a mapping, an array? */
static bool disk_is_held(const char *root, const char *name)
{
	char pattern[2][PATH_MAX];

	snprintf(pattern[0], sizeof(pattern[0]), "/sys/block/%s/holders/*", name);
	snprintf(pattern[1], sizeof(pattern[1]), "/sys/block/%s/*/holders/*", name);
	return any(root, pattern[0]) || any(root, pattern[1]);
}

static int check_disks(const char *root, const char *address, dev_t keep, struct why *w)
{
	char link[PATH_MAX];
	int r = 0;
	glob_t found;

	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(keep), minor(keep));
	if (leads_through(root, link, address))
		return why(w, -EBUSY, "PCI device %s cannot be disabled: the image is on it",
			   address);
	snprintf(link, sizeof(link), "%s/sys/block/*", root);
	if (glob(link, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; r == 0 && i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i] + strlen(root);
		const char *name = strrchr(path, '/') + 1;

		if (leads_through(root, path, address) && disk_is_held(root, name))
			r = why(w, -EBUSY,
				"PCI device %s cannot be disabled: its disk %s is in use", address,
				name);
	}
	globfree(&found);
	return r;
}

static bool is_display(const char *root, const char *address)
{
	char path[PATH_MAX], text[16];
	unsigned int class;

	snprintf(path, sizeof(path), DEVICES "%s/class", address);
	return io_read_text(root, path, text, sizeof(text)) > 0 &&
	       sscanf(text, "0x%x", &class) == 1 && class >> 16 == CLASS_DISPLAY;
}

/* While the image is loaded drivers may be loaded too; none may bind to the function. */
static int bar_drivers(const char *root, const char *address, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), DEVICES "%s/driver_override", address);
	return io_write_text(root, path, name);
}

static int unbind(const char *root, struct pci_disabled *done, struct why *w)
{
	const char *address = done->address;
	char path[PATH_MAX], target[PATH_MAX];
	const char *name;
	int r;

	snprintf(path, sizeof(path), DEVICES "%s/driver", address);
	tree_target(root, path, target);
	name = strrchr(target, '/');
	name = name ? name + 1 : target;
	if (*target && is_display(root, address))
		return why(w, -EPERM, "PCI device %s cannot be disabled: %s drives a display on it",
			   address, name);
	r = bar_drivers(root, address, NO_DRIVER);
	if (r < 0)
		return why(w, r, "PCI device %s cannot be barred from drivers (driver_override)",
			   address);
	done->barred = true;
	if (!*target)
		return 0;
	snprintf(path, sizeof(path), DEVICES "%s/driver/unbind", address);
	r = io_write_text(root, path, address);
	if (r < 0)
		return why(w, r, "PCI device %s cannot be unbound from its driver %s", address,
			   name);
	text_copy(done->driver, sizeof(done->driver), name);
	return 0;
}

static int write_register(int fd, const unsigned char *bytes, size_t size, uint64_t offset,
			  unsigned char *ret)
{
	int r = io_pwrite_full(fd, bytes, size, offset);

	return r < 0 ? r : io_pread_full(fd, ret, size, offset);
}

/* A bridge forwards configuration accesses by these, regardless of its command register. */
static int close_buses(int fd, struct pci_disabled *done)
{
	static const unsigned char none[sizeof(done->buses)];
	unsigned char type, read[sizeof(done->buses)];
	int r = io_pread_full(fd, &type, 1, HEADER_TYPE);

	if (r < 0 || (type & HEADER_TYPE_MASK) != 1)
		return r;
	r = io_pread_full(fd, done->buses, sizeof(done->buses), BUS_NUMBERS);
	if (r < 0)
		return r;
	done->closed = true;
	r = write_register(fd, none, sizeof(none), BUS_NUMBERS, read);
	return r == 0 && memcmp(read, none, sizeof(none)) != 0 ? -EIO : r;
}

static int open_config(const char *root, const char *address, struct why *w)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s" DEVICES "%s/config", root, address);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? why(w, -errno, "%s cannot be opened: %s", path, strerror(errno)) : fd;
}

static int disable(const char *root, struct pci_disabled *done, struct why *w)
{
	_cleanup_close_ int fd = open_config(root, done->address, w);
	unsigned char command[sizeof(done->command)];
	int r;

	if (fd < 0)
		return fd;
	r = io_pread_full(fd, done->command, sizeof(done->command), COMMAND);
	if (r == 0) {
		done->off = true;
		memcpy(command, done->command, sizeof(command));
		command[0] &= (unsigned char)~COMMAND_BITS;
		r = write_register(fd, command, sizeof(command), COMMAND, command);
	}
	if (r == 0 && (command[0] & COMMAND_BITS))
		r = -EIO;
	if (r == 0)
		r = close_buses(fd, done);
	if (r == -EIO)
		return why(w, r,
			   "PCI device %s cannot be disabled: it ignores configuration writes",
			   done->address);
	return r < 0 ? why(w, r, "configuration of PCI device %s: %s", done->address, strerror(-r))
		     : 0;
}

static int enable(const char *root, const struct pci_disabled *done)
{
	_cleanup_close_ int fd = -1;
	unsigned char read[4];
	int r = 0;

	if (!done->off)
		return 0;
	fd = open_config(root, done->address, NULL);
	if (fd < 0)
		return fd;
	if (done->closed)
		r = write_register(fd, done->buses, sizeof(done->buses), BUS_NUMBERS, read);
	return r < 0 ? r : write_register(fd, done->command, sizeof(done->command), COMMAND, read);
}

int pci_decoding_disable(struct pci_decoding *decoding, const char *root, const char *address,
			 dev_t keep, struct why *w)
{
	size_t at = decoding->count;
	int r;

	for (size_t i = 0; i < decoding->count; i++)
		if (strcmp(decoding->done[i].address, address) == 0)
			return 0;
	if (at == PCI_DECODING_MAX)
		return why(w, -E2BIG, "more than %d PCI devices would have to be disabled",
			   PCI_DECODING_MAX);
	r = check_disks(root, address, keep, w);
	if (r < 0)
		return r;
	memset(&decoding->done[at], 0, sizeof(decoding->done[at]));
	text_copy(decoding->done[at].address, sizeof(decoding->done[at].address), address);
	decoding->count++;
	r = unbind(root, &decoding->done[at], w);
	return r < 0 ? r : disable(root, &decoding->done[at], w);
}

/* Rebinds its own driver, or any other that matches by now. */
static int give_driver(const char *root, const struct pci_disabled *done)
{
	char path[PATH_MAX];
	int r;

	if (!done->barred)
		return 0;
	r = bar_drivers(root, done->address, "\n");
	if (r == 0 && *done->driver) {
		snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", done->driver);
		r = io_write_text(root, path, done->address);
	} else if (r == 0) {
		io_write_text(root, "/sys/bus/pci/drivers_probe", done->address);
	}
	return r;
}

bool pci_decoding_restore(struct pci_decoding *decoding, const char *root)
{
	bool all = true;

	while (decoding->count > 0) {
		const struct pci_disabled *done = &decoding->done[--decoding->count];

		if (enable(root, done) < 0)
			all = false;
		if (give_driver(root, done) < 0)
			all = false;
	}
	return all;
}
