/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk's main(): how it hibernates, in which order, and how that ends. */
#include "fixtures/check_main.h"
#include "main_fixture.h"

/* Only the checks report them, and may refuse. */
START_TEST(unknown_keys)
{
	made_put("/conf", "shutdown method = shutdown\nresume device = /swapfile\nenrypt = y\n");
	s2disk("", EXIT_DONE,
	       "lock recover on find look keep check location others-off release hibernate back "
	       "cleared resumed others-on unlock");
	ck_assert_str_eq(said, "");
	ck_assert_uint_eq(unknown.count, 1);
	ck_assert_ptr_nonnull(strstr(unknown.text, "/conf:3: unknown key \"enrypt\""));
	s2disk("--check", EXIT_DONE, "find look check");
	ck_assert_str_eq(said, "");
	ck_assert_uint_eq(unknown.count, 1);
}
END_TEST

#define WHOLE                                                                                      \
	"lock recover on find look keep check location others-off release hibernate back cleared " \
	"resumed others-on"

START_TEST(hibernates)
{
	s2disk("", EXIT_DONE, WHOLE " unlock");
	ck_assert_str_eq(problem, "");
	ck_assert_str_eq(said, "");
	ck_assert(back_after_resume);
	machine.on = 1;
	machine.level = CHECK_WARNING;
	s2disk("", EXIT_DONE, WHOLE " off unlock");
	check_printed(said, "two is so so; do something");
	check_not_printed(said, "one is fine");
	/* Firmware that refuses is not a failure: other names lead to the image, too. */
	machine.location = -EROFS;
	s2disk("", EXIT_DONE, WHOLE " off unlock");
	/* A result that cannot be saved is not a failure. */
	machine.save = -ENOSPC;
	s2disk("", EXIT_DONE, WHOLE " off unlock");
	check_printed(said, "nothing can be kept");
	machine.uid = 1000;
	s2disk("", EXIT_DONE,
	       "lock recover on find look keep check location others-off release hibernate back "
	       "cleared others-on off "
	       "unlock");
}
END_TEST

START_TEST(in_a_guest)
{
	machine.guest = (struct guest){ .kind = GUEST_HYPERV, .hyperv_hibernation = 0 };
	s2disk("-v", EXIT_DONE, WHOLE " unlock");
	check_printed(said, "this is a guest (Hyper-V); its firmware does not offer the S4 state; "
			    "the host has not enabled hibernation");
	machine.guest.hyperv_hibernation = 1;
	s2disk("-v", EXIT_DONE, WHOLE " unlock");
	check_printed(said, "the host has enabled hibernation");
	machine.guest =
		(struct guest){ .kind = GUEST_KVM, .s4_offered = 1, .hyperv_hibernation = 2 };
	s2disk("-v", EXIT_DONE, WHOLE " unlock");
	check_printed(said, "this is a guest (KVM); its firmware offers the S4 state");
	check_not_printed(said, "the host has");
	machine.guest.kind = GUEST_NONE;
	s2disk("-v", EXIT_DONE, WHOLE " unlock");
	check_not_printed(said, "guest");
}
END_TEST

