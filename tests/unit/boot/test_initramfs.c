/* SPDX-License-Identifier: GPL-2.0-or-later */
/* initramfs: what is found in archives that are intact, odd, truncated, or damaged. */
#include "base/look.h"
#include "boot/initramfs.h"
#include "fixtures/check_main.h"
#include "fixtures/made_data.h"
#include "fixtures/machine/made_initramfs.h"
#include "fixtures/machine/made_root.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[128];
static const struct boot_file there = { .path = "/initrd" };

static void make(void)
{
	made_root_create();
	made_directory("/run");
	snprintf(path, sizeof(path), "%s/initrd", made_root);
}

#define RESUME "ELF... " INITRAMFS_RESUME_MARK " ..."

static const char *const usual[] = {
	"usr/lib/uswsusp/resume",
	RESUME,
	"scripts/local-premount/s2disk",
	"#!/bin/sh",
	"scripts/local-premount/resume",
	"#!/bin/sh",
	"etc/suspend.conf",
	"resume device = /dev/a\n",
	"etc/suspend.conf.d/b.conf",
	"resume offset = 2\n",
	"etc/suspend.conf.d/a.conf",
	"resume offset = 1\n",
	"conf/conf.d/resume",
	"RESUME=UUID=1\n",
	"etc/passwd",
	"root",
	NULL,
};

static void expect_usual(const struct initramfs *initramfs)
{
	ck_assert(initramfs->resume && initramfs->current && initramfs->script);
	ck_assert(!initramfs->unit);
	ck_assert_uint_eq(initramfs->count, 5);
	ck_assert_str_eq(initramfs_file(initramfs, "etc/suspend.conf"), "resume device = /dev/a\n");
	ck_assert_str_eq(initramfs->files[1].name, "etc/suspend.conf");
	ck_assert_str_eq(initramfs->files[2].name, "etc/suspend.conf.d/a.conf");
	ck_assert_str_eq(initramfs->files[3].text, "resume offset = 2\n");
	ck_assert_str_eq(initramfs_file(initramfs, "conf/conf.d/resume"), "RESUME=UUID=1\n");
	ck_assert_ptr_null(initramfs_file(initramfs, "etc/passwd"));
}

/* Those that are installed on the test machine. */
static const char *const packers[] = {
	"",	    "gzip -c", "xz -c --check=crc32", "zstd -cq", "lz4 -lc",
	"bzip2 -c", "lzop -c", "xz -c --format=lzma"
};

START_TEST(unpacks)
{
	struct initramfs initramfs;
	struct why w = { "" };
	char command[128];

	snprintf(command, sizeof(command), "command -v %.*s >/dev/null",
		 (int)strcspn(packers[_i], " "), packers[_i]);
	/* gzip and none are always available. */
	if (_i > 1 && system(command) != 0)
		return;
	made_initramfs(path, packers[_i], usual);
	ck_assert_msg(initramfs_read(made_root, &there, NULL, 0, &initramfs, &w) == 0, "%s: %s",
		      packers[_i], w.text);
	expect_usual(&initramfs);
	initramfs_free(&initramfs);
	ck_assert_uint_eq(initramfs.count, 0);
}
END_TEST

static struct initramfs read_with(const char *name, const char *text)
{
	const char *const files[] = { name, text, NULL };
	struct initramfs initramfs;
	struct why w = { "" };

	made_initramfs(path, "gzip -c", files);
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, &w), 0);
	return initramfs;
}

