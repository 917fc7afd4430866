/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-sleep on a made-up machine: what happens, in which order. */
#include "sleep_fixture.h"

#include "base/io.h"
#include "base/text.h"
#include "tools/sleep/sleep_hybrid.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

START_TEST(knows_the_words)
{
	enum sleep_operation operation;

	ck_assert_int_eq(sleep_operation_parse("hibernate", &operation), 0);
	ck_assert_int_eq(operation, SLEEP_HIBERNATE);
	ck_assert_int_eq(sleep_operation_parse("hybrid-sleep", &operation), 0);
	ck_assert_int_eq(operation, SLEEP_HYBRID);
	ck_assert_int_eq(sleep_operation_parse("suspend-then-hibernate", &operation), 0);
	ck_assert_int_eq(operation, SLEEP_SUSPEND_THEN_HIBERNATE);
	ck_assert_int_eq(sleep_operation_parse("suspend", &operation), -EINVAL);
	ck_assert_int_eq(sleep_operation_parse("", &operation), -EINVAL);
}
END_TEST

START_TEST(hibernates)
{
	ck_assert_int_eq(run(SLEEP_HIBERNATE), 0);
	ck_assert_str_eq(story(), "pre hibernate hibernate\nlock\ns2disk\n"
				  "post hibernate hibernate\n");
}
END_TEST

/* Hooks that stopped something must start it again. */
START_TEST(runs_hooks_after_a_failure)
{
	machine.hibernate_result = 3;
	ck_assert_int_lt(run(SLEEP_HIBERNATE), 0);
	ck_assert_str_eq(story(), "pre hibernate hibernate\nlock\ns2disk\n"
				  "post hibernate hibernate\n");
}
END_TEST

/* The journal's end of it; the next entry with zero bytes for line ends. */
static int open_journal(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	made_directory("/run/systemd/journal");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/run/systemd/journal/socket",
		 made_root);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void expect_entry(int journal, const char *wanted)
{
	char text[1024];
	ssize_t length = recv(journal, text, sizeof(text) - 1, MSG_DONTWAIT);

	ck_assert_int_gt(length, 0);
	text[length] = '\0';
	ck_assert_str_eq(text, wanted);
}

#define FIELDS(id, operation, action)                                              \
	"SYSLOG_IDENTIFIER=s2disk-sleep\nMESSAGE_ID=" id "\nSLEEP=" operation "\n" \
	"S2DISK_ACTION=" action "\n"
#define BEGUN "6bbd95ee977941e497c48be27c254128"
#define ENDED "8811e6df2a8e40f58a94cea26f8ebf14"

START_TEST(tells_the_journal)
{
	int journal = open_journal();

	ck_assert_int_eq(run(SLEEP_HIBERNATE), 0);
	expect_entry(journal, "MESSAGE=Going to sleep (hibernate)\nPRIORITY=6\n" FIELDS(
				      BEGUN, "hibernate", "hibernate"));
	expect_entry(journal, "MESSAGE=Back from sleep (hibernate)\nPRIORITY=6\n" FIELDS(
				      ENDED, "hibernate", "hibernate"));
	machine.suspend_result = -EBUSY;
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), -EBUSY);
	expect_entry(journal, "MESSAGE=Going to sleep (suspend)\nPRIORITY=6\n" FIELDS(
				      BEGUN, "suspend-then-hibernate", "suspend"));
	expect_entry(journal,
		     "MESSAGE=Could not sleep, the system runs on (suspend)\nPRIORITY=3\n" FIELDS(
			     ENDED, "suspend-then-hibernate", "suspend"));
	close(journal);
}
END_TEST

START_TEST(sleeps_in_both)
{
	ck_assert_int_eq(run(SLEEP_HYBRID), 0);
	ck_assert_str_eq(story(), "pre hybrid-sleep hybrid-sleep\nlock\ns2disk suspend\n"
				  "post hybrid-sleep hybrid-sleep\n");
}
END_TEST

/* The image could not be written: asleep it is anyway, as was requested. */
START_TEST(suspends_when_hybrid_sleep_failed)
{
	machine.hibernate_result = 3;
	ck_assert_int_eq(run(SLEEP_HYBRID), 0);
	ck_assert_str_eq(story(), "pre hybrid-sleep hybrid-sleep\nlock\ns2disk suspend\n"
				  "post hybrid-sleep hybrid-sleep\n"
				  "pre hybrid-sleep suspend-after-failed-hybrid-sleep\nlock\n"
				  "suspend 0 min\n"
				  "post hybrid-sleep suspend-after-failed-hybrid-sleep\n");
	machine.suspend_result = -EBUSY;
	ck_assert_int_eq(run(SLEEP_HYBRID), -EBUSY);
}
END_TEST

