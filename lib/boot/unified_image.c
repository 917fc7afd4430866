/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/unified_image.h"

#include "base/bytes.h"

#include <errno.h>
#include <string.h>

#define FILE_HEADER_SIZE 24u /* with the signature */
#define SECTION_SIZE 40u

static int take_section(const unsigned char *section, uint64_t file_size,
			struct unified_image *found)
{
	struct unified_section *to = NULL;
	uint64_t length = get_le32(section + 16), offset = get_le32(section + 20);

	if (memcmp(section, ".initrd\0", 8) == 0)
		to = &found->initrd;
	else if (memcmp(section, ".cmdline", 8) == 0)
		to = &found->cmdline;
	if (!to || to->length > 0)
		return 0;
	/* In the file it may be padded; in memory it need not have a size. */
	if (get_le32(section + 8))
		length = min_u64(length, get_le32(section + 8));
	if (offset > file_size || length > file_size - offset)
		return -EBADMSG;
	*to = (struct unified_section){ offset, length };
	return 0;
}

int unified_image_parse(const unsigned char *header, size_t length, uint64_t file_size,
			struct unified_image *ret, struct why *w)
{
	struct unified_image found = { 0 };
	uint64_t at, count;

	if (length < 64 || memcmp(header, "MZ", 2) != 0)
		return why(w, -EBADMSG, "it is no EFI program");
	at = get_le32(header + 60);
	if (at + FILE_HEADER_SIZE > length || memcmp(header + at, "PE\0\0", 4) != 0)
		return why(w, -EBADMSG, "it is no EFI program");
	count = get_le16(header + at + 6);
	at += FILE_HEADER_SIZE + get_le16(header + at + 20);
	if (at + count * SECTION_SIZE > length)
		return why(w, -EBADMSG, "its list of sections is too long");
	for (uint64_t i = 0; i < count; i++)
		if (take_section(header + at + i * SECTION_SIZE, file_size, &found) < 0)
			return why(w, -EBADMSG, "it ends in the middle of a section");
	if (found.initrd.length == 0)
		return why(w, -ENOENT, "it has no initramfs in it");
	*ret = found;
	return 0;
}
