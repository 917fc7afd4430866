/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk's main(), with everything that it calls made up: what was called, and how it ended. */
#ifndef TESTS_MAIN_FIXTURE_H
#define TESTS_MAIN_FIXTURE_H

#include "fixtures/machine/made_root.h"
#include "fixtures/capture.h"
#include "fixtures/said.h"

#include <check.h>
#include <stdlib.h>

int program_main(int argc, char **argv);
#define main program_main
#include "s2disk/main.c"
#undef main

static struct {
	uid_t uid;
	int lock, second_lock, on, find, crypto, capture, plan, release, mlock, keys, hibernate;
	int save, print, keep;
	int location;		  /* of setting the firmware's variable, and of deleting it */
	enum check_level without; /* it */
	uint64_t offset;
	enum check_level level; /* of the check that comes out worst */
	struct guest guest;
} machine;

static char events[512];	    /* what was called, and what was kept of it */
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
				   .dev = 77,
				   .offset = settings->resume_offset,
				   .file = true };
	machine.offset = ret->offset;
	return event_why("find", machine.find, w);
}

int __wrap_crypto_init(struct why *w)
{
	return machine.crypto < 0 ? why(w, machine.crypto, "no cryptography") : 0;
}

int platform_section_capture(struct platform_section *section, const char *root, struct why *w)
{
	ck_assert_str_eq(root, "");
	section->platform.guest = machine.guest;
	return event_why("look", machine.capture, w);
}

static bool has_nvidia, nvidia_hangs, nvidia_asleep;
static unsigned int nvidia_woken;

int nvidia_sleep(const char *root, struct why *w)
{
	ck_assert_str_eq(root, "");
	ck_assert_ptr_nonnull(strstr(events, " release"));
	ck_assert_ptr_null(strstr(events, "hibernate"));
	if (nvidia_hangs)
		return why(w, -EINPROGRESS, "the driver nvidia has not suspended");
	return nvidia_asleep = has_nvidia;
}

/* Before what was released is given back. */
void nvidia_wake(const char *root)
{
	ck_assert_str_eq(root, "");
	ck_assert(nvidia_asleep);
	ck_assert_ptr_nonnull(strstr(events, "hibernate"));
	ck_assert_ptr_null(strstr(events, "back"));
	nvidia_asleep = false;
	nvidia_woken++;
}

static bool back_after_resume; /* what was released was, after the machine was off */

void released_recover(const char *root)
{
	ck_assert_str_eq(root, "");
	event("recover", 0);
}

void released_wait(const struct settings *settings, const char *root)
{
	(void)settings;
	ck_assert_str_eq(root, "");
}

int released_plan(const struct settings *settings, const char *root, struct platform *platform,
		  struct release_plan *ret)
{
	static const struct release_entry entry = { .kind = RELEASE_REMOVE,
						    .what = "a device",
						    .reason = "it is so",
						    .source = RELEASE_BUILT_IN };

	(void)settings, (void)platform;
	ck_assert_str_eq(root, "");
	return machine.plan < 0 ? machine.plan : list_append(&ret->entries, entry);
}

int released_begin(struct release_plan *plan, const struct settings *settings,
		   struct platform_section *section, const char *root, struct why *w)
{
	(void)settings, (void)section;
	ck_assert_str_eq(root, "");
	ck_assert_uint_eq(plan->entries.count, 1);
	return event_why("release", machine.release, w);
}

void released_end(struct release_plan *plan, const struct memory_map *map, const char *root,
		  bool resumed)
{
	ck_assert_ptr_nonnull(map);
	ck_assert_str_eq(root, "");
	ck_assert_uint_eq(plan->entries.count, 1);
	back_after_resume = resumed;
	event("back", 0);
}

void platform_section_free(struct platform_section *section)
{
	(void)section;
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
	ck_assert((target->release->entries.count == 1) == (target->platform != NULL));
	snprintf(text, sizeof(text), "%s",
		 !target->area	     ? target->area_problem
		 : !target->platform ? target->platform_problem
				     : "");
	problem = text;
	ret->count = 2;
	ret->left_out = 0;
	ret->without_variable = machine.without;
	ret->checks[0] = (struct check){ .id = "one", .level = CHECK_OK, .text = "one is fine" };
	ret->checks[1] = (struct check){ .id = "two",
					 .level = *text ? CHECK_FAILED : machine.level,
					 .text = "two is so so",
					 .advice = "do something" };
}

void keep_free_before(const char *root, const struct settings *settings, struct platform *platform)
{
	ck_assert_str_eq(root, "");
	ck_assert(settings->drift && platform);
	event("keep", 0);
}

int keep_free_at_boot(const char *root, const struct settings *settings, struct why *w)
{
	ck_assert_str_eq(root, "");
	ck_assert_int_eq(settings->method, METHOD_SHUTDOWN);
	return event_why("keep", machine.keep, w);
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

int hibernate_location_write(const char *root, dev_t dev, uint64_t offset, struct why *w)
{
	ck_assert_str_eq(root, "");
	ck_assert_uint_eq(dev, 77);
	ck_assert_uint_eq(offset, machine.offset);
	return event_why("location", machine.location, w);
}

/* For the checks, which are made up. */
int hibernate_location_is_free(const char *root, struct why *w)
{
	(void)root, (void)w;
	return 0;
}

int hibernate_location_clear(const char *root)
{
	ck_assert_str_eq(root, "");
	return event("cleared", machine.location);
}

int hibernate(const struct settings *settings, const struct swap_area *area,
	      struct platform_section *section, struct key_ways *keys, struct last *last,
	      struct why *w)
{
	(void)section;
	ck_assert_str_eq(area->name, "/swapfile");
	ck_assert(settings->encrypt == (keys != NULL));
	ck_assert(nvidia_asleep == has_nvidia);
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

/* Beside it, in the same source. */
bool sleep_method_has_deep(const char *root)
{
	return !*root;
}

void described_end(void)
{
	described_ended = true;
}

static inline void setup(void)
{
	made_root_create();
	memset(&machine, 0, sizeof(machine));
	has_nvidia = nvidia_hangs = false;
	made_put("/conf", "shutdown method = shutdown\nresume device = /swapfile\n");
}

static char out[8192];

/* Runs it with that configuration and the options (blanks between, none in
 * them), and looks how it ends and what it has called. */
static inline void s2disk(const char *options, int code, const char *expected)
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
	events[0] = '\0';
	said_begin(SAID_AS_SET, false);
	locks = 0;
	optind = 0; /* from the first again */
	capture_begin();
	ended = program_main(argc, argv);
	capture_end(out, sizeof(out));
	ck_assert_msg(ended == code, "%s: %d, not %d: %s", options, ended, code, said);
	ck_assert_str_eq(events, expected);
	sigaction(SIGTERM, NULL, &after);
	ck_assert_ptr_eq(before.sa_handler, after.sa_handler);
}

#endif
