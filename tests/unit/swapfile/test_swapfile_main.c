/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main() of s2disk-swapfile: which command gets what, and how it ends. */
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "fixtures/capture.h"
#include "fixtures/said.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

int program_main(int argc, char **argv);
#define main program_main
#include "tools/swapfile/main.c"
#undef main

static uid_t uid;
static int crypto;
static int result;	    /* of every command */
static const char *reason;  /* that it gives */
static struct swapfile got; /* what it got */
static char called[64], out[8192];
static bool locked; /* while it ran */

int __wrap_swapfile_do_create(struct swapfile *s, struct why *w);
int __wrap_swapfile_do_offset(struct swapfile *s, struct why *w);
int __wrap_swapfile_do_check(struct swapfile *s, struct why *w);
int __wrap_swapfile_do_enable(struct swapfile *s, struct why *w);
int __wrap_swapfile_do_disable(struct swapfile *s, struct why *w);
int __wrap_swapfile_do_remove(struct swapfile *s, struct why *w);
int __wrap_crypto_init(struct why *w);
uid_t __wrap_geteuid(void);

static bool is_locked(void)
{
	char path[128];
	int fd;
	bool r;

	snprintf(path, sizeof(path), "%s/run/s2disk-swapfile.lock", made_root);
	fd = open(path, O_RDWR | O_CLOEXEC);
	r = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
	if (fd >= 0)
		close(fd);
	return r;
}

static int call(const char *name, struct swapfile *s, struct why *w)
{
	strcat(called, name);
	got = *s;
	locked = is_locked();
	if (reason)
		why(w, -EIO, "%s", reason);
	return result;
}

int __wrap_swapfile_do_create(struct swapfile *s, struct why *w)
{
	return call("create", s, w);
}

int __wrap_swapfile_do_offset(struct swapfile *s, struct why *w)
{
	return call(s->uswsusp ? "swap-offset" : "offset", s, w);
}

int __wrap_swapfile_do_check(struct swapfile *s, struct why *w)
{
	return call("check", s, w);
}

int __wrap_swapfile_do_enable(struct swapfile *s, struct why *w)
{
	return call("enable", s, w);
}

int __wrap_swapfile_do_disable(struct swapfile *s, struct why *w)
{
	return call("disable", s, w);
}

int __wrap_swapfile_do_remove(struct swapfile *s, struct why *w)
{
	return call("remove", s, w);
}

int __wrap_crypto_init(struct why *w)
{
	return crypto < 0 ? why(w, crypto, "no cryptography") : 0;
}

uid_t __wrap_geteuid(void)
{
	return uid;
}

static void setup(void)
{
	made_root_create();
	made_directory("/run");
	uid = 0;
	crypto = 0;
	result = 0;
	reason = NULL;
}

/* Runs a program with options, blanks between. */
static void run_program(const char *name, const char *options, int code, const char *expected)
{
	static char text[512];
	char *argv[16], *rest;
	int argc = 0, ended;

	snprintf(text, sizeof(text), "%s --root=%s %s", name, made_root, options);
	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	argv[argc] = NULL;
	called[0] = '\0';
	said_begin(SAID_AS_SET, false);
	optind = 0; /* from the first again */
	capture_begin();
	ended = program_main(argc, argv);
	capture_end(out, sizeof(out));
	ck_assert_msg(ended == code, "%s: %d, not %d: %s", options, ended, code, said);
	ck_assert_str_eq(called, expected);
}

static void swapfile(const char *options, int code, const char *expected)
{
	run_program("/usr/sbin/s2disk-swapfile", options, code, expected);
}

START_TEST(commands_get_theirs)
{
	swapfile("create --size=16G --no-subvolume --enable --hibernate-only /swap/file", EXIT_DONE,
		 "create");
	ck_assert_str_eq(got.path, "/swap/file");
	ck_assert_str_eq(got.root, made_root);
	ck_assert_uint_eq(got.size, 16ULL << 30);
	ck_assert(got.no_subvolume && got.enable && got.hibernate_only && !got.dry_run);
	swapfile("create -s auto -n /swapfile", EXIT_DONE, "create");
	ck_assert_uint_eq(got.size, 0);
	ck_assert(!got.no_subvolume && !got.enable && !got.hibernate_only && got.dry_run);
	swapfile("offset /swapfile", EXIT_DONE, "offset");
	swapfile("check", EXIT_DONE, "check");
	ck_assert_ptr_null(got.path);
	swapfile("check /swapfile", EXIT_DONE, "check");
	ck_assert_str_eq(got.path, "/swapfile");
	swapfile("enable --hibernate-only /swapfile", EXIT_DONE, "enable");
	ck_assert(got.hibernate_only);
	swapfile("disable -q", EXIT_DONE, "disable");
	ck_assert(got.quiet);
	swapfile("remove", EXIT_DONE, "remove");
	swapfile("remove /swapfile", EXIT_DONE, "remove");
}
END_TEST

