/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_create.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/io.h"
#include "base/memory.h"
#include "swap/swap_area.h"
#include "swap/swap_signature.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/f2fs.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define ATTRIBUTE "security.selinux"

/* union swap_header of the kernel's include/linux/swap.h. */
#define HEADER_VERSION 1024
#define HEADER_LAST_PAGE 1028
#define HEADER_UUID 1036

/* Of most f2fs; where sections are larger, the kernel moves what is not aligned when the file
 * is switched on (check_swap_activate() in fs/f2fs/data.c), and then it stays there. */
#define SECTION_OF_F2FS (2u << 20)

void swapfile_header_make(unsigned char *page, size_t size, uint64_t bytes,
			  const unsigned char uuid[16])
{
	const uint32_t version = 1, last_page = (uint32_t)(bytes / size - 1);

	memset(page, 0, size);
	memcpy(page + HEADER_VERSION, &version, sizeof(version));
	memcpy(page + HEADER_LAST_PAGE, &last_page, sizeof(last_page));
	memcpy(page + HEADER_UUID, uuid, 16);
	memcpy(page + size - SWAP_SIGNATURE_SIZE, SWAP_SIGNATURE_SWAP, SWAP_SIGNATURE_SIZE);
}

/* btrfs must not copy on write, which can be said of an empty file only. */
static int prepare_btrfs(int fd, struct why *w)
{
	unsigned int flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return why(w, -errno, "its attributes cannot be read: %s", strerror(errno));
	flags = (flags & ~(unsigned int)FS_COMPR_FL) | FS_NOCOW_FL;
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0)
		return why(w, -errno, "the attribute NOCOW cannot be set: %s", strerror(errno));
	return 0;
}

/* A pinned file is not moved; its space comes in whole sections. */
static int prepare_f2fs(int fd, struct create *create, struct why *w)
{
	uint32_t pin = 1;

	create->size = round_up(create->size, SECTION_OF_F2FS);
	if (ioctl(fd, F2FS_IOC_SET_PIN_FILE, &pin) < 0)
		return why(w, -errno, "the file cannot be pinned to its place: %s",
			   strerror(errno));
	return 0;
}

/* Where the file system cannot allocate without writing (ext3, FAT), the C library writes. */
static int allocate(int fd, const struct create *create, struct why *w)
{
	int error = posix_fallocate(fd, 0, (off_t)create->size);

	return error == 0 ? 0
			  : why(w, -error, "space for it cannot be had: %s%s", strerror(error),
				error == ENOSPC && create->site->magic == F2FS_SUPER_MAGIC
					? " (f2fs needs whole free sections)"
					: "");
}

static int write_header(int fd, const struct create *create, struct why *w)
{
	_cleanup_free_ unsigned char *page = aligned_alloc(page_size(), page_size());
	unsigned char uuid[16];
	int r = page ? crypto_random(uuid, sizeof(uuid)) : -ENOMEM;

	if (r == 0) {
		uuid[6] = (unsigned char)((uuid[6] & 0x0f) | 0x40);
		uuid[8] = (unsigned char)((uuid[8] & 0x3f) | 0x80);
		swapfile_header_make(page, page_size(), create->size, uuid);
		r = io_pwrite_full(fd, page, page_size(), 0);
	}
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r < 0 ? why(w, r, "writing the swap header failed: %s", strerror(-r)) : 0;
}

bool swapfile_label_text(const char *old, char *ret, size_t size)
{
	const char *role, *type, *range;

	if (!old[0])
		old = "system_u:object_r:unlabeled_t:s0";
	role = strchr(old, ':');
	type = role ? strchr(role + 1, ':') : NULL;
	if (!type || type[1] == '\0')
		return false;
	range = strchrnul(type + 1, ':');
	return snprintf(ret, size, "%.*s:swapfile_t%s", (int)(type - old), old, range) < (int)size;
}

/* On systems with SELinux. A policy that does not know the type, and a file system without
 * labels, are no errors: there is none to be had then. */
static int set_label(const struct swapfile_system *system, int fd, struct why *w)
{
	char old[256], label[256];
	ssize_t length;

	if (!system_has(system, "/sys/fs/selinux/enforce"))
		return 0;
	length = fgetxattr(fd, ATTRIBUTE, old, sizeof(old) - 1);
	if (length < 0 && errno != ENODATA)
		return errno == EOPNOTSUPP ? 0
					   : why(w, -errno, "its SELinux label cannot be read: %s",
						 strerror(errno));
	old[length < 0 ? 0 : length] = '\0';
	if (!swapfile_label_text(old, label, sizeof(label)))
		return why(w, -EINVAL, "its SELinux label makes no sense");
	if (fsetxattr(fd, ATTRIBUTE, label, strlen(label) + 1, 0) < 0 && errno != EOPNOTSUPP &&
	    errno != EINVAL)
		return why(w, -errno, "the SELinux label %s cannot be set: %s", label,
			   strerror(errno));
	return 0;
}

static int make(int fd, struct create *create, struct why *w)
{
	int r = 0;

	/* The folder's umask and default ACL shall not matter. */
	if (fchmod(fd, 0600) < 0)
		return -errno;
	if (create->site->magic == BTRFS_SUPER_MAGIC)
		r = prepare_btrfs(fd, w);
	else if (create->site->magic == F2FS_SUPER_MAGIC)
		r = prepare_f2fs(fd, create, w);
	if (r == 0)
		r = set_label(create->system, fd, w);
	if (r == 0)
		r = allocate(fd, create, w);
	return r < 0 ? r : write_header(fd, create, w);
}

int swapfile_create(void *context, const char *path, struct why *w)
{
	struct create *create = context;
	_cleanup_close_ int fd = -1;
	struct swap_area area;
	int r;

	create->size = create->size / page_size() * page_size();
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return why(w, -errno, "%s: %s", path,
			   errno == EEXIST ? "exists already; take another name, or enable it as "
					     "it is"
					   : strerror(errno));
	r = make(fd, create, w);
	if (r < 0)
		return why_prefix(w, r, "%s", path);
	/* Its place is found and the header read there: the whole way. */
	return swap_area_resolve(path, 0, true, &area, w);
}
