/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why the kernel says EPERM, and which programs or settings cause it. */
#include "preflight/preflight_private.h"

#include "base/io.h"
#include "base/text.h"
#include "base/tree.h"
#include "kernel/file_users.h"
#include "kernel/kernel_cmdline.h"

#include <ctype.h>
#include <string.h>

static void denied(struct check *check, const char *text, const char *advice)
{
	text_copy(check->text, sizeof(check->text), text);
	text_copy(check->advice, sizeof(check->advice), advice);
}

static bool denied_by_cmdline(const char *root, struct check *check)
{
	struct kernel_cmdline cmdline;

	if (kernel_cmdline_read(root, &cmdline) < 0 || !cmdline.nohibernate)
		return false;
	denied(check,
	       "hibernation was disabled at boot (nohibernate or hibernate=no on the kernel "
	       "command line)",
	       "remove that argument from the boot loader's configuration and reboot");
	return true;
}

/* The file reads "none [integrity] confidentiality"; both of the latter forbid
 * hibernation. */
static bool denied_by_lockdown(const char *root, struct check *check)
{
	char text[128];
	const char *mode;

	if (io_read_text(root, "/sys/kernel/security/lockdown", text, sizeof(text)) < 0)
		return false;
	if (strstr(text, "[integrity]"))
		mode = "integrity";
	else if (strstr(text, "[confidentiality]"))
		mode = "confidentiality";
	else
		return false;
	snprintf(check->text, sizeof(check->text),
		 "the kernel is locked down (%s mode, usually because of Secure Boot), which "
		 "disables hibernation",
		 mode);
	text_copy(check->advice, sizeof(check->advice),
		  "disable Secure Boot in the firmware setup, or remove lockdown= from the kernel "
		  "command line; there is no other way");
	return true;
}

static bool denied_by_secret_memory(const char *root, struct check *check)
{
	char who[256];

	if (file_users_find(root, "/secretmem", who, sizeof(who)) == 0)
		return false;
	snprintf(check->text, sizeof(check->text),
		 "secret memory (memfd_secret) must never be written to disk, and is in use by %s",
		 who);
	text_make_printable(check->text);
	text_copy(check->advice, sizeof(check->advice),
		  "end these programs, or disable secret memory with secretmem.enable=0 on the "
		  "kernel "
		  "command line");
	return true;
}

/* Memory devices that the kernel's cxl_mem driver has bound. */
static bool denied_by_cxl(const char *root, struct check *check)
{
	_cleanup_names_ struct tree_names devices = { 0 };

	if (tree_list(root, "/sys/bus/cxl/drivers/cxl_mem", &devices) < 0)
		return false;
	for (size_t i = 0; i < devices.count; i++) {
		const char *name = devices.items[i];

		if (!text_starts(name, "mem") || !isdigit((unsigned char)name[3]))
			continue;
		snprintf(check->text, sizeof(check->text),
			 "CXL memory (%.32s) is active, and the kernel does not hibernate with it",
			 name);
		text_copy(check->advice, sizeof(check->advice),
			  "disable the device (cxl disable-memdev) if nothing needs it");
		return true;
	}
	return false;
}

/* The driver itself refuses: the content of plugged blocks is undefined after a restart
 * (drivers/virtio/virtio_mem.c, virtio_mem_pm_notifier_cb). */
static bool denied_by_virtio_mem(const char *root, const struct release_plan *release,
				 struct check *check)
{
	_cleanup_names_ struct tree_names devices = { 0 };

	if (tree_list(root, "/sys/bus/virtio/drivers/virtio_mem", &devices) < 0 ||
	    (release && release_plan_covers_driver(release, root, "virtio", "virtio_mem")))
		return false;
	for (size_t i = 0; i < devices.count; i++) {
		const char *name = devices.items[i];

		if (!text_starts(name, "virtio") || !isdigit((unsigned char)name[6]))
			continue;
		snprintf(check->text, sizeof(check->text),
			 "memory of a virtio-mem device (%.32s) is in use, and the kernel does not "
			 "hibernate with it",
			 name);
		text_copy(check->advice, sizeof(check->advice),
			  "set the device's requested size to 0 on the host, or set \"release "
			  "virtio-mem = y\": its memory is gone then until the next boot");
		return true;
	}
	return false;
}

bool preflight_find_denial(const char *root, const struct release_plan *release,
			   struct check *check)
{
	return denied_by_cmdline(root, check) || denied_by_lockdown(root, check) ||
	       denied_by_cxl(root, check) || denied_by_virtio_mem(root, release, check) ||
	       denied_by_secret_memory(root, check);
}
