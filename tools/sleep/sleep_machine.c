/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real machine. */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/program.h"
#include "base/text.h"
#include "base/tree.h"
#include "sleep.h"
#include "sleep_users.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* systemd's limit for these. */
#define HOOK_SECONDS 90

#define ALARM_EARLY_SECONDS 3

/* Exists only if homed runs; it is not started for this. */
#define HOMED "/run/systemd/home"

static int real_hibernate(void *context, bool in_memory)
{
	const struct sleep_machine *machine = context;
	const char *const plain[] = { machine->program, NULL };
	const char *const hybrid[] = { machine->program, "--method=suspend", NULL };
	int r = program_run(machine->program, in_memory ? hybrid : plain, NULL, -1);

	if (r == -EINTR)
		log_error("%s was ended by a signal", machine->program);
	else if (r < 0)
		log_error("%s cannot be run: %s", machine->program, strerror(-r));
	return r;
}

/* Writes the first of the words that the kernel accepts. */
static int write_one_of(const char *root, const char *path, const char *words)
{
	char copy[128], *rest = NULL;
	int r = -EINVAL;

	text_copy(copy, sizeof(copy), words);
	for (char *word = strtok_r(copy, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		r = io_write_text(root, path, word);
		if (r == 0)
			return 0;
	}
	return r;
}

static int real_suspend(void *context, const struct sleep_config *config)
{
	const struct sleep_machine *machine = context;
	int r;

	if (config->memory_mode[0]) {
		r = write_one_of(machine->root, "/sys/power/mem_sleep", config->memory_mode);
		if (r < 0)
			log_warning("MemorySleepMode=%s is not offered by the kernel: %s",
				    config->memory_mode, strerror(-r));
	}
	r = write_one_of(machine->root, "/sys/power/state", config->suspend_state);
	if (r < 0)
		log_error("cannot suspend to RAM: %s", strerror(-r));
	return r;
}

static int real_hand_over(void *context, const char *operation)
{
	static const char *const places[] = { "/usr/lib/systemd/systemd-sleep",
					      "/lib/systemd/systemd-sleep" };
	const struct sleep_machine *machine = context;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char path[PATH_MAX];
		const char *const arguments[] = { path, operation, NULL };

		if (snprintf(path, sizeof(path), "%s%s", machine->root, places[i]) >=
			    (int)sizeof(path) ||
		    access(path, X_OK) < 0)
			continue;
		return program_run(path, arguments, NULL, -1) == 0 ? 0 : -EIO;
	}
	log_error("there is no %s", places[0]);
	return -ENOENT;
}

static int real_alarm_set(void *context, uint64_t usec)
{
	int fd = timerfd_create(CLOCK_BOOTTIME_ALARM, TFD_NONBLOCK | TFD_CLOEXEC);
	struct itimerspec when = {
		.it_value = { .tv_sec = (time_t)(usec / 1000000),
			      .tv_nsec = (long)(usec % 1000000 * 1000) },
	};
	int r;

	(void)context;
	if (fd < 0)
		return -errno;
	if (timerfd_settime(fd, 0, &when, NULL) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

/* The RTC counts whole seconds, and so does the measured time asleep: the machine may be up
 * slightly before the alarm [VM]. The kernel refuses to suspend that shortly before it
 * (alarmtimer_suspend()). */
static bool real_alarm_rang(void *context, int alarm)
{
	struct itimerspec left;

	(void)context;
	return timerfd_gettime(alarm, &left) == 0 && left.it_value.tv_sec < ALARM_EARLY_SECONDS;
}

static void real_alarm_close(void *context, int alarm)
{
	(void)context;
	close(alarm);
}

static uint64_t real_now(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Runs systemd's own program instead of linking a library for one call. */
static void real_lock_homes(void *context)
{
	static const char *const call[] = {
		"busctl",
		"--quiet",
		"--auto-start=no",
		"--timeout=90", /* as systemd gives it: dirty data is written before */
		"call",
		"org.freedesktop.home1",
		"/org/freedesktop/home1",
		"org.freedesktop.home1.Manager",
		"LockAllHomes",
		NULL,
	};

	const struct sleep_machine *machine = context;

	if (tree_exists(machine->root, HOMED) && program_run(call[0], call, NULL, -1) != 0)
		log_warning("cannot lock the home directories of systemd-homed");
}

static bool real_freeze_users(void *context)
{
	const struct sleep_machine *machine = context;

	return sleep_users_freezable(machine->users_switch, machine->asks) &&
	       sleep_users_freeze(machine->root);
}

static int real_thaw_users(void *context)
{
	const struct sleep_machine *machine = context;

	return sleep_users_thaw(machine->root);
}

void sleep_system_real(struct sleep_machine *machine, struct sleep_system *ret)
{
	*ret = (struct sleep_system){
		.root = machine->root,
		.sealed_only = machine->sealed_only,
		.hooks = { .root = machine->root, .seconds = HOOK_SECONDS },
		.context = machine,
		.hibernate = real_hibernate,
		.suspend = real_suspend,
		.hand_over = real_hand_over,
		.alarm_set = real_alarm_set,
		.alarm_rang = real_alarm_rang,
		.alarm_close = real_alarm_close,
		.now = real_now,
		.freeze_users = real_freeze_users,
		.thaw_users = real_thaw_users,
		.lock_homes = real_lock_homes,
	};
}
