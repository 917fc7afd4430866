/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder in /tmp that stands for "/": for all that reads below a root. */
#ifndef TESTS_MADE_ROOT_H
#define TESTS_MADE_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

extern char made_root[64];

/* Fixtures of a test: a new, empty one; all of it away. */
void made_root_create(void);
void made_root_remove(void);

/* Folders are made as needed, here and below. */
void made_folder(const char *path);
/* text NULL deletes. */
void made_put(const char *path, const char *text);
void made_put_bytes(const char *path, const void *bytes, size_t length);
void made_put_mode(const char *path, const char *text, mode_t mode);
void made_link(const char *path, const char *target);

/* Runs a command of the shell in it; false where the program is not installed. */
bool made_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
