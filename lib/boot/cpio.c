/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/cpio.h"

#include "base/bytes.h"

#include <errno.h>
#include <string.h>

#define HEADER_SIZE 110

void cpio_begin(struct cpio *cpio, FILE *file, uint64_t limit)
{
	*cpio = (struct cpio){ .file = file, .limit = limit };
}

int cpio_first(struct cpio *cpio)
{
	int c;

	while ((c = getc_unlocked(cpio->file)) == 0 && cpio->position < cpio->limit)
		cpio->position++;
	return ungetc(c, cpio->file);
}

/* to may be NULL. */
static int take(struct cpio *cpio, void *to, uint64_t length)
{
	char unwanted[16384];
	uint64_t taken = 0;

	if (length > cpio->limit - cpio->position)
		return -EFBIG;
	while (taken < length) {
		char *at = to ? (char *)to + taken : unwanted;
		uint64_t room = to ? length - taken : min_u64(length - taken, sizeof(unwanted));
		size_t n = fread(at, 1, room, cpio->file);

		if (n == 0 && (!ferror(cpio->file) || errno != EINTR))
			return -EBADMSG;
		clearerr(cpio->file);
		taken += n;
	}
	cpio->position += length;
	return 0;
}

int cpio_content(struct cpio *cpio, void *to, uint64_t size)
{
	int r = take(cpio, to, size);

	/* Headers and contents begin at multiples of four. */
	return r < 0 ? r : take(cpio, NULL, -cpio->position & 3);
}

int cpio_next(struct cpio *cpio, struct cpio_entry *ret)
{
	unsigned int inode, links, major, minor, name_size;
	char header[HEADER_SIZE + 1] = "";
	int r = take(cpio, header, HEADER_SIZE);

	if (r < 0)
		return r;
	if ((memcmp(header, "070701", 6) != 0 && memcmp(header, "070702", 6) != 0) ||
	    sscanf(header + 6, "%8x%8x%*16c%8x%*8c%8x%8x%8x%*16c%8x", &inode, &ret->mode, &links,
		   &ret->size, &major, &minor, &name_size) != 7 ||
	    name_size == 0 || name_size > sizeof(ret->name))
		return -EBADMSG;
	ret->link = links > 1 ? 1 + ((uint64_t)inode << 32 | major << 20 | minor) : 0;
	r = cpio_content(cpio, ret->name, name_size);
	if (r == 0 && ret->name[name_size - 1])
		r = -EBADMSG;
	return r < 0 ? r : strcmp(ret->name, "TRAILER!!!") != 0;
}
