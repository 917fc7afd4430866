/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "last_gate.h"

#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "platform/filesystems/device_cut.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

/* XFS_IOC_GOINGDOWN, which became EXT4_IOC_SHUTDOWN, F2FS_IOC_SHUTDOWN and FS_IOC_SHUTDOWN of
 * exfat, ntfs3, bcachefs and btrfs (from 6.19 on, where it is built in). 2 means "now, and write
 * nothing" in all of them (NOLOGFLUSH; F2FS_GOING_DOWN_NOSYNC). */
#define SHUT_DOWN _IOR('X', 125, uint32_t)
#define SHUT_DOWN_NOW 2

/* A disk that was just resumed may not answer at once. */
#define READ_TRIES 5

/* Only a btrfs spans several devices that are items: for other types one with the same UUID is a
 * copy, which proves nothing (cards written from one image share that of FAT, too). */
static bool same_filesystem(const struct mounted_item *a, const struct mounted_item *b)
{
	return a == b ||
	       (strcmp(a->filesystem.type, "btrfs") == 0 &&
		strcmp(b->filesystem.type, "btrfs") == 0 &&
		memcmp(a->filesystem.uuid, b->filesystem.uuid, sizeof(a->filesystem.uuid)) == 0);
}

static enum mounted_state look(struct mounted *mounted, size_t index, struct filesystem *ret)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	enum mounted_state state = mounted_look_again(mounted, index, ret);

	if (mounted->items[index].filesystem.unstamped != FILESYSTEM_STAMPED)
		return state;
	for (int i = 1; i < READ_TRIES && state == MOUNTED_UNSEEN; i++) {
		nanosleep(&pause, NULL);
		state = mounted_look_again(mounted, index, ret);
	}
	return state;
}

static int shut_down(const struct mounted_item *item)
{
	uint32_t flags = SHUT_DOWN_NOW;

	if (item->directory < 0)
		return -EBADF;
	return ioctl(item->directory, SHUT_DOWN, &flags) < 0 ? -errno : 0;
}

/* Unmounting ext4 writes its superblock even after a shutdown (ext4_put_super()), and shutting
 * down f2fs writes, too. */
static bool writes_shut_down(const struct filesystem *filesystem)
{
	return strcmp(filesystem->type, "ext") == 0 || strcmp(filesystem->type, "f2fs") == 0;
}

/* The ioctl of such a one would be the only thing that writes: ext4's aborts the journal, whose
 * superblock it writes (jbd2_journal_update_sb_errno()). */
static bool is_better_left(const struct filesystem *filesystem)
{
	return filesystem->read_only && writes_shut_down(filesystem);
}

/* f2fs waits for a thread of its own to end (f2fs_stop_gc_thread()), which is frozen. */
static bool may_shut_down_frozen(const struct mounted_item *item)
{
	return strcmp(item->filesystem.type, "f2fs") != 0;
}

/* Cuts off every device of it. Returns as device_cut(): the most that one still accepts, or why
 * one cannot be cut off. */
static int cut_all(const struct mounted *mounted, const struct mounted_item *item, const char *root)
{
	int all = 0;

	for (size_t i = 0; i < mounted->count; i++) {
		int r = mounted->items[i].device < 0 || !same_filesystem(&mounted->items[i], item)
				? 0
				: device_cut(root, mounted->items[i].name);

		if (r < 0)
			log_debug("%s cannot be cut off: %s", mounted->items[i].filesystem.device,
				  strerror(-r));
		if (all >= 0 && (r < 0 || r > all))
			all = r;
	}
	return all;
}

/* The first device of it that is mounted: the ioctl is issued once. */
static const struct mounted_item *with_directory(const struct mounted *mounted,
						 const struct mounted_item *item)
{
	for (size_t i = 0; i < mounted->count; i++)
		if (mounted->items[i].directory >= 0 && same_filesystem(&mounted->items[i], item))
			return &mounted->items[i];
	return item;
}

