/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One resume at a time: an initramfs may run it from several units at once. */
#ifndef S2DISK_TURN_H
#define S2DISK_TURN_H

/* Waits until no other run is at work, for up to this many seconds. A descriptor that
 * holds the turn until it is closed; -EBUSY: another is still at work; another negative
 * errno: there is no /run below root to tell it in. */
int turn_take(const char *root, unsigned int seconds);

#endif
