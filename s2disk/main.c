/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk(8): the command line. */
#include "crypto/crypto.h"
#include "base/log.h"
#include "boot/hibernate_location.h"
#include "crypto/secret.h"
#include "described.h"
#include "hibernate.h"
#include "config/image_keys.h"
#include "s2disk/aftermath/last.h"
#include "lock.h"
#include "config/command_line.h"
#include "preflight/preflight.h"
#include "release/release_text.h"
#include "s2disk/report/report.h"
#include "config/sleep_method.h"
#include "s2disk/prepare/keep_free.h"
#include "s2disk/prepare/nvidia_asleep.h"
#include "s2disk/prepare/released.h"
#include "s2disk/prepare/swap_on_demand.h"
#include "s2disk/prepare/swapoff_others.h"
#include "power_off.h"
#include "config/target.h"
#include "ui/abort_watch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char help[] =
	"Usage: s2disk [OPTION]...\n"
	"Writes memory to a swap area and powers the machine off; the next boot\n"
	"restores it.\n"
	"\n"
	"  -f, --config=FILE          read FILE instead of /etc/suspend.conf\n"
	"  -P, --parameter='KEY = V'  set KEY as the configuration file would\n"
	"  -r, --resume-device=DEVICE swap partition or swap file to use: a path, UUID=,\n"
	"                             LABEL=, PARTUUID= or PARTLABEL=\n"
	"  -o, --resume-offset=PAGES  where a swap file begins on DEVICE\n"
	"  -s, --image-size=BYTES     size to aim at (K, M, G as in 2G)\n"
	"  -m, --method=METHOD        platform, shutdown, reboot or suspend\n"
	"  -n, --dry-run              print what would be done\n"
	"      --check                only check whether hibernating would work\n"
	"      --root=DIR             with --check and --report: of a system described below\n"
	"                             DIR\n"
	"      --report=FILE          only write what the checks and --last read into a tar\n"
	"                             archive, for a bug report; - is standard output\n"
	"      --keep-free            only offline pages that were not RAM at another boot, as\n"
	"                             the service does early in each boot\n"
	"      --last                 only show what became of the last hibernation\n"
	"      --json                 with --check and --last: as JSON\n"
	"  -q, --quiet                only warnings and errors\n"
	"  -v, --verbose              more messages\n"
	"  -h, --help                 this text\n"
	"  -V, --version              the version\n"
	"\n"
	"Exit status: 0 hibernated and resumed, 1 failed and the system runs on unchanged,\n"
	"2 wrong usage or configuration, 3 refused by a check.\n";

struct command {
	struct options options;
	bool check, dry_run, json, keep_free, last;
	const char *root;   /* --root; NULL: this system */
	const char *report; /* --report */
	int lock;	    /* held while it hibernates, -1 */
};

/* -1: continue; else an exit code. */
static int parse_command_line(int argc, char **argv, struct command *ret)
{
	const struct command_option options[] = {
		{ "image-size", 's', .key = "image size" },
		{ "image_size", 's', .key = "image size" },
		{ "method", 'm', .key = "shutdown method" },
		{ "dry-run", 'n', .flag = &ret->dry_run },
		{ "check", .flag = &ret->check },
		{ "json", .flag = &ret->json },
		{ "keep-free", .flag = &ret->keep_free },
		{ "last", .flag = &ret->last },
		{ "report", .text = &ret->report },
		{ "root", .text = &ret->root },
		{ 0 },
	};
	const struct command_line line = {
		.program = "s2disk", .help = help, .options = options, .settings = &ret->options
	};
	int code = command_line_parse(&line, argc, argv);

	if (code >= 0)
		return code;
	if (optind < argc)
		return command_line_wrong("'%s' is not an option; name the device with -r",
					  argv[optind]);
	if (ret->json && !ret->check && !ret->last)
		return command_line_wrong("--json needs --check or --last");
	if (ret->root && !ret->check && !ret->report)
		return command_line_wrong("--root needs --check or --report");
	if (ret->report && (ret->check || ret->last || ret->dry_run))
		return command_line_wrong("--report excludes --check, --last and --dry-run");
	if (ret->keep_free && (ret->check || ret->last || ret->dry_run || ret->report))
		return command_line_wrong("--keep-free excludes --check, --last, --dry-run and "
					  "--report");
	return -1;
}

