/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "preflight/preflight.h"

#include "output/json.h"

static const char *level_name(enum check_level level)
{
	switch (level) {
	case CHECK_OK:
		return "ok";
	case CHECK_WARNING:
		return "warning";
	case CHECK_FAILED:
		return "failed";
	}
	return "failed";
}

static size_t count_level(const struct preflight *preflight, enum check_level level)
{
	size_t count = 0;

	for (size_t i = 0; i < preflight->count; i++)
		count += preflight->checks[i].level == level;
	return count;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

void preflight_print(const struct preflight *preflight, FILE *out)
{
	size_t failed = count_level(preflight, CHECK_FAILED);
	size_t warnings = count_level(preflight, CHECK_WARNING);

	for (size_t i = 0; i < preflight->count; i++) {
		const struct check *check = &preflight->checks[i];

		fprintf(out, "%-8s %-16s %s\n", level_name(check->level), check->id, check->text);
		if (check->advice[0])
			fprintf(out, "%-8s %-16s %s\n", "", "  what to do:", check->advice);
	}
	if (preflight->left_out > 0)
		fprintf(out, "%zu more check%s not shown; none is worse than these.\n",
			preflight->left_out, preflight->left_out == 1 ? " was" : "s were");
	if (failed > 0)
		fprintf(out, "\nThis machine cannot hibernate now: %zu check%s failed.\n", failed,
			plural(failed));
	else if (warnings > 0)
		fprintf(out, "\nThis machine should be able to hibernate, with %zu warning%s.\n",
			warnings, plural(warnings));
	else
		fprintf(out, "\nThis machine is ready to hibernate.\n");
}

int preflight_print_json(const struct preflight *preflight, FILE *out)
{
	struct json json;

	json_begin(&json, out);
	json_object_begin(&json, NULL);
	json_string(&json, "result", level_name(preflight_worst(preflight)));
	json_array_begin(&json, "checks");
	for (size_t i = 0; i < preflight->count; i++) {
		const struct check *check = &preflight->checks[i];

		json_object_begin(&json, NULL);
		json_string(&json, "id", check->id);
		json_string(&json, "level", level_name(check->level));
		json_string(&json, "text", check->text);
		json_string(&json, "advice", check->advice[0] ? check->advice : NULL);
		json_object_end(&json);
	}
	json_array_end(&json);
	if (preflight->left_out > 0)
		json_u64(&json, "left_out", preflight->left_out);
	json_object_end(&json);
	return json_end(&json);
}
