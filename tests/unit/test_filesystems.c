/* SPDX-License-Identifier: GPL-2.0-or-later */
/* filesystem_stamp on what mkfs makes, filesystems below a made-up root, and
 * what the verdict says of what they find. */
#include "base/bytes.h"
#include "base/io.h"
#include "made_root.h"
#include "platform/mounted.h"
#include "platform/platform.h"
#include "platform/verdict.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the root; false where the program is not installed. */
__attribute__((format(printf, 1, 2))) static bool run(const char *format, ...)
{
	char command[600];
	int used = snprintf(command, sizeof(command), "cd %s && PATH=$PATH:/sbin:/usr/sbin && ",
			    made_root);
	va_list args;
	int status;

	va_start(args, format);
	vsnprintf(command + used, sizeof(command) - (size_t)used, format, args);
	va_end(args);
	status = system(command);
	ck_assert_msg(status == 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127), "%s",
		      command);
	return status == 0;
}

struct file {
	int fd;
	unsigned int reads, fail_at; /* 0: never */
	int error;
};

static int read_file(void *context, uint64_t offset, unsigned char *page)
{
	struct file *file = context;

	return ++file->reads == file->fail_at
		       ? file->error
		       : io_pread_full(file->fd, page, FILESYSTEM_PAGE, offset);
}

static int identify_error(const char *name, unsigned int fail_at, int error, struct filesystem *ret)
{
	unsigned char page[FILESYSTEM_PAGE];
	char path[128];
	struct file file = { .fail_at = fail_at, .error = error };
	const struct filesystem_source source = { read_file, &file };
	int r;

	snprintf(path, sizeof(path), "%s/%s", made_root, name);
	file.fd = open(path, O_RDONLY);
	ck_assert_int_ge(file.fd, 0);
	*ret = (struct filesystem){ 0 };
	r = filesystem_identify(&source, page, ret);
	close(file.fd);
	return r;
}

static int identify_failing(const char *name, unsigned int fail_at, struct filesystem *ret)
{
	return identify_error(name, fail_at, -EIO, ret);
}

static int identify(const char *name, struct filesystem *ret)
{
	return identify_failing(name, 0, ret);
}

/* What the file systems' own tools make, and what they call it. */
static const struct {
	const char *type, *make, *change, *words;
} kinds[] = {
	{ "ext", "mkfs.ext4 -qF -U 01020304-0506-0708-090a-0b0c0d0e0f10 disk",
	  "tune2fs -C 7 disk >/dev/null",
	  "mounted 0 times, last at 1970-01-01 00:00:00 UTC, at rest" },
	{ "ext", "mkfs.ext2 -qF -U 01020304-0506-0708-090a-0b0c0d0e0f10 disk",
	  "tune2fs -T 20200101 disk >/dev/null",
	  "mounted 0 times, last at 1970-01-01 00:00:00 UTC, at rest" },
	{ "xfs", "mkfs.xfs -qf -m uuid=01020304-0506-0708-090a-0b0c0d0e0f10 disk",
	  "xfs_db -x -c 'sb 0' -c 'write fdblocks 9' disk >/dev/null", NULL },
	{ "btrfs", "mkfs.btrfs -qf -U 01020304-0506-0708-090a-0b0c0d0e0f10 disk",
	  "btrfstune -S 1 disk", "generation " },
	{ "f2fs", "mkfs.f2fs -qf -U 01020304-0506-0708-090a-0b0c0d0e0f10 disk",
	  "printf 9 | dd of=disk bs=1 seek=$((512 * 4096)) conv=notrunc 2>/dev/null",
	  "checkpoint " },
};

