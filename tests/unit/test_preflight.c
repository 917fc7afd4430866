/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "preflight.h"

#include "base/io.h"
#include "base/memory.h"
#include "made_data.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MIB 1048576ULL

/* A machine whose answers each test sets; as it stands, all is well. */
static struct {
	uid_t uid;
	int snapshot;	       /* 0 or what opening /dev/snapshot gives */
	int read, write;       /* the same for the block device */
	int active;	       /* what SET_SWAP_AREA gives */
	uint64_t avail;	       /* what AVAIL_SWAP_SIZE gives */
	const char *signature; /* at the end of the area's first page */
	struct swap_area area;
	struct settings settings;
	char root[PATH_MAX];
	struct preflight result;
} machine;

static uid_t fake_euid(void)
{
	return machine.uid;
}

static int fake_block_device(void)
{
	int fd = memfd_create("block", MFD_CLOEXEC);
	off_t end = (off_t)((machine.area.offset + 1) * page_size());

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, end), 0);
	ck_assert_int_eq(io_pwrite_full(fd, machine.signature, strlen(machine.signature),
					(uint64_t)end - 10),
			 0);
	return fd;
}

static int fake_open_device(const char *path, int flags, mode_t kind)
{
	const char *device = path + strlen(machine.root);

	ck_assert_int_eq(strncmp(path, machine.root, strlen(machine.root)), 0);
	if (kind == S_IFCHR) {
		ck_assert_str_eq(device, machine.settings.snapshot_device);
		ck_assert_int_eq(flags & O_ACCMODE, O_RDONLY);
		return machine.snapshot ? machine.snapshot : open("/dev/null", O_RDONLY);
	}
	ck_assert_uint_eq(kind, S_IFBLK);
	ck_assert_str_eq(device, machine.area.device);
	if ((flags & O_ACCMODE) == O_RDWR)
		return machine.write ? machine.write : open("/dev/null", O_RDWR);
	return machine.read ? machine.read : fake_block_device();
}

static int fake_set_swap_area(int fd, dev_t dev, uint64_t offset)
{
	ck_assert_int_ge(fd, 0);
	ck_assert_uint_eq(dev, machine.area.dev);
	ck_assert_uint_eq(offset, machine.area.offset);
	return machine.active;
}

static int fake_avail_swap(int fd, uint64_t *ret)
{
	ck_assert_int_ge(fd, 0);
	*ret = machine.avail;
	return 0;
}

static bool fake_find_entry(const struct swap_area *area, const struct swap_entry *entries,
			    size_t count, struct swap_entry *ret)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(entries[i].path, area->name) == 0) {
			*ret = entries[i];
			return true;
		}
	}
	return false;
}

static const struct preflight_system fake_system = {
	.euid = fake_euid,
	.open_device = fake_open_device,
	.set_swap_area = fake_set_swap_area,
	.avail_swap = fake_avail_swap,
	.find_entry = fake_find_entry,
};

static void tree(const char *name)
{
	snprintf(machine.root, sizeof(machine.root), "%s/preflight/%s", test_data(), name);
	ck_assert_msg(access(machine.root, R_OK) == 0, "%s: no such test data", machine.root);
}

static void use_swap_file(void)
{
	machine.area.file = true;
	machine.area.file_named = true;
	machine.area.offset = 3;
	strcpy(machine.area.name, "/swapfile");
	strcpy(machine.area.device, "/dev/vda1");
}

static void setup(void)
{
	memset(&machine, 0, sizeof(machine));
	machine.signature = "SWAPSPACE2";
	machine.area.dev = makedev(254, 2);
	strcpy(machine.area.name, "/dev/vda2");
	strcpy(machine.area.device, "/dev/vda2");
	settings_defaults(&machine.settings);
	strcpy(machine.settings.snapshot_device, "/dev/snapshot");
	machine.settings.method = METHOD_PLATFORM;
	machine.settings.compress = true;
	machine.settings.encrypt = false;
	machine.settings.way_back = WAY_BACK_IGNORE; /* has a test of its own */
	tree("good");
}

