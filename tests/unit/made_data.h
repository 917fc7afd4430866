/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_MADE_DATA_H
#define TESTS_MADE_DATA_H

/* The folder tests/data of the source, wherever a test is run from. The variable
 * S2DISK_TEST_DATA names another one, for tests that moved. */
const char *test_data(void);

/* Makes the folder of the build the working one: for tests that run its programs,
 * or write a file where it is likely to go to a disk. */
void enter_build(void);

#endif
