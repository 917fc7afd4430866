/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Before hibernating: properties of this machine that are likely to prevent a resume. */
#ifndef S2DISK_VERDICT_FORECAST_H
#define S2DISK_VERDICT_FORECAST_H

#include "platform/platform.h"

#include <stdbool.h>
#include <stddef.h>

struct forecast_item {
	const char *id; /* a stable word */
	bool certain;	/* hibernation cannot work; false: it may not */
	char text[400];
	char advice[400];
};

#define FORECAST_MAX 16

struct forecast {
	struct forecast_item items[FORECAST_MAX];
	size_t count;
	size_t left_out; /* did not fit; certain ones are dropped last */
};

/* Pure. */
void platform_forecast(const struct platform *platform, struct forecast *ret);

#endif
