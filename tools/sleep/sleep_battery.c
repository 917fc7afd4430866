/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sleep_battery.h"

#include "base/tree.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define DIRECTORY "/sys/class/power_supply"

static bool is(const char *root, const char *name, const char *file, const char *word)
{
	char text[64];

	return tree_text(root, text, sizeof(text), DIRECTORY "/%s/%s", name, file) &&
	       strcmp(text, word) == 0;
}

static void take_battery(const char *root, const char *name, bool *charging, struct battery *ret)
{
	uint64_t present, percent;

	/* The battery of a mouse or a keyboard. */
	if (is(root, name, "scope", "Device"))
		return;
	if (tree_u64(root, &present, DIRECTORY "/%s/present", name) && present == 0)
		return;
	if (!tree_u64(root, &percent, DIRECTORY "/%s/capacity", name) || percent > 100)
		return;
	ret->present = true;
	if (percent > ret->percent)
		ret->percent = (unsigned int)percent;
	/* With two batteries, the idle one reports neither. */
	if (is(root, name, "status", "Discharging"))
		ret->discharging = true;
	else if (is(root, name, "status", "Charging"))
		*charging = true;
}

void battery_read(const char *root, struct battery *ret)
{
	_cleanup_names_ struct tree_names names = { 0 };
	bool mains = false, charging = false;

	*ret = (struct battery){ 0 };
	if (tree_list(root, DIRECTORY, &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];
		uint64_t online;

		if (is(root, name, "type", "Battery"))
			take_battery(root, name, &charging, ret);
		else if (tree_u64(root, &online, DIRECTORY "/%s/online", name) && online &&
			 !is(root, name, "scope", "Device"))
			mains = true;
	}
	if (mains || charging)
		ret->discharging = false;
}

bool battery_is_low(const struct battery *battery)
{
	return battery->discharging && battery->percent <= BATTERY_LOW_PERCENT;
}

bool battery_will_be_low(const struct battery *then, const struct battery *now, uint64_t passed,
			 uint64_t next)
{
	uint64_t lost = then->percent > now->percent ? then->percent - now->percent : 0;

	if (passed > next)
		lost = (lost * next + passed - 1) / passed;
	return now->discharging && now->percent <= lost + BATTERY_LOW_PERCENT;
}
