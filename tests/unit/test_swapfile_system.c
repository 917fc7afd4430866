/* SPDX-License-Identifier: GPL-2.0-or-later */
/* swapfile_system: files of the system are whole at any time, old or new, with
 * their owner, mode and labels; each call that may fail does. */
#include "swapfile_system.h"

#include "base/bytes.h"
#include "made_tree.h"
#include "swap/swap_area.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/xattr.h>
#include <unistd.h>

static struct {
	const char *call; /* that fails; NULL for none */
	unsigned int nth; /* from 1 on */
	int error;
	unsigned int calls;
	char log[512]; /* of what matters in its order */
	int owner;     /* of the new file: uid * 100000 + gid; -1: not set */
	char label[64];
	int flags; /* of swapon */
	struct swap_entry entries[4];
	int entry_count;
} kernel;

ssize_t __wrap_write(int fd, const void *buffer, size_t length);
ssize_t __real_write(int fd, const void *buffer, size_t length);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __real_rename(const char *from, const char *to);
int __wrap_fchown(int fd, uid_t uid, gid_t gid);
int __wrap_fchmod(int fd, mode_t mode);
int __real_fchmod(int fd, mode_t mode);
ssize_t __wrap_flistxattr(int fd, char *list, size_t size);
ssize_t __wrap_fgetxattr(int fd, const char *name, void *value, size_t size);
int __wrap_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags);
int __wrap_swapon(const char *path, int flags);
int __wrap_swapoff(const char *path);
int __wrap_swaps_read(const char *root, struct swap_entry *entries, size_t max);

static bool fails(const char *call)
{
	strncat(kernel.log, call, sizeof(kernel.log) - strlen(kernel.log) - 2);
	strcat(kernel.log, " ");
	if (!kernel.call || strcmp(kernel.call, call) != 0 || ++kernel.calls != kernel.nth)
		return false;
	errno = kernel.error;
	return true;
}

/* Check itself writes to pipes. */
ssize_t __wrap_write(int fd, const void *buffer, size_t length)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || length == 0 ||
	    strncmp(buffer, "new", 3) != 0)
		return __real_write(fd, buffer, length);
	return fails("write") ? -1 : __real_write(fd, buffer, length);
}

int __wrap_fsync(int fd)
{
	(void)fd;
	return fails("fsync") ? -1 : 0;
}

int __wrap_rename(const char *from, const char *to)
{
	return fails("rename") ? -1 : __real_rename(from, to);
}

int __wrap_fchown(int fd, uid_t uid, gid_t gid)
{
	(void)fd;
	if (fails("fchown"))
		return -1;
	kernel.owner = (int)(uid * 100000 + gid);
	return 0;
}

int __wrap_fchmod(int fd, mode_t mode)
{
	return fails("fchmod") ? -1 : __real_fchmod(fd, mode);
}

#define LABELS "security.selinux\0user.lost\0user.unset"

ssize_t __wrap_flistxattr(int fd, char *list, size_t size)
{
	(void)fd;
	ck_assert_uint_ge(size, sizeof(LABELS));
	memcpy(list, LABELS, sizeof(LABELS));
	return sizeof(LABELS);
}

ssize_t __wrap_fgetxattr(int fd, const char *name, void *value, size_t size)
{
	(void)fd;
	(void)size;
	if (strcmp(name, "user.lost") == 0)
		return -1;
	memcpy(value, "etc_t", 5);
	return 5;
}

int __wrap_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
	(void)fd;
	(void)flags;
	if (strcmp(name, "user.unset") == 0)
		return -1;
	snprintf(kernel.label, sizeof(kernel.label), "%s=%.*s", name, (int)size,
		 (const char *)value);
	return 0;
}

int __wrap_swapon(const char *path, int flags)
{
	ck_assert_str_eq(path, "/swapfile");
	kernel.flags = flags;
	return fails("swapon") ? -1 : 0;
}

int __wrap_swapoff(const char *path)
{
	ck_assert_str_eq(path, "/swapfile");
	return fails("swapoff") ? -1 : 0;
}

int __wrap_swaps_read(const char *root, struct swap_entry *entries, size_t max)
{
	ck_assert_str_eq(root, "");
	for (int i = 0; i < kernel.entry_count && (size_t)i < max; i++)
		entries[i] = kernel.entries[i];
	return kernel.entry_count;
}

