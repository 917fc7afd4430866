/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/look.h"

#include <limits.h>
#include <stdio.h>

static const struct look_watcher *watching;

void look_watch(const struct look_watcher *watcher)
{
	watching = watcher;
}

void look_note(const char *root, const char *path, enum look kind)
{
	char full[PATH_MAX];

	if (watching && snprintf(full, sizeof(full), "%s%s", root, path) < (int)sizeof(full))
		watching->look(watching->context, full, kind);
}

void look_note_member(const struct look_member *member)
{
	if (watching)
		watching->member(watching->context, member);
}
