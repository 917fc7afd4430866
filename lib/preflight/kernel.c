/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does this kernel support hibernation, and the configured method? */
#include "preflight/preflight_private.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "config/sleep_method.h"
#include "kernel/file_users.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define SNAPSHOT_DEFAULT "/dev/snapshot"

/* Is word among those of a file like "freeze mem disk" or "[platform]
 * shutdown"? A file that cannot be read has no words. */
static bool file_has_word(const char *root, const char *path, const char *word)
{
	char text[256], *rest = text, *found;

	if (io_read_text(root, path, text, sizeof(text)) < 0)
		return false;
	while ((found = strsep(&rest, " \t\n[]")))
		if (strcmp(found, word) == 0)
			return true;
	return false;
}

/* "231 snapshot" in /proc/misc: the kernel has the driver. */
static bool driver_present(const char *root)
{
	_cleanup_free_ char *text = NULL;

	return io_read_file(root, "/proc/misc", 65536, &text, NULL) == 0 &&
	       strstr(text, " snapshot\n");
}

static void add_missing(struct preflight_context *context, const char *path)
{
	struct check *check =
		preflight_add(context, "snapshot-device", CHECK_FAILED, "%s does not exist", path);

	if (strcmp(path, SNAPSHOT_DEFAULT) != 0)
		preflight_advise(check, "set \"snapshot device = " SNAPSHOT_DEFAULT "\" in %s",
				 context->settings->config_file[0] ? context->settings->config_file
								   : "the configuration");
	else if (driver_present(context->root))
		preflight_advise(check, "the kernel has the driver: mknod -m 600 %s c 10 231",
				 path);
	else
		preflight_advise(check, "use a kernel with CONFIG_HIBERNATION_SNAPSHOT_DEV=y (it "
					"is never a module), outside a container");
}

static void add_busy(struct preflight_context *context, const char *path)
{
	struct check *check;
	char who[256];

	if (file_users_find(context->root, path, who, sizeof(who)) > 0)
		check = preflight_add(context, "snapshot-device", CHECK_FAILED,
				      "%s is held by %s: another hibernation is in progress", path,
				      who);
	else
		check = preflight_add(context, "snapshot-device", CHECK_FAILED,
				      "%s is busy: the kernel is hibernating or resuming", path);
	preflight_advise(check, "wait until it is done, or end it");
}

/* A driver refuses that will be released, and nothing else is known to. */
static bool denied_until_released(const struct preflight_context *context)
{
	const struct release_plan *release = context->target->release;
	struct check check;

	return release && !preflight_find_denial(context->root, release, &check) &&
	       preflight_find_denial(context->root, NULL, &check);
}

static void add_denied(struct preflight_context *context, const char *path)
{
	struct check *check;

	if (denied_until_released(context)) {
		preflight_add(context, "snapshot-device", CHECK_OK,
			      "%s can be opened once the driver that refuses it is released", path);
		return;
	}
	check = preflight_add(context, "snapshot-device", CHECK_FAILED,
			      "the kernel does not permit opening %s; the reason was not found",
			      path);
	context->denied = preflight_find_denial(context->root, context->target->release, check);
	if (context->denied)
		return;
	if (file_has_word(context->root, "/sys/power/disk", "disabled"))
		preflight_advise(check, "look for \"lockdown\" and \"hibernation\" in the kernel "
					"log (dmesg); running as root shows more");
	else
		/* The kernel hibernates, so either a driver or a rule about this process
		 * refused. */
		preflight_advise(check,
				 "hibernation itself is enabled: look in the kernel log (dmesg) "
				 "for a driver that refuses it, and check the device rules of the "
				 "container or service that this runs in");
}

