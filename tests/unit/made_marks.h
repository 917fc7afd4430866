/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The marks of s2disk-swapfile, line by line. */
#ifndef TESTS_MADE_MARKS_H
#define TESTS_MADE_MARKS_H

#define BEGIN "# s2disk-swapfile begin (\"s2disk-swapfile disable\" takes this out)\n"
#define END "# s2disk-swapfile end\n"
#define OWN "# Written by s2disk-swapfile; \"s2disk-swapfile disable\" takes it away.\n"
#define OPEN "# The file had no newline at its end.\n"
#define MADE "# The file was made for this.\n"
#define DIRECTORY "# Its directory was made for it.\n"

#endif
