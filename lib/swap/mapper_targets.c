/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swap/mapper_targets.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#define ANSWER_SIZE 65536 /* for several hundred targets */
#define FILE_LIMIT 65536

static bool has_word(const char *words, const char *word, size_t length)
{
	for (const char *at = words; (at = strstr(at, word)); at++)
		if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
			return true;
	return false;
}

static int add_type(const char *type, char *words, size_t size)
{
	char name[DM_MAX_TYPE_NAME + 1] = "";
	size_t used = strlen(words);

	memcpy(name, type, DM_MAX_TYPE_NAME);
	text_make_printable(name);
	if (!name[0])
		return -EINVAL;
	if (has_word(words, name, strlen(name)))
		return 0;
	return snprintf(words + used, size - used, "%s%s", used ? " " : "", name) <
			       (int)(size - used)
		       ? 0
		       : -ENOBUFS;
}

int mapper_targets_parse(const void *buffer, size_t length, char *ret, size_t size)
{
	char words[MAPPER_TARGETS_SIZE] = "";
	const unsigned char *bytes = buffer;
	struct dm_target_spec spec;
	struct dm_ioctl header;
	size_t at = 0, room;
	int r = 0;

	if (length < sizeof(header))
		return -EINVAL;
	memcpy(&header, buffer, sizeof(header));
	if (header.flags & DM_BUFFER_FULL_FLAG)
		return -ENOBUFS;
	if (header.data_start < sizeof(header) || header.data_start > length)
		return -EINVAL;
	room = length - header.data_start;
	for (uint32_t i = 0; i < header.target_count && r == 0; i++) {
		if (at > room || room - at < sizeof(spec))
			return -EINVAL;
		memcpy(&spec, bytes + header.data_start + at, sizeof(spec));
		r = add_type(spec.target_type, words, sizeof(words));
		/* Offsets count from the first target, so they must increase. */
		if (r == 0 && i + 1 < header.target_count && spec.next <= at)
			return -EINVAL;
		at = spec.next;
	}
	if (r == 0 && !text_copy(ret, size, words))
		r = -ENOBUFS;
	return r;
}

static int ask_kernel(dev_t dev, char *ret, size_t size)
{
	_cleanup_close_ int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	_cleanup_free_ struct dm_ioctl *answer = calloc(1, ANSWER_SIZE);

	if (fd < 0)
		return -errno;
	if (!answer)
		return -ENOMEM;
	answer->version[0] = DM_VERSION_MAJOR;
	answer->data_size = ANSWER_SIZE;
	answer->data_start = sizeof(*answer);
	/* The kernel's huge_encode_dev(), in its include/linux/kdev_t.h. Without the
	 * flush, so that asking does not make a thin pool commit. */
	answer->dev = (minor(dev) & 0xffU) | major(dev) << 8 | (minor(dev) & ~0xffU) << 12;
	answer->flags = DM_NOFLUSH_FLAG;
	if (ioctl(fd, DM_TABLE_STATUS, answer) < 0)
		return -errno;
	return mapper_targets_parse(answer, ANSWER_SIZE, ret, size);
}

static int ask_file(const char *root, dev_t dev, char *ret, size_t size)
{
	_cleanup_free_ char *text = NULL;
	char *at, *line;
	int r = io_read_file(root, "/mapper", FILE_LIMIT, &text, NULL);

	if (r < 0)
		return r;
	at = text;
	while ((line = strsep(&at, "\n"))) {
		unsigned int high, low;
		int end = 0;

		if (sscanf(line, "%u:%u %n", &high, &low, &end) != 2 || end == 0 ||
		    makedev(high, low) != dev)
			continue;
		text_make_printable(line + end);
		return text_copy(ret, size, line + end) ? 0 : -ENOBUFS;
	}
	return -ENOENT;
}

int mapper_targets_read(const char *root, dev_t dev, char *ret, size_t size)
{
	return root[0] ? ask_file(root, dev, ret, size) : ask_kernel(dev, ret, size);
}
