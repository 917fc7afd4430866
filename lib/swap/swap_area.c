/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swap/swap_area.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/memory.h"
#include "base/text.h"
#include "swap/file_place.h"
#include "format/swap_signature.h"

#include <blkid/blkid.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define PATH_SIZE sizeof(((struct swap_area *)0)->device)

/* Tags, and the directories of udev's links for them. */
static const struct tag {
	const char *name;
	const char *directory;
} tags[] = {
	{ "UUID", "/dev/disk/by-uuid/" },
	{ "LABEL", "/dev/disk/by-label/" },
	{ "PARTUUID", "/dev/disk/by-partuuid/" },
	{ "PARTLABEL", "/dev/disk/by-partlabel/" },
};

static bool is_block_device(const char *path, dev_t *ret)
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISBLK(st.st_mode))
		return false;
	*ret = st.st_rdev;
	return true;
}

/* Writes directory and value in the form of udev's links: a character that a file name
 * should not have becomes \x20 and the like. */
static bool link_path(const char *directory, const char *value, char *path, size_t size)
{
	size_t used = strlen(directory);

	if (!text_copy(path, size, directory))
		return false;
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;
		bool plain = isalnum(c) || c >= 0x80 || strchr("#+-.:=@_", c);

		if (size - used < sizeof("\\x20"))
			return false;
		used += (size_t)snprintf(path + used, size - used, plain ? "%c" : "\\x%02x", c);
	}
	return true;
}

/* Probes every block device. Without a cache file: it would be stale as soon as an image
 * is written, and cannot be saved in an initramfs. */
static int probe_tag(const char *name, const char *value, char *path, size_t size)
{
	blkid_cache cache = NULL;
	blkid_dev found;
	int r = -ENODEV;

	if (blkid_get_cache(&cache, "/dev/null") < 0)
		return -ENOMEM;
	found = blkid_find_dev_with_tag(cache, name, value);
	if (found)
		r = text_copy(path, size, blkid_dev_devname(found)) ? 0 : -ENAMETOOLONG;
	blkid_put_cache(cache);
	return r;
}

/* Removes quotes and makes UUIDs lower case, as they are stored (except FAT's short ones). */
static bool tag_value(const struct tag *tag, const char *from, char *value, size_t size)
{
	size_t length;

	if (*from == '"') {
		length = strlen(++from);
		if (length == 0 || from[length - 1] != '"')
			return false;
		length--;
	} else {
		length = strlen(from);
	}
	if (length == 0 || length >= size)
		return false;
	memcpy(value, from, length);
	value[length] = '\0';
	if (strcmp(tag->name, "PARTUUID") == 0 || (strcmp(tag->name, "UUID") == 0 && length == 36))
		for (char *c = value; *c; c++)
			*c = (char)tolower((unsigned char)*c);
	return true;
}

static int resolve_tag(const char *spec, char *path, size_t size, struct why *w)
{
	const char *equals = strchr(spec, '=');
	char value[PATH_SIZE];
	dev_t dev;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		if (strlen(tags[i].name) != (size_t)(equals - spec) ||
		    !text_starts(spec, tags[i].name))
			continue;
		if (!tag_value(&tags[i], equals + 1, value, sizeof(value)))
			return why(w, -EINVAL,
				   "the value of %s= is missing, or a quote is not closed",
				   tags[i].name);
		if (link_path(tags[i].directory, value, path, size) && is_block_device(path, &dev))
			return 0;
		r = probe_tag(tags[i].name, value, path, size);
		return r < 0 ? why(w, r, "no device has it") : 0;
	}
	return why(w, -EINVAL,
		   "neither a path nor UUID=, LABEL=, PARTUUID=, PARTLABEL= or "
		   "MAJOR:MINOR");
}

/* The device's node, by the name in sysfs, or by udev's link. */
static int device_path(dev_t dev, char *path, size_t size, struct why *w)
{
	char file[64], text[1024], *name, *end;
	dev_t found;

	snprintf(file, sizeof(file), "/sys/dev/block/%u:%u/uevent", major(dev), minor(dev));
	if (io_read_text("", file, text, sizeof(text)) > 0) {
		name = strstr(text, "DEVNAME=");
		if (name && (name == text || name[-1] == '\n')) {
			name += strlen("DEVNAME=");
			end = strchrnul(name, '\n');
			if (snprintf(path, size, "/dev/%.*s", (int)(end - name), name) <
				    (int)size &&
			    is_block_device(path, &found) && found == dev)
				return 0;
		}
	}
	snprintf(path, size, "/dev/block/%u:%u", major(dev), minor(dev));
	if (is_block_device(path, &found) && found == dev)
		return 0;
	return why(w, -ENODEV, "there is no block device %u:%u in /dev", major(dev), minor(dev));
}