static enum check_level run_for(const struct preflight_target *target)
{
	preflight_run_on(&fake_system, &machine.settings, target, machine.root, &machine.result);
	return preflight_worst(&machine.result);
}

static enum check_level run(void)
{
	const struct preflight_target target = { .area = &machine.area };

	return run_for(&target);
}

static const struct check *find(const char *id)
{
	for (size_t i = 0; i < machine.result.count; i++)
		if (strcmp(machine.result.checks[i].id, id) == 0)
			return &machine.result.checks[i];
	return NULL;
}

static void expect(const char *id, enum check_level level, const char *text, const char *advice)
{
	const struct check *check = find(id);

	ck_assert_msg(check != NULL, "no check %s", id);
	ck_assert_msg(check->level == level, "%s: level %d: %s", id, check->level, check->text);
	ck_assert_msg(strstr(check->text, text) != NULL, "%s: text: %s", id, check->text);
	ck_assert_msg(strstr(check->advice, advice) != NULL, "%s: advice: %s", id, check->advice);
	/* Nobody is left alone with bad news, and no sentence was cut off. */
	ck_assert_msg(level == CHECK_OK || check->advice[0], "%s: no advice", id);
	ck_assert_uint_lt(strlen(check->text), sizeof(check->text) - 1);
	ck_assert_uint_lt(strlen(check->advice), sizeof(check->advice) - 1);
}

/* Everything but this check is as it should be. */
static void expect_only(const char *id, enum check_level level, const char *text,
			const char *advice)
{
	expect(id, level, text, advice);
	for (size_t i = 0; i < machine.result.count; i++) {
		const struct check *check = &machine.result.checks[i];

		ck_assert_msg(check->level == CHECK_OK || strcmp(check->id, id) == 0, "%s: %s",
			      check->id, check->text);
	}
}

START_TEST(all_is_well)
{
	ck_assert_int_eq(run(), CHECK_OK);
	expect("root", CHECK_OK, "root", "");
	expect("snapshot-device", CHECK_OK, "/dev/snapshot", "");
	expect("power-state", CHECK_OK, "offers hibernation", "");
	expect("method", CHECK_OK, "platform", "");
	expect("swap-area", CHECK_OK, "/dev/vda2 is active", "");
	expect("swap-size", CHECK_OK,
	       "2048 MiB are free in /dev/vda2; at least 298 MiB must be saved", "");
	expect("memory", CHECK_OK, "948 of 2048 MiB are in use; at least 298 MiB", "");
	expect("encrypt", CHECK_OK, "", "");
	ck_assert_ptr_null(find("mounted-device"));
}
END_TEST

START_TEST(swap_file_is_well)
{
	use_swap_file();
	ck_assert_int_eq(run(), CHECK_OK);
	expect("swap-area", CHECK_OK, "/swapfile is active (/dev/vda1, page 3)", "");
	expect("swap-size", CHECK_OK, "1024 MiB are free in /swapfile", "");
	expect("mounted-device", CHECK_OK, "/dev/vda1", "");
}
END_TEST

START_TEST(not_root)
{
	machine.uid = 1000;
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("root", CHECK_FAILED, "not running as root", "sudo");
}
END_TEST

