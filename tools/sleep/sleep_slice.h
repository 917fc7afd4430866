/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Thaws a slice without systemd: up to version 255 that freezes each unit in it, by a
 * cgroup.freeze of its own. */
#ifndef S2DISK_SLEEP_SLEEP_SLICE_H
#define S2DISK_SLEEP_SLEEP_SLICE_H

/* Writes 0 to the cgroup.freeze of the slice at root/path, of the slices in it, and of their
 * services and scopes, until the cgroup.events of all of them report that nothing is frozen, or for
 * two seconds; what is still frozen then is logged. What is below a service or scope is its
 * owner's (a container that is paused), and not changed. 0; -EBUSY: some of it is still frozen;
 * another negative errno: the slice cannot be read or written. */
int sleep_slice_thaw(const char *root, const char *path);

#endif
