/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-sleep(8): the command line. */
#include "base/bytes.h"
#include "base/log.h"
#include "config/command_line.h"
#include "config/image_keys.h"
#include "config/options.h"
#include "sleep.h"
#include "sleep_users.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
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

/* -1: continue; else an exit code. */
static int parse_command_line(int argc, char **argv, struct sleep_machine *machine,
			      enum sleep_operation *ret)
{
	const struct command_option options[] = { { "s2disk", .text = &machine->program }, { 0 } };
	const struct command_line line = { .program = "s2disk-sleep",
					   .help = help,
					   .options = options };
	int code = command_line_parse(&line, argc, argv);

	if (code >= 0)
		return code;
	if (optind + 1 != argc)
		return command_line_wrong(
			"name one operation: hibernate, hybrid-sleep or suspend-then-hibernate");
	if (sleep_operation_parse(argv[optind], ret) < 0)
		return command_line_wrong("'%s' is not an operation", argv[optind]);
	return -1;
}

static void warn(const char *message)
{
	log_warning("%s", message);
}

/* SIGCHLD for the hooks' time limit. The others end this program only after what it did is undone;
 * systemd and terminals send them to s2disk and the hooks as well. */
static void block_signals(void)
{
	static const int numbers[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaddset(&set, numbers[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* With wrong settings s2disk ends without a question, and they may demand encryption. */
static void read_settings(struct sleep_machine *machine)
{
	const struct options options = { .keeps_unknown = true };
	struct settings settings;
	int r = options_load_settings(&options, &settings, NULL);

	machine->asks = r == 0 && image_keys_ask(&settings);
	machine->sealed_only = r < 0 || settings.encrypt;
}

int main(int argc, char **argv)
{
	struct sleep_machine machine = {
		.root = "",
		.program = SBINDIR "/s2disk",
		.users_switch = getenv(SLEEP_USERS_SWITCH),
	};
	struct sleep_system system;
	struct sleep_config config;
	enum sleep_operation operation;
	int code;

	code = parse_command_line(argc, argv, &machine, &operation);
	if (code >= 0)
		return code;
	block_signals();
	read_settings(&machine);
	sleep_config_load("", &config, warn);
	sleep_system_real(&machine, &system);
	return sleep_run(&system, &config, operation) < 0 ? EXIT_FAILED : EXIT_DONE;
}
