/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "members.h"

#include "base/cleanup.h"
#include "crypto/crypto.h"
#include "base/text.h"
#include "boot/initramfs.h"
#include "hide.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ARCHIVES_MAX 64

/* For each archive: an unknown file may be very large. */
#define ARCHIVE_LIMIT (8 << 20)

struct archive {
	char *path, *text;
	size_t size;
	FILE *file; /* NULL: it is complete */
	unsigned int count;
};

struct report_members {
	struct archive archives[ARCHIVES_MAX];
	size_t count;
};

struct report_members *report_members_begin(void)
{
	return calloc(1, sizeof(struct report_members));
}

void report_members_free(struct report_members *members)
{
	for (size_t i = 0; members && i < members->count; i++) {
		struct archive *archive = &members->archives[i];

		if (archive->file)
			fclose(archive->file);
		free(archive->path);
		free(archive->text);
	}
	free(members);
}

static struct archive *find(struct report_members *members, const char *path)
{
	for (size_t i = 0; i < members->count; i++)
		if (strcmp(members->archives[i].path, path) == 0)
			return &members->archives[i];
	return NULL;
}

static struct archive *begin(struct report_members *members, const char *path)
{
	struct archive *archive;

	if (members->count == ARCHIVES_MAX)
		return NULL;
	archive = &members->archives[members->count];
	archive->path = strdup(path);
	archive->file = archive->path ? open_memstream(&archive->text, &archive->size) : NULL;
	if (!archive->file) {
		free(archive->path);
		archive->path = NULL;
		return NULL;
	}
	members->count++;
	return archive;
}

/* The kernel's Documentation/driver-api/early-userspace/buffer-format.rst. */
static void write_member(struct archive *archive, const char *name, mode_t mode,
			 const char *content, size_t size)
{
	static const char zeros[4];
	size_t length = strlen(name) + 1;

	fprintf(archive->file, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x",
		++archive->count, (unsigned int)mode, 0, 0, 1, 0, size, 0, 0, 0, 0, length, 0);
	fwrite(name, 1, length, archive->file);
	/* The header has 110 bytes. */
	fwrite(zeros, 1, (4 - (110 + length) % 4) % 4, archive->file);
	if (size > 0)
		fwrite(content, 1, size, archive->file);
	fwrite(zeros, 1, (4 - size % 4) % 4, archive->file);
}

/* Of a program only the mark that identifies it is kept. */
static bool is_program(const char *name)
{
	const char *end = strrchr(name, '/');

	return strcmp(end ? end : name, "/resume") == 0;
}

static bool is_settings(const char *name)
{
	return text_starts(name, "etc/suspend.conf") || text_starts(name, "etc/uswsusp.conf");
}

/* The content to write instead; *size becomes its length. */
static char *standing(const struct look_member *member, const unsigned char salt[32], size_t *size)
{
	const char *mark = INITRAMFS_RESUME_MARK;
	char digest[SHA256_TEXT_SIZE], *text;

	if (is_program(member->name)) {
		*size = memmem(member->content, member->size, mark, strlen(mark)) ? strlen(mark)
										  : 0;
		return strndup(mark, *size);
	}
	*size = member->size;
	text = calloc(1, member->size + 1);
	if (!text)
		return NULL;
	if (!member->secret) {
		memcpy(text, member->content, member->size);
		if (is_settings(member->name))
			report_hide_settings(text);
		else
			report_hide_passwords(text, member->size);
	} else if (crypto_sha256_text(member->content, member->size, digest) < 0 ||
		   report_hide_secret(salt, digest, text, member->size) < 0) {
		free(text);
		return NULL;
	}
	return text;
}

int report_members_add(struct report_members *members, const char *path,
		       const struct look_member *member, const unsigned char salt[32])
{
	struct archive *archive = find(members, path);
	_cleanup_free_ char *content = NULL;
	size_t size = 0;

	if (!archive)
		archive = begin(members, path);
	if (!archive)
		return -ENOMEM;
	/* Already read for another check. */
	if (!archive->file)
		return 0;
	if (ftell(archive->file) > ARCHIVE_LIMIT)
		return 0;
	if (member->content) {
		content = standing(member, salt, &size);
		if (!content)
			return -ENOMEM;
	}
	/* The content of a link is its target, which was not read. */
	write_member(archive, member->name, S_ISLNK(member->mode) ? S_IFREG | 0777 : member->mode,
		     content, size);
	return 0;
}

char *report_members_get(struct report_members *members, const char *path, size_t *ret_size)
{
	struct archive *archive = find(members, path);
	char *copy;

	if (!archive)
		return NULL;
	if (archive->file) {
		write_member(archive, "TRAILER!!!", 0, NULL, 0);
		fclose(archive->file);
		archive->file = NULL;
	}
	copy = archive->text ? malloc(archive->size + 1) : NULL;
	if (copy) {
		memcpy(copy, archive->text, archive->size);
		*ret_size = archive->size;
	}
	return copy;
}
