/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan is carried out on a sysfs that does what the kernel does, or does not. */
#ifndef TESTS_RELEASE_STEPS_FIXTURE_H
#define TESTS_RELEASE_STEPS_FIXTURE_H

#include "release_fixture.h"

#include "release/release.h"
#include "base/text.h"
#include "base/tree.h"
#include "release/release_journal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int __wrap_io_write_text(const char *root, const char *path, const char *value);
int __real_io_write_text(const char *root, const char *path, const char *value);
int __wrap_program_run(const char *program, const char *const *arguments,
		       const char *const *environment, int out);
long __wrap_syscall(long number, ...);
int __wrap_pipe2(int *ends, int flags);
int __real_pipe2(int *ends, int flags);
int __wrap_kill(pid_t child, int number);
int __real_kill(pid_t child, int number);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);

#define NIC_BUS "/sys/class/pci_bus/0000:01"
#define NIC_CONTROL NIC_BUS "/device/power/control"

static char reported[4096]; /* what was reported, a line each */
static const char *fail;    /* a write to a path that ends so fails … */
static int fail_with; /* … with this; 0: it does nothing; HANGS: it never returns, as long as the
			 test runs */
#define HANGS 1
#define HANGS_AFTER 2	       /* … though it is done */
static const char *found_with; /* how many virtual functions, after a removal */
static pid_t test;
static bool *hangs; /* the last child does, and was not killed */
static bool gone;   /* a rescan finds nothing */
static int trains;  /* it finds nothing this many times after the port was woken */
static int module_error, program_result;
static int stop_after = -1;   /* questions */
static const char *stop_when; /* this block is offline */

static void hang(void)
{
	*hangs = true;
	while (getppid() == test)
		usleep(1000);
}

static int fails(const char *root, const char *path)
{
	if (fail_with == HANGS_AFTER)
		__real_io_write_text(root, path, "offline\n");
	if (fail_with > 0)
		hang();
	return fail_with;
}

/* A function that is found again has none but those that its driver makes. */
static inline void forget_virtuals(void)
{
	if (is_there(NIC_PATH "/sriov_numvfs"))
		made_put(NIC_PATH "/sriov_numvfs", found_with);
}

/* A port, which answers only a moment after it is woken. */
static inline bool is_suspended(void)
{
	char control[8];

	return tree_text(made_root, control, sizeof(control), "%s", NIC_CONTROL) &&
	       (strcmp(control, "on") != 0 || trains-- > 0);
}

/* What the kernel does with a write to that file. */
int __wrap_io_write_text(const char *root, const char *path, const char *value)
{
	const char *file = strrchr(path, '/') + 1;

	ck_assert_str_eq(root, made_root);
	if (fail && !(fail_with == HANGS_AFTER && text_starts(value, "online")) &&
	    strlen(path) >= strlen(fail) && strcmp(path + strlen(path) - strlen(fail), fail) == 0)
		return fails(root, path);
	if (strcmp(file, "bind") == 0 || strcmp(file, "unbind") == 0) {
		bind_device(path, value, file);
		if (strcmp(file, "unbind") == 0 && strcmp(value, NIC) == 0)
			forget_virtuals();
	} else if (strcmp(file, "remove") == 0) {
		ck_assert_str_eq(value, "1");
		snprintf(full, sizeof(full), "%s/sys/bus/pci/devices/" NIC, made_root);
		unlink(full);
		forget_virtuals();
	} else if (strcmp(file, "sriov_numvfs") == 0) {
		/* Not from one number to another: the kernel refuses. */
		ck_assert_str_eq(found_with, "0");
		made_put(NIC_PATH "/sriov_numvfs", value);
	} else if (strcmp(file, "rescan") == 0) {
		/* No other bus, on which something may have been removed on purpose. */
		ck_assert_str_eq(path, NIC_BUS "/rescan");
		if (!gone && !is_suspended())
			made_link("/sys/bus/pci/devices/" NIC,
				  "../../../devices/pci0000:00/" ROOT_PORT "/" NIC);
	} else if (strcmp(file, "control") == 0) {
		made_put(path, value);
	} else if (strcmp(file, "state") == 0) {
		return __real_io_write_text(
			root, path, text_starts(value, "online") ? "online\n" : "offline\n");
	} else {
		ck_abort_msg("%s", path);
	}
	return 0;
}

