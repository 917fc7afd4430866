/* SPDX-License-Identifier: GPL-2.0-or-later */
/* swapfile_initramfs: who makes the initramfs, whether it gets resume, and whether it opens
 * encrypted devices. The area is on sda2, a mapping of LUKS over sdb1. */
#include "base/bytes.h"
#include "made_enable.h"
#include "made_tree.h"
#include "swapfile_initramfs.h"
#include "swapfile_site.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

static dev_t root_device; /* 0: that of nothing */

int __wrap_site_each_device(const char *folder, int (*see)(void *context, dev_t dev), void *context,
			    struct why *w);

int __wrap_site_each_device(const char *folder, int (*see)(void *context, dev_t dev), void *context,
			    struct why *w)
{
	(void)w;
	ck_assert_str_eq(folder, "/");
	return root_device ? see(context, root_device) : 0;
}

static void setup(void)
{
	make_system();
	root_device = 0;
	made_put("/sys/dev/block/8:2/uevent", "DEVNAME=dm-1\nDEVTYPE=disk\n");
	made_put("/sys/dev/block/8:2/dm/name", "swap_crypt\n");
	made_put("/sys/dev/block/8:2/dm/uuid",
		 "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-swap_crypt\n");
	made_put("/sys/dev/block/8:2/slaves/sdb1/dev", "8:17\n");
	made_put("/sys/dev/block/8:17/uevent", "DEVNAME=sdb1\nDEVTYPE=partition\n");
	made_put("/sys/dev/block/8:17/partition", "1\n");
}

#define LINE "swap_crypt UUID=x none luks"

static const struct {
	enum initramfs_maker maker;
	const char *crypttab, *then; /* NULL: as before */
	const char *refusal;	     /* NULL: none */
} crypttabs[] = {
	{ MAKER_INITRAMFS_TOOLS, LINE ",initramfs\n", NULL, NULL },
	{ MAKER_INITRAMFS_TOOLS, "  swap_crypt UUID=x none initramfs,luks\n", NULL, NULL },
	{ MAKER_DRACUT,
	  "# names\nother UUID=y none luks\nswap_crypt\tUUID=x\tnone\tx-initrd.attach\n", NULL,
	  NULL },
	{ MAKER_INITRAMFS_TOOLS, "a b\n" LINE "\nc d\n", "a b\n" LINE ",initramfs\nc d\n", NULL },
	{ MAKER_INITRAMFS_TOOLS, LINE " \t", LINE ",initramfs", NULL },
	{ MAKER_DRACUT, LINE "\n", LINE ",x-initrd.attach\n", NULL },
	{ MAKER_DRACUT, LINE ",initramfs\n", LINE ",initramfs,x-initrd.attach\n", NULL },
	{ MAKER_DRACUT, "swap_crypt UUID=x\n", "swap_crypt UUID=x none luks,x-initrd.attach\n",
	  NULL },
	{ MAKER_INITRAMFS_TOOLS, "swap_crypt UUID=x /dev/x\n",
	  "swap_crypt UUID=x /dev/x luks,initramfs\n", NULL },
	/* Not the option of that name. */
	{ MAKER_INITRAMFS_TOOLS, LINE ",noinitramfs\n", LINE ",noinitramfs,initramfs\n", NULL },
	{ MAKER_INITRAMFS_TOOLS, NULL, NULL,
	  "add this line to /etc/crypttab, then enable it again: swap_crypt "
	  "UUID=01234567-89ab-cdef-0123-456789abcdef none luks,initramfs" },
	{ MAKER_DRACUT, "swap_crypt2 UUID=x none luks\n#" LINE "\nswap_crypt\n", NULL,
	  "none luks,x-initrd.attach" },
	/* The system's own table is not the initramfs' there. */
	{ MAKER_MKINITCPIO, LINE ",x-initrd.attach\n", NULL,
	  "/etc/crypttab.initramfs, and sd-encrypt to HOOKS" },
	{ MAKER_INITRAMFS_TOOLS, "swap_crypt UUID=x /etc/keys/k luks,initramfs\n", NULL,
	  "whose key file /etc/keys/k (/etc/crypttab) is not in the initramfs" },
	{ MAKER_DRACUT, "swap_crypt UUID=x /etc/keys/k\n", NULL, "install_items+=" },
	{ MAKER_INITRAMFS_TOOLS, "swap_crypt UUID=x /etc/keys/k luks,initramfs,keyscript=/x\n",
	  NULL, NULL },
};

static int plan_unlock(struct plan *plan, enum initramfs_maker maker, struct why *w)
{
	const struct initramfs_site site = { .maker = maker };

	ck_assert_int_eq(plan_open(plan, "enable", "x"), 0);
	return initramfs_plan_unlock(plan, &made_system, makedev(8, 2), &site, w);
}

