/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-sleep(8): the command line. */
#include "base/log.h"
#include "sleep.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

static const char usage[] =
	"Usage: s2disk-sleep [OPTION]... OPERATION\n"
	"Puts the machine to sleep as systemd-sleep does, with s2disk: runs the programs\n"
	"in /usr/lib/systemd/system-sleep before and after, and logs to the journal.\n"
	"systemd's units run it.\n"
	"\n"
	"Operations:\n"
	"  hibernate                to disk\n"
	"  hybrid-sleep             to memory, with the image on disk\n"
	"  suspend-then-hibernate   to memory, and after a time to disk\n"
	"\n"
	"      --s2disk=FILE        run FILE instead of " SBINDIR "/s2disk\n"
	"  -h, --help               this text\n"
	"  -V, --version            the version\n"
	"\n"
	"Exit status: 0 slept and came back, 1 failed, 2 wrong usage.\n";

enum {
	OPTION_S2DISK = 256,
};

static const struct option long_options[] = {
	{ "s2disk", required_argument, NULL, OPTION_S2DISK },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int usage_error(void)
{
	fprintf(stderr, "Try 's2disk-sleep --help'.\n");
	return EXIT_USAGE;
}

/* -1: go on; else an exit code. */
static int parse_command_line(int argc, char **argv, struct sleep_machine *machine,
			      enum sleep_operation *ret)
{
	int option;

	while ((option = getopt_long(argc, argv, "hV", long_options, NULL)) != -1) {
		switch (option) {
		case OPTION_S2DISK:
			machine->program = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_DONE;
		case 'V':
			printf("s2disk-sleep %s\n", PACKAGE_VERSION);
			return EXIT_DONE;
		default:
			return usage_error();
		}
	}
	if (optind + 1 != argc) {
		log_error("name one operation: hibernate, hybrid-sleep or suspend-then-hibernate");
		return usage_error();
	}
	if (sleep_operation_parse(argv[optind], ret) < 0) {
		log_error("'%s' is not an operation", argv[optind]);
		return usage_error();
	}
	return -1;
}

static void warn(const char *message)
{
	log_warning("%s", message);
}

int main(int argc, char **argv)
{
	struct sleep_machine machine = { .program = SBINDIR "/s2disk" };
	struct sleep_system system;
	struct sleep_config config;
	enum sleep_operation operation;
	sigset_t child;
	int code;

	log_open("s2disk-sleep");
	code = parse_command_line(argc, argv, &machine, &operation);
	if (code >= 0)
		return code;
	/* For the hooks' time limit. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	sleep_config_load("", &config, warn);
	sleep_system_real(&machine, &system);
	return sleep_run(&system, &config, operation) < 0 ? EXIT_FAILED : EXIT_DONE;
}
