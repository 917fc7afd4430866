/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "release/release_journal.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/run_directory.h"
#include "base/text.h"
#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "released"
#define JOURNAL_LIMIT (4u << 20)
#define NO_DRIVER "-"

static const char *const kinds[] = {
	[RELEASE_UNBIND] = "unbind",
	[RELEASE_REMOVE] = "remove",
	[RELEASE_OFFLINE] = "offline",
	[RELEASE_UNLOAD] = "unload",
};

static bool read_boot_id(const char *root, char *id, size_t size)
{
	return tree_text(root, id, size, "/proc/sys/kernel/random/boot_id") && *id;
}

/* Under another first line nothing would be read, and after a part of a line (/run was full) the
 * next one would not be understood. */
static int begin(int fd, const char *id)
{
	char line[80], found[80], last = '\n';
	size_t length = (size_t)snprintf(line, sizeof(line), "boot %s\n", id);
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (pread(fd, found, length, 0) != (ssize_t)length || memcmp(found, line, length) != 0)
		return ftruncate(fd, 0) < 0 ? -errno : io_write_full(fd, line, length);
	if (pread(fd, &last, 1, st.st_size - 1) < 0)
		return -errno;
	return last == '\n' ? 0 : io_write_full(fd, "\n", 1);
}

/* With the boot's id in a new file. */
static int open_journal(const char *root)
{
	_cleanup_close_ int directory = run_directory_open(root), fd = -1;
	char id[64];
	int r;

	if (directory < 0)
		return directory;
	fd = openat(directory, NAME, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = read_boot_id(root, id, sizeof(id)) ? begin(fd, id) : -ENODATA;
	return r < 0 ? r : steal_fd(&fd);
}

#define WORD_SIZE (4 * 64) /* each byte of a name as an octal escape */
#define LINE_SIZE (5 * WORD_SIZE + 100)

/* Drivers have names with blanks ("Serial Multi Instantiate"). word: WORD_SIZE. */
static const char *word_of(const char *text, char *word)
{
	if (!*text || !text_escape_octal(text, word, WORD_SIZE))
		return NO_DRIVER;
	return word;
}

static size_t format(const struct release_entry *entry, char line[LINE_SIZE])
{
	char name[WORD_SIZE], bus[WORD_SIZE], driver[WORD_SIZE], zone[WORD_SIZE];

	return (size_t)snprintf(line, LINE_SIZE,
				"%s %s %s %s %s 0x%" PRIx64 " 0x%" PRIx64 " %u %d %u\n",
				kinds[entry->kind], word_of(entry->name, name),
				word_of(entry->bus, bus), word_of(entry->driver, driver),
				word_of(entry->zone, zone), entry->start, entry->end, entry->group,
				entry->lasting, entry->virtuals);
}

int release_journal_add(const char *root, const struct release_entry *entry)
{
	_cleanup_close_ int fd = open_journal(root);
	char line[LINE_SIZE];

	return fd < 0 ? fd : io_write_full(fd, line, format(entry, line));
}

static bool take_word(char **at, char *ret, size_t size)
{
	char *word = strsep(at, " ");

	if (!word || !*word)
		return false;
	if (strcmp(word, NO_DRIVER) == 0)
		return text_copy(ret, size, "");
	/* Each is a name in sysfs. */
	return text_unescape_octal(word, strlen(word), ret, size) && !strchr(ret, '/') &&
	       *ret != '.';
}

static bool take_kind(char **at, enum release_kind *ret)
{
	const char *word = strsep(at, " ");

	for (size_t i = 0; word && i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(word, kinds[i]) == 0) {
			*ret = (enum release_kind)i;
			return true;
		}
	}
	return false;
}

/* Of a PCI function; older versions have not noted it. */
static bool take_virtuals(const char *at, struct release_entry *entry)
{
	uint64_t virtuals = 0;

	if (!*at)
		return true;
	if (*at != ' ' || text_parse_u64(at + 1, &virtuals) < 0 || virtuals > UINT16_MAX)
		return false;
	entry->virtuals = (unsigned int)virtuals;
	return true;
}

