/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What enabling an area marks in the files of the system. */
#include "swapfile.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "base/tree.h"
#include "boot/initramfs.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIT_FILE(unit) "/etc/systemd/system/" unit ".service.d/90-s2disk-swap.conf"

static const char *const paths[EDITS] = {
	[EDIT_FSTAB] = "/etc/fstab",
	[EDIT_DROP_IN] = "/etc/suspend.conf.d/90-swapfile.conf",
	[EDIT_DROP_IN_USWSUSP] = "/etc/uswsusp.conf.d/90-swapfile.conf",
	[EDIT_LOGIND] = UNIT_FILE("systemd-logind"),
	[EDIT_SLEEP_KEY] = "/etc/systemd/logind.conf.d/90-s2disk-sleep-key.conf",
	/* Of former versions. */
	[EDIT_FORMER] = UNIT_FILE("systemd-hibernate"),
	UNIT_FILE("systemd-hybrid-sleep"),
	UNIT_FILE("systemd-suspend-then-hibernate"),
};

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
	const char *append = ostree ? "--append=" : "";

	if (command && !vendors)
		return command;
	why(w, -EINVAL, "%s %sresume=%s %sresume_offset=%s%s%s%s",
	    ostree    ? "ostree makes this system's initramfs; run: rpm-ostree initramfs --enable "
			"--arg=--add --arg=s2disk, then: rpm-ostree kargs"
	    : vendors ? "this system was booted from a unified kernel image of its vendor, whose "
			"initramfs has no resume; install a kernel whose initramfs is made here, "
			"boot it, and enable again; or build one by ukify build, with --cmdline "
			"containing:"
		      : "neither update-initramfs nor mkinitcpio nor dracut is there, so this "
			"system's initramfs is not made here; put /usr/lib/uswsusp/resume into it, "
			"and add to the kernel command line:",
	    append, place->device, append, place->offset,
	    s->hibernate_only ? "" : "; and this line to /etc/fstab: ",
	    s->hibernate_only ? "" : place->path,
	    s->hibernate_only ? "" : " none swap defaults 0 0");
	return NULL;
}

static bool is_wanted(const struct swapfile_place *place, const char *name)
{
	struct swap_area area;

	return strcmp(name, place->path) == 0 ||
	       (swap_area_resolve(name, 0, name[0] == '/', &area, NULL) == 0 &&
		area.dev == place->area.dev && area.offset == place->area.offset);
}

/* The first line of fstab's text that activates the area, or any area if place is NULL; free()
 * it. */
static char *find_entry(char *fstab, const struct swapfile_place *place)
{
	_cleanup_fclose_ FILE *file =
		fstab && fstab[0] ? fmemopen(fstab, strlen(fstab), "r") : NULL;
	const struct mntent *entry;

	while (file && (entry = getmntent(file)))
		if (strcmp(entry->mnt_type, "swap") == 0 && !hasmntopt(entry, "noauto") &&
		    (!place || is_wanted(place, entry->mnt_fsname)))
			return strdup(entry->mnt_fsname);
	return NULL;
}

static int want_fstab(const struct swapfile *s, const struct swapfile_place *place,
		      struct edit *edit, struct why *w)
{
	_cleanup_free_ char *entry = find_entry(edit->rest, place);
	_cleanup_free_ char *kept = find_entry(edit->body, place);
	char escaped[1100], *line;

	if (entry && s->hibernate_only)
		return why(w, -EINVAL,
			   "/etc/fstab activates %s at every boot; remove that line, or enable it "
			   "without --hibernate-only",
			   place->path);
	if (entry || s->hibernate_only)
		return 0;
	/* It may have the user's options. */
	if (kept)
		line = strdup(edit->body);
	else if (!text_escape_octal(place->path, escaped, sizeof(escaped)) ||
		 asprintf(&line, "%s none swap defaults 0 0\n", escaped) < 0)
		line = NULL;
	return edit_mark(edit, false, line, w);
}

static int want_drop_in(const struct swapfile *s, const struct swapfile_place *place,
			struct edit *edit, struct why *w)
{
	bool only = s->hibernate_only;
	char *text;

