/* SPDX-License-Identifier: GPL-2.0-or-later */
/* replay: judges every disk that a power cut could have left, from a log of the writes to
 * it. See tests/vm/README.md. */
#include "crash.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char usage[] =
	"Usage: replay [OPTION]... DISK LOG\n"
	"DISK is an image of the disk as it was before, LOG what was written since, in the\n"
	"format of dm-log-writes. Every prefix of it and many reorderings between flushes\n"
	"must be valid swap or a complete image.\n"
	"\n"
	"  --start=BYTES     where the swap partition begins on the disk (0)\n"
	"  --area=BYTES      where the swap area begins in the partition (0)\n"
	"  --shuffles=N      random choices of writes before each flush (200)\n"
	"  --seed=N          for these choices (1)\n"
	"  --ignore-flushes  act as if the disk ignored flushes: it should fail\n"
	"\n"
	"Exit status: 0 nothing else was found, 1 something was, 2 usage error or bad files.\n";

static const struct option options[] = {
	{ "start", required_argument, NULL, 's' },
	{ "area", required_argument, NULL, 'a' },
	{ "shuffles", required_argument, NULL, 'n' },
	{ "seed", required_argument, NULL, 'r' },
	{ "ignore-flushes", no_argument, NULL, 'i' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct arguments {
	const char *disk, *log;
	uint64_t start, area;
	struct crash_options crash;
};

static bool number(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 0);
	return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0';
}

static bool take_option(struct arguments *arguments, int option, const char *value)
{
	uint64_t n = 0;

	if (option != 'i' && (!value || !number(value, &n)))
		return false;
	switch (option) {
	case 's':
		arguments->start = n;
		return true;
	case 'a':
		arguments->area = n;
		return true;
	case 'n':
		arguments->crash.shuffles = (unsigned int)n;
		return n <= 1000000;
	case 'r':
		arguments->crash.seed = n;
		return n > 0;
	case 'i':
		arguments->crash.ignore_flushes = true;
		return true;
	default:
		return false;
	}
}

/* 0, or an exit status. */
static int parse(int argc, char **argv, struct arguments *arguments)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (!take_option(arguments, option, optarg)) {
			fputs("Try 'replay --help'.\n", stderr);
			return 2;
		}
	}
	if (argc - optind != 2) {
		fputs("DISK and LOG are required. Try 'replay --help'.\n", stderr);
		return 2;
	}
	arguments->disk = argv[optind];
	arguments->log = argv[optind + 1];
	return 0;
}

static void print(const struct crash_report *report)
{
	printf("%" PRIu64 " writes, %" PRIu64 " flushes\n", report->writes, report->flushes);
	printf("states %" PRIu64 ": %" PRIu64 " prefixes, %" PRIu64 " with one write more or less, "
	       "%" PRIu64 " shuffled\n",
	       report->swap + report->image, report->prefixes, report->single, report->shuffled);
	printf("valid swap %" PRIu64 ", complete image %" PRIu64 " (%" PRIu64
	       " different, every block verified)\n",
	       report->swap, report->image, report->verified);
	printf("handed over %" PRIu64 "\n", report->handed_over);
	printf("for good: %s\n", report->story);
}

int main(int argc, char **argv)
{
	struct arguments arguments = { .crash = { .shuffles = 200, .seed = 1 } };
	struct crash_report report = { 0 };
	struct disk_state state = { .fd = -1 };
	struct write_log log = { 0 };
	struct why w = { "" };
	struct stat st;
	uint64_t size;
	int code = parse(argc, argv, &arguments), r;

	if (code)
		return code;
	if (stat(arguments.disk, &st) < 0 || (uint64_t)st.st_size <= arguments.start) {
		fprintf(stderr, "replay: %s is not a disk of that size\n", arguments.disk);
		return 2;
	}
	size = (uint64_t)st.st_size - arguments.start;
	r = crypto_init(&w);
	if (r == 0)
		r = disk_state_load(&state, arguments.disk, arguments.start, size, arguments.area,
				    &w);
	if (r == 0)
		r = write_log_load(&log, arguments.log, arguments.start, size, &w);
	if (r < 0) {
		fprintf(stderr, "replay: %s\n", why_text(&w, r));
		return 2;
	}
	r = crash_examine(&state, &log, &arguments.crash, &report, &w);
	print(&report);
	if (r < 0)
		printf("FOUND: %s\n", why_text(&w, r));
	write_log_free(&log);
	disk_state_free(&state);
	return r < 0;
}
