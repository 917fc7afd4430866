/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/hardware/device_identity.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "platform/filesystems/block_device.h"
#include "base/tree.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 8
#define SECTOR 512

/* Master boot record: signature of the disk, four entries, and a mark at the end. */
#define MBR_DISK_AT 440
#define MBR_TYPE_AT(n) (446 + 16 * (n) + 4)
#define MBR_MARK_AT 510
#define MBR_PROTECTIVE 0xee

/* UEFI specification, "GPT Header" and "GPT Partition Entry". */
#define GPT_ENTRIES_AT 72
#define GPT_ENTRY_COUNT 80
#define GPT_ENTRY_SIZE 84
#define GPT_ENTRY_UUID 16
#define GPT_ENTRY_FIRST 32
#define GPT_ENTRIES_MAX 1024

/* A text that grows; what does not fit is dropped. */
struct words {
	char *text;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct words *words, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(words->text + words->used, DEVICE_IDENTITY_SIZE - words->used, format,
			   args);
	va_end(args);
	if (length > 0)
		words->used =
			(size_t)min_u64(words->used + (size_t)length, DEVICE_IDENTITY_SIZE - 1);
}

static bool add_disk(struct words *words, const char *root, const char *name)
{
	/* SCSI and ATA, NVMe; virtio; NVMe's controller, some SCSI; MMC; a USB device,
	 * four directories above its SCSI device. */
	static const char *const places[] = { "device/wwid", "wwid",
					      "serial",	     "device/serial",
					      "device/cid",  "device/../../../../serial" };
	char value[128];

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (!tree_text(root, value, sizeof(value), "/sys/class/block/%s/%s", name,
			       places[i]) ||
		    !*value)
			continue;
		add(words, "disk %s", value);
		return true;
	}
	return false;
}

/* What a partition table says about a partition. */
struct table {
	char disk[64];
	int fd;
	unsigned char page[4096] __attribute__((aligned(4096)));
	uint64_t sector; /* of the disk */
	uint64_t number, start;
};

static bool add_gpt(struct words *words, struct table *table)
{
	uint64_t entries, count, size, at;
	const unsigned char *entry;
	char uuid[2 * 16 + 1];

	/* Its header is in the second sector. */
	at = table->sector - table->sector % sizeof(table->page);
	if (io_pread_full(table->fd, table->page, sizeof(table->page), at) < 0)
		return false;
	entry = table->page + table->sector % sizeof(table->page);
	entries = get_le64(entry + GPT_ENTRIES_AT);
	count = get_le32(entry + GPT_ENTRY_COUNT);
	size = get_le32(entry + GPT_ENTRY_SIZE);
	if (memcmp(entry, "EFI PART", 8) != 0 || size < 128 || size > 4096 || size % 128 != 0 ||
	    count > GPT_ENTRIES_MAX || table->number > count || entries > UINT32_MAX)
		return false;
	at = entries * table->sector + (table->number - 1) * size;
	if (io_pread_full(table->fd, table->page, sizeof(table->page),
			  at - at % sizeof(table->page)) < 0)
		return false;
	entry = table->page + at % sizeof(table->page);
	if (get_le64(entry + GPT_ENTRY_FIRST) * table->sector != table->start * SECTOR)
		return false;
	text_hex(entry + GPT_ENTRY_UUID, 16, uuid);
	add(words, "partition %s", uuid);
	return true;
}

/* An MBR does not identify its partitions: use the disk's signature, and the partition's place. */
static bool add_table(struct words *words, struct table *table)
{
	const unsigned char *page = table->page;

	if (io_pread_full(table->fd, table->page, sizeof(table->page), 0) < 0 ||
	    get_le16(page + MBR_MARK_AT) != 0xaa55)
		return false;
	for (unsigned int i = 0; i < 4; i++)
		if (page[MBR_TYPE_AT(i)] == MBR_PROTECTIVE)
			return add_gpt(words, table);
	if (get_le32(page + MBR_DISK_AT) == 0)
		return false;
	add(words, "partition %08x-%02" PRIx64, get_le32(page + MBR_DISK_AT), table->number);
	return true;
}

static bool add_partition(struct words *words, const char *root, const char *name)
{
	struct table table = { 0 };
	char path[300];
	bool known;

	if (!tree_u64(root, &table.number, "/sys/class/block/%s/partition", name) ||
	    !tree_u64(root, &table.start, "/sys/class/block/%s/start", name) || table.number == 0 ||
	    !block_device_whole(root, name, table.disk, sizeof(table.disk)))
		return false;
	if (!tree_u64(root, &table.sector, "/sys/class/block/%s/queue/logical_block_size",
		      table.disk) ||
	    (table.sector != 512 && table.sector != 4096))
		table.sector = 512;
	block_device_path(table.disk, path, sizeof(path));
	table.fd = block_device_open(root, path);
	if (table.fd < 0)
		return false;
	known = add_table(words, &table);
	close(table.fd);
	add(words, known ? " on " : "partition %" PRIu64 " on ", table.number);
	return add_disk(words, root, table.disk) || known;
}

/* "CRYPT-LUKS2-UUID-name": the name is chosen each time it is opened. */
static void cut_crypt_name(char *uuid)
{
	char *dash = uuid;

	if (!text_starts(uuid, "CRYPT-"))
		return;
	for (unsigned int i = 0; i < 3 && dash; i++)
		dash = strchr(dash + (i > 0), '-');
	if (dash)
		*dash = '\0';
}

static bool add_device(struct words *words, const char *root, const char *name, unsigned int depth)
{
	_cleanup_names_ struct tree_names slaves = { 0 };
	char value[160], path[300];
	bool known = false;

	if (tree_text(root, value, sizeof(value), "/sys/class/block/%s/dm/uuid", name) && *value) {
		cut_crypt_name(value);
		add(words, "%s", value);
		known = true;
	} else if (tree_text(root, value, sizeof(value), "/sys/class/block/%s/md/uuid", name) &&
		   *value) {
		add(words, "MD-%s", value);
		return true; /* any of its members will do */
	}
	snprintf(path, sizeof(path), "/sys/class/block/%s/slaves", name);
	if (tree_list(root, path, &slaves) == 0 && slaves.count > 0) {
		if (slaves.count > 1 || depth == DEPTH_MAX)
			return known;
		add(words, known ? " on " : "");
		return add_device(words, root, slaves.items[0], depth + 1) || known;
	}
	if (tree_text(root, value, sizeof(value), "/sys/class/block/%s/partition", name))
		return add_partition(words, root, name);
	return add_disk(words, root, name) || known;
}

void device_identity(const char *root, const char *name, char text[DEVICE_IDENTITY_SIZE])
{
	struct words words = { .text = text };

	*text = '\0';
	if (!add_device(&words, root, name, 0))
		*text = '\0';
}
