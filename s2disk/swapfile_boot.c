/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_boot.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "boot/boot_entry.h"
#include "kernel/kernel_cmdline.h"
#include "swapfile_kernels.h"
#include "swapfile_text.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRUB_DEFAULT "/etc/default/grub"
#define GRUB_FOLDER "/etc/default/grub.d"
#define GRUB_FILE GRUB_FOLDER "/95-s2disk-swapfile.cfg"
#define KERNEL_CMDLINE "/etc/kernel/cmdline"
#define UBOOT_DEFAULT "/etc/default/u-boot"

static const char *const extlinux_files[] = {
	"/boot/extlinux/extlinux.conf",
	"/boot/extlinux.conf",
	"/extlinux/extlinux.conf",
	"/boot/syslinux/syslinux.cfg",
	NULL,
};

static bool has_program(const struct swapfile_system *system, const char *name)
{
	char path[64];

	return system_find_program(system, name, path, sizeof(path)) != NULL;
}

static const char *first_there(const struct swapfile_system *system, const char *const *paths)
{
	for (; *paths; paths++)
		if (system_has(system, *paths))
			return *paths;
	return NULL;
}

/* Debian's grub-mkconfig reads the folder, others do not. */
static bool reads_grub_folder(const struct swapfile_system *system)
{
	_cleanup_free_ char *text = NULL;
	char path[64];

	if (!system_find_program(system, "grub-mkconfig", path, sizeof(path)) ||
	    system_read(system, path, &text) < 0 || !text)
		return system_has(system, GRUB_FOLDER);
	return strstr(text, "default/grub.d") != NULL;
}

static const char *grub_mkconfig(const struct swapfile_system *system, char *path, size_t size)
{
	if (system_find_program(system, "grub2-mkconfig", path, size))
		return path;
	return system_find_program(system, "grub-mkconfig", path, size);
}

enum boot_loader boot_detect(const struct swapfile_system *system)
{
	bool entries = kernels_have_entries(system);
	char path[64];

	if (entries && boot_by_systemd_boot(system->root))
		return BOOT_ENTRIES;
	if (has_program(system, "grubby"))
		return BOOT_GRUBBY;
	if (system_has(system, GRUB_DEFAULT) && has_program(system, "update-grub") &&
	    reads_grub_folder(system))
		return BOOT_GRUB_FOLDER;
	if (system_has(system, GRUB_DEFAULT) && grub_mkconfig(system, path, sizeof(path)) &&
	    first_there(system, boot_grub_configs))
		return BOOT_GRUB_FILE;
	if (entries)
		return BOOT_ENTRIES;
	if (system_has(system, KERNEL_CMDLINE) && has_program(system, "kernel-install"))
		return BOOT_KERNEL_INSTALL;
	if (has_program(system, "u-boot-update") && system_has(system, extlinux_files[0]))
		return BOOT_UBOOT;
	if (first_there(system, extlinux_files))
		return BOOT_EXTLINUX;
	return BOOT_NONE;
}

const char *boot_name(enum boot_loader loader)
{
	switch (loader) {
	case BOOT_NONE:
		return "none";
	case BOOT_GRUBBY:
		return "grubby";
	case BOOT_GRUB_FOLDER:
		return "GRUB (" GRUB_FOLDER ")";
	case BOOT_GRUB_FILE:
		return "GRUB (" GRUB_DEFAULT ")";
	case BOOT_ENTRIES:
		return "boot loader entries";
	case BOOT_KERNEL_INSTALL:
		return "kernel-install (" KERNEL_CMDLINE ")";
	case BOOT_UBOOT:
		return "u-boot-update";
	case BOOT_EXTLINUX:
		return "extlinux";
	}
	return "none";
}

/* A change that needs a program to take effect, before and after. */
static int plan_generated(struct plan *plan, const struct swapfile_system *system, const char *path,
			  char *new_text, const char *command, struct why *w)
{
	_cleanup_free_ char *current = NULL;
	int r = new_text ? system_read(system, path, &current) : -ENOMEM;

	if (r < 0 || (current && strcmp(current, new_text) == 0)) {
		free(new_text);
		return r < 0 ? why(w, r, "%s: %s", path, strerror(-r)) : 0;
	}
	r = plan_run(plan, NULL, command);
	if (r < 0) {
		free(new_text);
		return r;
	}
	r = plan_file(plan, system, path, new_text, w);
	return r < 0 ? r : plan_run(plan, command, NULL);
}

static int only_cfg(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 4 && strcmp(entry->d_name + length - 4, ".cfg") == 0;
}

static bool says_resume(const struct swapfile_system *system, const char *path)
{
	_cleanup_free_ char *text = NULL;

	return system_read(system, path, &text) == 0 && text && strstr(text, "resume");
}