static void setup(void)
{
	made_create();
	memset(&kernel, 0, sizeof(kernel));
	kernel.owner = -1;
}

static mode_t mode_of(const char *path)
{
	char full[256];
	struct stat st;

	snprintf(full, sizeof(full), "%s%s", made_root, path);
	ck_assert_int_eq(stat(full, &st), 0);
	return st.st_mode & 07777;
}

static int put(const char *text)
{
	kernel.log[0] = '\0';
	kernel.calls = 0;
	return system_write(&made_system, "/etc/fstab", text, 0644);
}

/* Data first, then the name, then the folder's entry. */
START_TEST(written_in_one_step)
{
	made_put_mode("/etc/fstab", "old\n", 0640);
	ck_assert_int_eq(put("new\n"), 0);
	made_check("/etc/fstab", "new\n");
	ck_assert_str_eq(kernel.log, "write fchown fchmod fsync rename fsync ");
	ck_assert_uint_eq(mode_of("/etc/fstab"), 0640);
	ck_assert_int_eq(kernel.owner, (int)(getuid() * 100000 + getgid()));
	ck_assert_str_eq(kernel.label, "security.selinux=etc_t");
	made_check("/etc/fstab.s2disk-new", NULL);
}
END_TEST

START_TEST(new_file)
{
	made_folder("/etc");
	ck_assert_int_eq(put("new\n"), 0);
	made_check("/etc/fstab", "new\n");
	ck_assert_uint_eq(mode_of("/etc/fstab"), 0644);
	ck_assert_int_eq(kernel.owner, -1);
	ck_assert_str_eq(kernel.label, "");
}
END_TEST