	if (asprintf(&text, "# The swap %s %s.\nresume device = %s\nresume offset = %s\n%s%s%s",
		     place->area.file ? "file" : "device", place->path, place->device,
		     place->offset, only ? "swap on demand = \"" : "", only ? place->path : "",
		     only ? "\"\n" : "") < 0)
		text = NULL;
	return edit_mark(edit, true, text, w);
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

/* EC2 asks an instance to hibernate by ACPI's sleep button; logind takes it for suspend's key, by
 * default, and EC2's machines have no suspend. No user is there to give up an inhibitor. EC2's
 * agent has its own swap file, and acpid run its script at that key: only one may answer. */
static int want_sleep_key(const char *root, struct edit *edit, struct why *w)
{
	static const char text[] = "# EC2 asks to hibernate by the sleep key.\n"
				   "[Login]\n"
				   "HandleSuspendKey=hibernate\n"
				   "SuspendKeyIgnoreInhibited=yes\n";

	if (!is_ec2(root))
		return 0;
	if (!tree_exists(root, "/etc/acpi/actions/sleep.sh") &&
	    !tree_exists(root, "/usr/bin/hibinit-agent"))
		return edit_mark(edit, true, strdup(text), w);
	log_warning(
		"EC2's agent (ec2-hibinit-agent) answers the sleep key, by which EC2 asks to "
		"hibernate, and uses the kernel's own hibernation; remove it, and enable again");
	return 0;
}

/* Has a user put settings into the file that is ours? */
static bool has_others(const struct edit *edit)
{
	static const char *const ours[] = {
		"#", "\n", "\r", "resume device =", "resume offset =", "swap on demand ="
	};
	const char *at = edit->body && !edit->rest ? edit->body : "";
	size_t i = 0;

	for (; *at && i < ARRAY_SIZE(ours); at += strcspn(at, "\n"), at += *at == '\n')
		for (i = 0; i < ARRAY_SIZE(ours) && !text_starts(at, ours[i]);)
			i++;
	return i == ARRAY_SIZE(ours);
}

int edits_read(const char *root, struct edit edits[EDITS], struct why *w)
{
	int result = 0;

	for (size_t i = 0; i < EDITS; i++) {
		struct why reason = { "" };
		int r = edit_read(root, paths[i], &edits[i], &reason);

		if (r == 0 && (i == EDIT_DROP_IN || i == EDIT_DROP_IN_USWSUSP) &&
		    has_others(&edits[i])) {
			free(steal_pointer(&edits[i].text));
			r = why(&reason, -EINVAL,
				"%s has settings that s2disk-swapfile did not write; move them to "
				"another file in its directory",
				paths[i]);
		}
		if (r < 0 && result == 0)
			result = why(w, r, "%s", why_text(&reason, r));
	}
	return result;
}

int edits_want(const struct swapfile *s, const struct swapfile_place *place,
	       struct edit edits[EDITS], struct why *w)
{
	/* logind looks for active swap before it offers to hibernate; there is none yet then.
	 * systemd documents this variable in its docs/ENVIRONMENT.md. */
	static const char bypass[] =
		"# The swap file is active only while hibernating: do not look for it.\n"
		"[Service]\n"
		"Environment=SYSTEMD_BYPASS_HIBERNATION_MEMORY_CHECK=1\n";
	/* Drop-ins go beside the configuration file that is read. */
	bool uswsusp = !tree_exists(s->root, "/etc/suspend.conf") &&
		       tree_exists(s->root, "/etc/uswsusp.conf");
	bool systemd = tree_exists(s->root, "/etc/systemd/system");
	int r = want_drop_in(s, place, &edits[uswsusp ? EDIT_DROP_IN_USWSUSP : EDIT_DROP_IN], w);

	if (r == 0)
		r = want_fstab(s, place, &edits[EDIT_FSTAB], w);
	if (r == 0 && systemd && s->hibernate_only)
		r = edit_mark(&edits[EDIT_LOGIND], true, strdup(bypass), w);
	return r == 0 && systemd ? want_sleep_key(s->root, &edits[EDIT_SLEEP_KEY], w) : r;
}

bool edits_differ(const struct edit edits[EDITS])
{
	bool differ = false;

	for (size_t i = 0; i < EDITS; i++)
		differ |= edit_differs(&edits[i]);
	return differ;
}

void edits_free(struct edit edits[EDITS])
{
	for (size_t i = 0; i < EDITS; i++)
		edit_free(&edits[i]);
}

char *edits_activated(const struct edit edits[EDITS])
{
	return find_entry(edits[EDIT_FSTAB].body, NULL);
}

char *swapfile_marked_area(const char *root)
{
	struct edit edits[EDITS];
	char *area = NULL;

	edits_read(root, edits, NULL);
	for (size_t i = EDIT_DROP_IN; i <= EDIT_DROP_IN_USWSUSP && !area; i++)
		if (edits[i].body &&
		    sscanf(edits[i].body, "# The swap %*[a-z] %m[^\r\n]", &area) == 1)
			area[strlen(area) - 1] = '\0'; /* the full stop */
	edits_free(edits);
	return area;
}
