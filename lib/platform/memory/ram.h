/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What memory the running kernel uses: System RAM of /proc/iomem (the firmware's RAM,
 * minus what memmap= and mem= removed, plus what was hot-added), memory blocks that are
 * offline, virtio-mem, and the page count.
 */
#ifndef S2DISK_PLATFORM_RAM_H
#define S2DISK_PLATFORM_RAM_H

#include "platform/list.h"
#include "platform/memory/frames.h"
#include "platform/memory/zones.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes start … end (inclusive). */
struct byte_range {
	uint64_t start;
	uint64_t end;
};

/* Memory of a virtio-mem device as /proc/iomem shows it. */
struct virtio_mem {
	char device[32]; /* virtio3 */
	uint64_t start;
	uint64_t end;
	uint64_t plugged; /* bytes of System RAM in it; by ram_capture: that are online */
	uint64_t added;	  /* the same, online or not, while its driver is bound; not recorded */
};

/* Can page frames of the running kernel be offlined with soft_offline_page? */
enum offlining {
	OFFLINING_UNKNOWN, /* not recorded (by an older s2disk) */
	OFFLINING_POSSIBLE,
	OFFLINING_ABSENT,   /* no such file: built without CONFIG_MEMORY_FAILURE */
	OFFLINING_DISABLED, /* vm.enable_soft_offline is 0 (Linux 6.11 and later): EOPNOTSUPP */
};

struct memory_pages {
	uint64_t page_size;
	uint64_t present;    /* all zones: the kernel's num_physpages; 0 unknown */
	uint64_t available;  /* bytes, MemAvailable; 0 unknown */
	uint64_t block_size; /* of memory blocks, bytes; 0 none */
	uint64_t blocks;
	uint64_t blocks_online;
	uint32_t offlining; /* enum offlining */
};

#define RAM_RANGES_MAX 65536
#define VIRTIO_MEM_MAX 1024

struct ram {
	LIST_OF(struct byte_range) used;    /* known only if root reads it */
	LIST_OF(struct byte_range) offline; /* memory blocks */
	LIST_OF(struct virtio_mem) virtio;
	/* Offlined page frames that nothing uses, so that no image contains them. Not by
	 * ram_capture: platform/memory/offlined.h. */
	LIST_OF(struct frame_range) poisoned;
	struct memory_pages pages;
	struct zones zones;
};

/* 0 or -ENOMEM. */
int ram_capture(const char *root, struct ram *ret);
void ram_free(struct ram *ram);

/* Pure: parses /proc/iomem's text into used and virtio. */
int ram_parse_iomem(const char *text, struct ram *ram);

#endif