/* The lowest offset that may still be written on a device of which only the beginning was left. */
static int first_written(const struct filesystem *filesystem)
{
	static const struct {
		const char *type;
		int at;
	} places[] = {
		{ "ext", 1024 },      { "f2fs", 1024 }, { "bcachefs", 4096 },
		{ "btrfs", 1 << 16 }, { "ntfs", 8192 }, /* after $Boot */
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (strcmp(filesystem->type, places[i].type) == 0)
			return places[i].at;
	return 0;
}

/* Is it certain that nothing of importance is written any more, not even by unmounting? cut:
 * from device_cut(). FAT then writes its first sector as it was (fat_set_state()), which differs
 * in a flag at most. xfs writes nothing after its ioctl. */
static bool is_safe(const struct filesystem *then, const struct filesystem *now, int cut, bool shut)
{
	if (cut < 0)
		return shut && !writes_shut_down(then);
	if (cut <= first_written(then))
		return true;
	if (strcmp(then->type, "fat") == 0)
		return filesystem_same(then, now);
	return shut && !writes_shut_down(then);
}

static void say(const struct filesystem *then, const char *is, const char *was, bool safe, bool cut,
		bool shut)
{
	log_alert(
		"ANOTHER SYSTEM CHANGED the file system on %s (%s) while this session slept (%s; "
		"then: %s). %s",
		then->device, then->place, is, was,
		safe  ? "It was shut down, and nothing was written to it: programs with open files "
			"there get errors. Reboot to use it again"
		: cut ? "It was cut off except for its first sector, which unmounting would write: "
			"do not unmount it; unplug it or power the machine off without a shutdown, "
			"now"
		: shut ? "It was shut down, but its device cannot be cut off, and unmounting would "
			 "write to it: do not unmount it, power the machine off without a "
			 "shutdown, "
			 "now"
		       : "It CANNOT BE SHUT DOWN: write nothing there, do not unmount it; unplug "
			 "it or power the machine off without a shutdown, now");
}

static void close_one(struct mounted *mounted, struct mounted_item *item,
		      const struct filesystem *now, const char *root, struct last *last)
{
	const struct mounted_item *mount = with_directory(mounted, item);
	const struct filesystem *then = &item->filesystem;
	char was[120], is[120] = "another one", line[400];
	int cut = cut_all(mounted, item, root), r = -EBUSY;

	/* Immediately: xfs has its superblock in the sector that may be left of a partition, and
	 * its thread would write it; ext4 may be configured to panic at the first error. */
	if (may_shut_down_frozen(item) && !is_better_left(then))
		r = shut_down(mount);
	filesystem_words(then, was, sizeof(was));
	if (filesystem_same(then, now))
		filesystem_words(now, is, sizeof(is));
	snprintf(line, sizeof(line), "%s%s%s%s: %s; then: %s: %s", then->device,
		 *then->place ? " (" : "", then->place, *then->place ? ")" : "", is, was,
		 cut >= 0 ? "cut off"
		 : r == 0 ? "shut down"
			  : "NOT shut down");
	last_add_shut_down(last, line);
	say(then, is, was, is_safe(then, now, cut, r == 0), cut >= 0, r == 0);
}

/* Closed through another of its devices. */
static bool is_closed(const struct mounted *mounted, const struct mounted_item *item)
{
	for (size_t i = 0; i < mounted->count; i++)
		if (mounted->items[i].changed && same_filesystem(&mounted->items[i], item))
			return true;
	return false;
}

size_t last_gate_close(struct mounted *mounted, const char *root, struct last *last)
{
	size_t changed = 0;

	for (size_t i = 0; i < mounted->count; i++) {
		struct mounted_item *item = &mounted->items[i];
		struct filesystem now;

		switch (look(mounted, i, &now)) {
		case MOUNTED_SAME:
			break;
		case MOUNTED_CHANGED:
			if (!is_closed(mounted, item))
				close_one(mounted, item, &now, root, last);
			item->changed = true;
			changed++;
			break;
		case MOUNTED_UNSEEN:
			if (item->filesystem.unstamped == FILESYSTEM_STAMPED)
				log_warning("%s (%s) does not answer: whether its file system was "
					    "changed is unknown",
					    item->filesystem.device, item->filesystem.place);
			break;
		}
	}
	return changed;
}

void last_gate_shut_down(const struct mounted *mounted)
{
	for (size_t i = 0; i < mounted->count; i++)
		if (mounted->items[i].changed && !may_shut_down_frozen(&mounted->items[i]) &&
		    !is_better_left(&mounted->items[i].filesystem))
			shut_down(with_directory(mounted, &mounted->items[i]));
}
