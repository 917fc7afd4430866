/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-swapfile enable and disable on made-up instances of EC2: who answers the sleep key, by
 * which it asks to hibernate. The area is on 8:2. */
#include "fixtures/check_main.h"
#include "tools/swapfile/swapfile.h"

#include "base/bytes.h"
#include "base/log.h"
#include "fixtures/machine/made_marks.h"
#include "fixtures/machine/made_tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLEEP_KEY "/etc/systemd/logind.conf.d/90-s2disk-sleep-key.conf"
#define RELOAD "run systemctl daemon-reload\n"
#define READ_AGAIN RELOAD "run systemctl kill -s HUP systemd-logind.service\n"
#define REMADE "run update-initramfs -u -k all\n"

static char warnings[4096]; /* and notices */
static struct why w;

void __wrap_log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void __wrap_log_message(enum log_level level, const char *format, ...)
{
	size_t used = strlen(warnings);
	va_list args;

	(void)level;
	va_start(args, format);
	vsnprintf(warnings + used, sizeof(warnings) - used, format, args);
	va_end(args);
}

static void setup(void)
{
	made_create();
	made_put("/etc/fstab", "UUID=1 / ext4 defaults 0 1\n");
	made_program("/usr/sbin/update-initramfs");
	made_program("/usr/sbin/mkinitramfs");
	made_put("/sys/power/resume", "0:0\n");
	made_put("/sys/power/resume_offset", "0\n");
	warnings[0] = w.text[0] = '\0';
}

static const struct swapfile_place file = {
	.path = "/swapfile",
	.device = "UUID=1-2",
	.offset = "34816",
	.area = { .device = "/dev/sda2", .dev = 8 << 8 | 2, .offset = 34816, .file = true },
};

static int enable(void)
{
	struct swapfile s = { .root = made_root, .path = "x", .quiet = true };

	made_log[0] = '\0';
	return swapfile_enable_place(&s, &file, &w);
}

static void disable(void)
{
	struct swapfile s = { .root = made_root, .path = "x", .quiet = true };

	made_log[0] = '\0';
	ck_assert_msg(swapfile_do_disable(&s, &w) == 0, "%s", w.text);
}

/* Except for the kernel's resume device. */
static void check_as_before(char *before)
{
	char *after;

	made_put("/sys/power/resume", "0:0\n");
	made_put("/sys/power/resume_offset", "0\n");
	after = made_look();
	ck_assert_str_eq(after, before);
	free(after);
	free(before);
}

/* As an instance on Nitro, one on Xen, and another machine have them. */
static const struct {
	const char *file, *text;
	bool is;
} instances[] = {
	{ "sys_vendor", "Amazon EC2\n", true },
	{ "bios_version", "4.11.amazon\n", true },
	{ "sys_vendor", "QEMU\n", false },
};

START_TEST(sleep_key_of_ec2)
{
	char path[64], *before;

	snprintf(path, sizeof(path), "/sys/class/dmi/id/%s", instances[_i].file);
	made_put(path, instances[_i].text);
	made_put("/etc/systemd/system/x", "");
	made_put("/run/systemd/system/x", "");
	made_program("/usr/bin/systemctl");
	before = made_look();
	ck_assert_msg(enable() == 0, "%s", w.text);
	made_check(SLEEP_KEY, instances[_i].is ? OWN "# EC2 asks to hibernate by the sleep key.\n"
						     "[Login]\nHandleSuspendKey=hibernate\n"
						     "SuspendKeyIgnoreInhibited=yes\n"
					       : NULL);
	ck_assert_str_eq(made_log, instances[_i].is ? "swapon /swapfile\n" READ_AGAIN REMADE
						    : "swapon /swapfile\n" RELOAD REMADE);
	disable();
	ck_assert_str_eq(made_log, instances[_i].is ? "swapoff /swapfile\n" READ_AGAIN REMADE
						    : "swapoff /swapfile\n" RELOAD REMADE);
	check_as_before(before);
}
END_TEST

/* Only one of them may answer it. */
START_TEST(agent_of_ec2)
{
	made_put("/sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
	made_put("/etc/systemd/system/x", "");
	made_put("/etc/acpi/actions/sleep.sh", "");
	ck_assert_msg(enable() == 0, "%s", w.text);
	made_check(SLEEP_KEY, NULL);
	ck_assert_ptr_nonnull(strstr(warnings, "EC2's agent (ec2-hibinit-agent) answers the"));
	disable();
	/* It is nothing to other machines. */
	warnings[0] = '\0';
	made_put("/sys/class/dmi/id/sys_vendor", "QEMU\n");
	ck_assert_msg(enable() == 0, "%s", w.text);
	ck_assert_str_eq(warnings, "");
}
END_TEST

/* logind is not running: it reads its files when it starts. */
START_TEST(not_running)
{
	made_put("/sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
	made_put("/etc/systemd/system/x", "");
	made_put("/run/systemd/system/x", "");
	made_program("/usr/bin/systemctl");
	made_fail = "run systemctl kill";
	ck_assert_msg(enable() == 0, "%s", w.text);
	ck_assert_ptr_nonnull(strstr(warnings, "at its next start"));
	made_fail = NULL;
	disable();
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "swapfile_sleep_key");

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	tcase_add_loop_test(tcase, sleep_key_of_ec2, 0, (int)ARRAY_SIZE(instances));
	tcase_add_test(tcase, agent_of_ec2);
	tcase_add_test(tcase, not_running);
}
