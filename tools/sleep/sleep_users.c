/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sleep_users.h"

#include "base/io.h"
#include "base/log.h"
#include "base/program.h"
#include "base/text.h"
#include "base/tree.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define FREEZER "/sys/fs/cgroup/user.slice/cgroup.freeze"

bool sleep_users_freezable(const char *value, bool asks)
{
	bool freezes = true;

	/* systemd knows two more words. */
	if (value && strcasecmp(value, "f") == 0)
		freezes = false;
	else if (value && *value && strcasecmp(value, "t") != 0 &&
		 text_parse_bool(value, &freezes) < 0)
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

int sleep_users_freeze(const char *root)
{
	if (!tree_exists(root, FREEZER))
		return 0;
	if (call("FreezeUnit") == 0)
		return 1;
	/* It may have been frozen after the time limit. */
	log_warning("systemd could not freeze user.slice; user sessions are not frozen");
	call("ThawUnit");
	return 0;
}

int sleep_users_thaw(const char *root)
{
	int r = call("ThawUnit");

	if (r == 0)
		return 0;
	log_warning("systemd could not thaw user.slice; it is thawed without systemd");
	r = io_write_text(root, FREEZER, "0");
	if (r < 0)
		log_error("user.slice cannot be thawed (%s): user sessions, new ones too, stand "
			  "still; restart the machine with its power button",
			  strerror(-r));
	return r;
}
