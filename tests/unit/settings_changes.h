/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_SETTINGS_CHANGES_H
#define TESTS_SETTINGS_CHANGES_H

#include "settings.h"

/* Every member that is not as settings_defaults() makes it, "name=value" with
 * blanks between, so that one comparison sees what changed and that nothing else
 * did. Good until the next call. */
const char *changes(const struct settings *s);

#endif
