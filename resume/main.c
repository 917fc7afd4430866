/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resume(8): the command line. Every boot runs this program, so with nothing to resume it must
 * be quick. */
#include "base/log.h"
#include "crypto/secret.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "boot/initramfs.h"
#include "resume/place/default_place.h"
#include "resume/place/firmware_place.h"
#include "history/boot_record_file.h"
#include "config/image_keys.h"
#include "kernel/kernel_cmdline.h"
#include "resume/place/kernel_place.h"
#include "config/command_line.h"
#include "restore.h"
#include "config/target.h"
#include "turn.h"
#include "ui/passphrase.h"
#include "ui/plymouth.h"
#include "witness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

/* Another run may be asking for a passphrase, which the rest of the boot waits for, too. */
#define TURN_SECONDS 600

#define WAIT_MAX 3600

static const char help[] =
	"Usage: resume [OPTION]... [DEVICE]\n"
	"Restores the image that s2disk left in a swap area; for the initramfs, before any\n"
	"file system is mounted. Where there is none, it does nothing.\n"
	"\n"
	"  -f, --config=FILE          read FILE instead of /etc/suspend.conf\n"
	"  -P, --parameter='KEY = V'  set KEY as the configuration file would\n"
	"  -r, --resume-device=DEVICE block device: a path, UUID=, LABEL=, PARTUUID= or\n"
	"                             PARTLABEL=; the same as DEVICE\n"
	"  -o, --resume-offset=PAGES  where a swap file begins on DEVICE\n"
	"      --default-device=DEVICE\n"
	"                             take DEVICE where nothing else names one\n"
	"      --wait=SECONDS         wait for the device, up to SECONDS, not counting the time\n"
	"                             while systemd asks for a passphrase\n"
	"      --print-default        only print the area to take where nothing names one, for\n"
	"                             /conf/conf.d/s2disk in the initramfs\n"
	"      --print-device         only print what is to be waited for, if anything\n"
	"      --print-key-files      only print which key files belong in the initramfs\n"
	"      --plain-allowed        only say, by the exit status, whether images that are\n"
	"                             not encrypted may be resumed: 0 yes, 1 no\n"
	"      --record-missed        only record, where this boot has no record yet, that\n"
	"                             nothing was looked at, and delete a HibernateLocation\n"
	"                             that led there\n"
	"  -q, --quiet                only warnings and errors\n"
	"  -v, --verbose              more messages\n"
	"  -h, --help                 this text\n"
	"  -V, --version              the version\n"
	"\n"
	"Without DEVICE, the configuration or resume= and resume_offset= of the kernel\n"
	"command line name it, else --default-device, else the firmware's variable\n"
	"HibernateLocation.\n"
	"\n"
	"Exit status: 0 nothing to resume, or the image was discarded: the boot continues;\n"
	"1 failed; 2 wrong usage or configuration.\n";

struct command {
	struct options options;
	const char *default_device; /* NULL: none */
	unsigned int wait_seconds;
	int print; /* which of prints[] is called instead of restoring, or 0 */
};

static int print_device(const struct settings *settings)
{
	char device[sizeof(settings->resume_device)];

	target_awaited(settings, "", device, sizeof(device));
	if (device[0])
		puts(device);
	return command_line_printed();
}

/* For the generators' hooks, which continue without a default. */
static int print_default(const struct settings *settings)
{
	char text[600];
	struct why w = { 0 };
	int r = default_place_print(settings, "", text, sizeof(text), &w);

	if (r < 0) {
		log_info("no default: %s", why_text(&w, r));
		return EXIT_DONE;
	}
	fputs(text, stdout);
	return command_line_printed();
}

/* For the generators' hooks: secrets, so only if the user asks for it. */
static int print_key_files(const struct settings *settings)
{
	const char *list = settings->key_file_in_initramfs ? settings->key_file : "";
	char path[sizeof(settings->key_file)];
	struct stat st;

	/* A missing file would make the generators fail. */
	while (image_keys_next_file(&list, path, sizeof(path)))
		if (path[0] == '/' && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		    access(path, R_OK) == 0)
			puts(path);
	return command_line_printed();
}

/* For scripts that would hand the device to the kernel's loader, which accepts any image that
 * looks like one. */
