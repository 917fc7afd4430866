/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of doc/platform-verdict.md, File systems. */
#include "verdict_rows.h"

static struct filesystem *mounted_now(void)
{
	return &now.filesystems.items.items[0];
}

static struct filesystem *mounted_then(void)
{
	return &then.filesystems.items.items[0];
}

/* As a device that says nothing of itself. */
static void forget_identity(void)
{
	mounted_then()->identity[0] = '\0';
}

ROW("all that can be compared are unchanged");

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_SAME, "All file systems are unchanged")
{
	SET(mounted_now()->device, "/dev/vdb7"); /* by another name */
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_SAME, "All file systems are unchanged")
{
	mounted_now()->log[0] = 1; /* an older image has none */
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_SAME, "All file systems are unchanged")
{
	forget_identity();
}

ROW("one was mounted for writing, mounted read-only with its journal replayed, or checked; its "
    "device is the one it was on");

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_FATAL, "on /dev/vda2 (/) was mounted or checked since",
     .advice = "The session is lost", .hopeless = true)
{
	mounted_now()->stamp[8]++; /* ext's mount count */
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_FATAL, "in use; then: ", .hopeless = true)
{
	mounted_now()->stamp[20] = 4; /* ext's journal wants replay */
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_FATAL, "destroy it", .hopeless = true)
{
	mounted_now()->stamp[31]++; /* to the last byte */
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_FATAL, "destroy it", .hopeless = true)
{
	mounted_then()->log[0] = 1;
	mounted_now()->log[0] = 2; /* of xfs; otherwise unchanged */
}

static void mount_read_only(void)
{
	mounted_then()->read_only = 1;
	SET(mounted_then()->place, "/mnt");
	SET(mounted_then()->identity, "partition P1 on disk S1");
	SET(mounted_now()->identity, "partition P1 on disk S1");
	then.hibernation.last_gate = 1;
	mounted_now()->stamp[8]++;
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_FATAL, "destroy it", .hopeless = true)
{
	mount_read_only();
	then.hibernation.last_gate = 0;
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_FATAL, "destroy it", .hopeless = true)
{
	mount_read_only();
	SET(mounted_then()->place, "/"); /* a session cannot do without it */
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_FATAL, "destroy it", .hopeless = true)
{
	mount_read_only();
	SET(mounted_then()->identity, "disk S1"); /* it may not be one that is cut off */
	SET(mounted_now()->identity, "disk S1");
}

ROW("the same, a FAT file system");

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_RISKY, "by another system or by a boot loader",
     .advice = "discard the image")
{
	then.hibernation.last_gate = 0;
	SET(mounted_then()->type, "fat");
	SET(mounted_now()->type, "fat");
	mounted_now()->stamp[8]++;
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_RISKY, "by another system or by a boot loader",
     .advice = "resumes without it")
{
	SET(mounted_then()->type, "fat");
	SET(mounted_now()->type, "fat");
	then.hibernation.last_gate = 1;
	mounted_now()->stamp[8]++;
}

ROW("the same, one that was mounted read-only when the machine hibernated, on a partition or a "
    "mapping, other than the root file system and /usr");

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_RISKY, "by another system; here it was mounted read-only",
     .advice = "resumes without it")
{
	mount_read_only();
}

ROW("the same on a device with its UUID, where that device has no identity");

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_RISKY, "has the UUID of the file system on /dev/vda2 (/)",
     .advice = "unplug it")
{
	forget_identity();
	mounted_now()->stamp[8]++;
}

/* One more with the UUID of the first, changed. */
static struct filesystem *copy(void)
{
	struct filesystem item = *mounted_now();

	item.stamp[8]++;
	SET(item.device, "/dev/vdc1");
	ck_assert_int_eq(list_append(&now.filesystems.items, item), 0);
	return &now.filesystems.items.items[1];
}

ROW("only devices of another identity have its UUID (a backup, a clone, a snapshot)");

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_HARMLESS, "on /dev/vda2 (/) is not visible here")
{
	SET(mounted_now()->identity, "disk S2");
	mounted_now()->stamp[8]++;
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_HARMLESS, "on /dev/vda2 (/) is not visible here")
{
	SET(mounted_now()->identity, "disk S2"); /* unchanged, but another one */
}

ROW("one is not to be seen (unplugged, or unlocked only later in the boot)");

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_HARMLESS,
     "on /dev/vda2 (/) is not visible here, so whether it was changed is unknown; the restored "
     "system checks")
{
	now.filesystems.items.count = 0;
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_HARMLESS, "on /dev/vda2 is not visible here")
{
	mounted_then()->place[0] = '\0';
	mounted_now()->uuid[15]++; /* another one in its place */
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_HARMLESS, "on /dev/vda2 (/) is not visible here")
{
	mounted_then()->member[3] = 1; /* another member of it */
	mounted_now()->member[3] = 2;
}

ROW("the same, in an image without a last gate (written by an s2disk that had none)");

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_RISKY, "on /dev/vda2 (/) is not visible here",
     .advice = "Connect it")
{
	then.hibernation.last_gate = 0;
	now.filesystems.items.count = 0;
}

ROW("several devices of its identity");

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_SAME, "All file systems are unchanged")
{
	copy();
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_FATAL, "was mounted or checked since (mounted 2 times",
     .hopeless = true)
{
	copy(); /* of the two that were changed, the words are those of the old place */
	mounted_now()->stamp[8] = 2;
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_FATAL, "was mounted or checked since", .hopeless = true)
{
	SET(copy()->identity, "disk S2"); /* unchanged, but another one */
	now.filesystems.items.items[1].stamp[8]--;
	mounted_now()->stamp[8]++;
}

ROW("several devices with its UUID, where its old device had no identity");

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_SAME, "All file systems are unchanged")
{
	forget_identity();
	SET(copy()->identity, "disk S2");
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_RISKY, "/dev/vda2 has the UUID")
{
	forget_identity();
	copy();
	mounted_now()->stamp[8] = 2;
}

ROW("one has no stamp: it is on no disk of this machine (NFS, FUSE), its device cannot be read "
    "while all is frozen, or nothing is known that every mount for writing changes");

static void unstamp(enum filesystem_unstamped reason)
{
	mounted_then()->unstamped = reason;
	SET(mounted_then()->type, "other");
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_HARMLESS,
     "Whether /dev/vda2 (/) (other) was changed is unknown: it is on no disk")
{
	unstamp(FILESYSTEM_ELSEWHERE);
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_HARMLESS, "could not be read while the system was frozen")
{
	unstamp(FILESYSTEM_BLOCKED);
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_HARMLESS, "its device could not be read.")
{
	unstamp(FILESYSTEM_UNREADABLE);
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_HARMLESS, "it has no known field")
{
	unstamp(FILESYSTEM_UNKNOWN);
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_HARMLESS, "it has no stamp")
{
	unstamp((enum filesystem_unstamped)77); /* of a later version */
}
