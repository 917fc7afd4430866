/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A terminal that does not show what is typed, and that is as it was again
 * whatever ends or stops this process meanwhile (but SIGKILL and SIGSTOP, which
 * nobody can catch).
 */
#ifndef S2DISK_UI_QUIET_TERMINAL_H
#define S2DISK_UI_QUIET_TERMINAL_H

#include <stdbool.h>

/* Each key is read as it is pressed, without echo, until quiet_terminal_end();
 * what was typed before is thrown away. A signal that would end or stop us puts
 * the terminal back first, and then means what it meant; where we live on
 * after it, the terminal is quiet again. Ignored ones stay ignored. One terminal
 * at a time, and no other thread takes signals. false: fd is no terminal, and
 * nothing was done. */
bool quiet_terminal_begin(int fd);

/* Puts the terminal and the answers to signals back as they were. */
void quiet_terminal_end(void);

#endif
