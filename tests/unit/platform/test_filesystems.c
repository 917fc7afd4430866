/* SPDX-License-Identifier: GPL-2.0-or-later */
/* filesystems below a made root, and the verdict on what they find. */
#include "base/bytes.h"
#include "base/io.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "platform/filesystems/mounted.h"
#include "platform/platform.h"
#include "verdict/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A disk with the parts of an ext that are read. */
static void put_ext(const char *path, unsigned char uuid, unsigned int mounts)
{
	static unsigned char disk[2 * 65536];

	memset(disk, 0, sizeof(disk));
	put_le16(disk + 1024 + 0x38, 0xef53);
	put_le16(disk + 1024 + 0x34, (uint16_t)mounts);
	disk[1024 + 0x60] = 4;
	memset(disk + 1024 + 0x68, uuid, 16);
	made_put_bytes(path, disk, sizeof(disk));
}

#define MOUNTS                                                                        \
	"22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/root rw,errors=remount-ro\n" \
	"23 22 0:21 / /proc rw,nosuid - proc proc rw\n"                               \
	"24 22 254:1 /home /mnt rw - ext4 /dev/vda1 rw\n"                             \
	"25 22 0:40 / /a\\040b rw - btrfs /dev/mapper/x rw,subvol=/\n"                \
	"26 22 254:9 / /gone rw - ext4 /dev/vdi rw\n"                                 \
	"27 22 254:17 / /boot rw - vfat /dev/vdb1 rw\n"                               \
	"28 22 0:41 / /share rw - 9p share rw\n"                                      \
	"29 22 7:0 / /odd\\377 rw - ext4\n"                                           \
	"31 22 7:3 / /snap ro - ext4 /dev/loop3 ro,noload\n"                          \
	"32 22 253:0 / /inner rw - ext4 /dev/mapper/inner rw\n"                       \
	"33 22 0:42 / /tmp rw - tmpfs /dev/vde rw\n"                                  \
	"34 22 253:7 / /asleep rw - ext4 /dev/mapper/asleep rw\n"                     \
	"35 22 8:0 / /net ro - ext4 /dev/sda rw\n"                                    \
	"36 22 259:0 / /zoned rw - f2fs /dev/zloop0 rw\n"                             \
	"nonsense\n"                                                                  \
	"30 22 254:33 / /tty rw - ext4 /dev/vdc1 rw\n"

static void make(void)
{
	made_root_create();
	made_put("/proc/self/mountinfo", MOUNTS);
	made_link("/sys/dev/block/254:1", "../../devices/virtual/block/vda/vda1");
	made_link("/sys/dev/block/254:9", "../../devices/virtual/block/vdi");
	made_link("/sys/dev/block/254:17", "../../devices/virtual/block/vdb/vdb1");
	made_link("/sys/dev/block/254:33", "../../devices/virtual/block/vdc/vdc1");
	put_ext("/dev/vda1", 1, 5);
	made_put("/sys/class/block/vda1/serial", "S1\n");
	put_ext("/dev/mapper/x", 2, 6);
	/* The kernel would not answer; one of them is stacked. */
	made_link("/sys/dev/block/7:3", "../../devices/virtual/block/loop3");
	made_link("/sys/dev/block/253:0", "../../devices/virtual/block/dm-0");
	put_ext("/dev/loop3", 3, 1);
	put_ext("/dev/dm-0", 4, 1);
	made_put("/sys/class/block/dm-0/slaves/dm-1/x", "");
	made_put("/sys/class/block/dm-1/slaves/loop4/x", "");
	/* Suspended; over iSCSI; a loop with zones. */
	made_link("/sys/dev/block/253:7", "../../devices/virtual/block/dm-7");
	made_link("/sys/dev/block/8:0",
		  "../../devices/platform/host3/session1/target3:0:0/3:0:0:0/block/sda");
	made_link("/sys/class/block/sda",
		  "../../devices/platform/host3/session1/target3:0:0/3:0:0:0/block/sda");
	made_link("/sys/dev/block/259:0", "../../devices/virtual/block/zloop0");
	made_put("/sys/class/block/dm-7/dm/suspended", "1\n");
	made_put("/sys/class/block/dm-0/dm/suspended", "0\n");
	put_ext("/dev/dm-7", 5, 1);
	put_ext("/dev/sda", 6, 1);
	put_ext("/dev/zloop0", 7, 1);
	made_shell("truncate -s 1M dev/vdb1; mkdir dev/vdc1");
}

/* The machine's mounted file systems, as recorded in an image. */
static void capture(struct filesystems *ret)
{
	struct mounted mounted;

	ck_assert_int_eq(mounted_open(made_root, &mounted, ret), 0);
	ck_assert(!ret->items.known);
	for (unsigned int i = 0; i < 2; i++) /* the number of attempts */
		mounted_stamp(&mounted, ret);
	ck_assert(ret->items.known);
	mounted_close(&mounted);
	mounted_close(&mounted);
}

