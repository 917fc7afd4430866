/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Properties of this machine that are likely to prevent a resume. */
#include "preflight/preflight_private.h"

#include "verdict/forecast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void add_unknown(struct preflight_context *context, const char *problem)
{
	preflight_advise(preflight_add(context, "platform", CHECK_FAILED,
				       "cannot describe this machine: %s", problem),
			 "if memory is short, close some programs; without this record the next "
			 "boot cannot check the image");
}

void check_platform_forecast(struct preflight_context *context)
{
	struct forecast *forecast;

	if (!context->target->platform) {
		if (context->target->platform_problem)
			add_unknown(context, context->target->platform_problem);
		return;
	}
	forecast = calloc(1, sizeof(*forecast));
	if (!forecast) {
		add_unknown(context, strerror(ENOMEM));
		return;
	}
	platform_forecast(context->target->platform, forecast);
	for (size_t i = 0; i < forecast->count; i++) {
		const struct forecast_item *item = &forecast->items[i];
		enum check_level level = item->certain ? CHECK_FAILED : CHECK_WARNING;
		struct check *check = preflight_add(context, item->id, level, "%s", item->text);

		preflight_advise(check, "%s", item->advice);
	}
	context->preflight->left_out += forecast->left_out;
	if (forecast->count == 0)
		preflight_add(context, "platform", CHECK_OK,
			      "no memory or device of this machine is expected to change before "
			      "the resume");
	free(forecast);
}
