/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/sleep_method.h"

#include "base/io.h"
#include "config/sleep_config.h"

#include <string.h>

/* If the kernel does not list its modes, any may work. */
static bool is_offered(const char *offered, const char *mode)
{
	return !*offered || strstr(offered, mode);
}

bool sleep_method_has_deep(const char *root)
{
	char text[128], *rest = text, *mode;

	if (io_read_text(root, "/sys/power/mem_sleep", text, sizeof(text)) < 0)
		return true;
	while ((mode = strsep(&rest, " \t\n[]")))
		if (strcmp(mode, "deep") == 0)
			return true;
	return false;
}

static bool can_be_used(const char *root, const char *offered, const char *mode, enum method method)
{
	return is_offered(offered, mode) &&
	       (method != METHOD_SUSPEND || sleep_method_has_deep(root));
}

void sleep_method_load(const char *root, struct settings *settings)
{
	struct sleep_config config;
	char offered[256], *rest = config.hibernate_mode, *mode;
	enum method method;

	if (settings->method_set)
		return;
	sleep_config_load(root, &config, NULL);
	if (io_read_text(root, "/sys/power/disk", offered, sizeof(offered)) < 0)
		offered[0] = '\0';
	while ((mode = strsep(&rest, " \t"))) {
		if (!*mode || method_parse(mode, &method) < 0 ||
		    !can_be_used(root, offered, mode, method))
			continue;
		settings->method = method;
		return;
	}
}
