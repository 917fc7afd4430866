/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What enabling an area marks in the files of the system. */
#include "swapfile.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/tree.h"
#include "boot/initramfs.h"
#include "preflight/preflight.h"
#include "swap/device_stack.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FSTAB "/etc/fstab"
#define DROP_IN "/etc/suspend.conf.d" SWAPFILE_DROP_IN
#define DROP_IN_USWSUSP "/etc/uswsusp.conf.d" SWAPFILE_DROP_IN
#define UNIT_FILE(unit) "/etc/systemd/system/" unit ".service.d/90-s2disk-swap.conf"
#define SLEEP_KEY "/etc/systemd/logind.conf.d/90-s2disk-sleep-key.conf"
#define FIRST_UNIT 3
#define LAST_UNIT 6

const char *const wanted_files[WANTED_FILES] = { FSTAB,
						 DROP_IN,
						 DROP_IN_USWSUSP,
						 UNIT_FILE("systemd-logind"),
						 UNIT_FILE("systemd-hibernate"),
						 UNIT_FILE("systemd-hybrid-sleep"),
						 UNIT_FILE("systemd-suspend-then-hibernate"),
						 "/etc/crypttab",
						 SLEEP_KEY,
						 "/etc/default/grub.d/95-s2disk-swapfile.cfg",
						 "/etc/default/grub",
						 "/etc/default/u-boot" };

/* A vendor's unified image, which no generator on this system can rebuild (Fedora's
 * kernel-uki-virt). */
static bool is_vendors(const char *root)
{
	char release[128], path[256];

	if (!tree_exists(root, "/sys/firmware/efi/efivars/"
			       "StubInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f") ||
	    !tree_text(root, release, sizeof(release), "/proc/sys/kernel/osrelease"))
		return false;
	snprintf(path, sizeof(path), "/usr/lib/modules/%s/vmlinuz-virt.efi", release);
	return tree_exists(root, path);
}

const char *swapfile_initramfs(const struct swapfile *s, const struct swapfile_place *place,
			       struct why *w)
{
	const char *command = initramfs_command(s->root);
	bool ostree = tree_exists(s->root, "/run/ostree-booted"), vendors = is_vendors(s->root);

	if (command && !ostree && !vendors)
		return command;
	why(w, -EINVAL, "%s: %s%s%s%s%s%s%s%s",
	    ostree    ? "ostree makes this system's initramfs; run: rpm-ostree initramfs --enable "
			"--arg=--add --arg=s2disk, then"
	    : vendors ? "this system was booted from a unified kernel image of its vendor, whose "
			"initramfs has no resume; install a kernel whose initramfs is made here, "
			"boot it, and enable again; or build one by ukify build, with --cmdline "
			"containing"
		      : "neither update-initramfs nor mkinitcpio nor dracut is there, so this "
			"system's initramfs is not made here; put /usr/lib/uswsusp/resume into it, "
			"and add to the kernel command line",
	    ostree ? "rpm-ostree kargs --append=" : "", "resume=", place->device,
	    place->area.file ? ostree ? " --append=resume_offset=" : " resume_offset=" : "",
	    place->area.file ? place->offset : "",
	    s->hibernate_only ? "" : "; and this line to /etc/fstab: ",
	    s->hibernate_only ? "" : place->path,
	    s->hibernate_only ? "" : " none swap defaults 0 0");
	return NULL;
}

static bool is_wanted(const struct swapfile_place *place, const char *name)
{
	struct swap_area area;

	return strcmp(name, place->path) == 0 ||
	       (place->area.device[0] &&
		swap_area_resolve(name, 0, name[0] == '/', &area, NULL) == 0 &&
		area.dev == place->area.dev && area.offset == place->area.offset);
}

/* The first entry of fstab's text that activates the area, or any area if place is NULL; free()
 * it. */
static char *find_entry(char *fstab, const struct swapfile_place *place)
{
	_cleanup_fclose_ FILE *file = fstab[0] ? fmemopen(fstab, strlen(fstab), "r") : NULL;
	const struct mntent *entry;

	while (file && (entry = getmntent(file)))
		if (strcmp(entry->mnt_type, "swap") == 0 && !hasmntopt(entry, "noauto") &&
		    (!place || is_wanted(place, entry->mnt_fsname)))
			return strdup(entry->mnt_fsname);
	return NULL;
}

