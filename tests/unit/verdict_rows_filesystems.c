/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of doc/platform-verdict.md, File systems. */
#include "verdict_rows.h"

static struct filesystem *mounted_now(void)
{
	return &now.filesystems.items.items[0];
}

ROW("all as they were");

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_SAME, "All file systems are as they were")
{
	SET(mounted_now()->device, "/dev/vdb7"); /* by another name */
}

ROW("one was mounted for writing, mounted read-only with its journal replayed, or checked");

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_FATAL, "on /dev/vda2 (/) was mounted or checked since",
     .advice = "Nothing can be done", .hopeless = true)
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

ROW("one is not to be seen (unplugged, or unlocked only later in the boot)");

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_HARMLESS, "on /dev/vda2 (/) cannot be seen")
{
	now.filesystems.items.count = 0;
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_HARMLESS, "on /dev/vda2 cannot be seen")
{
	then.filesystems.items.items[0].place[0] = '\0';
	mounted_now()->uuid[15]++; /* another one in its place */
}

ROW("several devices with its UUID (copies, snapshots of volumes)");

/* One more with the UUID of the first, changed. */
static void copy(void)
{
	struct filesystem item = *mounted_now();

	item.stamp[8]++;
	SET(item.device, "/dev/vdc1");
	ck_assert_int_eq(list_append(&now.filesystems.items, item), 0);
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_SAME, "All file systems are as they were")
{
	copy();
}

LINE(PLAIN, ABOUT_FILE_SYSTEM, VERDICT_FATAL, "was mounted or checked since (mounted 2 times",
     .hopeless = true)
{
	copy(); /* of the two that were changed, the words are those of the old place */
	mounted_now()->stamp[8] = 2;
}
