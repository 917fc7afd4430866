/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/boot_record_file.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/run_directory.h"
#include "base/text.h"
#include "history/boot_brief.h"
#include "history/boot_words.h"
#include "kernel/messages/kernel_log.h"
#include "platform/filesystems/mountinfo.h"
#include "platform/memory/memory_map.h"
#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define NAME "boot"

/* Tables are logged as "ACPI: DSDT 0x…" within the first second or so: the log of a boot
 * with many devices need not be read to its end. */
#define RECORDS_MAX 4000

/* One second at most: no boot waits for a record. */
#define LOCK_TRIES 20

#define LOG_LIMIT (4u << 20)

bool boot_in_initramfs(const char *root)
{
	_cleanup_mountinfo_ struct mountinfo *mountinfo = NULL;
	const struct mount_line *mount;
	bool initial = false;

	if (tree_exists(root, "/etc/initrd-release"))
		return true;
	mountinfo_read(root, &mountinfo);
	/* The last mount on / is the visible one. A tmpfs may be the root of a system. */
	while ((mount = mountinfo_next_at(mountinfo, "/")))
		initial = strcmp(mount->kind, "rootfs") == 0;
	return initial;
}

/* Everything that lib/platform and the pre-flight look for in a log. */
bool boot_record_wants(const char *line)
{
	static const char *const words[] = {
		"heap free:",	"Hypervisor detected: ",
		"Host Build ",	"Memory Encryption Features active:",
		"TPMEventLog=", "vmbus device is missing after suspending"
	};

	if (text_starts(line, "ACPI: "))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

static void print_log(int log, FILE *file)
{
	char line[BOOT_LINE_SIZE];
	unsigned int level;

	for (int i = 0; i < RECORDS_MAX; i++) {
		if (kernel_log_next(log, line, sizeof(line), &level) <= 0)
			return;
		if (boot_record_wants(line))
			fprintf(file, "%s\n", line);
	}
}

static void print_map(const struct memory_map *map, FILE *file)
{
	char type[32];

	for (size_t i = 0; i < map->entries.count; i++) {
		const struct memory_entry *entry = &map->entries.items[i];

		fprintf(file, "0x%" PRIx64 " 0x%" PRIx64 " %s\n", entry->start, entry->end,
			entry->unknown ? "unknown"
				       : memory_type_name(entry->type, type, sizeof(type)));
	}
}

/* NULL if there is none, or no memory for it. */
static char *capture_log(const char *root)
{
	_cleanup_close_ int log = kernel_log_open(root, false);
	char *text = NULL;
	size_t length;
	FILE *file;

	if (log < 0)
		return NULL;
	file = open_memstream(&text, &length);
	if (!file)
		return NULL;
	print_log(log, file);
	if (fclose(file) == 0 && length > 0)
		return text;
	free(text);
	return NULL;
}

static char *capture_map(const char *root)
{
	struct memory_map map = { 0 };
	char *text = NULL;
	size_t length;
	FILE *file;

	if (memory_map_capture(root, &map) < 0)
		return NULL;
	file = open_memstream(&text, &length);
	if (file)
		print_map(&map, file);
	memory_map_free(&map);
	if (file && fclose(file) == 0 && length > 0)
		return text;
	free(text);
	return NULL;
}

static void capture(const char *root, bool with_log, struct boot_record *ret)
{
	*ret = (struct boot_record){ 0 };
	tree_text(root, ret->boot_id, sizeof(ret->boot_id), "/proc/sys/kernel/random/boot_id");
	tree_text(root, ret->kernel, sizeof(ret->kernel), "/proc/sys/kernel/osrelease");
	tree_text(root, ret->command_line, sizeof(ret->command_line), "/proc/cmdline");
	if (with_log)
		ret->log = capture_log(root);
	ret->map = capture_map(root);
}

static int write_file(const char *root, const struct boot_record *record)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r = boot_record_encode(record, &text, &length);

	return r < 0 ? r : run_directory_put(root, NAME, text, length);
}

/* Locks it, too: two scripts of the initramfs may run resume at once. */
static int open_directory(const char *root)
{
	int directory = run_directory_open(root);

	if (directory < 0)
		return directory;
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(directory, LOCK_EX | LOCK_NB) == 0)
			return directory;
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	}
	close(directory);
	return -ENOLCK;
}

enum how {
	HOW_APPEND,
	HOW_FIRST, /* only if there is no record */
	HOW_RENEW, /* replaces the last run */
};

