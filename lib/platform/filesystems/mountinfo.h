/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's list of mounts, line by line. */
#ifndef S2DISK_PLATFORM_MOUNTINFO_H
#define S2DISK_PLATFORM_MOUNTINFO_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* A line of mountinfo (proc_pid_mountinfo(5)): 36 35 98:0 / /mnt rw … - ext3 /dev/root
 * rw. Octal escapes are undone. */
struct mount_line {
	uint64_t id;
	unsigned int high, low;
	char place[PATH_MAX];  /* "": longer, which no call can open */
	char kind[512];	       /* with FUSE's subtype */
	char source[PATH_MAX]; /* may be "" */
	const char *options;   /* of the file system: "rw,vers=4.2,addr=192.0.2.1" */
	bool writable;	       /* the mount and the file system */
};

struct mountinfo;

/* Reads root/proc/self/mountinfo; mountinfo_close() it. A negative errno: it cannot be read, or
 * -ENOMEM. */
int mountinfo_read(const char *root, struct mountinfo **ret);

/* The next line, in the order of mounting; the caller may change it. It is valid until the next
 * call. What does not parse is skipped. NULL after the last, and of NULL. */
struct mount_line *mountinfo_next(struct mountinfo *mountinfo);

/* The next line of a mount at that path. */
struct mount_line *mountinfo_next_at(struct mountinfo *mountinfo, const char *place);

/* Harmless on NULL. */
void mountinfo_close(struct mountinfo *mountinfo);

static inline void cleanup_mountinfo(struct mountinfo **mountinfo)
{
	mountinfo_close(*mountinfo);
}

#define _cleanup_mountinfo_ __attribute__((cleanup(cleanup_mountinfo)))

#endif
