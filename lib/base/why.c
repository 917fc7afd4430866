/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/why.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 0))) static void set(struct why *w, enum why_class class,
						      const char *format, va_list args)
{
	if (!w)
		return;
	w->class = class;
	vsnprintf(w->text, sizeof(w->text), format, args);
}

int why(struct why *w, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(w, WHY_NOW, format, args);
	va_end(args);
	return err;
}

int why_class(struct why *w, enum why_class class, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(w, class, format, args);
	va_end(args);
	return err;
}

int why_damaged(struct why *w, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(w, WHY_DAMAGED, format, args);
	va_end(args);
	return -EBADMSG;
}

int why_too_new(struct why *w, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(w, WHY_TOO_NEW, format, args);
	va_end(args);
	return -ENOTSUP;
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
