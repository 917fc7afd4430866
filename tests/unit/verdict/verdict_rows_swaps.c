/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of doc/platform-verdict.md, Swap areas. */
#include "verdict_rows.h"

/* Another area with 8 MiB in use, on both machines; returns this boot's. */
static struct swap_use *swap_on(const char *path)
{
	struct swap_use item = { .identity = "partition 02 on disk S2",
				 .uuid = { 1, 2, 3 },
				 .used = 8 << 20,
				 .last_page = 255,
				 .sight = SWAP_SEEN };

	SET(item.path, path);
	then.swaps.items.known = now.swaps.items.known = true;
	ck_assert_int_eq(list_append(&then.swaps.items, item), 0);
	ck_assert_int_eq(list_append(&now.swaps.items, item), 0);
	return &now.swaps.items.items[now.swaps.items.count - 1];
}

static struct swap_use *swap_then(void)
{
	return &then.swaps.items.items[0];
}

ROW("all others in use are unchanged");

LINE(PLAIN, ABOUT_SWAP_AREA, VERDICT_SAME, "The other swap areas in use are unchanged")
{
	swap_on("/dev/sdb2");
	SET(swap_on("/dev/sdb3")->label, "new"); /* swaplabel */
}

LINE(PLAIN, ABOUT_SWAP_AREA, VERDICT_SAME, "are unchanged")
{
	SET(swap_on("/dev/sdb2")->device, "/dev/sdc2"); /* by another name */
}

ROW("one had nothing in use");

LINE(PLAIN, ABOUT_SWAP_AREA, VERDICT_SAME, "", .silent = true)
{
	swap_on("/dev/sdb2");
	swap_then()->used = 0;
	now.swaps.items.count = 0;
}

ROW("one was formatted, or its device has no swap header, or that of an image");

LINE(PLAIN, ABOUT_SWAP_AREA, VERDICT_FATAL,
     "The swap area /dev/sdb2, with 8192 KiB of the session's memory, was formatted since",
     .advice = "the memory that was swapped out is gone", .hopeless = true)
{
	swap_on("/dev/sdb2")->uuid[15]++;
}

LINE(PLAIN, ABOUT_SWAP_AREA, VERDICT_FATAL, "was formatted since", .hopeless = true)
{
	swap_on("/dev/sdb2")->last_page--;
}

LINE(PLAIN, ABOUT_SWAP_AREA, VERDICT_FATAL, "was formatted since", .hopeless = true)
{
	swap_on("/dev/sdb2")->bad_pages++;
}

LINE(PLAIN, ABOUT_SWAP_AREA, VERDICT_FATAL, "is no longer a swap area", .hopeless = true)
{
	swap_on("/dev/sdb2")->sight = SWAP_REPLACED;
}

/* Another, unchanged one does not make up for it. */
LINE(PLAIN, ABOUT_SWAP_AREA, VERDICT_FATAL, "/dev/sdb2, with", .hopeless = true)
{
	swap_on("/dev/sdb2")->uuid[0]++;
	swap_on("/dev/sdb3");
}

ROW("one is missing, though every driver that its disk had is in this kernel; or it cannot be "
    "read");

LINE(PLAIN, ABOUT_SWAP_AREA, VERDICT_FATAL, "is missing. Programs that need it would be killed",
     .advice = "Connect its disk")
{
	swap_on("/dev/sdb2")->sight = SWAP_MISSING;
}

LINE(PLAIN, ABOUT_SWAP_AREA, VERDICT_FATAL, "cannot be read", .advice = "Connect its disk")
{
	swap_on("/dev/sdb2")->sight = SWAP_UNREADABLE;
}

LINE(PLAIN, ABOUT_SWAP_AREA, VERDICT_FATAL, "is missing")
{
	SET(swap_on("/dev/sdb2")->identity, "partition 02 on disk S3"); /* not looked for */
}

LINE(PLAIN, ABOUT_SWAP_AREA, VERDICT_FATAL, "is missing")
{
	swap_on("/dev/sdb2")->offset = 4096; /* of another file on the device */
}

ROW("one cannot be seen yet: what it lies on is unlocked or assembled later in the boot, or a "
    "driver that its disk had is not in this kernel");

LINE(PLAIN, ABOUT_SWAP_AREA, VERDICT_HARMLESS,
     "The swap area /dev/dm-1, with 8192 KiB of the session's memory, is not visible here")
{
	swap_on("/dev/dm-1")->sight = SWAP_HIDDEN;
}

ROW("one had no header that could be read when it hibernated (on a loop or network block "
    "device, or a file on NFS)");

LINE(PLAIN, ABOUT_SWAP_AREA, VERDICT_HARMLESS, "could not be read while the system was frozen")
{
	swap_on("/dev/loop0");
	swap_then()->sight = SWAP_BLOCKED;
	now.swaps.items.count = 0;
}

LINE(PLAIN, ABOUT_SWAP_AREA, VERDICT_HARMLESS, "its place on a disk could not be read")
{
	swap_on("/mnt/swap");
	swap_then()->sight = SWAP_UNREADABLE;
	now.swaps.items.count = 0;
}

LINE(PLAIN, ABOUT_SWAP_AREA, VERDICT_HARMLESS, "its place on a disk could not be read")
{
	swap_on("/mnt/swap");
	swap_then()->sight = 77; /* of a later version */
	now.swaps.items.count = 0;
}