/* Logs only failures and warnings: a hibernation was requested. */
static void log_findings(const struct preflight *preflight)
{
	for (size_t i = 0; i < preflight->count; i++) {
		const struct check *check = &preflight->checks[i];

		if (check->level == CHECK_FAILED)
			log_error("%s%s%s", check->text, check->advice[0] ? "; " : "",
				  check->advice);
		else if (check->level == CHECK_WARNING)
			log_warning("%s%s%s", check->text, check->advice[0] ? "; " : "",
				    check->advice);
	}
}

static int print_check(const struct preflight *preflight, bool json)
{
	if (!json)
		preflight_print(preflight, stdout);
	else if (preflight_print_json(preflight, stdout) < 0)
		return EXIT_FAILED;
	return preflight_worst(preflight) == CHECK_FAILED ? EXIT_REFUSED : EXIT_DONE;
}

static void print_plan(const struct settings *settings, const struct swap_area *area)
{
	enum method method = power_off_method(settings->method, "");

	printf("would write an image into %s", area->name);
	if (area->file || area->offset)
		printf(" (%s, offset %llu pages)", area->device, (unsigned long long)area->offset);
	printf(", %s, %s, in %s, then %s\n",
	       settings->compress ? "compressed with LZ4" : "not compressed",
	       settings->encrypt ? "encrypted" : "not encrypted",
	       settings->threads ? "several threads" : "one thread",
	       method == METHOD_REBOOT	   ? "reboot"
	       : method == METHOD_SUSPEND  ? "suspend to RAM"
	       : method == METHOD_PLATFORM ? "power off by the firmware (ACPI S4)"
					   : "power off");
}

/* Logs and saves it, once nothing is frozen any more. */
static void keep_last(const struct last *last)
{
	struct why w = { 0 };
	int r;

	if (geteuid() != 0)
		return;
	last_log_journal(last, "");
	r = last_save(last, "", &w);
	if (r < 0)
		log_warning("%s", why_text(&w, r));
}

static void keep_refusal(struct last *last, const struct preflight *preflight)
{
	char reason[sizeof(last->reason)] = "";

	for (size_t i = 0; i < preflight->count; i++) {
		size_t used = strlen(reason);

		if (preflight->checks[i].level == CHECK_FAILED)
			snprintf(reason + used, sizeof(reason) - used, "%s%s", used ? "; " : "",
				 preflight->checks[i].text);
	}
	last_end(last, LAST_REFUSED, reason);
	keep_last(last);
}

