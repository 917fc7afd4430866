/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot_entry: which kernel, initramfs and command line the next boot has. */
#include "boot/boot_entry.h"
#include "made_root.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* A variable of the firmware, as systemd-boot writes it. */
static void put_variable(const char *name, const char *value)
{
	char text[256] = "\7\0\0\0", path[128];

	for (size_t i = 0; value[i]; i++)
		text[4 + 2 * i] = value[i];
	snprintf(path, sizeof(path),
		 "/sys/firmware/efi/efivars/Loader%s-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", name);
	made_put_bytes(path, text, 4 + 2 * strlen(value) + 2);
}

/* As Debian's grub-mkconfig writes it, cut down. */
#define GRUB(standard)                                                                        \
	"if [ -s $prefix/grubenv ]; then\n  set have_grubenv=true\n  load_env\nfi\n"          \
	"if [ \"${next_entry}\" ] ; then\n   set default=\"${next_entry}\"\n"                 \
	"   set next_entry=\n   save_env next_entry\nelse\n   set default=\"" standard "\"\n" \
	"fi\nfunction savedefault {\n  if [ -z \"${boot_once}\" ]; then\n"                    \
	"    saved_entry=\"${chosen}\"\n  fi\n}\n"                                            \
	"menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'simple-id' {\n"    \
	"\tload_video\n\tif [ x$grub_platform = xxen ]; then insmod xzio; fi\n"               \
	"\techo\t'Loading Linux 6.12 ...'\n"                                                  \
	"\tlinux\t/boot/vmlinuz-6.12 root=UUID=1-2 ro  quiet resume=UUID=ab\n"                \
	"\tinitrd\t/boot/initrd.img-6.12\n}\n"                                                \
	"submenu 'Advanced options' $menuentry_id_option 'advanced-id' {\n"                   \
	"\tmenuentry 'Linux 6.12' --class debian $menuentry_id_option '6.12-id' {\n"          \
	"\t\tlinux\t/boot/vmlinuz-6.12 a\n\t\tinitrd\t/boot/initrd.img-6.12\n\t}\n"           \
	"\tmenuentry \"Linux 6.1\" $menuentry_id_option '6.1-id' {\n"                         \
	"\t\tlinux\t/boot/vmlinuz-6.1 old\n\t\tinitrd\t/ucode.img /boot/initrd.img-6.1\n"     \
	"\t}\n}\nmenuentry 'Setup' {\n\tfwsetup\n}\n"

static const struct {
	const char *config, *environment, *kernel;
} grubs[] = {
	{ GRUB("0"), "", "/boot/vmlinuz-6.12" },
	{ GRUB("Debian GNU/Linux"), "", "/boot/vmlinuz-6.12" },
	{ GRUB("1>1"), "", "/boot/vmlinuz-6.1" },
	{ GRUB("1>Linux 6.1"), "", "/boot/vmlinuz-6.1" },
	{ GRUB("advanced-id>6.1-id"), "", "/boot/vmlinuz-6.1" },
	{ GRUB("1"), "", "/boot/vmlinuz-6.12" },
	/* GRUB takes the first when there is no such thing. */
	{ GRUB("9"), "", "/boot/vmlinuz-6.12" },
	{ GRUB("1>9"), "", "/boot/vmlinuz-6.12" },
	{ GRUB("${saved_entry}"), "", "/boot/vmlinuz-6.12" },
	{ GRUB("${saved_entry}"), "# GRUB\nsaved_entry=advanced-id>6.1-id\n##",
	  "/boot/vmlinuz-6.1" },
	{ GRUB("0"), "saved_entry=advanced-id>6.1-id\n", "/boot/vmlinuz-6.12" },
	{ GRUB("0"), "next_entry=1>1\n", "/boot/vmlinuz-6.1" },
	{ GRUB("1>1"), "next_entry=\n", "/boot/vmlinuz-6.1" },
};

START_TEST(finds_the_default_of_grub)
{
	struct boot_entry entry;

	ck_assert_int_eq(boot_entry_from_grub(grubs[_i].config, grubs[_i].environment, &entry), 0);
	ck_assert_str_eq(entry.kernel, grubs[_i].kernel);
}
END_TEST

