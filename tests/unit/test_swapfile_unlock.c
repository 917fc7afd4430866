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
	{ MAKER_INITRAMFS_TOOLS, LINE " \t", LINE ",initramfs \t", NULL },
	{ MAKER_DRACUT, LINE "\n", LINE ",x-initrd.attach\n", NULL },
	{ MAKER_DRACUT, LINE ",initramfs\n", LINE ",initramfs,x-initrd.attach\n", NULL },
	{ MAKER_DRACUT, "swap_crypt UUID=x\n", "swap_crypt UUID=x none luks,x-initrd.attach\n",
	  NULL },
	{ MAKER_INITRAMFS_TOOLS, "swap_crypt UUID=x /dev/x\n",
	  "swap_crypt UUID=x /dev/x luks,initramfs\n", NULL },
	/* Behind the options, whatever stands there. */
	{ MAKER_INITRAMFS_TOOLS, LINE " # see the wiki\n", LINE ",initramfs # see the wiki\n",
	  NULL },
	{ MAKER_DRACUT, LINE "\r\nc d\r\n", LINE ",x-initrd.attach\r\nc d\r\n", NULL },
	{ MAKER_INITRAMFS_TOOLS, LINE ",noinitramfs,initramfs\n", NULL, NULL },
	/* Not the option of that name. */
	{ MAKER_INITRAMFS_TOOLS, LINE ",noinitramfs\n", LINE ",noinitramfs,initramfs\n", NULL },
	{ MAKER_INITRAMFS_TOOLS, NULL, NULL,
	  "add this line to /etc/crypttab, then enable it again: swap_crypt "
	  "UUID=01234567-89ab-cdef-0123-456789abcdef none luks,initramfs" },
	{ MAKER_DRACUT, "swap_crypt2 UUID=x none luks\n#" LINE "\nswap_crypt\n", NULL,
	  "none luks,x-initrd.attach" },
	/* The system's own table is not the initramfs' there. */
	{ MAKER_MKINITCPIO, LINE ",x-initrd.attach\n", NULL,
	  "/etc/crypttab.initramfs, and systemd and sd-encrypt to HOOKS" },
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
	bool brings;
} keys[] = {
#define CONF_HOOK MAKER_INITRAMFS_TOOLS, "/etc/cryptsetup-initramfs/conf-hook"
	{ CONF_HOOK, "#\nKEYFILE_PATTERN=/etc/keys/*\n", true },
	{ CONF_HOOK, "KEYFILE_PATTERN=\"/etc/*\"", true },
	{ CONF_HOOK, "KEYFILE_PATTERN=\n", false },
	{ CONF_HOOK, "x=1\nKEYFILE_PATTERN=\"\"\n", false },
	{ CONF_HOOK, "x=1\nKEYFILE_PATTERN=\"/other/*.key\"\n", false },
	{ CONF_HOOK, "KEYFILE_PATTERN=/etc/keys/*\nKEYFILE_PATTERN=\n", false },
	{ CONF_HOOK, "x=1\n#KEYFILE_PATTERN=/etc/keys/*\n", false },
	{ MAKER_DRACUT, "/etc/dracut.conf.d/k.conf", "install_items+=\" /etc/keys/k \"\n", true },
	{ MAKER_DRACUT, "/etc/dracut.conf.d/k.conf", "#install_items+=\" /etc/keys/k \"\n", false },
	{ MAKER_DRACUT, "/etc/dracut.conf.d/k.conf", "install_items+=\" /etc/keys/k2 \"\n", false },
	{ MAKER_DRACUT, "/etc/dracut.conf", "install_items+=\"/x /etc/keys/k\"\n", true },
	{ MAKER_DRACUT, "/usr/lib/dracut/dracut.conf.d/k.conf",
	  "install_optional_items+=' /etc/keys/k '\n", true },
	{ MAKER_MKINITCPIO, "/etc/mkinitcpio.conf", "HOOKS=(sd-encrypt)\nFILES=(/etc/keys/k)\n",
	  true },
	{ MAKER_MKINITCPIO, "/etc/mkinitcpio.conf",
	  "HOOKS=(sd-encrypt)\nFILES=(/etc/keys/kk) # /etc/keys/k\n", false },
	{ MAKER_MKINITCPIO, "/etc/mkinitcpio.conf.d/a.conf",
	  "HOOKS=(systemd sd-encrypt)\nFILES+=(\n# one\n'/etc/keys/k')\n", true },
};

