/* SPDX-License-Identifier: GPL-2.0-or-later */
/* swap/file_place on real file systems, made in images and mounted through loop devices;
 * skipped where that is not possible. The results are compared with those of other
 * programs, and with the bytes on the device. */
#include "fixtures/check_main.h"
#include "swap/file_place.h"

#include "base/bytes.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PAGE 4096

static char directory[64];

static bool run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static bool run(const char *format, ...)
{
	char command[1024];
	size_t used = (size_t)snprintf(command, sizeof(command),
				       "exec 2>/dev/null >/dev/null; "
				       "PATH=/usr/sbin:/usr/bin:/sbin:/bin; cd %s || exit; ",
				       directory);
	va_list args;

	va_start(args, format);
	vsnprintf(command + used, sizeof(command) - used, format, args);
	va_end(args);
	return system(command) == 0;
}

static void make_directory(void)
{
	strcpy(directory, "/tmp/test_file_place.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert(run("mkdir mount"));
}

static void remove_directory(void)
{
	run("umount mount");
	run("for i in one two; do losetup -j $PWD/$i | cut -d: -f1 | xargs -r losetup -d; done");
	run("cd / && rm -rf %s", directory);
}

static int place(const char *name, struct file_place *ret, struct why *w)
{
	char path[128];
	int fd, r;

	snprintf(path, sizeof(path), "%s/mount/%s", directory, name);
	fd = open(path, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	r = file_place_find(fd, PAGE, ret, w);
	close(fd);
	return r;
}

/* The marker is at the beginning of the file, so it must be there on the device too. */
static void check_content(const struct file_place *found, const char *marker)
{
	char path[64], text[64] = "";
	int fd;

	sync();
	snprintf(path, sizeof(path), "/dev/loop%u", minor(found->dev));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_pread_full(fd, text, strlen(marker), found->offset * PAGE), 0);
	ck_assert_str_eq(text, marker);
	close(fd);
}

static uint64_t number_of(const char *command)
{
	char full[512];
	unsigned long long value = 0;
	FILE *pipe;

	snprintf(full, sizeof(full), "cd %s; PATH=/usr/sbin:/usr/bin:/sbin:/bin; %s", directory,
		 command);
	pipe = popen(full, "r");
	ck_assert_ptr_nonnull(pipe);
	ck_assert_int_eq(fscanf(pipe, "%llu", &value), 1);
	pclose(pipe);
	return value;
}

static const struct {
	const char *make, *before, *prepare;
} systems[] = {
	{ "mke2fs -q -F -t ext4 -b 4096 one", "true", "true" },
	{ "mke2fs -q -F -t ext2 -b 4096 one", "true", "true" },
	{ "mkfs.xfs -q -f one", "true", "true" },
};

START_TEST(where_other_programs_say)
{
	struct file_place found;
	struct why w = { "" };

	if (!run("truncate -s 400M one && %s && mount -o loop one mount", systems[_i].make))
		return;
	ck_assert(run("dd if=/dev/zero of=mount/before bs=1M count=11"));
	ck_assert(run("dd if=/dev/zero of=mount/file bs=1M count=40 && "
		      "printf MARKER | dd of=mount/file conv=notrunc && sync"));
	ck_assert_msg(place("file", &found, &w) == 0, "%s", w.text);
	check_content(&found, "MARKER");
	ck_assert_uint_eq(found.offset,
			  number_of("filefrag -b4096 -v mount/file | "
				    "awk '$1 == \"0:\" { sub(\"[.][.]\", \"\", $4); print $4 }'"));
	ck_assert(run("truncate -s 50M mount/file"));
	ck_assert_int_eq(place("file", &found, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "hole"));
}
END_TEST

/* FAT has no FIEMAP: that leaves FIBMAP. */
START_TEST(by_blocks)
{
	struct file_place found;
	struct why w = { "" };

	if (!run("truncate -s 400M one && mkfs.vfat -s 8 one && mount -o loop one mount"))
		return;
	ck_assert(run("dd if=/dev/zero of=mount/before bs=1M count=11"));
	ck_assert(run("dd if=/dev/zero of=mount/file bs=1M count=40 && "
		      "printf MARKER | dd of=mount/file conv=notrunc && sync"));
	if (place("file", &found, &w) == 0)
		check_content(&found, "MARKER");
	else
		ck_assert_ptr_nonnull(strstr(w.text, "multiple of the page size"));
}
END_TEST

static bool make_btrfs(const char *file)
{
	return run("touch mount/%s && chattr +C mount/%s && fallocate -l 150M mount/%s && "
		   "printf MARKER | dd of=mount/%s conv=notrunc && chmod 600 mount/%s && sync",
		   file, file, file, file, file);
}

START_TEST(btrfs)
{
	struct file_place found;
	struct why w = { "" };

	if (!run("truncate -s 1G one && mkfs.btrfs -q one && mount -o loop one mount"))
		return;
	ck_assert(run("dd if=/dev/urandom of=mount/before bs=1M count=37"));
	ck_assert(make_btrfs("file"));
	ck_assert_msg(place("file", &found, &w) == 0, "%s", w.text);
	check_content(&found, "MARKER");
	if (run("btrfs inspect-internal map-swapfile mount/file"))
		ck_assert_uint_eq(found.offset,
				  number_of("btrfs inspect-internal map-swapfile -r mount/file"));

	ck_assert(run("btrfs subvolume snapshot mount mount/snapshot && sync"));
	ck_assert_int_eq(place("file", &found, &w), -EINVAL);
	ck_assert_msg(strstr(w.text, "shared with another") != NULL, "%s", w.text);

	ck_assert(run("dd if=/dev/zero of=mount/cow bs=1M count=20 && sync"));
	ck_assert_int_eq(place("cow", &found, &w), -EINVAL);
	ck_assert_msg(strstr(w.text, "copied on write") != NULL, "%s", w.text);

	ck_assert(run("touch mount/packed && chattr +c mount/packed && "
		      "dd if=/dev/zero of=mount/packed bs=1M count=20 && sync"));
	ck_assert_int_eq(place("packed", &found, &w), -EINVAL);
	ck_assert_msg(strstr(w.text, "marked for compression") != NULL, "%s", w.text);

	ck_assert(run("touch mount/hole && chattr +C mount/hole && "
		      "truncate -s 30M mount/hole && sync"));
	ck_assert_int_eq(place("hole", &found, &w), -EINVAL);
	ck_assert_msg(strstr(w.text, "hole") != NULL, "%s", w.text);
}
END_TEST

/* Two devices: the larger one gets the data, whichever it is. */
START_TEST(btrfs_on_two_devices)
{
	struct file_place found;
	struct why w = { "" };

	if (!run("truncate -s 400M one && truncate -s 2G two && losetup -f one && "
		 "losetup -f two"))
		return;
	if (!run("one=$(losetup -nO NAME -j one) && two=$(losetup -nO NAME -j two) && "
		 "mkfs.btrfs -q -f -d single -m raid1 $one $two && btrfs device scan $one $two && "
		 "mount $one mount"))
		return;
	ck_assert(make_btrfs("file"));
	ck_assert_msg(place("file", &found, &w) == 0, "%s", w.text);
	check_content(&found, "MARKER");
	ck_assert_uint_eq(minor(found.dev),
			  number_of("losetup -nO NAME -j two | sed s,/dev/loop,,"));
}
END_TEST

START_TEST(btrfs_mirrored)
{
	struct file_place found;
	struct why w = { "" };

	if (!run("truncate -s 1G one && mkfs.btrfs -q -d dup one && mount -o loop one mount"))
		return;
	ck_assert(make_btrfs("file"));
	ck_assert_int_eq(place("file", &found, &w), -EINVAL);
	ck_assert_msg(strstr(w.text, "profile SINGLE") != NULL, "%s", w.text);
}
END_TEST

START_TEST(small_blocks)
{
	struct file_place found;
	struct why w = { "" };

	if (!run("truncate -s 64M one && mke2fs -q -F -t ext4 -b 1024 one && "
		 "mount -o loop one mount"))
		return;
	/* One block before it shifts what follows off the page's boundary. */
	for (int i = 0; i < 8; i++) {
		ck_assert(run("dd if=/dev/zero of=mount/a%d bs=1k count=1 && "
			      "dd if=/dev/zero of=mount/f%d bs=1k count=12 && sync",
			      i, i));
		char name[8];

		snprintf(name, sizeof(name), "f%d", i);
		if (place(name, &found, &w) < 0) {
			ck_assert_msg(strstr(w.text, "multiple of the page size") != NULL, "%s",
				      w.text);
			return;
		}
	}
	ck_abort_msg("all eight files were aligned");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "file_place");

	tcase_add_checked_fixture(tcase, make_directory, remove_directory);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, where_other_programs_say, 0, (int)ARRAY_SIZE(systems));
	tcase_add_test(tcase, by_blocks);
	tcase_add_test(tcase, btrfs);
	tcase_add_test(tcase, btrfs_on_two_devices);
	tcase_add_test(tcase, btrfs_mirrored);
	tcase_add_test(tcase, small_blocks);
}
