/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "s2disk --keep-free" below a made-up root, as many times as wanted, each time as another boot:
 * the time of the middle one. tests/bench/boot_cost.py makes the tree. */
#include "config/settings.h"
#include "s2disk/prepare/keep_free.h"

#include "base/text.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX 10000

static double seconds(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* None is counted twice. */
static int put_boot_id(const char *root, unsigned int run)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/sys/kernel/random/boot_id", root);
	file = fopen(path, "w");
	if (!file)
		return -1;
	fprintf(file, "boot-%u\n", run);
	return fclose(file);
}

static void forget(const char *root)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/var/lib/s2disk/maps", root);
	unlink(path);
}

/* empty: each is the first boot; else the history grows. */
static int time_runs(const char *root, unsigned int runs, bool empty, double *wall, double *cpu)
{
	struct settings settings;

	settings_defaults(&settings);
	for (unsigned int i = 0; i < runs; i++) {
		struct why w = { 0 };
		double begin, begin_cpu;
		int r;

		if (put_boot_id(root, i) < 0) {
			fprintf(stderr, "keep: no boot-id can be written below %s\n", root);
			return -1;
		}
		if (empty)
			forget(root);
		begin = seconds(CLOCK_MONOTONIC);
		begin_cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
		r = keep_free_at_boot(root, &settings, &w);
		cpu[i] = seconds(CLOCK_PROCESS_CPUTIME_ID) - begin_cpu;
		wall[i] = seconds(CLOCK_MONOTONIC) - begin;
		if (r < 0) {
			fprintf(stderr, "keep: %s\n", why_text(&w, r));
			return -1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static double wall[RUNS_MAX], cpu[RUNS_MAX];
	bool empty = argc == 4 && strcmp(argv[3], "empty") == 0;
	uint64_t runs;

	if (argc < 3 || argc > 4 || (argc == 4 && !empty) || text_parse_u64(argv[2], &runs) < 0 ||
	    runs == 0 || runs > RUNS_MAX) {
		fprintf(stderr, "usage: keep ROOT RUNS [empty]\n");
		return 2;
	}
	if (time_runs(argv[1], (unsigned int)runs, empty, wall, cpu) < 0)
		return 1;
	qsort(wall, runs, sizeof(*wall), compare);
	qsort(cpu, runs, sizeof(*cpu), compare);
	printf("{ \"seconds\": %.9f, \"cpu\": %.9f, \"most\": %.9f }\n", wall[runs / 2],
	       cpu[runs / 2], wall[runs - 1]);
	return 0;
}
