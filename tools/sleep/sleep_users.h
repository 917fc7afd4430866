/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user.slice, which holds the processes of all users' sessions: systemd 256 and later keep it
 * frozen from the first hook to the last. */
#ifndef S2DISK_SLEEP_SLEEP_USERS_H
#define S2DISK_SLEEP_SLEEP_USERS_H

#include <stdbool.h>

/* The environment variable by which NVIDIA's drop-ins and others keep it running. */
#define SLEEP_USERS_SWITCH "SYSTEMD_SLEEP_FREEZE_USER_SESSIONS"

/* Is it to be frozen? value: of that variable, NULL if it is not set. asks: a passphrase is asked
 * for when hibernating, and what the user would answer it with must not be frozen. */
bool sleep_users_freezable(const char *value, bool asks);

/* Has systemd freeze it, by busctl(1). 1: it is frozen, or part of it is and could not be thawed
 * again, which is logged. 0: there is no such slice or it cannot be frozen (cgroup v1), this
 * program runs in it, or systemd could not do it; the last two are logged. root is put before the
 * paths. */
int sleep_users_freeze(const char *root);

/* By systemd, or without it (sleep_slice.h). 0, or a negative errno: some remain frozen, which is
 * logged. */
int sleep_users_thaw(const char *root);

#endif