START_TEST(unlocks)
{
	struct why w = { "" };
	struct plan plan;
	int r;

	made_put("/etc/crypttab", crypttabs[_i].crypttab);
	r = plan_unlock(&plan, crypttabs[_i].maker, &w);
	if (crypttabs[_i].refusal) {
		ck_assert_int_eq(r, -EINVAL);
		ck_assert_msg(strstr(w.text, crypttabs[_i].refusal), "%s", w.text);
		ck_assert_uint_eq(plan.count, 0);
	} else {
		ck_assert_msg(r == 0, "%s", w.text);
		ck_assert_uint_eq(plan.count, crypttabs[_i].then ? 1 : 0);
	}
	if (crypttabs[_i].then)
		ck_assert_str_eq(plan.steps[0].text[TEXT_NEW], crypttabs[_i].then);
	plan_close(&plan);
}
END_TEST

static const struct {
	enum initramfs_maker maker;
	const char *file, *text;
} keys[] = {
	{ MAKER_INITRAMFS_TOOLS, "/etc/cryptsetup-initramfs/conf-hook",
	  "#\nKEYFILE_PATTERN=/etc/keys/*\n" },
	{ MAKER_DRACUT, "/etc/dracut.conf.d/k.conf", "install_items+=\" /etc/keys/k \"\n" },
	{ MAKER_MKINITCPIO, "/etc/mkinitcpio.conf", "FILES=(/etc/keys/k)\n" },
};

START_TEST(brings_its_key)
{
	struct why w = { "" };
	struct plan plan;

	made_put("/etc/crypttab", "swap_crypt UUID=x /etc/keys/k luks,initramfs,x-initrd.attach\n");
	made_put("/etc/crypttab.initramfs", "swap_crypt UUID=x /etc/keys/k\n");
	ck_assert_int_eq(plan_unlock(&plan, keys[_i].maker, &w), -EINVAL);
	plan_close(&plan);
	made_put(keys[_i].file, keys[_i].text);
	ck_assert_msg(plan_unlock(&plan, keys[_i].maker, &w) == 0, "%s", w.text);
	plan_close(&plan);
}
END_TEST

/* What is unlocked for the root file system is there for the image, too. */
START_TEST(below_root)
{
	struct why w = { "" };
	struct plan plan;

	made_put("/sys/dev/block/253:9/uevent", "DEVNAME=dm-9\nDEVTYPE=disk\n");
	made_put("/sys/dev/block/253:9/dm/uuid", "LVM-xyz\n");
	made_put("/sys/dev/block/253:9/slaves/dm-1/dev", "8:2\n");
	root_device = makedev(253, 9);
	ck_assert_int_eq(plan_unlock(&plan, MAKER_DRACUT, &w), 0);
	plan_close(&plan);
	root_device = makedev(253, 8); /* sysfs does not know that one */
	ck_assert_int_eq(plan_unlock(&plan, MAKER_DRACUT, &w), -EINVAL);
	plan_close(&plan);
	root_device = makedev(8, 17); /* the disk only */
	ck_assert_int_eq(plan_unlock(&plan, MAKER_DRACUT, &w), -EINVAL);
	plan_close(&plan);
}
END_TEST

#define ARGS "resume=UUID=1-2 resume_offset=7"
#define STUB "/sys/firmware/efi/efivars/StubInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

/* Where the initramfs is not ours to make, exact commands are told. */
START_TEST(not_ours)
{
	struct initramfs_site site;
	struct why w = { "" };

	made_put("/run/ostree-booted", "");
	ck_assert_int_eq(initramfs_find(&made_system, ARGS, "/f none swap", &site, &w), -EINVAL);
	ck_assert_ptr_nonnull(
		strstr(w.text, "rpm-ostree initramfs --enable --arg=--add --arg=s2disk"));
	ck_assert_ptr_nonnull(
		strstr(w.text,
		       "rpm-ostree kargs --append=resume=UUID=1-2 --append=resume_offset=7, and "));
	ck_assert_ptr_nonnull(strstr(w.text, "/etc/fstab: /f none swap"));
	ck_assert_int_eq(initramfs_find(&made_system, "resume=UUID=1-2", NULL, &site, &w), -EINVAL);
	ck_assert_str_eq(strstr(w.text, "kargs"), "kargs --append=resume=UUID=1-2");
	made_put("/run/ostree-booted", NULL);

	made_put("/proc/sys/kernel/osrelease", "6.12-virt\n");
	made_put("/usr/lib/modules/6.12-virt/vmlinuz-virt.efi", "");
	ck_assert_int_eq(initramfs_find(&made_system, ARGS, NULL, &site, &w), 0);
	made_put(STUB, "");
	ck_assert_int_eq(initramfs_find(&made_system, ARGS, NULL, &site, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "unified kernel image of its vendor"));
	made_put(STUB, NULL);

	made_put("/usr/sbin/update-initramfs", NULL);
	ck_assert_int_eq(initramfs_find(&made_system, ARGS, NULL, &site, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "add this to the kernel command line: " ARGS));
}
END_TEST

