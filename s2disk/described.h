/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A system described by files below a directory, for s2disk --check --root: the files that the
 * checks read, and a few more at its top for what no system file contains. Fields have one blank
 * between them; blanks in them are written as \040.
 *
 *   area     NAME DEVICE MAJOR:MINOR OFFSET FILE: the swap area that the image would go
 *            to, OFFSET in pages, FILE 1 for a swap file, else 0
 *   devices  lines SPEC MAJOR:MINOR: what a name (UUID=…, /dev/mapper/root) leads to,
 *            and the devices of swap areas and swap files
 *   answers  what a kernel said where it was asked (see described.c); only a report
 *            has it. Without it all can be opened, and the area is active.
 *   mapper   lines MAJOR:MINOR TARGET…: tables of device-mapper
 *            (swap/mapper_targets.h)
 *   claimed  lines NAME: block devices that no exclusive open gets, where something is
 *            to be released (release/release_guard.h)
 *
 * The machine that this runs on is not examined, and nothing is written.
 */
#ifndef S2DISK_DESCRIBED_H
#define S2DISK_DESCRIBED_H

#include "base/why.h"
#include "preflight/preflight.h"

#define DESCRIBED_AREA "/area"
#define DESCRIBED_DEVICES "/devices"
#define DESCRIBED_ANSWERS "/answers"
#define DESCRIBED_PAGE "/area-page" /* the first page of the area, as far as it is a header */
#define DESCRIBED_MAPPER "/mapper"

/* Selects that system. -ENOTDIR and the like if it is not a directory, -EINVAL if one of the
 * files cannot be parsed. Call described_end() afterwards. */
int described_begin(const char *root, struct why *w);
void described_end(void);

/* The directory's real path, never ""; everything is read below it. */
const char *described_root(void);

/* Its answers. */
extern const struct preflight_system described_system;

/* Where the image would go there, as target_find: by the settings and the kernel's
 * command line where these lead to a device that is listed, else what the file says. */
int described_target(const struct settings *settings, struct swap_area *ret, struct why *w);

/* Are memory and devices described? A few small files say nothing of them. */
bool described_machine(void);

/* Runs all checks on it; its sleep.conf may set the method. 0, or a negative errno where there is
 * no memory. */
int described_check(struct settings *settings, struct preflight *ret, struct why *w);

#endif
