/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-keygen(8): the key pair for hibernating without typing a passphrase. */
#include "base/cleanup.h"
#include "crypto/crypto.h"
#include "base/io.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "config/command_line.h"
#include "config/image_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define DEFAULT_FILE "/etc/s2disk/key-pair"

static const char help[] =
	"Usage: s2disk-keygen [OPTION]... [FILE]\n"
	"Creates a key pair, with which s2disk encrypts images without asking for anything.\n"
	"resume opens them with the passphrase that is set now.\n"
	"Without FILE, the pair is in " DEFAULT_FILE ".\n"
	"\n"
	"  -c, --change-passphrase    change the passphrase of the pair in FILE\n"
	"  -q, --quiet                only warnings and errors\n"
	"  -h, --help                 this text\n"
	"  -V, --version              the version\n"
	"\n"
	"Exit status: 0 done, 1 failed (FILE is as it was), 2 wrong usage.\n";

struct command {
	const char *file;
	bool change;
};

/* -1: continue; else an exit code. */
static int parse_command_line(int argc, char **argv, struct command *ret)
{
	const struct command_option options[] = {
		{ "change-passphrase", 'c', .flag = &ret->change },
		{ "quiet", 'q' },
		{ 0 },
	};
	const struct command_line line = {
		.program = "s2disk-keygen",
		.help = help,
		.options = options,
		.operand = { "FILE", .text = &ret->file },
	};

	return command_line_parse(&line, argc, argv);
}

static int write_temporary(const char *path, const unsigned char *data, struct why *w)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return why(w, -errno, "%s: %s", path, strerror(errno));
	r = io_write_full(fd, data, KEY_PAIR_FILE_SIZE);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0) {
		unlink(path);
		return why(w, r, "%s: %s", path, strerror(-r));
	}
	return 0;
}

/* Puts the finished file into place: a new one must not replace another. */
static int put_in_place(const char *temporary, const struct command *command, struct why *w)
{
	int r = 0;

	if (command->change)
		r = rename(temporary, command->file) < 0 ? -errno : 0;
	else
		r = link(temporary, command->file) < 0 ? -errno : 0;
	if (r < 0 || !command->change)
		unlink(temporary);
	if (r == -EEXIST)
		return why(w, r, "%s exists already; --change-passphrase changes its passphrase",
			   command->file);
	return r < 0 ? why(w, r, "%s: %s", command->file, strerror(-r)) : 0;
}

/* Only the default directory below /etc is created; any other must exist. */
static void make_directory(const char *file)
{
	char copy[] = DEFAULT_FILE;

	if (strcmp(file, DEFAULT_FILE) == 0)
		mkdir(dirname(copy), 0700);
}

static void sync_directory(const char *file)
{
	char copy[PATH_MAX];
	_cleanup_close_ int fd = -1;

	snprintf(copy, sizeof(copy), "%s", file);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		fsync(fd);
}

static int save(const struct command *command, const struct key_pair *pair, struct why *w)
{
	unsigned char *data = secret_alloc(KEY_PAIR_FILE_SIZE);
	char temporary[PATH_MAX];
	int r;

	if (!data)
		return why(w, -ENOMEM, "memory for keys cannot be locked: %s", strerror(errno));
	if (snprintf(temporary, sizeof(temporary), "%s.%ld", command->file, (long)getpid()) >=
	    (int)sizeof(temporary)) {
		secret_free(data, KEY_PAIR_FILE_SIZE);
		return why(w, -ENAMETOOLONG, "%s: the path is too long", command->file);
	}
	make_directory(command->file);
	r = key_pair_encode(pair, data);
	if (r == 0)
		r = write_temporary(temporary, data, w);
	secret_free(data, KEY_PAIR_FILE_SIZE);
	if (r == 0)
		r = put_in_place(temporary, command, w);
	if (r == 0)
		sync_directory(command->file);
	return r;
}

/* All secrets, in locked memory. */
struct secrets {
	struct key_pair pair;
	struct opened_pair opened;
	char passphrase[PASSPHRASE_SIZE];
	unsigned char file[KEY_PAIR_FILE_SIZE + 1];
};

static int load(const struct command *command, struct secrets *s, struct why *w)
{
	size_t length;
	int r = secret_read_file(command->file, s->file, sizeof(s->file), &length, w);

	if (r < 0)
		return r;
	r = key_pair_decode(s->file, length, &s->pair, w);
	return r < 0 ? why_prefix(w, r, "%s", command->file) : 0;
}

/* The old passphrase opens it. */
static int open_pair(struct secrets *s, struct why *w)
{
	const char *prompt = "Current passphrase";
	int r = -EKEYREJECTED;
	size_t length;

	for (int i = 0; r == -EKEYREJECTED && i < PASSPHRASE_TRIES; i++) {
		r = passphrase_ask(&passphrase_system, prompt, 0, s->passphrase, &length, w);
		if (r < 0)
			return r;
		r = sealed_pair_open(&s->pair.pair, s->passphrase, length, &s->opened, w);
		prompt = "Wrong. Current passphrase";
	}
	return r == -EKEYREJECTED ? why(w, r, "the passphrase is wrong") : r;
}

static int make_or_change(const struct command *command, struct secrets *s, struct why *w)
{
	struct kdf kdf;
	size_t length;
	int r = 0;

	if (command->change) {
		r = load(command, s, w);
		if (r == 0)
			r = open_pair(s, w);
	} else if (access(command->file, F_OK) == 0) {
		r = why(w, -EEXIST, "%s exists already; --change-passphrase changes its passphrase",
			command->file);
	}
	if (r == 0)
		r = passphrase_ask_new(&passphrase_system, "the key pair", s->passphrase, &length,
				       w);
	if (r == 0)
		r = kdf_choose_here(&kdf, w);
	if (r == 0 && command->change)
		r = key_pair_change(&s->pair, &s->opened, &kdf, s->passphrase, length, w);
	else if (r == 0)
		r = key_pair_make(&kdf, s->passphrase, length, &s->pair, w);
	return r == 0 ? save(command, &s->pair, w) : r;
}

static int run(const struct command *command)
{
	struct secrets *secrets;
	struct why w = { 0 };
	int r = crypto_init(&w);

	/* Key material should not be swapped out. Users other than root can lock little memory;
	 * the keys themselves are in locked memory anyway. */
	if (geteuid() == 0)
		mlockall(MCL_CURRENT | MCL_FUTURE);
	secrets = secret_alloc(sizeof(*secrets));
	if (!secrets)
		r = why(&w, -ENOMEM, "memory for keys cannot be locked: %s", strerror(errno));
	if (r == 0)
		r = make_or_change(command, secrets, &w);
	secret_free(secrets, sizeof(*secrets));
	if (r < 0) {
		log_error("%s", why_text(&w, r));
		return EXIT_FAILED;
	}
	if (command->change)
		log_notice("%s has the new passphrase; an existing image still needs the old one",
			   command->file);
	else
		log_notice("the key pair is in %s; for /etc/suspend.conf: \"encrypt = y\" and "
			   "\"key pair = %s\"",
			   command->file, command->file);
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	struct command command = { .file = DEFAULT_FILE };
	int code;

	secret_process();
	code = parse_command_line(argc, argv, &command);
	return code >= 0 ? code : run(&command);
}