/* The part of MOUNTS that can be compared later, and the names of the rest. */
static const struct {
	const char *device, *place, *type;
	enum filesystem_unstamped unstamped;
} mounts[] = {
	{ "/dev/vda1", "/", "ext", FILESYSTEM_STAMPED },
	{ "/dev/mapper/x", "/a b", "ext", FILESYSTEM_STAMPED },
	{ "/dev/vdi", "/gone", "ext4", FILESYSTEM_UNREADABLE },
	{ "/dev/vdb1", "/boot", "vfat", FILESYSTEM_UNKNOWN }, /* nothing is on it */
	{ "share", "/share", "9p", FILESYSTEM_ELSEWHERE },
	{ "/dev/loop3", "/snap", "ext4", FILESYSTEM_BLOCKED },
	{ "/dev/dm-0", "/inner", "ext4", FILESYSTEM_BLOCKED },
	{ "/dev/dm-7", "/asleep", "ext4", FILESYSTEM_BLOCKED },
	{ "/dev/sda", "/net", "ext4", FILESYSTEM_BLOCKED },
	{ "/dev/zloop0", "/zoned", "f2fs", FILESYSTEM_BLOCKED },
	{ "/dev/vdc1", "/tty", "ext4", FILESYSTEM_UNREADABLE },
};

START_TEST(finds_what_is_mounted)
{
	struct filesystems found;

	capture(&found);
	ck_assert_uint_eq(found.items.count, ARRAY_SIZE(mounts));
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		const struct filesystem *item = &found.items.items[i];

		ck_assert_str_eq(item->device, mounts[i].device);
		ck_assert_str_eq(item->place, mounts[i].place);
		ck_assert_str_eq(item->type, mounts[i].type);
		ck_assert_msg(item->unstamped == mounts[i].unstamped, "%s: %u", item->device,
			      item->unstamped);
		/* A mount that is read-only says nothing of others of the same. */
		ck_assert_int_eq(item->read_only, strcmp(mounts[i].place, "/snap") == 0);
	}
	filesystems_free(&found);

	made_put("/proc/self/mountinfo", NULL);
	ck_assert_int_eq(mounted_open(made_root, &(struct mounted){ 0 }, &found), 0);
	ck_assert(!found.items.known);
}
END_TEST

/* The platforms to compare: nothing else is known of them. */
static struct platform then, now;

/* Without those that cannot be compared, and with a last gate. */
static void capture_then(void)
{
	capture(&then.filesystems);
	then.filesystems.items.count = 2;
	then.hibernation.last_gate = 1;
}

static const struct finding *judge(struct verdict *verdict)
{
	struct why w = { "" };

	filesystems_free(&now.filesystems);
	ck_assert_int_eq(platform_look_for(made_root, &then, &now), 0);
	ck_assert_int_eq(verdict_judge(&then, &now, NULL, verdict, &w), 0);
	for (size_t i = 0; i < verdict->count; i++)
		if (verdict->findings[i].about == ABOUT_FILE_SYSTEM)
			return &verdict->findings[i];
	return NULL;
}

static void expect(enum verdict_class class, bool hopeless, const char *words)
{
	struct verdict verdict = { 0 };
	const struct finding *finding = judge(&verdict);

	ck_assert_ptr_nonnull(finding);
	ck_assert_msg(finding->class == class, "%s", finding->text);
	ck_assert_msg(strstr(finding->text, words) != NULL, "%s", finding->text);
	ck_assert_int_eq(verdict.hopeless, hopeless);
	verdict_free(&verdict);
}

START_TEST(finds_them_again)
{
	capture_then();
	expect(VERDICT_SAME, false, "are unchanged");

	/* By other names, among others. */
	made_shell(
		"mkdir sys/class/block/loop0 sys/class/block/vdq1 'sys/class/block/q!x' "
		"sys/class/block/sr0 sys/class/block/nothing && mkdir dev/q && mv dev/vda1 "
		"dev/vdq1 && "
		"cp sys/class/block/vda1/serial sys/class/block/vdq1 && mv dev/mapper/x dev/q/x");
	expect(VERDICT_SAME, false, "are unchanged");

	/* A copy of the disk, older or newer: the one that was mounted counts. */
	put_ext("/dev/loop0", 1, 3);
	expect(VERDICT_SAME, false, "are unchanged");
	/* Two that say the same of themselves. */
	put_ext("/dev/vda1", 1, 4);
	expect(VERDICT_SAME, false, "are unchanged");

	/* The copy alone proves nothing, for good or bad. */
	made_shell("rm dev/vdq1 dev/vda1");
	expect(VERDICT_HARMLESS, false, "on /dev/vda1 (/) is not visible here");
	put_ext("/dev/loop0", 1, 5);
	expect(VERDICT_HARMLESS, false, "on /dev/vda1 (/) is not visible here");
	made_shell("rm dev/loop0");
	expect(VERDICT_HARMLESS, false, "on /dev/vda1 (/) is not visible here");
	/* An automount that would block is not looked at. */
	put_ext("/dev/sr0", 1, 6);
	expect(VERDICT_HARMLESS, false, "on /dev/vda1 (/) is not visible here");
	/* An image that was written before the restored system looked. */
	then.hibernation.last_gate = 0;
	expect(VERDICT_RISKY, false, "on /dev/vda1 (/) is not visible here");
	platform_free(&then);
	platform_free(&now);
}
END_TEST

