/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A passphrase typed at boot with another keyboard layout than it was chosen with, on
 * made-up systems: one like those of people who lost a session by it. */
#include "fixtures/check_main.h"
#include "fixtures/machine/made_initramfs.h"
#include "fixtures/machine/made_root.h"
#include "boot/initramfs.h"
#include "preflight/preflight.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

static struct settings settings;
static struct preflight result;

static int pretend_resolve(const char *spec, uint64_t offset, bool allow_file,
			   struct swap_area *ret, struct why *w)
{
	(void)spec;
	(void)allow_file;
	(void)w;
	*ret = (struct swap_area){ .dev = makedev(254, 2), .offset = offset };
	return 0;
}

static const char resume[] = "ELF " INITRAMFS_RESUME_MARK;

/* Up to five files next to resume, in pairs of name and text. */
static void put_initramfs(const char *const *more)
{
	const char *files[16] = { "usr/lib/uswsusp/resume", resume, "hooks/s2disk", "#!" };
	char full[128];
	size_t count = 4;

	while (*more && count < 14)
		files[count++] = *more++;
	files[count] = NULL;
	snprintf(full, sizeof(full), "%s/boot/initramfs-linux.img", made_root);
	made_initramfs(full, "gzip -c", files);
}

static const char *const none[] = { NULL };

/* Arch, systemd-boot, swap inside of LUKS, a French keyboard. */
static void make(void)
{
	made_root_create();
	settings_defaults(&settings);
	settings.encrypt = true;
	made_directory("/run");
	made_directory("/boot");
	made_put("/proc/cmdline", "root=/dev/mapper/root rw resume=UUID=2\n");
	made_put("/etc/mkinitcpio.conf", "HOOKS=(base udev encrypt s2disk keymap filesystems)\n");
	made_put("/etc/vconsole.conf", "KEYMAP=fr\nXKBLAYOUT=fr\n");
	put_initramfs(none);
}

/* The check of that name, NULL: there is none. */
static const struct check *look(void)
{
	static const struct preflight_system made = { .resolve = pretend_resolve };
	struct swap_area area = { .dev = makedev(254, 2) };
	const struct preflight_target target = { .area = &area };
	struct preflight_context context = { .system = &made,
					     .settings = &settings,
					     .target = &target,
					     .root = made_root,
					     .preflight = &result };
	char command[200];

	/* Files made in the same second look the same to the cache. */
	snprintf(command, sizeof(command), "rm -rf %s/run/s2disk", made_root);
	ck_assert_int_eq(system(command), 0);
	result.count = 0;
	check_way_back(&context);
	for (size_t i = 0; i < result.count; i++)
		if (strcmp(result.checks[i].id, "keyboard") == 0)
			return &result.checks[i];
	return NULL;
}

static void expect(enum check_level level, const char *text, const char *advice)
{
	const struct check *check = look();

	ck_assert_ptr_nonnull(check);
	ck_assert_msg(check->level == level, "level %d: %s", (int)check->level, check->text);
	ck_assert_msg(strstr(check->text, text) != NULL, "text: %s", check->text);
	ck_assert_msg(strstr(check->advice, advice) != NULL, "advice: %s", check->advice);
	ck_assert(level == CHECK_OK || check->advice[0]);
}

START_TEST(test_missing)
{
	expect(CHECK_WARNING,
	       "the keyboard layout of this system is fr, but /boot/initramfs-linux.img has no "
	       "keymap",
	       "put \"keymap\" (with systemd \"sd-vconsole\") before \"s2disk\"");
	/* A key pair's passphrase is asked for at boot, too. */
	settings.passphrase_set = true;
	settings.passphrase = false;
	strcpy(settings.key_pair, "/etc/key.pair");
	expect(CHECK_WARNING, "has no keymap", "mkinitcpio -P");
}
END_TEST

