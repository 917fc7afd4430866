/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-swapfile(8): the command line. */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "crypto/crypto.h"
#include "base/log.h"
#include "base/text.h"
#include "config/command_line.h"
#include "swapfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char help[] =
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
	"      --json            check: as JSON\n"
	"      --root=DIR        use DIR as the root of the system (for tests)\n"
	"  -q, --quiet           only warnings and errors\n"
	"  -v, --verbose         more messages\n"
	"  -h, --help            this text\n"
	"  -V, --version         the version\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage, 3 it cannot work here.\n";

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

static bool take_size(void *context, const char *text)
{
	struct swapfile *s = context;

	s->size = 0;
	if (strcmp(text, "auto") == 0 || (text_parse_size(text, &s->size) == 0 && s->size > 0))
		return true;
	log_error("'%s' is not a size; expected: auto, or bytes as in 16G", text);
	return false;
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
		signal(SIGPIPE, SIG_IGN); /* the reader of the output may go */
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
	int r = run_locked(s, command, &w);

	/* check has printed its result already. */
	if (w.text[0] && r < 0)
		log_error("%s", w.text);
	/* uswsusp's program knows no refusal. */
	return r == 0 ? EXIT_DONE : is_refusal(r) && !s->uswsusp ? EXIT_REFUSED : EXIT_FAILED;
}

static int run_command(struct swapfile *s, const char *name, int argc, char **argv)
{
	const struct command *command = find_command(name);

	if (!command)
		return command_line_wrong("%s is not a command", name);
	s->path = argc > 0 ? argv[0] : NULL;
	if (argc > 1 || (s->path && !command->takes_path) || (!s->path && command->needs_path))
		return command_line_wrong("%s takes %s", command->name,
					  command->needs_path	? "one PATH"
					  : command->takes_path ? "one PATH at most"
								: "no PATH");
	if ((s->size || s->no_subvolume || s->enable) && strcmp(command->name, "create") != 0)
		return command_line_wrong("--size, --no-subvolume and --enable need create");
	if (s->use_json && strcmp(command->name, "check") != 0)
		return command_line_wrong("--json needs check");
	if (s->hibernate_only && !s->enable && strcmp(command->name, "enable") != 0)
		return command_line_wrong("--hibernate-only needs enable or create --enable");
	return run(s, command);
}

int main(int argc, char **argv)
{
	/* uswsusp's program of that name has one command. */
	struct swapfile s = { .root = "",
			      .uswsusp =
				      argc > 0 && strcmp(basename(argv[0]), "swap-offset") == 0 };
	const struct command_option options[] = {
		{ "size", 's', .take = take_size },
		{ "no-subvolume", .flag = &s.no_subvolume },
		{ "enable", .flag = &s.enable },
		{ "hibernate-only", .flag = &s.hibernate_only },
		{ "dry-run", 'n', .flag = &s.dry_run },
		{ "json", .flag = &s.use_json },
		{ "root", .text = &s.root },
		{ "quiet", 'q', .flag = &s.quiet },
		{ "verbose", 'v' },
		{ 0 },
	};
	const struct command_line line = {
		.program = s.uswsusp ? "swap-offset" : "s2disk-swapfile",
		.help = help,
		.options = options,
		.context = &s,
	};
	int code = command_line_parse(&line, argc, argv);

	if (code >= 0)
		return code;
	argc -= optind;
	argv += optind;
	if (s.uswsusp)
		return run_command(&s, "offset", argc, argv);
	return argc > 0 ? run_command(&s, argv[0], argc - 1, argv + 1)
			: command_line_wrong("no command given");
}
