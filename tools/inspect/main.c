/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-inspect(8): the command line. */
#include "base/cleanup.h"
#include "crypto/crypto.h"
#include "base/io.h"
#include "base/log.h"
#include "base/memory.h"
#include "crypto/secret.h"
#include "history.h"
#include "inspect.h"
#include "history/boot_record_file.h"
#include "config/command_line.h"
#include "platform/filesystems/other_swaps.h"
#include "config/target.h"
#include "verdict/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SWAPS_MAX 64
#define PLATFORM_FILE_LIMIT (16u << 20)

static const char help[] =
	"Usage: s2disk-inspect [OPTION]... [DEVICE|FILE]\n"
	"Shows the image in a swap area, or in a copy of one in FILE. Never writes to the\n"
	"device.\n"
	"\n"
	"      --verify               read and check every block\n"
	"      --compare[=PLATFORM]   would it resume on this machine, or on the one that\n"
	"                             --save-platform described?\n"
	"      --save-platform=FILE   describe this machine in FILE\n"
	"      --export=FILE          write the kernel's snapshot, unpacked, to FILE\n"
	"      --history              the memory maps of earlier boots, what they changed, and\n"
	"                             which page frames are kept free for that\n"
	"      --unlock               open an encrypted image: key file, or passphrase. The\n"
	"                             options that need blocks or the machine do so too\n"
	"      --json                 as JSON\n"
	"  -f, --config=FILE          read FILE instead of /etc/suspend.conf\n"
	"  -P, --parameter='KEY = V'  set KEY as the configuration file would\n"
	"  -r, --resume-device=DEVICE the same as DEVICE\n"
	"  -o, --resume-offset=PAGES  where a swap file begins on DEVICE\n"
	"  -q, --quiet                only warnings and errors\n"
	"  -v, --verbose              more messages\n"
	"  -h, --help                 this text\n"
	"  -V, --version              the version\n"
	"\n"
	"Exit status: 0 done (--verify: sound; --compare: would resume), 1 damaged or cannot\n"
	"be read, 2 wrong usage or configuration, 3 would not resume.\n";

struct command {
	struct options options;
	bool json, verify, compare, unlock, history;
	const char *compare_with; /* NULL: this machine */
	const char *save_platform;
	const char *export;
	const char *named; /* DEVICE */
	const char *file;  /* the same, if it is a regular file */
};

/* A swap file is read on its device; any other file is a copy of an area. */
static bool is_active_swap(const char *path)
{
	struct swap_entry entries[SWAPS_MAX];
	int count = swaps_read("", entries, SWAPS_MAX);
	char real[PATH_MAX];

	if (!realpath(path, real))
		return false;
	for (int i = 0; i < count && i < SWAPS_MAX; i++)
		if (strcmp(entries[i].path, real) == 0)
			return true;
	return false;
}

static bool take_device(void *context, const char *device)
{
	struct command *ret = context;
	struct stat st;

	ret->named = device;
	if (stat(device, &st) == 0 && S_ISREG(st.st_mode) && !is_active_swap(device))
		ret->file = device;
	return true;
}

/* -1: continue; else an exit code. */
static int parse_command_line(int argc, char **argv, struct command *ret)
{
	const struct command_option options[] = {
		{ "json", .flag = &ret->json },
		{ "verify", .flag = &ret->verify },
		{ "compare", .flag = &ret->compare, .text = &ret->compare_with },
		{ "save-platform", .text = &ret->save_platform },
		{ "export", .text = &ret->export },
		{ "unlock", .flag = &ret->unlock },
		{ "history", .flag = &ret->history },
		{ 0 },
	};
	const struct command_line line = {
		.program = "s2disk-inspect",
		.help = help,
		.options = options,
		.settings = &ret->options,
		.operand = { "DEVICE", .key = "resume device", .take = take_device },
		.context = ret,
	};

	int code = command_line_parse(&line, argc, argv);

	if (code < 0 && ret->history &&
	    (ret->verify || ret->compare || ret->save_platform || ret->export || ret->unlock ||
	     ret->named))
		return command_line_wrong("--history shows no image: it goes with --json only");
	return code;
}

static int capture(struct platform *ret, struct why *w)
{
	_cleanup_free_ char *log = NULL;

	if (boot_record_log("", &log) < 0)
		log = NULL;
	return platform_capture("", log, ret, w);
}

static int load_platform(const char *file, struct platform *ret, struct why *w)
{
	_cleanup_free_ char *data = NULL;
	size_t length;
	int r;

	if (!file)
		return capture(ret, w);
	r = io_read_file("", file, PLATFORM_FILE_LIMIT, &data, &length);
	if (r < 0)
		return why(w, r, "%s: %s", file, strerror(-r));
	r = platform_decode(data, length, ret, w);
	return r < 0 ? why_prefix(w, r, "%s is not a platform that --save-platform wrote", file)
		     : 0;
}

/* A new file, readable by its owner only: memory holds secrets. */
static int create_file(const char *path, struct why *w)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return fd < 0 ? why(w, -errno, "%s: %s", path, strerror(errno)) : fd;
}

static int save_platform(const char *path, struct why *w)
{
	struct platform platform = { 0 };
	_cleanup_free_ unsigned char *data = NULL;
	_cleanup_close_ int fd = -1;
	size_t length = 0;
	int r = capture(&platform, w);

	if (r == 0)
		r = platform_encode(&platform, &data, &length);
	platform_free(&platform);
	if (r < 0)
		return r;
	fd = create_file(path, w);
	if (fd < 0)
		return fd;
	r = io_write_full(fd, data, length);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r < 0 ? why(w, r, "%s: %s", path, strerror(-r)) : 0;
}

