/* SPDX-License-Identifier: GPL-2.0-or-later */
/* systemd's configuration of sleep (systemd-sleep.conf(5)), which s2disk-sleep follows since it
 * replaces systemd-sleep. */
#ifndef S2DISK_CONFIG_SLEEP_CONFIG_H
#define S2DISK_CONFIG_SLEEP_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

struct sleep_config {
	bool allow_hibernation;	 /* AllowHibernation= */
	bool allow_hybrid_sleep; /* AllowHybridSleep=; by default suspend and hibernation must be
				    allowed */
	bool allow_suspend_then_hibernate; /* AllowSuspendThenHibernate=, likewise */
	char suspend_state[128];  /* SuspendState=: words for /sys/power/state, without "disk" */
	char memory_mode[128];	  /* MemorySleepMode=: words for /sys/power/mem_sleep; "" none */
	char hibernate_mode[128]; /* HibernateMode=: words for /sys/power/disk; "" none */
	uint64_t delay_usec;	  /* HibernateDelaySec= */
	bool delay_set;		  /* "infinity" does not set it */
	bool not_on_mains;	  /* HibernateOnACPower=no: the delay counts on battery only */
	uint64_t estimation_usec; /* SuspendEstimationSec=: how often to check the battery */
};

/* Reads the files below root. Bad lines are reported to warn and skipped, as systemd does;
 * irrelevant keys are skipped silently. */
void sleep_config_load(const char *root, struct sleep_config *ret,
		       void (*warn)(const char *message));

#endif
