/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One resume at a time: an initramfs may run it from several units at once. */
#ifndef S2DISK_TURN_H
#define S2DISK_TURN_H

/* Waits up to that many seconds until no other run is active. Returns a descriptor that holds
 * the lock until it is closed; -EBUSY: another is still active; another negative errno: the lock
 * cannot be made below root/run. */
int turn_take(const char *root, unsigned int seconds);

#endif