/* A link stays one; what it leads to is written. */
START_TEST(through_a_link)
{
	char full[256];
	struct stat st;

	made_put("/real/fstab", "old\n");
	made_link("/etc/fstab", "../real/fstab");
	ck_assert_int_eq(put("new\n"), 0);
	made_check("/real/fstab", "new\n");
	snprintf(full, sizeof(full), "%s/etc/fstab", made_root);
	ck_assert_int_eq(lstat(full, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
}
END_TEST

/* What a run that was cut off has left is in nobody's way. */
START_TEST(left_over)
{
	made_put("/etc/fstab", "old\n");
	made_put("/etc/fstab.s2disk-new", "half of");
	ck_assert_int_eq(put("new\n"), 0);
	made_check("/etc/fstab", "new\n");
	made_check("/etc/fstab.s2disk-new", NULL);
}
END_TEST

static const struct {
	const char *call;
	unsigned int nth;
	int error;
	const char *left; /* in the file */
} failures[] = {
	{ "write", 1, ENOSPC, "old\n" },
	{ "fchown", 1, EPERM, "old\n" },
	{ "fchmod", 1, EPERM, "old\n" },
	{ "fsync", 1, EIO, "old\n" },
	{ "rename", 1, EROFS, "old\n" },
	/* Too late to take back, but not on the disk for certain: told. */
	{ "fsync", 2, EIO, "new\n" },
};

START_TEST(writing_fails)
{
	made_put("/etc/fstab", "old\n");
	kernel.call = failures[_i].call;
	kernel.nth = failures[_i].nth;
	kernel.error = failures[_i].error;
	ck_assert_int_eq(put("new\n"), -failures[_i].error);
	made_check("/etc/fstab", failures[_i].left);
	made_check("/etc/fstab.s2disk-new", NULL);
}
END_TEST

START_TEST(nowhere_to_write)
{
	ck_assert_int_eq(put("new\n"), -ENOENT);
	made_put("/etc", "a file\n");
	ck_assert_int_eq(put("new\n"), -ENOTDIR);
	made_check("/etc", "a file\n");
}
END_TEST

START_TEST(deleting)
{
	made_put("/etc/fstab", "old\n");
	ck_assert_int_eq(system_unlink(&made_system, "/etc/fstab"), 0);
	made_check("/etc/fstab", NULL);
	ck_assert_str_eq(kernel.log, "fsync ");
	ck_assert_int_eq(system_unlink(&made_system, "/etc/fstab"), 0);
	made_folder("/etc/folder");
	ck_assert_int_lt(system_unlink(&made_system, "/etc/folder"), 0);
	made_put("/etc/fstab", "old\n");
	kernel.call = "fsync";
	kernel.nth = 1;
	kernel.error = EIO;
	kernel.calls = 0;
	ck_assert_int_eq(system_unlink(&made_system, "/etc/fstab"), -EIO);
}
END_TEST

START_TEST(reading)
{
	char *text = NULL;

	made_put_bytes("/binary", "a\0b", 3);
	ck_assert_int_eq(system_read(&made_system, "/binary", &text), -EINVAL);
	made_put("/file", "x");
	ck_assert_int_eq(system_read(&made_system, "/file/below", &text), 0);
	ck_assert_ptr_null(text);
	made_folder("/folder");
	ck_assert_int_eq(system_read(&made_system, "/folder", &text), -EISDIR);
	ck_assert_int_eq(system_read(&made_system, "/file", &text), 0);
	ck_assert_str_eq(text, "x");
	free(text);
}
END_TEST

START_TEST(programs)
{
	char path[24];

	ck_assert_ptr_null(system_find_program(&made_system, "grubby", path, sizeof(path)));
	made_put_mode("/usr/sbin/grubby", "not a program\n", 0644);
	made_program("/usr/local/bin/grubby");
	/* root may run what somebody may. */
	ck_assert_str_eq(system_find_program(&made_system, "grubby", path, sizeof(path)),
			 "/usr/local/bin/grubby");
	made_program("/sbin/grubby");
	ck_assert_str_eq(system_find_program(&made_system, "grubby", path, sizeof(path)),
			 "/sbin/grubby");
	/* Where its path does not fit, it is not cut off. */
	made_program("/usr/sbin/a-name-of-sixteen");
	made_program("/bin/a-name-of-sixteen");
	ck_assert_str_eq(system_find_program(&made_system, "a-name-of-sixteen", path, sizeof(path)),
			 "/bin/a-name-of-sixteen");
}
END_TEST

START_TEST(switching)
{
	const struct swapfile_system *real = &swapfile_real_system;

	ck_assert_int_eq(real->swap_on("/swapfile"), 0);
	ck_assert_int_eq(kernel.flags, 0);
	ck_assert_int_eq(real->swap_off("/swapfile"), 0);
	kernel.call = "swapon";
	kernel.nth = 1;
	kernel.error = EBUSY;
	ck_assert_int_eq(real->swap_on("/swapfile"), -EBUSY);
	kernel.call = "swapoff";
	kernel.error = ENOMEM;
	kernel.calls = 0;
	ck_assert_int_eq(real->swap_off("/swapfile"), -ENOMEM);
}
END_TEST

/* A file is active by whatever name the kernel has for it. */
START_TEST(active)
{
	bool (*is_active)(const char *path) = swapfile_real_system.is_active;
	char file[128], other[128], linked[128];

	made_put("/file", "");
	made_put("/other", "");
	made_link("/linked", "file");
	snprintf(file, sizeof(file), "%s/file", made_root);
	snprintf(other, sizeof(other), "%s/other", made_root);
	snprintf(linked, sizeof(linked), "%s/linked", made_root);
	ck_assert(!is_active(file));
	kernel.entry_count = -EIO;
	ck_assert(!is_active(file));
	kernel.entry_count = 3;
	strcpy(kernel.entries[0].path, "/no/such/device");
	strcpy(kernel.entries[2].path, other); /* the one between has too long a path */
	ck_assert(!is_active(file));
	ck_assert(!is_active("/no/such/device"));
	kernel.entry_count = 4;
	strcpy(kernel.entries[3].path, linked);
	ck_assert(is_active(file));
	ck_assert(is_active(linked));
	kernel.entries[3].deleted = true; /* another file of that name is there now */
	ck_assert(!is_active(file));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("swapfile_system");
	TCase *tcase = tcase_create("swapfile_system");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	tcase_add_test(tcase, written_in_one_step);
	tcase_add_test(tcase, new_file);
	tcase_add_test(tcase, through_a_link);
	tcase_add_test(tcase, left_over);
	tcase_add_loop_test(tcase, writing_fails, 0, (int)ARRAY_SIZE(failures));
	tcase_add_test(tcase, nowhere_to_write);
	tcase_add_test(tcase, deleting);
	tcase_add_test(tcase, reading);
	tcase_add_test(tcase, programs);
	tcase_add_test(tcase, switching);
	tcase_add_test(tcase, active);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
