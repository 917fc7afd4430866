/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-swapfile(8): the command line. */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "crypto/crypto.h"
#include "base/log.h"
#include "base/text.h"
#include "swapfile.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_REFUSED = 3,
};

static const char usage[] =
	"Usage: s2disk-swapfile create [--size=SIZE] [--no-subvolume]\n"
	"                             [--enable [--hibernate-only]] PATH\n"
	"       s2disk-swapfile offset PATH\n"
	"       s2disk-swapfile check [PATH]\n"
	"       s2disk-swapfile enable [--hibernate-only] PATH\n"
	"       s2disk-swapfile disable\n"
	"       s2disk-swapfile remove [PATH]\n"
	"       swap-offset PATH\n"
	"Makes a swap file that can be resumed from, and sets up fstab, the initramfs and s2disk\n"
	"for it, or for a swap partition; reverts all of it.\n"
	"\n"
	"  -s, --size=SIZE       bytes (K, M, G as in 16G), or auto: as large as memory\n"
	"      --no-subvolume    on btrfs: not in a subvolume of its own (its directory)\n"
	"      --enable          enable it when it is made\n"
	"      --hibernate-only  active only while s2disk hibernates\n"
	"  -n, --dry-run         print what would be changed\n"
	"      --json            as JSON\n"
	"      --root=DIR        use DIR as the root of the system (for tests)\n"
	"  -q, --quiet           only warnings and errors\n"
	"  -v, --verbose         more messages\n"
	"  -h, --help            this text\n"
	"  -V, --version         the version\n"
	"\n"
	"Exit status: 0 done, 1 failed and what was done is undone, 2 wrong usage, 3 it cannot\n"
	"work here.\n";

/* Set by options without a letter; take_option() sets the rest. */
static int no_subvolume, enable, hibernate_only, use_json;

static const struct option long_options[] = {
	{ "size", required_argument, NULL, 's' },
	{ "no-subvolume", no_argument, &no_subvolume, 1 },
	{ "enable", no_argument, &enable, 1 },
	{ "hibernate-only", no_argument, &hibernate_only, 1 },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "json", no_argument, &use_json, 1 },
	{ "root", required_argument, NULL, 'r' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static const struct command {
	const char *name;
	int (*run)(struct swapfile *s, struct why *w);
	bool needs_path, takes_path, changes;
} commands[] = {
	{ "create", swapfile_do_create, true, true, true },
	{ "offset", swapfile_do_offset, true, true, false },
	{ "check", swapfile_do_check, false, true, false },
	{ "enable", swapfile_do_enable, true, true, true },
	{ "disable", swapfile_do_disable, false, false, true },
	{ "remove", swapfile_do_remove, false, true, true },
};

static const char *program;

static bool is_swap_offset(void)
{
	return strcmp(program, "swap-offset") == 0;
}

static int usage_error(void)
{
	fprintf(stderr, "Try '%s --help'.\n", program);
	return EXIT_USAGE;
}

static int set_size(struct swapfile *s, const char *text)
{
	s->size = 0;
	if (strcmp(text, "auto") == 0 || (text_parse_size(text, &s->size) == 0 && s->size > 0))
		return -1;
	log_error("'%s' is not a size; expected: auto, or bytes as in 16G", text);
	return usage_error();
}

/* -1: go on; else an exit code. */
static int take_option(struct swapfile *s, int option, const char *argument)
{
	switch (option) {
	case 's':
		return set_size(s, argument);
	case 0: /* one of the flags */
		break;
	case 'n':
		s->dry_run = true;
		break;
	case 'r':
		s->root = argument;
		break;
	case 'q':
		s->quiet = true;
		log_set_level(LOG_LEVEL_WARNING);
		break;
	case 'v':
		log_set_level(LOG_LEVEL_DEBUG);
		break;
	case 'h':
		fputs(usage, stdout);
		return EXIT_DONE;
	case 'V':
		printf("%s %s\n", program, PACKAGE_VERSION);
		return EXIT_DONE;
	default:
		return usage_error();
	}
	return -1;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* It cannot work here, and nothing was changed. */
static bool is_refusal(int r)
{
	return r > 0 || r == -EINVAL || r == -EOPNOTSUPP || r == -ENOSPC || r == -EEXIST;
}

/* Locks out other runs that change the system. Without /run there is none. */
static int take_lock(const char *root, int *ret_fd, struct why *w)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/run/s2disk-swapfile.lock", root);
	*ret_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*ret_fd < 0)
		return errno == ENOENT ? 0 : why(w, -errno, "%s: %s", path, strerror(errno));
	return flock(*ret_fd, LOCK_EX | LOCK_NB) < 0
		       ? why(w, -EAGAIN, "another s2disk-swapfile is running; wait for it to end")
		       : 0;
}

