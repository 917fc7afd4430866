/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a passphrase is asked for, and what becomes of the answer: pipes, terminals, and
 * stand-ins for systemd's and Plymouth's programs. Then the settings on top of that. */
#include "base/bytes.h"
#include "crypto/secret.h"
#include "config/image_keys.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "ui/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static char directory[64];
static struct passphrase_places places;
static char answer[PASSPHRASE_SIZE];
static size_t length;
static struct why w;

static const char *at(const char *name)
{
	static char paths[8][128];
	static unsigned int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static void write_file(const char *name, const char *text, size_t size, mode_t mode)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, size), (ssize_t)size);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static void script(const char *name, const char *text)
{
	char all[512];

	snprintf(all, sizeof(all), "#!/bin/sh\n%s\n", text);
	write_file(name, all, strlen(all), 0755);
}

static void set_up(void)
{
	ck_assert_int_eq(crypto_init(NULL), 0);
	snprintf(directory, sizeof(directory), "/tmp/s2disk-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	places = (struct passphrase_places){
		.input = open("/dev/null", O_RDONLY | O_CLOEXEC),
		.output = -1,
		.systemd_directory = strdup(at("agents")),
		.systemd_program = strdup(at("systemd-ask-password")),
		.plymouth_program = strdup(at("plymouth")),
		.console = strdup(at("console")),
	};
}

static void tear_down(void)
{
	char command[128];

	close(places.input);
	free((char *)places.systemd_directory);
	free((char *)places.systemd_program);
	free((char *)places.plymouth_program);
	free((char *)places.console);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	ck_assert_int_eq(system(command), 0);
}

static int ask(void)
{
	w.text[0] = '\0';
	return passphrase_ask(&places, "What", 5, answer, &length, &w);
}

static void expect(const char *wanted)
{
	int r = ask();

	ck_assert_msg(r == 0, "%s", why_text(&w, r));
	ck_assert_str_eq(answer, wanted);
	ck_assert_uint_eq(length, strlen(wanted));
}

/* Standard input is a pipe with that text, and then ends. */
static void pipe_in(const char *text)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
	close(ends[1]);
	close(places.input);
	places.input = ends[0];
}

START_TEST(pipe_gives_lines)
{
	pipe_in("first\n\nthird one\nwithout an end");
	ck_assert(!passphrase_typed(&places));
	expect("first");
	expect("");
	expect("third one");
	expect("without an end");
	ck_assert_int_eq(ask(), -ENOKEY);
	ck_assert_ptr_nonnull(strstr(w.text, "no answer"));
}
END_TEST

START_TEST(pipe_too_long)
{
	char text[600];

	memset(text, 'x', sizeof(text));
	text[511] = '\n';
	text[599] = '\0';
	pipe_in(text);
	ck_assert_int_eq(ask(), 0);
	ck_assert_uint_eq(length, 511);
	memset(text, 'x', sizeof(text) - 1);
	pipe_in(text);
	ck_assert_int_eq(ask(), -E2BIG);
	ck_assert(bytes_all_zero(answer, sizeof(answer)));
}
END_TEST

/* A child types on the terminal once the prompt is there; the exit code says whether it
 * saw any of its input. */
static pid_t type_on(int terminal, const char *keys)
{
	pid_t child = fork();
	char seen[256] = "";
	size_t used = 0;

	if (child)
		return child;
	while (!strstr(seen, ": ")) {
		ssize_t n = read(terminal, seen + used, sizeof(seen) - 1 - used);

		if (n <= 0)
			_exit(2);
		used += (size_t)n;
	}
	if (write(terminal, keys, strlen(keys)) < 0)
		_exit(3);
	usleep(200000);
	used = (size_t)read(terminal, seen, sizeof(seen) - 1);
	seen[used] = '\0';
	_exit(strchr(seen, 'k') ? 1 : 0);
}

static void typed(const char *keys, int result, const char *wanted, bool read_only)
{
	struct termios before, after;
	int master, slave, status;
	pid_t child;

	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	ck_assert_int_eq(tcgetattr(slave, &before), 0);
	child = type_on(master, keys);
	close(places.input);
	places.input = read_only ? open(ttyname(slave), O_RDONLY | O_NOCTTY | O_CLOEXEC) : slave;
	places.output = read_only ? slave : -1;
	ck_assert(passphrase_typed(&places));
	ck_assert_int_eq(ask(), result);
	if (result == 0)
		ck_assert_str_eq(answer, wanted);
	else
		ck_assert(bytes_all_zero(answer, sizeof(answer)));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0); /* no echo */
	/* Echo is back. */
	ck_assert_int_eq(tcgetattr(slave, &after), 0);
	ck_assert_uint_eq(before.c_lflag, after.c_lflag);
	close(master);
}

