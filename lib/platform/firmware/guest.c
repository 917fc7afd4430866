/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/firmware/guest.h"

#include "base/bytes.h"
#include "base/text.h"
#include "platform/hardware/cpu.h"
#include "base/tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BALLOON_ID 5

const char *guest_kind_name(uint32_t kind)
{
	static const char *const names[] = { "none",  "unknown hypervisor", "KVM", "Hyper-V", "Xen",
					     "VMware" };

	return kind < ARRAY_SIZE(names) ? names[kind] : "unknown hypervisor";
}

static uint32_t kind_of_name(const char *name)
{
	static const struct {
		const char *part;
		uint32_t kind;
	} parts[] = {
		{ "KVM", GUEST_KVM }, { "Microsoft", GUEST_HYPERV }, { "Hyper-V", GUEST_HYPERV },
		{ "Xen", GUEST_XEN }, { "VMware", GUEST_VMWARE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (strcasestr(name, parts[i].part))
			return parts[i].kind;
	return GUEST_OTHER;
}

/* The text after key in the log, up to the end of the line or a comma. */
static void take_from_log(const char *log, const char *key, char *text, size_t size)
{
	const char *at = log ? strstr(log, key) : NULL;
	size_t length;

	if (!at || *text)
		return;
	at += strlen(key);
	length = strcspn(at, "\n");
	snprintf(text, size, "%.*s", (int)min_u64(length, 200), at);
	text_make_line(text, ' ');
}

static void take_xen(const char *root, struct guest *guest)
{
	uint64_t major, minor;
	char extra[24] = "";

	tree_text(root, guest->name, sizeof(guest->name), "/sys/hypervisor/type");
	if (!tree_u64(root, &major, "/sys/hypervisor/version/major") ||
	    !tree_u64(root, &minor, "/sys/hypervisor/version/minor"))
		return;
	tree_text(root, extra, sizeof(extra), "/sys/hypervisor/version/extra");
	snprintf(guest->version, sizeof(guest->version), "%u.%u%s", (unsigned int)major,
		 (unsigned int)minor, extra);
}

static int find_balloon(const char *root, uint32_t *ret)
{
	_cleanup_names_ struct tree_names names = { 0 };
	int r;

	*ret = tree_exists(root, "/sys/devices/system/xen_memory/xen_memory0") ||
	       tree_exists(root, "/sys/bus/vmbus/drivers/hv_balloon");
	if (*ret)
		return 0;
	r = tree_list(root, "/sys/bus/virtio/devices", &names);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < names.count && !*ret; i++) {
		uint64_t id;

		*ret = tree_u64(root, &id, "/sys/bus/virtio/devices/%s/device", names.items[i]) &&
		       id == BALLOON_ID;
	}
	return 0;
}

int guest_capture(const char *root, const char *kernel_log, const char *flags, struct guest *ret)
{
	struct guest guest = { .hyperv_hibernation = 2 };
	uint64_t value;
	char modes[128];
	int r = find_balloon(root, &guest.balloon);

	if (r < 0)
		return r;
	guest.hypervisor = cpu_has_flag(flags, "hypervisor", strlen("hypervisor"));
	if (tree_exists(root, "/sys/hypervisor/type"))
		take_xen(root, &guest);
	if (!*root)
		cpuid_hypervisor(guest.name, sizeof(guest.name), guest.version,
				 sizeof(guest.version));
	take_from_log(kernel_log, "Hypervisor detected: ", guest.name, sizeof(guest.name));
	take_from_log(kernel_log, "Host Build ", guest.version, sizeof(guest.version));
	if (!*guest.name && tree_exists(root, "/sys/bus/vmbus"))
		text_copy(guest.name, sizeof(guest.name), "Microsoft Hv");
	if (*guest.name)
		guest.kind = kind_of_name(guest.name);
	else
		guest.kind = guest.hypervisor ? GUEST_OTHER : GUEST_NONE;
	if (tree_text(root, modes, sizeof(modes), "/sys/power/disk"))
		guest.s4_offered = strstr(modes, "platform") != NULL;
	if (tree_u64(root, &value, "/sys/bus/vmbus/hibernation"))
		guest.hyperv_hibernation = value != 0;
	*ret = guest;
	return 0;
}