static int write_stream(void *context, const void *buffer, size_t length)
{
	const int *fd = context;

	return *fd < 0 ? 0 : io_write_full(*fd, buffer, length);
}

/* Reads every block; with a path, the stream goes there. */
static int read_blocks(const struct inspection *inspection, const char *path, struct why *w)
{
	_cleanup_close_ int fd = -1;
	const struct page_sink sink = { .write = write_stream, .context = &fd };
	int r;

	if (path) {
		fd = create_file(path, w);
		if (fd < 0)
			return fd;
	}
	r = image_reader_load(inspection->reader, &sink, NULL, NULL, w);
	if (r == 0 && fd >= 0 && fsync(fd) < 0)
		r = why(w, -errno, "%s: %s", path, strerror(errno));
	/* A partial file is worse than none. */
	if (r < 0 && path)
		unlink(path);
	return r;
}

static int find_and_open(const struct command *command, const struct settings *settings,
			 struct inspection *ret, struct why *w)
{
	struct image_unlock unlock = {
		.settings = settings,
		.places = &passphrase_system,
	};
	bool key = command->unlock || command->verify || command->compare || command->export;
	struct swap_area area;
	int r;

	/* Key material should not be swapped out. Users other than root can lock little memory;
	 * the keys themselves are in locked memory anyway. */
	if (key && geteuid() == 0)
		mlockall(MCL_CURRENT | MCL_FUTURE);
	unlock.name = command->file;
	if (command->file)
		return inspect_open(command->file, command->file,
				    settings->resume_offset * page_size(), key ? &unlock : NULL,
				    ret, w);
	r = target_find(settings, "", true, &area, w);
	if (r < 0)
		return r;
	unlock.name = area.name;
	return inspect_open(area.device, area.name, swap_area_start(&area), key ? &unlock : NULL,
			    ret, w);
}

static int show(const struct command *command, const struct inspection *i)
{
	struct platform now = { 0 };
	struct verdict verdict = { 0 };
	bool sound = i->reader && i->problem == 0, compared = false;
	struct why w = { 0 };
	int r = 0, code = i->problem < 0 ? EXIT_FAILED : EXIT_DONE;

	if ((command->compare || command->verify || command->export) && !sound && code == EXIT_DONE)
		r = why(&w, -ENODATA, "it holds no s2disk image");
	if (r == 0 && sound && (command->verify || command->export))
		r = read_blocks(i, command->export, &w);
	if (r == 0 && sound && command->compare) {
		r = load_platform(command->compare_with, &now, &w);
		if (r == 0 && !command->compare_with)
			r = platform_look_for("", &i->input.platform, &now);
		if (r == 0 && !command->compare_with)
			r = other_swaps_look("", &i->input.platform.swaps, &now.swaps);
		if (r == 0)
			r = verdict_judge(&i->input.platform, &now, &i->input.image, &verdict, &w);
		compared = r == 0;
		if (compared && (verdict.worst > VERDICT_CORRECTED ||
				 (!command->compare_with && i->page_size != page_size())))
			code = EXIT_REFUSED;
	}
	if (command->json) {
		if (inspect_print_json(i, compared ? &verdict : NULL, compared ? &now : NULL,
				       r == 0 && sound && command->verify, stdout) < 0)
			code = EXIT_FAILED;
	} else {
		inspect_print(i, compared ? &verdict : NULL, compared ? &now : NULL, stdout);
		if (r == 0 && sound && command->verify)
			printf("\nEvery block was read and is sound.\n");
	}
	if (r < 0) {
		log_error("%s: %s", i->name, why_text(&w, r));
		code = EXIT_FAILED;
	}
	verdict_free(&verdict);
	platform_free(&now);
	return code;
}

static int show_history(bool json)
{
	struct history_view view;
	struct why w = { 0 };
	int r = history_view_open("", &view, &w);

	if (r == 0) {
		r = json ? history_print_json(&view, stdout) : history_print(&view, stdout);
		history_view_close(&view);
	}
	if (r == 0)
		return command_line_printed();
	log_error("%s", why_text(&w, r));
	return EXIT_FAILED;
}

static int run(const struct command *command)
{
	struct inspection inspection;
	struct settings settings;
	struct why w = { 0 };
	int r = options_load_settings(&command->options, &settings, &w), code;

	if (r < 0) {
		log_error("%s", why_text(&w, r));
		return EXIT_USAGE;
	}
	r = crypto_init(&w);
	if (r == 0 && command->history)
		return show_history(command->json);
	if (r == 0 && command->save_platform) {
		r = save_platform(command->save_platform, &w);
		if (r == 0 && !command->compare && !command->verify && !command->export)
			return EXIT_DONE;
	}
	if (r == 0)
		r = find_and_open(command, &settings, &inspection, &w);
	if (r < 0) {
		log_error("%s", why_text(&w, r));
		return EXIT_FAILED;
	}
	code = show(command, &inspection);
	inspect_close(&inspection);
	return code;
}

int main(int argc, char **argv)
{
	struct command command = { 0 };
	int code;

	secret_process();
	code = parse_command_line(argc, argv, &command);
	return code >= 0 ? code : run(&command);
}