START_TEST(terminal)
{
	switch (_i) {
	case 0:
		typed("key of mine\r", 0, "key of mine", false);
		break;
	case 1: /* erased: a letter, an umlaut, a line */
		typed("no\x15kex\x7fy\xc3\xa4\x7f\n", 0, "key", false);
		break;
	case 2:
		typed("key\x03", -ECANCELED, NULL, false);
		break;
	case 3:
		typed("\x04", -ECANCELED, NULL, false);
		break;
	case 4:
		typed("\x7f\x7f\n", 0, "", false);
		break;
	case 5: /* like an initramfs' shell: standard input is not writable */
		typed("key\r", 0, "key", true);
		break;
	}
}
END_TEST

/* A terminal that takes the prompt is the only one that gets it. */
START_TEST(prompts_once)
{
	int master, slave, status, ends[2];
	pid_t child;
	char seen;

	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	child = type_on(master, "key\r");
	close(places.input);
	places.input = slave;
	places.output = ends[1];
	expect("key");
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(read(ends[0], &seen, 1), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close(ends[0]);
	close(master);
}
END_TEST

/* Neither pipe nor terminal: systemd's agents, Plymouth, the console. */
START_TEST(console_is_the_last)
{
	ck_assert_int_eq(ask(), -ENOKEY); /* nothing of it is left */
	script("plymouth", "test \"$1\" != --ping");
	write_file("console", "        answer\n", 15, 0600);
	/* The prompt was written over the first bytes. */
	expect("  answer");
}
END_TEST

START_TEST(plymouth_is_asked)
{
	script("plymouth",
	       "test \"$1\" = --ping && exit 0\n"
	       "test \"$1 $2\" = 'ask-for-password --prompt=What' && printf 'from Plymouth'");
	expect("from Plymouth");
	script("plymouth", "true");
	expect(""); /* entered */
	script("plymouth", "test \"$1\" = --ping");
	ck_assert_int_eq(ask(), -ENOKEY);
}
END_TEST

START_TEST(systemd_is_asked)
{
	script("plymouth", "test \"$1\" = --ping || echo from Plymouth");
	script("systemd-ask-password", "test \"$1 $4\" = '--timeout=5 What:' && echo from systemd");
	expect("from Plymouth"); /* systemd does not run */
	ck_assert_int_eq(mkdir(at("agents"), 0755), 0);
	expect("from systemd");
	script("systemd-ask-password", "exit 1");
	ck_assert_int_eq(ask(), -ENOKEY);
}
END_TEST

/* Settings and ways. */

static struct settings settings;

static void use_files(const char *pair, const char *files)
{
	settings_defaults(&settings);
	settings.encrypt = true;
	snprintf(settings.key_pair, sizeof(settings.key_pair), "%s", pair ? at(pair) : "");
	snprintf(settings.key_file, sizeof(settings.key_file), "%s", files ? files : "");
}

static void make_pair(const char *name)
{
	static const struct kdf cheap = { .memory_kib = 64, .passes = 1, .lanes = 1 };
	unsigned char file[KEY_PAIR_FILE_SIZE];
	struct key_pair pair;

	ck_assert_int_eq(key_pair_make(&cheap, "pair's", 6, &pair, &w), 0);
	ck_assert_int_eq(key_pair_encode(&pair, file), 0);
	write_file(name, (const char *)file, sizeof(file), 0600);
}

START_TEST(who_is_asked)
{
	settings_defaults(&settings);
	ck_assert(!image_keys_ask(&settings));
	settings.encrypt = true;
	ck_assert(image_keys_ask(&settings));
	strcpy(settings.key_pair, "/a");
	ck_assert(!image_keys_ask(&settings));
	settings.passphrase_set = true;
	settings.passphrase = true;
	ck_assert(image_keys_ask(&settings));
	settings.key_pair[0] = '\0';
	settings.passphrase = false;
	ck_assert(!image_keys_ask(&settings));
}
END_TEST

START_TEST(checked)
{
	char two[300];
	struct why warning;

	use_files(NULL, NULL);
	ck_assert_int_eq(image_keys_check(&settings, "", &warning, &w), 0);
	settings.passphrase_set = true;
	ck_assert_int_eq(image_keys_check(&settings, "", &warning, &w), -ENOKEY);
	ck_assert_ptr_nonnull(strstr(w.text, "passphrase = n"));
	use_files("pair", NULL);
	ck_assert_int_eq(image_keys_check(&settings, "", &warning, &w), -ENOENT);
	ck_assert_ptr_nonnull(strstr(w.text, "/pair"));
	write_file("pair", "no pair", 7, 0600);
	ck_assert_int_eq(image_keys_check(&settings, "", &warning, &w), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(w.text, "s2disk-keygen"));
	make_pair("pair");
	ck_assert_int_eq(image_keys_check(&settings, "", &warning, &w), 0);
	ck_assert_str_eq(warning.text, "");

	write_file("one", "31 bytes are one fewer than it", 30, 0600);
	write_file("two", "forty bytes of what should be a secret..", 40, 0640);
	use_files("pair", at("one"));
	ck_assert_int_eq(image_keys_check(&settings, "", &warning, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "/one"));
	snprintf(two, sizeof(two), " %s\t%s ", at("two"), at("two"));
	use_files("pair", two);
	ck_assert_int_eq(image_keys_check(&settings, "", &warning, &w), 0);
	ck_assert_ptr_nonnull(strstr(warning.text, "users other than its owner"));
	/* Below a root directory. */
	use_files(NULL, "/two");
	ck_assert_int_eq(image_keys_check(&settings, directory, &warning, &w), 0);
	ck_assert_int_eq(truncate(at("two"), 70000), 0);
	ck_assert_int_eq(image_keys_check(&settings, directory, &warning, &w), -EFBIG);
}
END_TEST

/* A header page with the ways of the settings, and a key. */
static unsigned char page[4096];
static const unsigned char image_id[16] = "0123456789abcde", key[32] = "the image's key";

static struct key_slots wrap(struct key_ways *ways)
{
	struct header_front front = { .sealed = true, .slots = ways->count, .at = page };
	struct key_slots slots;

	memcpy(front.image_id, image_id, 16);
	ck_assert_int_eq(key_ways_wrap(ways, image_id, key, page), 0);
	ck_assert_int_eq(key_slots_decode(&front, &slots, &w), 0);
	return slots;
}

static int find_key(const struct key_slots *slots, const char *files)
{
	struct image_unlock unlock = { &settings, &places, "a disk" };
	struct image_unlocker unlocker = image_unlocker_of(&unlock);
	unsigned char found[32] = { 0 };
	int r;

	use_files(NULL, files);
	w.text[0] = '\0';
	r = unlocker.unlock(unlocker.context, slots, found, &w);
	ck_assert(r != 0 || memcmp(found, key, 32) == 0);
	ck_assert(r == 0 || w.text[0]);
	return r;
}

START_TEST(prepared_and_found)
{
	struct key_ways *ways = NULL;
	struct key_slots slots;

	make_pair("pair");
	write_file("file", "forty bytes of what should be a secret..", 40, 0600);
	write_file("other", "forty bytes of another thing altogether.", 40, 0600);
	use_files("pair", at("file"));
	settings.passphrase = settings.passphrase_set = true;
	pipe_in("typed\n");
	ck_assert_int_eq(image_keys_prepare(&settings, &places, &ways, &w), 0);
	ck_assert_uint_eq(ways->count, 3);
	ways->ways[2].kdf.memory_kib = 64; /* cheaper from here on */
	ways->ways[2].kdf.passes = 1;
	ck_assert_int_eq(kdf_derive(&ways->ways[2].kdf, "typed", 5, ways->ways[2].secret, &w), 0);
	slots = wrap(ways);
	key_ways_free(ways);

	pipe_in("");
	ck_assert_int_eq(find_key(&slots, at("file")), 0);
	pipe_in("typed\n");
	ck_assert_int_eq(find_key(&slots, at("other")), 0);
	pipe_in("wrong\npair's\n");
	ck_assert_int_eq(find_key(&slots, at("missing")), 0);
	pipe_in("1\n2\n3\ntyped\n");
	ck_assert_int_eq(find_key(&slots, NULL), -EKEYREJECTED);
	ck_assert_ptr_nonnull(strstr(w.text, "opens the image"));
	expect("typed"); /* was not asked a fourth time */
	pipe_in("1\n");
	ck_assert_int_eq(find_key(&slots, NULL), -EKEYREJECTED);
	ck_assert_ptr_nonnull(strstr(w.text, "no answer"));
	/* An empty one is wrong. */
	pipe_in("\n\ntyped\n");
	ck_assert_int_eq(find_key(&slots, NULL), 0);
	pipe_in("\n\n\n");
	ck_assert_int_eq(find_key(&slots, NULL), -EKEYREJECTED);
	ck_assert_int_eq(w.class, WHY_LOCKED);
	/* This boot cannot derive a key: that is no fault of the image. */
	slots.slots[2].kdf.lanes = 0;
	pipe_in("typed\n");
	ck_assert_int_eq(find_key(&slots, NULL), -EINVAL);
	ck_assert_int_eq(w.class, WHY_LOCKED);
}
END_TEST

START_TEST(only_key_files)
{
	struct key_ways *ways = NULL;
	struct key_slots slots;

	write_file("file", "forty bytes of what should be a secret..", 40, 0600);
	write_file("other", "forty bytes of another thing altogether.", 40, 0600);
	use_files(NULL, at("file"));
	ck_assert_int_eq(image_keys_prepare(&settings, &places, &ways, &w), 0);
	slots = wrap(ways);
	key_ways_free(ways);
	pipe_in("never read\n");
	ck_assert_int_eq(find_key(&slots, NULL), -EKEYREJECTED);
	ck_assert_ptr_nonnull(strstr(w.text, "settings name none"));
	ck_assert_int_eq(find_key(&slots, at("other")), -EKEYREJECTED);
	ck_assert_ptr_nonnull(strstr(w.text, "does not open"));
	ck_assert_int_eq(find_key(&slots, at("missing")), -EKEYREJECTED);
	ck_assert_ptr_nonnull(strstr(w.text, "/missing"));
	expect("never read");
}
END_TEST

START_TEST(not_prepared)
{
	struct key_ways *ways = NULL;

	use_files(NULL, NULL);
	pipe_in("\n");
	ck_assert_int_eq(image_keys_prepare(&settings, &places, &ways, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "empty"));
	pipe_in("");
	ck_assert_int_eq(image_keys_prepare(&settings, &places, &ways, &w), -ENOKEY);
	settings.passphrase_set = true;
	ck_assert_int_eq(image_keys_prepare(&settings, &places, &ways, &w), -ENOKEY);
	use_files("missing", NULL);
	ck_assert_int_eq(image_keys_prepare(&settings, &places, &ways, &w), -ENOENT);
	ck_assert_ptr_null(ways);
}
END_TEST

/* Of a program that was killed, or without a number, a question is none. */
START_TEST(sees_open_questions)
{
	made_root_create();
	ck_assert(!passphrase_is_asked(made_root));
	made_put("/run/systemd/ask-password/sck.1", "PID=77\n");
	made_put("/run/systemd/ask-password/ask.1", "[Ask]\nPID=78\nMessage=for swap:\n");
	made_put("/run/systemd/ask-password/ask.2", "[Ask]\nMessage=PID=77\n");
	made_put("/run/systemd/ask-password/ask.3", "[Ask]\nPID=../proc/77\n");
	made_directory("/proc/77");
	ck_assert(!passphrase_is_asked(made_root));
	made_directory("/proc/78");
	ck_assert(passphrase_is_asked(made_root));
	made_root_remove();
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "passphrase");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, pipe_gives_lines);
	tcase_add_test(tcase, pipe_too_long);
	tcase_add_loop_test(tcase, terminal, 0, 6);
	tcase_add_test(tcase, prompts_once);
	tcase_add_test(tcase, console_is_the_last);
	tcase_add_test(tcase, plymouth_is_asked);
	tcase_add_test(tcase, systemd_is_asked);
	tcase_add_test(tcase, who_is_asked);
	tcase_add_test(tcase, checked);
	tcase_add_test(tcase, prepared_and_found);
	tcase_add_test(tcase, only_key_files);
	tcase_add_test(tcase, not_prepared);
	tcase_add_test(tcase, sees_open_questions);
}