START_TEST(brings_its_key)
{
	struct why w = { "" };
	struct plan plan;
	int r;

	made_put("/etc/crypttab", "swap_crypt UUID=x /etc/keys/k luks,initramfs,x-initrd.attach\n");
	made_put("/etc/crypttab.initramfs", "swap_crypt UUID=x /etc/keys/k\n");
	ck_assert_int_eq(plan_unlock(&plan, keys[_i].maker, &w), -EINVAL);
	plan_close(&plan);
	made_put(keys[_i].file, keys[_i].text);
	r = plan_unlock(&plan, keys[_i].maker, &w);
	ck_assert_msg((r == 0) == keys[_i].brings, "%s", w.text);
	plan_close(&plan);
}
END_TEST

/* encrypt opens one device, which the kernel command line names; sd-encrypt reads the table. */
START_TEST(hook_that_reads_it)
{
	struct why w = { "" };
	struct plan plan;

	made_put("/etc/crypttab.initramfs", LINE "\n");
	made_put("/etc/mkinitcpio.conf", "HOOKS=(base udev encrypt filesystems)\n");
	ck_assert_int_eq(plan_unlock(&plan, MAKER_MKINITCPIO, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "sd-encrypt"));
	plan_close(&plan);
	made_put("/etc/mkinitcpio.conf", "HOOKS=(base systemd sd-encrypt filesystems)\n");
	ck_assert_msg(plan_unlock(&plan, MAKER_MKINITCPIO, &w) == 0, "%s", w.text);
	ck_assert_uint_eq(plan.count, 0);
	plan_close(&plan);
}
END_TEST

/* A mirror or volume over two of them: both lines in one change. */
START_TEST(two_mappings)
{
	struct why w = { "" };
	struct plan plan;

	made_put("/sys/dev/block/8:2/dm/uuid", "LVM-xyz\n");
	made_put("/sys/dev/block/8:2/slaves/sdb1/dev", "8:17\n");
	made_put("/sys/dev/block/8:2/slaves/sdc1/dev", "8:33\n");
	for (int i = 0; i < 2; i++) {
		char path[128], text[128];

		snprintf(path, sizeof(path), "/sys/dev/block/8:%d/partition", 17 + 16 * i);
		made_put(path, NULL);
		snprintf(path, sizeof(path), "/sys/dev/block/8:%d/uevent", 17 + 16 * i);
		made_put(path, i ? "DEVNAME=dm-3\nDEVTYPE=disk\n" : "DEVNAME=dm-2\nDEVTYPE=disk\n");
		snprintf(path, sizeof(path), "/sys/dev/block/8:%d/dm/name", 17 + 16 * i);
		made_put(path, i ? "two\n" : "one\n");
		snprintf(path, sizeof(path), "/sys/dev/block/8:%d/dm/uuid", 17 + 16 * i);
		snprintf(text, sizeof(text), "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-%s\n",
			 i ? "two" : "one");
		made_put(path, text);
	}
	made_put("/etc/crypttab", "one UUID=x none luks\ntwo UUID=y none luks\n");
	ck_assert_msg(plan_unlock(&plan, MAKER_INITRAMFS_TOOLS, &w) == 0, "%s", w.text);
	ck_assert_uint_eq(plan.count, 1);
	ck_assert_str_eq(plan.steps[0].text[TEXT_NEW],
			 "one UUID=x none luks,initramfs\ntwo UUID=y none luks,initramfs\n");
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
	made_program("/usr/bin/bootc");
	ck_assert_int_eq(initramfs_find(&made_system, ARGS, "/f none swap", &site, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "/usr/lib/bootc/kargs.d"));
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
	const char *config, *drop_in, *wanted; /* wanted NULL: a boot looks */
} hooks[] = {
	{ "HOOKS=(base udev s2disk filesystems)\n", NULL, NULL },
	{ "HOOKS=(base systemd\n  sd-s2disk filesystems)\n", NULL, NULL },
	{ "HOOKS=(base systemd # for (all)\n  'sd-s2disk' filesystems)\n", NULL, NULL },
	{ "HOOKS=\"base udev s2disk filesystems\"\n", NULL, NULL },
	{ "HOOKS=(base udev)\n", "HOOKS+=(s2disk)\n", NULL },
	{ "HOOKS=(base udev filesystems)\n", NULL,
	  "lack s2disk, so that no boot resumes yet: put it before filesystems in /etc" },
	{ "HOOKS=(base systemd filesystems)\n", NULL, "lack sd-s2disk, so" },
	{ "HOOKS=(base systemd s2disk filesystems)\n", NULL,
	  "lack sd-s2disk, so that no boot resumes yet: put it before filesystems in "
	  "/etc/mkinitcpio.conf, in the place of s2disk, then" },
	{ "HOOKS=(base udev sd-s2disk filesystems)\n", NULL, "lack s2disk, so" },
	{ "HOOKS=(base udev\n# s2disk\nfilesystems)\n", NULL, "lack s2disk, so" },
	{ "#HOOKS=(base s2disk)\nHOOKS=(base udev)\n", NULL, "lack s2disk, so" },
	{ "HOOKS=(base s2disk)\n", "HOOKS=(base not-s2disk filesystems)\n", "lack s2disk, so" },
	{ "HOOKS=(", NULL, "lack s2disk (as far as can be seen)" },
	{ "hooks=$X\nHOOKS=(base ${X} filesystems)\n", NULL, "(as far as can be seen)" },
	/* Whoever would write that line as a whole could not boot. */
	{ "", NULL, "put it before filesystems" },
};

