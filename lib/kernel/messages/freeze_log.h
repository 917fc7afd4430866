/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which tasks did not freeze, from the kernel's messages: try_to_freeze_tasks() in
 * kernel/power/process.c says how many, and sched_show_task() shows each with its call
 * trace, from which follows what it waits for. Pure.
 */
#ifndef S2DISK_KERNEL_FREEZE_LOG_H
#define S2DISK_KERNEL_FREEZE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#define FREEZE_LOG_TASKS 6

struct freeze_task {
	char name[32];
	int pid;
	const char *server; /* what it waits for, "a FUSE server"; NULL: unknown */
	char function[48];  /* the first one outside the scheduler; "": none seen */
};

struct freeze_log {
	struct freeze_task tasks[FREEZE_LOG_TASKS];
	size_t count;
	bool more;     /* there are more */
	bool listing;  /* a freeze failed, its tasks follow */
	bool in_trace; /* of the last task */
};

/* Processes the next message. The start of a new freeze clears the tasks of the previous one. */
void freeze_log_add(struct freeze_log *log, const char *message);

/* "udisksd (33315) waits for a FUSE server, sh (12) waits in do_thing", cut to fit; "" if
 * none is known. Returns buffer. */
const char *freeze_log_text(const struct freeze_log *log, char *buffer, size_t size);

#endif
