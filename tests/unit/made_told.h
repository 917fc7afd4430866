/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a function prints. */
#ifndef TESTS_MADE_TOLD_H
#define TESTS_MADE_TOLD_H

#include <stddef.h>

/* Standard output of what follows is kept, until told(), which gives it. */
void tell_to_file(void);
void told(char *text, size_t size);

/* Asserts that the text has these words in it, or has not. */
void check_told(const char *text, const char *wanted);
void check_untold(const char *text, const char *unwanted);

#endif