/* Does GRUB's configuration, but for ours, say resume= or resume_offset=? */
static bool grub_has_resume(const struct swapfile_system *system)
{
	_cleanup_free_ char *folder = system_path(system, GRUB_FOLDER);
	bool found = says_resume(system, GRUB_DEFAULT);
	struct dirent **entries;
	int count = folder ? scandir(folder, &entries, only_cfg, NULL) : -1;

	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), GRUB_FOLDER "/%s", entries[i]->d_name);
		found |= strcmp(path, GRUB_FILE) != 0 && says_resume(system, path);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return found;
}

/* Lines of shell for all boots, rescue ones too: one that does not look for the
 * image would mount what it needs untouched. The second variable comes behind
 * the first; what it says already of resume= must not win. */
static char *grub_lines(const char *arguments, bool both)
{
	char *text;

	return asprintf(&text, "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX %s\"\n%s%s%s", arguments,
			both ? "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT " : "",
			both ? arguments : "", both ? "\"\n" : "") < 0
		       ? NULL
		       : text;
}

static int plan_grub_folder(struct plan *plan, const struct swapfile_system *system,
			    const char *arguments, struct why *w)
{
	_cleanup_free_ char *lines = grub_lines(arguments, grub_has_resume(system));
	char program[64], *text;

	if (!lines ||
	    asprintf(&text,
		     "# Written by s2disk-swapfile; \"s2disk-swapfile disable\" takes it away.\n"
		     "%s"
		     "# Resuming needs the initramfs, which this would leave out (cloud images).\n"
		     "GRUB_FORCE_PARTUUID=\n",
		     lines) < 0)
		text = NULL;
	return plan_generated(plan, system, GRUB_FILE, text,
			      system_find_program(system, "update-grub", program, sizeof(program)),
			      w);
}

static int plan_block(struct plan *plan, const struct swapfile_system *system, const char *path,
		      char *body, const char *command, struct why *w)
{
	_cleanup_free_ char *current = NULL;
	int r = body ? system_read(system, path, &current) : -ENOMEM;

	if (r == 0)
		r = plan_generated(plan, system, path, text_put_block(current ? current : "", body),
				   command, w);
	free(body);
	return r;
}

static int plan_grub_file(struct plan *plan, const struct swapfile_system *system,
			  const char *arguments, struct why *w)
{
	const char *config = first_there(system, boot_grub_configs);
	_cleanup_free_ char *current = NULL, *others = NULL;
	char program[64], command[160];
	int r = system_read(system, GRUB_DEFAULT, &current);

	if (r < 0 || !current)
		return why(w, r < 0 ? r : -ENOENT, GRUB_DEFAULT " cannot be read");
	others = text_drop_block(current);

	snprintf(command, sizeof(command), "%s\n-o\n%s",
		 grub_mkconfig(system, program, sizeof(program)), config);
	return plan_block(plan, system, GRUB_DEFAULT,
			  grub_lines(arguments, strstr(others ? others : current, "resume")),
			  command, w);
}

static int plan_uboot(struct plan *plan, const struct swapfile_system *system,
		      const char *arguments, struct why *w)
{
	char program[64], *body;

	if (asprintf(&body, "U_BOOT_PARAMETERS=\"${U_BOOT_PARAMETERS:-ro quiet} %s\"\n",
		     arguments) < 0)
		body = NULL;
	return plan_block(plan, system, UBOOT_DEFAULT, body,
			  system_find_program(system, "u-boot-update", program, sizeof(program)),
			  w);
}

static int plan_extlinux(struct plan *plan, const struct swapfile_system *system,
			 const char *arguments, struct why *w)
{
	const char *path = first_there(system, extlinux_files);
	_cleanup_free_ char *current = NULL;
	int r = system_read(system, path, &current);

	if (r < 0 || !current)
		return why(w, r < 0 ? r : -ENOENT, "%s cannot be read", path);
	return plan_file(plan, system, path,
			 text_put_keyword_arguments(current, "append", true, arguments), w);
}

/* What undoing gives one kernel back. */
static int plan_grubby_entry(struct plan *plan, const struct swapfile_system *system,
			     const char *program, const char *kernel, const char *args)
{
	char undo[1200], own[400];

	kernels_own_arguments(args, own, sizeof(own));
	if (!own[0] || !kernel)
		return 0;
	if (snprintf(undo, sizeof(undo), "%s\n--update-kernel=%s\n--args=%s", program, kernel,
		     own) >= (int)sizeof(undo))
		return -ENAMETOOLONG;
	/* grubby fails for a kernel that was taken away since. */
	return system_has(system, kernel) ? plan_undo_while(plan, kernel, undo)
					  : plan_run(plan, NULL, undo);
}