START_TEST(knows_what_mkfs_makes)
{
	static const unsigned char uuid[16] = { 1, 2,  3,  4,  5,  6,  7,  8,
						9, 10, 11, 12, 13, 14, 15, 16 };
	struct filesystem before, after;
	char words[120];

	/* mkfs.xfs wants no less. */
	run("truncate -s 320M disk");
	if (!run("%s", kinds[_i].make))
		return;
	ck_assert_int_eq(identify("disk", &before), 0);
	ck_assert_str_eq(before.type, kinds[_i].type);
	ck_assert_mem_eq(before.uuid, uuid, sizeof(uuid));
	filesystem_words(&before, words, sizeof(words));
	if (kinds[_i].words)
		ck_assert_msg(strncmp(words, kinds[_i].words, strlen(kinds[_i].words)) == 0, "%s",
			      words);

	ck_assert_int_eq(identify("disk", &after), 0);
	ck_assert_mem_eq(&before, &after, sizeof(after));
	if (!run("%s", kinds[_i].change))
		return;
	ck_assert_int_eq(identify("disk", &after), 0);
	ck_assert(filesystem_same(&before, &after));
	ck_assert_mem_ne(before.stamp, after.stamp, sizeof(after.stamp));
}
END_TEST

/* Superblocks of xfs may be as they were, and its log not: it was mounted, and ended by a
 * reset. */
START_TEST(sees_the_log_of_xfs)
{
	struct filesystem before, after;
	char words[120];

	run("truncate -s 320M disk");
	if (!run("mkfs.xfs -qf disk"))
		return;
	ck_assert_int_eq(identify("disk", &before), 0);
	filesystem_words(&before, words, sizeof(words));
	ck_assert_msg(strstr(words, ", written to 1:2") != NULL, "%s", words);
	/* The next block gets the cycle of this round. */
	if (!run("block=$(xfs_db -c 'sb 0' -c 'p logstart' disk | sed 's/.* = //') && "
		 "xfs_db -c \"convert fsblock $block byte\" disk | sed 's/.*(\\(.*\\)).*/\\1/' >at "
		 "&& "
		 "printf '\\000\\000\\000\\001' | dd of=disk bs=1 conv=notrunc "
		 "seek=$(($(cat at) + 1024)) 2>/dev/null"))
		return;
	ck_assert_int_eq(identify("disk", &after), 0);
	ck_assert_mem_eq(before.stamp, after.stamp, sizeof(after.stamp));
	ck_assert(filesystem_same(&before, &after));
	ck_assert(!filesystem_unchanged(&before, &after));
	/* What an older image does not say is no difference. */
	memset(before.log, 0, sizeof(before.log));
	ck_assert(filesystem_unchanged(&before, &after));
	/* A whole round later. */
	ck_assert(run("printf '\\000\\000\\000\\002' | dd of=disk bs=1 conv=notrunc "
		      "seek=$(($(cat at) + 4)) 2>/dev/null"));
	ck_assert_int_eq(identify("disk", &before), 0);
	ck_assert(!filesystem_unchanged(&before, &after));
	/* Every read of the way there. */
	for (unsigned int i = 1; i <= 16; i++)
		ck_assert_int_eq(identify_failing("disk", i, &after), -EIO);
	/* On another device; nonsense. */
	ck_assert(run("dd if=/dev/zero of=disk bs=1 seek=48 count=8 conv=notrunc 2>/dev/null"));
	ck_assert_int_eq(identify("disk", &after), 0);
	ck_assert(bytes_all_zero(after.log, sizeof(after.log)));
	ck_assert(run("printf '\\377\\377\\377\\377\\377' | dd of=disk bs=1 seek=48 conv=notrunc "
		      "2>/dev/null"));
	ck_assert_int_lt(identify("disk", &after), 0);
}
END_TEST

#define SMALL (256u << 10)

struct piece {
	unsigned int at;
	const char *bytes;
	size_t length;
};

#define PIECE(at, text)                        \
	{                                      \
		(at), (text), sizeof(text) - 1 \
	}

/* What their makers write, as far as it is read; then the places where a mount for writing
 * shows. */
