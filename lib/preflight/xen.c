/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Xen: can the kernel of this guest restore an image, and do its devices survive that? */
#include "preflight/preflight_private.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/tree.h"

#include <stdio.h>
#include <string.h>

/* Amazon Linux and Ubuntu's linux-aws have changes by which Xen's interfaces are set up again at a
 * restore; they were posted in 2020, and never became part of Linux. */
static bool is_made_for_ec2(const char *release)
{
	return strstr(release, ".amzn") || text_ends(release, "-aws");
}

/* The first device of Xen with a driver: "vbd-51712". */
static bool find_device(const char *root, char *name, size_t size)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char driver[32];

	if (tree_list(root, "/sys/bus/xen/devices", &names) < 0)
		return false;
	for (size_t i = 0; i < names.count; i++)
		if (tree_link(root, driver, sizeof(driver), "/sys/bus/xen/devices/%s/driver",
			      names.items[i]))
			return text_copy(name, size, names.items[i]);
	return false;
}

/* restore_image() in arch/x86/power/hibernate_asm_64.S writes the address of page tables of its own
 * to CR3. In a PV guest Xen takes that for a frame of the machine's, and only page tables that it
 * has validated, so the kernel crashes with half of the image loaded. */
static void refuse_pv(struct preflight_context *context)
{
	preflight_advise(
		preflight_add(context, "xen-pv", CHECK_FAILED,
			      "this is a PV guest of Xen, in which a kernel cannot restore "
			      "an image: it would crash while it resumes"),
		"use Xen's own save and restore (xl save), or make it a guest of type hvm "
		"or pvh");
}

/* Shared page, event channels and grant tables are set up again only where Xen itself has saved the
 * guest: xen_suspend() in drivers/xen/manage.c. After a hibernation the drivers connect again
 * (xenbus_pm_ops in drivers/xen/xenbus/xenbus_probe_frontend.c), by what the booted kernel happens
 * to have set up at the same places. */
static void warn_of_drivers(struct preflight_context *context)
{
	char release[128] = "", device[64];

	tree_text(context->root, release, sizeof(release), "/proc/sys/kernel/osrelease");
	if (is_made_for_ec2(release) || !find_device(context->root, device, sizeof(device)))
		return;
	preflight_advise(
		preflight_add(context, "xen-drivers", CHECK_WARNING,
			      "Xen's drivers are in use (%s), and Linux sets them up again "
			      "only for Xen's own save and restore: after a hibernation "
			      "they work only if Xen's interfaces are at the same places "
			      "as before",
			      device),
		"try it before you rely on it; a kernel made for EC2 (Amazon Linux, "
		"Ubuntu's linux-aws) has changes for it");
}

/* The type is there since Linux 4.13; on arm64 it is "Xen". */
void check_xen(struct preflight_context *context)
{
	char hypervisor[16], type[16];

	if (!tree_text(context->root, hypervisor, sizeof(hypervisor), "/sys/hypervisor/type") ||
	    strcmp(hypervisor, "xen") != 0)
		return;
	if (tree_text(context->root, type, sizeof(type), "/sys/hypervisor/guest_type") &&
	    strcmp(type, "PV") == 0)
		refuse_pv(context);
	else
		warn_of_drivers(context);
}