/* The device does not say which it is: this may as well be a backup. */
START_TEST(may_be_a_copy)
{
	made_put("/sys/class/block/vda1/serial", NULL);
	capture_then();
	ck_assert_str_eq(then.filesystems.items.items[0].identity, "");
	put_ext("/dev/vda1", 1, 6);
	expect(VERDICT_RISKY, false, "/dev/vda1 has the UUID of the file system on /dev/vda1 (/)");
	made_shell("mkdir sys/class/block/loop0");
	put_ext("/dev/loop0", 1, 5);
	expect(VERDICT_SAME, false, "are unchanged");
	platform_free(&then);
	platform_free(&now);
}
END_TEST

/* What cannot be compared is named, one by one. */
START_TEST(names_what_has_no_stamp)
{
	static const char *const names[] = {
		"/gone", "/boot", "/share", "/snap", "/inner", "/tty"
	};
	struct verdict verdict;

	capture(&then.filesystems);
	ck_assert_ptr_nonnull(judge(&verdict));
	for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
		bool named = false;

		for (size_t i = 0; i < verdict.count; i++)
			named |= verdict.findings[i].class == VERDICT_HARMLESS &&
				 strstr(verdict.findings[i].text, names[n]) != NULL;
		ck_assert_msg(named, "%s", names[n]);
	}
	ck_assert_str_eq(verdict.findings[verdict.count - 1].text,
			 "All file systems that can be compared are unchanged.");
	verdict_free(&verdict);
	platform_free(&then);
	platform_free(&now);
}
END_TEST

START_TEST(sees_that_one_was_changed)
{
	struct verdict verdict;

	capture_then();
	put_ext("/dev/vda1", 1, 6);
	expect(VERDICT_FATAL, true,
	       "The file system on /dev/vda1 (/) was mounted or checked since (mounted 6 times");
	ck_assert_ptr_nonnull(judge(&verdict));
	for (int policy = POLICY_STRICT; policy <= POLICY_TOLERANT; policy++)
		ck_assert(!verdict_allows(&verdict, (enum verdict_policy)policy));
	verdict_free(&verdict);

	/* Its journal was replayed. */
	put_ext("/dev/vda1", 1, 5);
	expect(VERDICT_SAME, false, "are unchanged");
	made_shell("printf '\\000' | dd of=dev/vda1 bs=1 seek=1120 conv=notrunc 2>/dev/null");
	expect(VERDICT_FATAL, true, "at rest");

	/* A new one in its place, and fields that an older image lacks. */
	put_ext("/dev/vda1", 9, 5);
	expect(VERDICT_HARMLESS, false, "is not visible here");
	platform_free(&then);
	then = (struct platform){ 0 };
	ck_assert_ptr_null(judge(&verdict));
	verdict_free(&verdict);
	platform_free(&now);
}
END_TEST

/* The device's name comes from a disk: nothing but a disk is opened. */
START_TEST(opens_nothing_else)
{
	struct filesystem item = { .type = "ext", .device = "/dev/fifo" };

	then.filesystems.items.known = true;
	then.hibernation.last_gate = 1;
	ck_assert_int_eq(list_append(&then.filesystems.items, item), 0);
	made_shell("mkfifo dev/fifo && mkdir -p sys/class/block/fifo");
	expect(VERDICT_HARMLESS, false, "is not visible here");
	strcpy(then.filesystems.items.items[0].device, "/proc/self/mountinfo");
	expect(VERDICT_HARMLESS, false, "is not visible here");
	platform_free(&then);
	platform_free(&now);
}
END_TEST

START_TEST(goes_to_bytes_and_back)
{
	unsigned char *bytes;
	struct why w = { "" };
	size_t length;

	capture(&then.filesystems);
	ck_assert_int_eq(platform_encode(&then, &bytes, &length), 0);
	ck_assert_int_eq(platform_decode(bytes, length, &now, &w), 0);
	ck_assert(now.filesystems.items.known);
	ck_assert_uint_eq(now.filesystems.items.count, then.filesystems.items.count);
	ck_assert_mem_eq(now.filesystems.items.items, then.filesystems.items.items,
			 then.filesystems.items.count * sizeof(struct filesystem));
	free(bytes);
	platform_free(&then);
	platform_free(&now);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tree = test_case(suite, "tree");

	tcase_add_checked_fixture(tree, make, made_root_remove);
	tcase_add_test(tree, finds_what_is_mounted);
	tcase_add_test(tree, finds_them_again);
	tcase_add_test(tree, may_be_a_copy);
	tcase_add_test(tree, names_what_has_no_stamp);
	tcase_add_test(tree, sees_that_one_was_changed);
	tcase_add_test(tree, opens_nothing_else);
	tcase_add_test(tree, goes_to_bytes_and_back);
}
