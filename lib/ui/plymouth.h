/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages and progress on Plymouth's splash screen, by the protocol of its
 * socket: a command, and for most one argument of at most 254 bytes. It has been
 * the same since 2008, and systemd and util-linux speak it as well. The client
 * program is no way for progress: it is not in every initramfs, and a process a
 * step costs more than the step.
 *
 * Whoever draws it is a process like any other: it is frozen when all are. So
 * nothing here waits for it but plymouth_open and plymouth_leave, for a moment.
 * All functions do nothing where there is no Plymouth.
 */
#ifndef S2DISK_UI_PLYMOUTH_H
#define S2DISK_UI_PLYMOUTH_H

#include <stdbool.h>

struct plymouth {
	int fd;		      /* -1: there is none */
	char message[255];    /* that is shown; "" for none */
	unsigned int percent; /* last told */
};

/* Looks whether it runs and answers. name: of its abstract socket, NULL for the
 * usual one. */
void plymouth_open(struct plymouth *plymouth, const char *name);
bool plymouth_is_open(const struct plymouth *plymouth);
void plymouth_close(struct plymouth *plymouth);

/* Shows a message in the place of the one before; what is too long is cut. */
void plymouth_message(struct plymouth *plymouth, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void plymouth_hide_message(struct plymouth *plymouth);

/* How far it is, 0 to 100. Themes show it, or do not. */
void plymouth_percent(struct plymouth *plymouth, unsigned int percent);

/* Gives the console back, to ask there, and takes it again. */
void plymouth_leave(struct plymouth *plymouth);
void plymouth_return(struct plymouth *plymouth);

#endif