void check_snapshot_device(struct preflight_context *context)
{
	const char *path = context->settings->snapshot_device;
	struct check *check;
	int fd = preflight_open(context, path, O_RDONLY, S_IFCHR);

	context->snapshot_fd = fd < 0 ? -1 : fd;
	if (fd >= 0) {
		preflight_add(context, "snapshot-device", CHECK_OK, "%s can be opened", path);
		return;
	}
	switch (fd) {
	case -ENOENT:
	case -ENXIO: /* a stale node without a driver */
	case -ENODEV:
		add_missing(context, path);
		break;
	case -EBUSY:
		add_busy(context, path);
		break;
	case -EPERM:
		add_denied(context, path);
		break;
	case -EINVAL:
		check = preflight_add(context, "snapshot-device", CHECK_FAILED,
				      "%s is not a character device", path);
		preflight_advise(check, "remove it and create it again: mknod -m 600 %s c 10 231",
				 path);
		break;
	case -EACCES:
		check = preflight_add(context, "snapshot-device", CHECK_FAILED,
				      "this user may not open %s", path);
		preflight_advise(check, "run it as root, for example with sudo");
		break;
	default:
		check = preflight_add(context, "snapshot-device", CHECK_FAILED,
				      "%s cannot be opened: %s", path, strerror(-fd));
		preflight_advise(check, "the kernel log (dmesg) may say which driver refused");
	}
}

void check_power_state(struct preflight_context *context)
{
	bool disk = file_has_word(context->root, "/sys/power/state", "disk");
	bool disabled = file_has_word(context->root, "/sys/power/disk", "disabled");
	struct check *check;

	if (disk && !disabled) {
		preflight_add(context, "power-state", CHECK_OK, "the kernel offers hibernation");
		return;
	}
	check = preflight_add(context, "power-state", CHECK_FAILED,
			      disabled ? "hibernation is disabled (/sys/power/disk)"
				       : "the kernel does not offer hibernation (no \"disk\" in "
					 "/sys/power/state)");
	/* The check of the snapshot device has reported it already. */
	if (context->denied ||
	    preflight_find_denial(context->root, context->target->release, check) || disabled)
		return;
	preflight_advise(check, "use a kernel with CONFIG_HIBERNATION=y, and make sure that sysfs "
				"is mounted on /sys");
}

static void check_platform(struct preflight_context *context)
{
	if (file_has_word(context->root, "/sys/power/disk", "platform")) {
		preflight_add(context, "method", CHECK_OK, "platform: the firmware takes part");
		return;
	}
	/* Where hibernation is not offered at all, power-state reports it. */
	if (!file_has_word(context->root, "/sys/power/disk", "shutdown"))
		return;
	preflight_advise(preflight_add(context, "method", CHECK_WARNING,
				       "the firmware does not offer the method platform (ACPI S4); "
				       "shutdown is used instead"),
			 "to silence this warning, set \"shutdown method = shutdown\"");
}

void check_method(struct preflight_context *context)
{
	enum method method = context->settings->method;

	if (method == METHOD_PLATFORM) {
		check_platform(context);
		return;
	}
	if (method == METHOD_SUSPEND && !sleep_method_has_deep(context->root)) {
		preflight_advise(preflight_add(context, "method", CHECK_FAILED,
					       "this machine has no deep sleep (no \"deep\" in "
					       "/sys/power/mem_sleep), the only one from which "
					       "/dev/snapshot can wake"),
				 "use another method: -m platform or -m shutdown");
		return;
	}
	if (method != METHOD_SUSPEND || file_has_word(context->root, "/sys/power/state", "mem")) {
		preflight_add(context, "method", CHECK_OK, "%s%s: can be used", method_name(method),
			      context->settings->method_set || method == METHOD_PLATFORM
				      ? ""
				      : ", as HibernateMode= of systemd's sleep.conf says");
		return;
	}
	preflight_advise(preflight_add(context, "method", CHECK_FAILED,
				       "this machine cannot suspend to RAM (no \"mem\" in "
				       "/sys/power/state)"),
			 "use another method: -m platform or -m shutdown");
}

/* With a test level set, the kernel runs part of a hibernation and returns before the snapshot,
 * without an error (hibernation_test() in kernel/power/hibernate.c). User space would take that for
 * a resume. */
void check_pm_test(struct preflight_context *context)
{
	char text[128], *level, *end;

	if (io_read_text(context->root, "/sys/power/pm_test", text, sizeof(text)) < 0)
		return; /* no CONFIG_PM_SLEEP_DEBUG */
	level = strchr(text, '[');
	end = level ? strchr(level, ']') : NULL;
	if (!end)
		return;
	*end = '\0';
	level++;
	if (strcmp(level, "none") == 0)
		return;
	preflight_advise(preflight_add(context, "pm-test", CHECK_FAILED,
				       "/sys/power/pm_test is set to \"%s\": the kernel only tests "
				       "hibernation and makes no snapshot",
				       level),
			 "echo none >/sys/power/pm_test");
}
