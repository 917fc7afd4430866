/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk's main(): what is done, in which order, and how it ends; everything that it calls is
 * made up. */
#include "fixtures/made_root.h"
#include "fixtures/made_told.h"

#include <check.h>
#include <stdarg.h>
#include <stdlib.h>

int program_main(int argc, char **argv);
#define main program_main
#include "s2disk/main.c"
#undef main

static struct {
	uid_t uid;
	int lock, second_lock, on, find, crypto, capture, mlock, keys, hibernate, save, print;
	enum check_level level; /* of the check that comes out worst */
} machine;

static char events[256];	    /* what was called, and what was kept of it */
static char said[4096];		    /* messages */
static const char *problem;	    /* as the checks got it: why there is no area, or no machine */
static struct unknown_keys unknown; /* … and the unknown keys */
static unsigned int locks;
static bool held_back; /* are signals, since it hibernated */
static void (*answered_before)(int);
static bool others_off;

int __wrap_target_find(const struct settings *settings, const char *root, bool running,
		       struct swap_area *ret, struct why *w);
int __wrap_crypto_init(struct why *w);
int __wrap_image_keys_prepare(const struct settings *settings,
			      const struct passphrase_places *places, struct key_ways **ret,
			      struct why *w);
void __wrap_key_ways_free(struct key_ways *ways);
int __wrap_mlockall(int flags);
uid_t __wrap_geteuid(void);
void __wrap_secret_process(void);
void __wrap_log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void __wrap_preflight_run(const struct settings *settings, const struct preflight_target *target,
			  const char *root, struct preflight *ret);

static int event(const char *name, int r)
{
	if (events[0])
		strcat(events, " ");
	strcat(events, name);
	return r;
}

/* A negative errno with a sentence of its own. */
static int event_why(const char *name, int r, struct why *w)
{
	event(name, r);
	return r < 0 ? why(w, r, "%s failed", name) : r;
}

uid_t __wrap_geteuid(void)
{
	return machine.uid;
}

/* The real one disables dumps; sanitizers cannot inspect such a process. */
void __wrap_secret_process(void)
{
}

void __wrap_log_message(enum log_level level, const char *format, ...)
{
	size_t used = strlen(said);
	va_list args;

	if (level > log_level())
		return;
	va_start(args, format);
	vsnprintf(said + used, sizeof(said) - used, format, args);
	va_end(args);
	strncat(said, "\n", sizeof(said) - strlen(said) - 1);
}

int hibernate_lock_take(const char *root, int *ret_fd, struct why *w)
{
	int r = event_why("lock", locks++ ? machine.second_lock : machine.lock, w);

	ck_assert_str_eq(root, "");
	if (r == 0)
		*ret_fd = 1000;
	return r;
}

void hibernate_lock_give(int *fd)
{
	if (*fd >= 0)
		event("unlock", 0);
	*fd = -1;
}

int swap_on_demand_begin(const struct settings *settings, struct why *w)
{
	(void)settings;
	return event_why("on", machine.on, w);
}

void swap_on_demand_end(const struct settings *settings)
{
	(void)settings;
	event("off", 0);
}

void swapoff_others_begin(const struct swap_area *own, const char *root)
{
	ck_assert_str_eq(own->name, "/swapfile");
	ck_assert_str_eq(root, "");
	event("others-off", 0);
	others_off = true;
}

/* Signals are answered again, as they were. */
void swapoff_others_end(void)
{
	struct sigaction now;

	sigaction(SIGTERM, NULL, &now);
	ck_assert_ptr_eq(now.sa_handler, answered_before);
	if (others_off)
		event("others-on", 0);
	others_off = false;
}

int __wrap_target_find(const struct settings *settings, const char *root, bool running,
		       struct swap_area *ret, struct why *w)
{
	ck_assert_str_eq(root, "");
	ck_assert(running);
	*ret = (struct swap_area){ .name = "/swapfile",
				   .device = "/dev/sda2",
				   .offset = settings->resume_offset,
				   .file = true };
	return event_why("find", machine.find, w);
}

int __wrap_crypto_init(struct why *w)
{
	return machine.crypto < 0 ? why(w, machine.crypto, "no cryptography") : 0;
}

int machine_record_capture(struct machine_record *record, const char *root, struct why *w)
{
	(void)record;
	ck_assert_str_eq(root, "");
	return event_why("look", machine.capture, w);
}

void machine_record_free(struct machine_record *record)
{
	(void)record;
}

