/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether this machine runs on a battery, and how long still. */
#ifndef S2DISK_SLEEP_SLEEP_BATTERY_H
#define S2DISK_SLEEP_SLEEP_BATTERY_H

#include <stdbool.h>

struct battery {
	bool present;	      /* there is one that drives the machine and tells its charge */
	bool discharging;     /* nothing else drives it now */
	unsigned int percent; /* of the fullest one; 0 to 100 */
};

/* Below this the session is saved to disk while that is still possible. */
#define BATTERY_LOW_PERCENT 5

void battery_read(const char *root, struct battery *ret);

bool battery_is_low(const struct battery *battery);

/* By what it lost from then to now: would it be low after the same time once
 * more? */
bool battery_will_be_low(const struct battery *then, const struct battery *now);

#endif