static const struct {
	const char *type;
	struct piece pieces[16];
	unsigned int uuid, changes[6];
} boots[] = {
	{ "fat", /* 32: four reserved sectors, two tables of eight, root in cluster 3 */
	  { PIECE(0x0b, "\0\2"), PIECE(0x0d, "\10"), PIECE(0x0e, "\4"), PIECE(0x10, "\2"),
	    PIECE(0x24, "\10"), PIECE(0x2c, "\3"), PIECE(0x30, "\1"), PIECE(0x43, "abcd"),
	    PIECE(0x52, "FAT32   "), PIECE(510, "\x55\xaa") },
	  0x43,
	  { 0x41, 512 + 488, 2048, 20 * 512 + 4096 } },
	{ "fat", /* 16: one reserved sector, two tables of 16 */
	  { PIECE(0x0b, "\0\2"), PIECE(0x0d, "\4"), PIECE(0x0e, "\1"), PIECE(0x10, "\2"),
	    PIECE(0x16, "\20"), PIECE(0x27, "abcd"), PIECE(0x36, "FAT16   "),
	    PIECE(510, "\x55\xaa") },
	  0x27,
	  { 0x25, 512, 33 * 512 } },
	{ "exfat", /* table at sector 24, clusters from 64 on, eight sectors each; root in 5 */
	  { PIECE(3, "EXFAT   "), PIECE(0x50, "\30"), PIECE(0x58, "\100"), PIECE(0x60, "\5"),
	    PIECE(0x64, "abcd"), PIECE(0x6c, "\11\3") },
	  0x64,
	  { 0x6a, 0x70, 24 * 512, 64 * 512, 64 * 512 + 3 * 4096 } },
	{ "ntfs", /* MFT in cluster 4; $LogFile not resident, its first run is at cluster 10 */
	  { PIECE(3, "NTFS    "), PIECE(0x0b, "\0\2"), PIECE(0x0d, "\10"), PIECE(0x30, "\4"),
	    PIECE(0x48, "abcdefgh"), PIECE(4 * 4096 + 2048, "FILE"),
	    PIECE(4 * 4096 + 2048 + 0x14, "\70"), PIECE(4 * 4096 + 2048 + 0x38, "\20\0\0\0\30"),
	    PIECE(4 * 4096 + 2048 + 0x50, "\x80\0\0\0\140\0\0\0\1"),
	    PIECE(4 * 4096 + 2048 + 0x70, "\100"), PIECE(4 * 4096 + 2048 + 0x90, "\x21\2\12\0") },
	  0x48,
	  { 4 * 4096 + 3072 + 40, 4 * 4096, 10 * 4096 } },
	{ "bcachefs",
	  { PIECE(4096 + 24, "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef"),
	    PIECE(4096 + 56, "0123456789abcdef") },
	  4096 + 56,
	  { 4096 + 112 } },
};

START_TEST(knows_what_has_no_counter)
{
	static unsigned char bytes[SMALL];
	struct filesystem before, after;
	char words[120];

	memset(bytes, 0, sizeof(bytes));
	for (const struct piece *piece = boots[_i].pieces; piece->length; piece++)
		memcpy(bytes + piece->at, piece->bytes, piece->length);
	made_put_bytes("/disk", bytes, sizeof(bytes));
	ck_assert_int_eq(identify("disk", &before), 0);
	ck_assert_str_eq(before.type, boots[_i].type);
	filesystem_words(&before, words, sizeof(words));
	ck_assert_str_ne(words, "?");
	for (const unsigned int *at = boots[_i].changes; *at; at++) {
		bytes[*at]++;
		made_put_bytes("/disk", bytes, sizeof(bytes));
		ck_assert_int_eq(identify("disk", &after), 0);
		ck_assert_msg(filesystem_same(&before, &after), "%s at %u", boots[_i].type, *at);
		ck_assert_msg(!filesystem_unchanged(&before, &after), "%s at %u", boots[_i].type,
			      *at);
		bytes[*at]--;
	}
	bytes[boots[_i].uuid]++;
	made_put_bytes("/disk", bytes, sizeof(bytes));
	ck_assert_int_eq(identify("disk", &after), 0);
	ck_assert(!filesystem_same(&before, &after));
	/* Anything may be on a disk: every byte of what is read, turned. */
	for (unsigned int at = 0; at < 4 * 4096 + 4096; at += at < 512 ? 1 : 61) {
		bytes[at] ^= 0xff;
		made_put_bytes("/disk", bytes, sizeof(bytes));
		identify("disk", &after);
		bytes[at] ^= 0xff;
	}
}
END_TEST

