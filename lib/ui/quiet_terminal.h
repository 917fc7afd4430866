/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A terminal that does not show what is typed, and whose settings are restored whatever
 * ends or suspends this process (except SIGKILL and SIGSTOP, which cannot be caught).
 */
#ifndef S2DISK_UI_QUIET_TERMINAL_H
#define S2DISK_UI_QUIET_TERMINAL_H

#include <stdbool.h>

/* Each key is read as it is pressed, without echo, until quiet_terminal_end(); earlier
 * input is dropped. A signal that would end or suspend us first restores the terminal,
 * then has its usual effect; if the process continues, the terminal is made quiet again.
 * Ignored signals stay ignored. One terminal at a time, and no other thread may take
 * signals. false: fd is not a terminal, and nothing was done. */
bool quiet_terminal_begin(int fd);

/* Restores the terminal and the signal handlers. */
void quiet_terminal_end(void);

#endif