START_TEST(knows_the_generators)
{
	static const char *const scripts[] = {
		"./scripts/local-premount/s2disk",
		"usr/lib/dracut/hooks/pre-mount/09-s2disk-resume.sh",
		"lib/dracut/hooks/pre-mount/09-s2disk-resume.sh",
		"var/lib/dracut/hooks/pre-mount/09-s2disk-resume.sh",
		"usr/lib/dracut/hooks/pre-udev/30-resume-genrules.sh",
		"hooks/s2disk",
	};
	static const char *const units[] = {
		"usr/lib/systemd/system/systemd-hibernate-resume@.service.d/50-s2disk.conf",
		"etc/systemd/system/systemd-hibernate-resume.service.d/s2disk.conf",
	};
	static const char *const others[] = {
		"usr/lib/s2disk",
		"scripts/s2disk",
		"etc/s2disk/hooks/x",
		"hooks/sleep",
		"usr/lib/systemd/system/systemd-hibernate-resume.service",
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct initramfs got = read_with(scripts[i], "x");

		ck_assert_msg(got.script, "%s", scripts[i]);
		initramfs_free(&got);
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct initramfs got = read_with(units[i], "x");

		ck_assert_msg(got.unit, "%s", units[i]);
		initramfs_free(&got);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct initramfs got = read_with(others[i], "x");

		ck_assert_msg(!got.script && !got.unit && !got.resume, "%s", others[i]);
		initramfs_free(&got);
	}
}
END_TEST

/* uswsusp's program has the same name and place. */
START_TEST(knows_whose_resume_it_is)
{
	struct initramfs initramfs = read_with("usr/lib/uswsusp/resume", "ELF of uswsusp");

	ck_assert(initramfs.resume && !initramfs.current);
	initramfs_free(&initramfs);
	initramfs = read_with("lib/uswsusp/resume", RESUME);
	ck_assert(initramfs.resume && initramfs.current);
	initramfs_free(&initramfs);
}
END_TEST

/* The installed program contains the mark that is searched for. */
START_TEST(finds_the_mark_in_resume)
{
	char command[256];

	if (access("resume/resume", R_OK) != 0) {
		fprintf(stderr, "SKIP: resume/resume is not built\n");
		return;
	}
	snprintf(command, sizeof(command), "grep -qaF '%s' resume/resume", INITRAMFS_RESUME_MARK);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

/* More than there is room for: what is missed may matter. */
START_TEST(keeps_only_so_many)
{
	struct initramfs initramfs;
	FILE *out = fopen(path, "w");
	char name[64];

	ck_assert_ptr_nonnull(out);
	for (int i = 0; i <= INITRAMFS_FILES_MAX; i++) {
		snprintf(name, sizeof(name), "etc/suspend.conf.d/%02d.conf", 99 - i);
		made_cpio_add(out, name, "x");
	}
	made_cpio_end(out);
	fclose(out);
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, NULL), 0);
	ck_assert_uint_eq(initramfs.count, INITRAMFS_FILES_MAX);
	ck_assert_str_eq(initramfs.files[0].name, "etc/suspend.conf.d/68.conf");
	ck_assert(initramfs.partial);
	initramfs_free(&initramfs);
}
END_TEST

START_TEST(takes_the_last_of_a_name)
{
	const char *const files[] = { "etc/suspend.conf", "first", "etc/suspend.conf", "second",
				      NULL };
	struct initramfs initramfs;

	made_initramfs(path, "", files);
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, NULL), 0);
	ck_assert_uint_eq(initramfs.count, 1);
	ck_assert_str_eq(initramfs.files[0].text, "second");
	initramfs_free(&initramfs);
}
END_TEST

/* Truncated anywhere, or one byte changed: an answer, or an error. */
START_TEST(stands_damage)
{
	static const char *const ways[] = { "", "gzip -c" };
	struct initramfs initramfs;
	unsigned char *whole = malloc(65536);
	long size;

	for (size_t way = 0; way < 2; way++) {
		FILE *file;

		made_initramfs(path, ways[way], usual);
		file = fopen(path, "r");
		size = (long)fread(whole, 1, 65536, file);
		fclose(file);
		for (long cut = 0; cut < size; cut += way ? 97 : 31) {
			struct why w = { "" };

			ck_assert_int_eq(truncate(path, cut), 0);
			if (initramfs_read(made_root, &there, NULL, 0, &initramfs, &w) == 0)
				initramfs_free(&initramfs);
			else
				ck_assert_ptr_nonnull(strstr(w.text, "/initrd: "));
			file = fopen(path, "w");
			fwrite(whole, 1, (size_t)size, file);
			fseek(file, cut, SEEK_SET);
			putc(whole[cut] ^ 0x5a, file);
			fclose(file);
			if (initramfs_read(made_root, &there, NULL, 0, &initramfs, NULL) == 0)
				initramfs_free(&initramfs);
			file = fopen(path, "w");
			fwrite(whole, 1, (size_t)size, file);
			fclose(file);
		}
	}
	free(whole);
}
END_TEST