/* From the first hook to the last, failures included. */
START_TEST(freezes_users_around_all)
{
	static const enum sleep_operation all[] = { SLEEP_HIBERNATE, SLEEP_HYBRID,
						    SLEEP_SUSPEND_THEN_HIBERNATE };
	const char *thaw;

	machine.has_users = true;
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_str_eq(story(), "freeze\n" NAP("120") DISK "thaw\n");
	for (size_t i = 0; i < 3; i++) {
		made_put("/story", NULL);
		machine.hibernate_result = 1;
		machine.suspend_result = -EBUSY;
		ck_assert_int_lt(run(all[i]), 0);
		ck_assert_int_eq(strncmp(story(), "freeze\npre ", 11), 0);
		thaw = strstr(story(), "thaw\n");
		ck_assert_ptr_nonnull(thaw);
		ck_assert_str_eq(thaw, "thaw\n");
	}
}
END_TEST

START_TEST(fails_if_users_stay_frozen)
{
	machine.has_users = true;
	machine.thaw_result = -EIO;
	ck_assert_int_eq(run(SLEEP_HIBERNATE), -EIO);
	made_put("/etc/systemd/sleep.conf", "[Sleep]\nAllowHibernation=no\n");
	made_put("/story", NULL);
	ck_assert_int_eq(run(SLEEP_HIBERNATE), -EPERM);
	ck_assert_str_eq(story(), "");
}
END_TEST

START_TEST(suspends_again_when_hibernating_failed)
{
	machine.hibernate_result = 1;
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_ptr_nonnull(strstr(story(),
				     DISK "pre suspend-then-hibernate "
					  "suspend-after-failed-hibernate\nlock\nsuspend "));
	machine.suspend_result = -EBUSY;
	ck_assert_int_lt(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
}
END_TEST

START_TEST(obeys_what_is_forbidden)
{
	made_put("/etc/systemd/sleep.conf", "[Sleep]\nAllowHibernation=no\n");
	ck_assert_int_eq(run(SLEEP_HIBERNATE), -EPERM);
	ck_assert_int_eq(run(SLEEP_HYBRID), -EPERM);
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), -EPERM);
	ck_assert_str_eq(story(), "");
	made_put("/etc/systemd/sleep.conf",
		 "[Sleep]\nAllowSuspend=no\nAllowSuspendThenHibernate=yes\nAllowHybridSleep=\n");
	ck_assert_int_eq(run(SLEEP_HYBRID), -EPERM);
	ck_assert_int_eq(run(SLEEP_HIBERNATE), 0);
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
}
END_TEST

#define MEMORY_ONLY                                                  \
	"pre hybrid-sleep suspend-after-failed-hybrid-sleep\nlock\n" \
	"suspend 0 min\npost hybrid-sleep suspend-after-failed-hybrid-sleep\n"

/* All of it, hooks and the freezing of users included. */
START_TEST(hands_hybrid_sleep_to_systemd)
{
	machine.has_users = true;
	made_put("/sys/power/mem_sleep", "[s2idle]\n");
	ck_assert_int_eq(run(SLEEP_HYBRID), 0);
	ck_assert_str_eq(story(), "systemd-sleep hybrid-sleep\n");
	ck_assert_ptr_nonnull(strstr(said, "and this machine has none\nsystemd-sleep takes over"));
	machine.hand_over_result = -EIO;
	ck_assert_int_eq(run(SLEEP_HYBRID), -EIO);
	ck_assert_str_eq(story(), "systemd-sleep hybrid-sleep\nsystemd-sleep hybrid-sleep\n");
	made_put("/story", NULL);
	ck_assert_int_eq(run(SLEEP_HIBERNATE), 0);
	ck_assert_ptr_null(strstr(story(), "systemd-sleep"));
}
END_TEST

START_TEST(suspends_without_systemd_sleep)
{
	made_put("/sys/power/mem_sleep", "[s2idle]\n");
	machine.hand_over_result = -ENOENT;
	ck_assert_int_eq(run(SLEEP_HYBRID), 0);
	ck_assert_str_eq(story(), "systemd-sleep hybrid-sleep\n" MEMORY_ONLY);
}
END_TEST

/* The kernel's own image is not encrypted. */
START_TEST(keeps_what_is_sealed_from_the_disk)
{
	made_put("/sys/power/mem_sleep", "[s2idle]\n");
	made_system.sealed_only = true;
	ck_assert_int_eq(run(SLEEP_HYBRID), 0);
	ck_assert_str_eq(story(), MEMORY_ONLY);
	ck_assert_ptr_nonnull(strstr(said, "\"encrypt = y\" demands encryption"));
	/* Also where deep sleep is there, and not chosen. */
	made_put("/sys/power/mem_sleep", "[s2idle] deep\n");
	made_put("/story", NULL);
	ck_assert_int_eq(run(SLEEP_HYBRID), 0);
	ck_assert_str_eq(story(), MEMORY_ONLY);
}
END_TEST