static int run_locked(struct swapfile *s, const struct command *command, struct why *w)
{
	_cleanup_close_ int lock = -1;
	bool changes = command->changes && !s->dry_run;
	int r = changes && geteuid() != 0 ? why(w, -EPERM, "only root can do this") : 0;

	if (r == 0 && changes) {
		r = take_lock(s->root, &lock, w);
		swapfile_stop_begin();
	}
	if (r == 0)
		r = crypto_init(w);
	if (r == 0)
		r = command->run(s, w);
	if (r < 0 && !w->text[0])
		why(w, r, "%s", strerror(-r));
	return r;
}

static int run(struct swapfile *s, const struct command *command)
{
	struct why w = { "" };
	int r, code;

	swapfile_begin(s, command->name);
	r = run_locked(s, command, &w);
	/* check has printed its result already. */
	if (w.text[0] && r < 0)
		log_error("%s", w.text);
	code = r == 0 ? EXIT_DONE : is_refusal(r) ? EXIT_REFUSED : EXIT_FAILED;
	if (swapfile_end(s,
			 code == EXIT_DONE     ? "done"
			 : code == EXIT_FAILED ? "failed"
					       : "refused",
			 r < 0 ? w.text : NULL) < 0)
		return EXIT_FAILED;
	return code;
}

/* uswsusp's program: one path, one line. */
static int run_swap_offset(struct swapfile *s)
{
	struct why w = { "" };

	if (!s->path) {
		log_error("expected: the path of one swap file");
		return usage_error();
	}
	s->uswsusp = true;
	if (swapfile_do_offset(s, &w) == 0)
		return EXIT_DONE;
	log_error("%s", w.text);
	return EXIT_FAILED;
}

static int wrong_usage(const char *what, const char *which)
{
	log_error("%s%s", what, which);
	return usage_error();
}

static int run_command(struct swapfile *s, int argc, char **argv)
{
	const struct command *command = argc > 0 ? find_command(argv[0]) : NULL;

	if (!command)
		return argc == 0 ? wrong_usage("no command given", "")
				 : wrong_usage(argv[0], " is not a command");
	s->path = argc > 1 ? argv[1] : NULL;
	if (argc > 2 || (s->path && !command->takes_path) || (!s->path && command->needs_path))
		return wrong_usage(command->name, command->needs_path	? " takes one PATH"
						  : command->takes_path ? " takes one PATH at most"
									: " takes no PATH");
	if ((s->size || s->no_subvolume || s->enable) && strcmp(command->name, "create") != 0)
		return wrong_usage("--size, --no-subvolume and --enable need create", "");
	if (s->hibernate_only && !s->enable && strcmp(command->name, "enable") != 0)
		return wrong_usage("--hibernate-only needs enable or create --enable", "");
	return run(s, command);
}

int main(int argc, char **argv)
{
	struct swapfile s = { .root = "" };
	int option;

	no_subvolume = enable = hibernate_only = use_json = 0;
	program = argc > 0 && strcmp(basename(argv[0]), "swap-offset") == 0 ? "swap-offset"
									    : "s2disk-swapfile";
	log_open(program);
	while ((option = getopt_long(argc, argv, "s:nqvhV", long_options, NULL)) != -1) {
		int code = take_option(&s, option, optarg);

		if (code >= 0)
			return code;
	}
	s.no_subvolume = no_subvolume;
	s.enable = enable;
	s.hibernate_only = hibernate_only;
	s.use_json = use_json;
	if (is_swap_offset()) {
		s.path = optind + 1 == argc ? argv[optind] : NULL;
		return run_swap_offset(&s);
	}
	return run_command(&s, argc - optind, argv + optind);
}