START_TEST(says_what_is_wrong)
{
	struct initramfs initramfs;
	struct why w = { "" };
	FILE *file;

	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, &w), -ENOENT);
	ck_assert_ptr_nonnull(strstr(w.text, "/initrd: No such file"));
	file = fopen(path, "w");
	fputs("what is this?", file);
	fclose(file);
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, &w), -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(w.text, "unknown format"));
	file = fopen(path, "w");
	fclose(file);
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, &w), -EBADMSG);
	file = fopen(path, "w");
	fputs("\x1f\x8b\x08 not really", file);
	fclose(file);
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, &w), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(w.text, "gzip"));
}
END_TEST

/* The program that would unpack it is missing. */
START_TEST(says_what_is_missing)
{
	struct initramfs initramfs;
	struct why w = { "" };
	FILE *file;

	if (system("command -v lzop >/dev/null") == 0)
		return;
	file = fopen(path, "w");
	fputs("\x89LZO", file);
	fclose(file);
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, &w), -ENOENT);
	ck_assert_ptr_nonnull(strstr(w.text, "lzop"));
}
END_TEST

/* One file with several names: the last one has the content. */
START_TEST(follows_links)
{
	static const char program[] = "ELF " INITRAMFS_RESUME_MARK;
	struct initramfs initramfs;
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	made_cpio_add_link(out, "usr/lib/uswsusp/resume", 7, NULL);
	made_cpio_add_link(out, "etc/suspend.conf", 8, NULL);
	made_cpio_add_link(out, "etc/uswsusp.conf", 9, NULL);
	made_cpio_add_link(out, "bin/other", 6, "nothing of it");
	made_cpio_add_link(out, "sbin/resume", 7, program);
	made_cpio_add_link(out, "etc/copy", 8, "encrypt = y\n");
	made_cpio_end(out);
	/* In another archive the same number is another file. */
	made_cpio_add_link(out, "etc/other", 8, "nothing of it");
	made_cpio_end(out);
	fclose(out);
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, NULL), 0);
	ck_assert(initramfs.resume && initramfs.current);
	ck_assert_str_eq(initramfs_file(&initramfs, "etc/suspend.conf"), "encrypt = y\n");
	/* Really empty. */
	ck_assert_str_eq(initramfs_file(&initramfs, "etc/uswsusp.conf"), "");
	initramfs_free(&initramfs);
	/* In the reverse order, as an archive of its own. */
	out = fopen(path, "w");
	made_cpio_add_link(out, "sbin/resume", 7, NULL);
	made_cpio_add_link(out, "usr/lib/uswsusp/resume", 7, program);
	made_cpio_end(out);
	fclose(out);
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, NULL), 0);
	ck_assert(initramfs.resume && initramfs.current);
	initramfs_free(&initramfs);
}
END_TEST

static unsigned int contents, secrets_seen;

static void see(void *context, const char *where, enum look kind)
{
	(void)context, (void)where, (void)kind;
}

static void see_member(void *context, const struct look_member *member)
{
	(void)context;
	contents += member->content && member->size > 0;
	secrets_seen += member->content && member->size > 0 && member->secret;
}