static enum sleep_hybrid way(const char *offered, const char *wanted)
{
	struct sleep_config config = { .delay_usec = 0 };

	made_put("/sys/power/mem_sleep", offered);
	strcpy(config.memory_mode, wanted);
	return sleep_hybrid_way(made_root, &config, false);
}

START_TEST(knows_who_can_sleep_so)
{
	ck_assert_int_eq(way(NULL, "s2idle"), HYBRID_BY_S2DISK);
	ck_assert_int_eq(way("s2idle [deep]\n", ""), HYBRID_BY_S2DISK);
	ck_assert_int_eq(way("[s2idle] shallow\n", ""), HYBRID_BY_SYSTEMD);
	ck_assert_int_eq(way("[s2idle] deeper\n", ""), HYBRID_BY_SYSTEMD);
	ck_assert_int_eq(way("s2idle [deeper] deep\n", ""), HYBRID_BY_SYSTEMD);
	/* Firmware or command line chose; deep may not work there. */
	said[0] = '\0';
	ck_assert_int_eq(way("[s2idle] deep\n", ""), HYBRID_BY_SYSTEMD);
	ck_assert_ptr_nonnull(strstr(said, "set to s2idle; MemorySleepMode=deep in sleep.conf"));
	ck_assert_int_eq(way("[s2idle] deep\n", "shallow"), HYBRID_BY_SYSTEMD);
	ck_assert_int_eq(way("s2idle deep\n", ""), HYBRID_BY_SYSTEMD);
	ck_assert_int_eq(way("s2idle [deep", ""), HYBRID_BY_S2DISK);
	/* MemorySleepMode=: the first that the kernel offers. */
	ck_assert_int_eq(way("s2idle [deep]\n", "s2idle"), HYBRID_BY_SYSTEMD);
	ck_assert_ptr_nonnull(strstr(said, "MemorySleepMode= of sleep.conf chooses s2idle\n"));
	ck_assert_int_eq(way("[s2idle] deep\n", "deep s2idle"), HYBRID_BY_S2DISK);
	ck_assert_int_eq(way("s2idle [deep]\n", " shallow  deep"), HYBRID_BY_S2DISK);
	ck_assert_int_eq(way("s2idle [deep]\n", "deep-ish"), HYBRID_BY_S2DISK);
	ck_assert_int_eq(way("[s2idle]\n", "deep"), HYBRID_BY_SYSTEMD);
}
END_TEST

/* For drivers that ask which it is. */
START_TEST(chooses_deep)
{
	char text[32];

	made_put("/sys/power/mem_sleep", "[s2idle] deep\n");
	sleep_hybrid_choose_deep(made_root);
	ck_assert_int_gt(io_read_text(made_root, "/sys/power/mem_sleep", text, sizeof(text)), 0);
	ck_assert(text_starts(text, "deep"));
	made_put("/sys/power/mem_sleep", "s2idle [deep]\n");
	sleep_hybrid_choose_deep(made_root);
	ck_assert_int_gt(io_read_text(made_root, "/sys/power/mem_sleep", text, sizeof(text)), 0);
	ck_assert_str_eq(text, "s2idle [deep]\n");
	made_put("/sys/power/mem_sleep", NULL);
	sleep_hybrid_choose_deep(made_root);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "sleep");

	block_child();
	tcase_add_checked_fixture(test, make, clean);
	tcase_set_timeout(test, 30);
	tcase_add_test(test, knows_the_words);
	tcase_add_test(test, hibernates);
	tcase_add_test(test, runs_hooks_after_a_failure);
	tcase_add_test(test, tells_the_journal);
	tcase_add_test(test, sleeps_in_both);
	tcase_add_test(test, suspends_when_hybrid_sleep_failed);
	tcase_add_test(test, freezes_users_around_all);
	tcase_add_test(test, fails_if_users_stay_frozen);
	tcase_add_test(test, suspends_again_when_hibernating_failed);
	tcase_add_test(test, obeys_what_is_forbidden);
	tcase_add_test(test, hands_hybrid_sleep_to_systemd);
	tcase_add_test(test, suspends_without_systemd_sleep);
	tcase_add_test(test, keeps_what_is_sealed_from_the_disk);
	tcase_add_test(test, knows_who_can_sleep_so);
	tcase_add_test(test, chooses_deep);
}