/* Cluster sizes that no shift takes: the undefined-behaviour sanitizer ends it. */
START_TEST(takes_no_nonsense_for_ntfs)
{
	struct filesystem found;

	run("truncate -s 1M disk && printf '\\000\\002\\201' | "
	    "dd of=disk bs=1 seek=11 conv=notrunc 2>/dev/null");
	ck_assert_int_eq(identify("disk", &found), -ENODEV);
	run("printf 'NTFS    ' | dd of=disk bs=1 seek=3 conv=notrunc 2>/dev/null");
	ck_assert_int_eq(identify("disk", &found), -ENODEV);
}
END_TEST

/* Every read that one of them needs. */
START_TEST(tells_errors_of_reading)
{
	struct filesystem found;

	run("truncate -s 320M disk");
	ck_assert_int_eq(identify("disk", &found), -ENODEV);
	for (unsigned int i = 1; i <= 2; i++)
		ck_assert_int_eq(identify_failing("disk", i, &found), -EIO);
	/* Not that there is none: the disk is offline. */
	for (unsigned int i = 1; i <= 4; i++)
		ck_assert_int_eq(identify_error("disk", i, -ENODEV, &found), -EIO);
	run("truncate -s 5000 short");
	ck_assert_int_lt(identify("short", &found), 0);
	run("truncate -s 2000 short");
	ck_assert_int_lt(identify("short", &found), 0);
	if (!run("mkfs.f2fs -qf disk"))
		return;
	ck_assert_int_eq(identify("disk", &found), 0);
	for (unsigned int i = 2; i <= 3; i++)
		ck_assert_int_eq(identify_failing("disk", i, &found), -EIO);
	/* A superblock that points anywhere. */
	run("printf '\\377\\377\\377\\377' | dd of=disk bs=1 seek=1100 conv=notrunc 2>/dev/null");
	ck_assert_int_lt(identify("disk", &found), 0);
	run("printf '\\377' | dd of=disk bs=1 seek=1044 conv=notrunc 2>/dev/null");
	ck_assert_int_eq(identify("disk", &found), -ENODEV);
}
END_TEST

/* A disk with what of ext is looked at. */
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
	"31 22 7:3 / /snap ro - ext4 /dev/loop3 ro\n"                                 \
	"32 22 253:0 / /inner rw - ext4 /dev/mapper/inner rw\n"                       \
	"33 22 0:42 / /tmp rw - tmpfs /dev/vde rw\n"                                  \
	"34 22 253:7 / /asleep rw - ext4 /dev/mapper/asleep rw\n"                     \
	"35 22 8:0 / /net rw - ext4 /dev/sda rw\n"                                    \
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
	/* The kernel would not answer; one of them is a stack. */
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
	run("truncate -s 1M dev/vdb1; mkdir dev/vdc1");
}

/* What the machine has mounted, as an image keeps it. */
static void capture(struct filesystems *ret)
{
	struct mounted mounted;

	ck_assert_int_eq(mounted_open(made_root, &mounted, ret), 0);
	ck_assert(!ret->items.known);
	for (unsigned int i = 0; i < 2; i++) /* as often as it is tried */
		mounted_stamp(&mounted, ret);
	ck_assert(ret->items.known);
	mounted_close(&mounted);
	mounted_close(&mounted);
}

/* What of MOUNTS can be compared later, and the names of what cannot. */
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
	}
	filesystems_free(&found);

	made_put("/proc/self/mountinfo", NULL);
	ck_assert_int_eq(mounted_open(made_root, &(struct mounted){ 0 }, &found), 0);
	ck_assert(!found.items.known);
}
END_TEST

