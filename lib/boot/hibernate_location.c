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
#define UDEV_DATA "/run/udev/data"

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

/* Any system's. */
static int read_variable(const char *root, struct hibernate_location *ret)
{
	char raw[HIBERNATE_LOCATION_MAX + 5];
	ssize_t n = io_read_text(root, HIBERNATE_LOCATION_FILE, raw, sizeof(raw));

	if (n < 0)
		return (int)n;
	if (n < 4 || (size_t)n == sizeof(raw) - 1)
		return -EBADMSG;
	return hibernate_location_parse((const unsigned char *)raw + 4, (size_t)n - 4, ret);
}

int hibernate_location_read(const char *root, struct hibernate_location *ret)
{
	struct hibernate_location location;
	int r = read_variable(root, &location);

	if (r < 0)
		return r;
	if (!is_own(root, &location))
		return -EREMOTE;
	*ret = location;
	return 0;
}

int hibernate_location_is_free(const char *root, struct why *w)
{
	struct hibernate_location location;

	/* What cannot be read is of no use to any system. */
	if (read_variable(root, &location) < 0 || is_own(root, &location))
		return 0;
	return why(w, -EREMOTE,
		   "the firmware's variable HibernateLocation leads to an image of another system "
		   "(%s, Linux %s)",
		   location.id[0] ? location.id : "without a name",
		   location.kernel[0] ? location.kernel : "of unknown release");
}

/* As udev found it when the device appeared. name: of a file of its database. */
static bool read_uuid(const char *root, const char *name, char uuid[TEXT_UUID_SIZE])
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), UDEV_DATA "/%s", name);
	/* Those of FAT and NTFS are shorter; systemd cannot use them either. */
	return io_read_file(root, path, 262144, &text, NULL) == 0 &&
	       text_assigned(text, "E:ID_FS_UUID", uuid, TEXT_UUID_SIZE) &&
	       strlen(uuid) == TEXT_UUID_SIZE - 1;
}

/* btrfs of several devices, a copied disk: the next boot may find another one by it. */
static bool is_shared(const char *root, const char *own, const char *uuid)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char other[TEXT_UUID_SIZE];

	tree_list(root, UDEV_DATA, &names);
	for (size_t i = 0; i < names.count; i++)
		if (names.items[i][0] == 'b' && strcmp(names.items[i], own) != 0 &&
		    read_uuid(root, names.items[i], other) && strcmp(other, uuid) == 0)
			return true;
	return false;
}

static int find_uuid(const char *root, dev_t dev, char ret[TEXT_UUID_SIZE], struct why *w)
{
	char name[32], uuid[TEXT_UUID_SIZE];

	snprintf(name, sizeof(name), "b%u:%u", major(dev), minor(dev));
	if (!read_uuid(root, name, uuid))
		return why(w, -ENOENT, "udev knows no UUID of device %s", name + 1);
	if (is_shared(root, name, uuid))
		return why(w, -ENOTUNIQ, "another device has the UUID of device %s, %s", name + 1,
			   uuid);
	memcpy(ret, uuid, TEXT_UUID_SIZE);
	return 0;
}

static int remove_file(const char *root)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", root, HIBERNATE_LOCATION_FILE);
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

/* All in one call: the kernel sets the variable at each. Firmware may report success and store
 * nothing. */
static int put_variable(const char *root, const unsigned char *raw, size_t length)
{
	char path[PATH_MAX], back[HIBERNATE_LOCATION_MAX + 5];
	_cleanup_close_ int fd = -1;
	ssize_t done;

	unprotect(root);
	snprintf(path, sizeof(path), "%s%s", root, HIBERNATE_LOCATION_FILE);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	done = write(fd, raw, length);
	if (done < 0)
		return -errno;
	if ((size_t)done != length)
		return -EIO;
	done = io_read_text(root, HIBERNATE_LOCATION_FILE, back, sizeof(back));
	if (done < 0)
		return (int)done;
	return (size_t)done == length && memcmp(back, raw, length) == 0 ? 0 : -EIO;
}

int hibernate_location_write(const char *root, dev_t dev, uint64_t offset, struct why *w)
{
	struct hibernate_location location = { .offset = offset };
	unsigned char raw[HIBERNATE_LOCATION_MAX + 4];
	ssize_t length;
	int r;

	if (!tree_exists(root, DIRECTORY))
		return why(w, -ENOENT, "this system was not booted by UEFI");
	r = hibernate_location_is_free(root, w);
	if (r == 0)
		r = find_uuid(root, dev, location.uuid, w);
	if (r < 0)
		return r;
	read_os_release(root, &location);
	read_kernel(&location);
	length = hibernate_location_encode(&location, raw + 4);
	if (length < 0)
		return why(w, (int)length, "HibernateLocation would be too long");
	put_le32(raw, ATTRIBUTES);
	r = put_variable(root, raw, (size_t)length + 4);
	if (r < 0) {
		remove_file(root);
		return why(w, r, "the firmware's variable HibernateLocation cannot be written: %s",
			   strerror(-r));
	}
	return 0;
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