/* A report gets a key by any of its names, and as a secret by all of them. */
START_TEST(tells_of_secrets_with_several_names)
{
	const struct initramfs_secrets secrets = { { "etc/swap.key" }, 1 };
	const struct look_watcher watcher = { .look = see, .member = see_member };
	struct initramfs initramfs;
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	made_cpio_add_link(out, "etc/swap.key", 7, NULL);
	made_cpio_add_link(out, "etc/suspend.conf.d/a.conf", 7, "TOPSECRET");
	made_cpio_end(out);
	fclose(out);
	contents = secrets_seen = 0;
	look_watch(&watcher);
	ck_assert_int_eq(initramfs_read(made_root, &there, &secrets, 0, &initramfs, NULL), 0);
	look_watch(NULL);
	ck_assert_uint_eq(contents, 2);
	ck_assert_uint_eq(secrets_seen, 2);
	initramfs_free(&initramfs);
}
END_TEST

/* Of a secret only the digest is kept; secrets are looked up by name. */
START_TEST(keeps_digests_of_secrets)
{
	const char *const files[] = { "etc/key", "abc", "etc/suspend.conf", "encrypt = y\n", NULL };
	static const char sum[] =
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	struct initramfs_secrets secrets = { .names = { "etc/key", "etc/none" }, .count = 2 };
	struct initramfs initramfs;

	made_initramfs(path, "gzip -c", files);
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, NULL), 0);
	ck_assert_ptr_null(initramfs_file(&initramfs, "etc/key"));
	initramfs_free(&initramfs);
	ck_assert_int_eq(initramfs_read(made_root, &there, &secrets, 0, &initramfs, NULL), 0);
	ck_assert_str_eq(initramfs_file(&initramfs, "etc/key"), sum);
	ck_assert_ptr_null(initramfs_file(&initramfs, "etc/none"));
	ck_assert_str_eq(initramfs_file(&initramfs, "etc/suspend.conf"), "encrypt = y\n");
	initramfs_free(&initramfs);
}
END_TEST

static struct boot_files unified;

/* The initramfs in a unified image ends where its section does. */
START_TEST(reads_unified_images)
{
	struct initramfs initramfs;
	struct why w = { "" };

	made_directory("/boot");
	snprintf(path, sizeof(path), "%s/boot/linux.efi", made_root);
	for (size_t i = 0; i < 2; i++) {
		made_unified(path, "ro resume=UUID=2", packers[i], usual);
		boot_files_find(made_root, &unified);
		ck_assert_uint_eq(unified.count, 1);
		ck_assert_msg(initramfs_read(made_root, &unified.files[0], NULL, 0, &initramfs,
					     &w) == 0,
			      "%s", w.text);
		expect_usual(&initramfs);
		ck_assert(!initramfs.partial);
		ck_assert_str_eq(initramfs.cmdline, "ro resume=UUID=2");
		initramfs_free(&initramfs);
	}
	/* It has been truncated since. */
	ck_assert_int_eq(truncate(path, 600), 0);
	ck_assert_int_eq(initramfs_read(made_root, &unified.files[0], NULL, 0, &initramfs, &w),
			 -EBADMSG);
	ck_assert_int_eq(truncate(path, 500), 0);
	ck_assert_int_eq(initramfs_read(made_root, &unified.files[0], NULL, 0, &initramfs, &w),
			 -ENODATA);
}
END_TEST

/* dracut --cat, ukify with several --initrd: archives after archives. */
START_TEST(reads_on_behind_the_first)
{
	static const char *const first[] = { "etc/first", "x", NULL };
	struct initramfs initramfs;
	char other[140], command[800];

	snprintf(other, sizeof(other), "%s.other", path);
	/* Within one stream, and as two. */
	for (int i = 0; i < 3; i++) {
		made_initramfs(path, "", first);
		made_initramfs(other, "", usual);
		snprintf(command, sizeof(command),
			 i == 0	  ? "cat %2$s >>%1$s && gzip %1$s && mv %1$s.gz %1$s"
			 : i == 1 ? "gzip %1$s %2$s && cat %1$s.gz %2$s.gz >%1$s"
				  : "gzip %1$s %2$s && (cat %1$s.gz; printf '\\0BZh?'; cat "
				    "%2$s.gz) >%1$s",
			 path, other);
		ck_assert_int_eq(system(command), 0);
		ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, NULL), 0);
		if (i < 2)
			expect_usual(&initramfs);
		ck_assert(initramfs.partial == (i == 2));
		initramfs_free(&initramfs);
		snprintf(command, sizeof(command), "rm -f %s.gz %s.gz", path, other);
		ck_assert_int_eq(system(command), 0);
	}
}
END_TEST