/* The next boot has nothing else to find the image by. */
START_TEST(needs_the_variable)
{
	machine.on = 1;
	machine.location = -ENOSPC;
	machine.without = CHECK_FAILED;
	s2disk("", EXIT_FAILED, "lock recover on find look keep check location failed off unlock");
	check_printed(said, "not hibernated: location failed; the next boot finds the image only");
	check_printed(said, "-P \"way back = warn\"");
	check_printed(said, "kept: location failed");
	machine.without = CHECK_WARNING;
	s2disk("", EXIT_DONE, WHOLE " off unlock");
	check_printed(said, "location failed; the next boot finds the image only");
	check_not_printed(said, "to hibernate anyway");
	machine.without = CHECK_FAILED;
	machine.location = 0;
	s2disk("", EXIT_DONE, WHOLE " off unlock");
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(another_is_at_it)
{
	machine.lock = -EBUSY;
	s2disk("", EXIT_FAILED, "lock");
	check_printed(said, "not hibernated: lock failed");
}
END_TEST

START_TEST(checks_say_no)
{
	machine.level = CHECK_FAILED;
	machine.on = 1;
	s2disk("", EXIT_REFUSED, "lock recover on find look keep check refused off unlock");
	check_printed(said, "two is so so; do something");
	check_printed(said, "kept: two is so so");
	check_not_printed(said, "one is fine");
}
END_TEST

START_TEST(no_area)
{
	machine.find = -ENODEV;
	machine.on = 1;
	s2disk("", EXIT_REFUSED, "lock recover on find look keep check refused off unlock");
	ck_assert_str_eq(problem, "find failed");
	machine.on = -EPERM;
	s2disk("", EXIT_REFUSED, "lock recover on look keep check refused unlock");
	ck_assert_str_eq(problem, "on failed");
}
END_TEST

/* Then the next boot could not judge the image. */
START_TEST(machine_cannot_be_described)
{
	machine.on = 1;
	machine.capture = -ENOMEM;
	s2disk("", EXIT_REFUSED, "lock recover on find look check refused off unlock");
	ck_assert_str_eq(problem, "look failed");
	s2disk("--dry-run", EXIT_REFUSED, "find look check");
	s2disk("--check", EXIT_REFUSED, "find look check");
	machine.crypto = -EIO;
	s2disk("", EXIT_REFUSED, "lock recover on find check refused off unlock");
	ck_assert_str_eq(problem, "no cryptography");
}
END_TEST

START_TEST(hibernating_fails)
{
	machine.on = 1;
	machine.hibernate = -EIO;
	s2disk("", EXIT_FAILED,
	       "lock recover on find look keep check location others-off release hibernate back "
	       "cleared failed others-on off unlock");
	check_printed(said, "not hibernated: hibernate failed");
	ck_assert(!back_after_resume);
}
END_TEST

START_TEST(nvidia)
{
	s2disk("", EXIT_DONE, WHOLE " unlock");
	ck_assert_uint_eq(nvidia_woken, 0);
	has_nvidia = true;
	s2disk("", EXIT_DONE, WHOLE " unlock");
	ck_assert(!nvidia_asleep);
	ck_assert_uint_eq(nvidia_woken, 1);
	machine.hibernate = -EIO;
	s2disk("", EXIT_FAILED,
	       "lock recover on find look keep check location others-off release hibernate back "
	       "cleared failed others-on unlock");
	ck_assert(!nvidia_asleep);
	ck_assert_uint_eq(nvidia_woken, 2);
	/* Not before all is released. */
	machine.release = -EBUSY;
	s2disk("", EXIT_FAILED,
	       "lock recover on find look keep check location others-off release cleared failed "
	       "others-on unlock");
	ck_assert_uint_eq(nvidia_woken, 2);
	machine.release = 0;
	nvidia_hangs = true;
	s2disk("", EXIT_FAILED,
	       "lock recover on find look keep check location others-off release back cleared "
	       "failed others-on unlock");
	check_printed(said, "not hibernated: the driver nvidia has not suspended");
	ck_assert_uint_eq(nvidia_woken, 2);
}
END_TEST

START_TEST(releasing_fails)
{
	machine.on = 1;
	machine.release = -EBUSY;
	s2disk("", EXIT_FAILED,
	       "lock recover on find look keep check location others-off release cleared failed "
	       "others-on off unlock");
	check_printed(said, "not hibernated: release failed");
	check_printed(said, "kept: release failed");
	/* Without a plan the machine is not described. */
	machine.plan = -ENOMEM;
	s2disk("", EXIT_REFUSED, "lock recover on find look keep check refused off unlock");
	ck_assert_str_eq(problem, "Cannot allocate memory");
}
END_TEST

/* Waiting for a passphrase does not keep others from hibernating. */
START_TEST(asks_for_a_passphrase)
{
	machine.on = 1;
	made_put("/conf", "shutdown method = shutdown\nencrypt = y\n");
	s2disk("", EXIT_DONE,
	       "lock recover on find look keep check unlock memory keys lock location others-off "
	       "release hibernate back cleared wipe resumed "
	       "others-on off unlock");
	/* Another one did meanwhile. */
	machine.second_lock = -EBUSY;
	s2disk("", EXIT_FAILED,
	       "lock recover on find look keep check unlock memory keys lock wipe failed off");
	check_printed(said, "not hibernated: lock failed");
	check_printed(said, "kept: lock failed");
	machine.keys = -ECANCELED;
	s2disk("", EXIT_FAILED,
	       "lock recover on find look keep check unlock memory keys wipe failed off");
	check_printed(said, "not hibernated: keys failed");
	machine.mlock = -EPERM;
	s2disk("", EXIT_FAILED, "lock recover on find look keep check unlock memory failed off");
	check_printed(said, "cannot lock this program's memory: Operation not permitted");
}
END_TEST

START_TEST(key_pair_asks_nothing)
{
	made_put("/conf", "shutdown method = shutdown\nencrypt = y\nkey pair = /etc/pair\n");
	s2disk("", EXIT_DONE,
	       "lock recover on find look keep check memory keys location others-off release "
	       "hibernate back cleared wipe resumed others-on unlock");
	machine.keys = -ENOENT;
	s2disk("", EXIT_FAILED,
	       "lock recover on find look keep check memory keys wipe failed unlock");
	check_printed(said, "not hibernated: keys failed");
}
END_TEST

void test_cases(Suite *suite)
{
	const TTest *const tests[] = {
		unknown_keys,
		hibernates,
		another_is_at_it,
		checks_say_no,
		no_area,
		machine_cannot_be_described,
		hibernating_fails,
		releasing_fails,
		asks_for_a_passphrase,
		key_pair_asks_nothing,
		nvidia,
		needs_the_variable,
		in_a_guest,
	};
	TCase *tcase = test_case(suite, "main");

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
}
