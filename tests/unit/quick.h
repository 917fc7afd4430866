/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_QUICK_H
#define TESTS_QUICK_H

#include <stdbool.h>
#include <stdlib.h>

/* Whether tests that take long are to try fewer things: the environment has
 * S2DISK_QUICK, as ./run-tests gives it to all builds but the one that tries all. */
static inline bool quick(void)
{
	return getenv("S2DISK_QUICK") != NULL;
}

#endif