/* "8:3": false if it does not have that form at all. */
static bool parse_numbers(const char *spec, dev_t *ret)
{
	char text[24], *colon;
	uint64_t high, low;

	if (!text_copy(text, sizeof(text), spec))
		return false;
	colon = strchr(text, ':');
	if (!colon)
		return false;
	*colon = '\0';
	/* The kernel has 12 and 20 bits for them. */
	if (text_parse_u64(text, &high) < 0 || text_parse_u64(colon + 1, &low) < 0 || high == 0 ||
	    high >= 1 << 12 || low >= 1 << 20)
		return false;
	*ret = makedev((unsigned int)high, (unsigned int)low);
	return true;
}

/* Follows links, so that what is opened later does not depend on them. */
static int real_path(const char *path, char *ret, size_t size, struct why *w)
{
	char real[PATH_MAX];

	if (!realpath(path, real))
		return why(w, -errno, "%s", strerror(errno));
	if (!text_copy(ret, size, real))
		return why(w, -ENAMETOOLONG, "its path has more than %zu bytes", size - 1);
	return 0;
}

/* Any of the forms to the path of an existing device or file. */
static int find_path(const char *spec, char *path, size_t size, struct why *w)
{
	char found[PATH_SIZE];
	struct stat st;
	dev_t dev;
	int r = 0;

	if (*spec == '/') {
		text_copy(found, sizeof(found), spec);
		if (stat(found, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
			return why(w, -ENODEV, "does not exist");
	} else if (strchr(spec, '=')) {
		r = resolve_tag(spec, found, sizeof(found), w);
	} else if (parse_numbers(spec, &dev)) {
		r = device_path(dev, found, sizeof(found), w);
	} else {
		return why(w, -EINVAL,
			   "not a device; give a full path (/dev/...), UUID=, "
			   "LABEL=, PARTUUID=, PARTLABEL= or MAJOR:MINOR");
	}
	return r < 0 ? r : real_path(found, path, size, w);
}

/* Device number and size of area->device; the area must lie inside. */
static int examine_device(struct swap_area *area, struct why *w)
{
	_cleanup_close_ int fd = -1;
	uint64_t pages, bytes = 0;
	struct stat st;

	fd = open(area->device, O_RDONLY | O_CLOEXEC);
	/* The error of a drive without a medium or a mapping without a table. */
	if (fd < 0 && (errno == ENXIO || errno == ENOMEDIUM || errno == ENODEV || errno == ENOENT))
		return why(w, -ENODEV, "%s: not ready: %s", area->device, strerror(errno));
	if (fd < 0)
		return why(w, -errno, "%s: cannot be opened: %s", area->device, strerror(errno));
	if (fstat(fd, &st) < 0)
		return why(w, -errno, "%s: %s", area->device, strerror(errno));
	if (!S_ISBLK(st.st_mode))
		return why(w, -ENOTBLK, "%s: not a block device", area->device);
	if (ioctl(fd, BLKGETSIZE64, &bytes) < 0)
		return why(w, -errno, "%s: its size cannot be read: %s", area->device,
			   strerror(errno));
	if (bytes == 0)
		return why(w, -ENODEV, "%s: not ready: it has no size yet", area->device);
	pages = bytes / page_size();
	if (area->offset >= pages)
		return why(w, -EINVAL,
			   "%s has only %" PRIu64 " pages, so the resume offset cannot be %" PRIu64,
			   area->device, pages, area->offset);
	area->dev = st.st_rdev;
	area->dev_bytes = bytes;
	return 0;
}

/* Does the first page really lie where the file system says? */
static int confirm_signature(const struct swap_area *area, struct why *w)
{
	_cleanup_close_ int fd = swap_area_open(area, O_RDONLY, w);
	_cleanup_free_ unsigned char *page = NULL;
	int r;

	if (fd < 0)
		return fd;
	page = aligned_alloc(page_size(), page_size());
	if (!page)
		return -ENOMEM;
	r = io_pread_full(fd, page, page_size(), swap_area_start(area));
	if (r < 0)
		return why(w, r, "page %" PRIu64 " of %s cannot be read: %s", area->offset,
			   area->device, strerror(-r));
	if (swap_signature_kind(page, page_size()) == SWAP_IS_NOTHING)
		return why(w, -EINVAL,
			   "is not a swap file, or does not lie at page %" PRIu64
			   " of %s where it should",
			   area->offset, area->device);
	return 0;
}

/* area->device is the path of a regular file; replaced by that of its device. */
static int resolve_file(struct swap_area *area, struct why *w)
{
	_cleanup_close_ int fd = open(area->device, O_RDONLY | O_CLOEXEC);
	struct file_place place;
	int r;

	if (fd < 0)
		return why(w, -errno, "cannot be opened: %s", strerror(errno));
	r = file_place_find(fd, page_size(), &place, w);
	if (r < 0)
		return r;
	if (area->offset != 0 && area->offset != place.offset)
		return why(w, -EINVAL,
			   "begins at page %" PRIu64 " of its device, but the resume offset given "
			   "is %" PRIu64,
			   place.offset, area->offset);
	area->offset = place.offset;
	area->file = true;
	area->file_named = true;
	r = device_path(place.dev, area->device, sizeof(area->device), w);
	if (r == 0)
		r = examine_device(area, w);
	return r < 0 ? r : confirm_signature(area, w);
}

static int resolve(struct swap_area *area, const char *spec, bool allow_file, struct why *w)
{
	struct stat st;
	int r = find_path(spec, area->device, sizeof(area->device), w);

	if (r < 0)
		return r;
	if (stat(area->device, &st) < 0)
		return why(w, -errno, "%s", strerror(errno));
	if (S_ISBLK(st.st_mode)) {
		area->file = area->offset != 0;
		return examine_device(area, w);
	}
	if (!S_ISREG(st.st_mode))
		return why(w, -ENOTBLK, "not a block device");
	if (!allow_file)
		return why(w, -ENOTBLK,
			   "a file; give the block device under it and the resume "
			   "offset instead");
	return resolve_file(area, w);
}

int swap_area_resolve(const char *spec, uint64_t offset, bool allow_file, struct swap_area *ret,
		      struct why *w)
{
	struct swap_area area = { .offset = offset };
	struct why reason = { "" };
	int r;

	if (!*spec)
		return why(w, -EINVAL, "no resume device was named");
	if (!text_copy(area.name, sizeof(area.name), spec)) {
		text_make_printable(area.name);
		return why(w, -EINVAL, "%.60s...: more than %zu bytes for a device", area.name,
			   sizeof(area.name) - 1);
	}
	text_make_printable(area.name);
	r = resolve(&area, spec, allow_file, &reason);
	if (r < 0)
		return why(w, r, "%s: %s", area.name, why_text(&reason, r));
	*ret = area;
	return 0;
}

int swap_area_open(const struct swap_area *area, int flags, struct why *w)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	fd = open(area->device, flags | O_DIRECT | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY && area->file)
		return why(w, -EBUSY,
			   "%s: the kernel does not let the device under a mounted file system be "
			   "written to (CONFIG_BLK_DEV_WRITE_MOUNTED); use a swap partition",
			   area->device);
	if (fd < 0)
		return why(w, -errno, "%s: cannot be opened: %s", area->device, strerror(errno));
	if (fstat(fd, &st) < 0)
		return why(w, -errno, "%s: %s", area->device, strerror(errno));
	if (!S_ISBLK(st.st_mode) || st.st_rdev != area->dev)
		return why(w, -ENODEV, "%s is no longer the device %u:%u", area->device,
			   major(area->dev), minor(area->dev));
	return steal_fd(&fd);
}

const char *swap_area_operand(const struct swap_area *area)
{
	if (area->file_named)
		return area->name;
	return area->file || area->offset != 0 ? NULL : area->device;
}

/* For a shell; false if simple quoting is not enough. */
static bool quote(const char *text, char *buffer, size_t size)
{
	bool plain = text[0] != '-';

	for (const char *c = text; *c; c++)
		plain = plain && (isalnum((unsigned char)*c) || strchr("/._-+:@=,", *c));
	if (!plain && strchr(text, '\''))
		return false;
	return snprintf(buffer, size, plain ? "%s" : "'%s'", text) < (int)size;
}

/* "-U UUID -L LABEL ", as far as they are set. */
static void header_options(const struct swap_header *header, char *buffer, size_t size)
{
	static const unsigned char none[16];
	char label[32], uuid[TEXT_UUID_SIZE];
	size_t used = 0;

	buffer[0] = '\0';
	text_uuid(header->uuid, uuid);
	if (memcmp(header->uuid, none, sizeof(none)) != 0)
		used = (size_t)snprintf(buffer, size, "-U %s ", uuid);
	if (header->label[0] && quote(header->label, label, sizeof(label)))
		snprintf(buffer + used, size - used, "-L %s ", label);
}

const char *swap_area_renewal(const struct swap_area *area, const struct swap_header *header,
			      char *buffer, size_t size)
{
	const char *operand = swap_area_operand(area);
	char options[96] = "", quoted[PATH_SIZE + 2];

	if (header)
		header_options(header, options, sizeof(options));
	if (!operand)
		snprintf(buffer, size,
			 "find the swap file that begins at page %" PRIu64
			 " of %s, and run swapoff and mkswap %swith its path (never with %s)",
			 area->offset, area->device, options, area->device);
	else if (!header && !area->file_named)
		snprintf(buffer, size,
			 "see what %s holds (blkid -p %s); if it is a file system, use another "
			 "device",
			 operand, operand);
	else if (quote(operand, quoted, sizeof(quoted)))
		snprintf(buffer, size, "run \"swapoff %s; mkswap %s%s\"", quoted, options, quoted);
	else
		snprintf(buffer, size, "run swapoff and mkswap %swith its path, %s", options,
			 operand);
	return buffer;
}

uint64_t swap_area_start(const struct swap_area *area)
{
	return area->offset * page_size();
}