/* Started with standard descriptors closed, the file takes one of their numbers. */
START_TEST(reads_without_standard_output)
{
	struct initramfs initramfs;
	int output = dup(STDOUT_FILENO), errors = dup(STDERR_FILENO), r;

	made_initramfs(path, "gzip -c", usual);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	r = initramfs_read(made_root, &there, NULL, 0, &initramfs, NULL);
	dup2(output, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	close(output);
	close(errors);
	ck_assert_int_eq(r, 0);
	expect_usual(&initramfs);
	/* All its names are known. */
	ck_assert(initramfs_has(&initramfs, "etc/suspend.conf"));
	ck_assert(initramfs_has(&initramfs, "etc/*.conf"));
	ck_assert(!initramfs_has(&initramfs, "etc/suspend"));
	initramfs_free(&initramfs);
}
END_TEST

/* U-Boot's header comes first. */
START_TEST(reads_past_the_header_of_uboot)
{
	struct initramfs initramfs;

	made_initramfs(path, "gzip -c", usual);
	made_shell("(printf '\\047\\005\\031\\126%%060d' 0; cat initrd) >new && mv new initrd");
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, NULL), 0);
	expect_usual(&initramfs);
	initramfs_free(&initramfs);
	/* It is cut off within that. */
	made_shell("printf '\\047\\005\\031\\126x' >initrd");
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, NULL), -EBADMSG);
}
END_TEST

/* A report contains a bare archive in place of each. */
START_TEST(reads_what_a_report_has)
{
	static const char *const whole[] = { ".cmdline", "ro resume=UUID=2", NULL };
	static const char *const damaged[] = { ".unread", "-95 it is packed", NULL };
	static const char *const partial[] = { ".unread", "0 ", NULL };
	struct initramfs initramfs;
	struct why w = { "" };

	made_initramfs(path, "", whole);
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, &w), 0);
	ck_assert_str_eq(initramfs.cmdline, "ro resume=UUID=2");
	ck_assert(!initramfs.partial);
	initramfs_free(&initramfs);
	made_initramfs(path, "", damaged);
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, &w), -95);
	ck_assert_str_eq(w.text, "/initrd: it is packed");
	made_initramfs(path, "", partial);
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, &w), 0);
	ck_assert(initramfs.partial);
	initramfs_free(&initramfs);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "initramfs");

	enter_build();
	tcase_add_checked_fixture(test, make, made_root_remove);
	tcase_set_timeout(test, 120);
	tcase_add_loop_test(test, unpacks, 0, sizeof(packers) / sizeof(packers[0]));
	tcase_add_test(test, knows_the_generators);
	tcase_add_test(test, knows_whose_resume_it_is);
	tcase_add_test(test, finds_the_mark_in_resume);
	tcase_add_test(test, keeps_only_so_many);
	tcase_add_test(test, takes_the_last_of_a_name);
	tcase_add_test(test, stands_damage);
	tcase_add_test(test, says_what_is_wrong);
	tcase_add_test(test, says_what_is_missing);
	tcase_add_test(test, follows_links);
	tcase_add_test(test, tells_of_secrets_with_several_names);
	tcase_add_test(test, keeps_digests_of_secrets);
	tcase_add_test(test, reads_unified_images);
	tcase_add_test(test, reads_on_behind_the_first);
	tcase_add_test(test, reads_without_standard_output);
	tcase_add_test(test, reads_past_the_header_of_uboot);
	tcase_add_test(test, reads_what_a_report_has);
}