START_TEST(reads_an_entry_of_grub)
{
	struct boot_entry entry;

	ck_assert_int_eq(boot_entry_from_grub(GRUB("0"), "", &entry), 0);
	ck_assert_str_eq(entry.title, "Debian GNU/Linux");
	ck_assert_str_eq(entry.arguments, "root=UUID=1-2 ro  quiet resume=UUID=ab");
	ck_assert_str_eq(entry.initramfs, "/boot/initrd.img-6.12");
	ck_assert_int_eq(boot_entry_from_grub(GRUB("1>1"), "", &entry), 0);
	ck_assert_str_eq(entry.initramfs, "/boot/initrd.img-6.1");
	ck_assert_str_eq(entry.arguments, "old");
}
END_TEST

START_TEST(stands_strange_grub)
{
	static const char *const strange[] = {
		"",
		"}\n}\n",
		"menuentry",
		"menuentry {\n",
		"submenu 'a' {\n submenu 'b' {\n",
		"menuentry 'Windows' {\n chainloader /x\n}\n",
		"set default=\"\nmenuentry 'x",
		"{\n{\n{\n{\n{\n{\n{\n{\n{\n{\n{\n{\n{\n{\n{\n{\n{\n{\nlinux /x\n}\n",
	};
	struct boot_entry entry;
	char *many = malloc(300 * 32 + 1), *at = many;

	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
		ck_assert_int_eq(boot_entry_from_grub(strange[i], "", &entry), -ENOENT);
	for (int i = 0; i < 300; i++)
		at += sprintf(at, "menuentry 'n%d' {\nlinux /%d\n}\n", i, i);
	ck_assert_int_eq(boot_entry_from_grub(many, "", &entry), 0);
	ck_assert_str_eq(entry.kernel, "/0");
	free(many);
}
END_TEST

START_TEST(reads_a_file_of_an_entry)
{
	struct boot_entry entry;

	ck_assert_int_eq(boot_entry_from_file("title Fedora\n# linux /no\nlinux /vmlinuz-1\n"
					      "initrd /u.img /i.img $tuned_initrd\n"
					      "options root=/dev/a $kernelopts x\noptions y\n",
					      "kernelopts=ro resume=/dev/b\n", &entry),
			 0);
	ck_assert_str_eq(entry.title, "Fedora");
	ck_assert_str_eq(entry.initramfs, "/i.img");
	ck_assert_str_eq(entry.arguments, "root=/dev/a ro resume=/dev/b x y");
	ck_assert_int_eq(boot_entry_from_file("title Other\nefi /shell.efi\n", "", &entry),
			 -ENOENT);
}
END_TEST

static struct boot_entry found(void)
{
	struct boot_entry entry;
	struct why w = { "" };

	ck_assert_int_eq(boot_entry_find(made_root, &entry, &w), 0);
	return entry;
}

START_TEST(finds_grub_below_a_root)
{
	made_put("/boot/grub/grub.cfg", GRUB("${saved_entry}"));
	made_put("/boot/grub/grubenv", "saved_entry=1>1\n");
	ck_assert_str_eq(found().kernel, "/boot/vmlinuz-6.1");
	ck_assert_str_eq(found().source, "/boot/grub/grub.cfg");
}
END_TEST

/* Fedora's GRUB takes what is in the folder; the newest, unless one was saved. */
START_TEST(finds_entries)
{
	made_put("/boot/grub2/grub.cfg", "insmod blscfg\nblscfg\n");
	made_put("/boot/loader/entries/ab-6.9.conf", "linux /vmlinuz-6.9\n");
	made_put("/boot/loader/entries/ab-6.10.conf", "linux /vmlinuz-6.10\noptions q\n");
	made_put("/boot/loader/entries/ab-7-rescue.conf", "linux /vmlinuz-rescue\n");
	made_put("/boot/loader/entries/readme", "linux /no\n");
	ck_assert_str_eq(found().kernel, "/vmlinuz-6.10");
	ck_assert_str_eq(found().source, "/boot/loader/entries/ab-6.10.conf");
	made_put("/boot/grub2/grubenv", "saved_entry=ab-6.9\n");
	ck_assert_str_eq(found().kernel, "/vmlinuz-6.9");
	made_put("/boot/grub2/grubenv", "saved_entry=gone\n");
	ck_assert_str_eq(found().kernel, "/vmlinuz-6.10");
}
END_TEST