void __wrap_preflight_run(const struct settings *settings, const struct preflight_target *target,
			  const char *root, struct preflight *ret)
{
	static char text[512];

	unknown = settings->unknown;
	ck_assert_str_eq(root, "");
	event("check", 0);
	ck_assert_int_eq(target->area_error, machine.on < 0 ? 0 : machine.find);
	ck_assert((target->platform != NULL) == (target->platform_problem == NULL));
	snprintf(text, sizeof(text), "%s",
		 !target->area	     ? target->area_problem
		 : !target->platform ? target->platform_problem
				     : "");
	problem = text;
	ret->count = 2;
	ret->left_out = 0;
	ret->checks[0] = (struct check){ .id = "one", .level = CHECK_OK, .text = "one is fine" };
	ret->checks[1] = (struct check){ .id = "two",
					 .level = *text ? CHECK_FAILED : machine.level,
					 .text = "two is so so",
					 .advice = "do something" };
}

int __wrap_mlockall(int flags)
{
	ck_assert_int_eq(flags, MCL_CURRENT | MCL_FUTURE);
	errno = -machine.mlock;
	return event("memory", machine.mlock ? -1 : 0);
}

static char made_keys;

int __wrap_image_keys_prepare(const struct settings *settings,
			      const struct passphrase_places *places, struct key_ways **ret,
			      struct why *w)
{
	(void)settings;
	(void)places;
	*ret = (struct key_ways *)&made_keys;
	return event_why("keys", machine.keys, w);
}

void __wrap_key_ways_free(struct key_ways *ways)
{
	if (ways)
		event("wipe", 0);
}

int hibernate(const struct settings *settings, const struct swap_area *area,
	      struct machine_record *record, struct key_ways *keys, struct last *last,
	      struct why *w)
{
	(void)record;
	ck_assert_str_eq(area->name, "/swapfile");
	ck_assert(settings->encrypt == (keys != NULL));
	last->result = machine.hibernate < 0 ? LAST_FAILED : LAST_RESUMED;
	abort_watch_begin();
	held_back = true;
	return event_why("hibernate", machine.hibernate, w);
}

enum method power_off_method(enum method wanted, const char *root)
{
	ck_assert_str_eq(root, "");
	return wanted;
}

void last_begin(struct last *last, const char *area, const char *method)
{
	ck_assert_str_eq(method, "shutdown");
	*last = (struct last){ .result = LAST_RESUMED };
	snprintf(last->area, sizeof(last->area), "%s", area);
}

void last_end(struct last *last, enum last_result result, const char *reason)
{
	last->result = result;
	snprintf(last->reason, sizeof(last->reason), "%s", reason ? reason : "");
}

int last_log_journal(const struct last *last, const char *root)
{
	(void)last;
	ck_assert_str_eq(root, "");
	return -ENOENT;
}

int last_save(const struct last *last, const char *root, struct why *w)
{
	static const char *const names[] = { "resumed", "woke", "tested", "failed", "refused" };

	ck_assert_str_eq(root, "");
	event(names[last->result], 0);
	if (held_back)
		raise(SIGTERM);
	if (last->reason[0]) {
		strcat(said, "kept: ");
		strcat(said, last->reason);
		strcat(said, "\n");
	}
	return machine.save < 0 ? why(w, machine.save, "nothing can be kept") : 0;
}

int last_print(const char *root, bool json, FILE *out, struct why *w)
{
	ck_assert_str_eq(root, "");
	fputs(json ? "{}" : "it was fine", out);
	return event_why("print", machine.print, w);
}

static bool described_ended;

int described_begin(const char *root, struct why *w)
{
	described_ended = false;
	return strcmp(root, "/no/such") == 0 ? why(w, -ENOENT, "%s: not there", root) : 0;
}

const char *described_root(void)
{
	return "";
}

int described_check(struct settings *settings, struct preflight *ret, struct why *w)
{
	(void)w;
	event("described", 0);
	ck_assert_str_eq(settings->resume_device, "/swapfile");
	ret->count = 1;
	ret->left_out = 0;
	ret->checks[0] = (struct check){ .id = "one", .level = machine.level, .text = "one" };
	return 0;
}

bool described_machine(void)
{
	return false;
}

int described_target(const struct settings *settings, struct swap_area *ret, struct why *w)
{
	(void)settings, (void)ret, (void)w;
	return -ENOENT;
}

const struct preflight_system described_system;

int report_write(const struct report_source *source, const struct options *options,
		 const char *file, struct why *w)
{
	ck_assert_str_eq(source->root, "");
	ck_assert(source->describes_machine == (options->root == NULL));
	ck_assert_str_eq(file, "/a/file");
	return event_why("report", machine.print, w);
}

void sleep_method_load(const char *root, struct settings *settings)
{
	ck_assert_str_eq(root, "");
	ck_assert(settings->method_set);
}

void described_end(void)
{
	described_ended = true;
}

