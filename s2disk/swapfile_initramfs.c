/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_initramfs.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/text.h"
#include "swapfile_site.h"

#include <errno.h>
#include <glob.h>
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
			   "--enable --arg=--add --arg=s2disk, then: rpm-ostree kargs %s%s%s",
			   appended(arguments, buffer, sizeof(buffer)),
			   fstab ? ", and put this line into /etc/fstab: " : "",
			   fstab ? fstab : "");
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

/* Takes the last HOOKS=(...) over, and what HOOKS+=(...) adds. */
static void take_hooks(const struct swapfile_system *system, const char *path, char *hooks,
		       size_t size)
{
	_cleanup_free_ char *text = NULL;
	const char *at = NULL;

	if (system_read(system, path, &text) < 0 || !text)
		return;
	for (const char *line = text; line; line = (at = strchr(line, '\n')) ? at + 1 : NULL) {
		size_t blanks = strspn(line, " \t");
		bool more = text_starts(line + blanks, "HOOKS+=(");
		size_t used = more ? strlen(hooks) : 0;

		if (!more && !text_starts(line + blanks, "HOOKS=("))
			continue;
		line = strchr(line, '(') + 1;
		snprintf(hooks + used, size - used, "%s%.*s", more ? " " : "",
			 (int)strcspn(line, ")"), line);
	}
	for (char *c = hooks; *c; c++)
		if (*c == '\n' || *c == '\t')
			*c = ' ';
}

static const char *find_word(const char *words, const char *word)
{
	size_t length = strlen(word);
	const char *at = words;

	while ((at = strstr(at, word))) {
		if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
			return at;
		at += length;
	}
	return NULL;
}

static void warn_mkinitcpio(const struct swapfile_system *system, const char *arguments)
{
	_cleanup_free_ char *pattern = system_path(system, "/etc/mkinitcpio.conf.d/*.conf");
	char hooks[1024] = "";
	const char *ours, *before;
	glob_t found;

	take_hooks(system, "/etc/mkinitcpio.conf", hooks, sizeof(hooks));
	if (pattern && glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			take_hooks(system, found.gl_pathv[i] + strlen(system->root), hooks,
				   sizeof(hooks));
		globfree(&found);
	}
	if (find_word(hooks, "s2disk") || find_word(hooks, "sd-s2disk"))
		return;
	ours = find_word(hooks, "systemd") ? "sd-s2disk" : "s2disk";
	before = find_word(hooks, "filesystems");
	if (!before)
		before = hooks + strlen(hooks);
	log_warning("mkinitcpio's HOOKS lack %s, so that no boot resumes yet: write "
		    "HOOKS=(%.*s%s%s%s%s) into /etc/mkinitcpio.conf and run mkinitcpio -P. The "
		    "kernel's own hibernation needs these arguments: %s",
		    ours, (int)(before - hooks), hooks, *before || before == hooks ? "" : " ", ours,
		    *before ? " " : "", before, arguments);
}

void initramfs_warn(const struct swapfile_system *system, const struct initramfs_site *site,
		    const char *arguments)
{
	static const char *const hooks[] = { "/usr/share/initramfs-tools/hooks/s2disk",
					     "/etc/initramfs-tools/hooks/s2disk",
					     "/usr/lib/dracut/modules.d/55s2disk/module-setup.sh" };

	if (site->maker == MAKER_MKINITCPIO) {
		warn_mkinitcpio(system, arguments);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		if (system_has(system, hooks[i]))
			return;
	log_warning("s2disk's hook is not installed (%s), so that no boot resumes yet; install it "
		    "and make the initramfs anew. The kernel's own hibernation needs these "
		    "arguments: %s",
		    hooks[site->maker == MAKER_DRACUT ? 2 : 0], arguments);
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

/* The generators' configuration that says what else comes into the initramfs. */
static bool brings_key(const struct swapfile_system *system, enum initramfs_maker maker,
		       const char *key)
{
	static const char *const patterns[] = {
		[MAKER_INITRAMFS_TOOLS] = "/etc/cryptsetup-initramfs/conf-hook",
		[MAKER_MKINITCPIO] = "/etc/mkinitcpio.conf",
		[MAKER_DRACUT] = "/etc/dracut.conf.d/*.conf",
	};
	_cleanup_free_ char *pattern = system_path(system, patterns[maker]);
	bool brings = false;
	glob_t found;

	if (!pattern || glob(pattern, 0, NULL, &found) != 0)
		return false;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		_cleanup_free_ char *text = NULL;

		if (system_read(system, found.gl_pathv[i] + strlen(system->root), &text) < 0 ||
		    !text)
			continue;
		brings |= strstr(text, maker == MAKER_INITRAMFS_TOOLS ? "\nKEYFILE_PATTERN="
								      : key) != NULL;
	}
	globfree(&found);
	return brings;
}

/* A line of crypttab: name, device, key, options. */
struct crypttab_line {
	const char *start;
	size_t length; /* without its end */
	char *fields[4];
};

static void free_line(struct crypttab_line *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(line->fields); i++)
		free(line->fields[i]);
}