START_TEST(makers)
{
	struct initramfs_site site;
	struct why w = { "" };

	ck_assert_int_eq(initramfs_find(&made_system, ARGS, NULL, &site, &w), 0);
	ck_assert_int_eq(site.maker, MAKER_INITRAMFS_TOOLS);
	ck_assert_str_eq(site.command, "/usr/sbin/update-initramfs\n-u\n-k\nall");
	/* Debian's dracut has a program of that name. */
	made_put("/usr/sbin/mkinitramfs", NULL);
	made_program("/usr/bin/dracut");
	ck_assert_int_eq(initramfs_find(&made_system, ARGS, NULL, &site, &w), 0);
	ck_assert_int_eq(site.maker, MAKER_DRACUT);
	made_put("/usr/sbin/update-initramfs", NULL);
	ck_assert_int_eq(initramfs_find(&made_system, ARGS, NULL, &site, &w), 0);
	ck_assert_str_eq(site.command, "/usr/bin/dracut\n--force\n--regenerate-all");
	made_program("/usr/bin/mkinitcpio");
	ck_assert_int_eq(initramfs_find(&made_system, ARGS, NULL, &site, &w), 0);
	ck_assert_int_eq(site.maker, MAKER_MKINITCPIO);
}
END_TEST

static const struct {
	const char *config, *drop_in, *wanted; /* wanted NULL: no warning */
} hooks[] = {
	{ "HOOKS=(base udev s2disk filesystems)\n", NULL, NULL },
	{ "HOOKS=(base systemd\n  sd-s2disk filesystems)\n", NULL, NULL },
	{ "HOOKS=(base udev)\n", "HOOKS+=(s2disk)\n", NULL },
	{ "HOOKS=(base udev filesystems)\n", NULL, "HOOKS=(base udev s2disk filesystems)" },
	{ "HOOKS=(base systemd filesystems)\n", NULL,
	  "HOOKS=(base systemd sd-s2disk filesystems)" },
	{ "#HOOKS=(base s2disk)\nHOOKS=(base udev)\n", NULL, "HOOKS=(base udev s2disk)" },
	{ "HOOKS=(base s2disk)\n", "HOOKS=(base not-s2disk filesystems)\n",
	  "HOOKS=(base not-s2disk s2disk filesystems)" },
	{ "HOOKS=(", NULL, "HOOKS=(s2disk)" },
};

START_TEST(lacks_hook)
{
	const struct initramfs_site site = { .maker = MAKER_MKINITCPIO };

	made_put("/etc/mkinitcpio.conf", hooks[_i].config);
	made_put("/etc/mkinitcpio.conf.d/a.conf", hooks[_i].drop_in);
	initramfs_warn(&made_system, &site, ARGS);
	if (!hooks[_i].wanted) {
		ck_assert_str_eq(warnings, "");
		return;
	}
	ck_assert_msg(strstr(warnings, hooks[_i].wanted), "%s", warnings);
	ck_assert_ptr_nonnull(strstr(warnings, ARGS));
}
END_TEST

START_TEST(hook_not_installed)
{
	const struct initramfs_site site = { .maker = MAKER_DRACUT };

	initramfs_warn(&made_system, &site, ARGS);
	ck_assert_ptr_nonnull(strstr(warnings, "s2disk's hook is not installed"));
	ck_assert_ptr_nonnull(strstr(warnings, ARGS));
	warnings[0] = '\0';
	made_put("/usr/lib/dracut/modules.d/55s2disk/module-setup.sh", "");
	initramfs_warn(&made_system, &site, ARGS);
	ck_assert_str_eq(warnings, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("swapfile_unlock");
	TCase *tcase = tcase_create("swapfile_unlock");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	tcase_add_loop_test(tcase, unlocks, 0, (int)ARRAY_SIZE(crypttabs));
	tcase_add_loop_test(tcase, brings_its_key, 0, (int)ARRAY_SIZE(keys));
	tcase_add_test(tcase, below_root);
	tcase_add_test(tcase, not_ours);
	tcase_add_test(tcase, makers);
	tcase_add_loop_test(tcase, lacks_hook, 0, (int)ARRAY_SIZE(hooks));
	tcase_add_test(tcase, hook_not_installed);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
