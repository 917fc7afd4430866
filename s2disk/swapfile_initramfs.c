/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_initramfs.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "swapfile_shell.h"
#include "swapfile_site.h"
#include "swapfile_text.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define STUB_INFO "/sys/firmware/efi/efivars/StubInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

static bool has_program(const struct swapfile_system *system, const char *name)
{
	char path[64];

	return system_find_program(system, name, path, sizeof(path));
}

/* A unified image of the vendor's, which no generator here makes again (Fedora's
 * kernel-uki-virt). */
static bool is_vendors(const struct swapfile_system *system)
{
	char release[128], path[256];

	if (!system_has(system, STUB_INFO) ||
	    io_read_text(system->root, "/proc/sys/kernel/osrelease", release, sizeof(release)) < 0)
		return false;
	snprintf(path, sizeof(path), "/usr/lib/modules/%s/vmlinuz-virt.efi", text_trim(release));
	return system_has(system, path);
}

/* "resume=A resume_offset=B" as rpm-ostree takes them. */
static const char *appended(const char *arguments, char *buffer, size_t size)
{
	const char *blank = strchrnul(arguments, ' ');

	snprintf(buffer, size, "--append=%.*s%s%s", (int)(blank - arguments), arguments,
		 *blank ? " --append=" : "", *blank ? blank + 1 : "");
	return buffer;
}

int initramfs_find(const struct swapfile_system *system, const char *arguments, const char *fstab,
		   struct initramfs_site *ret, struct why *w)
{
	static const struct {
		const char *program, *arguments;
		enum initramfs_maker maker;
	} makers[] = {
		{ "update-initramfs", "-u\n-k\nall", MAKER_INITRAMFS_TOOLS },
		{ "mkinitcpio", "-P", MAKER_MKINITCPIO },
		{ "dracut", "--force\n--regenerate-all", MAKER_DRACUT },
	};
	char path[64], buffer[400];

	if (system_has(system, "/run/ostree-booted"))
		return why(w, -EINVAL,
			   "ostree makes this system's initramfs; run: rpm-ostree initramfs "
			   "--enable --arg=--add --arg=s2disk, then: rpm-ostree kargs %s%s%s%s",
			   appended(arguments, buffer, sizeof(buffer)),
			   fstab ? ", and put this line into /etc/fstab: " : "", fstab ? fstab : "",
			   has_program(system, "bootc")
				   ? "; where bootc updates it, make its image with s2disk and an "
				     "initramfs of dracut --add s2disk instead, and name the "
				     "arguments in its /usr/lib/bootc/kargs.d"
				   : "");
	if (is_vendors(system))
		return why(
			w, -EINVAL,
			"this system was booted from a unified kernel image of its vendor, whose "
			"initramfs has no resume; install a kernel whose initramfs is made here "
			"(dnf install kernel-core dracut), boot it, and enable again, or build "
			"one: ukify build with --cmdline containing %s",
			arguments);
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		if (!system_find_program(system, makers[i].program, path, sizeof(path)))
			continue;
		snprintf(ret->command, sizeof(ret->command), "%s\n%s", path, makers[i].arguments);
		ret->maker = makers[i].maker;
		/* dracut has an update-initramfs of its own. */
		if (i == 0 && has_program(system, "dracut") && !has_program(system, "mkinitramfs"))
			ret->maker = MAKER_DRACUT;
		return 0;
	}
	return why(w, -EINVAL,
		   "neither update-initramfs nor mkinitcpio nor dracut is there, so this system's "
		   "initramfs is not made here; put /usr/lib/uswsusp/resume into it, and add this "
		   "to the kernel command line: %s%s%s",
		   arguments, fstab ? "; into /etc/fstab: " : "", fstab ? fstab : "");
}

#define VALUE_SIZE 4096

static const char *const mkinitcpio_files[] = { "/etc/mkinitcpio.conf",
						"/etc/mkinitcpio.conf.d/*.conf", NULL };
static const char *const dracut_files[] = { "/etc/dracut.conf",
					    "/usr/lib/dracut/dracut.conf.d/*.conf",
					    "/etc/dracut.conf.d/*.conf", NULL };

static void look_at_mkinitcpio(const struct swapfile_system *system, char *ret, size_t size)
{
	char hooks[VALUE_SIZE];
	const char *ours = "s2disk", *other = "sd-s2disk";

	shell_read(system, mkinitcpio_files, "HOOKS", hooks, sizeof(hooks));
	if (shell_has_word(hooks, "systemd")) {
		ours = "sd-s2disk";
		other = "s2disk";
	}
	if (!shell_has_word(hooks, ours))
		snprintf(ret, size,
			 "mkinitcpio's HOOKS lack %s%s, so that no boot resumes yet: put it before "
			 "filesystems in /etc/mkinitcpio.conf%s%s, then run mkinitcpio -P",
			 ours, strchr(hooks, '$') || !hooks[0] ? " (as far as can be seen)" : "",
			 shell_has_word(hooks, other) ? ", in the place of " : "",
			 shell_has_word(hooks, other) ? other : "");
}

