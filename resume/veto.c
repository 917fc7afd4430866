/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "veto.h"

#include "base/io.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/messages/kernel_log.h"
#include "base/tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void veto_watch_begin(struct veto_watch *watch, const char *root)
{
	*watch = (struct veto_watch){ .log = kernel_log_open(root, true) };
}

void veto_watch_end(struct veto_watch *watch)
{
	if (watch->log >= 0)
		close(watch->log);
	watch->log = -1;
}

/* Looks up the device's driver, and the driver's module. */
static void look_up(struct veto_watch *watch, const char *root)
{
	struct veto_log *veto = &watch->veto;
	char path[400], driver[sizeof(veto->driver)];

	text_copy(watch->module, sizeof(watch->module), veto->module);
	if (!veto->subsystem[0] || strchr(veto->device, '/'))
		return;
	snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s/driver", veto->subsystem,
		 veto->device);
	if (!tree_link(root, driver, sizeof(driver), "%s", path))
		snprintf(path, sizeof(path), "/sys/class/%s/%s/device/driver", veto->subsystem,
			 veto->device);
	if (!tree_link(root, driver, sizeof(driver), "%s", path))
		return;
	text_copy(veto->driver, sizeof(veto->driver), driver);
	if (!watch->module[0])
		tree_link(root, watch->module, sizeof(watch->module), "%s/module", path);
}

/* nohibernate, or a locked-down kernel: no image may be restored. */
static bool disabled(const char *root)
{
	char text[100];

	return io_read_text(root, "/sys/power/disk", text, sizeof(text)) > 0 &&
	       strstr(text, "[disabled]");
}

static void append(struct why *w, const char *text)
{
	size_t used = strlen(w->text);

	snprintf(w->text + used, sizeof(w->text) - used, "; %s", text);
	text_make_printable(w->text);
}

static void describe_device(const struct veto_log *veto, char *text, size_t size)
{
	if (veto->kind == VETO_DEVICE || !veto->said[0])
		snprintf(text, size, "the device %s (driver %s) did not freeze", veto->device,
			 veto->driver);
	else
		snprintf(text, size, "the driver %s of the device %s reported: %s", veto->driver,
			 veto->device, veto->said);
}

void veto_explain(struct veto_watch *watch, const char *root, int error, struct why *w)
{
	struct veto_log *veto = &watch->veto;
	struct kernel_message message;
	char text[500] = "the kernel does not name the cause";

	while (watch->log >= 0 && kernel_log_next_message(watch->log, &message) > 0)
		veto_log_add(veto, &message);
	if (error == -EPERM && disabled(root)) {
		veto->kind = VETO_UNKNOWN;
		append(w, "hibernation is disabled in this boot (nohibernate, Secure Boot)");
		return;
	}
	switch (veto->kind) {
	case VETO_DEVICE:
	case VETO_COMPLAINT:
		look_up(watch, root);
		describe_device(veto, text, sizeof(text));
		break;
	case VETO_PROCESS:
		snprintf(text, sizeof(text), "the process %s did not freeze",
			 veto->process[0] ? veto->process : "(see dmesg)");
		break;
	case VETO_EVENT:
		snprintf(text, sizeof(text), "something woke the machine meanwhile");
		break;
	case VETO_UNKNOWN:
		break;
	}
	append(w, text);
}

void veto_advise(const struct veto_watch *watch)
{
	const struct veto_log *veto = &watch->veto;
	const char *perhaps = veto->said[0] ? "If that is the cause: " : "";

	if (watch->module[0])
		log_notice("%sunless the image's disk needs the module %s, boot once with "
			   "module_blacklist=%s on the kernel command line, or leave the module "
			   "out of the initramfs (dracut: "
			   "omit_drivers+=\" %s \"; initramfs-tools: MODULES=dep, and not in "
			   "/etc/initramfs-tools/modules)",
			   perhaps, watch->module, watch->module, watch->module);
	else if (veto->kind == VETO_DEVICE || veto->kind == VETO_COMPLAINT)
		log_notice("%sits driver is built into the kernel: unplug the device, if possible, "
			   "and boot again",
			   perhaps);
}
