/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that is known of a machine: what an image's header says of the machine that
 * hibernated, and what is found on the one that is about to resume.
 */
#ifndef S2DISK_PLATFORM_PLATFORM_H
#define S2DISK_PLATFORM_PLATFORM_H

#include "base/why.h"
#include "platform/firmware/acpi.h"
#include "platform/hardware/cpu.h"
#include "platform/hardware/devices.h"
#include "platform/memory/e820.h"
#include "platform/firmware/device_tree.h"
#include "platform/firmware/efi.h"
#include "platform/filesystems/filesystems.h"
#include "platform/firmware/guest.h"
#include "platform/firmware/kernel_dmi.h"
#include "platform/memory/maps_met.h"
#include "platform/memory/memory_map.h"
#include "platform/memory/ram.h"
#include "platform/filesystems/swaps.h"

#include <stddef.h>
#include <stdint.h>

/* What was found and chosen when the machine hibernated. */
struct hibernation {
	uint64_t magic;		/* of the kernel's header page */
	uint32_t checksum;	/* enum calibration_state */
	uint32_t page_count;	/* enum calibration_state */
	uint32_t platform_mode; /* the firmware's S4: NVS is written back on resume */
	uint32_t last_gate;	/* the restored system checks its file systems again */
};

struct platform {
	struct kernel kernel;
	struct dmi dmi;
	struct memory_map map;
	struct ram ram;
	struct acpi acpi;
	struct device_tree device_tree; /* not beside ACPI tables */
	struct efi efi;
	struct cpu cpu;
	struct guest guest;
	struct devices devices;
	struct filesystems filesystems; /* not by platform_capture */
	struct swaps swaps;		/* besides the image's; nor are these */
	struct maps_met met;		/* by the history, filled before hibernating */
	char encryption[80];		/* of this boot's memory ("": none found); not recorded */
	struct hibernation hibernation;
};

/* Looks at the machine below root ("" for this one). kernel_log is the text of the
 * kernel's messages, one a line, or NULL. What is absent stays unknown. 0 or a negative
 * errno with the reason in w; *ret is zeroed on failure. */
int platform_capture(const char *root, const char *kernel_log, struct platform *ret, struct why *w);

/* Searches below root for the file systems that the other machine had mounted, and reads
 * this boot's bus numbers, for verdict_judge(then, now, …). 0 or -ENOMEM. */
int platform_look_for(const char *root, const struct platform *then, struct platform *now);

/* Harmless on a zeroed struct, and leaves one. */
void platform_free(struct platform *platform);

/* Repeats the checks of the kernel's header page (IMAGE_INFO_END bytes of it) and stores
 * the results in platform->hibernation and ->map. 0 or -ENOMEM. */
int platform_calibrate(struct platform *platform, const void *header, size_t length);

/* Typed records {le32 type, le32 flags, le64 length, payload, zeros up to a
 * multiple of 8}. The bytes are the caller's to free. 0 or -ENOMEM. */
int platform_encode(const struct platform *platform, unsigned char **ret, size_t *ret_length);

/* The reverse, for untrusted bytes: every length is checked, unknown records and unknown
 * fields at the end of a record's items are skipped, what a record does not contain stays
 * zero or unknown, text is made printable. 0, -EBADMSG with the reason in w, -ENOMEM. */
int platform_decode(const void *data, size_t length, struct platform *ret, struct why *w);

#endif
