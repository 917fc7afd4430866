/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One resume at a time. */
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "resume/turn.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(test_turns)
{
	int turn;

	ck_assert_int_eq(turn_take(made_root, 0), -ENOENT);
	made_put("/run/x", "");
	turn = turn_take(made_root, 0);
	ck_assert_int_ge(turn, 0);
	ck_assert_int_eq(turn_take(made_root, 0), -EBUSY);
	close(turn);
	turn = turn_take(made_root, 0);
	ck_assert_int_ge(turn, 0);
	close(turn);
	/* Nor through a link. */
	made_put("/run/s2disk/turn", NULL);
	made_link("/run/s2disk/turn", "/dev/null");
	ck_assert_int_eq(turn_take(made_root, 0), -ELOOP);
}
END_TEST

/* A waiting run gets it from the one that ends. */
START_TEST(test_waits)
{
	int ready[2], turn;
	pid_t child;
	char byte;

	made_put("/run/x", "");
	ck_assert_int_eq(pipe(ready), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		if (turn_take(made_root, 0) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		usleep(300000);
		_exit(0);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(turn_take(made_root, 0), -EBUSY);
	turn = turn_take(made_root, 60);
	ck_assert_int_ge(turn, 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	close(turn);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "turn");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, made_root_create, made_root_remove);
	tcase_add_test(tcase, test_turns);
	tcase_add_test(tcase, test_waits);
}