static int want_fstab(const struct swapfile *s, const struct swapfile_place *place,
		      struct mark_list *list, struct why *w)
{
	_cleanup_free_ char *entry = NULL;
	struct marks marks;
	char escaped[1100], *line;
	int r = marks_read(s->root, FSTAB, &marks, w);

	if (r < 0)
		return r;
	entry = find_entry(marks.rest, place);
	marks_free(&marks);
	if (entry && s->hibernate_only)
		return why(w, -EINVAL,
			   FSTAB " activates %s at every boot; remove that line, or enable it "
				 "without --hibernate-only",
			   place->path);
	if (entry || s->hibernate_only)
		return 0;
	if (!text_escape_octal(place->path, escaped, sizeof(escaped)) ||
	    asprintf(&line, "%s none swap defaults 0 0\n", escaped) < 0)
		line = NULL;
	return marks_add(list, FSTAB, false, line, NULL);
}

static int want_drop_in(const struct swapfile *s, const struct swapfile_place *place,
			struct mark_list *list)
{
	/* Drop-ins go beside the configuration file that is read. */
	bool uswsusp = !tree_exists(s->root, "/etc/suspend.conf") &&
		       tree_exists(s->root, "/etc/uswsusp.conf");
	bool only = s->hibernate_only;
	char *text;

	if (asprintf(&text, "# The swap %s %s.\nresume device = %s\nresume offset = %s\n%s%s%s",
		     place->area.file ? "file" : "device", place->path, place->device,
		     place->offset, only ? "swap on demand = \"" : "", only ? place->path : "",
		     only ? "\"\n" : "") < 0)
		text = NULL;
	return marks_add(list, uswsusp ? DROP_IN_USWSUSP : DROP_IN, true, text, NULL);
}

/* logind looks for active swap before it offers to hibernate, and systemd-sleep before it
 * does; with --hibernate-only there is none yet then. systemd documents this variable in its
 * docs/ENVIRONMENT.md. */
static int want_units(const struct swapfile *s, struct mark_list *list)
{
	static const char text[] =
		"# The swap file is active only while hibernating: do not look for it.\n"
		"[Service]\n"
		"Environment=SYSTEMD_BYPASS_HIBERNATION_MEMORY_CHECK=1\n";
	int r = 0;

	if (!s->hibernate_only || !tree_exists(s->root, "/etc/systemd/system"))
		return 0;
	for (size_t i = FIRST_UNIT; i <= LAST_UNIT && r == 0; i++)
		r = marks_add(list, wanted_files[i], true, strdup(text), NULL);
	return r;
}

/* Instances on Xen have the version of their firmware from Amazon's Xen: "4.11.amazon". */
static bool is_ec2(const char *root)
{
	char text[64];

	return (tree_text(root, text, sizeof(text), "/sys/class/dmi/id/sys_vendor") &&
		strcmp(text, "Amazon EC2") == 0) ||
	       (tree_text(root, text, sizeof(text), "/sys/class/dmi/id/bios_version") &&
		strstr(text, "amazon"));
}

/* The agent of EC2 has its own swap file, and acpid run its script at that key. */
static bool has_agent(const char *root)
{
	return tree_exists(root, "/etc/acpi/actions/sleep.sh") ||
	       tree_exists(root, "/usr/bin/hibinit-agent");
}

bool wanted_by_agent(const char *root)
{
	return is_ec2(root) && has_agent(root);
}

/* EC2 asks an instance to hibernate by ACPI's sleep button; logind takes it for suspend's key, by
 * default, and EC2's machines have no suspend. No user is there to give up an inhibitor. */
static int want_sleep_key(const char *root, struct mark_list *list)
{
	static const char text[] = "# EC2 asks to hibernate by the sleep key.\n"
				   "[Login]\n"
				   "HandleSuspendKey=hibernate\n"
				   "SuspendKeyIgnoreInhibited=yes\n";

	if (!is_ec2(root) || has_agent(root) || !tree_exists(root, "/etc/systemd/system"))
		return 0;
	return marks_add(list, SLEEP_KEY, true, strdup(text), NULL);
}

/* The line of a mapping: name, device, key, options. *ret_end: its length; 0 if a field is
 * missing. NULL: none. free() it. */
static char *find_line(const char *text, const char *name, char options[1024], int *ret_end)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		_cleanup_free_ char *line = strndup(text, strcspn(text, "\n"));
		char found[128], device[2];

		*ret_end = 0;
		if (line && sscanf(line, "%127s %1s", found, device) == 2 &&
		    strcmp(found, name) == 0) {
			if (sscanf(line, "%*s %*s %*s %1023s%n", options, ret_end) < 1)
				options[0] = '\0';
			return steal_pointer(&line);
		}
	}
	return NULL;
}