static const struct {
	const char *options, *words;
} wrong[] = {
	{ "", "no command given" },
	{ "nonsense", "nonsense is not a command" },
	{ "create", "create takes one PATH" },
	{ "create a b", "create takes one PATH" },
	{ "offset", "offset takes one PATH" },
	{ "enable", "enable takes one PATH" },
	{ "check a b", "check takes one PATH at most" },
	{ "remove a b", "remove takes one PATH at most" },
	{ "disable a", "disable takes no PATH" },
	{ "create --size=many a", "'many' is not a size" },
	{ "create --size=0 a", "'0' is not a size" },
	{ "enable --size=1G a", "need create" },
	{ "enable --no-subvolume a", "need create" },
	{ "remove --enable a", "need create" },
	{ "check --hibernate-only", "--hibernate-only needs enable" },
	{ "create --hibernate-only a", "--hibernate-only needs enable" },
	{ "enable --json a", "--json needs check" },
	{ "create --nonsense a", "" },
};

START_TEST(used_wrongly)
{
	swapfile(wrong[_i].options, EXIT_USAGE, "");
	check_printed(said, wrong[_i].words);
}
END_TEST

/* Nothing else. */
static void expect_said(const char *line)
{
	char text[256];

	snprintf(text, sizeof(text), "%s\n", line);
	ck_assert_str_eq(said, text);
}

START_TEST(how_it_ends)
{
	result = -EIO;
	reason = "the disk is full";
	swapfile("enable a", EXIT_FAILED, "enable");
	expect_said(reason);
	result = -EINVAL;
	swapfile("enable a", EXIT_REFUSED, "enable");
	expect_said(reason);
	result = -ENOSPC;
	swapfile("create a", EXIT_REFUSED, "create");
	/* It is in the list already. */
	reason = NULL;
	result = 1;
	swapfile("check", EXIT_REFUSED, "check");
	ck_assert_str_eq(said, "");
}
END_TEST

static const struct {
	const char *options, *command;
	bool locks;
} locking[] = {
	{ "create a", "create", true },	    { "enable a", "enable", true },
	{ "disable", "disable", true },	    { "remove", "remove", true },
	{ "offset a", "offset", false },    { "check", "check", false },
	{ "create -n a", "create", false }, { "disable -n", "disable", false },
};

/* Only one run at a time changes the system. */
START_TEST(one_at_a_time)
{
	char path[128];
	int fd;

	swapfile(locking[_i].options, EXIT_DONE, locking[_i].command);
	ck_assert(locked == locking[_i].locks);
	ck_assert(!is_locked());
	snprintf(path, sizeof(path), "%s/run/s2disk-swapfile.lock", made_root);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	if (locking[_i].locks) {
		swapfile(locking[_i].options, EXIT_FAILED, "");
		check_printed(said, "another s2disk-swapfile is running");
		uid = 1000;
		swapfile(locking[_i].options, EXIT_FAILED, "");
		check_printed(said, "only root can do this");
	} else {
		uid = 1000;
		swapfile(locking[_i].options, EXIT_DONE, locking[_i].command);
	}
	close(fd);
}
END_TEST

START_TEST(no_cryptography)
{
	crypto = -EIO;
	swapfile("check", EXIT_FAILED, "");
	expect_said("no cryptography");
}
END_TEST

/* The program of uswsusp. */
START_TEST(swap_offset)
{
	run_program("/usr/sbin/swap-offset", "/swapfile", EXIT_DONE, "swap-offset");
	ck_assert_str_eq(got.path, "/swapfile");
	run_program("swap-offset", "", EXIT_USAGE, "");
	check_printed(said, "offset takes one PATH");
	run_program("swap-offset", "a b", EXIT_USAGE, "");
	result = -EINVAL;
	reason = "it has holes";
	run_program("swap-offset", "a", EXIT_FAILED, "swap-offset");
	expect_said(reason);
	run_program("swap-offset", "--help", EXIT_DONE, "");
	check_printed(out, "       swap-offset PATH");
	run_program("swap-offset", "--version", EXIT_DONE, "");
	ck_assert_str_eq(out, "swap-offset " PACKAGE_VERSION "\n");
}
END_TEST

START_TEST(tells_of_itself)
{
	swapfile("--help", EXIT_DONE, "");
	check_printed(out, "Usage: s2disk-swapfile create");
	swapfile("-V", EXIT_DONE, "");
	ck_assert_str_eq(out, "s2disk-swapfile " PACKAGE_VERSION "\n");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "swapfile_main");

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	tcase_add_test(tcase, commands_get_theirs);
	tcase_add_loop_test(tcase, used_wrongly, 0, (int)ARRAY_SIZE(wrong));
	tcase_add_test(tcase, how_it_ends);
	tcase_add_loop_test(tcase, one_at_a_time, 0, (int)ARRAY_SIZE(locking));
	tcase_add_test(tcase, no_cryptography);
	tcase_add_test(tcase, swap_offset);
	tcase_add_test(tcase, tells_of_itself);
}
