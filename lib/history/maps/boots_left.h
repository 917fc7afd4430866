/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What boots saw that are still to be counted, in root/run/s2disk/seen. Those that refused an image
 * which was discarded in the end: no restored system learns of them, so resume(8) leaves them, in
 * the initramfs, whose /run the system takes over. And those that a restored system learns of. Each
 * change is made under a lock (root/run/s2disk/seen.lock, 2 s at most).
 */
#ifndef S2DISK_HISTORY_BOOTS_LEFT_H
#define S2DISK_HISTORY_BOOTS_LEFT_H

#include "base/why.h"
#include "history/maps/boots_seen.h"

/* Adds them to the file; of none there is no file. Writes it. 0 or a negative errno with w
 * (-ENOLCK: another program counts those before); then it is unchanged. */
int boots_left_put(const char *root, const struct boots_seen *seen, struct why *w);

/* Counts them in the history (map_history_add_seen()), and deletes the file. Two programs at once
 * count them once. 0, also without a file, and while a program only looks; with a sentence in w if
 * the file or the history was damaged. A negative errno with w if the history could not be written:
 * then the file stays for the next time. */
int boots_left_count(const char *root, struct why *w);

/* Adds those that could not be counted to a history in memory. 0, also without a file, or -ENOMEM;
 * then the history is usable, with or without some of them. */
int boots_left_add(const char *root, struct map_history *history);

#endif