/* What opening the snapshot device gives, in which tree, and what is said. */
static const struct {
	int error;
	const char *tree, *text, *advice;
} denials[] = {
	{ -ENOENT, "good", "does not exist", "mknod" },
	{ -ENXIO, "good", "does not exist", "mknod" },
	{ -ENOENT, "no-hibernation", "does not exist", "CONFIG_HIBERNATION_SNAPSHOT_DEV" },
	{ -EBUSY, "good", "kernel is hibernating", "wait" },
	{ -EACCES, "good", "this user may not open", "root" },
	{ -EINVAL, "good", "not a character device", "mknod" },
	{ -EIO, "good", "Input/output error", "dmesg" },
	{ -EPERM, "nohibernate", "switched off at boot", "boot loader" },
	{ -EPERM, "hibernate-no", "switched off at boot", "boot loader" },
	{ -EPERM, "lockdown-integrity", "(integrity mode", "Secure Boot" },
	{ -EPERM, "lockdown-confidentiality", "(confidentiality mode", "Secure Boot" },
	{ -EPERM, "secretmem", "in use by key-agent (process 4711)", "secretmem.enable=0" },
	{ -EPERM, "cxl", "CXL memory (mem0)", "cxl disable-memdev" },
	{ -EPERM, "virtio-mem", "virtio-mem device (virtio5)", "at boot" },
	{ -EPERM, "disabled-unknown", "reason that was not found", "dmesg" },
	{ -EPERM, "good", "reason that was not found", "container" },
};

START_TEST(snapshot_device_denied)
{
	tree(denials[_i].tree);
	machine.snapshot = denials[_i].error;
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect("snapshot-device", CHECK_FAILED, denials[_i].text, denials[_i].advice);
	/* Without its answer, /proc/swaps is believed. */
	expect("swap-area", CHECK_OK, "is active", "");
}
END_TEST

START_TEST(other_users_of_secret_memory_are_not_blamed)
{
	tree("secretmem");
	machine.snapshot = -EPERM;
	run();
	ck_assert_ptr_null(strstr(find("snapshot-device")->text, "editor"));
}
END_TEST

START_TEST(wrong_snapshot_device_in_settings)
{
	strcpy(machine.settings.snapshot_device, "/dev/snapshoot");
	strcpy(machine.settings.config_file, "/etc/suspend.conf");
	machine.snapshot = -ENOENT;
	run();
	expect("snapshot-device", CHECK_FAILED, "/dev/snapshoot does not exist",
	       "\"snapshot device = /dev/snapshot\" in /etc/suspend.conf");
}
END_TEST

START_TEST(real_system_looks_before_it_opens)
{
	const struct preflight_target target = { .area_problem = "none" };

	strcpy(machine.settings.snapshot_device, "/proc/misc");
	preflight_run(&machine.settings, &target, machine.root, &machine.result);
	expect("snapshot-device", CHECK_FAILED, "/proc/misc is not a character device", "mknod");
	expect("root", geteuid() == 0 ? CHECK_OK : CHECK_FAILED, "root", "");
}
END_TEST

START_TEST(power_state)
{
	tree("no-hibernation");
	run();
	expect_only("power-state", CHECK_FAILED, "no \"disk\"", "CONFIG_HIBERNATION=y");
	ck_assert_ptr_null(find("method"));
}
END_TEST

START_TEST(power_state_names_the_cause)
{
	/* Somebody who may not open the device still learns why. */
	tree("lockdown-integrity");
	machine.snapshot = -EACCES;
	run();
	expect("power-state", CHECK_FAILED, "locked down", "Secure Boot");
}
END_TEST

START_TEST(cause_is_told_once)
{
	tree("nohibernate");
	machine.snapshot = -EPERM;
	run();
	expect("snapshot-device", CHECK_FAILED, "switched off at boot", "");
	ck_assert_ptr_null(strstr(find("power-state")->text, "switched off at boot"));
}
END_TEST

START_TEST(encrypted_memory)
{
	tree("sme");
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("memory-encryption", CHECK_FAILED, "active (AMD SME)", "mem_encrypt=off");
}
END_TEST

START_TEST(method_without_platform)
{
	tree("no-platform");
	ck_assert_int_eq(run(), CHECK_WARNING);
	expect_only("method", CHECK_WARNING, "shutdown is used instead", "shutdown method");
	machine.settings.method = METHOD_SHUTDOWN;
	ck_assert_int_eq(run(), CHECK_OK);
	machine.settings.method = METHOD_REBOOT;
	ck_assert_int_eq(run(), CHECK_OK);
}
END_TEST

