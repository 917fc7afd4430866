/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts and platforms for people and for programs. */
#ifndef S2DISK_VERDICT_VERDICT_REPORT_H
#define S2DISK_VERDICT_VERDICT_REPORT_H

#include "output/json.h"
#include "verdict/finding.h"

#include <stdio.h>

/* The findings, worst first, one paragraph each, and what will be done; with
 * all, those of class same too. */
void verdict_print(const struct verdict *verdict, bool all, FILE *out);

/* One line: "2 differences: 1 fatal, 1 corrected". */
void verdict_summary(const struct verdict *verdict, char *text, size_t size);

/* Both memory maps side by side, differences marked, with the number of image
 * pages in each run of addresses (image may be NULL). 0 or -ENOMEM. */
int verdict_print_maps(const struct platform *then, const struct platform *now,
		       const struct verdict_image *image, FILE *out);

/* One platform, in short; the memory map as a table with image pages. */
void platform_print(const struct platform *platform, FILE *out);
void platform_print_map(const struct platform *platform, const struct verdict_image *image,
			FILE *out);

/* The same as JSON objects under key. */
void verdict_json(struct json *json, const char *key, const struct verdict *verdict);
void platform_json(struct json *json, const char *key, const struct platform *platform);

#endif
