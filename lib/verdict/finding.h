/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a verdict consists of: findings, each with a class, and a plan. */
#ifndef S2DISK_VERDICT_FINDING_H
#define S2DISK_VERDICT_FINDING_H

#include "base/why.h"
#include "platform/list.h"
#include "platform/memory/frames.h"
#include "platform/platform.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ordered: the worst of several counts. */
enum verdict_class {
	VERDICT_SAME,	   /* no difference */
	VERDICT_HARMLESS,  /* proven to have no effect on this image */
	VERDICT_CORRECTED, /* harmless once the plan is carried out */
	VERDICT_RISKY,	   /* may work, but not proven */
	VERDICT_FATAL,	   /* would crash or corrupt, or is sure to be refused */
};

enum verdict_about {
	ABOUT_MEMORY_MAP,
	ABOUT_MEMORY_REGION,
	ABOUT_IMAGE_PAGES,
	ABOUT_HOTPLUG_MEMORY,
	ABOUT_VIRTIO_MEM,
	ABOUT_MEMORY_SIZE,
	ABOUT_KERNEL_CHECK,
	ABOUT_PAGE_COUNT,
	ABOUT_ACPI_TABLES,
	ABOUT_ACPI_SIGNATURE,
	ABOUT_DEVICE_TREE,
	ABOUT_EFI_RUNTIME,
	ABOUT_FIRMWARE,
	ABOUT_MACHINE,
	ABOUT_KERNEL,
	ABOUT_CPU,
	ABOUT_CPU_FEATURES,
	ABOUT_CPU_COUNT,
	ABOUT_MICROCODE,
	ABOUT_HYPERVISOR,
	ABOUT_VMBUS_DEVICE,
	ABOUT_PCI_DEVICE,
	ABOUT_PCI_SPACE,
	ABOUT_FILE_SYSTEM,
	ABOUT_SWAP_AREA,
	ABOUT_COUNT,
};

enum verdict_policy {
	POLICY_STRICT,	 /* only what is the same */
	POLICY_PROVEN,	 /* up to corrected: the default */
	POLICY_TOLERANT, /* up to risky; never fatal */
};

/* Single differences that the settings may accept by name although they are risky. */
enum verdict_accept {
	ACCEPT_NOTHING,
	ACCEPT_HYPERVISOR_VERSION,
	ACCEPT_PROCESSOR_MODEL,
	ACCEPT_PROCESSOR_COUNT,
	ACCEPT_FIRMWARE_VERSION,
	ACCEPT_MACHINE_MODEL,
	ACCEPT_DEVICE_TREE,
	ACCEPT_VMBUS_DEVICE,
	ACCEPT_PCI_DEVICE,
	ACCEPT_COUNT,
};

struct finding {
	enum verdict_about about;
	enum verdict_class class;
	enum verdict_accept accept; /* of a risky one */
	bool accepted;		    /* counts as harmless */
	bool mendable; /* its user can mend it, where no boot can: connect a disk, unplug a copy */
	bool of_command_line; /* another kernel command line changes it */
	char then[192];	      /* both sides in short; "" if there is nothing */
	char now[192];
	char text[480];	  /* a sentence */
	char advice[480]; /* what the user can do; "" */
	bool has_range;
	uint64_t start; /* bytes, physical */
	uint64_t end;	/* inclusive */
	uint64_t image_pages;
};

/* Of a PCI function: "0000:00:1f.2". */
struct pci_address {
	char text[48];
};

/* The corrections that must be made. Valid only if the verdict allows the image; otherwise it may
 * be incomplete. */
struct verdict_plan {
	bool patch_checksum;
	size_t checksum_size;
	unsigned char old_checksum[E820_CHECKSUM_MAX];
	unsigned char new_checksum[E820_CHECKSUM_MAX];
	bool patch_page_count;
	uint64_t old_page_count;
	uint64_t new_page_count;
	struct frame_list quarantine;	     /* to be offlined before user space is thawed */
	LIST_OF(struct pci_address) disable; /* PCI functions of this boot, in this order */
};

struct verdict {
	struct finding *findings; /* worst first; in a fixed order among equals */
	size_t count;
	size_t omitted; /* findings beyond FINDINGS_MAX; worst includes them */
	enum verdict_class worst;
	bool hopeless; /* no other boot can resume the image either */
	struct verdict_plan plan;
};

#define FINDINGS_MAX 1024

/* The limits of a plan's quarantine: the hand-over page has no room for more
 * (format/handover.h). */
#define PLAN_FRAMES_MAX 1024
#define PLAN_RUNS_MAX 100

/* What is known of the image. */
struct verdict_image {
	const struct frame_range *ranges; /* sorted; zero pages included */
	size_t range_count;
	bool coarse;	     /* ranges may cover page frames that are not in the image */
	uint64_t zero_pages; /* frames flagged by bit 63 */
	bool no_handover;    /* the restored system cannot be given a quarantine */
	const void *header;  /* the kernel's header page, IMAGE_INFO_END of it or more */
	size_t header_length;
};

void verdict_free(struct verdict *verdict);

bool verdict_allows(const struct verdict *verdict, enum verdict_policy policy);

/* Stable words for settings, JSON and tests. */
const char *verdict_class_name(enum verdict_class class);
const char *verdict_about_name(enum verdict_about about);
const char *verdict_policy_name(enum verdict_policy policy);
int verdict_policy_parse(const char *text, enum verdict_policy *ret);

/* Pure: a set of enum verdict_accept from words with blanks or commas between. -EINVAL: w says
 * which word is none, and which there are. */
int verdict_accept_parse(const char *text, unsigned int *ret, struct why *w);

/* The word; "" for ACCEPT_NOTHING. */
const char *verdict_accept_name(enum verdict_accept accept);

/* Marks the risky findings of that set as accepted: they count as harmless. Nothing is accepted
 * where findings were left out. */
void verdict_accept(struct verdict *verdict, unsigned int accepted);

/* Where the verdict is risky only for what could be accepted: the words for it, with blanks
 * between, else "". Returns buffer. */
const char *verdict_acceptable(const struct verdict *verdict, char *buffer, size_t size);

#endif
