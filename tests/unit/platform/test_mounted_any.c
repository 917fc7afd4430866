/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is any file system mounted that could have been changed? */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "platform/filesystems/mounted.h"

#include <stdio.h>
#include <stdlib.h>

#define ROOTFS "1 1 0:2 / / rw - rootfs rootfs rw\n22 1 0:21 / /proc rw - proc proc rw\n"

static const struct {
	const char *mounts;
	bool any;
} mounts[] = {
	{ NULL, true },
	{ "", false },
	{ ROOTFS, false },
	{ ROOTFS "23 1 0:6 / /dev rw - devtmpfs udev rw\n24 1 0:23 / /run rw - tmpfs tmpfs rw\n",
	  false },
	{ ROOTFS "40 1 254:1 / /sysroot ro,relatime shared:1 - ext4 /dev/vda1 ro\n", true },
	{ ROOTFS "40 1 254:1 / /root ro - ext4 /dev/root ro\n", true },
	{ ROOTFS "40 1 0:30 /@ /sysroot ro - btrfs /dev/mapper/root ro\n", true },
	{ ROOTFS "40 1 0:31 / /sysroot rw - zfs rpool/ROOT rw\n", true },
	{ ROOTFS "40 1 0:32 / /sysroot rw - nfs4 server:/root rw\n", false },
	/* dracut's own, with its module squash. */
	{ ROOTFS "40 1 7:0 / /squash ro - squashfs /dev/loop0 ro\n", false },
	{ ROOTFS "40 1 7:0 / /squash ro - erofs /dev/loop0 ro\n", false },
	{ ROOTFS "40 1 8:17 / /run/systemd/cryptsetup/keydev-root ro - vfat /dev/sdb1 ro\n",
	  false },
	{ ROOTFS "40 1 8:17 / /run/initramfs/live ro - iso9660 /dev/sr0 ro\n", true },
};

START_TEST(test_any)
{
	if (mounts[_i].mounts)
		made_put("/proc/self/mountinfo", mounts[_i].mounts);
	ck_assert_int_eq(mounted_any(made_root), mounts[_i].any);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "mounted_any");

	tcase_add_checked_fixture(tcase, made_root_create, made_root_remove);
	tcase_add_loop_test(tcase, test_any, 0, (int)ARRAY_SIZE(mounts));
}
