/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/messages/freeze_log.h"

#include "base/bytes.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every sleeping task's trace begins with these, whatever it waits for. */
static const char *const scheduler[] = {
	"__schedule",	 "schedule",	    "io_schedule",     "preempt_schedule",
	"__switch_to",	 "context_switch",  "wait_for_",       "__wait_for_",
	"do_wait_for_",	 "prepare_to_wait", "finish_wait",     "mutex_lock",
	"__mutex_lock",	 "rwsem_",	    "__down",	       "down_",
	"__rwsem",	 "bit_wait",	    "__wait_on_bit",   "out_of_line_wait",
	"folio_wait_",	 "rt_mutex_slow",   "__rt_mutex_slow", "rwbase_",
	"percpu_rwsem_", "__percpu_down",
};

/* Functions and modules that show a wait for a server in user space or on the network. */
static const struct {
	const char *word, *server;
} servers[] = {
	{ "fuse", "a FUSE server" },	{ "request_wait_answer", "a FUSE server" },
	{ "nfs", "an NFS server" },	{ "rpc_wait_bit", "an NFS server" },
	{ "cifs", "an SMB server" },	{ "smb2_", "an SMB server" },
	{ "ceph", "a Ceph server" },	{ "v9fs", "a 9p server" },
	{ "p9_client", "a 9p server" }, { "autofs", "the automounter" },
};

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Copies the function's name of a line like " fuse_file_poll+0x1b5/0x230 [fuse]" into
 * name; false: not such a line, or one that the kernel marks as uncertain ("? "). */
static bool trace_function(const char *line, char *name, size_t size)
{
	size_t length;

	while (*line == ' ')
		line++;
	length = strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$");
	if (length == 0 || length >= size || !begins(line + length, "+0x"))
		return false;
	memcpy(name, line, length);
	name[length] = '\0';
	return true;
}

static void add_trace(struct freeze_task *task, const char *line)
{
	char name[sizeof(task->function)];

	if (!trace_function(line, name, sizeof(name)))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(servers) && !task->server; i++)
		if (strstr(line, servers[i].word))
			task->server = servers[i].server;
	if (task->function[0])
		return;
	for (size_t i = 0; i < ARRAY_SIZE(scheduler); i++)
		if (begins(name, scheduler[i]))
			return;
	memcpy(task->function, name, sizeof(name));
}

/* "task:udisksd         state:D stack:0     pid:33315 tgid:33315 ppid:9245 …". The task
 * chooses its name, which may contain anything. */
static void add_task(struct freeze_log *log, const char *line)
{
	const char *name = line + strlen("task:");
	const char *end = strstr(name, " state:"), *pid = end ? strstr(end, " pid:") : NULL;
	struct freeze_task *task;

	if (!pid)
		return;
	log->in_trace = log->count < FREEZE_LOG_TASKS;
	if (!log->in_trace) {
		log->more = true;
		return;
	}
	task = &log->tasks[log->count++];
	*task = (struct freeze_task){ .pid = atoi(pid + strlen(" pid:")) };
	while (end > name && end[-1] == ' ')
		end--;
	snprintf(task->name, sizeof(task->name), "%.*s", (int)(end - name), name);
	text_make_printable(task->name);
}

void freeze_log_add(struct freeze_log *log, const char *message)
{
	if (begins(message, "Freezing ")) {
		/* The beginning; or "Freezing user space processes failed after 20.009
		 * seconds (2 tasks refusing to freeze, wq_busy=0):". */
		*log = (struct freeze_log){ .listing = strstr(message, " failed after ") };
		return;
	}
	if (!log->listing)
		return;
	if (begins(message, "task:"))
		add_task(log, message);
	else if (begins(message, "OOM killer") || begins(message, "Restarting tasks"))
		log->listing = log->in_trace = false;
	else if (log->in_trace)
		add_trace(&log->tasks[log->count - 1], message);
}

const char *freeze_log_text(const struct freeze_log *log, char *buffer, size_t size)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < log->count && used < size; i++) {
		const struct freeze_task *task = &log->tasks[i];
		const char *waits = task->server	? " waits for "
				    : task->function[0] ? " waits in "
							: "";
		int n = snprintf(buffer + used, size - used, "%s%s (%d)%s%s", i ? ", " : "",
				 task->name, task->pid, waits,
				 task->server ? task->server : task->function);

		used += n > 0 ? (size_t)n : 0;
	}
	if (log->more && used < size)
		snprintf(buffer + used, size - used, ", and others");
	return buffer;
}
