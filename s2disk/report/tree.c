/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "crypto/crypto.h"
#include "base/io.h"
#include "base/look.h"
#include "output/tar.h"
#include "base/text.h"
#include "history/boot_record_file.h"
#include "config/image_keys.h"
#include "kernel/messages/kernel_log.h"
#include "hide.h"
#include "members.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT ((size_t)1 << 20)

/* Larger files are not key files. */
#define SECRET_LIMIT 65536
#define TREE_LIMIT ((size_t)64 << 20)
#define NAMES_MAX 4096
#define LINKS_MAX 40
#define DIGESTS_MAX 16
#define LOG_RECORDS_MAX 100000

struct look_item {
	enum look kind;
	char path[]; /* below the root */
};

struct report_tree {
	const char *root;
	struct look_watcher watcher;
	void *looks;   /* tsearch() of struct look_item */
	void *written; /* tsearch() of names that are in the archive */
	struct report_members *members;
	unsigned char salt[32];
	struct report_digest digests[DIGESTS_MAX];
	size_t digest_count;
	FILE *out, *notes;
	size_t total;
	enum look pass;
	bool failed; /* no memory */
};

static int compare_items(const void *a, const void *b)
{
	const struct look_item *left = a, *right = b;
	int r = strcmp(left->path, right->path);

	return r ? r : (int)left->kind - (int)right->kind;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* NULL: it lies outside. */
static const char *below_root(const struct report_tree *tree, const char *path)
{
	path = text_starts(path, tree->root) ? path + strlen(tree->root) : NULL;
	return path && *path == '/' ? path : NULL;
}

static bool is_of_process(const char *path, const char *name)
{
	size_t digits = text_starts(path, "/proc/") ? strspn(path + 6, "0123456789") : 0;

	return digits > 0 && strcmp(path + 6 + digits, name) == 0;
}

static void keep_look(void *context, const char *path, enum look kind)
{
	struct report_tree *tree = context;
	const char *below = below_root(tree, path);
	struct look_item *item, **found;

	/* The maps of all processes were read; those with a match are in the report. */
	if (below && is_of_process(below, "/maps")) {
		if (kind == LOOK_READ)
			return;
		kind = LOOK_READ;
	}
	/* Devices are not files. */
	if (!below || (text_starts(below, "/dev/") && strcmp(below, "/dev/kmsg") != 0))
		return;
	item = malloc(sizeof(*item) + strlen(below) + 1);
	if (item) {
		item->kind = kind;
		strcpy(item->path, below);
	}
	found = item ? tsearch(item, &tree->looks, compare_items) : NULL;
	if (!found)
		tree->failed = true;
	if (!found || *found != item)
		free(item);
}

static void keep_member(void *context, const struct look_member *member)
{
	struct report_tree *tree = context;
	const char *archive = below_root(tree, member->archive);

	if (archive && report_members_add(tree->members, archive, member, tree->salt) < 0)
		tree->failed = true;
}

struct report_tree *report_tree_begin(const char *root)
{
	struct report_tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return NULL;
	tree->root = root;
	tree->watcher = (struct look_watcher){ keep_look, keep_member, tree };
	tree->members = report_members_begin();
	if (!tree->members || crypto_random(tree->salt, sizeof(tree->salt)) < 0) {
		report_tree_free(tree);
		return NULL;
	}
	return tree;
}

void report_tree_watch(struct report_tree *tree, bool watch)
{
	look_watch(watch ? &tree->watcher : NULL);
}

void report_tree_free(struct report_tree *tree)
{
	if (!tree)
		return;
	tdestroy(tree->looks, free);
	tdestroy(tree->written, free);
	report_members_free(tree->members);
	free(tree);
}

/* True if it is not in the archive yet. */
static bool is_new(struct report_tree *tree, const char *path)
{
	char *copy = strdup(path),
	     **found = copy ? tsearch(copy, &tree->written, compare_names) : NULL;

	if (!found)
		tree->failed = true;
	if (found && *found == copy)
		return true;
	free(copy);
	return false;
}

static void add(struct report_tree *tree, const char *path, const struct stat *st, const char *link,
		const void *content, size_t size)
{
	const struct tar_member member = {
		.name = path + 1,
		.mode = S_ISDIR(st->st_mode) || S_ISLNK(st->st_mode)
				? st->st_mode
				: S_IFREG | (st->st_mode & 07777),
		.mtime = st->st_mtim.tv_sec > 0 ? (uint64_t)st->st_mtim.tv_sec : 0,
		.link = link,
		.content = content,
		.size = size,
	};

	if (!path[1] || !is_new(tree, path))
		return;
	if (size > TREE_LIMIT - tree->total) {
		fprintf(tree->notes, "left out, the report is too large: %s\n", path);
		return;
	}
	tree->total += size;
	tar_add(tree->out, &member);
}

/* An absolute link stays within the tree: it becomes relative to the tree's top. */
static void add_link(struct report_tree *tree, const char *path, const struct stat *st,
		     const char *target)
{
	char relative[2 * PATH_MAX] = "";
	size_t used = 0;

	if (*target != '/' || text_starts(path, "/proc/")) {
		add(tree, path, st, target, NULL, 0);
		return;
	}
	for (const char *c = path + 1; *c; c++)
		if (*c == '/' && used < PATH_MAX)
			used += (size_t)snprintf(relative + used, sizeof(relative) - used, "../");
	snprintf(relative + used, sizeof(relative) - used, "%s", target[1] ? target + 1 : ".");
	add(tree, path, st, relative, NULL, 0);
}

/* Follows a path as the kernel does, below the root, and puts each link and directory on the way
 * into the archive. real becomes the path without links. False: it does not exist. */
static bool follow(struct report_tree *tree, const char *path, char real[PATH_MAX],
		   struct stat *ret)
{
	char rest[2 * PATH_MAX], target[PATH_MAX], full[2 * PATH_MAX], *at = rest, *word;
	unsigned int links = 0;
	size_t length = 0;
	ssize_t n;

	real[0] = '\0';
	if (!text_copy(rest, sizeof(rest), path) || stat(*tree->root ? tree->root : "/", ret) < 0)
		return false;
	while ((word = strsep(&at, "/"))) {
		if (!*word || strcmp(word, ".") == 0)
			continue;
		if (strcmp(word, "..") == 0) {
			*(strrchr(real, '/') ? strrchr(real, '/') : real) = '\0';
			continue;
		}
		length = strlen(real);
		if (snprintf(real + length, PATH_MAX - length, "/%s", word) >=
			    (int)(PATH_MAX - length) ||
		    snprintf(full, sizeof(full), "%s%s", tree->root, real) >= (int)sizeof(full) ||
		    lstat(full, ret) < 0)
			return false;
		if (S_ISDIR(ret->st_mode))
			add(tree, real, ret, NULL, NULL, 0);
		if (!S_ISLNK(ret->st_mode))
			continue;
		n = readlink(full, target, sizeof(target) - 1);
		if (n < 0 || ++links > LINKS_MAX)
			return false;
		target[n] = '\0';
		add_link(tree, real, ret, target);
		if (snprintf(full, sizeof(full), "%s/%s", target, at ? at : "") >=
		    (int)sizeof(full))
			return false;
		text_copy(rest, sizeof(rest), full);
		at = rest;
		real[*target == '/' ? 0 : length] = '\0';
	}
	return true;
}

/* Of the kernel's log only what the checks look for: it has the names of all devices. */
static char *read_log(const char *root, size_t *ret_length)
{
	_cleanup_close_ int log = kernel_log_open(root, false);
	char line[8192], *text = NULL;
	unsigned int level;
	FILE *file = log < 0 ? NULL : open_memstream(&text, ret_length);

	if (!file)
		return NULL;
	for (int i = 0; i < LOG_RECORDS_MAX && kernel_log_next(log, line, sizeof(line), &level) > 0;
	     i++)
		if (boot_record_wants(line))
			fprintf(file, "%u,0,0,-;%s\n", level, line);
	if (fclose(file) == 0)
		return text;
	free(text);
	return NULL;
}

/* Tables with a licence key of Windows, and what it is bound to. */
static bool is_licence(const char *path)
{
	return text_starts(path, "/sys/firmware/acpi/tables/") &&
	       (strstr(path, "/MSDM") || strstr(path, "/SLIC"));
}

static bool is_settings(const char *path)
{
	return text_starts(path, "/etc/suspend.conf") || text_starts(path, "/etc/uswsusp.conf");
}

static bool is_boot_option(const char *path)
{
	static const char directory[] = "/sys/firmware/efi/efivars/Boot";

	return text_starts(path, directory) &&
	       strspn(path + strlen(directory), "0123456789ABCDEF") == 4;
}

static bool has_digests(const char *path)
{
	return text_starts(path, "/run/s2disk/") || text_starts(path, "/var/lib/s2disk/");
}

/* Removes private data and returns the new length; 0: all of it is private. noted: the path that
 * was read, before links were followed. */
static size_t hide(const struct report_tree *tree, const char *noted, const char *path,
		   char *content, size_t size)
{
	static const char *const names[] = { "/secretmem", "/dev/snapshot" };

	if (is_of_process(path, "/maps"))
		return report_hide_maps(content, names, ARRAY_SIZE(names));
	if ((has_digests(path) || has_digests(noted)) &&
	    report_hide_digests(tree->salt, tree->digests, tree->digest_count, content) < 0)
		return 0;
	if (is_licence(path) && size > 36)
		memset(content + 36, 0, size - 36);
	if (is_boot_option(path))
		return report_hide_boot_option(content, size);
	if (is_settings(path) || is_settings(noted))
		report_hide_settings(content);
	else
		report_hide_passwords(content, size);
	return size;
}

/* Reads a file; of a long one the first part. */
static char *read_file(struct report_tree *tree, const char *path, size_t *ret_size)
{
	char *content = NULL;
	int r;

	if (strcmp(path, "/dev/kmsg") == 0)
		return read_log(tree->root, ret_size);
	r = io_read_file(tree->root, path, FILE_LIMIT, &content, ret_size);
	if (r != -EFBIG)
		return r == 0 ? content : NULL;
	fprintf(tree->notes, "cut after 1 MiB: %s\n", path);
	content = calloc(1, FILE_LIMIT + 1);
	if (content) {
		ssize_t n = io_read_text(tree->root, path, content, FILE_LIMIT + 1);

		*ret_size = n < 0 ? 0 : (size_t)n;
	}
	return content;
}

static void add_content(struct report_tree *tree, const char *noted, const char *path,
			const struct stat *st)
{
	size_t size = 0;
	_cleanup_free_ char *content = NULL;

	if (!S_ISREG(st->st_mode) && !S_ISCHR(st->st_mode))
		return;
	content = read_file(tree, path, &size);
	if (!content)
		return;
	size = hide(tree, noted, path, content, size);
	if (size == 0 && is_of_process(path, "/maps"))
		return;
	add(tree, path, st, NULL, content, size);
}

static void add_secret(struct report_tree *tree, const char *path, const struct stat *st)
{
	char digest[SHA256_TEXT_SIZE];
	size_t size = min_u64((uint64_t)st->st_size, SECRET_LIMIT);
	_cleanup_free_ char *standing = malloc(size + 1);

	if (!standing || !S_ISREG(st->st_mode) ||
	    image_keys_digest(tree->root, path, digest, NULL) < 0 ||
	    report_hide_secret(tree->salt, digest, standing, size) < 0)
		return;
	if (tree->digest_count < DIGESTS_MAX) {
		struct report_digest *known = &tree->digests[tree->digest_count];

		text_copy(known->of_secret, sizeof(known->of_secret), digest);
		if (crypto_sha256_text(standing, size, known->of_standing) == 0)
			tree->digest_count++;
	}
	fprintf(tree->notes, "replaced, secret: %s\n", path);
	add(tree, path, st, NULL, standing, size);
}

static bool is_left_out(const char *directory, const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	       (strcmp(directory, "/proc") == 0 && isdigit((unsigned char)*name));
}

/* Names only: files whose content matters are in the archive by then. */
static void add_names(struct report_tree *tree, const char *path)
{
	char full[2 * PATH_MAX], child[PATH_MAX + NAME_MAX + 2], target[PATH_MAX];
	const struct dirent *entry;
	struct stat st;
	DIR *directory;
	ssize_t n;

	snprintf(full, sizeof(full), "%s%s", tree->root, path);
	directory = opendir(full);
	for (int i = 0; directory && i < NAMES_MAX && (entry = readdir(directory)); i++) {
		if (is_left_out(path, entry->d_name) ||
		    fstatat(dirfd(directory), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
		if (!S_ISLNK(st.st_mode)) {
			add(tree, child, &st, NULL, NULL, 0);
			continue;
		}
		n = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		add_link(tree, child, &st, target);
	}
	if (directory)
		closedir(directory);
}

/* A file of which only the name matters is empty, unless it is an archive that was read. */
static void add_name(struct report_tree *tree, const char *path, const char *real,
		     const struct stat *st)
{
	_cleanup_free_ char *members = NULL;
	size_t size = 0;

	if (S_ISDIR(st->st_mode))
		return;
	members = report_members_get(tree->members, path, &size);
	if (!members)
		members = report_members_get(tree->members, real, &size);
	add(tree, real, st, NULL, members, members ? size : 0);
}

static void write_item(const void *node, VISIT visit, void *context)
{
	const struct look_item *item = *(const struct look_item *const *)node;
	struct report_tree *tree = context;
	char real[PATH_MAX];
	struct stat st;

	if ((visit != postorder && visit != leaf) || item->kind != tree->pass ||
	    !follow(tree, item->path, real, &st))
		return;
	if (item->kind == LOOK_READ)
		add_content(tree, item->path, real, &st);
	else if (item->kind == LOOK_SECRET)
		add_secret(tree, real, &st);
	else if (item->kind == LOOK_LIST)
		add_names(tree, real);
	else
		add_name(tree, item->path, real, &st);
}

int report_tree_write(struct report_tree *tree, FILE *out, FILE *notes)
{
	static const enum look order[] = { LOOK_SECRET, LOOK_READ, LOOK_NAME, LOOK_LIST };

	tree->out = out;
	tree->notes = notes;
	/* Files with content first, then names. */
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		tree->pass = order[i];
		twalk_r(tree->looks, write_item, tree);
	}
	return tree->failed ? -ENOMEM : 0;
}