int __wrap_program_run(const char *program, const char *const *arguments,
		       const char *const *environment, int out)
{
	ck_assert_str_eq(program, "modprobe");
	ck_assert_str_eq(arguments[1], "refuser");
	ck_assert_ptr_null(arguments[2]);
	ck_assert_ptr_null(environment);
	ck_assert_int_eq(out, -1);
	if (program_result == HANGS)
		hang();
	if (program_result == 0)
		made_put("/sys/module/refuser/initstate", "live\n");
	return program_result;
}

long __wrap_syscall(long number, ...)
{
	va_list args;

	va_start(args, number);
	if (number == SYS_close_range) {
		unsigned int first = va_arg(args, unsigned int);
		unsigned int last = va_arg(args, unsigned int);

		va_end(args);
		return close_range_here(first, last);
	}
	ck_assert_int_eq(number, SYS_delete_module);
	ck_assert_str_eq(va_arg(args, const char *), "refuser");
	va_end(args);
	if (module_error) {
		errno = module_error;
		return -1;
	}
	made_shell("rm -r sys/module/refuser");
	return 0;
}

/* A child begins. */
int __wrap_pipe2(int *ends, int flags)
{
	*hangs = false;
	return __real_pipe2(ends, flags);
}

int __wrap_kill(pid_t child, int number)
{
	ck_assert_int_eq(number, SIGKILL);
	*hangs = false;
	return __real_kill(child, number);
}

/* A second passes in 10 ms while it hangs. */
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	ck_assert_int_eq(timeout, 100);
	return __real_poll(fds, count, *hangs ? 1 : timeout);
}

static void report(void *context, enum release_event event, const struct release_entry *entry,
		   const char *reason)
{
	static const char *const words[] = { "taken", "not-taken", "given", "not-given", "gone" };
	size_t used = strlen(reported);

	ck_assert_ptr_eq(context, reported);
	snprintf(reported + used, sizeof(reported) - used, "%s %s%s%s\n", words[event], entry->name,
		 *reason ? ": " : "", reason);
}

static bool stop(void *context)
{
	char state[16];

	(void)context;
	if (stop_when)
		return tree_text(made_root, state, sizeof(state), "%s", stop_when) &&
		       strcmp(state, "offline") == 0;
	return stop_after >= 0 && stop_after-- == 0;
}

static const struct release_watch watch = { .report = report, .stop = stop, .context = reported };
static const struct release_here here = { 0 };

static void expect(const char *wanted)
{
	ck_assert_str_eq(reported, wanted);
	reported[0] = '\0';
}

static int take(struct why *w)
{
	*w = (struct why){ 0 };
	return release_take(made_root, &plan, &watch, w);
}

static void give(void)
{
	release_give(made_root, &plan, &here, &watch);
	/* What is not given back is known to the next run. */
	ck_assert(!strstr(reported, "not-given ") == !is_there(RELEASE_JOURNAL));
}

static void begin(void)
{
	setup();
	reported[0] = '\0';
	fail = NULL;
	gone = false;
	trains = 0;
	module_error = program_result = 0;
	stop_after = -1;
	stop_when = NULL;
	fail_with = 0;
	found_with = "0";
	hangs = mmap(NULL, sizeof(*hangs), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	ck_assert_ptr_ne(hangs, MAP_FAILED);
	test = getpid();
	made_put("/sys/module/refuser/initstate", "live\n");
	made_directory(NIC_BUS);
	add_device("platform", "refuser.0", "/sys/devices/platform/refuser.0", "refuser");
	ask_for("module:refuser refuser " NIC);
	ck_assert_uint_eq(plan.entries.count, 3);
}

#define ALL_TAKEN "taken refuser\ntaken refuser.0\ntaken " NIC "\n"
#define ALL_GIVEN "given " NIC "\ngiven refuser.0\ngiven refuser\n"

#endif