START_TEST(test_advice)
{
	char command[200];

	snprintf(command, sizeof(command), "rm %s/etc/mkinitcpio.conf", made_root);
	ck_assert_int_eq(system(command), 0);
	expect(CHECK_WARNING, "is fr", "i18n");
	made_directory("/etc/initramfs-tools");
	expect(CHECK_WARNING, "is fr", "KEYMAP=y");
	/* Debian's file, with a list of layouts. */
	snprintf(command, sizeof(command), "rm %s/etc/vconsole.conf", made_root);
	ck_assert_int_eq(system(command), 0);
	made_put("/etc/default/keyboard",
		 "# KEYBOARD CONFIGURATION FILE\nXKBMODEL=\"pc105\"\nXKBLAYOUT=\"il,us\"\n");
	expect(CHECK_WARNING, "is il", "update-initramfs");
	made_put("/etc/default/keyboard", "XKBLAYOUT=\"us,ru\"\nXKBVARIANT=\"dvorak,\"\n");
	expect(CHECK_WARNING, "is us(dvorak)", "update-initramfs");
	made_put("/etc/default/keyboard", "XKBLAYOUT=us\nXKBVARIANT=colemak\n");
	expect(CHECK_WARNING, "is us(colemak)", "update-initramfs");
	made_put("/etc/default/keyboard", "XKBLAYOUT=us\nXKBVARIANT=dvorak-intl\n");
	expect(CHECK_WARNING, "is us(dvorak-intl)", "update-initramfs");
	made_put("/etc/default/keyboard", "XKBLAYOUT=us\nXKBVARIANT=altgr-intl\n");
	ck_assert_ptr_null(look());
	made_put("/etc/default/keyboard", "XKBLAYOUT=\"us,ru\"\nXKBVARIANT=\",phonetic\"\n");
	ck_assert_ptr_null(look());
}
END_TEST

START_TEST(test_there)
{
	static const char *const names[] = {
		"keymap.bin",
		"etc/boottime.kmap.gz",
		"etc/console-setup/cached_UTF-8_del.kmap.gz",
		"usr/share/kbd/keymaps/i386/azerty/fr.map.gz",
		"usr/lib/kbd/keymaps/legacy/i386/azerty/fr.map.gz",
	};
	const char *const files[] = { names[_i], "keys", NULL };

	put_initramfs(files);
	expect(CHECK_OK, "layout fr at boot", "");
}
END_TEST

/* mkinitcpio's hooks run one after the other. */
START_TEST(test_order)
{
	const char *files[] = { "keymap.bin", "keys", "config", NULL, NULL };

	files[3] = "MODULES=\"\"\nEARLYHOOKS=\"udev\"\nHOOKS=\"udev encrypt s2disk keymap\"\n";
	put_initramfs(files);
	expect(CHECK_WARNING, "loads it only after that", "before \"s2disk\"");
	files[3] = "HOOKS=\"udev keymap encrypt s2disk\"\nLATEHOOKS=\"keymap\"\n";
	put_initramfs(files);
	expect(CHECK_OK, "layout fr", "");
}
END_TEST

START_TEST(test_nothing_to_say)
{
	made_put("/etc/vconsole.conf", "# none\nKEYMAP=us-acentos\n");
	ck_assert_ptr_null(look());
	made_put("/etc/vconsole.conf", "FONT=lat2-16\n");
	ck_assert_ptr_null(look());
	made_put("/etc/vconsole.conf", "KEYMAP=\n");
	ck_assert_ptr_null(look());
	/* No passphrase is asked for. */
	made_put("/etc/vconsole.conf", "KEYMAP=\"fr\"\n");
	ck_assert_ptr_nonnull(look());
	settings.passphrase_set = true;
	settings.passphrase = false;
	strcpy(settings.key_file, "/etc/key");
	ck_assert_ptr_null(look());
	settings.encrypt = false;
	settings.passphrase = true;
	strcpy(settings.key_pair, "/etc/key.pair");
	ck_assert_ptr_null(look());
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "preflight_keyboard");

	tcase_add_checked_fixture(tcase, make, made_root_remove);
	tcase_add_test(tcase, test_missing);
	tcase_add_test(tcase, test_advice);
	tcase_add_loop_test(tcase, test_there, 0, 5);
	tcase_add_test(tcase, test_order);
	tcase_add_test(tcase, test_nothing_to_say);
}
