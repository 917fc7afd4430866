/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why the kernel says EPERM, and which programs or settings cause it. */
#include "preflight/preflight_private.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/look.h"
#include "base/text.h"
#include "kernel/kernel_cmdline.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <string.h>

/* Maps of a process with 65530 mappings, the kernel's default limit, fit. */
#define MAPS_LIMIT (16UL * 1024 * 1024)
#define NAMED_MAX 4

static void cleanup_closedir(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

#define _cleanup_closedir_ __attribute__((cleanup(cleanup_closedir)))

/* Directories below /proc are not noted: they are too large for a report, and of no use there. */
static DIR *open_directory(const char *root, const char *path)
{
	char full[PATH_MAX];

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return NULL;
	if (!text_starts(path, "/proc"))
		look_note(root, path, LOOK_LIST);
	return opendir(full);
}

/* text begins with name, and that is all of it: "NAME" or "NAME (deleted)". */
static bool is_name(const char *text, const char *name, char end)
{
	static const char deleted[] = " (deleted)";

	if (!text_starts(text, name))
		return false;
	text += strlen(name);
	if (text_starts(text, deleted))
		text += sizeof(deleted) - 1;
	return *text == end || *text == '\0';
}

static bool has_mapped(const char *root, const char *pid, const char *name)
{
	_cleanup_free_ char *maps = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	if (io_read_file(root, path, MAPS_LIMIT, &maps, NULL) < 0)
		return false;
	/* The name is the last field, and the first with a slash. */
	for (const char *line = maps; *line; line += *line == '\n') {
		size_t length = strcspn(line, "/\n");

		if (line[length] == '/' && is_name(line + length, name, '\n')) {
			look_note(root, path, LOOK_NAME);
			return true;
		}
		line = strchrnul(line, '\n');
	}
	return false;
}

static void note_link(const char *root, const char *directory, const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) < (int)sizeof(path))
		look_note(root, path, LOOK_NAME);
}

static bool has_open(const char *root, const char *pid, const char *name)
{
	_cleanup_closedir_ DIR *directory = NULL;
	const struct dirent *entry;
	char path[64], target[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	directory = open_directory(root, path);
	while (directory && (entry = readdir(directory))) {
		ssize_t n = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);

		if (n < 0)
			continue;
		target[n] = '\0';
		if (is_name(target, name, '\0')) {
			note_link(root, path, entry->d_name);
			return true;
		}
	}
	return false;
}

static void append_process(const char *root, const char *pid, char *who, size_t size)
{
	char path[64], name[64];
	size_t used = strlen(who);

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	if (io_read_text(root, path, name, sizeof(name)) < 0)
		text_copy(name, sizeof(name), "?");
	snprintf(who + used, size - used, "%s%s (process %s)", used ? ", " : "", text_trim(name),
		 pid);
}

size_t preflight_find_users(const char *root, const char *name, char *who, size_t size)
{
	_cleanup_closedir_ DIR *processes = open_directory(root, "/proc");
	const struct dirent *entry;
	size_t count = 0, used;

	who[0] = '\0';
	while (processes && (entry = readdir(processes))) {
		const char *pid = entry->d_name;

		if (!isdigit((unsigned char)pid[0]) || strlen(pid) > 20)
			continue;
		if (!has_open(root, pid, name) && !has_mapped(root, pid, name))
			continue;
		if (count++ < NAMED_MAX)
			append_process(root, pid, who, size);
	}
	used = strlen(who);
	if (count > NAMED_MAX)
		snprintf(who + used, size - used, " and %zu more", count - NAMED_MAX);
	return count;
}

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

	if (preflight_find_users(root, "/secretmem", who, sizeof(who)) == 0)
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
	_cleanup_closedir_ DIR *devices = open_directory(root, "/sys/bus/cxl/drivers/cxl_mem");
	const struct dirent *entry;

	while (devices && (entry = readdir(devices))) {
		const char *name = entry->d_name;

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
static bool denied_by_virtio_mem(const char *root, struct check *check)
{
	_cleanup_closedir_ DIR *devices =
		open_directory(root, "/sys/bus/virtio/drivers/virtio_mem");
	const struct dirent *entry;

	while (devices && (entry = readdir(devices))) {
		const char *name = entry->d_name;

		if (!text_starts(name, "virtio") || !isdigit((unsigned char)name[6]))
			continue;
		snprintf(check->text, sizeof(check->text),
			 "memory of a virtio-mem device (%.32s) is in use, and the kernel does not "
			 "hibernate with it",
			 name);
		text_copy(check->advice, sizeof(check->advice),
			  "give the guest its memory at boot instead, or have the host remove the "
			  "device");
		return true;
	}
	return false;
}

bool preflight_find_denial(const char *root, struct check *check)
{
	return denied_by_cmdline(root, check) || denied_by_lockdown(root, check) ||
	       denied_by_cxl(root, check) || denied_by_virtio_mem(root, check) ||
	       denied_by_secret_memory(root, check);
}
