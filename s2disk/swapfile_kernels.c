/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_kernels.h"

#include "base/cleanup.h"
#include "boot/boot_entry.h"
#include "kernel/kernel_cmdline.h"
#include "swapfile_text.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL_CMDLINE "/etc/kernel/cmdline"

static int no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* alphasort() would sort by the user's language. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Calls see() for everything in a folder, sorted; stops at an error. */
static int each_in(const struct swapfile_system *system, const char *folder,
		   int (*see)(void *context, const char *folder, const char *name), void *context)
{
	_cleanup_free_ char *full = system_path(system, folder);
	struct dirent **entries;
	int count = full ? scandir(full, &entries, no_dots, compare_names) : -1, r = 0;

	if (count < 0)
		return 0;
	for (int i = 0; i < count; i++) {
		if (r == 0)
			r = see(context, folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* Does the entry boot a Linux kernel? (others have efi) */
static bool boots_linux(const char *text)
{
	for (; *text; text = strchrnul(text, '\n'), text += *text == '\n') {
		while (*text == ' ' || *text == '\t')
			text++;
		if (strncmp(text, "linux", 5) == 0 && (text[5] == ' ' || text[5] == '\t'))
			return true;
	}
	return false;
}

struct walk {
	struct plan *plan;
	const struct swapfile_system *system;
	const char *arguments;
	const char *before; /* ENTRIES: what stands in their place; NULL: nothing */
	struct why *w;
	bool found;
	const char *program; /* kernel-install */
	int result;	     /* the first error */
};

/* The text of an entry for Linux; NULL in *ret for anything else. */
static int read_entry(const struct swapfile_system *system, const char *folder, const char *name,
		      char *path, size_t size, char **ret)
{
	size_t length = strlen(name);
	int r;

	*ret = NULL;
	if (length < 6 || strcmp(name + length - 5, ".conf") != 0 ||
	    snprintf(path, size, "%s/%s", folder, name) >= (int)size)
		return 0;
	r = system_read(system, path, ret);
	if (r == 0 && *ret && !boots_linux(*ret))
		free(steal_pointer(ret));
	return r;
}

static int see_entry(void *context, const char *folder, const char *name)
{
	struct walk *walk = context;
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];

	if (read_entry(walk->system, folder, name, path, sizeof(path), &text) == 0 && text)
		walk->found = true;
	return 0;
}

bool kernels_have_entries(const struct swapfile_system *system)
{
	struct walk walk = { .system = system };

	for (size_t i = 0; boot_entry_folders[i]; i++)
		each_in(system, boot_entry_folders[i], see_entry, &walk);
	return walk.found;
}

void kernels_own_arguments(const char *args, char *buffer, size_t size)
{
	struct kernel_cmdline cmdline;
	size_t used = 0;

	kernel_cmdline_parse(args, &cmdline);
	buffer[0] = '\0';
	if (cmdline.resume[0])
		used = (size_t)snprintf(buffer, size, "resume=%s", cmdline.resume);
	if (cmdline.resume_offset && used < size)
		snprintf(buffer + used, size - used, "%sresume_offset=%" PRIu64, used ? " " : "",
			 cmdline.resume_offset);
}

/* Are these the entry's arguments, and none else of ours? */
static bool carries(const char *text, const char *arguments)
{
	_cleanup_free_ char *with = text_put_keyword_arguments(text, "options", false, arguments);

	return with && strcmp(with, text) == 0;
}

static int change_entry(void *context, const char *folder, const char *name)
{
	struct walk *walk = context;
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	int r = read_entry(walk->system, folder, name, path, sizeof(path), &text);

	if (r < 0)
		return why(walk->w, r, "%s: %s", path, strerror(-r));
	if (!text)
		return 0;
	walk->found |= carries(text, walk->arguments);
	return plan_file(walk->plan, walk->system, path,
			 text_put_keyword_arguments(text, "options", false, walk->arguments),
			 walk->w);
}

static int change_cmdline(struct plan *plan, const struct swapfile_system *system,
			  const char *arguments, struct why *w)
{
	_cleanup_free_ char *text = NULL;
	int r = system_read(system, KERNEL_CMDLINE, &text);

	if (r < 0)
		return why(w, r, "%s: %s", KERNEL_CMDLINE, strerror(-r));
	if (!text)
		return 0;
	return plan_file(plan, system, KERNEL_CMDLINE, text_put_arguments(text, arguments), w);
}

static int change_entries(struct walk *walk)
{
	int r = 0;

	for (size_t i = 0; boot_entry_folders[i] && r == 0; i++)
		r = each_in(walk->system, boot_entry_folders[i], change_entry, walk);
	return r;
}

int kernels_plan_entries(struct plan *plan, const struct swapfile_system *system,
			 const char *arguments, struct why *w)
{
	struct walk walk = { .plan = plan, .system = system, .arguments = arguments, .w = w };
	_cleanup_free_ char *text = NULL;
	size_t before = plan->count;
	char own[400] = "";
	int r = system_read(system, KERNEL_CMDLINE, &text);

	if (r < 0)
		return why(w, r, "%s: %s", KERNEL_CMDLINE, strerror(-r));
	if (text)
		kernels_own_arguments(text, own, sizeof(own));
	/* Undone after all that follows: what carries the arguments then is new. */
	r = plan_entries(plan, arguments, own[0] ? own : NULL);
	if (r == 0)
		r = change_entries(&walk);
	if (r == 0)
		r = change_cmdline(plan, system, arguments, w);
	/* Where somebody else gave them to one, they are not ours to take. */
	if (r == 0 && walk.found) {
		plan_drop(&plan->steps[before]);
		plan->count--;
		memmove(&plan->steps[before], &plan->steps[before + 1],
			(plan->count - before) * sizeof(*plan->steps));
	}
	return r;
}

static int undo_entry(void *context, const char *folder, const char *name)
{
	struct walk *walk = context;
	_cleanup_free_ char *text = NULL, *changed = NULL;
	char path[PATH_MAX];
	int r = read_entry(walk->system, folder, name, path, sizeof(path), &text);

	if (r == 0 && text && carries(text, walk->arguments)) {
		changed = text_put_keyword_arguments(text, "options", false, walk->before);
		r = changed ? system_write(walk->system, path, changed, 0644) : -ENOMEM;
	}
	if (r < 0 && walk->result == 0)
		walk->result = why(walk->w, r, "%s: %s", path, strerror(-r));
	return 0;
}

int kernels_undo_entries(const struct swapfile_system *system, const char *arguments,
			 const char *before, struct why *w)
{
	struct walk walk = { .system = system, .arguments = arguments, .before = before, .w = w };

	for (size_t i = 0; boot_entry_folders[i]; i++)
		each_in(system, boot_entry_folders[i], undo_entry, &walk);
	return walk.result;
}

static const char *modules_folder(const struct swapfile_system *system)
{
	static const char modules[] = "/usr/lib/modules";

	return system_has(system, modules) ? modules : "/lib/modules";
}

/* One that fails does not keep the others from being made. */
static int install_kernel(void *context, const char *folder, const char *name)
{
	struct walk *walk = context;
	char image[PATH_MAX], command[2 * PATH_MAX];
	struct why reason = { "" };
	int r;

	snprintf(image, sizeof(image), "%s/%s/vmlinuz", folder, name);
	if (!system_has(walk->system, image))
		snprintf(image, sizeof(image), "/boot/vmlinuz-%s", name);
	if (!system_has(walk->system, image))
		return 0;
	if (snprintf(command, sizeof(command), "%s\nadd\n%s\n%s", walk->program, name, image) >=
	    (int)sizeof(command))
		return -ENAMETOOLONG;
	r = walk->system->run(walk->system, command, NULL, &reason);
	if (r < 0 && walk->result == 0)
		walk->result = why(walk->w, r, "%s", why_text(&reason, r));
	return 0;
}

int kernels_install(const struct swapfile_system *system, const char *program, struct why *w)
{
	struct walk walk = { .system = system, .program = program, .w = w };
	int r = each_in(system, modules_folder(system), install_kernel, &walk);

	return r < 0 ? r : walk.result;
}

int kernels_plan_install(struct plan *plan, const struct swapfile_system *system,
			 const char *arguments, struct why *w)
{
	_cleanup_free_ char *text = NULL, *changed = NULL;
	char program[64];
	int r = system_read(system, KERNEL_CMDLINE, &text);

	if (r < 0)
		return why(w, r, "%s: %s", KERNEL_CMDLINE, strerror(-r));
	changed = text_put_arguments(text ? text : "", arguments);
	if (!changed)
		return -ENOMEM;
	if (text && strcmp(text, changed) == 0)
		return 0;
	if (!system_find_program(system, "kernel-install", program, sizeof(program)))
		return why(w, -ENOENT, "kernel-install is not there");
	r = plan_kernels(plan, NULL, program);
	if (r == 0)
		r = plan_file(plan, system, KERNEL_CMDLINE, steal_pointer(&changed), w);
	return r < 0 ? r : plan_kernels(plan, program, NULL);
}