/* The platforms that are compared: nothing else is known of them. */
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
	expect(VERDICT_SAME, false, "as they were");

	/* By other names, among others. */
	run("mkdir sys/class/block/loop0 sys/class/block/vdq1 'sys/class/block/q!x' "
	    "sys/class/block/sr0 sys/class/block/nothing && mkdir dev/q && mv dev/vda1 dev/vdq1 && "
	    "cp sys/class/block/vda1/serial sys/class/block/vdq1 && mv dev/mapper/x dev/q/x");
	expect(VERDICT_SAME, false, "as they were");

	/* A copy of the disk, older or newer: the one that was mounted counts. */
	put_ext("/dev/loop0", 1, 3);
	expect(VERDICT_SAME, false, "as they were");
	/* Two that say the same of themselves. */
	put_ext("/dev/vda1", 1, 4);
	expect(VERDICT_SAME, false, "as they were");

	/* The copy alone proves nothing, for good or bad. */
	run("rm dev/vdq1 dev/vda1");
	expect(VERDICT_HARMLESS, false, "on /dev/vda1 (/) cannot be seen");
	put_ext("/dev/loop0", 1, 5);
	expect(VERDICT_HARMLESS, false, "on /dev/vda1 (/) cannot be seen");
	run("rm dev/loop0");
	expect(VERDICT_HARMLESS, false, "on /dev/vda1 (/) cannot be seen");
	/* Where it makes one wait nobody looks. */
	put_ext("/dev/sr0", 1, 6);
	expect(VERDICT_HARMLESS, false, "on /dev/vda1 (/) cannot be seen");
	/* An image that was written before the restored system looked. */
	then.hibernation.last_gate = 0;
	expect(VERDICT_RISKY, false, "on /dev/vda1 (/) cannot be seen");
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
	run("mkdir sys/class/block/loop0");
	put_ext("/dev/loop0", 1, 5);
	expect(VERDICT_SAME, false, "as they were");
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
			 "All file systems that can be compared are as they were when it "
			 "hibernated.");
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
	expect(VERDICT_SAME, false, "as they were");
	run("printf '\\000' | dd of=dev/vda1 bs=1 seek=1120 conv=notrunc 2>/dev/null");
	expect(VERDICT_FATAL, true, "at rest");

	/* A new one in its place, and what an older image does not say. */
	put_ext("/dev/vda1", 9, 5);
	expect(VERDICT_HARMLESS, false, "cannot be seen");
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
	run("mkfifo dev/fifo && mkdir -p sys/class/block/fifo");
	expect(VERDICT_HARMLESS, false, "cannot be seen");
	strcpy(then.filesystems.items.items[0].device, "/proc/self/mountinfo");
	expect(VERDICT_HARMLESS, false, "cannot be seen");
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

int main(void)
{
	Suite *suite = suite_create("filesystems");
	TCase *stamp = tcase_create("stamp"), *tree = tcase_create("tree");
	SRunner *runner;
	int failed;

	tcase_set_timeout(stamp, 60);
	tcase_add_checked_fixture(stamp, made_root_create, made_root_remove);
	tcase_add_loop_test(stamp, knows_what_mkfs_makes, 0, ARRAY_SIZE(kinds));
	tcase_add_test(stamp, sees_the_log_of_xfs);
	tcase_add_test(stamp, takes_no_nonsense_for_ntfs);
	tcase_add_loop_test(stamp, knows_what_has_no_counter, 0, ARRAY_SIZE(boots));
	tcase_add_test(stamp, tells_errors_of_reading);
	suite_add_tcase(suite, stamp);
	tcase_add_checked_fixture(tree, make, made_root_remove);
	tcase_add_test(tree, finds_what_is_mounted);
	tcase_add_test(tree, finds_them_again);
	tcase_add_test(tree, may_be_a_copy);
	tcase_add_test(tree, names_what_has_no_stamp);
	tcase_add_test(tree, sees_that_one_was_changed);
	tcase_add_test(tree, opens_nothing_else);
	tcase_add_test(tree, goes_to_bytes_and_back);
	suite_add_tcase(suite, tree);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