static int open_early(const char *path, const struct device_layer *layer, const char *text,
		      const char *option, struct mark_list *list, struct why *w)
{
	char options[1024] = "", *changed;
	const struct mntent entry = { .mnt_opts = options }; /* same syntax */
	int end;
	_cleanup_free_ char *line = find_line(text, layer->mapper, options, &end);

	if (line && (!option || hasmntopt(&entry, option)))
		return 0;
	if (line && end > 0) {
		if (asprintf(&changed, "%.*s,%s%s\n", end, line, option, line + end) < 0)
			changed = NULL;
		return marks_add(list, path, false, changed, steal_pointer(&line));
	}
	return why(w, -EINVAL,
		   "the initramfs does not open %s, which it lies on; add this line to %s%s, "
		   "then enable it again: %s %s%s none luks%s%s",
		   layer->mapper, path,
		   option ? ""
			  : ", and systemd and sd-encrypt in HOOKS in /etc/mkinitcpio.conf "
			    "(encrypt does not read it)",
		   layer->mapper, layer->luks[0] ? "UUID=" : "DEVICE", layer->luks,
		   option ? "," : "", option ? option : "");
}

/* dracut comes with an update-initramfs of its own. */
static bool is_dracut(const char *root, const char *command)
{
	return text_starts(command, "dracut") || (tree_exists(root, "/usr/bin/dracut") &&
						  !tree_exists(root, "/usr/sbin/mkinitramfs"));
}

/* Encrypted devices under the area: the initramfs opens those whose line in crypttab says so, and
 * those of the root file system. -EINVAL with the line to add if there is none. */
static int want_crypttab(const char *root, dev_t dev, const char *command, struct mark_list *list,
			 struct why *w)
{
	/* The area's, and that of the root file system, which is opened early anyway. */
	_cleanup_free_ struct device_stack *stack = calloc(2, sizeof(*stack));
	bool own_table = text_starts(command, "mkinitcpio");
	const char *path = own_table ? "/etc/crypttab.initramfs" : "/etc/crypttab";
	const char *option = own_table			? NULL
			     : is_dracut(root, command) ? "x-initrd.attach"
							: "initramfs";
	struct marks marks = { 0 };
	int r = stack ? 0 : -ENOMEM;

	/* A device that cannot be examined was not refused earlier either. */
	if (r < 0 || device_stack_read(root, dev, stack, NULL) < 0)
		return r;
	preflight_read_root(&preflight_real_system, root, "", &stack[1]);
	r = marks_read(root, path, &marks, w);
	for (size_t i = 0; i < stack->count && r == 0; i++)
		if (stack->layers[i].kind == LAYER_CRYPT &&
		    !device_stack_lists(&stack[1], stack->layers[i].dev))
			r = open_early(path, &stack->layers[i], marks.rest, option, list, w);
	marks_free(&marks);
	return r;
}

int wanted_list(const struct swapfile *s, const struct swapfile_place *place,
		const char **ret_command, struct mark_list *list, struct why *w)
{
	int r;

	*ret_command = swapfile_initramfs(s, place, w);
	if (!*ret_command)
		return -EINVAL;
	r = want_drop_in(s, place, list);
	if (r == 0)
		r = want_fstab(s, place, list, w);
	if (r == 0)
		r = want_units(s, list);
	if (r == 0)
		r = want_sleep_key(s->root, list);
	return r == 0 ? want_crypttab(s->root, place->area.dev, *ret_command, list, w) : r;
}

char *wanted_activated(const char *root)
{
	struct marks marks;
	char *entry = NULL;

	/* A file that cannot be read is refused when it is changed. */
	if (marks_read(root, FSTAB, &marks, NULL) < 0)
		return NULL;
	entry = find_entry(marks.body, NULL);
	marks_free(&marks);
	return entry;
}

char *swapfile_marked_area(const char *root)
{
	char *area = wanted_activated(root);
	struct marks marks;

	for (size_t i = 1; i <= 2 && !area; i++) {
		if (marks_read(root, wanted_files[i], &marks, NULL) < 0)
			continue;
		if (sscanf(marks.body, "# The swap %*[a-z] %m[^\n]", &area) == 1)
			area[strlen(area) - 1] = '\0'; /* the full stop */
		marks_free(&marks);
	}
	return area;
}
