/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver of NVIDIA (release/nvidia.h) is asked to save its video memory before a hibernation
 * and to restore it afterwards, as nvidia-hibernate.service and nvidia-resume.service do where
 * systemd hibernates. Their program does it where it is installed, since it leaves the display
 * server's terminal first; otherwise the driver's file is written to.
 */
#ifndef S2DISK_NVIDIA_ASLEEP_H
#define S2DISK_NVIDIA_ASLEEP_H

#include "base/why.h"

/* Does nothing where video memory is not preserved, or where the service was first. From here on
 * signals are held back (abort_watch_begin). What fails is logged and undone: the freeze shows
 * whether it matters. 1: it is asleep now, and nvidia_wake() must be called; 0: it is not;
 * -EINPROGRESS with w: it is still at it, so no freeze can succeed. */
int nvidia_sleep(const char *root, struct why *w);

/* After the resume, a failure and a cancel. What fails is logged. */
void nvidia_wake(const char *root);

#endif
