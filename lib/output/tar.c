/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "output/tar.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK 512
#define TYPE_FILE '0'
#define TYPE_LINK '2'
#define TYPE_DIRECTORY '5'
#define TYPE_EXTENDED 'x'
#define MTIME_MAX 077777777777ULL

struct tar_header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char sum[8];
	char type;
	char link[100];
	char magic[6];
	char version[2];
	char user[32];
	char group[32];
	char major[8];
	char minor[8];
	char prefix[155];
	char rest[12];
};

_Static_assert(sizeof(struct tar_header) == BLOCK, "header of ustar");

static void put_octal(char *to, size_t size, uint64_t value)
{
	char text[24];

	/* The last byte stays zero. */
	snprintf(text, sizeof(text), "%0*llo", (int)size - 1, (unsigned long long)value);
	memcpy(to, text, size - 1);
}

static void put_text(char *to, size_t size, const char *text)
{
	size_t length = strlen(text);

	memcpy(to, text, length < size ? length : size);
}

/* A name of up to 256 bytes is split at a slash, if one is in the right place. */
static bool put_name(struct tar_header *header, const char *name)
{
	size_t length = strlen(name);

	if (length <= sizeof(header->name)) {
		put_text(header->name, sizeof(header->name), name);
		return true;
	}
	for (size_t at = length - 1; at > 0; at--) {
		if (name[at] != '/' || length - at - 1 > sizeof(header->name) ||
		    at > sizeof(header->prefix) || length - at == 1)
			continue;
		memcpy(header->prefix, name, at);
		memcpy(header->name, name + at + 1, length - at - 1);
		return true;
	}
	put_text(header->name, sizeof(header->name), name);
	return false;
}

static void write_block(FILE *out, const void *bytes, size_t size)
{
	static const char zeros[BLOCK];

	if (size > 0)
		fwrite(bytes, 1, size, out);
	if (size % BLOCK)
		fwrite(zeros, 1, BLOCK - size % BLOCK, out);
}

static void write_header(FILE *out, struct tar_header *header, char type, size_t size)
{
	unsigned int sum = 0;

	header->type = type;
	put_octal(header->uid, sizeof(header->uid), 0);
	put_octal(header->gid, sizeof(header->gid), 0);
	put_octal(header->size, sizeof(header->size), size);
	memcpy(header->magic, "ustar", 6);
	memcpy(header->version, "00", 2);
	put_text(header->user, sizeof(header->user), "root");
	put_text(header->group, sizeof(header->group), "root");
	memset(header->sum, ' ', sizeof(header->sum));
	for (size_t i = 0; i < sizeof(*header); i++)
		sum += ((const unsigned char *)header)[i];
	put_octal(header->sum, sizeof(header->sum) - 1, sum);
	write_block(out, header, sizeof(*header));
}

/* "LENGTH KEY=VALUE\n", where LENGTH includes its own digits. */
static size_t add_record(char *to, size_t size, const char *key, const char *value)
{
	size_t bare = strlen(key) + strlen(value) + 3, length = bare;

	for (size_t digits = 1, power = 10; digits < 8; digits++, power *= 10) {
		length = bare + digits;
		if (length < power)
			break;
	}
	/* A truncated record would be invalid. */
	if (length >= size)
		return 0;
	snprintf(to, size, "%zu %s=%s\n", length, key, value);
	return length;
}

static void write_extended(FILE *out, const struct tar_member *member, bool name, bool link)
{
	struct tar_header header = { .name = "././@PaxHeader" };
	char records[4 * PATH_MAX];
	size_t used = 0;

	if (name)
		used += add_record(records, sizeof(records), "path", member->name);
	if (link)
		used += add_record(records + used, sizeof(records) - used, "linkpath",
				   member->link);
	put_octal(header.mode, sizeof(header.mode), 0644);
	put_octal(header.mtime, sizeof(header.mtime), 0);
	write_header(out, &header, TYPE_EXTENDED, used);
	write_block(out, records, used);
}

void tar_add(FILE *out, const struct tar_member *member)
{
	struct tar_header header = { 0 };
	bool whole = put_name(&header, member->name), fits = true;
	size_t size = S_ISREG(member->mode) ? member->size : 0;
	char type = S_ISDIR(member->mode)   ? TYPE_DIRECTORY
		    : S_ISLNK(member->mode) ? TYPE_LINK
					    : TYPE_FILE;

	if (type == TYPE_LINK) {
		fits = strlen(member->link) <= sizeof(header.link);
		put_text(header.link, sizeof(header.link), member->link);
	}
	if (!whole || !fits)
		write_extended(out, member, !whole, !fits);
	put_octal(header.mode, sizeof(header.mode), member->mode & 07777);
	put_octal(header.mtime, sizeof(header.mtime),
		  member->mtime < MTIME_MAX ? member->mtime : MTIME_MAX);
	write_header(out, &header, type, size);
	write_block(out, member->content, size);
}

void tar_end(FILE *out)
{
	static const char zeros[2 * BLOCK];

	fwrite(zeros, 1, sizeof(zeros), out);
}