static void look_for_hook(const struct swapfile_system *system, enum initramfs_maker maker,
			  char *ret, size_t size)
{
	static const char *const hooks[] = { "/usr/lib/dracut/modules.d/55s2disk/module-setup.sh",
					     "/usr/share/initramfs-tools/hooks/s2disk",
					     "/etc/initramfs-tools/hooks/s2disk" };
	bool dracut = maker == MAKER_DRACUT;
	char left_out[VALUE_SIZE];

	if (!system_has(system, hooks[dracut ? 0 : 1]) && (dracut || !system_has(system, hooks[2])))
		snprintf(ret, size,
			 "s2disk's hook is not installed (%s), so that no boot resumes yet; "
			 "install it and make the initramfs anew",
			 hooks[dracut ? 0 : 1]);
	else if (dracut && shell_has_word(shell_read(system, dracut_files, "omit_dracutmodules",
						     left_out, sizeof(left_out)),
					  "s2disk"))
		snprintf(ret, size,
			 "omit_dracutmodules in /etc/dracut.conf.d names s2disk, so that no boot "
			 "resumes yet; take it out and run dracut --force --regenerate-all");
}

bool initramfs_looks(const struct swapfile_system *system, const struct initramfs_site *site,
		     char *ret, size_t size)
{
	static const char *const grub[] = { "/etc/default/grub", "/etc/default/grub.d/*.cfg",
					    NULL };
	char without[VALUE_SIZE];

	ret[0] = '\0';
	if (site->maker == MAKER_MKINITCPIO)
		look_at_mkinitcpio(system, ret, size);
	else
		look_for_hook(system, site->maker, ret, size);
	if (!ret[0] && shell_read(system, grub, "GRUB_FORCE_PARTUUID", without, sizeof(without))[0])
		snprintf(ret, size,
			 "GRUB boots this system without its initramfs (GRUB_FORCE_PARTUUID, as "
			 "cloud images have it), so that no boot resumes yet; run: echo "
			 "GRUB_FORCE_PARTUUID= >/etc/default/grub.d/95-initramfs.cfg && "
			 "update-grub");
	return !ret[0];
}

struct search {
	const char *root;
	dev_t dev;
	bool found;
};

static int look_below(void *context, dev_t dev)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	struct search *search = context;

	if (!stack || device_stack_read(search->root, dev, stack, NULL) < 0)
		return 0;
	for (size_t i = 0; i < stack->count; i++)
		search->found |= stack->layers[i].dev == search->dev;
	return 0;
}

/* The root file system's devices are open early in any case. */
static bool is_below_root(const struct swapfile_system *system, dev_t dev)
{
	struct search search = { .root = system->root, .dev = dev };

	return site_each_device("/", look_below, &search, NULL) == 0 && search.found;
}

/* "UUID=..." of the LUKS header, by the mapping's name for itself:
 * CRYPT-LUKS2-<32 digits>-NAME. */
static void luks_name(const struct swapfile_system *system, dev_t dev, char *buffer, size_t size)
{
	char path[96], text[256];
	unsigned int n[5];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/dm/uuid", major(dev), minor(dev));
	if (io_read_text(system->root, path, text, sizeof(text)) < 0 ||
	    !text_starts(text, "CRYPT-LUKS") ||
	    sscanf(text + 12, "%8x%4x%4x%4x%4x", &n[0], &n[1], &n[2], &n[3], &n[4]) != 5)
		snprintf(buffer, size, "DEVICE");
	else
		snprintf(buffer, size, "UUID=%08x-%04x-%04x-%04x-%.12s", n[0], n[1], n[2], n[3],
			 text + 32);
}

/* Does the generators' configuration bring it along? */
static bool brings_key(const struct swapfile_system *system, enum initramfs_maker maker,
		       const char *key)
{
	static const char *const cryptsetup_files[] = { "/etc/cryptsetup-initramfs/conf-hook",
							NULL };
	char value[VALUE_SIZE], more[VALUE_SIZE];

	switch (maker) {
	case MAKER_INITRAMFS_TOOLS:
		shell_read(system, cryptsetup_files, "KEYFILE_PATTERN", value, sizeof(value));
		return fnmatch(value, key, 0) == 0;
	case MAKER_MKINITCPIO:
		shell_read(system, mkinitcpio_files, "FILES", value, sizeof(value));
		return shell_has_word(value, key);
	default:
		shell_read(system, dracut_files, "install_items", value, sizeof(value));
		shell_read(system, dracut_files, "install_optional_items", more, sizeof(more));
		return shell_has_word(value, key) || shell_has_word(more, key);
	}
}

/* One of a line of crypttab: name, device, key, options; length 0 where it has none. */
struct field {
	const char *at;
	size_t length;
};