/* The value of name="..." in a line of grubby's output, in place; NULL. */
static char *value_of(char *line, const char *name)
{
	size_t length = strlen(name);
	char *end;

	if (strncmp(line, name, length) != 0 || strncmp(line + length, "=\"", 2) != 0)
		return NULL;
	line += length + 2;
	end = strrchr(line, '"');
	if (end)
		*end = '\0';
	return line;
}

/* Plans what gives each entry back what it has now of its own. *ret_all: all of
 * them have the arguments already. */
static int plan_grubby_entries(struct plan *plan, const struct swapfile_system *system,
			       const char *program, char *output, const char *arguments,
			       bool *ret_all)
{
	const char *kernel = NULL;
	bool any = false, all = true;
	int r = 0;
	char *line;

	while (r == 0 && (line = strsep(&output, "\n"))) {
		char *path = value_of(line, "kernel"), *args = value_of(line, "args");
		_cleanup_free_ char *with = NULL;

		if (strncmp(line, "index=", 6) == 0)
			kernel = NULL;
		if (path)
			kernel = path;
		if (!args)
			continue;
		with = text_put_arguments(args, arguments);
		all &= with && strcmp(with, args) == 0;
		any = true;
		r = plan_grubby_entry(plan, system, program, kernel, args);
	}
	*ret_all = any && all;
	return r;
}

static int plan_grubby(struct plan *plan, const struct swapfile_system *system,
		       const char *arguments, struct why *w)
{
	char program[64], command[1200], undo[1200];
	_cleanup_free_ char *output = NULL;
	size_t before = plan->count;
	bool all = false;
	int r;

	system_find_program(system, "grubby", program, sizeof(program));
	snprintf(command, sizeof(command), "%s\n--info=ALL", program);
	r = system->run(system, command, &output, w);
	if (r == 0)
		r = plan_grubby_entries(plan, system, program, output, arguments, &all);
	if (r < 0)
		return r;
	if (all) {
		while (plan->count > before)
			plan_drop(&plan->steps[--plan->count]);
		return 0;
	}
	snprintf(command, sizeof(command), "%s\n--update-kernel=ALL\n--args=%s", program,
		 arguments);
	snprintf(undo, sizeof(undo), "%s\n--update-kernel=ALL\n--remove-args=%s", program,
		 arguments);
	return plan_run(plan, command, undo);
}

int boot_plan(struct plan *plan, const struct swapfile_system *system, enum boot_loader loader,
	      const char *arguments, struct why *w)
{
	switch (loader) {
	case BOOT_NONE:
		return 0;
	case BOOT_GRUBBY:
		return plan_grubby(plan, system, arguments, w);
	case BOOT_GRUB_FOLDER:
		return plan_grub_folder(plan, system, arguments, w);
	case BOOT_GRUB_FILE:
		return plan_grub_file(plan, system, arguments, w);
	case BOOT_ENTRIES:
		return kernels_plan_entries(plan, system, arguments, w);
	case BOOT_KERNEL_INSTALL:
		return kernels_plan_install(plan, system, arguments, w);
	case BOOT_UBOOT:
		return plan_uboot(plan, system, arguments, w);
	case BOOT_EXTLINUX:
		return plan_extlinux(plan, system, arguments, w);
	}
	return -EINVAL;
}

const char *boot_initramfs_command(const struct swapfile_system *system)
{
	static const struct {
		const char *program, *arguments;
	} makers[] = {
		{ "update-initramfs", "-u\n-k\nall" },
		{ "mkinitcpio", "-P" },
		{ "dracut", "--force\n--regenerate-all" },
	};
	static char command[128];
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		if (!system_find_program(system, makers[i].program, path, sizeof(path)))
			continue;
		snprintf(command, sizeof(command), "%s\n%s", path, makers[i].arguments);
		return command;
	}
	return NULL;
}

bool boot_grub_says(const struct swapfile_system *system, const char *arguments,
		    const char **ret_path)
{
	const char *path = first_there(system, boot_grub_configs);
	_cleanup_free_ char *text = NULL;
	struct kernel_cmdline wanted;
	bool says = false;
	char *at, *line;

	if (ret_path)
		*ret_path = path;
	if (!path || system_read(system, path, &text) < 0 || !text)
		return true;
	kernel_cmdline_parse(arguments, &wanted);
	at = text;
	while ((line = strsep(&at, "\n"))) {
		struct kernel_cmdline cmdline;

		line += strspn(line, " \t");
		if (!text_starts(line, "linux"))
			continue;
		kernel_cmdline_parse(line, &cmdline);
		if (strcmp(cmdline.resume, wanted.resume) == 0 &&
		    cmdline.resume_offset == wanted.resume_offset)
			says = true;
		else if (strstr(line, arguments))
			return false;
	}
	return says;
}
