/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ui/passphrase.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "base/tree.h"
#include "crypto/secret.h"
#include "ui/quiet_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASKED "/run/systemd/ask-password"

const struct passphrase_places passphrase_system = {
	.input = STDIN_FILENO,
	.output = STDERR_FILENO,
	.systemd_directory = ASKED,
	.systemd_program = "/usr/bin/systemd-ask-password",
	.plymouth_program = "/usr/bin/plymouth",
	.console = "/dev/console",
};

#define TYPED_CANCEL 0x03   /* Ctrl-C */
#define TYPED_END 0x04	    /* Ctrl-D */
#define KEY_ERASE_LINE 0x15 /* Ctrl-U */
#define KEY_ERASE 0x7f

extern char **environ;

bool passphrase_typed(const struct passphrase_places *places)
{
	struct stat st;

	return fstat(places->input, &st) < 0 ||
	       !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || S_ISREG(st.st_mode));
}

/* A program that was killed leaves its question behind. */
static bool is_open_question(const char *root, const char *name)
{
	char path[PATH_MAX], text[4096], pid[16];

	snprintf(path, sizeof(path), ASKED "/%s", name);
	if (!text_starts(name, "ask.") || io_read_text(root, path, text, sizeof(text)) < 0 ||
	    !text_assigned(text, "PID", pid, sizeof(pid)) ||
	    strspn(pid, "0123456789") != strlen(pid))
		return false;
	snprintf(path, sizeof(path), "/proc/%s", pid);
	return tree_exists(root, path);
}

bool passphrase_is_asked(const char *root)
{
	_cleanup_names_ struct tree_names names = { 0 };
	bool asked = false;

	if (tree_list(root, ASKED, &names) < 0)
		return false;
	for (size_t i = 0; i < names.count && !asked; i++)
		asked = is_open_question(root, names.items[i]);
	return asked;
}

/* Reads a byte; false at the end. */
static bool read_byte(int fd, char *ret)
{
	ssize_t n;

	do
		n = read(fd, ret, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

/* Reads a line byte by byte: the next line is for the next question. */
static int read_line(int fd, char *buffer, size_t *ret_length)
{
	size_t length = 0;
	bool any = false;
	char byte;

	while (read_byte(fd, &byte)) {
		any = true;
		if (byte == '\n')
			break;
		if (length == PASSPHRASE_MAX)
			return -E2BIG;
		buffer[length++] = byte;
	}
	*ret_length = length;
	return any ? 0 : -ENOKEY;
}

/* Typed input, with the little editing that works without echo. */
static int read_keys(int fd, char *buffer, size_t *ret_length)
{
	size_t length = 0;
	char key;

	while (read_byte(fd, &key)) {
		if (key == '\n' || key == '\r') {
			*ret_length = length;
			return 0;
		}
		if (key == TYPED_CANCEL || (key == TYPED_END && length == 0))
			return -ECANCELED;
		if (key == KEY_ERASE || key == '\b') {
			/* All bytes of a UTF-8 character. */
			while (length > 0 && (buffer[length - 1] & 0xc0) == 0x80)
				length--;
			if (length > 0)
				length--;
		} else if (key == KEY_ERASE_LINE) {
			length = 0;
		} else if (length == PASSPHRASE_MAX) {
			return -E2BIG;
		} else {
			buffer[length++] = key;
		}
	}
	return -ENOKEY;
}

/* Standard input may be a terminal opened for reading only. A terminal that has gone is
 * detected when reading. */
static void say(int fd, int other, const char *text)
{
	if (io_write_full(fd, text, strlen(text)) < 0 && other >= 0 &&
	    io_write_full(other, text, strlen(text)) < 0)
		return;
}

static int ask_terminal(int fd, int other, const char *prompt, char *buffer, size_t *ret_length)
{
	bool terminal = quiet_terminal_begin(fd);
	int r;

	say(fd, other, prompt);
	say(fd, other, ": ");
	r = read_keys(fd, buffer, ret_length);
	say(fd, other, "\r\n");
	if (terminal)
		quiet_terminal_end();
	return r;
}

static int wait_for_program(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ENOKEY;
}

/* Runs a program whose output is the answer; buffer NULL: only its exit status counts. */
static int run_program(char *const *arguments, char *buffer, size_t *ret_length)
{
	posix_spawn_file_actions_t actions;
	int ends[2], r, answer = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	r = -posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (r == 0) {
		if (buffer)
			answer = read_line(ends[0], buffer, ret_length);
		close(ends[0]); /* before waiting: it may have more to say */
		r = wait_for_program(pid);
	} else {
		close(ends[0]);
	}
	if (r < 0)
		return r;
	/* Plymouth's prints an empty answer as nothing (src/client/plymouth.c). */
	return answer == -ENOKEY ? 0 : answer;
}

static int ask_systemd(const struct passphrase_places *places, const char *prompt,
		       unsigned int seconds, char *buffer, size_t *ret_length)
{
	char timeout[32], text[448];
	char *const arguments[] = { (char *)places->systemd_program, timeout, "--id=s2disk",
				    "--icon=drive-harddisk",	     text,    NULL };

	snprintf(timeout, sizeof(timeout), "--timeout=%u", seconds);
	snprintf(text, sizeof(text), "%s:", prompt);
	return run_program(arguments, buffer, ret_length);
}

static bool plymouth_shows(const struct passphrase_places *places)
{
	char *const arguments[] = { (char *)places->plymouth_program, "--ping", NULL };

	return access(places->plymouth_program, X_OK) == 0 &&
	       run_program(arguments, NULL, NULL) == 0;
}

static int ask_plymouth(const struct passphrase_places *places, const char *prompt, char *buffer,
			size_t *ret_length)
{
	char text[448];
	char *const arguments[] = { (char *)places->plymouth_program, "ask-for-password", text,
				    NULL };

	snprintf(text, sizeof(text), "--prompt=%s", prompt);
	return run_program(arguments, buffer, ret_length);
}

static int ask_console(const char *console, const char *prompt, char *buffer, size_t *ret_length)
{
	_cleanup_close_ int fd = open(console, O_RDWR | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -ENOKEY : ask_terminal(fd, -1, prompt, buffer, ret_length);
}

static int ask(const struct passphrase_places *places, const char *prompt, unsigned int seconds,
	       char *buffer, size_t *ret_length)
{
	bool terminal = isatty(places->input);

	if (!passphrase_typed(places))
		return read_line(places->input, buffer, ret_length);
	if (!terminal && access(places->systemd_directory, F_OK) == 0 &&
	    access(places->systemd_program, X_OK) == 0)
		return ask_systemd(places, prompt, seconds, buffer, ret_length);
	if (plymouth_shows(places))
		return ask_plymouth(places, prompt, buffer, ret_length);
	if (terminal)
		return ask_terminal(places->input, places->output, prompt, buffer, ret_length);
	return ask_console(places->console, prompt, buffer, ret_length);
}

int passphrase_ask(const struct passphrase_places *places, const char *prompt, unsigned int seconds,
		   char *buffer, size_t *ret_length, struct why *w)
{
	size_t length = 0;
	int r = ask(places, prompt, seconds, buffer, &length);

	if (r < 0) {
		secret_wipe(buffer, PASSPHRASE_SIZE);
		return why(w, r, "%s",
			   r == -ECANCELED ? "no passphrase was given"
			   : r == -E2BIG   ? "a passphrase has at most 511 bytes"
			   : r == -ENOKEY  ? "no answer to the passphrase prompt"
					   : strerror(-r));
	}
	buffer[length] = '\0';
	*ret_length = length;
	return 0;
}