static bool find_line(const char *text, const char *name, struct field fields[4])
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		const char *at = text;

		for (size_t i = 0; i < 4; i++) {
			at += strspn(at, " \t\r");
			fields[i] = (struct field){ at, strcspn(at, " \t\r\n") };
			at += fields[i].length;
		}
		if (fields[1].length > 0 && fields[0].length == strlen(name) &&
		    strncmp(fields[0].at, name, fields[0].length) == 0)
			return true;
	}
	return false;
}

/* Puts it behind the line's options, or, with what is missing before it, behind the last field. */
static int add_option(char **text, const struct field fields[4], const char *option)
{
	size_t last = fields[3].length ? 3 : fields[2].length ? 2 : 1;
	static const char *const between[] = { "", " none luks,", " luks,", "," };
	const char *rest = fields[last].at + fields[last].length;
	char *changed;

	if (asprintf(&changed, "%.*s%s%s%s", (int)(rest - *text), *text, between[last], option,
		     rest) < 0)
		return -ENOMEM;
	free(*text);
	*text = changed;
	return 0;
}

/* What generators want of crypttab, and which it is. */
static const struct {
	const char *file, *option, *key_where;
} tables[] = {
	[MAKER_INITRAMFS_TOOLS] = { "/etc/crypttab", "initramfs",
				    "name it by KEYFILE_PATTERN in "
				    "/etc/cryptsetup-initramfs/conf-hook" },
	[MAKER_MKINITCPIO] = { "/etc/crypttab.initramfs", NULL,
			       "name it in FILES in /etc/mkinitcpio.conf" },
	[MAKER_DRACUT] = { "/etc/crypttab", "x-initrd.attach",
			   "name it with install_items+= in /etc/dracut.conf.d" },
};

static int refuse_locked(const struct swapfile_system *system, const struct device_layer *layer,
			 enum initramfs_maker maker, struct why *w)
{
	const char *option = tables[maker].option;
	char device[64];

	luks_name(system, layer->dev, device, sizeof(device));
	return why(
		w, -EINVAL,
		"the initramfs does not open %s, which it lies on; add this line to %s%s, "
		"then enable it again: %s %s none luks%s%s",
		layer->mapper, tables[maker].file,
		maker == MAKER_MKINITCPIO
			? ", and systemd and sd-encrypt to HOOKS in /etc/mkinitcpio.conf (encrypt "
			  "does not read it)"
			: "",
		layer->mapper, device, option ? "," : "", option ? option : "");
}

static int unlock_mapping(const struct swapfile_system *system, const struct device_layer *layer,
			  enum initramfs_maker maker, char **text, struct why *w)
{
	const char *option = tables[maker].option;
	_cleanup_free_ char *key = NULL, *options = NULL;
	char hooks[VALUE_SIZE];
	struct field fields[4];

	if (!*text || !find_line(*text, layer->mapper, fields) ||
	    (maker == MAKER_MKINITCPIO &&
	     !shell_has_word(shell_read(system, mkinitcpio_files, "HOOKS", hooks, sizeof(hooks)),
			     "sd-encrypt")))
		return refuse_locked(system, layer, maker, w);
	key = strndup(fields[2].at, fields[2].length);
	options = strndup(fields[3].at, fields[3].length);
	if (!key || !options)
		return -ENOMEM;
	if (key[0] == '/' && !text_starts(key, "/dev/") && !strstr(options, "keyscript=") &&
	    !brings_key(system, maker, key))
		return why(w, -EINVAL,
			   "it lies on %s, whose key file %s (%s) is not in the initramfs, so the "
			   "image could not be read before the root file system is mounted; %s, "
			   "or use a passphrase",
			   layer->mapper, key, tables[maker].file, tables[maker].key_where);
	return option && !text_has_option(options, option) ? add_option(text, fields, option) : 0;
}

int initramfs_plan_unlock(struct plan *plan, const struct swapfile_system *system, dev_t dev,
			  const struct initramfs_site *site, struct why *w)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	const char *file = tables[site->maker].file;
	_cleanup_free_ char *text = NULL;
	bool locked = false;
	int r = stack ? 0 : -ENOMEM;

	/* What cannot be looked at was not objected to before either. */
	if (r < 0 || device_stack_read(system->root, dev, stack, NULL) < 0)
		return r;
	r = system_read(system, file, &text);
	if (r < 0)
		return why(w, r, "%s: %s", file, strerror(-r));
	for (size_t i = 0; i < stack->count && r == 0; i++) {
		if (stack->layers[i].kind != LAYER_CRYPT ||
		    is_below_root(system, stack->layers[i].dev))
			continue;
		locked = true;
		r = unlock_mapping(system, &stack->layers[i], site->maker, &text, w);
	}
	return r == 0 && locked ? plan_file(plan, system, file, steal_pointer(&text), w) : r;
}
