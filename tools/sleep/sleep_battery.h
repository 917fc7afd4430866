/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether this machine runs on battery power, and for how long. */
#ifndef S2DISK_SLEEP_SLEEP_BATTERY_H
#define S2DISK_SLEEP_SLEEP_BATTERY_H

#include <stdbool.h>
#include <stdint.h>

struct battery {
	bool present;	      /* one powers the machine and reports its charge */
	bool discharging;     /* it is the only power source now */
	unsigned int percent; /* of the fullest one; 0 to 100 */
};

/* Below this level the session is saved to disk while that is still possible. */
#define BATTERY_LOW_PERCENT 5

void battery_read(const char *root, struct battery *ret);

bool battery_is_low(const struct battery *battery);

/* At the rate of discharge from then to now, which took passed: would it be low after next? The
 * same time again where it took less. Both in one unit, less than 2^57. */
bool battery_will_be_low(const struct battery *then, const struct battery *now, uint64_t passed,
			 uint64_t next);

#endif
