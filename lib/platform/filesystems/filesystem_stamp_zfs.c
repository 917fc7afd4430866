/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A member of a ZFS pool (OpenZFS, "vdev label"): at 16 KiB of the device a list of names
 * and values identifies it, at 128 KiB a ring of uberblocks has the last transaction
 * groups. An import for writing writes the label of every member and thus a new uberblock
 * (spa_import() calls spa_config_update() for it); an idle pool writes none
 * (vdev_config_sync()), unless it is shared by hosts (multihost).
 */
#include "platform/filesystems/filesystem_stamp_private.h"

#include "base/bytes.h"
#include "base/text.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define LABEL_AT 16384
#define RING_AT 131072
#define RING_SIZE 131072
/* From 1 to 8 KiB by the sector size; each begins at a multiple of this. */
#define SLOT 1024

/* The list as XDR (RFC 4506): numbers are big-endian, everything is padded to 4 bytes.
 * Each pair has its length, another one, and its name before type, count and value. */
#define LIST_XDR 1
#define PAIRS_AT 12
#define TYPE_NUMBER 8
#define TYPE_TEXT 9

/* struct uberblock, in the byte order of the machine that wrote it. */
#define UBER_MAGIC UINT64_C(0x00bab10c)
#define UBER_GROUP 16
#define UBER_ROOT 40
#define UBER_ROOT_SIZE 128
#define UBER_HOSTS_MAGIC_AT 176
#define UBER_HOSTS_MAGIC UINT64_C(0xa11cea11)
#define UBER_HOSTS_DELAY 184

static uint32_t get_be32(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

static uint64_t get_be64(const unsigned char *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return be64toh(value);
}

struct label {
	char name[POOL_NAME_SIZE];
	uint64_t pool, member;
};

static bool is_named(const unsigned char *name, size_t length, const char *wanted)
{
	return length == strlen(wanted) && memcmp(name, wanted, length) == 0;
}

/* One pair, of size bytes, all of which are readable. */
static void take_pair(const unsigned char *pair, size_t size, struct label *label)
{
	size_t length = get_be32(pair + 8), value, left;

	if (length > size - 12)
		return;
	value = 12 + (size_t)round_up(length, 4);
	if (value > size || size - value < 16)
		return;
	left = size - value - 12;
	if (get_be32(pair + value) == TYPE_NUMBER) {
		if (is_named(pair + 12, length, "pool_guid"))
			label->pool = get_be64(pair + value + 8);
		else if (is_named(pair + 12, length, "guid"))
			label->member = get_be64(pair + value + 8);
	} else if (get_be32(pair + value) == TYPE_TEXT && is_named(pair + 12, length, "name")) {
		length = get_be32(pair + value + 8);
		if (length > left || length >= sizeof(label->name))
			return;
		memcpy(label->name, pair + value + 12, length);
		label->name[length] = '\0';
		text_make_line(label->name, ' ');
	}
}

/* What is needed comes before the tree of devices, which may be longer than the page. */
static int read_label(const struct filesystem_source *source, unsigned char *page,
		      struct label *label)
{
	int r = source->read(source->context, LABEL_AT, page);
	size_t at = PAIRS_AT;

	*label = (struct label){ 0 };
	if (r < 0)
		return r;
	if (page[0] != LIST_XDR)
		return -ENODEV;
	while (FILESYSTEM_PAGE - at >= 28) {
		size_t size = get_be32(page + at);

		if (size < 28 || size > FILESYSTEM_PAGE - at)
			break;
		take_pair(page + at, size, label);
		at += size;
	}
	return *label->name && label->pool && label->member ? 0 : -ENODEV;
}

int filesystem_pool_name(const struct filesystem_source *source, unsigned char *page,
			 char name[POOL_NAME_SIZE])
{
	struct label label;
	int r = read_label(source, page, &label);

	if (r == 0)
		memcpy(name, label.name, POOL_NAME_SIZE);
	return r;
}

/* The last of a ring. */
struct uberblock {
	uint64_t group;
	unsigned char root[UBER_ROOT_SIZE]; /* where the pool's tree begins, with its sum */
	bool shared;			    /* by hosts: written even while the pool is idle */
};

static uint64_t get_number(const unsigned char *at, bool big)
{
	return big ? get_be64(at) : get_le64(at);
}

static void take_slot(const unsigned char *slot, struct uberblock *last)
{
	bool big = get_be64(slot) == UBER_MAGIC;
	uint64_t group;

	if (!big && get_le64(slot) != UBER_MAGIC)
		return;
	group = get_number(slot + UBER_GROUP, big);
	if (group < last->group)
		return;
	last->group = group;
	memcpy(last->root, slot + UBER_ROOT, UBER_ROOT_SIZE);
	last->shared = get_number(slot + UBER_HOSTS_MAGIC_AT, big) == UBER_HOSTS_MAGIC &&
		       get_number(slot + UBER_HOSTS_DELAY, big) != 0;
}

int stamp_zfs(const struct filesystem_source *source, unsigned char *page, struct filesystem *ret)
{
	struct uberblock last = { 0 };
	struct label label;
	int r = read_label(source, page, &label);

	for (uint64_t at = 0; at < RING_SIZE && r == 0; at += FILESYSTEM_PAGE) {
		r = source->read(source->context, RING_AT + at, page);
		for (size_t slot = 0; slot < FILESYSTEM_PAGE && r == 0; slot += SLOT)
			take_slot(page + slot, &last);
	}
	if (r < 0)
		return r;
	if (last.group == 0 || last.shared)
		return -ENODEV;
	strcpy(ret->type, "zfs");
	put_le64(ret->uuid, label.pool);
	put_le64(ret->member, label.member);
	put_le64(ret->stamp, last.group);
	put_le64(ret->stamp + 8, stamp_fold(last.root, sizeof(last.root)));
	return 0;
}