static void setup(void)
{
	made_root_create();
	memset(&machine, 0, sizeof(machine));
	made_put("/conf", "shutdown method = shutdown\nresume device = /swapfile\n");
}

static char out[8192];

/* Runs it with that configuration and the options (blanks between, none in
 * them), and looks how it ends and what it has called. */
static void s2disk(const char *options, int code, const char *expected)
{
	char text[512], *argv[16], *rest;
	struct sigaction before, after;
	int argc = 0, ended;

	sigaction(SIGTERM, NULL, &before);
	answered_before = before.sa_handler;
	held_back = false;
	snprintf(text, sizeof(text), "s2disk -f %s/conf %s", made_root, options);
	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	argv[argc] = NULL;
	events[0] = said[0] = '\0';
	locks = 0;
	optind = 0; /* from the first again */
	tell_to_file();
	ended = program_main(argc, argv);
	told(out, sizeof(out));
	ck_assert_msg(ended == code, "%s: %d, not %d: %s", options, ended, code, said);
	ck_assert_str_eq(events, expected);
	sigaction(SIGTERM, NULL, &after);
	ck_assert_ptr_eq(before.sa_handler, after.sa_handler);
}

/* Only the checks report them, and may refuse. */
START_TEST(unknown_keys)
{
	made_put("/conf", "shutdown method = shutdown\nresume device = /swapfile\nenrypt = y\n");
	s2disk("", EXIT_DONE,
	       "lock on find look check others-off hibernate resumed others-on unlock");
	ck_assert_str_eq(said, "");
	ck_assert_uint_eq(unknown.count, 1);
	ck_assert_ptr_nonnull(strstr(unknown.text, "/conf:3: unknown key \"enrypt\""));
	s2disk("--check", EXIT_DONE, "find look check");
	ck_assert_str_eq(said, "");
	ck_assert_uint_eq(unknown.count, 1);
}
END_TEST

#define WHOLE "lock on find look check others-off hibernate resumed others-on"

START_TEST(hibernates)
{
	s2disk("", EXIT_DONE, WHOLE " unlock");
	ck_assert_str_eq(problem, "");
	ck_assert_str_eq(said, "");
	machine.on = 1;
	machine.level = CHECK_WARNING;
	s2disk("", EXIT_DONE, WHOLE " off unlock");
	check_told(said, "two is so so; do something");
	check_untold(said, "one is fine");
	/* A result that cannot be saved is not a failure. */
	machine.save = -ENOSPC;
	s2disk("", EXIT_DONE, WHOLE " off unlock");
	check_told(said, "nothing can be kept");
	machine.uid = 1000;
	s2disk("", EXIT_DONE, "lock on find look check others-off hibernate others-on off unlock");
}
END_TEST

START_TEST(another_is_at_it)
{
	machine.lock = -EBUSY;
	s2disk("", EXIT_FAILED, "lock");
	check_told(said, "not hibernated: lock failed");
}
END_TEST

START_TEST(checks_say_no)
{
	machine.level = CHECK_FAILED;
	machine.on = 1;
	s2disk("", EXIT_REFUSED, "lock on find look check refused off unlock");
	check_told(said, "two is so so; do something");
	check_told(said, "kept: two is so so");
	check_untold(said, "one is fine");
}
END_TEST

START_TEST(no_area)
{
	machine.find = -ENODEV;
	machine.on = 1;
	s2disk("", EXIT_REFUSED, "lock on find look check refused off unlock");
	ck_assert_str_eq(problem, "find failed");
	machine.on = -EPERM;
	s2disk("", EXIT_REFUSED, "lock on look check refused unlock");
	ck_assert_str_eq(problem, "on failed");
}
END_TEST

/* Then the next boot could not judge the image. */
START_TEST(machine_cannot_be_described)
{
	machine.on = 1;
	machine.capture = -ENOMEM;
	s2disk("", EXIT_REFUSED, "lock on find look check refused off unlock");
	ck_assert_str_eq(problem, "look failed");
	s2disk("--dry-run", EXIT_REFUSED, "find look check");
	s2disk("--check", EXIT_REFUSED, "find look check");
	machine.crypto = -EIO;
	s2disk("", EXIT_REFUSED, "lock on find check refused off unlock");
	ck_assert_str_eq(problem, "no cryptography");
}
END_TEST

START_TEST(hibernating_fails)
{
	machine.on = 1;
	machine.hibernate = -EIO;
	s2disk("", EXIT_FAILED,
	       "lock on find look check others-off hibernate failed others-on off unlock");
	check_told(said, "not hibernated: hibernate failed");
}
END_TEST

