/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pre-flight: what the kernel and the settings allow. */
#include "fixtures/check_main.h"
#include "fixtures/machine/preflight_fixture.h"

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
	{ -EPERM, "nohibernate", "disabled at boot", "boot loader" },
	{ -EPERM, "hibernate-no", "disabled at boot", "boot loader" },
	{ -EPERM, "lockdown-integrity", "(integrity mode", "Secure Boot" },
	{ -EPERM, "lockdown-confidentiality", "(confidentiality mode", "Secure Boot" },
	{ -EPERM, "secretmem", "in use by key-agent (process 4711)", "secretmem.enable=0" },
	{ -EPERM, "cxl", "CXL memory (mem0)", "cxl disable-memdev" },
	{ -EPERM, "virtio-mem", "virtio-mem device (virtio5)", "release virtio-mem = y" },
	{ -EPERM, "disabled-unknown", "the reason was not found", "dmesg" },
	{ -EPERM, "good", "the reason was not found", "container" },
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
	/* A user who may not open the device still learns why. */
	tree("lockdown-integrity");
	machine.snapshot = -EACCES;
	run();
	expect("power-state", CHECK_FAILED, "locked down", "Secure Boot");
}
END_TEST

START_TEST(cause_is_reported_once)
{
	tree("nohibernate");
	machine.snapshot = -EPERM;
	run();
	expect("snapshot-device", CHECK_FAILED, "disabled at boot", "");
	ck_assert_ptr_null(strstr(find("power-state")->text, "disabled at boot"));
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

START_TEST(encryption_is_never_dropped)
{
	machine.settings.way_back = WAY_BACK_IGNORE; /* has a test of its own */
	strcpy(machine.settings.config_file, "/etc/uswsusp.conf");
	machine.settings.encrypt = true;
	ck_assert_int_eq(run(), CHECK_OK);
	expect_only("encrypt", CHECK_OK, "unlocked by: a passphrase", "");
	strcpy(machine.settings.key_pair, "/etc/no-such-pair");
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("encrypt", CHECK_FAILED, "/etc/no-such-pair: No such file", "key pair");
	machine.settings.key_pair[0] = '\0';
	machine.settings.passphrase_set = true;
	ck_assert_int_eq(run(), CHECK_FAILED);
	expect_only("encrypt", CHECK_FAILED, "nothing could unlock the image", "suspend.conf(5)");
	machine.settings.passphrase = true;
	/* Any file that is there, and long enough. */
	strcpy(machine.settings.key_file, "/proc/swaps");
	ck_assert_int_ne(run(), CHECK_FAILED);
	expect("encrypt", CHECK_WARNING, "accessible to users other than", "chmod 600");
}
END_TEST

START_TEST(rsa_key_of_uswsusp)
{
	machine.settings.way_back = WAY_BACK_IGNORE;
	strcpy(machine.settings.rsa_key_file, "/etc/uswsusp.key");
	strcpy(machine.settings.config_file, "/etc/uswsusp.conf");
	/* As uswsusp's packages come: no word of it where nothing is encrypted. */
	ck_assert_int_eq(run(), CHECK_OK);
	expect("encrypt", CHECK_OK, "not enabled", "");
	machine.settings.encrypt = true;
	ck_assert_int_eq(run(), CHECK_WARNING);
	expect_only("encrypt", CHECK_WARNING, "a passphrase; the RSA key", "s2disk-keygen");
	expect_only("encrypt", CHECK_WARNING, "the RSA key", "/etc/uswsusp.conf");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "kernel");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, all_is_well);
	tcase_add_test(tcase, not_root);
	tcase_add_loop_test(tcase, snapshot_device_denied, 0, COUNT(denials));
	tcase_add_test(tcase, other_users_of_secret_memory_are_not_blamed);
	tcase_add_test(tcase, wrong_snapshot_device_in_settings);
	tcase_add_test(tcase, real_system_looks_before_it_opens);
	tcase_add_test(tcase, power_state);
	tcase_add_test(tcase, power_state_names_the_cause);
	tcase_add_test(tcase, cause_is_reported_once);
	tcase_add_test(tcase, encrypted_memory);
	tcase_add_test(tcase, method_without_platform);
	tcase_add_test(tcase, method_suspend);
	tcase_add_test(tcase, kernel_only_tests);
	tcase_add_test(tcase, encryption_is_never_dropped);
	tcase_add_test(tcase, rsa_key_of_uswsusp);
}
