/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapoff_others.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/text.h"
#include "s2disk/fatal_signals.h"
#include "base/tree.h"
#include "preflight/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ENTRIES_MAX 64
#define FREE_PART 16
#define LITTLE (64u << 20)
#define WAIT_SECONDS 10
#define TURN_MSEC 20
#define TEXT_LIMIT (1u << 20)

/* For the signal handler, too: the deactivated areas, in that order. */
static struct {
	struct {
		char path[256];
		int flags; /* of swapon(2) */
	} areas[ENTRIES_MAX];
	size_t count;
	struct fatal_signals signals;
} off;

/* The kernel numbers areas without a priority of their own downwards, in the order of
 * activation, so this goes in reverse. Calls only async-signal-safe functions. */
static int switch_on_last(void)
{
	size_t last = --off.count;

	return swapon(off.areas[last].path, off.areas[last].flags) < 0 ? errno : 0;
}

static void switch_on_and_end(int number)
{
	while (off.count > 0)
		switch_on_last();
	fatal_signals_pass_on(&off.signals, number);
}

/* Does a line of fstab, or a unit, set up swap with discard? A file that cannot be read might. */
static bool file_discards(const char *root, const char *path, bool is_fstab)
{
	_cleanup_free_ char *text = NULL;
	char *rest, *line;
	int r = io_read_file(root, path, TEXT_LIMIT, &text, NULL);

	if (r < 0)
		return r != -ENOENT;
	for (rest = text; (line = strsep(&rest, "\n"));)
		if (*line != '#' && strstr(line, "discard") &&
		    (!is_fstab || (strstr(line, "swap") && !text_starts(line, "/dev/zram"))))
			return true;
	return false;
}

static bool is_unit(const char *name)
{
	const char *dot = strrchr(name, '.');

	/* Swap in memory is never deactivated, and zram's units use discard. */
	return dot && strcmp(dot, ".swap") == 0 && !text_starts(name, "dev-zram");
}

static bool something_discards(const char *root)
{
	static const char *const directories[] = { "/etc/systemd/system", "/run/systemd/system",
						   "/run/systemd/generator",
						   "/usr/lib/systemd/system",
						   "/lib/systemd/system" };
	char path[400];

	if (file_discards(root, "/etc/fstab", true))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		_cleanup_names_ struct tree_names names = { 0 };

		if (tree_list(root, directories[i], &names) < 0)
			continue;
		for (size_t n = 0; n < names.count; n++) {
			snprintf(path, sizeof(path), "%s/%s", directories[i], names.items[n]);
			if (is_unit(names.items[n]) && file_discards(root, path, false))
				return true;
		}
	}
	return false;
}

/* Is the area inactive according to the kernel? */
static bool is_off(const char *root, const char *path)
{
	struct swap_entry entries[ENTRIES_MAX];
	int count = swaps_read(root, entries, ARRAY_SIZE(entries));

	for (int i = 0; i < count && i < ENTRIES_MAX; i++)
		if (strcmp(entries[i].path, path) == 0)
			return false;
	return count >= 0 && count <= ENTRIES_MAX;
}

/* A signal interrupts swapoff, and the kernel leaves the area active then (try_to_unuse() in
 * mm/swapfile.c), unless it comes too late. */
static bool deactivate(const char *root, const char *path)
{
	const struct timespec turn = { .tv_nsec = TURN_MSEC * 1000000 };
	pid_t child = fork(), ended = 0;
	int status = -1;

	if (child < 0)
		return false;
	if (child == 0) {
		/* The child holds the lock, too, and nothing else would activate the area again. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(swapoff(path) < 0);
	}
	for (int i = 0; i < WAIT_SECONDS * 1000 / TURN_MSEC && ended == 0; i++) {
		ended = waitpid(child, &status, WNOHANG);
		if (ended == 0)
			nanosleep(&turn, NULL);
	}
	if (ended == 0) {
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
	}
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0) || is_off(root, path);
}

static bool take_off(const char *root, const struct swap_entry *entry)
{
	char used[24];

	if (!deactivate(root, entry->path)) {
		log_debug("%s stays active as swap: it cannot be deactivated in time", entry->path);
		return false;
	}
	text_copy(off.areas[off.count].path, sizeof(off.areas[off.count].path), entry->path);
	off.areas[off.count].flags = entry->priority < 0 ? 0 : SWAP_FLAG_PREFER | entry->priority;
	off.count++;
	log_info("%s is deactivated as swap until this is over (%s were in it)", entry->path,
		 text_size(entry->used, used, sizeof(used)));
	return true;
}

/* What every area is compared with. */
struct site {
	const char *root;
	char own[256];
	uint64_t free;
};

static bool may_go(const struct site *site, const struct swap_entry *entry)
{
	return swap_entry_suitable(entry) && strcmp(entry->path, site->own) != 0 &&
	       entry->used <= min_u64(site->free / FREE_PART, LITTLE);
}

static const struct swap_entry *lowest(const struct swap_entry *entries, size_t count, int above)
{
	const struct swap_entry *found = NULL;

	for (size_t i = 0; i < count; i++)
		if (entries[i].priority < 0 && entries[i].priority > above &&
		    (!found || entries[i].priority < found->priority))
			found = &entries[i];
	return found;
}

static void take_all_off(const struct site *site, const struct swap_entry *entries, size_t count)
{
	const struct swap_entry *entry;
	int above = INT32_MIN;

	/* Areas above one that stays would change their order. */
	while ((entry = lowest(entries, count, above)) && may_go(site, entry) &&
	       take_off(site->root, entry))
		above = entry->priority;
	for (size_t i = 0; i < count; i++)
		if (entries[i].priority >= 0 && may_go(site, &entries[i]))
			take_off(site->root, &entries[i]);
}

static bool has_room(const struct swap_entry *own, const char *root, uint64_t *ret_free)
{
	_cleanup_free_ char *text = NULL;
	struct meminfo meminfo;

	if (io_read_file(root, "/proc/meminfo", TEXT_LIMIT, &text, NULL) < 0 ||
	    meminfo_parse(text, &meminfo) < 0)
		return false;
	*ret_free = meminfo.free;
	return own->size - min_u64(own->used, own->size) >= meminfo.total;
}

void swapoff_others_begin(const struct swap_area *own, const char *root)
{
	struct swap_entry entries[ENTRIES_MAX], entry;
	struct site site = { .root = root };
	sigset_t before;
	int count = own ? swaps_read(root, entries, ARRAY_SIZE(entries)) : 0;

	off.count = 0;
	if (count < 2 || count > ENTRIES_MAX ||
	    !swap_area_find_entry(own, entries, (size_t)count, &entry) ||
	    !has_room(&entry, root, &site.free) || something_discards(root))
		return;
	text_copy(site.own, sizeof(site.own), entry.path);
	fatal_signals_block(&before);
	take_all_off(&site, entries, (size_t)count);
	if (off.count > 0)
		fatal_signals_take(&off.signals, switch_on_and_end);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

void swapoff_others_end(void)
{
	sigset_t before;

	if (off.count == 0)
		return;
	fatal_signals_block(&before);
	while (off.count > 0) {
		int error = switch_on_last();

		/* EBUSY: it is active again already. */
		if (error && error != EBUSY)
			log_warning("%s was deactivated as swap and cannot be activated again: "
				    "%s; swapon %s",
				    off.areas[off.count].path, strerror(error),
				    off.areas[off.count].path);
	}
	fatal_signals_leave(&off.signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
}