static int add(const char *root, const struct boot_run *run, enum how how)
{
	_cleanup_free_ struct boot_record *record = NULL;
	_cleanup_close_ int directory = -1;
	int r;

	if (!boot_in_initramfs(root))
		return 0;
	record = calloc(1, sizeof(*record));
	if (!record)
		return -ENOMEM;
	directory = open_directory(root);
	if (directory < 0)
		return directory;
	r = boot_record_read(root, record, NULL);
	/* A newer program's record has more than this one could write. */
	if (r == -ENOTSUP || r == -ENOMEM)
		return r;
	if (r < 0)
		capture(root, true, record);
	if (r < 0 || how != HOW_FIRST) {
		if (how == HOW_RENEW && record->run_count > 0)
			record->run_count--;
		boot_record_append(record, run);
		r = write_file(root, record);
	}
	boot_record_free(record);
	return r;
}

int boot_record_add(const char *root, const struct boot_run *run)
{
	return add(root, run, HOW_APPEND);
}

int boot_record_renew(const char *root, const struct boot_run *run)
{
	return add(root, run, HOW_RENEW);
}

int boot_record_add_first(const char *root, const struct boot_run *run)
{
	return add(root, run, HOW_FIRST);
}

/* Of earlier runs, those that discarded another image. */
static void take_discards(const char *root, struct boot_record *record)
{
	_cleanup_free_ struct boot_record *before = calloc(1, sizeof(*before));

	if (!before || boot_record_read(root, before, NULL) < 0)
		return;
	for (size_t i = 0; i < before->run_count; i++)
		if (before->runs[i].fate == FATE_DISCARDED)
			boot_record_append(record, &before->runs[i]);
	boot_record_free(before);
}

void boot_record_hand_over(const char *root, const struct boot_run *run, char *ret, size_t size)
{
	_cleanup_free_ struct boot_record *record = calloc(1, sizeof(*record));

	ret[0] = '\0';
	if (!record)
		return;
	capture(root, false, record);
	take_discards(root, record);
	boot_record_append(record, run);
	boot_record_brief(record, ret, size);
	boot_record_free(record);
}

int boot_record_replace(const char *root, const char *text, struct why *w)
{
	_cleanup_free_ struct boot_record *mine = calloc(1, sizeof(*mine));
	_cleanup_free_ struct boot_record *record = calloc(1, sizeof(*record));
	_cleanup_close_ int directory = -1;
	int r;

	if (!mine || !record)
		return -ENOMEM;
	directory = open_directory(root);
	if (directory < 0)
		return why(w, directory, "%s: %s", RUN_DIRECTORY, strerror(-directory));
	r = boot_record_read(root, mine, w);
	/* A newer program's record has more than this one could write. */
	if (r == -ENOTSUP)
		return r;
	/* Without a record, the kernel's log has what it knows. */
	if (r < 0)
		tree_text(root, mine->boot_id, sizeof(mine->boot_id),
			  "/proc/sys/kernel/random/boot_id");
	r = boot_record_take_over(text, mine, record, w);
	if (r == 0) {
		r = write_file(root, record);
		if (r < 0)
			why(w, r, "%s: %s", RUN_DIRECTORY "/" NAME, strerror(-r));
	}
	boot_record_free(record);
	boot_record_free(mine);
	return r;
}

int boot_record_read(const char *root, struct boot_record *ret, struct why *w)
{
	_cleanup_free_ char *text = NULL;
	char boot_id[sizeof(ret->boot_id)];
	struct boot_record *record;
	int r = io_read_file(root, RUN_DIRECTORY "/" NAME, BOOT_RECORD_LIMIT, &text, NULL);

	if (r < 0)
		return why(w, r, "%s: %s", RUN_DIRECTORY "/" NAME, strerror(-r));
	record = calloc(1, sizeof(*record));
	if (!record)
		return -ENOMEM;
	r = boot_record_parse(text, record, w);
	if (r < 0) {
		why_prefix(w, r, "%s", RUN_DIRECTORY "/" NAME);
	} else if (record->boot_id[0] &&
		   tree_text(root, boot_id, sizeof(boot_id), "/proc/sys/kernel/random/boot_id") &&
		   strcmp(boot_id, record->boot_id) != 0) {
		boot_record_free(record);
		r = why(w, -ESTALE, "%s is of another boot", RUN_DIRECTORY "/" NAME);
	}
	if (r == 0)
		*ret = *record;
	free(record);
	return r;
}

int boot_record_log(const char *root, char **ret)
{
	struct boot_record *record = calloc(1, sizeof(*record));
	char *log = NULL;

	if (!record)
		return -ENOMEM;
	if (boot_record_read(root, record, NULL) == 0)
		log = steal_pointer(&record->log);
	boot_record_free(record);
	free(record);
	if (!log)
		return kernel_log_read(root, LOG_LIMIT, ret);
	*ret = log;
	return 0;
}
