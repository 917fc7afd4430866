/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is this a guest, and under which hypervisor? */
#ifndef S2DISK_PLATFORM_GUEST_H
#define S2DISK_PLATFORM_GUEST_H

#include <stdint.h>

enum guest_kind {
	GUEST_NONE,
	GUEST_OTHER,
	GUEST_KVM,
	GUEST_HYPERV,
	GUEST_XEN,
	GUEST_VMWARE,
};

struct guest {
	uint32_t hypervisor;	     /* the processor reports one */
	uint32_t kind;		     /* enum guest_kind */
	char name[48];		     /* the hypervisor's name for itself; "" unknown */
	char version[64];	     /* "" unknown */
	uint32_t s4_offered;	     /* "platform" is offered in /sys/power/disk */
	uint32_t hyperv_hibernation; /* /sys/bus/vmbus/hibernation: 0 no, 1 yes, 2 absent */
	uint32_t balloon;	     /* a device that takes memory away and returns it */
};

/* kernel_log may be NULL. flags are the processor's. 0 or -ENOMEM. */
int guest_capture(const char *root, const char *kernel_log, const char *flags, struct guest *ret);

const char *guest_kind_name(uint32_t kind);

#endif