static int say_plain_allowed(const struct settings *settings)
{
	return settings->encrypt ? EXIT_FAILED : EXIT_DONE;
}

/* A run that looked has dealt with it, and to mount the variables takes time. For a device that was
 * missing it has stayed. */
static bool variable_may_be_left(void)
{
	struct boot_record record = { 0 };
	bool left = boot_record_read("", &record, NULL) < 0 || record.run_count == 0 ||
		    record.runs[record.run_count - 1].found == FOUND_NO_DEVICE;

	boot_record_free(&record);
	return left;
}

/* For the end of an initramfs that may not have run this program, for example because a device
 * never came. File systems are mounted by then, so no area is touched, and an image is stale. */
static int record_missed(const struct settings *settings)
{
	struct boot_run run;

	witness_settings(&run, settings);
	run.found = run.by == NAMED_BY_NOTHING ? FOUND_NOTHING_NAMED : FOUND_NOT_LOOKED;
	witness_keys(&run, settings);
	if (variable_may_be_left())
		firmware_place_clear("", settings, NULL, true);
	return boot_record_add_first("", &run) < 0 ? EXIT_FAILED : EXIT_DONE;
}

enum {
	PRINT_DEFAULT = 1,
	PRINT_DEVICE,
	PRINT_KEY_FILES,
	/* For these errors elsewhere in the settings do not change the answer. */
	PRINT_PLAIN_ALLOWED,
	PRINT_MISSED,
};

static int (*const prints[])(const struct settings *settings) = {
	[PRINT_DEFAULT] = print_default,     [PRINT_DEVICE] = print_device,
	[PRINT_KEY_FILES] = print_key_files, [PRINT_PLAIN_ALLOWED] = say_plain_allowed,
	[PRINT_MISSED] = record_missed,
};

/* Nothing was restored, and the boot continues: records what it did. */
static void record(struct boot_run *run, const struct settings *settings)
{
	const struct swap_area area = { .dev = run->has_number ? makedev(run->major, run->minor)
							       : 0,
					.offset = run->offset };

	/* For a device that is missing systemd may wait longer, and then resume. Where there was no
	 * image the variable is not looked for: to mount them takes time at each boot. */
	if (run->found != FOUND_NO_DEVICE)
		firmware_place_clear("", settings, &area, run->found != FOUND_SWAP);
	witness_keys(run, settings);
	witness_record(run);
}

static bool take_wait(void *context, const char *argument)
{
	struct command *ret = context;
	uint64_t seconds;

	if (text_parse_u64(argument, &seconds) < 0 || seconds > WAIT_MAX) {
		log_error("--wait takes a number of seconds, up to %u, not '%s'", WAIT_MAX,
			  argument);
		return false;
	}
	ret->wait_seconds = (unsigned int)seconds;
	return true;
}

/* -1: continue; else an exit code. */
static int parse_command_line(int argc, char **argv, struct command *ret)
{
	const struct command_option options[] = {
		{ "default-device", .text = &ret->default_device },
		{ "print-default", .choice = &ret->print, .chosen = PRINT_DEFAULT },
		{ "print-device", .choice = &ret->print, .chosen = PRINT_DEVICE },
		{ "print-key-files", .choice = &ret->print, .chosen = PRINT_KEY_FILES },
		{ "plain-allowed", .choice = &ret->print, .chosen = PRINT_PLAIN_ALLOWED },
		{ "record-missed", .choice = &ret->print, .chosen = PRINT_MISSED },
		{ "wait", .take = take_wait },
		{ 0 },
	};
	const struct command_line line = {
		.program = "resume",
		.help = help,
		.note = " (" INITRAMFS_RESUME_MARK ")",
		.options = options,
		.settings = &ret->options,
		.operand = { "DEVICE", .key = "resume device" },
		.context = ret,
	};

	return command_line_parse(&line, argc, argv);
}

static void take_default(const struct command *command, struct settings *settings)
{
	struct kernel_cmdline cmdline = { 0 };

	if (command->default_device)
		text_copy(settings->default_device, sizeof(settings->default_device),
			  command->default_device);
	if (!settings->default_device[0])
		default_place_read("", settings);
	kernel_cmdline_read("", &cmdline);
	if (!settings->default_device[0] && !settings->resume_device[0] && !cmdline.resume[0])
		firmware_place_read("", settings);
}

