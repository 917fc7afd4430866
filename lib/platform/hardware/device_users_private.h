/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files that implement device_users.h. device_users_network.c: which network adapters
 * are in use: those by which mounted file systems come, by the kernel's routes; all where these do
 * not say. device_users_layers.c: which mounts lie below what is mounted on /.
 */
#ifndef S2DISK_PLATFORM_DEVICE_USERS_PRIVATE_H
#define S2DISK_PLATFORM_DEVICE_USERS_PRIVATE_H

#include "platform/filesystems/mountinfo.h"
#include "platform/hardware/device_users.h"
#include "platform/list.h"

#include <stdbool.h>

struct network_mount {
	char address[64]; /* of its server; "": not known */
	char place[48];	  /* "/home" */
	bool system;	  /* the system needs it */
	uint64_t id;	  /* of the mount */
};

struct network_users {
	bool layered; /* what is mounted on / may lie in any of them */
	LIST_OF(struct network_mount) mounts;
};

/* Harmless on a zeroed struct. */
void network_users_free(struct network_users *network);

/* Notes a mount, if it is one over the network. 0 or -ENOMEM. */
int network_users_note(struct network_users *network, const struct mount_line *mount);

/* The system needs that mount, if it was noted. False: it was not. */
bool network_users_take(struct network_users *network, uint64_t id);

/* Once all are noted: takes those that lie below what is mounted on /, through the layers of
 * overlay and the files of loop devices. Where that cannot be followed, it may be any. 0 or
 * -ENOMEM. */
int network_users_follow(const char *root, struct network_users *network);

/* The block device "/dev/sda1"; not links such as "/dev/disk/by-id/…". False: there is none. */
bool device_users_block(const char *root, const char *path, dev_t *ret);

/* Do the system's files come over the network? */
bool network_users_have_system(const struct network_users *network);

/* Adds the adapters; all if users->network says so and a way is not known. 0 or -ENOMEM. */
int network_users_add(const char *root, const struct network_users *network,
		      struct device_users *users);

/* device_users_add() for an interface of the network; waits: the session does without. */
int device_users_add_network(struct device_users *users, char *path, const char *what, bool waits);

/* The interface by which the kernel's main table leads to an address ("192.0.2.1", "2001:db8::1",
 * "fe80::1%2"). False: it does not, or that is no address. */
bool network_way(const char *root, const char *address, char *name, size_t size);

#endif
