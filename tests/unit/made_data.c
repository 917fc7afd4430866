/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "made_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *test_data(void)
{
	const char *data = getenv("S2DISK_TEST_DATA");

	return data ? data : TEST_DATA;
}

void enter_build(void)
{
	if (chdir(TEST_BUILD) == 0)
		return;
	perror(TEST_BUILD);
	exit(99); /* neither passed nor skipped */
}
