/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How hybrid sleep is done on this machine. /dev/snapshot can only enter the deep sleep that the
 * firmware provides (SNAPSHOT_S2RAM, kernel/power/user.c); many laptops have suspend-to-idle only,
 * or are set to it, which the kernel's own hybrid sleep can enter. */
#ifndef S2DISK_SLEEP_SLEEP_HYBRID_H
#define S2DISK_SLEEP_SLEEP_HYBRID_H

#include "config/sleep_config.h"

#include <stdbool.h>

enum sleep_hybrid {
	HYBRID_BY_S2DISK,
	HYBRID_BY_SYSTEMD,  /* systemd-sleep: with an image of the kernel's own */
	HYBRID_MEMORY_ONLY, /* no image: the kernel's own would not be encrypted */
};

/* By MemorySleepMode=, else by the mode in use in root/sys/power/mem_sleep. sealed_only: the
 * settings demand encryption. The reason is logged where it is not s2disk. */
enum sleep_hybrid sleep_hybrid_way(const char *root, const struct sleep_config *config,
				   bool sealed_only);

/* Before s2disk does it: makes deep the mode in use, as systemd-sleep does, since drivers ask for
 * that (pm_suspend_default_s2idle()) and not for the one that is entered. */
void sleep_hybrid_choose_deep(const char *root);

#endif
