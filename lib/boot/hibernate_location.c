/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/hibernate_location.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#define DIRECTORY "/sys/firmware/efi/efivars"

/* Kept without power; seen by boot services; seen by the running system. */
#define ATTRIBUTES 7u

/* efivarfs protects most variables from rm -r by this flag. */
static void unprotect(const char *root)
{
	_cleanup_close_ int fd = io_open_below(root, HIBERNATE_LOCATION_FILE, O_RDONLY);
	int flags;

	if (fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && flags & FS_IMMUTABLE_FL) {
		flags &= ~FS_IMMUTABLE_FL;
		ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
}

/* "" for what is not there. false: there is no such file. */
static bool read_os_release(const char *root, struct hibernate_location *ret)
{
	/* What dracut calls it is a link to the third, or is not there. */
	static const char *const paths[] = { "/etc/os-release", "/usr/lib/os-release",
					     "/etc/initrd-release" };
	_cleanup_free_ char *text = NULL;
	int r = -ENOENT;

	for (size_t i = 0; r < 0 && i < ARRAY_SIZE(paths); i++)
		r = io_read_file(root, paths[i], 65536, &text, NULL);
	if (r < 0)
		return false;
	text_assigned(text, "ID", ret->id, sizeof(ret->id));
	text_assigned(text, "IMAGE_ID", ret->image_id, sizeof(ret->image_id));
	text_assigned(text, "VERSION_ID", ret->version_id, sizeof(ret->version_id));
	text_assigned(text, "IMAGE_VERSION", ret->image_version, sizeof(ret->image_version));
	return true;
}

static void read_kernel(struct hibernate_location *ret)
{
	struct utsname uts;

	uname(&uts);
	text_copy(ret->kernel, sizeof(ret->kernel), uts.release);
}

static bool is_own(const char *root, const struct hibernate_location *location)
{
	struct hibernate_location own = { .uuid = "" };

	if (read_os_release(root, &own))
		return strcmp(own.id, location->id) == 0 &&
		       strcmp(own.image_id, location->image_id) == 0;
	read_kernel(&own);
	return strcmp(own.kernel, location->kernel) == 0;
}

int hibernate_location_read(const char *root, struct hibernate_location *ret)
{
	struct hibernate_location location;
	char raw[HIBERNATE_LOCATION_MAX + 5];
	ssize_t n = io_read_text(root, HIBERNATE_LOCATION_FILE, raw, sizeof(raw));
	int r;

	if (n < 0)
		return (int)n;
	if (n < 4 || (size_t)n == sizeof(raw) - 1)
		return -EBADMSG;
	r = hibernate_location_parse((const unsigned char *)raw + 4, (size_t)n - 4, &location);
	if (r < 0)
		return r;
	if (!is_own(root, &location))
		return -EREMOTE;
	*ret = location;
	return 0;
}

/* As udev found it when the device appeared. */
static int read_uuid(const char *root, dev_t dev, char uuid[TEXT_UUID_SIZE])
{
	_cleanup_free_ char *text = NULL;
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/run/udev/data/b%u:%u", major(dev), minor(dev));
	r = io_read_file(root, path, 262144, &text, NULL);
	if (r < 0)
		return r;
	/* Those of FAT and NTFS are shorter; systemd cannot use them either. */
	if (!text_assigned(text, "E:ID_FS_UUID", uuid, TEXT_UUID_SIZE) ||
	    strlen(uuid) != TEXT_UUID_SIZE - 1)
		return -ENOENT;
	return 0;
}

static int remove_file(const char *root)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", root, HIBERNATE_LOCATION_FILE);
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int hibernate_location_write(const char *root, dev_t dev, uint64_t offset)
{
	struct hibernate_location location = { .offset = offset };
	unsigned char raw[HIBERNATE_LOCATION_MAX + 4];
	_cleanup_close_ int fd = -1;
	ssize_t length, written;
	char path[PATH_MAX];
	int r;

	if (!tree_exists(root, DIRECTORY))
		return -ENOENT;
	r = read_uuid(root, dev, location.uuid);
	if (r < 0)
		return r;
	read_os_release(root, &location);
	read_kernel(&location);
	length = hibernate_location_encode(&location, raw + 4);
	if (length < 0)
		return (int)length;
	put_le32(raw, ATTRIBUTES);
	unprotect(root);
	snprintf(path, sizeof(path), "%s%s", root, HIBERNATE_LOCATION_FILE);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	/* All in one call: the kernel sets the variable at each. */
	written = write(fd, raw, (size_t)length + 4);
	r = written < 0 ? -errno : written == length + 4 ? 0 : -EIO;
	if (r < 0)
		remove_file(root);
	return r;
}

int hibernate_location_clear(const char *root)
{
	struct hibernate_location location;
	int r = hibernate_location_read(root, &location);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	unprotect(root);
	return remove_file(root);
}
