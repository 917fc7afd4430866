/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first part of suspend-then-hibernate. */
#include "sleep_private.h"

#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "base/tree.h"
#include "sleep_battery.h"

#include <string.h>

/* A machine that the alarm wakes runs within seconds; devices that do not answer can add a
 * minute (the kernel's watchdog for suspended devices, DPM_WATCHDOG_TIMEOUT, is of that size). */
#define LATE_USEC (120 * 1000000ull)

#define ACPI_ALARM "/sys/module/rtc_cmos/parameters/use_acpi_alarm"

/* How long to suspend to RAM before checking again, in microseconds; 0: not at all. Without a
 * configured delay only the battery decides. */
static uint64_t next_nap(const struct story *story, const struct battery *battery, uint64_t passed)
{
	const struct sleep_config *config = story->config;
	uint64_t left = config->delay_usec > passed ? config->delay_usec - passed : 0;

	if (battery_is_low(battery))
		return 0;
	if (!battery->present)
		return left;
	if (!config->delay_set)
		return config->estimation_usec;
	return min_u64(left, config->estimation_usec);
}

/* Did the machine sleep past its alarm, until something else woke it? */
static bool is_late(const struct story *story, uint64_t due)
{
	return story->slept && story->woke > due && story->woke - due > LATE_USEC;
}

/* The remedies are those that helped in reports about laptops. */
static void report_late(const struct story *story, uint64_t due)
{
	char late[32], text[8];

	log_warning("woken %s after the alarm, which did not wake this machine",
		    text_duration(story->woke - due, late, sizeof(late)));
	if (tree_text(story->system->root, text, sizeof(text), ACPI_ALARM) && text[0] == 'N')
		log_notice("add rtc_cmos.use_acpi_alarm=1 to the kernel command line: many laptops "
			   "wake by no other alarm");
	log_notice("\"rtcwake -m mem -s 60\" shows whether an alarm wakes this machine. If not, "
		   "look for a wake-up by RTC in the firmware's setup, and for newer firmware; "
		   "\"systemctl hibernate\" and hybrid-sleep need no alarm");
}

/* One suspend to RAM with an alarm; as sleep_nap(), but 0 if the alarm has expired. *ret_late: long
 * before this machine woke. */
static int nap_once(struct story *story, uint64_t nap, bool *ret_late)
{
	const struct sleep_system *system = story->system;
	uint64_t due = system->now(system->context) + nap;
	int r;

	story->rang = story->slept = false;
	r = sleep_do_step(story, STEP_SUSPEND);
	/* The kernel refuses to suspend if the alarm is about to expire. */
	if (r < 0 && !story->rang)
		return r;
	if (!story->rang)
		return 1;
	*ret_late = is_late(story, due);
	if (*ret_late)
		report_late(story, due);
	return 0;
}

/* A user who woke it has it awake, unless the battery would not last. */
static int after_late(bool low)
{
	if (low)
		log_notice("the battery is low; hibernating now");
	else
		log_notice("staying awake");
	return !low;
}

int sleep_nap(struct story *story)
{
	const struct sleep_system *system = story->system;
	uint64_t begun = system->now(system->context), passed = 0, nap, asleep;
	struct battery before, after;
	bool late, low;
	int r;

	for (;;) {
		battery_read(system->root, &before);
		/* The delay begins on battery power; without a battery it begins at once. */
		if (story->config->not_on_mains && before.present && !before.discharging) {
			begun = system->now(system->context);
			passed = 0;
		}
		nap = next_nap(story, &before, passed);
		if (nap == 0)
			return 0;
		story->alarm = system->alarm_set(system->context, nap);
		if (story->alarm < 0) {
			log_warning("no RTC wake alarm (%s); hibernating now",
				    strerror(-story->alarm));
			return 0;
		}
		late = false;
		asleep = system->now(system->context);
		r = nap_once(story, nap, &late);
		system->alarm_close(system->context, story->alarm);
		story->alarm = -1;
		if (r != 0)
			return r;
		/* It may expire slightly early; the rest is not worth sleeping, and the kernel
		 * would refuse so short a time. */
		passed = max_u64(passed + nap, system->now(system->context) - begun);
		battery_read(system->root, &after);
		asleep = system->now(system->context) - asleep;
		low = battery_is_low(&after) || battery_will_be_low(&before, &after, asleep, nap);
		if (late)
			return after_late(low);
		if (low)
			return 0;
	}
}