START_TEST(method_suspend)
{
	machine.settings.method = METHOD_SUSPEND;
	ck_assert_int_eq(run(), CHECK_OK);
	tree("no-mem");
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("method", CHECK_FAILED, "cannot suspend to RAM", "-m");
	/* The kernel's "mem" may be no more than suspend-to-idle. */
	tree("s2idle-only");
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("method", CHECK_FAILED, "no deep sleep", "-m");
	tree("deep-sleep");
	ck_assert_int_eq(run(), CHECK_OK);
}
END_TEST

START_TEST(kernel_only_tests)
{
	tree("pm-test");
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("pm-test", CHECK_FAILED, "set to \"devices\"", "echo none >/sys/power/pm_test");
	tree("pm-test-none");
	ck_assert_int_eq(run(), CHECK_OK);
	ck_assert_ptr_null(find("pm-test"));
}
END_TEST

START_TEST(no_area)
{
	const struct preflight_target silent = { 0 };
	const struct preflight_target told = { .area_problem = "UUID=77: no such device" };

	tree("no-swap");
	ck_assert_int_eq(run_for(&silent), CHECK_FAILED);
	expect_only("swap-area", CHECK_FAILED, "no swap area was found", "s2disk-swapfile create");
	ck_assert_ptr_null(find("swap-size"));
	ck_assert_int_eq(run_for(&told), CHECK_FAILED);
	expect_only("swap-area", CHECK_FAILED, "UUID=77: no such device", "s2disk-swapfile create");
}
END_TEST

START_TEST(area_not_active)
{
	tree("no-swap");
	machine.active = -ENODEV;
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("swap-area", CHECK_FAILED, "not active", "swapon /dev/vda2");
	ck_assert_ptr_null(find("swap-size"));
	/* Where the kernel cannot be asked, the list decides. */
	machine.snapshot = -EBUSY;
	run();
	expect("swap-area", CHECK_FAILED, "not active", "swapon /dev/vda2");
}
END_TEST

START_TEST(area_not_active_by_offset)
{
	machine.active = -ENODEV;
	machine.area.file = true;
	machine.area.offset = 5;
	strcpy(machine.area.name, "UUID=the-root-file-system");
	strcpy(machine.area.device, "/dev/vda1");
	run();
	expect("swap-area", CHECK_FAILED, "not active", "beginning of a swap file");
	ck_assert_ptr_null(strstr(find("swap-area")->advice, "swapon UUID"));
}
END_TEST

/* swapoff still runs: the list has it, and the kernel does not take it. */
START_TEST(area_being_switched_off)
{
	machine.active = -ENODEV;
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect("swap-area", CHECK_FAILED, "/dev/vda2 is being switched off as swap",
	       "then swapon /dev/vda2");
}
END_TEST

START_TEST(area_active_elsewhere)
{
	use_swap_file();
	machine.active = -ENODEV;
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect("swap-area", CHECK_FAILED, "no swap at page 3 of /dev/vda1", "resume_offset=");
}
END_TEST

START_TEST(kernel_knows_better_than_the_list)
{
	/* A swap file that was given as a device and an offset. */
	use_swap_file();
	machine.area.file = false;
	strcpy(machine.area.name, "/dev/vda1");
	machine.avail = 77 * MIB;
	ck_assert_int_eq(run(), CHECK_WARNING);
	expect_only("swap-size", CHECK_WARNING, "77 MiB are free in /dev/vda1", "larger");
	expect("mounted-device", CHECK_OK, "/dev/vda1", "");
}
END_TEST

START_TEST(area_on_zram)
{
	tree("zram");
	strcpy(machine.area.name, "/dev/zram0");
	strcpy(machine.area.device, "/dev/zram0");
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("swap-area", CHECK_FAILED, "/dev/zram0 cannot keep an image",
		    "s2disk-swapfile create");
}
END_TEST

