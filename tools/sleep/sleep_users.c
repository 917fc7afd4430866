/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sleep_users.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/program.h"
#include "base/text.h"
#include "base/tree.h"
#include "sleep_slice.h"

#include <errno.h>
#include <string.h>

#define SLICE "/sys/fs/cgroup/user.slice"
#define FREEZER SLICE "/cgroup.freeze"

/* The line of a process in user.slice in /proc/PID/cgroup (cgroups(7)). */
#define IN_SLICE "0::/user.slice"

bool sleep_users_freezable(const char *value, bool asks)
{
	bool freezes = true;

	if (value && *value && text_parse_bool(value, &freezes) < 0)
		log_warning(SLEEP_USERS_SWITCH "=%s is neither true nor false, ignored", value);
	if (!freezes) {
		log_notice("user sessions are not frozen (" SLEEP_USERS_SWITCH "=%s)", value);
		return false;
	}
	if (asks)
		log_info("user sessions are not frozen: a passphrase is asked for");
	return !asks;
}

/* systemd itself waits for a minute until all processes are frozen. */
static int call(const char *method)
{
	const char *const arguments[] = {
		"busctl",
		"--quiet",
		"--timeout=60",
		"call",
		"org.freedesktop.systemd1",
		"/org/freedesktop/systemd1",
		"org.freedesktop.systemd1.Manager",
		method,
		"s",
		"user.slice",
		NULL,
	};
	int r = program_run(arguments[0], arguments, NULL, -1);

	return r > 0 ? -EIO : r;
}

/* Started by hand in a session, it would freeze itself. */
static bool is_inside(const char *root)
{
	_cleanup_free_ char *text = NULL;
	const char *line;

	if (io_read_file(root, "/proc/self/cgroup", 65536, &text, NULL) < 0)
		return false;
	line = text_starts(text, IN_SLICE) ? text : strstr(text, "\n" IN_SLICE);
	if (!line)
		return false;
	line += strlen(IN_SLICE) + (*line == '\n');
	return *line == '/' || *line == '\n' || *line == '\0';
}

static int thaw_slice(const char *root)
{
	int r = sleep_slice_thaw(root, SLICE);

	if (r < 0)
		log_error("user.slice cannot be thawed (%s): user sessions, new ones too, stand "
			  "still; restart the machine with its power button",
			  strerror(-r));
	return r;
}

int sleep_users_freeze(const char *root)
{
	if (!tree_exists(root, FREEZER))
		return 0;
	if (is_inside(root)) {
		log_notice("user sessions are not frozen: this program runs in one of them");
		return 0;
	}
	if (call("FreezeUnit") == 0)
		return 1;
	/* Part of it may be frozen, or all after the time limit. What cannot be thawed now is tried
	 * again at the end. */
	log_warning("systemd could not freeze user.slice; user sessions are not frozen");
	call("ThawUnit");
	return thaw_slice(root) < 0;
}

int sleep_users_thaw(const char *root)
{
	int r = call("ThawUnit");

	if (r == 0)
		return 0;
	log_warning("systemd could not thaw user.slice; it is thawed without systemd");
	return thaw_slice(root);
}