static int find(const struct command *command, const struct settings *settings,
		struct swap_area *ret, struct why *w)
{
	const struct timespec pause = { .tv_nsec = 300000000 };
	uint64_t wait = (uint64_t)command->wait_seconds * 1000000, end = now_usec() + wait;
	int r;

	/* The search itself takes time if libblkid probes each device. */
	while ((r = target_find(settings, "", false, ret, w)) == -ENODEV && now_usec() < end) {
		*w = (struct why){ 0 };
		nanosleep(&pause, NULL);
		/* The device may be what the passphrase is for, and the answer may take long. */
		if (passphrase_is_asked(""))
			end = now_usec() + wait;
	}
	return r;
}

/* Nothing can be resumed with these settings. The boot continues, so an image that is there
 * anyway must not stay. */
static void discard_unwanted(const struct command *command, const char *problem)
{
	struct settings settings;
	struct swap_area area;
	struct boot_run run;
	struct why w = { 0 };
	int r = options_salvage_settings(&command->options, &settings);

	take_default(command, &settings);
	witness_settings(&run, &settings);
	text_copy(run.settings, sizeof(run.settings), problem);
	if (r == 0)
		r = find(command, &settings, &area, &w);
	if (r == 0) {
		witness_area(&run, &area);
		r = restore(&settings, &area, "there is an image, but the settings are wrong", &run,
			    &w);
		if (r == 0)
			r = kernel_place_tell(&settings, &area, &run, &w);
	}
	if (r == -ENOENT && run.by == NAMED_BY_NOTHING) {
		run.found = FOUND_NOTHING_NAMED;
	} else if (r < 0) {
		witness_failure(&run, r, why_text(&w, r));
		if (r != -ENOENT)
			log_error("%s", run.reason);
	}
	record(&run, &settings);
}

static int find_and_restore(const struct command *command, const struct settings *settings,
			    struct boot_run *run)
{
	struct swap_area area;
	struct why w = { 0 };
	const char *unwanted = NULL;
	int r = find(command, settings, &area, &w);

	if (r == -ENOENT) {
		log_debug("%s", why_text(&w, r));
		run->found = FOUND_NOTHING_NAMED;
		return EXIT_DONE;
	}
	if (r == 0) {
		witness_area(run, &area);
		if (run->noresume)
			unwanted = "there is an image, but the kernel command line says noresume";
		r = restore(settings, &area, unwanted, run, &w);
		if (r == 0)
			r = kernel_place_tell(settings, &area, run, &w);
	}
	if (r < 0) {
		witness_failure(run, r, why_text(&w, r));
		log_error("%s; nothing is resumed", run->reason);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static int resume(const struct command *command, const struct settings *settings)
{
	struct boot_run run;
	int code;

	witness_settings(&run, settings);
	code = find_and_restore(command, settings, &run);
	record(&run, settings);
	return code;
}

static int run(const struct command *command)
{
	struct settings settings;
	struct why w = { 0 };
	int r = options_load_settings(&command->options, &settings, &w);

	if (r < 0) {
		log_error("%s", why_text(&w, r));
		if (!command->print)
			discard_unwanted(command, why_text(&w, r));
		if (command->print >= PRINT_PLAIN_ALLOWED &&
		    options_salvage_settings(&command->options, &settings) == 0) {
			take_default(command, &settings);
			return prints[command->print](&settings);
		}
		return EXIT_USAGE;
	}
	take_default(command, &settings);
	return command->print ? prints[command->print](&settings) : resume(command, &settings);
}

static int take_turn_and_run(const struct command *command)
{
	int turn = turn_take("", TURN_SECONDS);
	int code;

	if (turn == -EBUSY) {
		log_error("another resume is still running; this one does nothing");
		return EXIT_FAILED;
	}
	code = run(command);
	if (turn >= 0)
		close(turn);
	return code;
}

int main(int argc, char **argv)
{
	struct command command = { 0 };
	int code;

	secret_process();
	code = parse_command_line(argc, argv, &command);
	if (code >= 0)
		return code;
	if (command.print) {
		code = run(&command);
		firmware_place_end();
		return code;
	}
	restore_ignore_signals();
	log_to_kernel();
	plymouth_begin();
	code = take_turn_and_run(&command);
	firmware_place_end();
	plymouth_end();
	return code;
}