START_TEST(asks_systemd_boot)
{
	made_put("/boot/grub/grub.cfg", GRUB("0")); /* left by somebody */
	made_put("/boot/efi/loader/entries/ab-1.conf", "linux /ab/1/linux\n");
	made_put("/boot/efi/loader/entries/ab-2.conf", "linux /ab/2/linux\n");
	made_put("/boot/efi/loader/entries/zz-0.conf", "linux /zz/0/linux\n");
	ck_assert_str_eq(found().kernel, "/boot/vmlinuz-6.12");
	put_variable("Info", "systemd-boot 252");
	ck_assert(boot_by_systemd_boot(made_root));
	ck_assert_str_eq(found().kernel, "/zz/0/linux");
	made_put("/boot/efi/loader/loader.conf", "timeout 3\ndefault ab-*\n");
	ck_assert_str_eq(found().kernel, "/ab/2/linux");
	put_variable("EntryDefault", "ab-1.conf");
	ck_assert_str_eq(found().kernel, "/ab/1/linux");
	put_variable("EntryOneShot", "zz-0.conf");
	ck_assert_str_eq(found().kernel, "/zz/0/linux");
	put_variable("Info", "another loader");
	ck_assert(!boot_by_systemd_boot(made_root));
}
END_TEST

START_TEST(assumes_the_running_kernel)
{
	struct boot_entry entry;
	struct why w = { "" };
	struct utsname uts;
	char path[256];

	ck_assert_int_eq(boot_entry_find(made_root, &entry, &w), -ENOENT);
	ck_assert_ptr_nonnull(strstr(w.text, "/boot"));
	uname(&uts);
	made_put("/proc/sys/kernel/osrelease", uts.release);
	snprintf(path, sizeof(path), "/boot/initramfs-%s.img", uts.release);
	made_put(path, "");
	made_put("/proc/cmdline", "root=/dev/a resume=/dev/b\n");
	entry = found();
	ck_assert_str_eq(entry.source, "");
	ck_assert_str_eq(entry.initramfs, path);
	ck_assert_str_eq(entry.arguments, "root=/dev/a resume=/dev/b");
}
END_TEST

START_TEST(finds_the_initramfs)
{
	static const struct {
		const char *named, *there;
	} cases[] = {
		{ "/boot/initrd.img-6.1", "/boot/initrd.img-6.1" },
		{ "/initrd.img-6.2", "/boot/initrd.img-6.2" },
		{ "/ab/6.3/initrd", "/efi/ab/6.3/initrd" },
		{ "/ab/6.4/initrd", "/boot/efi/ab/6.4/initrd" },
		{ "/only/there", "/only/there" },
		{ "/@rootfs/boot/initrd.img-6.5", "/boot/initrd.img-6.5" },
	};
	struct boot_entry entry = { 0 };
	char got[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(entry.initramfs, cases[i].named);
		ck_assert_int_eq(boot_entry_initramfs(made_root, &entry, got, sizeof(got)),
				 -ENOENT);
		made_put(cases[i].there, "");
		ck_assert_int_eq(boot_entry_initramfs(made_root, &entry, got, sizeof(got)), 0);
		ck_assert_str_eq(got, cases[i].there);
	}
	/* Where /boot is a file system of its own, that one is meant. */
	made_put("/initrd.img-6.2", "");
	strcpy(entry.initramfs, "/initrd.img-6.2");
	ck_assert_int_eq(boot_entry_initramfs(made_root, &entry, got, sizeof(got)), 0);
	ck_assert_str_eq(got, "/boot/initrd.img-6.2");
	strcpy(entry.initramfs, "relative");
	ck_assert_int_eq(boot_entry_initramfs(made_root, &entry, got, sizeof(got)), -ENOENT);
	ck_assert_int_eq(boot_entry_initramfs(made_root, &entry, got, 5), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("boot_entry");
	TCase *test = tcase_create("boot_entry");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(test, made_root_create, made_root_remove);
	tcase_add_loop_test(test, finds_the_default_of_grub, 0, sizeof(grubs) / sizeof(grubs[0]));
	tcase_add_test(test, reads_an_entry_of_grub);
	tcase_add_test(test, stands_strange_grub);
	tcase_add_test(test, reads_a_file_of_an_entry);
	tcase_add_test(test, finds_grub_below_a_root);
	tcase_add_test(test, finds_entries);
	tcase_add_test(test, asks_systemd_boot);
	tcase_add_test(test, assumes_the_running_kernel);
	tcase_add_test(test, finds_the_initramfs);
	suite_add_tcase(suite, test);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