static bool parse(char *line, struct release_entry *ret)
{
	struct release_entry entry = {
		.reason = "an s2disk that was ended has left it so",
		.source = RELEASE_JOURNAL,
		.taken = true,
	};
	int lasting, used = 0;

	if (!take_kind(&line, &entry.kind) || !take_word(&line, entry.name, sizeof(entry.name)) ||
	    !*entry.name || !take_word(&line, entry.bus, sizeof(entry.bus)) ||
	    !take_word(&line, entry.driver, sizeof(entry.driver)) ||
	    !take_word(&line, entry.zone, sizeof(entry.zone)) || !line ||
	    sscanf(line, "%" SCNx64 " %" SCNx64 " %u %d%n", &entry.start, &entry.end, &entry.group,
		   &lasting, &used) != 4 ||
	    !take_virtuals(line + used, &entry) ||
	    (entry.kind == RELEASE_UNBIND && (!*entry.bus || !*entry.driver)) ||
	    (entry.kind == RELEASE_OFFLINE && !text_starts(entry.zone, "online")))
		return false;
	entry.lasting = lasting != 0;
	snprintf(entry.what, sizeof(entry.what), "%s", entry.name);
	*ret = entry;
	return true;
}

static bool is_this_boot(const char *root, const char *line)
{
	char id[64];

	return line && text_starts(line, "boot ") && read_boot_id(root, id, sizeof(id)) &&
	       strcmp(line + strlen("boot "), id) == 0;
}

int release_journal_read(const char *root, struct release_plan *ret)
{
	_cleanup_free_ char *text = NULL;
	struct release_plan plan = { 0 };
	char *at, *line;
	int r = io_read_file(root, RELEASE_JOURNAL, JOURNAL_LIMIT, &text, NULL);

	if (r < 0)
		return r == -ENOMEM ? r : -ENOENT;
	at = text;
	if (!is_this_boot(root, strsep(&at, "\n")))
		return -ENOENT;
	while (r == 0 && (line = strsep(&at, "\n")) && plan.entries.count < RELEASE_MAX) {
		struct release_entry entry;

		text_make_printable(line);
		if (parse(line, &entry))
			r = list_append(&plan.entries, entry);
	}
	if (r < 0) {
		release_plan_free(&plan);
		return r;
	}
	*ret = plan;
	return 0;
}

/* Both are in the order of the steps, so the next one is looked at first. */
static const struct release_entry *find(const struct release_plan *plan, size_t *next,
					const struct release_entry *wanted)
{
	for (size_t n = 0; n < plan->entries.count; n++) {
		size_t i = (*next + n) % plan->entries.count;
		const struct release_entry *entry = &plan->entries.items[i];

		if (entry->kind != wanted->kind || strcmp(entry->name, wanted->name) != 0 ||
		    strcmp(entry->bus, wanted->bus) != 0)
			continue;
		*next = i + 1;
		return entry;
	}
	return NULL;
}

static void delete (const char *root)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s" RELEASE_JOURNAL, root);
	unlink(path);
}

static int write_again(const char *root, const struct release_plan *all,
		       const struct release_plan *plan)
{
	_cleanup_free_ char *text = malloc((all->entries.count + 1) * LINE_SIZE);
	size_t used, begun, next = 0;
	char id[64];

	if (!text)
		return -ENOMEM;
	if (!read_boot_id(root, id, sizeof(id)))
		return -ENODATA;
	used = begun = (size_t)snprintf(text, LINE_SIZE, "boot %s\n", id);
	for (size_t i = 0; i < all->entries.count; i++) {
		const struct release_entry *entry = find(plan, &next, &all->entries.items[i]);

		if (!entry || entry->taken || entry->left)
			used += format(&all->entries.items[i], text + used);
	}
	if (used > begun)
		return run_directory_put(root, NAME, text, used);
	delete (root);
	return 0;
}

void release_journal_keep(const char *root, const struct release_plan *plan)
{
	struct release_plan all = { 0 };

	/* What is in a file of another boot is of no use. */
	if (release_journal_read(root, &all) == -ENOENT)
		delete (root);
	else
		(void)write_again(root, &all, plan);
	release_plan_free(&all);
}
