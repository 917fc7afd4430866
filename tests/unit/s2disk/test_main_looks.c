/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk's main(): what it shows without hibernating, and wrong usage. */
#include "fixtures/check_main.h"
#include "main_fixture.h"

/* Nothing is changed then, not even temporarily, and nothing is saved. */
START_TEST(only_looking)
{
	machine.on = 1;
	s2disk("--check", EXIT_DONE, "find look check");
	check_printed(out, "one is fine");
	check_printed(out, "two is so so");
	s2disk("--check --json", EXIT_DONE, "find look check");
	check_printed(out, "\"result\": \"ok\"");
	s2disk("--dry-run", EXIT_DONE, "find look check");
	ck_assert_str_eq(
		out, "would remove a device: it is so (built in)\n"
		     "would write an image into /swapfile (/dev/sda2, offset 0 pages), "
		     "compressed with LZ4, not encrypted, in several threads, then power off\n");
	machine.level = CHECK_FAILED;
	s2disk("--check", EXIT_REFUSED, "find look check");
	s2disk("--check --json", EXIT_REFUSED, "find look check");
	check_printed(out, "\"result\": \"failed\"");
	s2disk("-n", EXIT_REFUSED, "find look check");
	check_printed(said, "two is so so; do something");
	ck_assert_str_eq(out, "");
}
END_TEST

/* This machine is not examined. */
START_TEST(another_system)
{
	s2disk("--check --root=/some", EXIT_DONE, "described");
	check_printed(out, "one");
	ck_assert(described_ended);
	machine.level = CHECK_FAILED;
	s2disk("--check --json --root=/some", EXIT_REFUSED, "described");
	check_printed(out, "\"result\": \"failed\"");
	s2disk("--check --root=/some -m nonsense", EXIT_USAGE, "");
	ck_assert(described_ended);
}
END_TEST

START_TEST(foretells_the_settings)
{
	made_put("/conf", "shutdown method = shutdown\nencrypt = y\ncompress = n\nthreads = n\n");
	s2disk("-n -o 7", EXIT_DONE, "find look check");
	ck_assert_str_eq(out,
			 "would remove a device: it is so (built in)\n"
			 "would write an image into /swapfile (/dev/sda2, offset 7 pages), not "
			 "compressed, encrypted, in one thread, then power off\n");
}
END_TEST

START_TEST(the_last_one)
{
	s2disk("--last", EXIT_DONE, "print");
	ck_assert_str_eq(out, "it was fine");
	s2disk("--last --json", EXIT_DONE, "print");
	ck_assert_str_eq(out, "{}");
	machine.print = -ENOENT;
	s2disk("--last", EXIT_FAILED, "print");
	check_printed(said, "print failed");
}
END_TEST

/* The early service: no lock that another s2disk would find, no checks. */
START_TEST(keeps_free)
{
	s2disk("--keep-free", EXIT_DONE, "keep");
	ck_assert_str_eq(said, "");
	ck_assert_str_eq(out, "");
	machine.keep = -ENOSPC;
	s2disk("--keep-free", EXIT_FAILED, "keep");
	check_printed(said, "this boot's memory map is not remembered: keep failed");
	machine.uid = 1000;
	s2disk("--keep-free", EXIT_FAILED, "");
	check_printed(said, "not remembered: not running as root");
	s2disk("--keep-free -m nonsense", EXIT_USAGE, "");
}
END_TEST

/* Nothing else is examined. */
START_TEST(a_report)
{
	s2disk("--report=/a/file", EXIT_DONE, "report");
	ck_assert_str_eq(said, "");
	s2disk("--report=/a/file --root=/some", EXIT_DONE, "report");
	ck_assert(described_ended);
	machine.print = -EISDIR;
	s2disk("--report=/a/file", EXIT_FAILED, "report");
	check_printed(said, "no report was written: report failed");
	machine.uid = 1000;
	machine.print = 0;
	s2disk("--report=/a/file", EXIT_DONE, "report");
	check_printed(said, "not running as root");
}
END_TEST

static const struct {
	const char *options, *words;
} wrong[] = {
	{ "--nonsense", "" },
	{ "-x", "" },
	{ "-r", "" },
	{ "/dev/sda2", "'/dev/sda2' is not an option; name the device with -r" },
	{ "--json", "--json needs --check or --last" },
	{ "--json -n", "--json needs --check or --last" },
	{ "--root=/", "--root needs --check or --report" },
	{ "-n --root=/", "--root needs --check or --report" },
	{ "--report=/a/file --check", "--report excludes --check" },
	{ "--report=/a/file -n", "--report excludes --check" },
	{ "--report=/a/file --last", "--report excludes --check" },
	{ "--keep-free --check", "--keep-free excludes --check" },
	{ "--keep-free --last", "--keep-free excludes --check" },
	{ "--keep-free -n", "--keep-free excludes --check" },
	{ "--keep-free --report=/a/file", "--keep-free excludes --check" },
	{ "--keep-free --json", "--json needs --check or --last" },
	{ "--report=/a/file --root=/no/such", "/no/such: not there" },
	{ "--check --root=/no/such", "/no/such: not there" },
	{ "-m nonsense", "nonsense" },
	{ "-s many", "many" },
	{ "-o x", "x" },
	{ "-P nonsense=1", "nonsense" },
	{ "-f /no/such/file", "/no/such/file" },
};

/* A typing error must not hibernate the machine. */
START_TEST(wrong_usage)
{
	s2disk(wrong[_i].options, EXIT_USAGE, "");
	check_printed(said, wrong[_i].words);
}
END_TEST

START_TEST(tells_of_itself)
{
	s2disk("--help", EXIT_DONE, "");
	check_printed(out, "Usage: s2disk [OPTION]...");
	s2disk("--version", EXIT_DONE, "");
	ck_assert_str_eq(out, "s2disk " PACKAGE_VERSION "\n");
	s2disk("-h --nonsense", EXIT_DONE, "");
}
END_TEST

void test_cases(Suite *suite)
{
	const TTest *const tests[] = {
		only_looking, another_system, foretells_the_settings, the_last_one,
		keeps_free,   a_report,	      tells_of_itself,
	};
	TCase *tcase = test_case(suite, "main_looks");

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(tcase, wrong_usage, 0, (int)(sizeof(wrong) / sizeof(wrong[0])));
}
