/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Can this machine restore the image? A pure function of the machine that was recorded with the
 * image, the machine now, and the pages of the image. doc/platform-verdict.md gives the reason for
 * each finding and its class. */
#ifndef S2DISK_VERDICT_VERDICT_H
#define S2DISK_VERDICT_VERDICT_H

#include "base/why.h"
#include "verdict/finding.h"

/* image may be NULL if there is none yet; then everything that depends on its pages is at least
 * risky. 0, -EINVAL for ranges that are not sorted or a header that is too short, -ENOMEM; *ret is
 * untouched on failure. */
int verdict_judge(const struct platform *then, const struct platform *now,
		  const struct verdict_image *image, struct verdict *ret, struct why *w);

/* Carries out the plan on a copy of the kernel's header page: replaces the
 * checksum and the page count, each only if it still has the old value. 0, or
 * -EINVAL when it has not (nothing is changed then). */
int verdict_correct_header(const struct verdict_plan *plan, void *header, size_t length);

#endif