static const struct {
	const char *signature, *text, *advice;
} signatures[] = {
	{ "", "no swap signature at page 0 of /dev/vda2", "mkswap" },
	{ "S1SUSPEND", "holds a hibernation image", "mkswap" },
	{ "ULSUSPEND", "holds a hibernation image", "mkswap" },
};

START_TEST(area_without_swap_signature)
{
	machine.signature = signatures[_i].signature;
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("swap-area", CHECK_FAILED, signatures[_i].text, signatures[_i].advice);
}
END_TEST

/* The device has a file system on it, and mkswap would do as it is told. */
START_TEST(file_without_swap_signature)
{
	const struct check *check;

	use_swap_file();
	machine.signature = signatures[_i].signature;
	run();
	expect("swap-area", CHECK_FAILED, "", "run \"swapoff /swapfile; mkswap /swapfile\"");
	machine.area.file_named = false;
	strcpy(machine.area.name, "/dev/vda1");
	run();
	expect("swap-area", CHECK_FAILED, "", "mkswap with its path (never with /dev/vda1)");
	check = find("swap-area");
	ck_assert_ptr_null(strstr(check->advice, "mkswap /"));
}
END_TEST

START_TEST(area_cannot_be_read)
{
	machine.read = -EIO;
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("swap-area", CHECK_FAILED, "/dev/vda2: Input/output error", "dmesg");
}
END_TEST

START_TEST(swap_size)
{
	/* 298 MiB must be saved; 200, then 50 are free. */
	tree("busy-swap");
	ck_assert_int_eq(run(), CHECK_WARNING);
	expect_only("swap-size", CHECK_WARNING,
		    "200 MiB are free in /dev/vda2; at least 298 MiB must be saved", "larger");
	tree("full-swap");
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("swap-size", CHECK_FAILED, "75 MiB even compressed 4 to 1", "larger");
}
END_TEST

START_TEST(swap_size_without_compression)
{
	machine.settings.compress = false;
	ck_assert_int_eq(run(), CHECK_OK);
	tree("busy-swap");
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("swap-size", CHECK_FAILED, "298 MiB uncompressed", "compress = y");
}
END_TEST

START_TEST(device_of_a_swap_file)
{
	use_swap_file();
	machine.write = -EBUSY;
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("mounted-device", CHECK_FAILED, "CONFIG_BLK_DEV_WRITE_MOUNTED=n",
		    "bdev_allow_write_mounted=1");
	machine.write = -EPERM;
	run();
	expect_only("mounted-device", CHECK_FAILED, "CONFIG_BLK_DEV_WRITE_MOUNTED=n",
		    "bdev_allow_write_mounted=1");
	machine.write = -EROFS;
	run();
	expect_only("mounted-device", CHECK_FAILED, "Read-only file system", "read-only");
}
END_TEST

START_TEST(more_than_half_of_the_memory)
{
	tree("big-memory");
	ck_assert_int_eq(run(), CHECK_WARNING);
	expect_only("memory", CHECK_WARNING, "1948 of 2048 MiB are in use and at least 1698 MiB",
		    "end programs");
	expect("swap-size", CHECK_OK, "at least 1698 MiB must be saved, 674 MiB of it moved", "");
}
END_TEST

START_TEST(meminfo_that_cannot_be_read)
{
	tree("broken-meminfo");
	ck_assert_int_eq(run(), CHECK_WARNING);
	expect_only("memory", CHECK_WARNING, "/proc/meminfo", "/proc is mounted");
	ck_assert_ptr_null(find("swap-size"));
}
END_TEST