static int show_last(bool json)
{
	struct why w = { 0 };
	int r = last_print("", json, stdout, &w);

	if (r < 0)
		log_error("%s", why_text(&w, r));
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* Asks for passphrases before anything is frozen. *ret stays NULL for a plain image. */
static int prepare_keys(const struct settings *settings, struct key_ways **ret, struct why *w)
{
	if (!settings->encrypt)
		return 0;
	/* Keys and the material that they are derived from must not be swapped out. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		return why(w, -errno, "cannot lock this program's memory: %s", strerror(errno));
	return image_keys_prepare(settings, &passphrase_system, ret, w);
}

/* Releases the lock while it waits for a passphrase, so that another s2disk can hibernate. */
static int prepare_keys_alone(struct command *command, const struct settings *settings,
			      struct key_ways **ret, struct why *w)
{
	int r;

	if (!image_keys_ask(settings))
		return prepare_keys(settings, ret, w);
	hibernate_lock_give(&command->lock);
	r = prepare_keys(settings, ret, w);
	return r < 0 ? r : hibernate_lock_take("", &command->lock, w);
}

/* For an initramfs, ours or systemd's, where nothing else names the place. Before the snapshot, so
 * that the restored kernel knows the variable and can delete it. without: what it is if that
 * fails. */
static int leave_word(const struct settings *settings, const struct swap_area *area,
		      enum check_level without, struct why *w)
{
	static const char advice[] =
		"the next boot finds the image only by the firmware's variable "
		"HibernateLocation; name the area by resume= or \"resume "
		"device\", and regenerate the initramfs";
	struct why reason = { 0 };
	int r = settings->test_file[0]
			? 0
			: hibernate_location_write("", area->dev, area->offset, &reason);

	if (r >= 0)
		return 0;
	if (without == CHECK_FAILED)
		return why(w, r, "%s; %s; to hibernate anyway: -P \"way back = warn\"",
			   why_text(&reason, r), advice);
	if (without == CHECK_WARNING)
		log_warning("%s; %s", why_text(&reason, r), advice);
	else
		log_debug("%s", why_text(&reason, r));
	return 0;
}

static int release_and_hibernate(const struct settings *settings, const struct swap_area *area,
				 struct release_plan *release, struct platform_section *section,
				 struct key_ways *keys, struct last *last, struct why *w)
{
	int r = released_begin(release, settings, section, "", w);
	int asleep;

	if (r < 0) {
		last_end(last, LAST_FAILED, why_text(w, r));
		return r;
	}
	asleep = nvidia_sleep("", w);
	if (asleep < 0)
		last_end(last, LAST_FAILED, why_text(w, asleep));
	r = asleep < 0 ? asleep : hibernate(settings, area, section, keys, last, w);
	if (asleep > 0)
		nvidia_wake("");
	released_end(release, &section->restored, "", last->result == LAST_RESUMED);
	return r;
}

static int hibernate_with_keys(struct command *command, const struct settings *settings,
			       const struct swap_area *area, enum check_level without_variable,
			       struct release_plan *release, struct platform_section *section,
			       struct last *last, struct why *w)
{
	struct key_ways *keys = NULL;
	int r = prepare_keys_alone(command, settings, &keys, w);

	if (r == 0)
		r = leave_word(settings, area, without_variable, w);
	if (r < 0) {
		last_end(last, LAST_FAILED, why_text(w, r));
	} else {
		swapoff_others_begin(area, "");
		r = release_and_hibernate(settings, area, release, section, keys, last, w);
		hibernate_location_clear("");
	}
	key_ways_free(keys);
	return r;
}

/* Of a failure often nothing but the log is sent. */
static void log_host(const struct guest *guest)
{
	if (guest->kind == GUEST_NONE)
		return;
	log_info("this is a guest (%s); its firmware %s the S4 state%s",
		 guest_kind_name(guest->kind), guest->s4_offered ? "offers" : "does not offer",
		 guest->hyperv_hibernation == 0	  ? "; the host has not enabled hibernation"
		 : guest->hyperv_hibernation == 1 ? "; the host has enabled hibernation"
						  : "");
}

/* With the swap area found and the machine captured. */
static int check_and_hibernate(struct command *command, const struct settings *settings,
			       const struct preflight_target *target, struct release_plan *release,
			       struct platform_section *section)
{
	enum method method = power_off_method(settings->method, "");
	struct preflight preflight;
	struct why w = { 0 };
	struct last last;
	int r;

	last_begin(&last, target->area ? target->area->name : "", method_name(method));
	preflight_run(settings, target, "", &preflight);
	if (command->check)
		return print_check(&preflight, command->json);
	log_findings(&preflight);
	if (preflight_worst(&preflight) == CHECK_FAILED) {
		if (!command->dry_run)
			keep_refusal(&last, &preflight);
		return EXIT_REFUSED;
	}
	if (command->dry_run) {
		release_print(release, "", stdout);
		print_plan(settings, target->area);
		return EXIT_DONE;
	}
	log_host(&section->platform.guest);
	r = hibernate_with_keys(command, settings, target->area, preflight.without_variable,
				release, section, &last, &w);
	keep_last(&last);
	/* A pending signal, such as a hang-up, takes effect only after the record is saved. */
	abort_watch_end();
	swapoff_others_end();
	if (r < 0) {
		log_error("not hibernated: %s", why_text(&w, r));
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static bool only_looks(const struct command *command)
{
	return command->check || command->dry_run;
}

static int find_and_hibernate(struct command *command, const struct settings *settings)
{
	struct platform_section section = { 0 };
	struct release_plan release = { 0 };
	struct swap_area area;
	struct preflight_target target = { .release = &release };
	struct why w = { 0 }, reason = { 0 };
	/* Before the target is looked up: activating a file may move it. */
	int r = only_looks(command) ? 0 : swap_on_demand_begin(settings, &w), code;
	bool activated = r > 0;

	if (r >= 0)
		r = target.area_error = target_find(settings, "", true, &area, &w);
	if (r == 0)
		target.area = &area;
	else
		target.area_problem = why_text(&w, r);
	r = crypto_init(&reason);
	if (r == 0)
		r = platform_section_capture(&section, "", &reason);
	/* Before the checks, which report what the kernel does not release. */
	if (r == 0 && !only_looks(command))
		keep_free_before("", settings, &section.platform);
	if (r == 0)
		r = released_plan(settings, "", &section.platform, &release);
	if (r == 0)
		target.platform = &section.platform;
	else
		target.platform_problem = why_text(&reason, r);
	code = check_and_hibernate(command, settings, &target, &release, &section);
	release_plan_free(&release);
	platform_section_free(&section);
	if (activated)
		swap_on_demand_end(settings);
	return code;
}

/* The checks, on a system described below a directory. */
static int check_described(struct command *command)
{
	struct settings settings;
	struct preflight preflight;
	struct why w = { 0 };
	int r = described_begin(command->root, &w);

	if (r == 0) {
		command->options.root = described_root();
		r = options_load_settings(&command->options, &settings, &w);
		if (r == 0)
			r = described_check(&settings, &preflight, &w);
		described_end();
	}
	if (r < 0) {
		log_error("%s", why_text(&w, r));
		return EXIT_USAGE;
	}
	return print_check(&preflight, command->json);
}

static int find_real_target(const struct settings *settings, struct swap_area *ret, struct why *w)
{
	return target_find(settings, "", true, ret, w);
}

static int write_report(struct command *command)
{
	struct report_source source = { &preflight_real_system, "", find_real_target, true };
	struct why w = { 0 };
	int r = command->root ? described_begin(command->root, &w) : 0;

	if (r < 0) {
		log_error("%s", why_text(&w, r));
		return EXIT_USAGE;
	}
	if (command->root) {
		source = (struct report_source){ &described_system, described_root(),
						 described_target, described_machine() };
		command->options.root = source.root;
	} else if (geteuid() != 0) {
		log_warning("not running as root: the report will be incomplete");
	}
	r = report_write(&source, &command->options, command->report, &w);
	described_end();
	if (r < 0)
		log_error("no report was written: %s", why_text(&w, r));
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* Whatever is wrong, the machine boots on, and hibernates. */
static int keep_free_now(struct command *command)
{
	struct settings settings;
	struct why w = { 0 };
	int r = options_load_settings(&command->options, &settings, &w);

	if (r < 0) {
		log_error("%s", why_text(&w, r));
		return EXIT_USAGE;
	}
	if (geteuid() != 0)
		r = why(&w, -EPERM, "not running as root");
	else
		r = keep_free_at_boot("", &settings, &w);
	if (r < 0)
		log_error("this boot's memory map is not remembered: %s", why_text(&w, r));
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int run(struct command *command)
{
	struct settings settings;
	struct why w = { 0 };
	int r = options_load_settings(&command->options, &settings, &w), code;

	if (r < 0) {
		log_error("%s", why_text(&w, r));
		return EXIT_USAGE;
	}
	sleep_method_load("", &settings);
	if (only_looks(command))
		return find_and_hibernate(command, &settings);
	/* A vanished console must not end the program before everything is undone. */
	signal(SIGPIPE, SIG_IGN);
	r = hibernate_lock_take("", &command->lock, &w);
	if (r < 0) {
		log_error("not hibernated: %s", why_text(&w, r));
		return EXIT_FAILED;
	}
	released_recover("");
	released_wait(&settings, "");
	code = find_and_hibernate(command, &settings);
	hibernate_lock_give(&command->lock);
	return code;
}

int main(int argc, char **argv)
{
	/* Unknown keys are reported by the checks. */
	struct command command = { .lock = -1, .options.keeps_unknown = true };
	int code;

	secret_process();
	code = parse_command_line(argc, argv, &command);
	if (code >= 0)
		return code;
	if (command.keep_free)
		return keep_free_now(&command);
	if (command.report)
		return write_report(&command);
	if (command.root)
		return check_described(&command);
	return command.last ? show_last(command.json) : run(&command);
}
