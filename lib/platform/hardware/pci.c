/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/hardware/pci.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <inttypes.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Flags of a resource, include/linux/ioport.h. */
#define FLAG_TYPE 0x1f00u
#define FLAG_IO 0x100u
#define FLAG_MEMORY 0x200u
#define FLAG_DISABLED 0x10000000u
#define FLAG_UNSET 0x20000000u
#define FLAG_ROM_ENABLED 1u
#define FLAG_ROM_SHADOW 2u /* a copy in RAM; not decoded by the function */

#define ROM_LINE 6
#define WINDOWS 4 /* of a bridge; the last lines */
#define LINES_MAX 32

void pci_space_free(struct pci_space *space)
{
	list_free(&space->resources);
	list_free(&space->roots);
}

/* "0000:00:1c.0" (a domain may have 8 digits); *ret_function is "1c.0". */
static bool is_address(const char *text, size_t length, const char **ret_function)
{
	size_t domain = strspn(text, TEXT_HEX_DIGITS);
	const char *at = text + domain;

	if (domain < 4 || domain > 8 || *at++ != ':' || strspn(at, TEXT_HEX_DIGITS) != 2 ||
	    at[2] != ':')
		return false;
	at += 3;
	*ret_function = at;
	return strspn(at, TEXT_HEX_DIGITS) == 2 && at[2] == '.' &&
	       strspn(at + 3, TEXT_HEX_DIGITS) == 1 && at + 4 == text + length;
}

bool pci_bus_of(const char *address, uint32_t *ret_domain, uint32_t *ret_bus)
{
	const char *function;

	return is_address(address, strlen(address), &function) &&
	       sscanf(address, "%" SCNx32 ":%" SCNx32, ret_domain, ret_bus) == 2;
}

/* The components after the last "pciDDDD:BB", a root bus. */
static const char *behind_root(const char *target)
{
	const char *found = NULL;

	for (const char *at = target; (at = strstr(at, "/pci")) != NULL; at++) {
		const char *name = at + strlen("/pci");
		size_t length = strcspn(name, "/");

		if (name[length] == '/' && strspn(name, TEXT_HEX_DIGITS ":") == length)
			found = name + length + 1;
	}
	return found;
}

bool pci_path_parse(const char *target, char *path, size_t size)
{
	const char *at = behind_root(target);
	char text[256];
	size_t used = 0;

	if (!at || !*at)
		return false;
	for (const char *first = at; *at;) {
		size_t length = strcspn(at, "/");
		const char *function;
		int n;

		if (!is_address(at, length, &function))
			return false;
		n = at == first
			    ? snprintf(text + used, sizeof(text) - used, "%.*s", (int)length, at)
			    : snprintf(text + used, sizeof(text) - used, "/%.4s", function);
		used += (size_t)n;
		if (used >= sizeof(text) || used >= size)
			return false;
		at += length + (at[length] == '/');
	}
	memcpy(path, text, used + 1);
	return true;
}

bool pci_path_behind(const char *path, const char *bridge)
{
	return text_starts(path, bridge) && path[strlen(bridge)] == '/';
}

/* False: this line has no address. */
static bool take_line(uint64_t start, uint64_t end, uint64_t flags, struct pci_resource *resource)
{
	uint64_t type = flags & FLAG_TYPE;

	if ((type != FLAG_IO && type != FLAG_MEMORY) || (flags & (FLAG_DISABLED | FLAG_UNSET)) ||
	    end < start || end == 0)
		return false;
	if (resource->number == ROM_LINE && (flags & FLAG_ROM_SHADOW))
		return false;
	if (resource->number == ROM_LINE && !(flags & FLAG_ROM_ENABLED))
		resource->flags |= PCI_RESOURCE_OFF;
	resource->kind = type == FLAG_IO ? PCI_RESOURCE_IO : PCI_RESOURCE_MEMORY;
	resource->start = start;
	resource->end = end;
	return true;
}

/* A function has 6 BARs, a ROM and, if the kernel supports virtual functions, 6 BARs of
 * these; a bridge's windows follow. */
static bool has_windows(uint32_t lines)
{
	return lines == ROM_LINE + 1 + WINDOWS || lines == ROM_LINE + 1 + 6 + WINDOWS;
}

int pci_parse_resources(const char *text, uint32_t device, struct pci_space *space)
{
	struct pci_resource found[LINES_MAX];
	uint32_t lines = 0, count = 0;

	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		uint64_t start, end, flags;

		if (sscanf(at, "0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64, &start, &end, &flags) !=
			    3 ||
		    lines == LINES_MAX)
			return -EINVAL;
		found[count] = (struct pci_resource){ .device = device, .number = lines++ };
		if (take_line(start, end, flags, &found[count]))
			count++;
	}
	if (lines == 0)
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		if (has_windows(lines) && found[i].number >= lines - WINDOWS)
			found[i].flags |= PCI_RESOURCE_WINDOW;
		if (space->resources.count == PCI_RESOURCES_MAX)
			return -EINVAL;
		if (list_append(&space->resources, found[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

int pci_parse_roots(const char *iomem, struct pci_space *space)
{
	static const char prefix[] = "PCI Bus ";

	for (const char *at = iomem; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		struct pci_window window = { "", 0, 0 };
		int used = 0;

		if (sscanf(at, " %" SCNx64 "-%" SCNx64 " : %n", &window.start, &window.end,
			   &used) != 2 ||
		    used == 0 || window.end < window.start || window.end == 0 ||
		    !text_starts(at + used, prefix))
			continue;
		/* A bus below a bridge lies within its root's range. */
		if (space->roots.count > 0 &&
		    window.end <= space->roots.items[space->roots.count - 1].end)
			continue;
		snprintf(window.bus, sizeof(window.bus), "%.*s",
			 (int)strcspn(at + used + strlen(prefix), " \n"),
			 at + used + strlen(prefix));
		text_make_printable(window.bus);
		if (space->roots.count == PCI_WINDOWS_MAX)
			break;
		if (list_append(&space->roots, window) < 0)
			return -ENOMEM;
	}
	space->roots.known = space->roots.count > 0;
	return 0;
}

const struct pci_resource *pci_resource_in(const struct pci_space *space, uint64_t start,
					   uint64_t end)
{
	for (size_t i = 0; i < space->resources.count; i++) {
		const struct pci_resource *resource = &space->resources.items[i];

		if (resource->kind == PCI_RESOURCE_MEMORY && resource->start <= end &&
		    resource->end >= start)
			return resource;
	}
	return NULL;
}