/* Nothing is changed then, not even temporarily, and nothing is saved. */
START_TEST(only_looking)
{
	machine.on = 1;
	s2disk("--check", EXIT_DONE, "find look check");
	check_told(out, "one is fine");
	check_told(out, "two is so so");
	s2disk("--check --json", EXIT_DONE, "find look check");
	check_told(out, "\"result\": \"ok\"");
	s2disk("--dry-run", EXIT_DONE, "find look check");
	ck_assert_str_eq(
		out, "would write an image into /swapfile (/dev/sda2, offset 0 pages), "
		     "compressed with LZ4, not encrypted, in several threads, then power off\n");
	machine.level = CHECK_FAILED;
	s2disk("--check", EXIT_REFUSED, "find look check");
	s2disk("--check --json", EXIT_REFUSED, "find look check");
	check_told(out, "\"result\": \"failed\"");
	s2disk("-n", EXIT_REFUSED, "find look check");
	check_told(said, "two is so so; do something");
	ck_assert_str_eq(out, "");
}
END_TEST

/* This machine is not examined. */
START_TEST(another_system)
{
	s2disk("--check --root=/some", EXIT_DONE, "described");
	check_told(out, "one");
	ck_assert(described_ended);
	machine.level = CHECK_FAILED;
	s2disk("--check --json --root=/some", EXIT_REFUSED, "described");
	check_told(out, "\"result\": \"failed\"");
	s2disk("--check --root=/some -m nonsense", EXIT_USAGE, "");
	ck_assert(described_ended);
}
END_TEST

START_TEST(foretells_the_settings)
{
	made_put("/conf", "shutdown method = shutdown\nencrypt = y\ncompress = n\nthreads = n\n");
	s2disk("-n -o 7", EXIT_DONE, "find look check");
	ck_assert_str_eq(out,
			 "would write an image into /swapfile (/dev/sda2, offset 7 pages), not "
			 "compressed, encrypted, in one thread, then power off\n");
}
END_TEST

/* Waiting for a passphrase does not keep others from hibernating. */
START_TEST(asks_for_a_passphrase)
{
	machine.on = 1;
	made_put("/conf", "shutdown method = shutdown\nencrypt = y\n");
	s2disk("", EXIT_DONE,
	       "lock on find look check unlock memory keys lock others-off hibernate wipe resumed "
	       "others-on off unlock");
	/* Another one did meanwhile. */
	machine.second_lock = -EBUSY;
	s2disk("", EXIT_FAILED, "lock on find look check unlock memory keys lock wipe failed off");
	check_told(said, "not hibernated: lock failed");
	check_told(said, "kept: lock failed");
	machine.keys = -ECANCELED;
	s2disk("", EXIT_FAILED, "lock on find look check unlock memory keys wipe failed off");
	check_told(said, "not hibernated: keys failed");
	machine.mlock = -EPERM;
	s2disk("", EXIT_FAILED, "lock on find look check unlock memory failed off");
	check_told(said, "cannot lock this program's memory: Operation not permitted");
}
END_TEST

START_TEST(asks_nobody)
{
	made_put("/conf", "shutdown method = shutdown\nencrypt = y\nkey pair = /etc/pair\n");
	s2disk("", EXIT_DONE,
	       "lock on find look check memory keys others-off hibernate wipe resumed others-on "
	       "unlock");
	machine.keys = -ENOENT;
	s2disk("", EXIT_FAILED, "lock on find look check memory keys wipe failed unlock");
	check_told(said, "not hibernated: keys failed");
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
	check_told(said, "print failed");
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
	check_told(said, "no report was written: report failed");
	machine.uid = 1000;
	machine.print = 0;
	s2disk("--report=/a/file", EXIT_DONE, "report");
	check_told(said, "not running as root");
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
	check_told(said, wrong[_i].words);
}
END_TEST

START_TEST(tells_of_itself)
{
	s2disk("--help", EXIT_DONE, "");
	check_told(out, "Usage: s2disk [OPTION]...");
	s2disk("--version", EXIT_DONE, "");
	ck_assert_str_eq(out, "s2disk " PACKAGE_VERSION "\n");
	s2disk("-h --nonsense", EXIT_DONE, "");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		unknown_keys,
		hibernates,
		another_is_at_it,
		checks_say_no,
		no_area,
		machine_cannot_be_described,
		hibernating_fails,
		only_looking,
		another_system,
		foretells_the_settings,
		asks_for_a_passphrase,
		asks_nobody,
		the_last_one,
		a_report,
		tells_of_itself,
	};
	Suite *suite = suite_create("main");
	TCase *tcase = tcase_create("main");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(tcase, wrong_usage, 0, (int)(sizeof(wrong) / sizeof(wrong[0])));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