START_TEST(encryption_is_never_dropped)
{
	machine.settings.way_back = WAY_BACK_IGNORE; /* has a test of its own */
	strcpy(machine.settings.config_file, "/etc/uswsusp.conf");
	machine.settings.encrypt = true;
	ck_assert_int_eq(run(), CHECK_OK);
	expect_only("encrypt", CHECK_OK, "what opens it: a passphrase that is asked for", "");
	strcpy(machine.settings.key_pair, "/etc/no-such-pair");
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("encrypt", CHECK_FAILED, "/etc/no-such-pair: No such file", "key pair");
	machine.settings.key_pair[0] = '\0';
	machine.settings.passphrase_set = true;
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("encrypt", CHECK_FAILED, "no way to the key", "suspend.conf(5)");
	machine.settings.passphrase = true;
	/* Any file that is there, and long enough. */
	strcpy(machine.settings.key_file, "/proc/swaps");
	ck_assert_int_ne(run(), CHECK_FAILED);
	expect("encrypt", CHECK_WARNING, "can be read or written by others", "chmod 600");
}
END_TEST

START_TEST(rsa_key_of_uswsusp)
{
	machine.settings.way_back = WAY_BACK_IGNORE;
	strcpy(machine.settings.rsa_key_file, "/etc/uswsusp.key");
	strcpy(machine.settings.config_file, "/etc/uswsusp.conf");
	/* As uswsusp's packages come: no word of it where nothing is encrypted. */
	ck_assert_int_eq(run(), CHECK_OK);
	expect("encrypt", CHECK_OK, "not asked for", "");
	machine.settings.encrypt = true;
	ck_assert_int_eq(run(), CHECK_WARNING);
	expect_only("encrypt", CHECK_WARNING, "a passphrase that is asked for; the RSA key",
		    "s2disk-keygen");
	expect_only("encrypt", CHECK_WARNING, "the RSA key", "/etc/uswsusp.conf");
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static TCase *kernel_case(void)
{
	TCase *tcase = tcase_create("kernel");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, all_is_well);
	tcase_add_test(tcase, not_root);
	tcase_add_loop_test(tcase, snapshot_device_denied, 0, COUNT(denials));
	tcase_add_test(tcase, other_users_of_secret_memory_are_not_blamed);
	tcase_add_test(tcase, wrong_snapshot_device_in_settings);
	tcase_add_test(tcase, real_system_looks_before_it_opens);
	tcase_add_test(tcase, power_state);
	tcase_add_test(tcase, power_state_names_the_cause);
	tcase_add_test(tcase, cause_is_told_once);
	tcase_add_test(tcase, encrypted_memory);
	tcase_add_test(tcase, method_without_platform);
	tcase_add_test(tcase, method_suspend);
	tcase_add_test(tcase, kernel_only_tests);
	tcase_add_test(tcase, encryption_is_never_dropped);
	tcase_add_test(tcase, rsa_key_of_uswsusp);
	return tcase;
}

static TCase *swap_case(void)
{
	TCase *tcase = tcase_create("swap");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, swap_file_is_well);
	tcase_add_test(tcase, no_area);
	tcase_add_test(tcase, area_not_active);
	tcase_add_test(tcase, area_not_active_by_offset);
	tcase_add_test(tcase, area_being_switched_off);
	tcase_add_test(tcase, area_active_elsewhere);
	tcase_add_test(tcase, kernel_knows_better_than_the_list);
	tcase_add_test(tcase, area_on_zram);
	tcase_add_loop_test(tcase, area_without_swap_signature, 0, COUNT(signatures));
	tcase_add_loop_test(tcase, file_without_swap_signature, 0, COUNT(signatures));
	tcase_add_test(tcase, area_cannot_be_read);
	tcase_add_test(tcase, swap_size);
	tcase_add_test(tcase, swap_size_without_compression);
	tcase_add_test(tcase, device_of_a_swap_file);
	tcase_add_test(tcase, more_than_half_of_the_memory);
	tcase_add_test(tcase, meminfo_that_cannot_be_read);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("preflight");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, kernel_case());
	suite_add_tcase(suite, swap_case());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
