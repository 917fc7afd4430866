/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "made_data.h"

#include <stdlib.h>

const char *test_data(void)
{
	const char *data = getenv("S2DISK_TEST_DATA");

	return data ? data : TEST_DATA;
}