/* Free the fields also of one not found. */
static bool find_line(const char *text, const char *name, struct crypttab_line *ret)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		char **f = ret->fields;
		_cleanup_free_ char *copy = strndup(text, strcspn(text, "\n"));

		free_line(ret);
		*ret = (struct crypttab_line){ text, strcspn(text, "\n"), { NULL } };
		if (copy && sscanf(copy, "%ms %ms %ms %ms", &f[0], &f[1], &f[2], &f[3]) >= 2 &&
		    strcmp(f[0], name) == 0)
			return true;
	}
	return false;
}

static bool has_option(const char *options, const char *wanted)
{
	const char *at = options ? strstr(options, wanted) : NULL;
	size_t length = strlen(wanted);

	return at && (at == options || at[-1] == ',') && (at[length] == ',' || at[length] == '\0');
}

static int plan_line(struct plan *plan, const struct swapfile_system *system, const char *file,
		     const char *text, const struct crypttab_line *line, const char *option,
		     struct why *w)
{
	const char *key = line->fields[2], *rest = line->start + line->length;
	const char *add = line->fields[3] ? "," : key ? " luks," : " none luks,";
	char *changed;
	int size = (int)line->length;

	while (size > 0 && strchr(" \t", line->start[size - 1]))
		size--;
	if (asprintf(&changed, "%.*s%s%s%s", (int)(line->start - text) + size, text, add, option,
		     rest) < 0)
		changed = NULL;
	return plan_file(plan, system, file, changed, w);
}

static int plan_mapping(struct plan *plan, const struct swapfile_system *system,
			const struct device_layer *layer, enum initramfs_maker maker, struct why *w)
{
	static const char *const options[] = { "initramfs", NULL, "x-initrd.attach" };
	const char *option = options[maker];
	const char *file = maker == MAKER_MKINITCPIO ? "/etc/crypttab.initramfs" : "/etc/crypttab";
	struct crypttab_line line = { 0 };
	_cleanup_free_ char *text = NULL;
	char device[64];
	const char *key;
	int r = system_read(system, file, &text);

	if (r < 0)
		return why(w, r, "%s: %s", file, strerror(-r));
	luks_name(system, layer->dev, device, sizeof(device));
	if (!text || !find_line(text, layer->mapper, &line)) {
		r = why(w, -EINVAL,
			"the initramfs does not open %s, which it lies on; add this line to %s%s, "
			"then enable it again: %s %s none luks%s%s",
			layer->mapper, file,
			maker == MAKER_MKINITCPIO ? ", and sd-encrypt to HOOKS" : "", layer->mapper,
			device, option ? "," : "", option ? option : "");
		free_line(&line);
		return r;
	}
	key = line.fields[2];
	if (key && key[0] == '/' && !text_starts(key, "/dev/") &&
	    !(line.fields[3] && strstr(line.fields[3], "keyscript=")) &&
	    !brings_key(system, maker, key))
		r = why(w, -EINVAL,
			"it lies on %s, whose key file %s (%s) is not in the initramfs, so the "
			"image could not be read before the root file system is mounted; %s, or "
			"use a passphrase",
			layer->mapper, key, file,
			maker == MAKER_INITRAMFS_TOOLS
				? "set KEYFILE_PATTERN in /etc/cryptsetup-initramfs/conf-hook"
			: maker == MAKER_DRACUT
				? "name it with install_items+= in /etc/dracut.conf.d"
				: "name it in FILES in /etc/mkinitcpio.conf");
	else if (option && !has_option(line.fields[3], option))
		r = plan_line(plan, system, file, text, &line, option, w);
	free_line(&line);
	return r;
}

int initramfs_plan_unlock(struct plan *plan, const struct swapfile_system *system, dev_t dev,
			  const struct initramfs_site *site, struct why *w)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	int r = stack ? 0 : -ENOMEM;

	/* What cannot be looked at was not objected to before either. */
	if (r < 0 || device_stack_read(system->root, dev, stack, NULL) < 0)
		return r;
	for (size_t i = 0; i < stack->count && r == 0; i++)
		if (stack->layers[i].kind == LAYER_CRYPT &&
		    !is_below_root(system, stack->layers[i].dev))
			r = plan_mapping(plan, system, &stack->layers[i], site->maker, w);
	return r;
}