static char objection[512];

static bool looks(enum initramfs_maker maker)
{
	const struct initramfs_site site = { .maker = maker };

	return initramfs_looks(&made_system, &site, objection, sizeof(objection));
}

START_TEST(lacks_hook)
{
	made_put("/etc/mkinitcpio.conf", hooks[_i].config);
	made_put("/etc/mkinitcpio.conf.d/a.conf", hooks[_i].drop_in);
	ck_assert_msg(looks(MAKER_MKINITCPIO) == !hooks[_i].wanted, "%s", objection);
	if (hooks[_i].wanted)
		ck_assert_msg(strstr(objection, hooks[_i].wanted), "%s", objection);
	ck_assert_ptr_null(strstr(objection, "HOOKS=("));
}
END_TEST

START_TEST(hook_not_installed)
{
	ck_assert(!looks(MAKER_DRACUT));
	ck_assert_ptr_nonnull(strstr(objection, "s2disk's hook is not installed (/usr/lib/dracut"));
	made_put("/usr/lib/dracut/modules.d/55s2disk/module-setup.sh", "");
	ck_assert_msg(looks(MAKER_DRACUT), "%s", objection);
	made_put("/etc/dracut.conf.d/a.conf", "omit_dracutmodules+=\" lvm s2disk \"\n");
	ck_assert(!looks(MAKER_DRACUT));
	ck_assert(looks(MAKER_INITRAMFS_TOOLS));
	made_put("/etc/initramfs-tools/hooks/s2disk", NULL);
	ck_assert(!looks(MAKER_INITRAMFS_TOOLS));
}
END_TEST

/* Cloud images: GRUB tries a boot without the initramfs first. */
START_TEST(boots_without)
{
	made_put("/etc/default/grub.d/40-force-partuuid.cfg", "GRUB_FORCE_PARTUUID=1-2\n");
	ck_assert(!looks(MAKER_INITRAMFS_TOOLS));
	ck_assert_ptr_nonnull(strstr(
		objection, "GRUB_FORCE_PARTUUID= >/etc/default/grub.d/95-initramfs.cfg && update"));
	made_put("/etc/default/grub.d/95-initramfs.cfg", "GRUB_FORCE_PARTUUID=\n");
	ck_assert(looks(MAKER_INITRAMFS_TOOLS));
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
	tcase_add_test(tcase, hook_that_reads_it);
	tcase_add_test(tcase, two_mappings);
	tcase_add_test(tcase, below_root);
	tcase_add_test(tcase, not_ours);
	tcase_add_test(tcase, makers);
	tcase_add_loop_test(tcase, lacks_hook, 0, (int)ARRAY_SIZE(hooks));
	tcase_add_test(tcase, hook_not_installed);
	tcase_add_test(tcase, boots_without);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
