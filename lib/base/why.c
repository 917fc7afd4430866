/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int why(struct why *w, int err, const char *format, ...)
{
	va_list args;

	if (!w)
		return err;
	va_start(args, format);
	vsnprintf(w->text, sizeof(w->text), format, args);
	va_end(args);
	return err;
}

int why_prefix(struct why *w, int err, const char *format, ...)
{
	struct why rest;
	va_list args;
	size_t used;

	if (!w)
		return err;
	rest = *w;
	va_start(args, format);
	vsnprintf(w->text, sizeof(w->text), format, args);
	va_end(args);
	used = strlen(w->text);
	snprintf(w->text + used, sizeof(w->text) - used, ": %s", why_text(&rest, err));
	return err;
}

const char *why_text(const struct why *w, int err)
{
	if (w && w->text[0])
		return w->text;
	return strerror(-err);
}
